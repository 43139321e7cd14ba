"""How much there is to read in a program, and what is late. Nothing of scores, and nothing of what kind the readings are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.programs.policy import get_policy
from app.programs.store import Program
from app.readings.store import LIVE, Reading
from app.submissions.store import Submission


@dataclass(frozen=True, slots=True)
class Queue:
    """`submissions` and `readings` are counts by state. `overdue_readings` have passed their due date, or have waited for an
    assessor longer than a reading may take (an adjudication: than an adjudication may take)."""

    submissions: Mapping[str, int]
    readings: Mapping[str, int]
    overdue_screenings: int
    overdue_readings: int


async def count_queue(session: AsyncSession, program: Program, now: datetime) -> Queue:
    """The program's queue as of now. Validity papers are counted among the readings, as what they look like."""
    turnaround = (await get_policy(session, program.issuer_id, program.id, program.policy_version)).turnaround
    work = (Submission.issuer_id == program.issuer_id, Submission.program_id == program.id)
    reads = (Reading.issuer_id == program.issuer_id, Reading.program_id == program.id)
    by_submission = select(Submission.state, func.count()).where(*work).group_by(Submission.state)
    by_reading = select(Reading.state, func.count()).where(*reads, Reading.state.in_(("open", *LIVE)))
    unscreened = select(func.count()).where(*work, Submission.state == "submitted", Submission.screening_due_at <= now)
    waiting_since = now - timedelta(days=turnaround.reading_days)
    adjudicating_since = now - timedelta(days=turnaround.adjudication_days)
    late = select(func.count()).where(
        *reads,
        (Reading.state.in_(LIVE) & (Reading.due_at <= now))
        | ((Reading.state == "open") & (Reading.created_at <= waiting_since))
        | (
            Reading.state.in_(("open", *LIVE))
            & (Reading.kind == "adjudication")
            & (Reading.created_at <= adjudicating_since)
        ),
    )
    return Queue(
        submissions=dict((await session.execute(by_submission)).all()),
        readings=dict((await session.execute(by_reading.group_by(Reading.state))).all()),
        overdue_screenings=await session.scalar(unscreened) or 0,
        overdue_readings=await session.scalar(late) or 0,
    )
