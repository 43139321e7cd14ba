"""Withdrawing a submission, until somebody has begun to read it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.errors import Conflict
from app.events.store import record_event
from app.jobs.queue import enqueue
from app.submissions.jobs import CANCEL_READINGS_JOB
from app.submissions.store import Submission, lock_submission


class ReadingStarted(Conflict):
    """Somebody has begun to read: the work is judged to the end."""

    code = "reading_started"


class SubmissionHeld(Conflict):
    """The work is held for a reason that withdrawing does not settle."""

    code = "submission_held"


async def withdraw(
    session: AsyncSession, issuer_id: str, submission_id: str, *, actor: str, now: datetime
) -> Submission:
    """Take the work back; another attempt may begin. Doing it again changes nothing.

    Raises NotFound, ReadingStarted and SubmissionHeld. Whoever starts a reading locks the submission as well, so one of the two
    comes first.
    """
    submission = await lock_submission(session, issuer_id, submission_id)
    if submission.state == "withdrawn":
        return submission
    if submission.state == "on_hold" and not submission.held_by_screening:
        raise SubmissionHeld("The submission is held.", cure="Wait until it is settled why.")
    stands = submission.held_from if submission.state == "on_hold" else submission.state
    if stands not in ("draft", "submitted", "returned_incomplete", "accepted"):
        raise ReadingStarted("The work is being read, or was, and cannot be withdrawn any more.")
    if submission.accepted_at is not None:
        enqueue(session, CANCEL_READINGS_JOB, {"issuer_id": issuer_id, "submission_id": submission.id}, run_at=now)
    submission.state, submission.held_from, submission.held_by_screening = "withdrawn", None, False
    submission.screening_due_at, submission.updated_at = None, now
    audit(session, issuer_id=issuer_id, actor=actor, action="submission.withdrawn", object_id=submission.id,
          content={}, at=now)  # fmt: skip
    record_event(session, issuer_id, "submission.withdrawn", submission.id, at=now)
    return submission
