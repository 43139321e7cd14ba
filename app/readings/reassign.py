"""What ends a reading before it is submitted, and who reads instead."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.assessors.certification import CalibrationOverdue, NotCertified
from app.assessors.store import Anchor
from app.readings.assign import assign_open
from app.readings.conflicts import ConflictOfInterest
from app.readings.entitled import is_readable
from app.readings.held import NoLongerReader
from app.readings.request import request_reading
from app.readings.store import LIVE, Reading, ReadingKind, ReadingState, get_reading, list_readings, lock_reading
from app.readings.trail import SERVICE, note
from app.resources import Resources
from app.submissions.store import Submission, lock_submission

_REFUSED_READER = (NotCertified, CalibrationOverdue, ConflictOfInterest, NoLongerReader)


@asynccontextmanager
async def handing_on(world: Resources, issuer_id: str, reading_id: str) -> AsyncIterator[AsyncSession]:
    """A transaction for what an assessor does with a reading. Where it is refused because they may not read it any more, that is
    undone and the reading is given to somebody else, before the refusal goes on to the assessor."""
    try:
        async with world.database.transaction() as session:
            yield session
    except _REFUSED_READER as refusal:
        await take_away(
            world,
            issuer_id,
            reading_id,
            reason="no_longer_reader" if isinstance(refusal, NoLongerReader) else refusal.code,
        )
        raise


async def take_away(world: Resources, issuer_id: str, reading_id: str, *, reason: str) -> None:
    """Give a live reading to somebody else."""
    now = world.clock.now()
    async with world.database.transaction() as session:
        reading, submission = await lock_with_submission(session, issuer_id, reading_id)
        if reading.state in LIVE:
            await replace(session, world, submission, reading, "reassigned", reason=reason, actor=SERVICE, now=now)


async def expire_reading(world: Resources, issuer_id: str, reading_id: str) -> None:
    """The handler of EXPIRE_READING_JOB. Nothing happens to a reading that was finished in time."""
    now = world.clock.now()
    async with world.database.transaction() as session:
        reading, submission = await lock_with_submission(session, issuer_id, reading_id)
        if reading.state in LIVE and reading.due_at is not None and reading.due_at <= now:
            await replace(session, world, submission, reading, "expired", reason="overdue", actor=SERVICE, now=now)


async def cancel_readings(world: Resources, issuer_id: str, submission_id: str) -> None:
    """The handler of CANCEL_READINGS_JOB: readings whose work is not to be read any more end, with nothing in their place. So do
    papers on an anchor that was made of it and is emptied now."""
    now = world.clock.now()
    async with world.database.transaction() as session:
        submission = await lock_submission(session, issuer_id, submission_id)
        for reading in await list_readings(session, issuer_id, submission_id):
            if reading.state in ("open", *LIVE) and not await is_readable(session, submission, reading.kind):
                _end(session, reading, "cancelled", reason=submission.state, actor=SERVICE, now=now)
        for paper in await _list_papers_on_nothing(session, submission):
            _end(session, paper, "cancelled", reason=submission.state, actor=SERVICE, now=now)


async def replace(
    session: AsyncSession,
    world: Resources,
    submission: Submission | None,
    reading: Reading,
    state: ReadingState,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    """End a live reading and ask for it anew, of somebody who never had it. Nobody else reads a validity paper. The submission
    is locked."""
    _end(session, reading, state, reason=reason, actor=actor, now=now)
    if submission is not None and await is_readable(session, submission, reading.kind):
        kind = cast(ReadingKind, reading.kind)
        trigger = reading.trigger
        note(
            session,
            await request_reading(session, submission, kind=kind, trigger=trigger, now=now),
            "requested",
            now=now,
        )
        await assign_open(session, world, submission, now)


async def _list_papers_on_nothing(session: AsyncSession, submission: Submission) -> list[Reading]:
    """Live readings of anchors that were made of the submission and are emptied now, locked."""
    query = (
        select(Reading, Anchor)
        .join(Anchor, (Anchor.issuer_id == Reading.issuer_id) & (Anchor.id == Reading.anchor_id))
        .where(
            Reading.issuer_id == submission.issuer_id,
            Reading.state.in_(LIVE),
            Anchor.source_submission_id == submission.id,
        )
    )
    found = (await session.execute(query.order_by(Reading.id).with_for_update(of=Reading))).all()
    return [reading for reading, anchor in found if not anchor.content]


def _end(
    session: AsyncSession, reading: Reading, state: ReadingState, *, reason: str, actor: str, now: datetime
) -> None:
    reading.state, reading.end_reason, reading.updated_at = state, reason, now
    note(session, reading, state, actor=actor, now=now)


async def lock_with_submission(
    session: AsyncSession, issuer_id: str, reading_id: str
) -> tuple[Reading, Submission | None]:
    """The reading and its submission, locked in this order: submission, reading."""
    submission_id = (await get_reading(session, issuer_id, reading_id)).submission_id
    submission = None if submission_id is None else await lock_submission(session, issuer_id, submission_id)
    return await lock_reading(session, issuer_id, reading_id), submission
