"""What equity reports may tell, worked out once for each person and frozen."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table


class EquityPeriod(Table):
    """The people of a program whose first decision was recorded from `since` to before `until`. Append-only.

    `content` is `app.reports.equity_period.PeriodContent`: counts of blocks of `minimum_cell` people or more, blurred at the
    ends. Nothing in it tells of fewer, so that it stays as it is when somebody takes back what they said, or is erased.
    """

    __tablename__ = "equity_period"
    __table_args__ = (ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),)

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    program_id: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime] = mapped_column(primary_key=True)
    since: Mapped[datetime | None]
    people: Mapped[int]
    minimum_cell: Mapped[int]
    content: Mapped[dict[str, Any]]
    closed_at: Mapped[datetime]


async def find_period(session: AsyncSession, issuer_id: str, program_id: str, as_of: datetime) -> EquityPeriod | None:
    """The last period of the program that was closed by then."""
    query = select(EquityPeriod).where(
        EquityPeriod.issuer_id == issuer_id, EquityPeriod.program_id == program_id, EquityPeriod.closed_at <= as_of
    )
    return (await session.scalars(query.order_by(EquityPeriod.until.desc()).limit(1))).one_or_none()
