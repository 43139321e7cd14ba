"""Cases of misconduct and the votes on them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table


class MisconductCase(Table):
    """Suspected misconduct: notice, the learner's answer, the panel's vote, an appeal. Apart from scoring.

    `panel` is a list of ids of people; `sealed_texts` is JSON under the learner's key: notice, answer, appeal, reasons.
    """

    __tablename__ = "misconduct_case"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "submission_id"], ["submission.issuer_id", "submission.id"]),
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        CheckConstraint("state IN ('noticed', 'answered', 'decided', 'appealed', 'closed')", name="state"),
        CheckConstraint("outcome IN ('dismissed', 'suspend', 'void')", name="outcome"),
        Index(None, "issuer_id", "submission_id"),
        Index(None, "issuer_id", "updated_at", "id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    submission_id: Mapped[str]
    learner_id: Mapped[str]
    state: Mapped[str]
    panel: Mapped[list[str]]
    appeal_panel: Mapped[list[str] | None]
    outcome: Mapped[str | None]
    sealed_texts: Mapped[bytes]
    opened_by: Mapped[str]
    opened_at: Mapped[datetime]
    answer_due_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    appeal_due_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class MisconductVote(Table):
    """A panel member's vote; `stage` is `case` or `appeal`. Append-only."""

    __tablename__ = "misconduct_vote"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "case_id"], ["misconduct_case.issuer_id", "misconduct_case.id"]),
        ForeignKeyConstraint(["issuer_id", "person_id"], ["person.issuer_id", "person.id"]),
        CheckConstraint("vote IN ('dismissed', 'suspend', 'void')", name="vote"),
        CheckConstraint("stage IN ('case', 'appeal')", name="stage"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    vote: Mapped[str]
    voted_at: Mapped[datetime]
