"""Asking for a reading: it stands open until somebody who may takes it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.identifiers import new_id
from app.readings.store import Reading, ReadingKind
from app.submissions.store import Submission


async def request_reading(
    session: AsyncSession, submission: Submission, *, kind: ReadingKind, trigger: str | None = None, now: datetime
) -> Reading:
    """An open reading of the submission. `trigger` is why, where there is a choice: "near_standard", "first_of_version"."""
    reading = Reading(
        issuer_id=submission.issuer_id,
        id=new_id(),
        program_id=submission.program_id,
        submission_id=submission.id,
        kind=kind,
        trigger=trigger,
        state="open",
        created_at=now,
        updated_at=now,
    )
    session.add(reading)
    await session.flush()
    return reading
