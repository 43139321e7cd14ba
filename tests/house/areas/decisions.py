"""What the house tests need of approval, appeals, moderation."""

from typing import Any, cast

from sqlalchemy import select

from app.access.store import PersonRole
from app.assessors.store import Assessor, find_assessor_of_person, get_public_panel
from app.identifiers import new_id
from app.programs.store import Affiliation
from app.readings.store import list_readings
from app.resources import Resources
from tests.assessing import put_assessor, put_enrollment, put_program, put_submission
from tests.builders import achievement_body, decision_body
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.house.areas.stories import Mistakes, Story
from tests.people import make_person
from tests.scoring.judging import MET, SHORT, Case, another_case, open_case, put_read, put_reading

GROW = {"evidence": "Measure the change against a baseline from before it began."}


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    application = cast(Any, partner.client)._transport.app
    appealed = await open_case(application, partner, SHORT, name="Appealing Example")
    moderated = await open_case(application, partner, SHORT, name="Moderated Example", program_id=appealed.program.id)
    decisions = [await case.decided("not_yet", feedback=GROW) for case in (appealed, moderated)]
    await open_case(application, partner, SHORT, name="Waiting Example", program_id=appealed.program.id)
    appeal = await partner.client.post("/v1/appeals", json={"decision_id": decisions[0]["id"], "grounds": "Page 2."})
    assert appeal.status_code == 201, appeal.text
    moderation = await partner.staff.post("/v1/moderations", json=_batch(appealed, decisions[1]["id"]))
    assert moderation.status_code == 201, moderation.text
    return {
        "program_id": appealed.program.id,
        **known,
        "submission_id": moderated.submission.id,
        "decision_id": decisions[1]["id"],
        "appeal_id": appeal.json()["id"],
        "moderation_id": moderation.json()["id"],
    }


async def examples(story: Story) -> None:
    """One good call of every operation."""
    known = story.known
    partner = Partner(story.http, story.http, known["issuer_id"], known["achievement_id"], known["panel_id"])
    _, approver = await make_person(story.world, partner.issuer_id, "approver", name="First Approver")
    returned = await _put_case(story.world, partner, "Grace Example", SHORT, version=2)
    case = await _put_case(story.world, partner, "Mary Example", SHORT, version=2)
    story.token = approver
    await story.call(
        "return_submission", submission_id=returned.submission.id, body={"reason": "The rationale is thin."}
    )
    await story.call("get_return", submission_id=returned.submission.id)
    here = {"submission_id": case.submission.id}
    await story.call("list_waiting_recommendations")
    await story.call("get_recommendation", **here)
    body = {"outcome": "not_yet", "feedback": GROW}
    refusal = await story.call("decide_submission", body=body, **here)
    story.token = story.client
    await story.call("get_feedback", **here)
    grounds = {"decision_id": refusal["id"], "grounds": "The baseline is on page 2 of the audit."}
    appeal = await story.call("file_appeal", body=grounds)
    cast(FixedClock, story.world.clock).advance(seconds=2)
    await put_read(case, MET, kind="appeal", assessor=await _lead(case), method="expert_judgment")
    story.token = story.staff
    answer = {"outcome": "changed", "answer": "Read again by somebody new: the baseline is there."}
    done = await story.call("decide_appeal", appeal_id=appeal["id"], body=answer)
    story.token = story.client
    await story.call("get_appeal", appeal_id=appeal["id"])
    await story.call("list_appeals")
    story.token = story.staff
    batch = _batch(case, done["new_decision_id"])
    moderation = await story.call("open_moderation", body=batch)
    await put_read(case, MET, kind="moderation", assessor=await _lead(case), method="expert_judgment")
    there = {"moderation_id": moderation["id"]}
    reviewed = {"outcome": "confirmed"}
    await story.call("review_decision", decision_id=done["new_decision_id"], body=reviewed, **there)
    await story.call("get_moderation", **there)
    await story.call("list_moderations")
    other = await _put_case(story.world, partner, "Joan Example", SHORT, version=2)
    refusal = await story.call("decide_submission", body=body, submission_id=other.submission.id)
    appeal = await story.call("file_appeal", body={**grounds, "decision_id": refusal["id"]})
    reason = {"reason": "The grounds concern another program."}
    await story.call("declare_appeal_inadmissible", appeal_id=appeal["id"], body=reason)
    story.token = story.client


