"""Flags: tasks for a lead that a rule of drift or severity made."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound

FlagLevel = Literal["watch", "suspend"]
FlagState = Literal["open", "dismissed", "acted"]
FlagAction = Literal["coach", "probation", "suspend"]


class RaterFlag(Table):
    """That a rule fired for an assessor in a quarter, what it rested on, and what a lead made of it.

    `evidence` is an `app.monitoring.evidence.Evidence` as it was when the rule fired; it is not changed after. A rule fires
    once for a quarter at each level, whatever became of the flag.
    """

    __tablename__ = "rater_flag"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "assessor_id"], ["assessor.issuer_id", "assessor.id"]),
        ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),
        ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
        ),
        UniqueConstraint(
            "issuer_id", "assessor_id", "program_id", "achievement_id", "version", "rule", "level", "quarter",
            name="uq_rater_flag_once",
        ),
        CheckConstraint("level IN ('watch', 'suspend')", name="level"),
        CheckConstraint("state IN ('open', 'dismissed', 'acted')", name="state"),
        CheckConstraint("action IN ('coach', 'probation', 'suspend')", name="action"),
        Index(None, "issuer_id", "updated_at", "id"),
    )  # fmt: skip

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    assessor_id: Mapped[str]
    program_id: Mapped[str]
    achievement_id: Mapped[str]
    version: Mapped[int]
    rule: Mapped[str]
    level: Mapped[str]
    quarter: Mapped[str]
    evidence: Mapped[dict[str, Any]]
    state: Mapped[str]
    action: Mapped[str | None]
    reason: Mapped[str | None]
    decided_by: Mapped[str | None]
    raised_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class MonitoringRound(Table):
    """When the rules were applied to a program last, and when they are next: so that of two jobs one goes on."""

    __tablename__ = "monitoring_round"
    __table_args__ = (ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),)

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    program_id: Mapped[str] = mapped_column(primary_key=True)
    evaluated_at: Mapped[datetime]
    next_at: Mapped[datetime | None]


async def get_flag(session: AsyncSession, issuer_id: str, flag_id: str) -> RaterFlag:
    """Raises NotFound, also for a flag of another issuer."""
    flag = await session.get(RaterFlag, (issuer_id, flag_id))
    if flag is None:
        raise NotFound("There is no flag with this id.")
    return flag


async def lock_flag(session: AsyncSession, issuer_id: str, flag_id: str) -> RaterFlag:
    """As `get_flag`, with the row locked: whoever decides about a flag reads it under its lock."""
    query = select(RaterFlag).where(RaterFlag.issuer_id == issuer_id, RaterFlag.id == flag_id)
    flag = (await session.scalars(query.with_for_update().execution_options(populate_existing=True))).one_or_none()
    if flag is None:
        raise NotFound("There is no flag with this id.")
    return flag


async def list_flags_of(session: AsyncSession, issuer_id: str, assessor_id: str) -> list[RaterFlag]:
    """All flags about an assessor, oldest first."""
    query = select(RaterFlag).where(RaterFlag.issuer_id == issuer_id, RaterFlag.assessor_id == assessor_id)
    return list((await session.scalars(query.order_by(RaterFlag.raised_at, RaterFlag.id))).all())
