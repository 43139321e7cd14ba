"""What the house tests need of monitoring."""

from app.access.store import PersonSession
from app.assessors.store import Assessor, find_assessor_of_person
from app.identifiers import new_id
from app.monitoring.evaluate import evaluate_assessors
from app.monitoring.evidence import compose_evidence
from app.monitoring.figures import measure, measure_beside_others
from app.monitoring.store import RaterFlag
from app.programs.store import Program
from app.resources import Resources
from tests.assessing import put_assessor, put_program
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.house.areas.stories import Mistakes, Story
from tests.monitoring.scene import SEVERE, list_flags, put_session
from tests.people import app_of


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    world: Resources = app_of(partner.client).state.resources
    return {"flag_id": (await _put_flag(world, partner, known["program_id"])).id}


async def _put_flag(world: Resources, partner: Partner, program_id: str, assessor: Assessor | None = None) -> RaterFlag:
    """An open flag about somebody, with evidence of nothing."""
    if assessor is None:
        assessor, _, _ = await put_assessor(world, partner, f"F-{new_id()[:6]}")
    now = world.clock.now()
    evidence = compose_evidence([], [], None, measure_beside_others([]), measure([]), None, {})
    flag = RaterFlag(
        issuer_id=partner.issuer_id, id=new_id(), assessor_id=assessor.id, program_id=program_id,
        achievement_id=partner.achievement_id, version=1, rule="low_agreement", level="watch", quarter="2026Q4",
        evidence=evidence.model_dump(mode="json"), state="open", action=None, reason=None, decided_by=None,
        raised_at=now, decided_at=None, updated_at=now,
    )  # fmt: skip
    async with world.database.transaction() as session:
        session.add(flag)
    return flag


async def examples(story: Story) -> None:
    """Call every operation once."""
    known = story.known
    partner = Partner(story.http, story.http, known["issuer_id"], known["achievement_id"], known["panel_id"])
    program = await put_program(story.world, partner)
    assessor, _, token = await put_assessor(story.world, partner, "A-07")
    await put_session(story.world, partner, program, {assessor.id: [SEVERE] * 13})
    await evaluate_assessors(story.world, partner.issuer_id, program.id)
    one, two = [flag for flag in await list_flags(story.world) if flag.assessor_id == assessor.id]
    story.token = story.staff
    await story.call("list_flags")
    await story.call("get_flag", flag_id=one.id)
    coached = {"action": "coach", "reason": "Severe on the criterion evidence: trained again on two anchors."}
    await story.call("act_on_flag", flag_id=one.id, body=coached)
    why = {"reason": "Two anchors of the set were read again by the masters; the scores were right."}
    await story.call("dismiss_flag", flag_id=two.id, body=why)
    await story.call("report_assessors", program_id=program.id)
    story.token = token
    await story.call("get_own_scoring_record")
    story.token = story.client


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
    panel_id, achievement_id = await made.panel(), await publish(made.client, achievement_body())
    session_id = made.staff.headers["authorization"].split("_")[1]
    async with made.world.database.reading() as session:
        person = await session.get_one(PersonSession, session_id)
        own = await find_assessor_of_person(session, person.issuer_id, person.person_id)
    partner = Partner(made.client, made.staff, person.issuer_id, achievement_id, panel_id)
    program: Program = await put_program(made.world, partner)
    decided = await _put_flag(made.world, partner, program.id)
    why = {"reason": "The anchors were at fault."}
    assert (await made.staff.post(f"/v1/flags/{decided.id}/dismissal", json=why)).status_code == 200
    await made.make("flag_decided", "POST", f"/v1/flags/{decided.id}/dismissal", as_person=True, json=why)
    assert own is not None
    mine = await _put_flag(made.world, partner, program.id, own)
    await made.make("own_flag", "POST", f"/v1/flags/{mine.id}/dismissal", as_person=True, json=why)
