"""What the house tests need of assessors, anchors, certification."""

from typing import Any

from sqlalchemy import select

from app.access.store import PersonSession
from app.assessors.store import Certification, get_public_panel
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Program, ProgramAchievement
from app.resources import Resources
from tests.anchoring import LOW, MET, SMALL, WORK, put_anchor
from tests.assessing import put_enrollment, put_program, put_submission
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.house.areas.stories import Mistakes, Story
from tests.people import make_person

WHY = dict.fromkeys(MET, "Three data sources agree on it.")


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    client: Any = partner.client
    world: Resources = client._transport.app.state.resources
    program_id = await _program_with_achievement(world, partner, known.get("program_id"))
    staff = await _staff_person(world, partner)
    own = await _enter(partner, staff, "S-01")
    person, _ = await make_person(world, partner.issuer_id, "assessor", name="Olive Other")
    other = await _enter(partner, person.id, "S-02")
    anchor_id = await put_anchor(world, partner, "practice")
    opened = {}
    for assessor_id in (other, own):
        body = {"program_id": program_id, "achievement_id": partner.achievement_id, "version": 1}
        made = await partner.staff.post(
            "/v1/practice-sessions", json={**body, "assessor_id": assessor_id, "anchor_ids": [anchor_id]}
        )
        assert made.status_code == 201, made.text
        opened[assessor_id] = made.json()["id"]
    async with world.database.reading() as session:
        of_other = select(Certification.id).where(Certification.assessor_id == other)
        certification_id = (await session.scalars(of_other)).one()
    found = {
        "program_id": program_id, "person_id": staff, "assessor_id": other, "anchor_id": anchor_id,
        "anchor_ids": anchor_id, "sets": anchor_id, "session_id": opened[own], "certification_id": certification_id,
        "source_submission_id": known.get("submission_id") or await _submission(world, partner, program_id),
    }  # fmt: skip
    return found | {name: known[name] for name in ("person_id",) if name in known}


async def _program_with_achievement(world: Resources, partner: Partner, program_id: str | None) -> str:
    if program_id is None:
        return (await put_program(world, partner)).id
    async with world.database.transaction() as session:
        row = (partner.issuer_id, program_id, partner.achievement_id)
        if await session.get(ProgramAchievement, row) is None:
            session.add(
                ProgramAchievement(issuer_id=row[0], program_id=program_id, achievement_id=partner.achievement_id)
            )
    return program_id


async def _staff_person(world: Resources, partner: Partner) -> str:
    session_id = partner.staff.headers["Authorization"].split("_")[1]
    async with world.database.reading() as session:
        return (await session.get_one(PersonSession, session_id)).person_id


async def _enter(partner: Partner, person_id: str, code: str) -> str:
    made = await partner.client.post("/v1/assessors", json={"person_id": person_id, "code": code})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def _submission(world: Resources, partner: Partner, program_id: str) -> str:
    async with world.database.reading() as session:
        program = await session.get_one(Program, (partner.issuer_id, program_id))
    enrollment, learner = await put_enrollment(world, program, name="Sol Source")
    return (await put_submission(world, partner, enrollment, learner)).id


