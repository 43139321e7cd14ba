"""What the house tests need of misconduct."""

from typing import Any

import httpx

from app.resources import Resources
from tests.assessing import put_enrollment, put_program, put_submission
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.house.areas.stories import Mistakes, Story
from tests.people import app_of, client_of, find_session_of, make_person

NOTICE = "Two pages of the reflection are word for word those of a published portfolio."
ANSWER = {"text": "The pages were a draft I had quoted; the references got lost."}
VOID = {"vote": "void", "reason": "The pages are another's, and nothing names them."}


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    app = app_of(partner.client)
    world: Resources = app.state.resources
    staff = (await find_session_of(world, partner.staff)).person_id
    members = [(await make_person(world, partner.issuer_id, "approver", name=f"Panel {n}"))[0].id for n in "AB"]
    submission_id = await _put_submission(world, partner, "Suspected Example")
    _, token = await make_person(world, partner.issuer_id, "director", name="Matrix Director")
    async with client_of(app, token) as director:
        case_id = await _opened(director, submission_id, [staff, *members])
    found = {"case_id": case_id, "second_member": members[0], "third_member": members[1]}
    return {"submission_id": submission_id} | known | found


async def _put_submission(world: Resources, partner: Partner, name: str) -> str:
    enrollment, learner = await put_enrollment(world, await put_program(world, partner), name=name)
    return (await put_submission(world, partner, enrollment, learner)).id


async def _opened(director: httpx.AsyncClient, submission_id: str, panel: list[str]) -> str:
    body = {"submission_id": submission_id, "notice": NOTICE, "panel": panel}
    made = await director.post("/v1/misconduct-cases", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def examples(story: Story) -> None:
    """One good call of every operation."""
    world, issuer_id, kept = story.world, story.known["issuer_id"], story.token
    partner = Partner(story.http, story.http, issuer_id, story.known["achievement_id"], story.known["panel_id"])
    submission_id = await _put_submission(world, partner, "Suspected Example")
    first = [await make_person(world, issuer_id, "approver", name=f"Panel {n}") for n in "ABC"]
    others = [await make_person(world, issuer_id, "approver", name=f"Panel {n}") for n in "DEF"]
    _, director = await make_person(world, issuer_id, "director", name="Story Director")
    story.token = director
    body = {"submission_id": submission_id, "notice": NOTICE, "panel": [person.id for person, _ in first]}
    of_case = {"case_id": (await story.call("open_misconduct_case", body=body))["id"]}
    story.token = story.client
    await story.call("answer_misconduct_case", body=ANSWER, **of_case)
    for _, story.token in first[:2]:
        await story.call("get_hearing", **of_case)
        await story.call("vote_on_misconduct_case", body=VOID, **of_case)
    story.token = story.client
    body = {"text": "The panel did not see the version with the references."}
    await story.call("appeal_misconduct_case", body=body, **of_case)
    story.token = director
    await story.call("name_appeal_panel", body={"panel": [person.id for person, _ in others]}, **of_case)
    spare, _ = await make_person(world, issuer_id, "approver", name="Panel G")
    body = {"person_id": others[0][0].id, "replacement_id": spare.id}
    await story.call("replace_panel_member", body=body, **of_case)
    await story.call("list_misconduct_cases")
    await story.call("get_misconduct_case", **of_case)
    story.token = kept


async def mistakes(made: Mistakes) -> None:
    """One request for every problem that somebody can make by themselves."""
    world, app = made.world, app_of(made.client)
    signed_in = await find_session_of(world, made.staff)
    issuer_id = signed_in.issuer_id
    partner = Partner(
        made.client, made.staff, issuer_id, await publish(made.client, achievement_body()), await made.panel()
    )
    submission_id = await _put_submission(world, partner, "Suspected Example")
    members = [await make_person(world, issuer_id, "approver", name=f"Panel {n}") for n in "ABC"]
    _, token = await make_person(world, issuer_id, "director", name="Careful Director")
    panel = [person.id for person, _ in members]
    opening: dict[str, Any] = {"submission_id": submission_id, "notice": NOTICE, "panel": panel}
    cases = "/v1/misconduct-cases"
    unfit = {**opening, "panel": [signed_in.person_id, *panel[:2]]}
    await made.make("misconduct_panel", "POST", cases, as_person=True, json=unfit)
    async with client_of(app, token) as director:
        with_staff = f"{cases}/{await _opened(director, submission_id, unfit['panel'])}"
        other_id = await _put_submission(world, partner, "Other Example")
        without = f"{cases}/{await _opened(director, other_id, panel)}"
    await made.make("misconduct_state", "POST", f"{with_staff}/votes", as_person=True, json=VOID)
    await made.make("not_on_panel", "POST", f"{without}/votes", as_person=True, json=VOID)
    assert (await made.client.post(f"{with_staff}/answer", json=ANSWER)).status_code == 200
    assert (await made.staff.post(f"{with_staff}/votes", json=VOID)).status_code == 200
    await made.make("already_voted", "POST", f"{with_staff}/votes", as_person=True, json=VOID)
    clock = world.clock
    assert isinstance(clock, FixedClock)
    clock.advance(days=15)
    await made.make("answer_too_late", "POST", f"{without}/answer", json=ANSWER)
    async with client_of(app, members[0][1]) as member:
        assert (await member.post(f"{with_staff}/votes", json=VOID)).status_code == 200
    clock.advance(days=31)
    await made.make("misconduct_appeal_too_late", "POST", f"{with_staff}/appeal", json=ANSWER)
