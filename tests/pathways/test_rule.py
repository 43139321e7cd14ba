"""The rule language: what is met, what is said of it, and which rules are refused."""

from itertools import combinations
from typing import Any

import pytest

from app.pathways.bodies import PathwayContent
from app.pathways.rule import MAX_DEPTH, Step, evaluate, find_faults, list_achievements, list_missing

NAMES = {"r1": "Reading", "r2": "Writing", "r3": "Speaking", "n1": "Counting", "n2": "Measuring", "l1": "Leading"}
GROUPS = {"literacy": ("Literacy", "r1 r2 r3"), "numeracy": ("Numeracy", "n1 n2"), "leadership": ("Leadership", "l1")}


def content(rule: dict[str, Any], groups: dict[str, tuple[str, str]] = GROUPS) -> dict[str, Any]:
    written = {
        key: {"name": name, "achievements": [{"achievement_id": each} for each in ids.split()]}
        for key, (name, ids) in groups.items()
    }
    return {"groups": written, "rule": rule}


def at_least(number: int, *groups: str, **more: Any) -> dict[str, Any]:
    return {"at_least": number, "of": [{"group": each} for each in groups], **more}


def one(achievement_id: str, *versions: int) -> dict[str, Any]:
    return {"achievement_id": achievement_id, **({"versions": list(versions)} if versions else {})}


FOUR_OF_DOMAINS = content(
    {
        "all": [
            at_least(4, "literacy", "numeracy", "leadership"),
            at_least(1, "numeracy"),
            at_least(1, "leadership"),
            at_least(2, "literacy"),
        ]
    }
)
"""No fewer than four; one at least from each of these domains; two at least from the Literacy stacks."""


def look(rule: dict[str, Any], earned: str) -> Step:
    return evaluate(rule, {each: [1] for each in earned.split()}, NAMES)


@pytest.mark.parametrize(
    ("earned", "sentence"),
    [
        ("", "0 of 4; still 1 from Numeracy and 1 from Leadership and 2 from Literacy"),
        ("r1", "1 of 4; still 1 from Numeracy and 1 from Leadership and 1 from Literacy"),
        ("r1 n1 l1", "3 of 4; still 1 from Literacy"),
        ("r1 r2 r3 n1 n2", "4 of 4; still 1 from Leadership"),
        ("r1 r2 n1 l1", "4 of 4"),
        ("r1 r2 r3 n1 n2 l1", "4 of 4"),
    ],
)
def test_four_in_all_one_of_each_domain_two_from_literacy(earned: str, sentence: str) -> None:
    step = look(FOUR_OF_DOMAINS, earned)
    assert step.sentence == sentence
    assert step.met == ("still" not in sentence)
    assert set(step.counted) == set(earned.split())


def test_2_of_4_still_1_from_literacy() -> None:
    rule = content({"all": [at_least(4, "literacy", "numeracy"), at_least(1, "numeracy"), at_least(2, "literacy")]})
    step = look(rule, "r2 n1")
    assert (step.met, step.sentence) == (False, "2 of 4; still 1 from Literacy")
    assert [(each.pointer, each.earned, each.needed, each.met) for each in step.of] == [
        ("/rule/all/0", 2, 4, False), ("/rule/all/1", 1, 1, True), ("/rule/all/2", 1, 2, False),
    ]  # fmt: skip
    assert [each.pointer for each in list_missing(step)] == ["/rule/all/0", "/rule/all/2"]
    leaves = {leaf.pointer: (leaf.met, leaf.sentence) for leaf in step.of[2].of}
    assert leaves["/groups/literacy/achievements/1"] == (True, "Writing: earned")
    assert leaves["/groups/literacy/achievements/0"] == (False, "Reading: not earned")
    done = look(rule, "r2 n1 r1 n2")
    assert (done.met, done.sentence, list_missing(done)) == (True, "4 of 4", [])


