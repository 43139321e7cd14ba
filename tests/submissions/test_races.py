"""What two browsers, or a browser and a slow upload, do at once: one of the two comes first, and nothing is half done."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from sqlalchemy import func, select

from app.settings import Settings
from app.submissions.store import Screening, Submission
from tests.conftest import Partner
from tests.submissions.attempts import PDF, STATEMENT, enroll, good, refused
from tests.submissions.test_evidence import AS_PDF, FILE, stored
from tests.submissions.test_screening import ACCEPTED, jobs


async def test_two_browsers_begin_at_once(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    answers = await asyncio.gather(*(ada.begin() for _ in range(4)))
    told = Counter(answer.status_code if answer.status_code == 201 else refused(answer) for answer in answers)
    assert told == {201: 1, (409, "attempt_open"): 3}
    async with ada.world.database.reading() as session:
        query = select(func.count()).select_from(Submission).where(Submission.learner_id == ada.learner.id)
        assert (await session.execute(query)).scalar_one() == 1


async def test_two_browsers_hand_in_at_once(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.ready()
    answers = await asyncio.gather(*(ada.client.post(f"{path}/submit") for _ in range(4)))
    told = Counter(answer.status_code if answer.status_code == 200 else refused(answer) for answer in answers)
    assert told == {200: 1, (409, "submission_frozen"): 3}
    types = [event["type"] for event in (await partner.client.get("/v1/events?limit=500")).json()["items"]]
    assert types.count("submission.submitted") == 1


async def test_a_file_that_comes_while_the_work_is_handed_in_is_refused(
    app: FastAPI, partner: Partner, settings: Settings
) -> None:
    ada = await enroll(app, partner)
    path = await ada.draft()
    good(await ada.client.put(f"{path}/statement", json=STATEMENT))
    artifact = await ada.upload(path)
    begun, handed_in = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield PDF
        begun.set()
        await handed_in.wait()
        yield b"% more"

    upload = asyncio.create_task(ada.client.put(f"{artifact}/file", content=slowly(), headers=AS_PDF))
    await begun.wait()
    good(await ada.client.post(f"{path}/submit"))
    handed_in.set()
    assert refused(await upload) == (409, "submission_frozen")
    assert (await ada.client.get(f"{artifact}/file")).content == PDF
    assert len(stored(settings)) == 1


async def test_an_artifact_removed_while_its_file_comes(app: FastAPI, partner: Partner, settings: Settings) -> None:
    ada = await enroll(app, partner)
    path = await ada.draft()
    artifact = f"{path}/artifacts/{good(await ada.client.post(f'{path}/artifacts', json=FILE))['id']}"
    begun, removed = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield PDF
        begun.set()
        await removed.wait()

    upload = asyncio.create_task(ada.client.put(f"{artifact}/file", content=slowly(), headers=AS_PDF))
    await begun.wait()
    good(await ada.client.delete(artifact))
    removed.set()
    assert refused(await upload) == (404, "not_found")
    assert stored(settings) == []


async def test_an_artifact_is_removed_while_the_work_is_handed_in(app: FastAPI, partner: Partner) -> None:
    """Either the work is handed in with it, or it lacks it: never handed in and gone."""
    ada = await enroll(app, partner)
    for _ in range(3):
        path = await ada.ready()
        [artifact] = good(await ada.client.get(path))["artifacts"]
        handed_in, removed = await asyncio.gather(
            ada.client.post(f"{path}/submit"), ada.client.delete(f"{path}/artifacts/{artifact['id']}")
        )
        shown: Any = good(await ada.client.get(path))
        if handed_in.status_code == 200:
            assert refused(removed) == (409, "submission_frozen")
            assert [each["id"] for each in shown["artifacts"]] == [artifact["id"]]
        else:
            assert refused(handed_in) == (422, "submission_incomplete")
            assert (removed.status_code, shown["artifacts"], shown["state"]) == (200, [], "draft")
        good(await ada.client.post(f"{path}/withdraw"))


async def test_two_people_screen_and_the_learner_withdraws_at_once(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.submitted()
    first, second, withdrawn = await asyncio.gather(
        partner.staff.post(f"{path}/screenings", json=ACCEPTED),
        partner.staff.post(f"{path}/screenings", json=ACCEPTED),
        ada.client.post(f"{path}/withdraw"),
    )
    assert withdrawn.status_code == 200
    accepted = [answer.status_code for answer in (first, second)].count(201)
    assert accepted <= 1
    assert good(await ada.client.get(path))["state"] == "withdrawn"
    assert len(await jobs(ada)) == 2 * accepted, "what was opened was cancelled"
    async with ada.world.database.reading() as session:
        assert (await session.execute(select(func.count()).select_from(Screening))).scalar_one() == accepted
