"""What the house tests need of submissions, evidence, screening."""

from typing import Any

import httpx
from fastapi import FastAPI

from app.access.store import ApiClient
from app.access.tokens import parse_token
from app.resources import Resources
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.house.areas.stories import Mistakes, Story
from tests.house.images import sound_png
from tests.submissions.attempts import AS_PDF, FILE, PDF, STATEMENT, URL, Attempt, enroll, good

CLOSED = {"outcome": "accepted"}


def application_of(client: httpx.AsyncClient) -> FastAPI:
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    assert isinstance(transport.app, FastAPI)
    return transport.app


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    ada = await enroll(application_of(partner.client), partner, name="Submitting Example")
    team = good(await partner.client.post("/v1/teams", json=team_body(ada)))
    draft = await ada.draft(team_id=team["id"])
    artifact = await ada.upload(draft)
    good(await ada.client.put(f"{draft}/statement", json=STATEMENT))
    good(await ada.client.post(f"{draft}/submit"))
    return {
        "program_id": ada.program.id,
        "enrollment_id": ada.enrollment.id,
        "submission_id": draft.rpartition("/")[2],
        "submission_id_of_artifact": draft.rpartition("/")[2],
        "artifact_id": artifact.rpartition("/")[2],
        "team_id": team["id"],
    }


def team_body(ada: Attempt) -> dict[str, Any]:
    return {"program_id": ada.program.id, "name": "Team North", "enrollment_ids": [ada.enrollment.id]}


async def partner_of(world: Resources, client: httpx.AsyncClient, staff: httpx.AsyncClient, panel_id: str) -> Partner:
    """The partner that this client belongs to, with a fresh achievement."""
    token = client.headers["authorization"].removeprefix("Bearer ")
    client_id = (parse_token(token) or ("", ""))[0]
    async with world.database.reading() as session:
        issuer_id = (await session.get_one(ApiClient, client_id)).issuer_id
    assert issuer_id is not None
    return Partner(client, staff, issuer_id, await publish(client, achievement_body()), panel_id)


async def examples(story: Story) -> None:
    """One good call of every operation."""
    story.token = story.client
    client = httpx.AsyncClient(
        transport=story.http._transport,
        base_url=story.http.base_url,
        headers={"Authorization": f"Bearer {story.token}"},
    )
    partner = await partner_of(story.world, client, client, story.known["panel_id"])
    ada = await enroll(application_of(client), partner, name="Submitting Example")
    team = await story.call("create_team", body=team_body(ada))
    known: dict[str, str] = {"team_id": team["id"]}
    await story.call("list_teams")
    await story.call("get_team", **known)
    await story.call("change_team_members", body={"enrollment_ids": [ada.enrollment.id]}, **known)
    begun = {
        "enrollment_id": ada.enrollment.id, "achievement_id": partner.achievement_id, "external_id": "work-17", **known,
    }  # fmt: skip
    submission = await story.call("begin_submission", body=begun)
    known["submission_id"] = submission["id"]
    path = f"/v1/submissions/{submission['id']}"
    await story.call("write_statement", body=STATEMENT, **known)
    spare = await story.call("add_artifact", body={**URL, "genre": "Audit", "consent": True}, **known)
    await story.call("remove_artifact", artifact_id=spare["id"], **known)
    picture = good(await client.post(f"{path}/artifacts", json={**FILE, "name": "Wall chart"}))
    await story.call("upload_artifact_file", content=sound_png(), artifact_id=picture["id"], **known)
    await story.call("change_artifact", body={"consent": True, "shared": True}, artifact_id=picture["id"], **known)
    await story.call("submit_submission", **known)
    story.token = story.staff
    await story.call("list_waiting_screenings")
    await story.call("get_work", **known)
    held = {"outcome": "on_hold", "condition_codes": ["identifies_students"], "note": "Is that a student on the left?"}
    await story.call("screen_submission", body=held, **known)
    await story.call("release_submission", **known)
    story.token = story.client
    await story.call("list_submissions")
    await story.call("get_submission", **known)
    await ada.decide(path, "not_yet", problem="demonstrated")
    await story.call("offer_support", body={"note": "A coach will go through the feedback on Thursday."}, **known)
    second = good(await client.post("/v1/submissions", json={**begun, "external_id": None}))
    await story.call("withdraw_submission", submission_id=second["id"])


async def mistakes(made: Mistakes) -> None:
    """One request for every problem that somebody can make by themselves."""
    partner = await partner_of(made.world, made.client, made.staff, await made.panel())
    application = application_of(made.client)
    ada = await enroll(application, partner, name="Submitting Example")
    await _mistake_attempts(made, ada, partner)
    await _mistake_teams(made, ada, application)
    await _mistake_evidence(made, await ada.mate(application, "Uploading Example"))
    await _mistake_screening(made, await ada.mate(application, "Screened Example"))