async def mistakes(made: Mistakes) -> None:
    """One request for every problem that somebody can make by themselves."""
    panel_id = await made.panel()
    achievement_id = await publish(made.client, achievement_body())
    async with made.world.database.reading() as session:
        issuer_id = (await get_public_panel(session, panel_id)).issuer_id
        # Only whoever has every role recognizes.
        role = select(PersonRole.person_id).where(PersonRole.issuer_id == issuer_id, PersonRole.role == "recognizer")
        staff_id = (await session.scalars(role)).one()
    partner = Partner(made.client, made.staff, issuer_id, achievement_id, panel_id)
    refused = {"outcome": "not_yet", "feedback": GROW}
    await _mistake_approvals(made, partner, staff_id, refused)
    await _mistake_appeals(made, partner, refused)


async def _mistake_approvals(made: Mistakes, partner: Partner, staff_id: str, refused: dict[str, Any]) -> None:
    case = await _put_case(made.world, partner, "Grace Example", SHORT)
    decide = f"{case.path}/decision"
    await made.make("feedback_required", "POST", decide, as_person=True, json={"outcome": "not_yet"})
    now = made.world.clock.now()
    affiliation = Affiliation(
        issuer_id=partner.issuer_id, id=new_id(), learner_id=case.learner.id, person_id=staff_id, kind="coach",
        declared_by="example", created_at=now, ended_at=None,
    )  # fmt: skip
    async with made.world.database.transaction() as session:
        session.add(affiliation)
    await made.make("approver_conflict", "POST", decide, as_person=True, json=refused)
    spare, _ = await make_person(made.world, partner.issuer_id, "assessor", name="Spare Example")
    async with made.world.database.transaction() as session:
        (await session.get_one(Affiliation, (partner.issuer_id, affiliation.id))).ended_at = now
        entered = await find_assessor_of_person(session, partner.issuer_id, staff_id)
        if entered is not None:
            entered.person_id = spare.id
            await session.flush()
        assessor = await session.get_one(Assessor, (partner.issuer_id, case.assessor.id))
        own, assessor.person_id = assessor.person_id, staff_id
    await made.make("approver_is_assessor", "POST", decide, as_person=True, json=refused)
    await made.make("reader_stays_blind", "GET", f"{case.path}/return", as_person=True)
    async with made.world.database.transaction() as session:
        (await session.get_one(Assessor, (partner.issuer_id, case.assessor.id))).person_id = own
        await session.flush()
        if entered is not None:
            (await session.get_one(Assessor, (partner.issuer_id, entered.id))).person_id = staff_id
    await made.staff.post(f"{case.path}/return", json={"reason": "The rationale is thin."})
    await made.make("reading_open", "POST", decide, as_person=True, json=refused)
    await put_read(case, SHORT, kind="adjudication", assessor=await _lead(case))
    decision = (await made.staff.post(decide, json=refused)).json()
    await made.make("submission_not_resolved", "POST", decide, as_person=True, json=refused)
    body = decision_body(partner.achievement_id, partner.panel_id, supersedes=decision["id"], reason="We think so.")
    await made.make("decision_of_workflow", "POST", "/v1/decisions", json=body)
    award = (
        await made.client.post("/v1/decisions", json=decision_body(partner.achievement_id, partner.panel_id))
    ).json()
    ours = {"supersedes": award["id"], "reason": "Never read twice.", "reason_code": "missed_second_reading"}
    lower = decision_body(partner.achievement_id, partner.panel_id, outcome="not_yet", **ours)
    await made.make("hold_harmless", "POST", "/v1/decisions", json=lower)
    grounds = {"decision_id": award["id"], "grounds": "The baseline is on page 2."}
    await made.make("not_appealable", "POST", "/v1/appeals", json=grounds)
    batch = _batch(case, award["id"])
    await made.make("decision_not_of_program", "POST", "/v1/moderations", as_person=True, json=batch)


