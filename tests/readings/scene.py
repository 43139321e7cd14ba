"""A program under way with assessors who read over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from app.access.store import PersonRole
from app.assessors.store import Assessor, Panel
from app.jobs.embedded import EmbeddedRunner
from app.jobs.queue import enqueue
from app.learners.store import Learner
from app.programs.jobs import OPEN_WINDOWS_JOB
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Enrollment, Program
from app.readings.store import Reading, Resolution, list_readings
from app.resources import Resources
from app.submissions.jobs import OPEN_READINGS_JOB
from app.submissions.store import Submission
from app.worker import open_runner
from tests.assessing import put_assessor, put_enrollment, put_program, put_submission
from tests.builders import results
from tests.conftest import Partner, open_client

SINGLE: dict[str, Any] = {"second_readings": {"random_percent": 0, "first_of_version": 0, "near_standard": False}}
"""A policy under which nothing asks for a second reading."""


@dataclass
class Scene:
    """The program, and its assessors by code: A-01 and A-02, a lead L-01."""

    app: FastAPI
    partner: Partner
    program: Program
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    assessors: dict[str, Assessor] = field(default_factory=dict)

    @property
    def world(self) -> Resources:
        world: Resources = self.app.state.resources
        return world

    async def add_assessor(self, code: str, *, lead: bool = False, **columns: Any) -> Assessor:
        assessor, person, token = await put_assessor(self.world, self.partner, code, **columns)
        async with self.world.database.transaction() as session:
            panel = await session.get_one(Panel, (self.partner.issuer_id, self.partner.panel_id))
            panel.members = [*dict.fromkeys([*panel.members, code])]
            if lead:
                session.add(
                    PersonRole(issuer_id=person.issuer_id, person_id=person.id, role="lead", granted_by="test",
                               granted_at=self.world.clock.now())
                )  # fmt: skip
        self.clients[code] = open_client(self.app, token)
        self.assessors[code] = assessor
        return assessor

    async def enroll(self, name: str = "Ada Example", school: str | None = None) -> tuple[Enrollment, Learner]:
        return await put_enrollment(self.world, self.program, name=name, school=school)

    async def accept(self, who: tuple[Enrollment, Learner] | None = None, **columns: Any) -> Submission:
        """A submission accepted now, and everything that follows from it done."""
        enrollment, learner = who or await self.enroll()
        submission = await put_submission(self.world, self.partner, enrollment, learner, **columns)
        await self.run(OPEN_READINGS_JOB, submission_id=submission.id)
        return submission

    async def run(self, job: str | None = None, **ids: str) -> None:
        """Enqueue the job, and do everything that is due."""
        if job is not None:
            async with self.world.database.transaction() as session:
                payload = {"issuer_id": self.partner.issuer_id, **ids}
                enqueue(session, job, payload, run_at=self.world.clock.now())
        runner: EmbeddedRunner = open_runner(self.world)
        while await runner.run_one():
            pass

    async def open_windows(self) -> None:
        await self.run(OPEN_WINDOWS_JOB, program_id=self.program.id)

    async def readings(self, submission: Submission) -> list[Reading]:
        async with self.world.database.reading() as session:
            return await list_readings(session, submission.issuer_id, submission.id)

    async def holder(self, submission: Submission, kind: str = "first") -> tuple[str, str]:
        """Code of who holds the live reading of this kind, and its id."""
        found = [
            each
            for each in await self.readings(submission)
            if each.kind == kind and each.state in ("assigned", "started")
        ]
        assert len(found) == 1, [(each.kind, each.state) for each in await self.readings(submission)]
        return str(found[0].assessor_code), found[0].id

    async def read(self, code: str, reading_id: str, **levels: str) -> httpx.Response:
        """Start and submit."""
        started = await self.clients[code].post(f"/v1/readings/{reading_id}/start")
        assert started.status_code == 200, started.text
        return await self.submit(code, reading_id, **levels)

    async def submit(self, code: str, reading_id: str, **levels: str) -> httpx.Response:
        body = {"results": results(**levels)}
        return await self.clients[code].post(f"/v1/readings/{reading_id}/submission", json=body)

    async def finish(self, submission: Submission, kind: str = "first", **levels: str) -> str:
        """Read as whoever holds the reading of this kind: their code."""
        code, reading_id = await self.holder(submission, kind)
        answer = await self.read(code, reading_id, **levels)
        assert answer.status_code == 201, answer.text
        return code

    async def state(self, submission: Submission) -> str:
        async with self.world.database.reading() as session:
            return (await session.get_one(Submission, (submission.issuer_id, submission.id))).state

    async def resolutions(self, submission: Submission) -> list[Resolution]:
        query = select(Resolution).where(Resolution.submission_id == submission.id).order_by(Resolution.number)
        async with self.world.database.reading() as session:
            return list((await session.scalars(query)).all())

    async def all_resolutions(self) -> list[Resolution]:
        async with self.world.database.reading() as session:
            return list((await session.scalars(select(Resolution))).all())

    async def put(self, *rows: Any) -> None:
        async with self.world.database.transaction() as session:
            session.add_all(rows)

    async def set(self, submission: Submission, **columns: Any) -> None:
        async with self.world.database.transaction() as session:
            found = await session.get_one(Submission, (submission.issuer_id, submission.id))
            for name, value in columns.items():
                setattr(found, name, value)


@asynccontextmanager
async def open_scene(
    app: FastAPI, partner: Partner, policy: dict[str, Any] | None = None, *, lead: bool = True
) -> AsyncIterator[Scene]:
    """`policy` is SINGLE where it is left out."""
    body = ScoringPolicyBody.model_validate(SINGLE if policy is None else policy)
    scene = Scene(app, partner, await put_program(app.state.resources, partner, body))
    for code in ("A-01", "A-02"):
        await scene.add_assessor(code)
    if lead:
        await scene.add_assessor("L-01", lead=True)
    await scene.open_windows()
    try:
        yield scene
    finally:
        for client in scene.clients.values():
            await client.aclose()
