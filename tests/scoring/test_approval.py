"""The decision of our own workflow: assessors recommend, an approver decides."""

import asyncio
import json

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.identifiers import new_id
from app.learners.recipients import open_key
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Affiliation
from app.readings.store import Reading, list_readings
from app.submissions.store import Submission
from tests.assessing import put_assessor, put_enrollment, put_submission
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.issuing import (
    count_rows,
    decided,
    failures,
    list_all_events,
    pointers,
    record,
    require_verifies,
    verify,
    world_of,
)
from tests.people import open_person
from tests.scoring.judging import (
    MET,
    SHORT,
    another_case,
    find_submission,
    open_case,
    put_artifact,
    put_read,
)

GROW = {"evidence": "Measure the change against a baseline."}


async def test_an_award_is_decided_and_its_badge_names_the_panel_alone(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    answer = await case.decided()
    assert (answer["origin"], answer["submission_id"], answer["policy_version"]) == ("workflow", case.submission.id, 1)
    assert answer["assessors"] == [case.assessor.code]
    badge = answer["credential"]["document"]
    await require_verifies(case.world, badge)
    assert badge["credentialSubject"]["source"]["name"] == "Academy assessors"
    submission = await find_submission(case)
    assert (submission.state, submission.decided_at) == ("decided", case.world.clock.now())
    assert submission.met == [[key, level, answer["id"]] for key, level in MET.items()]
    types = [event.type for event in await list_all_events(case.world, partner.issuer_id)][-4:]
    assert types == ["decision.recorded", "submission.decided", "decision.released", "credential.issued"]


async def test_a_refusal_gives_feedback_on_what_was_not_met(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner, SHORT)
    refused = await case.decide("not_yet")
    assert (refused.status_code, refused.json()["code"], pointers(refused)) == (
        422, "feedback_required", ["/feedback/evidence"],
    )  # fmt: skip
    assert (await case.decide("not_yet", feedback={"nothing": "?"})).json()["code"] == "unknown_reference"
    answer = await case.decided("not_yet", feedback=GROW, note="Close.")
    assert (answer["credential"], answer["details"]["feedback"], answer["details"]["note"]) == (None, GROW, "Close.")
    assert (await find_submission(case)).met == [["problem", "demonstrated", answer["id"]]]


async def test_the_readers_feedback_will_do(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner, SHORT)
    await put_read(case, SHORT, feedback=GROW, assessor=(await put_assessor(case.world, partner, "A-02"))[0])
    assert (await case.decided("not_yet"))["details"]["feedback"] == GROW


@pytest.mark.parametrize(("levels", "outcome"), [(MET, "not_yet"), (SHORT, "awarded")])
async def test_an_approver_confirms_what_the_rule_gives_and_nothing_else(
    app: FastAPI, partner: Partner, levels: dict[str, str], outcome: str
) -> None:
    case = await open_case(app, partner, levels)
    refused = await case.decide(outcome, feedback=GROW)
    assert (refused.status_code, refused.json()["code"], pointers(refused)) == (
        422, "outcome_against_rule", ["/outcome"],
    )  # fmt: skip
    assert (await count_rows(case.world))["decision"] == 0


async def test_an_unresolved_submission_is_not_decided(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    for state in ("accepted", "scoring", "withdrawn", "on_hold", "void"):
        async with case.world.database.transaction() as session:
            (await session.get_one(Submission, (partner.issuer_id, case.submission.id))).state = state
        assert (await case.decide()).json()["code"] == "submission_not_resolved", state
    async with case.world.database.transaction() as session:
        (await session.get_one(Submission, (partner.issuer_id, case.submission.id))).state = "resolved"
    await case.decided()
    assert (await case.decide()).json()["code"] == "submission_not_resolved"


async def test_a_decision_waits_for_an_open_reading(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    now = case.world.clock.now()
    reading = Reading(
        issuer_id=partner.issuer_id, id=new_id(), program_id=case.program.id, submission_id=case.submission.id,
        kind="second_random", trigger=None, state="open", created_at=now, updated_at=now,
    )  # fmt: skip
    async with case.world.database.transaction() as session:
        session.add(reading)
    for state in ("open", "assigned", "started"):
        async with case.world.database.transaction() as session:
            (await session.get_one(Reading, (partner.issuer_id, reading.id))).state = state
        refused = await case.decide()
        assert (refused.status_code, refused.json()["code"]) == (409, "reading_open"), state
    async with case.world.database.transaction() as session:
        (await session.get_one(Reading, (partner.issuer_id, reading.id))).state = "cancelled"
    await case.decided()


async def test_who_read_does_not_decide_unless_the_policy_says_so(app: FastAPI, partner: Partner) -> None:
    for name, policy, status in (
        ("Ada Example", ScoringPolicyBody(), 403),
        ("Eva Example", ScoringPolicyBody(assessor_may_approve=True), 201),
    ):
        case = await open_case(app, partner, policy=policy, name=name)
        person_id, approver = await open_person(app, partner.issuer_id, "approver", "assessor", name=f"Both {name}")
        assessor, _, _ = await put_assessor(case.world, partner, f"B-{name[:3]}")
        async with case.world.database.transaction() as session:
            (await session.get_one(type(assessor), (partner.issuer_id, assessor.id))).person_id = person_id
        await put_read(case, MET, kind="adjudication", assessor=assessor)
        answer = await approver.post(f"{case.path}/decision", json={"outcome": "awarded"})
        assert answer.status_code == status, answer.text
        if status == 403:
            assert answer.json()["code"] == "approver_is_assessor"
            assert (await approver.get(f"{case.path}/recommendation")).json()["code"] == "approver_is_assessor"


async def test_who_is_close_to_the_learner_does_not_decide(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    coach_id, coach = await open_person(app, partner.issuer_id, "approver", name="Coach Example")
    now = case.world.clock.now()
    affiliation = Affiliation(
        issuer_id=partner.issuer_id, id=new_id(), learner_id=case.learner.id, person_id=coach_id, kind="coach",
        declared_by="test", created_at=now, ended_at=None,
    )  # fmt: skip
    async with case.world.database.transaction() as session:
        session.add(affiliation)
    _, own = await open_person(
        app, partner.issuer_id, "approver", "learner", name="Ada Approver", learner_id=case.learner.id
    )
    for client in (coach, own):
        refused = await client.post(f"{case.path}/decision", json={"outcome": "awarded"})
        assert (refused.status_code, refused.json()["code"]) == (403, "approver_conflict")
        assert (await client.post(f"{case.path}/return", json={"reason": "No."})).json()["code"] == "approver_conflict"
    async with case.world.database.transaction() as session:
        (await session.get_one(Affiliation, (partner.issuer_id, affiliation.id))).ended_at = now
    assert (await coach.post(f"{case.path}/decision", json={"outcome": "awarded"})).status_code == 201


async def test_only_a_person_who_approves_decides(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    refused = await partner.client.post(f"{case.path}/decision", json={"outcome": "awarded"})
    assert (refused.status_code, refused.json()["code"]) == (403, "person_required")
    _, lead = await open_person(app, partner.issuer_id, "lead", "assessor", "director", name="Lead Example")
    assert (await lead.post(f"{case.path}/decision", json={"outcome": "awarded"})).status_code == 403


async def test_of_two_approvers_at_once_one_decides(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    _, second = await open_person(app, partner.issuer_id, "approver", name="Second Approver")
    answers = await asyncio.gather(
        *(client.post(f"{case.path}/decision", json={"outcome": "awarded"}) for client in (case.approver, second) * 3)
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"submission_not_resolved"}
    counts = await count_rows(case.world)
    assert (counts["decision"], counts["award"], counts["edition"]) == (1, 1, 1)


async def test_deciding_and_returning_at_once_is_one_of_them(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    _, second = await open_person(app, partner.issuer_id, "approver", name="Second Approver")
    answers = await asyncio.gather(
        case.decide(), second.post(f"{case.path}/return", json={"reason": "The rationale is thin."})
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_a_repeated_request_gets_the_first_answer(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    case.approver.headers["Idempotency-Key"] = "once"
    first, again = await case.decide(), await case.decide()
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (await count_rows(case.world))["decision"] == 1


async def test_a_returned_submission_is_read_again_and_then_decided(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    returned = await case.approver.post(f"{case.path}/return", json={"reason": "The rationale is thin."})
    assert returned.json() == {"submission_id": case.submission.id, "state": "scoring"}
    submission = await find_submission(case)
    assert (submission.state, submission.resolved_at) == ("scoring", None)
    async with case.world.database.reading() as session:
        readings = await list_readings(session, partner.issuer_id, case.submission.id)
    assert [(each.kind, each.trigger, each.state) for each in readings if each.kind == "adjudication"] == [
        ("adjudication", "returned", "open")
    ]
    assert (await case.decide()).json()["code"] == "reading_open"
    lead, _, _ = await put_assessor(case.world, partner, "L-01")
    await put_read(case, SHORT, kind="adjudication", assessor=lead, method="expert_judgment", feedback=GROW)
    assert (await case.decided("not_yet"))["assessors"] == ["L-01"]


async def test_the_learner_reads_feedback_from_the_decision_on(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner, SHORT)
    _, own = await open_person(app, partner.issuer_id, "learner", name="Ada Herself", learner_id=case.learner.id)
    _, eva = await put_enrollment(case.world, case.program, name="Eva Example")
    _, other = await open_person(app, partner.issuer_id, "learner", name="Eva Else", learner_id=eva.id)
    assert (await own.get(f"{case.path}/feedback")).status_code == 404
    answer = await case.decided("not_yet", feedback=GROW, note="Only for us.")
    told = await own.get(f"{case.path}/feedback")
    assert told.json()["criteria"][1] == {
        "criterion": "evidence", "level": "developing", "met": False, "rationale": "Why evidence is at developing.",
        "feedback": GROW["evidence"],
    }  # fmt: skip
    assert (told.json()["decision_id"], "Only for us" in told.text) == (answer["id"], False)
    assert (await other.get(f"{case.path}/feedback")).status_code == 404
    assert (await partner.client.get(f"{case.path}/feedback")).json() == told.json()


async def test_the_approver_sees_what_is_recommended(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner, SHORT)
    shown = (await case.approver.get(f"{case.path}/recommendation")).json()
    assert (shown["outcome"], shown["method"]) == ("not_yet", "single_reading")
    assert [each["met"] for each in shown["criteria"]] == [True, False]


async def test_an_approver_finds_what_waits_for_a_decision(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    await put_submission(case.world, partner, *await put_enrollment(case.world, case.program, name="Eva Example"))
    waiting = "/v1/recommendations/waiting"
    [found] = (await case.approver.get(waiting)).json()["items"]
    assert found == {
        "submission_id": case.submission.id, "program_id": case.program.id, "version": 1,
        "achievement_id": partner.achievement_id, "resolved_at": "2026-11-23T13:00:00Z",
    }  # fmt: skip
    _, own = await open_person(
        app, partner.issuer_id, "approver", "learner", name="Ada Herself", learner_id=case.learner.id
    )
    assert (await own.get(waiting)).json()["items"] == []
    assert (await partner.client.get(waiting)).json()["code"] == "person_required"
    _, lead = await open_person(app, partner.issuer_id, "lead", "assessor", name="Lee Lead")
    assert (await lead.get(waiting)).status_code == 403
    await case.decided()
    assert (await case.approver.get(waiting)).json()["items"] == []


async def test_nothing_of_the_readings_is_in_the_badge(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """A second attempt, adjudicated: the badge tells the levels, the panel and what the learner wants to be seen."""
    first = await open_case(app, partner, SHORT)
    refused = await first.decided("not_yet", feedback=GROW, note="A note of the approver.")
    clock.advance(days=10)
    case = await another_case(first, MET, banked=[["problem", "demonstrated", refused["id"]]])
    lead, person, _ = await put_assessor(case.world, partner, "L-01")
    resolution = await put_read(case, MET, kind="adjudication", assessor=lead, method="expert_judgment")
    artifact = await put_artifact(case, "The audit", consent=True, url="https://evidence.example.org/17")
    await put_artifact(case, "The pupils", consent=False)
    await put_artifact(case, "The plan", consent=True)
    answer = await case.decided()
    badge = answer["credential"]["document"]
    await require_verifies(case.world, badge)
    assert sorted(piece["name"] for piece in badge["evidence"]) == ["The audit", "The plan"]
    assert all("digestMultibase" in piece or "digestSRI" in piece for piece in badge["evidence"])
    text = json.dumps(badge).lower()
    async with case.world.database.reading() as session:
        readings = (await session.scalars(select(Reading))).all()
    secret = [
        "attempt", "adjudicat", "reading\"", "recommend", "rationale", "approver", case.assessor.code, lead.code, person.id,
        case.submission.id, first.submission.id, refused["id"], answer["id"], artifact.id, case.enrollment.id,
        *resolution.reading_ids, *(each.id for each in readings), "the pupils", "a note of", GROW["evidence"],
    ]  # fmt: skip
    assert [each for each in secret if each.lower() in text] == []
    assert (await find_submission(case)).met[0] == ["problem", "demonstrated", refused["id"]]


async def test_a_badge_says_how_it_was_assessed_where_the_panel_does_not(app: FastAPI, partner: Partner) -> None:
    made = await partner.client.post("/v1/panels", json={"name": "Assessors", "members": ["A-01", "A-02"]})
    case = await open_case(app, replace_panel(partner, made.json()["id"]))
    source = (await case.decided())["credential"]["document"]["credentialSubject"]["source"]
    assert source["description"] == "2 certified assessors, blind readings"
    partners_own = (await decided(case.partner))["credential"]["document"]["credentialSubject"]["source"]
    assert "description" not in partners_own


def replace_panel(partner: Partner, panel_id: str) -> Partner:
    return Partner(partner.client, partner.staff, partner.issuer_id, partner.achievement_id, panel_id)


async def test_a_partners_decision_names_the_partner(app: FastAPI, partner: Partner) -> None:
    organization = {"name": "State Department of Education", "url": "https://education.example.gov"}
    for given in (organization, {"name": "The district"}):
        made = await partner.client.post(
            "/v1/panels", json={"name": "Their assessors", "members": ["A-01"], "organization": given}
        )
        assert made.json()["organization"] == {"url": None, **given}
        answer = await decided(
            replace_panel(partner, made.json()["id"]), recipient={"email": f"{len(given)}@example.org"}
        )
        assert (answer["origin"], answer["submission_id"]) == ("partner", None)
        badge = answer["credential"]["document"]
        parent = badge["credentialSubject"]["source"]["parentOrg"]
        assert (parent["name"], parent.get("url")) == (given["name"], given.get("url"))
        await require_verifies(world_of(app), badge)
        parent["name"] = "Somebody else"
        assert failures(await verify(world_of(app), badge)) == ["signature_invalid"]


async def test_another_award_extends_the_badge_and_makes_no_second_one(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    case = await open_case(app, partner)
    first = await case.decided()
    clock.advance(days=300)
    later = await another_case(case)
    second = await later.decided()
    assert second["renews"] == first["id"]
    assert second["credential"]["document"]["id"] == first["credential"]["document"]["id"]
    assert (await count_rows(case.world))["credential"] == 1


async def test_a_partners_system_does_not_amend_what_was_decided_here(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    answer = await case.decided()
    for query in ("", "?dry_run=true"):
        refused = await record(
            partner,
            query=query,
            supersedes=answer["id"],
            reason="We think so.",
            recipient=None,
            learner_id=case.learner.id,
        )
        assert (refused.status_code, refused.json()["code"]) == (409, "decision_of_workflow")


async def test_the_decision_of_a_version_retired_meanwhile_is_made_all_the_same(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    versions = f"/v1/achievements/{partner.achievement_id}/versions"
    assert (await partner.client.post(f"{versions}/1/retire")).status_code == 200
    assert (await case.decided())["version"] == 1


async def test_a_consented_narrative_and_role_are_in_the_badge(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    statement = {
        "parts": {"reflection": "I would begin earlier."},
        "context": {"role": "Principal"},
        "narrative_consent": True,
    }
    async with case.world.database.transaction() as session:
        found = await session.get_one(Submission, (partner.issuer_id, case.submission.id))
        found.sealed_statement = open_key(case.world.vault, case.learner).seal(
            json.dumps(statement).encode(), table="submission", row=found.id, column="sealed_statement"
        )
    subject = (await case.decided())["credential"]["document"]["credentialSubject"]
    assert (subject["narrative"], subject["role"]) == ("I would begin earlier.", "Principal")
