"""Practice and qualification rounds: what certifies, what does not, who may meet which anchor, and what is never told."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from app.access.store import Person
from app.assessors.store import MasterReading
from app.identifiers import new_id
from app.programs.store import Affiliation
from app.readings.store import Reading
from app.submissions.store import Screening
from tests.anchoring import LOW, MET, SHORT, SMALL, Bench, codes, put_anchor
from tests.assessing import put_enrollment, put_submission
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.issuing import pointers


@pytest.fixture
async def bench(app: FastAPI, partner: Partner) -> Bench:
    made = await Bench.set_up(app, partner)
    await made.enter("A-01")
    return made


async def test_a_passed_round_certifies(bench: Bench, clock: FixedClock) -> None:
    opened = await bench.open_round("A-01")
    assert (opened.json()["kind"], opened.json()["round"], opened.json()["state"]) == ("qualification", 1, "open")
    assert (await bench.certification("A-01"))["state"] == "qualifying"
    clock.advance(hours=1, microseconds=7)
    for [anchor_id] in opened.json()["sets"]:
        await bench.answer("A-01", opened.json()["id"], anchor_id)
    certification = await bench.certification("A-01")
    assert (certification["state"], certification["rounds_used"]) == ("certified", 0)
    assert certification["valid_from"] == "2026-11-23T14:00:00Z"
    assert certification["valid_until"] == "2027-11-23T14:00:00Z"
    assert certification["calibrated_at"] == "2026-11-23T14:00:00.000007Z"
    assert [each["state"] for each in certification["history"]] == ["in_training", "qualifying", "certified"]
    result = (await bench.lead.get(f"/v1/anchor-sessions/{opened.json()['id']}")).json()["result"]
    assert (result["exact"], result["ratings"], result["exact_percent"], result["passed"]) == (4, 4, "100.0", True)


async def test_rounds_that_are_not_passed_lead_to_a_review(bench: Bench) -> None:
    first = await bench.take_round("A-01", SHORT)
    assert first["result"]["shortfalls"] == ["exact_agreement", "same_decision"]
    assert (await bench.certification("A-01"))["state"] == "in_training"
    assert (await bench.take_round("A-01", LOW))["round"] == 2
    assert codes(await bench.open_round("A-01")) == [(409, "rounds_used_up")]

    certification = await bench.certification("A-01")
    review = f"/v1/certifications/{certification['id']}/review"
    allowed = await bench.lead.post(review, json={"reason": "Trained again."})
    assert (allowed.json()["state"], allowed.json()["rounds_used"]) == ("in_training", 0)
    assert allowed.json()["history"][-1]["reason"] == "Trained again."
    assert (await bench.take_round("A-01"))["round"] == 1
    assert (await bench.certification("A-01"))["state"] == "certified"


async def test_one_decision_that_differs_is_enough_to_fail(app: FastAPI, partner: Partner) -> None:
    """Nine of ten ratings exact, and the tenth turns an award into none."""
    bench = await Bench.set_up(app, partner)
    await bench.enter("A-01")
    sets = [await bench.anchors(4), await bench.anchors(1)]
    opened = (await bench.open_round("A-01", *sets)).json()
    for anchor_id in sets[0]:
        await bench.answer("A-01", opened["id"], anchor_id)
    await bench.answer("A-01", opened["id"], sets[1][0], SHORT)
    result = (await bench.lead.get(f"/v1/anchor-sessions/{opened['id']}")).json()["result"]
    assert (result["exact_percent"], result["shortfalls"]) == ("90.0", ["same_decision"])


async def test_a_round_is_large_enough_and_tells_what_it_does_not_test(bench: Bench) -> None:
    one_set = await bench.open_round("A-01", await bench.anchors(2))
    assert codes(one_set) == [(422, "qualification_too_small")]
    opened = await bench.open_round("A-01", await bench.anchors(1, levels=SHORT), await bench.anchors(1, levels=LOW))
    assert opened.json()["uncovered"] == [
        {"criterion": "problem", "level": "developing"},
        {"criterion": "evidence", "level": "demonstrated"},
    ]


async def test_too_few_ratings_are_refused(app: FastAPI, partner: Partner) -> None:
    asks = {"minimum_ratings": 5}
    policy = SMALL.model_copy(update={"qualification": SMALL.qualification.model_copy(update=asks)})
    bench = await Bench.set_up(app, partner, policy)
    await bench.enter("A-01")
    assert codes(await bench.open_round("A-01")) == [(422, "qualification_too_small")]
    assert (await bench.open_round("A-01", await bench.anchors(2), await bench.anchors(1))).status_code == 201


async def test_anchors_fit_the_session(bench: Bench) -> None:
    world, partner = bench.world, bench.partner
    good = await bench.anchors(1)
    other = await publish(partner.client, achievement_body())
    unfit = [
        await put_anchor(world, partner, "practice"),
        await put_anchor(world, partner, state="retired"),
        await put_anchor(world, partner, state="draft", levels={}),
        await put_anchor(world, partner, achievement_id=other),
    ]
    refused = await bench.open_round("A-01", good, unfit)
    assert codes(refused) == [(422, "anchor_unfit")]
    assert sorted(pointers(refused)) == [f"/sets/1/{i}" for i in range(4)]
    assert codes(await bench.open_round("A-01", good, good)) == [(422, "anchor_unfit")]
    assert codes(await bench.open_round("A-01", good, ["0" * 32])) == [(404, "not_found")]
    body = {**bench.scope, "achievement_id": other, "assessor_id": bench.ids["A-01"], "sets": [good]}
    outside = await bench.lead.post("/v1/qualification-rounds", json=body)
    assert codes(outside) == [(422, "achievement_not_in_program")]


async def test_one_round_at_a_time_and_one_that_was_cancelled(bench: Bench) -> None:
    first = await bench.open_round("A-01")
    assert codes(await bench.open_round("A-01")) == [(409, "round_open")]
    cancel, why = f"/v1/anchor-sessions/{first.json()['id']}/cancel", {"reason": "A mistake."}
    assert (await bench.lead.post(cancel, json=why)).json()["state"] == "closed"
    assert codes(await bench.lead.post(cancel, json=why)) == [(409, "session_state")]
    certification = await bench.certification("A-01")
    assert (certification["state"], certification["rounds_used"]) == ("in_training", 0)

    begun = (await bench.open_round("A-01")).json()
    await bench.answer("A-01", begun["id"], begun["sets"][0][0])
    await bench.lead.post(f"/v1/anchor-sessions/{begun['id']}/cancel", json=why)
    assert (await bench.certification("A-01"))["rounds_used"] == 1
    late = await bench.answer("A-01", begun["id"], begun["sets"][1][0])
    assert codes(late) == [(409, "session_state")]


async def test_nobody_qualifies_themselves(bench: Bench) -> None:
    await bench.enter("L-01", "lead")
    body = {**bench.scope, "assessor_id": bench.ids["L-01"], "sets": [await bench.anchors(1), await bench.anchors(1)]}
    own = await bench.assessors["L-01"].post("/v1/qualification-rounds", json=body)
    assert codes(own) == [(403, "own_certification")]
    assert (await bench.lead.post("/v1/qualification-rounds", json=body)).status_code == 201
    client = await bench.partner.client.post("/v1/qualification-rounds", json=body)
    assessor = await bench.assessors["A-01"].post("/v1/qualification-rounds", json=body)
    assert codes(client, assessor) == [(403, "person_required"), (403, "forbidden")]


# Who may meet which anchor


async def test_no_anchor_is_met_in_two_roles(bench: Bench) -> None:
    """Neither the anchor itself nor another one made of the same submission."""
    world, partner = bench.world, bench.partner
    enrollment, learner = await put_enrollment(world, bench.program)
    source = (await put_submission(world, partner, enrollment, learner)).id
    practiced = await put_anchor(world, partner, "practice", source_submission_id=source)
    sibling = await put_anchor(world, partner, "qualification", source_submission_id=source)
    practice = {**bench.scope, "assessor_id": bench.ids["A-01"], "anchor_ids": [practiced]}
    assert (await bench.lead.post("/v1/practice-sessions", json=practice)).status_code == 201
    again = await bench.lead.post("/v1/practice-sessions", json=practice)
    assert again.status_code == 201, "the same role is no reuse"

    [free] = await bench.anchors(1)
    assert codes(await bench.open_round("A-01", [free], [sibling])) == [(409, "anchor_reused")]
    await bench.enter("A-02")
    assert (await bench.open_round("A-02", [free], [sibling])).status_code == 201
    shown = [(await bench.lead.get(f"/v1/anchors/{each}")).json()["exposures"] for each in (practiced, sibling, free)]
    assert shown == [1, 1, 1]
    practice["assessor_id"] = bench.ids["A-02"]
    assert codes(await bench.lead.post("/v1/practice-sessions", json=practice)) == [(409, "anchor_reused")]


async def test_two_sessions_in_two_roles_at_once(bench: Bench) -> None:
    world, partner = bench.world, bench.partner
    enrollment, learner = await put_enrollment(world, bench.program)
    source = (await put_submission(world, partner, enrollment, learner)).id
    practiced = await put_anchor(world, partner, "practice", source_submission_id=source)
    sibling = await put_anchor(world, partner, "qualification", source_submission_id=source)
    [free] = await bench.anchors(1)
    practice = {**bench.scope, "assessor_id": bench.ids["A-01"], "anchor_ids": [practiced]}
    answers = await asyncio.gather(
        bench.lead.post("/v1/practice-sessions", json=practice), bench.open_round("A-01", [free], [sibling])
    )
    assert sorted(codes(*answers), key=str) == [(201, None), (409, "anchor_reused")]


@pytest.mark.parametrize("tie", ["master", "author", "coach", "screener", "reader"])
async def test_who_knows_an_anchor_does_not_meet_it(bench: Bench, tie: str) -> None:
    world, partner, person_id = bench.world, bench.partner, bench.people["A-01"]
    enrollment, learner = await put_enrollment(world, bench.program)
    source = await put_submission(world, partner, enrollment, learner)
    anchor_id = await put_anchor(world, partner, source_submission_id=source.id)
    [free] = await bench.anchors(1)
    now, issuer_id = world.clock.now(), partner.issuer_id
    if tie == "author":
        async with world.database.transaction() as session:
            (await session.get_one(Person, (issuer_id, person_id))).learner_id = learner.id
    rows: dict[str, Any] = {
        "master": MasterReading(
            issuer_id=issuer_id, anchor_id=anchor_id, person_id=person_id, levels=MET, read_at=now
        ),
        "coach": Affiliation(
            issuer_id=issuer_id, id=new_id(), learner_id=learner.id, person_id=person_id, kind="coach",
            declared_by="test", created_at=now, ended_at=None,
        ),
        "screener": Screening(
            issuer_id=issuer_id, id=new_id(), submission_id=source.id, outcome="accepted", condition_codes=[],
            sealed_note=None, screened_by=f"person:{person_id}", screened_at=now,
        ),
        "reader": Reading(
            issuer_id=issuer_id, id=new_id(), program_id=bench.program_id, submission_id=source.id, kind="first",
            state="started", assessor_id=bench.ids["A-01"], created_at=now, started_at=now, updated_at=now,
        ),
    }  # fmt: skip
    if tie in rows:
        async with world.database.transaction() as session:
            session.add(rows[tie])
    assert codes(await bench.open_round("A-01", [free], [anchor_id])) == [(409, "anchor_known")]
    await bench.enter("A-02")
    assert (await bench.open_round("A-02", [free], [anchor_id])).status_code == 201


# What an assessor sees


async def test_a_round_never_tells_true_scores(bench: Bench) -> None:
    opened = (await bench.open_round("A-01")).json()
    [[first], [second]] = opened["sets"]
    assessor, path = bench.assessors["A-01"], f"/v1/anchor-sessions/{opened['id']}"
    shown = await assessor.get(f"{path}/anchors/{first}")
    assert sorted(shown.json()) == ["anchor_id", "work"]
    assert shown.json()["work"]["parts"][0]["text"] == "The problem and its setting."
    answers = [await bench.answer("A-01", opened["id"], each, SHORT) for each in (first, second)]
    assert [each.json()["true_scores"] for each in answers] == [None, None]
    [own] = (await assessor.get("/v1/me/anchor-sessions")).json()["items"]
    assert [each["true_scores"] for each in own["responses"]] == [None, None]
    assert (own["state"], own["result"]["passed"]) == ("closed", False)
    forbidden = [
        await assessor.get(each) for each in (f"/v1/anchors/{first}", "/v1/anchors", path, "/v1/anchor-sessions")
    ]
    assert codes(*forbidden) == [(403, "forbidden")] * 4
    told = "".join(each.text for each in (shown, *answers)) + str(own)
    assert "masters agreed" not in told


async def test_practice_tells_them_at_once(bench: Bench) -> None:
    [first, second] = await bench.anchors(2, "practice")
    body = {**bench.scope, "assessor_id": bench.ids["A-01"], "anchor_ids": [first, second]}
    opened = await bench.lead.post("/v1/practice-sessions", json=body)
    answer = await bench.answer("A-01", opened.json()["id"], first, LOW)
    truth = {"levels": MET, "rationales": dict.fromkeys(MET, "As the masters agreed.")}
    assert answer.json()["true_scores"] == truth
    [own] = (await bench.assessors["A-01"].get("/v1/me/anchor-sessions")).json()["items"]
    assert own["state"] == "open"
    await bench.answer("A-01", opened.json()["id"], second)
    [own] = (await bench.assessors["A-01"].get("/v1/me/anchor-sessions")).json()["items"]
    assert (own["state"], own["result"]["exact"], own["result"]["non_adjacent"]) == ("closed", 2, 2)
    assert (await bench.certification("A-01"))["state"] == "in_training"


async def test_another_assessors_session_does_not_exist(bench: Bench) -> None:
    await bench.enter("A-02")
    opened = (await bench.open_round("A-01")).json()
    [[first], _] = opened["sets"]
    answers = [
        await bench.assessors["A-02"].get(f"/v1/anchor-sessions/{opened['id']}/anchors/{first}"),
        await bench.answer("A-02", opened["id"], first),
        await bench.assessors["A-01"].get(f"/v1/anchor-sessions/{opened['id']}/anchors/{'0' * 32}"),
    ]
    assert codes(*answers) == [(404, "not_found")] * 3
    assert (await bench.assessors["A-02"].get("/v1/me/anchor-sessions")).json()["items"] == []


async def test_scores_are_given_once_and_of_this_version(bench: Bench) -> None:
    opened = (await bench.open_round("A-01")).json()
    [[first], _] = opened["sets"]
    unknown = await bench.answer("A-01", opened["id"], first, {**MET, "evidence": "excellent"})
    missing = await bench.answer("A-01", opened["id"], first, {"problem": "demonstrated"})
    surplus = await bench.answer("A-01", opened["id"], first, {**MET, "impact": "demonstrated"})
    assert codes(unknown, missing, surplus) == [
        (422, "unknown_level"), (422, "unknown_criterion"), (422, "unknown_criterion")
    ]  # fmt: skip
    assert [pointers(each) for each in (unknown, missing, surplus)] == [
        ["/levels/evidence"], ["/levels/evidence"], ["/levels/impact"]
    ]  # fmt: skip
    assert (await bench.answer("A-01", opened["id"], first)).status_code == 201
    assert codes(await bench.answer("A-01", opened["id"], first, LOW)) == [(409, "already_answered")]


async def test_two_answers_at_once_count_once(bench: Bench) -> None:
    opened = (await bench.open_round("A-01")).json()
    [[first], _] = opened["sets"]
    answers = await asyncio.gather(
        *(bench.answer("A-01", opened["id"], first, levels) for levels in (MET, LOW, MET, LOW))
    )
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    assert {each.json().get("code") for each in answers} == {None, "already_answered"}


async def test_the_last_answers_at_once_close_the_round_once(bench: Bench) -> None:
    opened = (await bench.open_round("A-01")).json()
    answers = await asyncio.gather(*(bench.answer("A-01", opened["id"], each) for [each] in opened["sets"]))
    assert [each.status_code for each in answers] == [201, 201]
    certification = await bench.certification("A-01")
    assert [each["state"] for each in certification["history"]] == ["in_training", "qualifying", "certified"]


async def test_two_rounds_at_once_are_one(bench: Bench) -> None:
    answers = await asyncio.gather(bench.open_round("A-01"), bench.open_round("A-01"))
    assert sorted(codes(*answers), key=str) == [(201, None), (409, "round_open")]
    assert (await bench.certification("A-01"))["rounds_used"] == 1


# Qualifying again


async def test_who_is_certified_stays_so_during_a_round_and_is_on_probation_after_failing(
    bench: Bench, clock: FixedClock
) -> None:
    await bench.take_round("A-01")
    clock.advance(days=300)
    opened = (await bench.open_round("A-01")).json()
    assert (await bench.certification("A-01"))["state"] == "certified"
    for [each] in opened["sets"]:
        await bench.answer("A-01", opened["id"], each, LOW)
    certification = await bench.certification("A-01")
    assert (certification["state"], certification["valid_until"]) == ("probation", "2027-11-23T13:00:00Z")
    await bench.take_round("A-01")
    certification = await bench.certification("A-01")
    assert (certification["state"], certification["valid_until"]) == ("certified", "2028-09-18T13:00:00Z")


@pytest.mark.parametrize("how", ["expired", "suspended"])
async def test_a_new_round_requalifies(app: FastAPI, partner: Partner, clock: FixedClock, how: str) -> None:
    lasts = {"certification_days": 30}
    policy = SMALL.model_copy(update={"qualification": SMALL.qualification.model_copy(update=lasts)})
    bench = await Bench.set_up(app, partner, policy)
    await bench.enter("A-01")
    await bench.take_round("A-01")
    if how == "expired":
        clock.advance(days=30)
    else:
        assert (await bench.decide("A-01", "suspended")).status_code == 200
    assert (await bench.certification("A-01"))["state"] == how
    await bench.take_round("A-01")
    assert (await bench.certification("A-01"))["state"] == "certified"


async def test_a_round_does_not_lift_what_a_lead_decided_meanwhile(bench: Bench) -> None:
    await bench.take_round("A-01")
    opened = (await bench.open_round("A-01")).json()
    assert (await bench.decide("A-01", "suspended")).status_code == 200
    for [each] in opened["sets"]:
        await bench.answer("A-01", opened["id"], each)
    assert (await bench.certification("A-01"))["state"] == "suspended"


async def test_what_is_revoked_stays_so(bench: Bench) -> None:
    await bench.take_round("A-01")
    assert (await bench.decide("A-01", "revoked")).status_code == 200
    assert codes(await bench.open_round("A-01")) == [(409, "certification_state")]
    review = f"/v1/certifications/{(await bench.certification('A-01'))['id']}/review"
    assert codes(await bench.lead.post(review, json={"reason": "Please."})) == [(409, "certification_state")]
