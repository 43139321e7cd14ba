"""Appeals and moderations."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table


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
    """A decision under review: the new reading of its submission, and what came of it."""

    __tablename__ = "moderation_item"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "moderation_id"], ["moderation.issuer_id", "moderation.id"]),
        ForeignKeyConstraint(["issuer_id", "decision_id"], ["decision.issuer_id", "decision.id"]),
        ForeignKeyConstraint(["issuer_id", "reading_id"], ["reading.issuer_id", "reading.id"]),
        CheckConstraint("outcome IN ('confirmed', 'changed')", name="outcome"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    moderation_id: Mapped[str] = mapped_column(primary_key=True)
    decision_id: Mapped[str] = mapped_column(primary_key=True)
    reading_id: Mapped[str | None]
    outcome: Mapped[str | None]
    new_decision_id: Mapped[str | None]
    updated_at: Mapped[datetime]
