"""That somebody asked for figures about groups of people, and for which: so that a search for a few can be seen afterwards."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.events.store import record_event


def note_asked(
    session: AsyncSession,
    issuer_id: str,
    program_id: str,
    report: str,
    filters: Mapping[str, Any],
    actor: str,
    now: datetime,
) -> None:
    """In the trail, and readable in the feed: who, which report, which filters."""
    content = {"report": report, "filters": dict(filters), "actor": actor}
    audit(session, issuer_id=issuer_id, actor=actor, action="report.asked", object_id=program_id, content=content,
          at=now)  # fmt: skip
    record_event(session, issuer_id, "report.asked", program_id, at=now, data=content)
