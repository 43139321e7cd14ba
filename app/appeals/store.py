"""Appeals and moderations."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound


class Appeal(Table):
    """A learner's appeal against a decision: one for each. `sealed_texts` is JSON under the learner's key: grounds and answer."""

    __tablename__ = "appeal"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "decision_id"], ["decision.issuer_id", "decision.id"]),
        ForeignKeyConstraint(["issuer_id", "submission_id"], ["submission.issuer_id", "submission.id"]),
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        ForeignKeyConstraint(["issuer_id", "reading_id"], ["reading.issuer_id", "reading.id"]),
        UniqueConstraint("issuer_id", "decision_id"),
        CheckConstraint("state IN ('filed', 'inadmissible', 'reading', 'read', 'decided')", name="state"),
        CheckConstraint("outcome IN ('confirmed', 'changed', 'void')", name="outcome"),
        Index(None, "issuer_id", "updated_at", "id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    decision_id: Mapped[str]
    submission_id: Mapped[str]
    learner_id: Mapped[str]
    state: Mapped[str]
    reading_id: Mapped[str | None]
    outcome: Mapped[str | None]
    new_decision_id: Mapped[str | None]
    sealed_texts: Mapped[bytes]
    filed_at: Mapped[datetime]
    answer_due_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class Moderation(Table):
    """A review of a batch of decisions. `reason_code` is one of `app.scoring.store.REASON_CODES`."""

    __tablename__ = "moderation"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),
        CheckConstraint("state IN ('open', 'closed')", name="state"),
        Index(None, "issuer_id", "updated_at", "id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    program_id: Mapped[str]
    reason_code: Mapped[str]
    note: Mapped[str]
    state: Mapped[str]
    opened_by: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class ModerationItem(Table):
    """A decision under review: the new reading of its submission, and what came of it.

    `outcome` is `confirmed`, `changed`, or `void`: the submission became void, and nothing was left to review.
    """

    __tablename__ = "moderation_item"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "moderation_id"], ["moderation.issuer_id", "moderation.id"]),
        ForeignKeyConstraint(["issuer_id", "decision_id"], ["decision.issuer_id", "decision.id"]),
        ForeignKeyConstraint(["issuer_id", "reading_id"], ["reading.issuer_id", "reading.id"]),
        CheckConstraint("outcome IN ('confirmed', 'changed', 'void')", name="outcome"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    moderation_id: Mapped[str] = mapped_column(primary_key=True)
    decision_id: Mapped[str] = mapped_column(primary_key=True)
    reading_id: Mapped[str | None]
    outcome: Mapped[str | None]
    new_decision_id: Mapped[str | None]
    updated_at: Mapped[datetime]


async def get_appeal(session: AsyncSession, issuer_id: str, appeal_id: str) -> Appeal:
    """Raises NotFound, also for an appeal of another issuer."""
    appeal = await session.get(Appeal, (issuer_id, appeal_id))
    if appeal is None:
        raise NotFound("There is no appeal with this id.")
    return appeal


async def find_appeal_of_decision(session: AsyncSession, issuer_id: str, decision_id: str) -> Appeal | None:
    query = select(Appeal).where(Appeal.issuer_id == issuer_id, Appeal.decision_id == decision_id)
    return (await session.scalars(query)).one_or_none()


async def list_appeals_of_learners(session: AsyncSession, issuer_id: str, learner_ids: list[str]) -> list[Appeal]:
    """All appeals of these learners, oldest first."""
    query = select(Appeal).where(Appeal.issuer_id == issuer_id, Appeal.learner_id.in_(learner_ids))
    return list((await session.scalars(query.order_by(Appeal.filed_at, Appeal.id))).all())


async def get_moderation(session: AsyncSession, issuer_id: str, moderation_id: str) -> Moderation:
    """Raises NotFound, also for a moderation of another issuer."""
    moderation = await session.get(Moderation, (issuer_id, moderation_id))
    if moderation is None:
        raise NotFound("There is no moderation with this id.")
    return moderation


async def lock_moderation(session: AsyncSession, issuer_id: str, moderation_id: str) -> Moderation:
    """As `get_moderation`, with the row locked: after the submission's, so that the last of its decisions closes it."""
    query = select(Moderation).where(Moderation.issuer_id == issuer_id, Moderation.id == moderation_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(locked)).one()


async def list_items(session: AsyncSession, issuer_id: str, moderation_id: str) -> list[ModerationItem]:
    """The decisions under review, by id."""
    query = select(ModerationItem).where(
        ModerationItem.issuer_id == issuer_id, ModerationItem.moderation_id == moderation_id
    )
    ordered = query.order_by(ModerationItem.decision_id).execution_options(populate_existing=True)
    return list((await session.scalars(ordered)).all())
