"""What becomes of a reading, for the audit trail and the feed of events. Neither tells what kind of reading it is."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.events.store import record_event
from app.readings.store import Reading

SERVICE = "service:readings"
"""The actor where nobody but the service does it."""


def note(session: AsyncSession, reading: Reading, what: str, *, actor: str = SERVICE, now: datetime) -> None:
    """`what` became of the reading, like "assigned"."""
    content = {
        "kind": reading.kind,
        "trigger": reading.trigger,
        "state": reading.state,
        "assessor": reading.assessor_code,
        "end_reason": reading.end_reason,
        "digest": reading.digest,
    }
    audit(session, issuer_id=reading.issuer_id, actor=actor, action=f"reading.{what}", object_id=reading.id,
          content=content, at=now)  # fmt: skip
    record_event(session, reading.issuer_id, f"reading.{what}", reading.id, at=now)