def test_every_combination_against_plain_counting() -> None:
    """The rule in other words, over all 64 sets of six badges."""
    for size in range(7):
        for chosen in combinations(NAMES, size):
            literacy, numeracy = (sum(each[0] == letter for each in chosen) for letter in "rn")
            plain = size >= 4 and literacy >= 2 and numeracy >= 1 and "l1" in chosen
            assert look(FOUR_OF_DOMAINS, " ".join(chosen)).met == plain, chosen


def test_a_badge_counts_once_in_a_set_whatever_names_it() -> None:
    both = {**GROUPS, "language": ("Language", "r1 r2")}
    rule = content({"at_least": 2, "of": [{"group": "literacy"}, {"group": "language"}, one("r3")]}, both)
    assert (look(rule, "r1").earned, look(rule, "r1").sentence) == (1, "1 of 2")
    assert [each.counted for each in look(rule, "r1").of] == [("r1",), (), ()]
    assert look(rule, "r1 r3").met


def test_a_badge_counts_in_two_sets_unless_they_share_them_out() -> None:
    both = {"equity": ("Equity", "r1 n1"), "inquiry": ("Inquiry", "r1 l1")}
    domains = [at_least(1, "equity"), at_least(1, "inquiry")]
    assert look(content({"all": domains}, both), "r1").met
    apart = content({"all": domains, "each_badge_once": True}, both)
    assert (look(apart, "r1").met, look(apart, "r1").sentence) == (False, "still 1 from Inquiry")
    assert look(apart, "r1 l1").met
    assert [each.counted for each in look(apart, "r1 l1").of] == [("r1",), ("l1",)]
    # Taken in the order of the sets alone, Equity would keep r1 and leave Inquiry without.
    assert [each.counted for each in look(apart, "r1 n1").of] == [("n1",), ("r1",)]


def test_sharing_out_finds_whatever_can_be_found() -> None:
    """Against trying every way to hand four badges to three sets."""
    groups = {"a": ("A", "r1 r2"), "b": ("B", "r2 n1"), "c": ("C", "n1 r1 l1")}
    needs = {"a": 1, "b": 1, "c": 2}
    rule = content({"all": [at_least(n, key) for key, n in needs.items()], "each_badge_once": True}, groups)
    fits = {key: ids.split() for key, (_, ids) in groups.items()}

    def possible(badges: list[str], left: dict[str, int]) -> bool:
        if not any(left.values()):
            return True
        if not badges:
            return False
        first, rest = badges[0], badges[1:]
        ways = [key for key in left if left[key] and first in fits[key]]
        return possible(rest, left) or any(possible(rest, {**left, key: left[key] - 1}) for key in ways)

    badges = ["r1", "r2", "n1", "l1"]
    for size in range(5):
        for chosen in combinations(badges, size):
            assert look(rule, " ".join(chosen)).met == possible(list(chosen), needs), chosen


def test_rules_nest_and_a_rule_inside_counts_as_one() -> None:
    rule = content({"at_least": 2, "of": [at_least(2, "literacy"), at_least(2, "numeracy"), one("l1")]})
    assert look(rule, "r1 r2 n1").sentence == "1 of 2"
    assert look(rule, "r1 r2 n1").counted == ("r1", "r2")
    assert look(rule, "r1 r2 l1").met
    named = content({"all": [{"all": [one("r1"), one("n1")], "name": "Foundations"}, one("l1")]})
    assert look(named, "r1").sentence == "still Foundations and Leading"
    assert look(named, "r1 n1").sentence == "still Leading"
    assert look(named, "r1 n1 l1").sentence == "complete"


def test_any_version_counts_unless_some_are_named() -> None:
    rule = content({"all": [one("r1", 2), one("n1")]}, {})
    assert not evaluate(rule, {"r1": [1], "n1": [7]}, NAMES).met
    assert evaluate(rule, {"r1": [1, 2], "n1": [7]}, NAMES).met


