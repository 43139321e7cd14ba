"""Open readings: taken by who asks, once; given again to who may later; taken from who may not any more."""

import asyncio

import httpx
from fastapi import FastAPI
from sqlalchemy import delete, select

from app.access.store import PersonRole
from app.assessors.store import Certification
from app.readings.jobs import ASSIGN_READINGS_JOB
from app.readings.store import LIVE
from app.submissions.store import Submission
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.readings.scene import Scene, open_scene

TWICE = {"second_readings": {"random_percent": 100}}


async def certify(scene: Scene, code: str, *, state: str) -> None:
    async with scene.world.database.transaction() as session:
        query = select(Certification).where(Certification.assessor_id == scene.assessors[code].id)
        (await session.scalars(query)).one().state = state


async def accept_for_nobody(scene: Scene) -> Submission:
    """A submission whose readings all stay open: nobody is certified."""
    for code in scene.assessors:
        await certify(scene, code, state="suspended")
    submission = await scene.accept()
    assert {each.state for each in await scene.readings(submission)} == {"open"}
    return submission


async def members(scene: Scene, *codes: str) -> None:
    path = f"/v1/panels/{scene.partner.panel_id}/members"
    answer = await scene.partner.client.put(path, json={"members": list(codes)})
    assert answer.status_code == 200, answer.text


async def test_an_assessor_gets_one_reading_of_a_work_however_often_they_ask_at_once(
    app: FastAPI, partner: Partner
) -> None:
    async with open_scene(app, partner, TWICE) as scene:
        submission = await accept_for_nobody(scene)
        for code in ("A-01", "A-02"):
            await certify(scene, code, state="certified")
        payload = {"submission_id": submission.id}
        answers: list[httpx.Response] = [
            each
            for each in await asyncio.gather(
                *(scene.clients[code].post("/v1/readings/claim") for code in ("A-01", "A-02") * 4),
                scene.run(ASSIGN_READINGS_JOB, **payload),
                scene.run(ASSIGN_READINGS_JOB, **payload),
            )
            if each is not None
        ]
        assert {each.status_code for each in answers} <= {200, 404}
        held = [each.assessor_code for each in await scene.readings(submission) if each.state in LIVE]
        assert sorted(map(str, held)) == ["A-01", "A-02"]


async def test_what_nobody_could_take_is_given_to_who_may_later(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    async with open_scene(app, partner) as scene:
        submission = await accept_for_nobody(scene)
        clock.advance(hours=1)
        await scene.run()
        assert [each.state for each in await scene.readings(submission)] == ["open"]
        await certify(scene, "A-02", state="certified")
        clock.advance(hours=1)
        await scene.run()
        assert (await scene.holder(submission))[0] == "A-02"


async def test_who_left_the_panel_gives_their_readings_back(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, lead=False) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        other = "A-02" if code == "A-01" else "A-01"
        assert (await scene.clients[code].post(f"/v1/readings/{reading_id}/start")).status_code == 200
        await members(scene, "A-01", "A-02", "A-03")
        await scene.run()
        assert (await scene.holder(submission)) == (code, reading_id)
        await members(scene, other)
        answer = await scene.submit(code, reading_id)
        assert (answer.status_code, answer.json()["code"]) == (409, "reading_reassigned")
        await scene.run()
        assert (await scene.holder(submission))[0] == other
        assert "no_longer_reader" in [each.end_reason for each in await scene.readings(submission)]


async def test_who_is_no_lead_any_more_does_not_adjudicate(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, TWICE) as scene:
        await scene.add_assessor("L-02", lead=True)
        submission = await scene.accept()
        for kind, level in (("first", "demonstrated"), ("second_random", "not-evident")):
            await scene.finish(submission, kind, problem=level, evidence=level)
        code, reading_id = await scene.holder(submission, "adjudication")
        assert (await scene.clients[code].post(f"/v1/readings/{reading_id}/start")).status_code == 200
        async with scene.world.database.transaction() as session:
            await session.execute(
                delete(PersonRole).where(
                    PersonRole.person_id == scene.assessors[code].person_id, PersonRole.role == "lead"
                )
            )
        answer = await scene.submit(code, reading_id)
        assert (answer.status_code, answer.json()["code"]) == (409, "reading_reassigned")
        other, later = await scene.holder(submission, "adjudication")
        assert (other, later) != (code, reading_id)
        assert (await scene.read(other, later)).status_code == 201
        assert await scene.state(submission) == "resolved"
