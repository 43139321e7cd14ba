"""The runner that needs nothing but the database."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, or_, select, update

from app.clock import Clock
from app.db import Database
from app.identifiers import new_id
from app.jobs.queue import Job

log = structlog.get_logger(__name__)

Handler = Callable[[Mapping[str, Any]], Awaitable[None]]

LEASE = timedelta(seconds=60)
LONGEST_PAUSE = timedelta(hours=1)


class EmbeddedRunner:
    """Runs due jobs one after another until it is stopped."""

    def __init__(
        self, database: Database, clock: Clock, handlers: Mapping[str, Handler], *, poll_seconds: float = 1.0
    ) -> None:
        self._database = database
        self._clock = clock
        self._handlers = handlers
        self._poll_seconds = poll_seconds
        self._name = new_id()

    async def run_forever(self) -> None:
        """Work until cancelled. A database that is away is waited for."""
        while True:
            try:
                while await self.run_one():
                    pass
            except Exception:
                log.exception("job_round_failed")
            await asyncio.sleep(self._poll_seconds)

    async def run_one(self) -> bool:
        """Run the job that has been due longest. False when none is due."""
        job = await self._claim()
        if job is None:
            return False
        try:
            await self._handlers[job.name](job.payload)
        except Exception as error:
            log.exception("job_failed", job=job.name, attempts=job.attempts)
            await self._postpone(job, error)
        else:
            await self._done(job)
        return True

    async def _claim(self) -> Job | None:
        now = self._clock.now()
        free = or_(Job.claimed_until.is_(None), Job.claimed_until < now)
        due = select(Job).where(Job.run_at <= now, free).order_by(Job.run_at).limit(1)
        async with self._database.transaction() as session:
            job = (await session.scalars(due.with_for_update(skip_locked=True))).first()
            if job is not None:
                job.claimed_by, job.claimed_until = self._name, now + LEASE
                job.attempts += 1
            return job

    async def _done(self, job: Job) -> None:
        async with self._database.transaction() as session:
            await session.execute(delete(Job).where(Job.id == job.id, Job.claimed_by == self._name))

    async def _postpone(self, job: Job, error: Exception) -> None:
        pause = timedelta(seconds=min(2**job.attempts, LONGEST_PAUSE.total_seconds()))
        async with self._database.transaction() as session:
            await session.execute(
                update(Job)
                .where(Job.id == job.id, Job.claimed_by == self._name)
                # The type of the error only: its text could carry what a job must not keep.
                .values(run_at=self._clock.now() + pause, claimed_until=None, last_error=type(error).__name__)
            )