def find(rule: dict[str, Any], own: str = "own", **published: list[int]) -> list[tuple[str, str]]:
    known = {each: [1] for each in NAMES} | published
    faults = find_faults(rule, known, own)
    assert all(fault.cure for fault in faults)
    return [(fault.pointer, fault.detail) for fault in faults]


def deep(levels: int) -> dict[str, Any]:
    return {"all": [one("r1")]} if levels == 1 else {"all": [deep(levels - 1)]}


@pytest.mark.parametrize(
    ("rule", "pointer", "detail"),
    [
        ({"at_least": 1, "of": []}, "/rule/of", "is empty"),
        ({"all": []}, "/rule/all", "is empty"),
        ({"all": [one("r1"), {"at_least": 1, "of": []}]}, "/rule/all/1/of", "is empty"),
        (at_least(4, "literacy"), "/rule/at_least", "asks for 4 of 3"),
        ({"at_least": 2, "of": [at_least(1, "literacy")]}, "/rule/at_least", "asks for 2 of 1"),
        ({"at_least": 4, "of": [{"group": "literacy"}, one("r1")]}, "/rule/at_least", "asks for 4 of 3"),
        ({"all": [one("r1"), one("r1", 1)]}, "/rule/all/1", "is named twice in the same set"),
        (at_least(2, "literacy", "literacy"), "/rule/of/1", "is named twice in the same set"),
        (at_least(1, "science"), "/rule/of/0/group", "science is not a group"),
        ({"all": [one("xx")]}, "/rule/all/0", "is not an achievement of yours"),
        ({"all": [one("draft")]}, "/rule/all/0", "has no published version"),
        ({"all": [one("r1", 1, 3)]}, "/rule/all/0/versions/1", "version 3 is not published"),
        ({"all": [at_least(1, "literacy"), one("own")]}, "/rule/all/1", "is the badge of this pathway"),
        (deep(MAX_DEPTH + 1), "/rule" + "/all/0" * MAX_DEPTH, f"lies more than {MAX_DEPTH} deep"),
        (
            {"all": [at_least(1, "literacy"), one("r1")], "each_badge_once": True},
            "/rule/all/1", "cannot take part in sharing out badges",
        ),
        (
            {"all": [at_least(2, "numeracy"), at_least(1, "numeracy")], "each_badge_once": True},
            "/rule", "is not met by anybody, whatever they earn",
        ),
    ],
)  # fmt: skip
def test_bad_rules_are_refused_where_they_are_bad(rule: dict[str, Any], pointer: str, detail: str) -> None:
    assert (pointer, detail) in find(content(rule), draft=[])


def test_good_rules_pass() -> None:
    for rule in (
        FOUR_OF_DOMAINS,
        content(deep(MAX_DEPTH)),
        content({"all": [one("r1", 1)]}, {}),
        content({"all": [at_least(1, "numeracy"), at_least(1, "literacy")], "each_badge_once": True}),
    ):
        assert find(rule) == []


def test_bad_groups_are_refused() -> None:
    empty = content({"all": [one("r1")]}, {"none": ("None", "")})
    assert find(empty) == [("/groups/none/achievements", "is empty")]
    twice = content(at_least(1, "twice"), {"twice": ("Twice", "r1 r1")})
    assert find(twice) == [("/groups/twice/achievements/1", "is named twice in the same set")]


def test_what_is_stored_of_a_body_is_the_rule_as_it_was_written() -> None:
    ids = {each: f"{number:032x}" for number, each in enumerate(NAMES)}
    groups = {key: (name, " ".join(ids[each] for each in members.split())) for key, (name, members) in GROUPS.items()}
    rule = content(FOUR_OF_DOMAINS["rule"], groups)
    body = PathwayContent.model_validate(
        {"name": "Stack", "description": "All.", "panel_id": "0" * 32, "awards": {"achievement_id": "1" * 32}, **rule}
    )
    assert body.facts() == {"name": "Stack", "description": "All.", **rule}
    assert list_achievements(body.facts()) == list(ids.values())
