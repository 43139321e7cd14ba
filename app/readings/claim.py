"""Taking the next reading oneself."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.assessors.certification import READING_STATES, NotCertified, state_at
from app.assessors.store import Assessor, Certification
from app.errors import NotFound
from app.readings.assign import take
from app.readings.entitled import find_entitlement, get_pinned_policy, is_on_panel, is_readable, roles_for
from app.readings.held import get_own_assessor
from app.readings.reassign import lock_with_submission
from app.readings.store import LIVE, Reading
from app.resources import Resources
from app.submissions.store import get_submission


class NothingToRead(NotFound):
    """No open reading is for this assessor."""

    code = "nothing_to_read"


async def claim_reading(world: Resources, member: Member, now: datetime) -> str:
    """Id of the oldest open reading that the assessor may take, now theirs. Of two who claim it at once, one gets it.

    Each try has a transaction of its own that locks one submission first, as everybody does who gives readings: an assessor would
    else be given two readings of one work at once. Raises NothingToRead, and NotCertified for who is certified for nothing at
    all: neither tells what others have to read.
    """
    async with world.database.reading() as session:
        assessor = await get_own_assessor(session, member)
        query = select(Reading).where(Reading.issuer_id == member.issuer_id, Reading.state == "open")
        waiting = [
            reading.id
            for reading in (await session.scalars(query.order_by(Reading.created_at, Reading.id))).all()
            if member.roles.intersection(roles_for(reading.kind)) and await _may_claim(session, assessor, reading, now)
        ]
        is_certified = await _is_certified(session, assessor, now)
    for reading_id in waiting:
        if await _claim(world, member, reading_id, now):
            return reading_id
    if not is_certified:
        raise NotCertified("You are not certified for any achievement today.")
    raise NothingToRead("There is nothing for you to read at the moment.")


async def _claim(world: Resources, member: Member, reading_id: str, now: datetime) -> bool:
    async with world.database.transaction() as session:
        reading, submission = await lock_with_submission(session, member.issuer_id, reading_id)
        assessor = await get_own_assessor(session, member)
        certification = await _may_claim(session, assessor, reading, now)
        if submission is None or certification is None:
            return False
        policy = await get_pinned_policy(session, submission)
        return await take(
            session, world, reading, assessor, certification, policy=policy, actor=member.actor, now=now
        )  # fmt: skip


async def _may_claim(
    session: AsyncSession, assessor: Assessor, reading: Reading, now: datetime
) -> Certification | None:
    """What entitles the assessor to take the reading; None where they may not."""
    if reading.submission_id is None or reading.state != "open":
        return None
    submission = await get_submission(session, reading.issuer_id, reading.submission_id)
    if not await is_on_panel(session, assessor, reading) or await _has_met(session, assessor, submission.id):
        return None
    if not await is_readable(session, submission, reading.kind):
        return None
    policy = await get_pinned_policy(session, submission)
    return await find_entitlement(session, assessor, submission, policy, now)


async def _has_met(session: AsyncSession, assessor: Assessor, submission_id: str) -> bool:
    """Whether the assessor holds, has submitted or has given back a reading of the submission."""
    query = select(Reading.id).where(
        Reading.issuer_id == assessor.issuer_id, Reading.submission_id == submission_id,
        Reading.assessor_id == assessor.id, Reading.state.in_((*LIVE, "submitted", "recused")),
    )  # fmt: skip
    return (await session.scalars(query.limit(1))).first() is not None


async def _is_certified(session: AsyncSession, assessor: Assessor, now: datetime) -> bool:
    query = select(Certification).where(
        Certification.issuer_id == assessor.issuer_id, Certification.assessor_id == assessor.id
    )
    return any(state_at(each, now) in READING_STATES for each in (await session.scalars(query)).all())
