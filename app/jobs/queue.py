"""The port: enqueue a job in the current transaction. `app.worker` knows which handler a name has."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.identifiers import new_id


class Job(Table):
    """Work to be done at or after `run_at`. Done jobs are deleted; failed ones are retried later and later."""

    __tablename__ = "job"
    __table_args__ = (Index(None, "run_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    payload: Mapped[dict[str, Any]]
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    last_error: Mapped[str | None]


def enqueue(session: AsyncSession, name: str, payload: Mapping[str, Any], *, run_at: datetime) -> None:
    """Add a job to the transaction. `payload` holds ids, never personal data."""
    session.add(Job(id=new_id(), name=name, payload=dict(payload), run_at=run_at))


async def enqueue_once(session: AsyncSession, name: str, payload: Mapping[str, Any], *, run_at: datetime) -> None:
    """As `enqueue`, unless the same is to be done at that very moment already. Two transactions at once may still add two."""
    waiting = await session.scalars(select(Job.payload).where(Job.run_at == run_at, Job.name == name))
    if dict(payload) not in waiting.all():
        enqueue(session, name, payload, run_at=run_at)
