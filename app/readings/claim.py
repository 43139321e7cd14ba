"""Taking the next reading oneself."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.assessors.certification import READING_STATES, NotCertified, state_at
from app.assessors.store import Assessor, Certification, get_panel
from app.errors import NotFound
from app.programs.store import get_program
from app.readings.assign import take
from app.readings.entitled import find_entitlement, get_pinned_policy, is_readable, roles_for
from app.readings.held import get_own_assessor
from app.readings.store import LIVE, Reading
from app.resources import Resources
from app.submissions.store import get_submission


class NothingToRead(NotFound):
    """No open reading is for this assessor."""

    code = "nothing_to_read"


async def claim_reading(session: AsyncSession, world: Resources, member: Member, now: datetime) -> Reading:
    """The oldest open reading that the assessor may take, now theirs. Of two who claim it at once, one gets it.

    Raises NothingToRead, and NotCertified for who is certified for nothing at all: neither tells what others have to read.
    """
    assessor = await get_own_assessor(session, member)
    query = select(Reading).where(Reading.issuer_id == member.issuer_id, Reading.state == "open")
    for reading in (await session.scalars(query.order_by(Reading.created_at, Reading.id))).all():
        if member.roles.intersection(roles_for(reading.kind)) and await _claim(session, world, assessor, reading, now):
            return reading
    if not await _is_certified(session, assessor, now):
        raise NotCertified("You are not certified for any achievement today.")
    raise NothingToRead("There is nothing for you to read at the moment.")


async def _claim(session: AsyncSession, world: Resources, assessor: Assessor, reading: Reading, now: datetime) -> bool:
    if reading.submission_id is None:
        return False
    submission = await get_submission(session, reading.issuer_id, reading.submission_id)
    program = await get_program(session, reading.issuer_id, reading.program_id)
    panel = await get_panel(session, reading.issuer_id, program.panel_id)
    if assessor.code not in panel.members or await _has_met(session, assessor, submission.id):
        return False
    policy = await get_pinned_policy(session, submission)
    certification = await find_entitlement(session, assessor, submission, policy, now)
    if certification is None or not await is_readable(session, submission, reading.kind):
        return False
    actor = f"person:{assessor.person_id}"
    return await take(session, world, reading, assessor, certification, policy=policy, actor=actor, now=now)


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
