"""What rooms above this one do about a change of what somebody holds."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.store import Credential
from app.jobs.queue import enqueue

HOLDINGS_JOB = "holdings_changed"
"""Follows every change of what a learner holds (`app.pathways`): {issuer_id, learner_id, achievement_id}; the achievement is null
where it may be any."""


def note_holdings(session: AsyncSession, credential: Credential, *, at: datetime) -> None:
    """In the caller's transaction: what the learner holds changes at this moment."""
    payload = {
        "issuer_id": credential.issuer_id,
        "learner_id": credential.learner_id,
        "achievement_id": credential.achievement_id,
    }
    enqueue(session, HOLDINGS_JOB, payload, run_at=at)
