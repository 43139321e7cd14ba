"""Audit entries. The database refuses to change or delete a row."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table


class AuditEntry(Table):
    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "issuer_id", "object_id"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    issuer_id: Mapped[str | None]
    actor: Mapped[str]
    action: Mapped[str]
    object_id: Mapped[str]
    digest: Mapped[str]
    recorded_at: Mapped[datetime]


def audit(
    session: AsyncSession,
    *,
    issuer_id: str | None,
    actor: str,
    action: str,
    object_id: str,
    content: Mapping[str, Any],
    at: datetime,
) -> None:
    """Add an entry to the transaction. Only the SHA-256 of `content` (sorted, compact JSON) is kept."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str)
    session.add(
        AuditEntry(
            issuer_id=issuer_id,
            actor=actor,
            action=action,
            object_id=object_id,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            recorded_at=at,
        )
    )
