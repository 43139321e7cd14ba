"""What an assessor, the clock and the learner do with one reading at once: one of them comes first, and nothing is half done."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import httpx
import pytest
from fastapi import FastAPI

from app.programs.jobs import OPEN_WINDOWS_JOB
from app.readings.reassign import expire_reading
from app.readings.store import list_windows
from app.readings.windows import open_windows
from app.submissions.jobs import OPEN_READINGS_JOB
from app.submissions.store import Submission
from tests.anchoring import list_jobs
from tests.assessing import put_submission
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.people import open_person
from tests.readings.scene import Scene, open_scene
from tests.readings.test_reading import refused
from tests.readings.test_windows import HALF, audited

T = TypeVar("T")

AFTER = pytest.mark.parametrize("wait", [0, 0.004, 0.012, 0.03])
"""Seconds by which the other begins later, so that each comes first now and then."""


async def started(scene: Scene) -> tuple[Submission, str, str]:
    """A submission, and who has begun to read it: their code and the reading's id."""
    submission = await scene.accept()
    code, reading_id = await scene.holder(submission)
    assert (await scene.clients[code].post(f"/v1/readings/{reading_id}/start")).status_code == 200
    return submission, code, reading_id


async def later(wait: float, what: Awaitable[T]) -> T:
    await asyncio.sleep(wait)
    return await what


async def require_read_once(scene: Scene, submission: Submission, submitted: httpx.Response, code: str) -> None:
    """Submitted and resolved; or refused with this code, and somebody else has the one reading that is live."""
    readings = await scene.readings(submission)
    if submitted.status_code == 201:
        assert [each.state for each in readings] == ["submitted"]
        assert await scene.state(submission) == "resolved"
        assert len(await scene.resolutions(submission)) == 1
        return
    refused(submitted, 409, code)
    ended, live = sorted(readings, key=lambda each: each.state == "assigned")
    assert (ended.submitted_at, ended.levels, live.state) == (None, None, "assigned")
    assert live.assessor_id != ended.assessor_id
    assert await scene.resolutions(submission) == []
    await scene.finish(submission)
    assert await scene.state(submission) == "resolved"


@AFTER
async def test_a_reading_is_submitted_and_given_back_at_once(app: FastAPI, partner: Partner, wait: float) -> None:
    async with open_scene(app, partner) as scene:
        submission, code, reading_id = await started(scene)
        give_back = scene.clients[code].post(f"/v1/readings/{reading_id}/recuse", json={"reason": "other"})
        submitted, given_back = await asyncio.gather(scene.submit(code, reading_id), later(wait, give_back))
        assert sorted([submitted.status_code == 201, given_back.status_code == 200]) == [False, True]
        if submitted.status_code == 201:
            refused(given_back, 409, "reading_submitted")
        await require_read_once(scene, submission, submitted, "reading_reassigned")


@AFTER
async def test_a_reading_is_submitted_at_the_end_of_its_lease(
    app: FastAPI, partner: Partner, clock: FixedClock, wait: float
) -> None:
    """It was sent in time, and the worker ends the lease meanwhile."""

    async def end_lease() -> None:
        clock.advance(microseconds=1)
        await expire_reading(scene.world, partner.issuer_id, reading_id)

    async with open_scene(app, partner) as scene:
        submission, code, reading_id = await started(scene)
        clock.advance(days=5, microseconds=-1)
        submitted, _ = await asyncio.gather(scene.submit(code, reading_id), later(wait, end_lease()))
        await require_read_once(scene, submission, submitted, "reading_expired")


@AFTER
async def test_work_is_held_while_its_reading_is_submitted(app: FastAPI, partner: Partner, wait: float) -> None:
    """The hold is put whoever comes first; what was submitted before it counts when it is lifted."""
    async with open_scene(app, partner) as scene:
        submission, code, reading_id = await started(scene)
        panel = []
        for name in ("Ben Panel", "Cai Panel", "Dee Panel"):
            person_id, client = await open_person(app, partner.issuer_id, "approver", name=name)
            await client.aclose()
            panel.append(person_id)
        body = {"submission_id": submission.id, "notice": "Copied.", "panel": panel}
        case = partner.staff.post("/v1/misconduct-cases", json=body)
        submitted, opened = await asyncio.gather(scene.submit(code, reading_id), later(wait, case))
        assert opened.status_code == 201, opened.text
        await scene.run()
        [reading] = await scene.readings(submission)
        assert await scene.state(submission) == "on_hold"
        if submitted.status_code == 201:
            assert (reading.state, len(await scene.resolutions(submission))) == ("submitted", 1)
        else:
            refused(submitted, 409, "reading_cancelled")
            assert (reading.state, reading.levels, await scene.resolutions(submission)) == ("cancelled", None, [])


@AFTER
async def test_work_is_withdrawn_while_somebody_begins_to_read_and_submits(
    app: FastAPI, partner: Partner, wait: float
) -> None:
    """Withdrawn and unread, or read and not withdrawn any more."""
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)

        async def read() -> tuple[httpx.Response, httpx.Response]:
            begun = await scene.clients[code].post(f"/v1/readings/{reading_id}/start")
            return begun, await scene.submit(code, reading_id)

        withdraw = partner.client.post(f"/v1/submissions/{submission.id}/withdraw")
        (begun, submitted), withdrawn = await asyncio.gather(read(), later(wait, withdraw))
        await scene.run()
        [reading] = await scene.readings(submission)
        if withdrawn.status_code == 200:
            refused(begun, 409, "reading_cancelled")
            refused(submitted, 409, "reading_cancelled")
            assert (reading.state, await scene.state(submission)) == ("cancelled", "withdrawn")
        else:
            refused(withdrawn, 409, "reading_started")
            assert (begun.status_code, submitted.status_code) == (200, 201)
            assert (reading.state, await scene.state(submission)) == ("submitted", "resolved")


async def test_the_clock_jumps_over_several_windows(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """Nothing ran for half a year, then several workers at once: every window that is over is revealed, and from then on each
    submission has a window. Those accepted in between have none: they are read twice, and the audit says so."""
    async with open_scene(app, partner, HALF) as scene:
        await scene.accept(await scene.enroll("Ada Example"))
        clock.advance(days=185)
        enrolled = await scene.enroll("Ben Example")
        between = await put_submission(scene.world, partner, *enrolled)
        clock.advance(seconds=1)
        await asyncio.gather(*(open_windows(scene.world, partner.issuer_id, scene.program.id) for _ in range(4)))
        async with scene.world.database.reading() as session:
            windows = await list_windows(session, scene.program.id)
        assert [each.seed is None for each in windows] == [False, False, True, True]
        assert windows[2].ends_at == windows[3].starts_at
        payload = {"issuer_id": partner.issuer_id, "program_id": scene.program.id}
        planned = [each for each in await list_jobs(scene.world, OPEN_WINDOWS_JOB) if each == payload]
        assert len(planned) == 2, "the one that is late, and the next"

        await scene.run(OPEN_READINGS_JOB, submission_id=between.id)
        assert {each.trigger for each in await scene.readings(between)} == {None, "no_window"}
        for name in ("Cai Example", "Dee Example"):
            after = await scene.accept(await scene.enroll(name))
            assert "no_window" not in [each.trigger for each in await scene.readings(after)]
            clock.advance(days=80)
            await scene.run()
        found = await audited(scene)
        assert (found["misses"], sum(each["accepted"] for each in found["windows"])) == (0, 4)
        assert [each["accepted"] for each in found["windows"] if each["window_id"] is None] == [1]
