"""The runner that needs nothing but the database."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.jobs.embedded import LONGEST_PAUSE, EmbeddedRunner
from app.jobs.queue import Job, enqueue
from app.resources import Resources
from tests.fakes import FixedClock


class Cranky:
    """A handler that fails until told otherwise."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails = True

    async def __call__(self, payload: Mapping[str, Any]) -> None:
        self.calls += 1
        if self.fails:
            raise RuntimeError("secret of Ada Example")


async def _only_job(world: Resources) -> Job | None:
    async with world.database.reading() as session:
        return (await session.scalars(select(Job))).one_or_none()


@pytest.mark.parametrize(
    ("attempts", "pause"), [(0, timedelta(seconds=2)), (3, timedelta(seconds=16)), (99, LONGEST_PAUSE)]
)
async def test_a_failed_job_is_tried_again_later_and_later_but_never_given_up(
    world: Resources, clock: FixedClock, attempts: int, pause: timedelta
) -> None:
    handler = Cranky()
    runner = EmbeddedRunner(world.database, clock, {"work": handler})
    async with world.database.transaction() as session:
        enqueue(session, "work", {}, run_at=clock.now())
        await session.flush()
        (await session.scalars(select(Job))).one().attempts = attempts
    assert await runner.run_one()
    job = await _only_job(world)
    assert job is not None
    assert (job.attempts, job.run_at - clock.now(), job.claimed_until) == (attempts + 1, pause, None)
    assert job.last_error == "RuntimeError"

    assert not await runner.run_one()
    handler.fails = False
    clock.advance(seconds=pause.total_seconds())
    assert await runner.run_one()
    assert handler.calls == 2
    assert await _only_job(world) is None
