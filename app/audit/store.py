"""Audit entries, the links that chain them (the database refuses to change or delete either), and the heads of the chains."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, select, text
from sqlalchemy.event import listens_for
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm import Session as SyncSession

from app.db import Table

PLATFORM = "platform"
"""The chain of what concerns no single issuer."""

BEGINNING = ""
"""What the first link of a chain has as the digest before it."""


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


class AuditChain(Table):
    """The head of a chain: `chain` is an issuer's id or PLATFORM."""

    __tablename__ = "audit_chain"

    chain: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str]


class AuditLink(Table):
    """An entry's place in its chain. Append-only.

    A table beside the entries, not columns of them: a release that knows nothing of chains can go on writing entries.
    """

    __tablename__ = "audit_link"

    chain: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), ForeignKey("audit_entry.id"), unique=True
    )
    previous: Mapped[str]
    digest: Mapped[str]


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
    entry = AuditEntry(
        issuer_id=issuer_id,
        actor=actor,
        action=action,
        object_id=object_id,
        digest=content_digest(content),
        recorded_at=at,
    )
    session.add(entry)
    session.info.setdefault("audit_entries", []).append(entry)


def content_digest(content: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what an entry commits to: sorted, compact JSON."""
    document = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str)
    return hashlib.sha256(document.encode()).hexdigest()


def link_digest(chain: str, position: int, previous: str, entry: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over a link and its entry: the JSON array of their values, compact, the moment in UTC to the microsecond.

    `entry` has the columns of AuditEntry; `recorded_at` is an aware moment.
    """
    values = [
        chain, position, previous, entry["id"], entry["issuer_id"], entry["actor"], entry["action"], entry["object_id"],
        entry["digest"], _moment(entry["recorded_at"]),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


async def link_loose_entries(session: AsyncSession) -> int:
    """Append the entries that an earlier release wrote beside this one to their chains: how many there were."""
    linked = select(AuditLink.entry_id).where(AuditLink.entry_id == AuditEntry.id)
    loose = (await session.scalars(select(AuditEntry).where(~linked.exists()).order_by(AuditEntry.id))).all()
    session.info.setdefault("audit_entries", []).extend(loose)
    return len(loose)


# Before the events draw their positions (`insert`): every transaction takes these last locks in one order, the chains' heads,
# then the events' counters, each sorted, so that no two wait for each other crosswise.
@listens_for(SyncSession, "before_commit", insert=True)
def _link_entries(session: SyncSession) -> None:
    entries: list[AuditEntry] = session.info.pop("audit_entries", [])
    if not entries:
        return
    session.flush()  # gives the entries their ids
    for chain in sorted({entry.issuer_id or PLATFORM for entry in entries}):
        head = _lock_head(session, chain)
        for entry in (entry for entry in entries if (entry.issuer_id or PLATFORM) == chain):
            columns = {column.name: getattr(entry, column.name) for column in AuditEntry.__table__.columns}
            position, previous = head.position + 1, head.digest
            head.position, head.digest = position, link_digest(chain, position, previous, columns)
            session.add(
                AuditLink(chain=chain, position=position, entry_id=entry.id, previous=previous, digest=head.digest)
            )


def _lock_head(session: SyncSession, chain: str) -> AuditChain:
    """The head of a chain, its row locked until the commit; a new chain begins here."""
    query = select(AuditChain).where(AuditChain.chain == chain)
    locked = query.with_for_update().execution_options(populate_existing=True)
    head = session.scalars(locked).one_or_none()
    if head is not None:
        return head
    begin = text("INSERT INTO audit_chain (chain, position, digest) VALUES (:chain, 0, :digest) ON CONFLICT DO NOTHING")
    session.execute(begin, {"chain": chain, "digest": BEGINNING})
    return session.scalars(locked).one()


def _moment(moment: object) -> str:
    """What is not a moment any more is taken as it is: then the digest differs."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(moment, datetime) else str(moment)
