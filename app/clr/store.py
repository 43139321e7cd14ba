"""Learner records, and which badges they hold."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound


class LearnerRecord(Table):
    """A ClrCredential: its exact bytes, sealed under the learner's key, and their SHA-256. `visibility` is as with badges."""

    __tablename__ = "clr"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        ForeignKeyConstraint(["issuer_id", "status_list_id"], ["status_list.issuer_id", "status_list.id"]),
        ForeignKeyConstraint(["issuer_id", "key_id"], ["signing_key.issuer_id", "signing_key.id"]),
        UniqueConstraint("status_list_id", "status_list_index"),
        CheckConstraint("state IN ('issued', 'revoked')", name="state"),
        CheckConstraint("visibility IN ('private', 'unlisted')", name="visibility"),
        Index(None, "issuer_id", "learner_id"),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    learner_id: Mapped[str]
    state: Mapped[str]
    visibility: Mapped[str]
    partial: Mapped[bool]
    sealed_body: Mapped[bytes]
    digest: Mapped[str]
    valid_from: Mapped[datetime]
    status_list_id: Mapped[str]
    status_list_index: Mapped[int]
    key_id: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class RecordedBadge(Table):
    """That a record holds an edition of a badge, in this place (from 1)."""

    __tablename__ = "clr_badge"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "clr_id"], ["clr.issuer_id", "clr.id"]),
        ForeignKeyConstraint(["issuer_id", "edition_id"], ["edition.issuer_id", "edition.id"]),
        ForeignKeyConstraint(["issuer_id", "credential_id"], ["credential.issuer_id", "credential.id"]),
        Index(None, "issuer_id", "credential_id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    clr_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    credential_id: Mapped[str]
    edition_id: Mapped[str]


async def get_record(session: AsyncSession, issuer_id: str, clr_id: str) -> LearnerRecord:
    """Raises NotFound, also for a record of another issuer."""
    found = await session.get(LearnerRecord, (issuer_id, clr_id))
    if found is None:
        raise NotFound("There is no learner record with this id.")
    return found


async def lock_record(session: AsyncSession, issuer_id: str, clr_id: str) -> LearnerRecord:
    """As `get_record`, with the row locked."""
    query = select(LearnerRecord).where(LearnerRecord.issuer_id == issuer_id, LearnerRecord.id == clr_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    found = (await session.scalars(locked)).one_or_none()
    if found is None:
        raise NotFound("There is no learner record with this id.")
    return found


async def get_public_record(session: AsyncSession, clr_id: str) -> LearnerRecord:
    """Whichever issuer's, if it is not private. Raises NotFound."""
    query = select(LearnerRecord).where(LearnerRecord.id == clr_id, LearnerRecord.visibility != "private")
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise NotFound("There is no learner record with this id.")
    return found


async def list_records_of_learners(
    session: AsyncSession, issuer_id: str, learner_ids: Sequence[str]
) -> list[LearnerRecord]:
    """All records of these learners, oldest first."""
    query = select(LearnerRecord).where(LearnerRecord.issuer_id == issuer_id, LearnerRecord.learner_id.in_(learner_ids))
    return list((await session.scalars(query.order_by(LearnerRecord.created_at, LearnerRecord.id))).all())


async def list_badges_of(session: AsyncSession, issuer_id: str, clr_ids: Sequence[str]) -> list[RecordedBadge]:
    """What these records hold, in its order."""
    query = select(RecordedBadge).where(RecordedBadge.issuer_id == issuer_id, RecordedBadge.clr_id.in_(clr_ids))
    return list((await session.scalars(query.order_by(RecordedBadge.clr_id, RecordedBadge.number))).all())
