"""Cases of misconduct and the votes on them."""

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound

CaseState = Literal["noticed", "answered", "decided", "appealed", "closed"]
Vote = Literal["dismissed", "suspend", "void"]
Stage = Literal["case", "appeal"]
Effect = Literal["none", "suspended", "revoked", "not_suspendable", "discontinued"]


class MisconductCase(Table):
    """Suspected misconduct: notice, the learner's answer, the panel's vote, an appeal. Apart from scoring.

    `panel` is a list of ids of people; `sealed_texts` is JSON under the learner's key: notice, answer, appeal, reasons. `effect`
    is what became of the badge once the case is closed: `suspended`, `revoked`, `not_suspendable` (it can only be revoked, which
    was not the outcome), `none`; or `discontinued`: the learner was erased before there was a final outcome.
    """

    __tablename__ = "misconduct_case"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "submission_id"], ["submission.issuer_id", "submission.id"]),
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        CheckConstraint("state IN ('noticed', 'answered', 'decided', 'appealed', 'closed')", name="state"),
        CheckConstraint("outcome IN ('dismissed', 'suspend', 'void')", name="outcome"),
        CheckConstraint("effect IN ('none', 'suspended', 'revoked', 'not_suspendable', 'discontinued')", name="effect"),
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
    effect: Mapped[str | None]
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


async def get_case(session: AsyncSession, issuer_id: str, case_id: str) -> MisconductCase:
    """Raises NotFound, also for a case of another issuer."""
    case = await session.get(MisconductCase, (issuer_id, case_id))
    if case is None:
        raise NotFound("There is no case with this id.")
    return case


async def lock_case(session: AsyncSession, issuer_id: str, case_id: str) -> MisconductCase:
    """As `get_case`, with the row locked. Whoever needs the submission as well locks that first."""
    query = select(MisconductCase).where(MisconductCase.issuer_id == issuer_id, MisconductCase.id == case_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    case = (await session.scalars(locked)).one_or_none()
    if case is None:
        raise NotFound("There is no case with this id.")
    return case


async def find_open_case(session: AsyncSession, issuer_id: str, submission_id: str) -> MisconductCase | None:
    """The case about the submission that is not closed."""
    query = select(MisconductCase).where(
        MisconductCase.issuer_id == issuer_id,
        MisconductCase.submission_id == submission_id,
        MisconductCase.state != "closed",
    )
    return (await session.scalars(query)).first()


async def list_votes(session: AsyncSession, issuer_id: str, case_id: str) -> list[MisconductVote]:
    """The votes in a case, oldest first."""
    query = select(MisconductVote).where(MisconductVote.issuer_id == issuer_id, MisconductVote.case_id == case_id)
    return list((await session.scalars(query.order_by(MisconductVote.voted_at, MisconductVote.person_id))).all())


async def list_cases_of_learners(session: AsyncSession, issuer_id: str, learner_ids: list[str]) -> list[MisconductCase]:
    """All cases about these learners, oldest first."""
    query = select(MisconductCase).where(
        MisconductCase.issuer_id == issuer_id, MisconductCase.learner_id.in_(learner_ids)
    )
    return list((await session.scalars(query.order_by(MisconductCase.opened_at, MisconductCase.id))).all())
