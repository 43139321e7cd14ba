"""Support: after so many not-yets somebody talks with the learner before the next attempt. Nobody is shut out."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.errors import Conflict, Forbidden
from app.events.store import record_event
from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.submissions.store import Submission, lock_submission


class NothingToSupport(Conflict):
    """The attempt was not decided not yet."""

    code = "support_not_due"


class PartnerOnly(Forbidden):
    """A learner asked for what is done for them by others."""

    code = "not_for_learners"


async def offer_support(
    session: AsyncSession, vault: Vault, issuer_id: str, submission_id: str, *, note: str, actor: str, now: datetime
) -> Submission:
    """Record that support was offered after this attempt. A later offer replaces the note. Raises NotFound, NothingToSupport."""
    submission = await lock_submission(session, issuer_id, submission_id)
    if submission.outcome != "not_yet":
        raise NothingToSupport("Support is offered after an attempt that was decided not yet.")
    key = open_key(vault, await get_learner(session, issuer_id, submission.learner_id))
    submission.sealed_support = key.seal(note.encode(), table="submission", row=submission.id, column="sealed_support")
    submission.support_offered_at = submission.support_offered_at or now
    submission.updated_at = now
    audit(session, issuer_id=issuer_id, actor=actor, action="submission.support_offered", object_id=submission.id,
          content={}, at=now)  # fmt: skip
    record_event(session, issuer_id, "submission.support_offered", submission.id, at=now)
    return submission


def open_support(key: PersonalKey, submission: Submission) -> str | None:
    """What was noted when support was offered after this attempt. Raises Unreadable."""
    if submission.sealed_support is None:
        return None
    return key.open(submission.sealed_support, table="submission", row=submission.id, column="sealed_support").decode()