async def examples(story: Story) -> None:
    """One good call of every operation."""
    world, known = story.world, story.known
    async with world.database.reading() as session:
        issuer_id = (await get_public_panel(session, known["panel_id"])).issuer_id
    partner = Partner(story.http, story.http, issuer_id, known["achievement_id"], known["panel_id"])
    program = await put_program(world, partner, SMALL)
    _, lead_token = await make_person(world, issuer_id, "lead", name="Lee Lead")
    person, token = await make_person(world, issuer_id, "assessor", name="Ana Assessor")
    story.token = story.client
    assessor = await story.call("create_assessor", body={"person_id": person.id, "code": "A-01", "school": "school-12"})
    of = {"assessor_id": assessor["id"]}
    await story.call("change_assessor", body={"school": "school-31"}, **of)
    await story.call(
        "record_training", body={"module": "bias-and-fairness", "completed_at": "2026-01-15T16:00:00Z"}, **of
    )
    await story.call("list_assessors")
    await story.call("get_assessor", **of)

    scope = {"achievement_id": partner.achievement_id, "version": 2}
    anchor = await story.call(
        "create_anchor", body={**scope, "role": "qualification", "external_id": "anchor-7", "content": WORK}
    )
    of_anchor = {"anchor_id": anchor["id"]}
    tokens = [lead_token, *[(await make_person(world, issuer_id, "lead", name=f"Master {i}"))[1] for i in (1, 2)]]
    for story.token in tokens:
        await story.call("give_master_reading", body={"levels": MET}, **of_anchor)
    await story.call("reconcile_anchor", body={"levels": MET, "rationales": WHY}, **of_anchor)
    await story.call("list_anchors")
    await story.call("get_anchor", **of_anchor)
    second = await put_anchor(world, partner, version=2)
    practice, discussed = [await put_anchor(world, partner, role, version=2) for role in ("practice", "calibration")]

    scope["program_id"] = program.id
    story.token = lead_token
    opened = await story.call("open_practice", body={**scope, **of, "anchor_ids": [practice]})
    await story.call("cancel_anchor_session", body={"reason": "Opened too early."}, session_id=opened["id"])
    opened = await story.call("open_qualification_round", body={**scope, **of, "sets": [[anchor["id"]], [second]]})
    story.token = token
    for anchor_id in (anchor["id"], second):
        place = {"session_id": opened["id"], "anchor_id": anchor_id}
        await story.call("get_anchor_to_score", **place)
        await story.call("answer_anchor", body={"levels": MET}, **place)
    story.token = lead_token
    calibration = await story.call("open_calibration", body={**scope, "anchor_ids": [discussed]})
    place = {"session_id": calibration["id"], "anchor_id": discussed}
    story.token = token
    await story.call("answer_anchor", body={"levels": MET}, **place)
    story.token = lead_token
    await story.call("begin_calibration_discussion", session_id=calibration["id"])
    story.token = token
    await story.call("answer_anchor", body={"levels": MET}, **place)
    await story.call("list_own_anchor_sessions")
    story.token = lead_token
    await story.call("close_calibration", session_id=calibration["id"])
    await story.call("list_anchor_sessions")
    await story.call("get_anchor_session", session_id=calibration["id"])
    [certification] = (await story.call("list_certifications"))["items"]
    of_certification = {"certification_id": certification["id"]}
    await story.call("get_certification", **of_certification)
    why = "Severe on the criterion evidence; every reading is read twice for four weeks."
    await story.call("decide_certification_state", body={"state": "probation", "reason": why}, **of_certification)
    await story.call("allow_more_rounds", body={"reason": "Trained again."}, **of_certification)
    await story.call("retire_anchor", **of_anchor)


async def mistakes(made: Mistakes) -> None:
    """One request for every problem that somebody can make by themselves."""
    world, panel_id = made.world, await made.panel()
    achievement_id = await publish(made.client, achievement_body())
    async with world.database.reading() as session:
        issuer_id = (await get_public_panel(session, panel_id)).issuer_id
    partner = Partner(made.client, made.staff, issuer_id, achievement_id, panel_id)
    policy = ScoringPolicyBody.model_validate(
        {"qualification": {"minimum_ratings": 4, "rounds": 1, "training_modules": ["rubric"]}}
    )
    program = await put_program(world, partner, policy)
    scope = {"program_id": program.id, "achievement_id": achievement_id, "version": 1}
    assessor_id = await _mistake_assessors(made, issuer_id)
    await _mistake_anchors(made, partner)
    await _mistake_rounds(made, partner, {**scope, "assessor_id": assessor_id})