async def _mistake_appeals(made: Mistakes, partner: Partner, refused: dict[str, Any]) -> None:
    case = await _put_case(made.world, partner, "Mary Example", SHORT)
    decision = (await made.staff.post(f"{case.path}/decision", json=refused)).json()
    grounds = {"decision_id": decision["id"], "grounds": "The baseline is on page 2."}
    appeal = f"/v1/appeals/{(await made.client.post('/v1/appeals', json=grounds)).json()['id']}"
    await made.make("appeal_exists", "POST", "/v1/appeals", json=grounds)
    batch = _batch(case, decision["id"])
    await made.make("decision_under_review", "POST", "/v1/moderations", as_person=True, json=batch)
    changed = {"outcome": "changed", "answer": "The baseline is there."}
    await made.make("approver_not_new", "POST", f"{appeal}/decision", as_person=True, json=changed)
    await put_reading(case, MET, kind="appeal", assessor=await _lead(case))
    reason = {"reason": "The grounds concern another program."}
    await made.make("appeal_reading_started", "POST", f"{appeal}/inadmissible", as_person=True, json=reason)

    other = await _put_case(made.world, partner, "Joan Example", SHORT)
    decision = (await made.staff.post(f"{other.path}/decision", json=refused)).json()
    batch = _batch(other, decision["id"])
    moderation = (await made.staff.post("/v1/moderations", json=batch)).json()
    review = f"/v1/moderations/{moderation['id']}/decisions/{decision['id']}"
    confirmed = {"outcome": "confirmed"}
    await made.make("not_read_again", "POST", review, as_person=True, json=confirmed)
    await put_read(other, SHORT, kind="moderation", assessor=await _lead(other))
    await made.staff.post(review, json=confirmed)
    await made.make("moderation_item_done", "POST", review, as_person=True, json=confirmed)

    grounds = {"decision_id": decision["id"], "grounds": "The baseline is on page 2."}
    appeal = f"/v1/appeals/{(await made.client.post('/v1/appeals', json=grounds)).json()['id']}"
    await made.staff.post(f"{appeal}/inadmissible", json=reason)
    await made.make("appeal_closed", "POST", f"{appeal}/inadmissible", as_person=True, json=reason)

    third = await _put_case(made.world, partner, "Ruth Example", SHORT)
    _, approver = await make_person(made.world, partner.issuer_id, "approver", name="Second Approver")
    first = {"Authorization": f"Bearer {approver}"}
    decision = (await made.client.post(f"{third.path}/decision", json=refused, headers=first)).json()
    grounds = {"decision_id": decision["id"], "grounds": "The baseline is on page 2."}
    appeal = f"/v1/appeals/{(await made.client.post('/v1/appeals', json=grounds)).json()['id']}"
    later = await another_case(third)
    await made.staff.post(f"{later.path}/decision", json={"outcome": "awarded"})
    await put_read(third, MET, kind="appeal", assessor=await _lead(third))
    await made.make("already_awarded", "POST", f"{appeal}/decision", as_person=True, json=changed)

    late = await _put_case(made.world, partner, "Edith Example", SHORT)
    decision = (await made.staff.post(f"{late.path}/decision", json=refused)).json()
    cast(FixedClock, made.world.clock).advance(days=31)
    grounds = {"decision_id": decision["id"], "grounds": "The baseline is on page 2."}
    await made.make("appeal_too_late", "POST", "/v1/appeals", json=grounds)


def _batch(case: Case, decision_id: str) -> dict[str, Any]:
    return {
        "program_id": case.program.id,
        "decision_ids": [decision_id],
        "reason_code": "missed_second_reading",
        "note": "The sampler missed a window: these were to be read twice.",
    }


async def _put_case(world: Resources, partner: Partner, name: str, levels: dict[str, str], **columns: Any) -> Case:
    """A submission that was read, and resolved at these levels."""
    program = await put_program(world, partner)
    enrollment, learner = await put_enrollment(world, program, name=name)
    assessor, _, _ = await put_assessor(world, partner, f"R-{name[:4]}")
    submission = await put_submission(world, partner, enrollment, learner, **columns)
    case = Case(cast(Any, None), world, partner, program, enrollment, learner, assessor, submission, partner.staff)
    await put_read(case, levels)
    return case


async def _lead(case: Case) -> Assessor:
    """Somebody new to the submission."""
    async with case.world.database.reading() as session:
        count = len(await list_readings(session, case.partner.issuer_id, case.submission.id))
    return (await put_assessor(case.world, case.partner, f"L-{case.submission.id[:6]}-{count}"))[0]