async def _mistake_attempts(made: Mistakes, ada: Attempt, partner: Partner) -> None:
    body: dict[str, Any] = {"enrollment_id": ada.enrollment.id, "achievement_id": ada.achievement_id}
    other = await publish(made.client, achievement_body())
    begin = ("POST", "/v1/submissions")
    await made.make("achievement_not_in_program", *begin, json={**body, "achievement_id": other})
    await made.make("unknown_variant", *begin, json={**body, "variant": "rural"})
    path = await ada.draft()
    await made.make("attempt_open", *begin, json=body)
    await made.make("submission_incomplete", "POST", f"{path}/submit")
    await made.make("unknown_part", "PUT", f"{path}/statement", json={"parts": {"appendix": "More."}})
    await made.make("team_not_declared", "POST", f"{path}/artifacts", json={**URL, "shared": True})
    await made.make("support_not_due", "POST", f"{path}/support", json={"note": "Come and see me."})
    learner = {"Authorization": ada.client.headers["authorization"]}
    await made.make("not_for_learners", "POST", f"{path}/support", json={"note": "I did."}, headers=learner)
    for _ in range(30):
        good(await ada.client.post(f"{path}/artifacts", json=URL))
    await made.make("too_many_artifacts", "POST", f"{path}/artifacts", json=URL)
    good(await ada.client.put(f"{path}/statement", json=STATEMENT))
    good(await ada.client.post(f"{path}/submit"))
    await made.make("submission_frozen", "PUT", f"{path}/statement", json=STATEMENT)
    for _ in range(3):
        await ada.decide(path, "not_yet")
        path = f"/v1/submissions/{(await ada.begin()).json().get('id')}"
    await made.make("support_not_offered", *begin, json=body)
    other_learner = await ada.mate(application_of(made.client), "Awarded Example")
    await other_learner.decide(await other_learner.submitted(), "awarded")
    await made.make("already_awarded", *begin, json={**body, "enrollment_id": other_learner.enrollment.id})


async def _mistake_teams(made: Mistakes, ada: Attempt, application: FastAPI) -> None:
    ben, cleo = await ada.mate(application, "Ben Teaming"), await ada.mate(application, "Cleo Teaming")
    members = [ben.enrollment.id, cleo.enrollment.id]
    body = {"program_id": ada.program.id, "name": "Team North", "enrollment_ids": members}
    team = good(await made.client.post("/v1/teams", json=body))["id"]
    stranger = {"enrollment_id": ada.enrollment.id, "achievement_id": ada.achievement_id, "team_id": team}
    await made.make("not_a_team_member", "POST", "/v1/submissions", json=stranger)
    path = await ben.draft(team_id=team)
    shared = good(await ben.client.post(f"{path}/artifacts", json={**URL, "shared": True}))["id"]
    await made.make("member_has_submission", "PUT", f"/v1/teams/{team}/members", json={"enrollment_ids": members[1:]})
    await cleo.submitted(team_id=team)
    await made.make("artifact_in_use", "DELETE", f"{path}/artifacts/{shared}")
    good(await ben.client.put(f"{path}/statement", json=STATEMENT))
    await made.make("reflection_not_individual", "POST", f"{path}/submit")


async def _mistake_evidence(made: Mistakes, ada: Attempt) -> None:
    path = await ada.draft()
    url = f"{path}/artifacts/{good(await ada.client.post(f'{path}/artifacts', json=URL))['id']}/file"
    file = f"{path}/artifacts/{good(await ada.client.post(f'{path}/artifacts', json=FILE))['id']}/file"
    await made.make("artifact_is_url", "PUT", url, content=PDF, headers=AS_PDF)
    await made.make("evidence_missing", "GET", file)
    await made.make("media_type_not_allowed", "PUT", file, content=b"<p>", headers={"Content-Type": "text/html"})
    await made.make("media_type_mismatch", "PUT", file, content=b"MZ\x90", headers=AS_PDF)
    large = {**AS_PDF, "Content-Length": str(200 << 20)}
    await made.make("evidence_too_large", "PUT", file, content=PDF, headers=large)
    good(await ada.client.put(file, content=PDF, headers=AS_PDF))
    await made.make("range_not_satisfiable", "GET", file, headers={"Range": "bytes=4096-"})


async def _mistake_screening(made: Mistakes, ada: Attempt) -> None:
    path = await ada.submitted()
    screenings = f"{path}/screenings"
    await made.make("person_required", "POST", screenings, json=CLOSED)
    returned = {"outcome": "returned_incomplete"}
    await made.make("condition_code_missing", "POST", screenings, as_person=True, json=returned)
    await made.make("not_on_hold", "POST", f"{path}/release", as_person=True)
    good(await made.staff.post(screenings, json=CLOSED))
    await made.make("not_to_be_screened", "POST", screenings, as_person=True, json=CLOSED)
    await ada.put(path, state="on_hold", held_from="accepted")
    await made.make("submission_held", "POST", f"{path}/withdraw")
    await ada.put(path, state="scoring", held_from=None)
    await made.make("reading_started", "POST", f"{path}/withdraw")