async def _mistake_assessors(made: Mistakes, issuer_id: str) -> str:
    """The id of the assessor who was entered along the way."""
    learner, _ = await make_person(made.world, issuer_id, "learner", name="Lou Learner")
    lacking = {"person_id": learner.id, "code": "A-01"}
    await made.make("person_lacks_role", "POST", "/v1/assessors", json=lacking)
    person, _ = await make_person(made.world, issuer_id, "assessor", name="Abe Assessor")
    entered = {"person_id": person.id, "code": "A-01"}
    assessor = (await made.client.post("/v1/assessors", json=entered)).json()
    await made.make("assessor_taken", "POST", "/v1/assessors", json=entered)
    trainings = f"/v1/assessors/{assessor['id']}/trainings"
    early = {"module": "rubric", "completed_at": "2999-01-01T00:00:00Z"}
    await made.make("training_in_future", "POST", trainings, json=early)
    await made.make("not_an_assessor", "GET", "/v1/me/anchor-sessions", as_person=True)
    return str(assessor["id"])


async def _mistake_anchors(made: Mistakes, partner: Partner) -> None:
    body = {"achievement_id": partner.achievement_id, "version": 1, "role": "practice", "content": WORK}
    anchor = f"/v1/anchors/{(await made.client.post('/v1/anchors', json=body)).json()['id']}"
    read = f"{anchor}/master-readings"
    excellent = {"levels": {**MET, "evidence": "excellent"}}
    await made.make("unknown_level", "POST", read, as_person=True, json=excellent)
    half = {"levels": {"problem": "demonstrated"}}
    await made.make("unknown_criterion", "POST", read, as_person=True, json=half)
    assert (await made.staff.post(read, json={"levels": MET})).status_code == 201
    await made.make("master_reading_given", "POST", read, as_person=True, json={"levels": LOW})
    settled = {"levels": MET, "rationales": WHY}
    await made.make("anchor_needs_masters", "POST", f"{anchor}/reconcile", as_person=True, json=settled)
    assert (await made.client.post(f"{anchor}/retire")).status_code == 200
    await made.make("anchor_state", "POST", f"{anchor}/reconcile", as_person=True, json=settled)


async def _mistake_rounds(made: Mistakes, partner: Partner, scope: dict[str, Any]) -> None:
    rounds, world = "/v1/qualification-rounds", made.world
    [one, two] = [await put_anchor(world, partner) for _ in range(2)]
    assessor_id = scope["assessor_id"]
    body = {**scope, "sets": [[one], [two]]}
    await made.make("qualification_too_small", "POST", rounds, as_person=True, json={**body, "sets": [[one]]})
    await made.make("training_incomplete", "POST", rounds, as_person=True, json=body)
    done = {"module": "rubric", "completed_at": "2026-01-15T16:00:00Z"}
    trainings = f"/v1/assessors/{assessor_id}/trainings"
    assert (await made.client.post(trainings, json=done)).status_code == 201
    await made.make("training_recorded", "POST", trainings, json=done)
    other = await publish(made.client, achievement_body())
    outside = {**body, "achievement_id": other}
    await made.make("achievement_not_in_program", "POST", rounds, as_person=True, json=outside)
    practice = {**scope, "anchor_ids": [one]}
    await made.make("anchor_unfit", "POST", "/v1/practice-sessions", as_person=True, json=practice)
    opened = await made.staff.post(rounds, json=body)
    assert opened.status_code == 201, opened.text
    await made.make("round_open", "POST", rounds, as_person=True, json=body)
    session = f"/v1/anchor-sessions/{opened.json()['id']}"
    why = {"reason": "Opened for the wrong version."}
    assert (await made.staff.post(f"{session}/cancel", json=why)).status_code == 200
    await made.make("session_state", "POST", f"{session}/cancel", as_person=True, json=why)
    certified = (await made.client.get("/v1/certifications")).json()["items"]
    [mine] = [each["id"] for each in certified if each["assessor_id"] == assessor_id]
    state = {"state": "certified", "reason": "Reads well."}
    await made.make("certification_state", "POST", f"/v1/certifications/{mine}/state", as_person=True, json=state)
