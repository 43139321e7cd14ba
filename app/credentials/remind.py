"""The reminder that a badge is about to expire: an event, for whoever arranges renewals."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.store import Edition, get_edition, lock_credential
from app.db import Database
from app.events.store import list_events_about, record_event
from app.jobs.queue import enqueue
from app.learners.store import get_learner

REMINDER_JOB = "remind_of_expiry"
EVENT = "credential.expiring"


def remind_later(session: AsyncSession, edition: Edition, days_before: int | None, now: datetime) -> None:
    """Note in the caller's transaction that somebody is to be reminded; nothing when the badge does not expire."""
    if days_before is None or edition.valid_until is None:
        return
    due = edition.valid_until - timedelta(days=days_before)
    payload = {"issuer_id": edition.issuer_id, "edition_id": edition.id}
    enqueue(session, REMINDER_JOB, payload, run_at=max(due, now))


async def remind(database: Database, issuer_id: str, edition_id: str, now: datetime) -> None:
    """Record the event, once for each date: not for a badge that was renewed, put out of force or erased meanwhile."""
    async with database.transaction() as session:
        edition = await get_edition(session, issuer_id, edition_id)
        credential = await lock_credential(session, issuer_id, edition.credential_id)
        learner = await get_learner(session, issuer_id, credential.learner_id)
        is_current = credential.state == "issued" and credential.edition_number == edition.number
        if not is_current or learner.sealed_key is None or edition.valid_until is None or edition.valid_until <= now:
            return
        data = {"valid_until": edition.valid_until.isoformat()}
        about = await list_events_about(session, issuer_id, [credential.id])
        if not any(event.type == EVENT and event.data == data for event in about):
            record_event(session, issuer_id, EVENT, credential.id, at=now, data=data)
