"""The demonstration content keeps its promises: counts, rules, dates, texts. The decision rules are applied afresh here."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.achievements.bodies import AchievementCreate
from app.assessors.bodies import PanelCreate
from app.demo.achievements import ACHIEVEMENTS
from app.demo.decisions import awards
from app.demo.demographics import VOCABULARY, declarations
from app.demo.load import describe
from app.demo.people import ASSESSMENT_PANEL, fellows
from app.demo.rationales import RATIONALES
from app.demographics.vocabulary import PREFER_NOT_TO_SAY, VocabularyBody
from app.learners.bodies import LearnerCreate
from app.proofs.verification_method import resolve_did_key
from app.scoring.bodies import DecisionCreate

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
LEVELS = ["not-evident", "developing", "demonstrated", "exemplary"]
DECISIONS = awards(NOW)
ANY_ID = "0" * 32


def falls_short(achievement: str, levels: dict[str, str]) -> bool:
    """The two rules in the academy's own words, written without the service's rubric code."""
    below = {key: LEVELS.index("demonstrated") - LEVELS.index(level) for key, level in levels.items()}
    missed = {key: gap for key, gap in below.items() if gap > 0}
    if achievement == "equity":
        return bool(missed)
    return len(missed) > 1 or any(gap > 1 or key in ("test-cycles", "measurement") for key, gap in missed.items())


def levels_of(decision: dict[str, Any]) -> dict[str, str]:
    return {result["criterion"]: result["level"] for result in decision["results"]}


def of_outcome(outcome: str) -> list[dict[str, Any]]:
    return [decision for decision in DECISIONS if decision["outcome"] == outcome]


def pair_of(decision: dict[str, Any]) -> tuple[str, str]:
    return decision["fellow"], decision["achievement"]


def as_request(decision: dict[str, Any]) -> dict[str, Any]:
    body = {key: value for key, value in decision.items() if key not in ("achievement", "fellow", "work")}
    assessment = {"panel_id": ANY_ID, **decision["assessment"]}
    return {**body, "achievement_id": ANY_ID, "learner_id": ANY_ID, "assessment": assessment}


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from texts_of(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts_of(member)


def test_counts() -> None:
    assert len(fellows()) == 116
    assert len(ASSESSMENT_PANEL["members"]) == 7
    assert list(ACHIEVEMENTS) == ["equity", "improvement"]
    assert len(of_outcome("awarded")) == 136
    assert len(of_outcome("not_yet")) == 25


def test_92_fellows_earned_something_and_44_of_them_both() -> None:
    earned = Counter(decision["fellow"] for decision in of_outcome("awarded"))
    assert Counter(earned.values()) == {1: 48, 2: 44}
    assert earned.keys() <= {fellow["external_id"] for fellow in fellows()}
    assert max(Counter(map(pair_of, of_outcome("awarded"))).values()) == 1


def test_most_refusals_are_followed_by_an_award() -> None:
    awarded = {pair_of(decision): decision["decided_at"] for decision in of_outcome("awarded")}
    refused = of_outcome("not_yet")
    followed = [decision for decision in refused if pair_of(decision) in awarded]
    assert len(followed) == 20
    gaps = [datetime.fromisoformat(awarded[pair_of(d)]) - datetime.fromisoformat(d["decided_at"]) for d in followed]
    assert min(gaps) > timedelta(weeks=3)


def test_what_was_met_stays_met_in_a_resubmission() -> None:
    awarded = {pair_of(decision): levels_of(decision) for decision in of_outcome("awarded")}
    for decision in of_outcome("not_yet"):
        later = awarded.get(pair_of(decision), {})
        assert all(
            LEVELS.index(later.get(key, level)) >= LEVELS.index(level) for key, level in levels_of(decision).items()
        )


@pytest.mark.parametrize("key", ACHIEVEMENTS)
def test_achievements_are_request_bodies_with_real_rubrics(key: str) -> None:
    body = AchievementCreate.model_validate(ACHIEVEMENTS[key])
    descriptions = []
    for criterion in body.rubric.criteria:
        assert [level.key for level in criterion.levels] == LEVELS
        assert criterion.passing_level == "demonstrated"
        descriptions += [str(level.description) for level in criterion.levels]
    assert len(descriptions) == len(set(descriptions)) == 24
    assert all(2 <= len(re.findall(r"\.(?: |$)", text)) <= 4 for text in descriptions)
    assert body.performance_task is not None
    assert {part.kind for part in body.performance_task.parts} == {"overview", "artifact", "reflection", "impact"}
    assert max(len(text) for text in texts_of(ACHIEVEMENTS[key])) < 2_000


def test_an_achievement_with_an_unknown_member_would_be_refused() -> None:
    with pytest.raises(ValidationError):
        AchievementCreate.model_validate({**ACHIEVEMENTS["equity"], "hours": 40})


def test_the_two_rules() -> None:
    assert ACHIEVEMENTS["equity"]["rubric"]["decision_rule"] == {"type": "all"}
    rule = ACHIEVEMENTS["improvement"]["rubric"]["decision_rule"]
    assert rule == {"type": "all_but", "exceptions": 1, "mandatory": ["test-cycles", "measurement"]}


def test_fellows_are_distinct_people_with_public_identities() -> None:
    people = fellows()
    for member in ("external_id", "name", "email", "did"):
        values = [person[member] for person in people if member in person]
        assert len(values) == len(set(values))
    for person in people:
        LearnerCreate.model_validate(person)
        assert "email" in person or "did" in person
        assert re.fullmatch(r"[a-z-]+\.[a-z-]+@schools\.example\.org", person.get("email", "a.b@schools.example.org"))
        if did := person.get("did"):
            assert resolve_did_key(f"{did}#{did.removeprefix('did:key:')}").controller == did
    assert [sum(member in person for person in people) for member in ("email", "did")] == [113, 9]


def test_the_panel_is_a_request_body() -> None:
    assert PanelCreate.model_validate(ASSESSMENT_PANEL).members == [f"SILA-A{n}" for n in range(1, 8)]


def test_every_decision_is_a_request_body_with_an_id_of_its_own() -> None:
    for decision in DECISIONS:
        DecisionCreate.model_validate(as_request(decision))
    assert len({decision["external_id"] for decision in DECISIONS}) == len(DECISIONS)
    assert all(re.fullmatch(r"sila-(eq|is)-\d{3}", decision["external_id"]) for decision in DECISIONS)


def test_every_criterion_has_one_result_at_a_known_level() -> None:
    for decision in DECISIONS:
        criteria = [criterion["key"] for criterion in ACHIEVEMENTS[decision["achievement"]]["rubric"]["criteria"]]
        assert [result["criterion"] for result in decision["results"]] == criteria
        assert set(levels_of(decision).values()) <= set(LEVELS)


def test_awarded_satisfies_the_rule_and_not_yet_violates_it() -> None:
    for decision in DECISIONS:
        assert falls_short(decision["achievement"], levels_of(decision)) == (decision["outcome"] == "not_yet")


def test_the_exception_is_used_and_refusals_differ_in_kind() -> None:
    awarded = [levels_of(d) for d in of_outcome("awarded") if d["achievement"] == "improvement"]
    assert 5 <= sum("developing" in levels.values() for levels in awarded) <= 29
    refused = [levels_of(d) for d in of_outcome("not_yet") if d["achievement"] == "improvement"]
    mandatory_missed = {
        min(LEVELS.index(levels[key]) for key in ("test-cycles", "measurement")) < 2 for levels in refused
    }
    assert mandatory_missed == {True, False}


def test_awards_have_the_required_evidence() -> None:
    for decision in DECISIONS:
        genres = Counter(piece["genre"] for piece in decision["evidence"])
        assert 2 <= genres.total() <= 4
        for wanted in ACHIEVEMENTS[decision["achievement"]]["required_evidence"]:
            assert genres[wanted["genre"]] >= wanted["minimum"]


def test_evidence_is_addressed_without_saying_whose_it_is() -> None:
    places = [piece.get("url") or piece["digest"] for decision in DECISIONS for piece in decision["evidence"]]
    assert len(places) == len(set(places))
    pattern = r"https://evidence\.example\.org/sila/[0-9a-f]{20}|sha256:[0-9a-f]{64}"
    assert all(re.fullmatch(pattern, place) for place in places)


def test_two_or_three_assessors_and_none_who_read_the_work_before() -> None:
    seen: dict[tuple[str, str], set[str]] = {}
    for decision in DECISIONS:
        codes = decision["assessment"]["assessors"]
        assert len(codes) == len(set(codes)) in (2, 3)
        assert set(codes) <= set(ASSESSMENT_PANEL["members"])
        assert seen.setdefault(pair_of(decision), set()).isdisjoint(codes)
        seen[pair_of(decision)].update(codes)
    assert set().union(*seen.values()) == set(ASSESSMENT_PANEL["members"])


def test_dates_are_in_order_and_within_the_school_year() -> None:
    moments = [datetime.fromisoformat(decision["decided_at"]) for decision in DECISIONS]
    assert moments == sorted(moments)
    assert date(2024, 9, 1) <= moments[0].date() <= moments[-1].date() <= date(2025, 4, 30)
    for decision, decided in zip(DECISIONS, moments, strict=True):
        began, ended = (datetime.fromisoformat(decision[key]) for key in ("activity_start", "activity_end"))
        assert began + timedelta(weeks=8) < ended < decided
        assert max(began.weekday(), ended.weekday(), decided.weekday()) < 5


def test_work_on_a_resubmission_ends_after_the_refusal() -> None:
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for decision in DECISIONS:
        if before := last.get(pair_of(decision)):
            assert before["outcome"] == "not_yet"
            assert before["decided_at"] < decision["activity_end"]
            assert before["activity_start"] == decision["activity_start"]
            assert before["role"] == decision["role"]
        last[pair_of(decision)] = decision


def test_a_fellow_has_one_role() -> None:
    assert len({(d["fellow"], d["role"]) for d in DECISIONS}) == len({d["fellow"] for d in DECISIONS})


def test_two_calls_are_equal_and_share_nothing() -> None:
    again = awards(NOW)
    assert again == DECISIONS
    again[0]["results"].clear()
    assert awards(NOW) == DECISIONS
    assert fellows() == fellows()


def test_nothing_is_decided_in_the_future() -> None:
    early = datetime(2025, 1, 1, tzinfo=UTC)
    moved = awards(early)
    assert max(datetime.fromisoformat(decision["decided_at"]) for decision in moved) <= early
    shifts = {
        datetime.fromisoformat(then["decided_at"]) - datetime.fromisoformat(now["decided_at"])
        for then, now in zip(DECISIONS, moved, strict=True)
    }
    assert len(shifts) == 1
    assert shifts.pop() % timedelta(weeks=1) == timedelta(0)


def test_each_family_has_six_variants_or_more() -> None:
    for achievement, criteria in RATIONALES.items():
        assert list(criteria) == [criterion["key"] for criterion in ACHIEVEMENTS[achievement]["rubric"]["criteria"]]
        for families in criteria.values():
            assert list(families) == LEVELS
            for family in families.values():
                assert len(set(family.variants())) == len(family.variants()) >= 6


def test_rationales_and_narratives_seldom_repeat() -> None:
    rationales = Counter(result["rationale"] for decision in DECISIONS for result in decision["results"])
    assert len(rationales) > 0.8 * rationales.total()
    assert max(rationales.values()) <= 6
    narratives = Counter(decision["narrative"] for decision in DECISIONS)
    assert len(narratives) > 0.9 * narratives.total()


def test_texts_are_whole_and_of_sane_length() -> None:
    for decision in DECISIONS:
        for text in texts_of(decision):
            assert 0 < len(text) < 2_000
            assert not re.search(r"[{}]|  |\.\.| ,| \.", text)
        for text in (decision["narrative"], *(result["rationale"] for result in decision["results"])):
            assert 40 < len(text) < 500
            assert text[0].isupper()
            assert text.endswith(".")
        for piece in decision["evidence"]:
            assert len(piece["name"]) <= 120


def test_most_fellows_say_something_of_themselves_in_words_of_the_vocabulary() -> None:
    vocabulary = VocabularyBody.model_validate(VOCABULARY)
    words = {each.key: {PREFER_NOT_TO_SAY, *(value.key for value in each.values)} for each in vocabulary.dimensions}
    said = [declarations(fellow["external_id"]) for fellow in fellows()]
    assert 90 <= sum(map(bool, said)) < len(said)
    for values in said:
        assert all(value in words[dimension] for dimension, value in values.items())
    for dimension in vocabulary.dimensions:
        counted = Counter(values.get(dimension.key) for values in said)
        assert min(counted[value.key] for value in dimension.values) >= 30


def test_what_fellows_say_of_themselves_is_the_same_every_time() -> None:
    assert [declarations(f"sila-{n:03d}") for n in range(9)] == [declarations(f"sila-{n:03d}") for n in range(9)]
    assert len({tuple(sorted(declarations(f"sila-{n:03d}").items())) for n in range(50)}) > 5


def test_a_newcomer_is_told_where_the_reports_are() -> None:
    summary = {
        "base_url": "http://127.0.0.1:8000", "achievement_ids": ["a1"], "panel_id": "p1", "program_id": "g1",
        "credential_ids": ["c1"], "assessor_credential_ids": [], "pathway_credential_ids": [], "api_key": "secret",
    }  # fmt: skip
    told = describe(summary, Path("var"))
    assert "http://127.0.0.1:8000/achievements/a1/v1/quality" in told
    asked = re.search(r"http://127.0.0.1:8000/v1/programs/g1/reports/equity\?by=([a-z-]+)", told)
    assert asked is not None
    assert asked[1] in {each["key"] for each in VOCABULARY["dimensions"]}
