"""Readings that somebody holds are looked at again, when what lets them read may have changed: who may not read any more is rid
of them at once, and somebody else gets them."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import get_person, list_roles
from app.assessors.certification import NotCertified, require_certified
from app.assessors.store import Anchor, Assessor, get_assessor
from app.programs.store import Enrollment, Program
from app.readings.conflicts import ConflictOfInterest, find_conflict, list_selves
from app.readings.entitled import is_on_panel, roles_for
from app.readings.reassign import lock_with_submission, replace
from app.readings.store import LIVE, Reading
from app.readings.trail import SERVICE
from app.resources import Resources
from app.submissions.store import Submission, TeamMember


async def recheck_conflicts_of_learner(world: Resources, issuer_id: str, learner_id: str) -> None:
    """The handler of RECHECK_CONFLICTS_JOB: live readings of the learner's work, and of their team's."""
    async with world.database.reading() as session:
        selves = await list_selves(session, issuer_id, learner_id)
    teams = (
        select(TeamMember.team_id)
        .join(
            Enrollment,
            (Enrollment.issuer_id == TeamMember.issuer_id) & (Enrollment.id == TeamMember.enrollment_id),
        )
        .where(TeamMember.issuer_id == issuer_id, Enrollment.learner_id.in_(selves))
    )
    concerned = select(Submission.id).where(
        Submission.issuer_id == issuer_id, or_(Submission.learner_id.in_(selves), Submission.team_id.in_(teams))
    )
    await _recheck_all(world, issuer_id, Reading.submission_id.in_(concerned))


async def recheck_assessor(world: Resources, issuer_id: str, assessor_id: str) -> None:
    """The handler of RECHECK_ASSESSOR_JOB: the assessor's live readings."""
    await _recheck_all(world, issuer_id, Reading.assessor_id == assessor_id)


async def recheck_person(world: Resources, issuer_id: str, person_id: str) -> None:
    """The handler of RECHECK_PERSON_JOB: the live readings of the assessor that this person is, if they are one."""
    theirs = select(Assessor.id).where(Assessor.issuer_id == issuer_id, Assessor.person_id == person_id)
    await _recheck_all(world, issuer_id, Reading.assessor_id.in_(theirs))


async def recheck_panel(world: Resources, issuer_id: str, panel_id: str) -> None:
    """The handler of RECHECK_PANEL_JOB: live readings of the programs for which the panel reads."""
    programs = select(Program.id).where(Program.issuer_id == issuer_id, Program.panel_id == panel_id)
    await _recheck_all(world, issuer_id, Reading.program_id.in_(programs))


async def recheck_program(world: Resources, issuer_id: str, program_id: str) -> None:
    """The handler of RECHECK_PROGRAM_JOB: the program's live readings."""
    await _recheck_all(world, issuer_id, Reading.program_id == program_id)


async def _recheck_all(world: Resources, issuer_id: str, which: ColumnElement[bool]) -> None:
    query = select(Reading.id).where(Reading.issuer_id == issuer_id, Reading.state.in_(LIVE), which)
    async with world.database.reading() as session:
        found = (await session.scalars(query.order_by(Reading.id))).all()
    for reading_id in found:
        await _recheck(world, issuer_id, reading_id)


async def _recheck(world: Resources, issuer_id: str, reading_id: str) -> None:
    now = world.clock.now()
    async with world.database.transaction() as session:
        reading, submission = await lock_with_submission(session, issuer_id, reading_id)
        if reading.state not in LIVE or reading.assessor_id is None:
            return
        assessor = await get_assessor(session, issuer_id, reading.assessor_id)
        reason = await _find_reason(session, reading, submission, assessor, now)
        if reason is not None:
            await replace(session, world, submission, reading, "reassigned", reason=reason, actor=SERVICE, now=now)


async def _find_reason(
    session: AsyncSession, reading: Reading, submission: Submission | None, assessor: Assessor, now: datetime
) -> str | None:
    """Why the assessor may not do the reading any more; None where they may."""
    if submission is not None and await find_conflict(session, assessor, submission):
        return ConflictOfInterest.code
    person_id = assessor.person_id
    if not assessor.is_active or not (await get_person(session, assessor.issuer_id, person_id)).is_active:
        return "inactive"
    has_role = set(roles_for(reading.kind)).intersection(
        (await list_roles(session, assessor.issuer_id, [person_id]))[person_id]
    )
    if not has_role or not await is_on_panel(session, assessor, reading):
        return "no_longer_reader"
    subject: Submission | Anchor | None = submission
    if subject is None:
        subject = await session.get_one(Anchor, (reading.issuer_id, reading.anchor_id))
    try:
        await require_certified(session, assessor, subject.achievement_id, subject.version, now)
    except NotCertified as refusal:
        return refusal.code
    return None
