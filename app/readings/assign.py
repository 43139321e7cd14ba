"""Giving open readings to those who may take them: by load, then to who has waited longest."""

from datetime import datetime, timedelta

from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import Person, PersonRole
from app.assessors.store import Assessor, Certification, get_panel
from app.jobs.queue import Job, enqueue
from app.programs.policy import ScoringPolicyBody
from app.programs.store import get_program
from app.readings.entitled import find_entitlement, get_pinned_policy, is_readable, roles_for
from app.readings.jobs import ASSIGN_READINGS_JOB, EXPIRE_READING_JOB
from app.readings.store import LIVE, Reading, list_readings
from app.readings.trail import SERVICE, note
from app.readings.validity import plan_validity_paper
from app.resources import Resources
from app.submissions.store import Submission, lock_submission

_AGAIN_AFTER = timedelta(hours=1)


async def assign_open(session: AsyncSession, world: Resources, submission: Submission, now: datetime) -> None:
    """Give each open reading of the submission, whose row is locked, to an assessor. Where nobody may, it stays open for who
    claims it, and is looked at again every hour: somebody may be certified, or join the panel."""
    policy = await get_pinned_policy(session, submission)
    waits = False
    for reading in await list_readings(session, submission.issuer_id, submission.id):
        if reading.state == "open" and await is_readable(session, submission, reading.kind):
            chosen = await _choose(session, submission, reading, policy, now)
            if chosen is None:
                waits = True
            else:
                await take(session, world, reading, *chosen, policy=policy, actor=SERVICE, now=now)
    if waits:
        await _look_again(session, submission, now)


async def _look_again(session: AsyncSession, submission: Submission, now: datetime) -> None:
    """Plan the next look, unless one is planned."""
    payload = {"issuer_id": submission.issuer_id, "submission_id": submission.id}
    later = select(Job).where(Job.name == ASSIGN_READINGS_JOB, Job.run_at > now)
    if not any(job.payload == payload for job in await session.scalars(later)):
        enqueue(session, ASSIGN_READINGS_JOB, payload, run_at=now + _AGAIN_AFTER)


async def assign_readings(world: Resources, issuer_id: str, submission_id: str) -> None:
    """The handler of ASSIGN_READINGS_JOB: `assign_open` in a transaction of its own."""
    async with world.database.transaction() as session:
        submission = await lock_submission(session, issuer_id, submission_id)
        await assign_open(session, world, submission, world.clock.now())


async def take(
    session: AsyncSession,
    world: Resources,
    reading: Reading,
    assessor: Assessor,
    certification: Certification,
    *,
    policy: ScoringPolicyBody,
    actor: str,
    now: datetime,
) -> bool:
    """Give an open reading to the assessor. False when somebody else took it this very moment.

    The lease is as long for every kind of reading: a shorter one would tell what kind it is.
    """
    due_at = now + timedelta(days=policy.turnaround.reading_days)
    taken = await session.execute(
        update(Reading)
        .where(Reading.issuer_id == reading.issuer_id, Reading.id == reading.id, Reading.state == "open")
        .values(
            state="assigned", assessor_id=assessor.id, assessor_code=assessor.code, certification_id=certification.id,
            assigned_at=now, due_at=due_at, updated_at=now,
        )
        .returning(Reading.id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if taken.first() is None:
        return False
    await session.refresh(reading)
    payload = {"issuer_id": reading.issuer_id, "reading_id": reading.id}
    enqueue(session, EXPIRE_READING_JOB, payload, run_at=due_at)
    plan_validity_paper(session, world.vault, reading, policy, now)
    note(session, reading, "assigned", actor=actor, now=now)
    return True


async def _choose(
    session: AsyncSession, submission: Submission, reading: Reading, policy: ScoringPolicyBody, now: datetime
) -> tuple[Assessor, Certification] | None:
    for assessor in await _list_by_load(session, submission, reading.kind):
        certification = await find_entitlement(session, assessor, submission, policy, now)
        if certification is not None:
            return assessor, certification
    return None


async def _list_by_load(session: AsyncSession, submission: Submission, kind: str) -> list[Assessor]:
    """Assessors of the program's panel who never held a reading of the submission, in the order in which they are asked."""
    issuer_id = submission.issuer_id
    program = await get_program(session, issuer_id, submission.program_id)
    panel = await get_panel(session, issuer_id, program.panel_id)
    holding = select(PersonRole.person_id).where(
        PersonRole.issuer_id == issuer_id, PersonRole.role.in_(roles_for(kind))
    )
    met = select(Reading.assessor_id).where(
        Reading.issuer_id == issuer_id, Reading.submission_id == submission.id, Reading.assessor_id.is_not(None)
    )
    query = (
        select(Assessor)
        .join(Person, (Person.issuer_id == Assessor.issuer_id) & (Person.id == Assessor.person_id))
        .where(
            Assessor.issuer_id == issuer_id,
            Assessor.code.in_(panel.members),
            Assessor.is_active,
            Person.is_active,
            Assessor.person_id.in_(holding),
            Assessor.id.not_in(met),
        )
    )
    assessors = (await session.scalars(query)).all()
    load = case((Reading.state.in_(LIVE), 1), else_=0)
    loads = await session.execute(
        select(Reading.assessor_id, func.sum(load), func.max(Reading.assigned_at))
        .where(Reading.issuer_id == issuer_id, Reading.assessor_id.in_([each.id for each in assessors]))
        .group_by(Reading.assessor_id)
    )
    known = {id_: (int(live), last.timestamp()) for id_, live, last in loads}
    return sorted(assessors, key=lambda each: (*known.get(each.id, (0, 0.0)), each.code))
