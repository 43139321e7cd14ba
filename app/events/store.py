"""Events and the counter that orders them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, select, update
from sqlalchemy.event import listens_for
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm import Session as SyncSession

from app.db import Table


class EventCounter(Table):
    __tablename__ = "event_counter"

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, default=0)


class Event(Table):
    """One change. Append-only: the database refuses to change or delete a row."""

    __tablename__ = "event"
    __table_args__ = (Index(None, "issuer_id", "object_id", "position"),)

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    type: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[str]
    data: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime]


def record_event(
    session: AsyncSession,
    issuer_id: str,
    type_: str,
    object_id: str,
    *,
    at: datetime,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Note an event. `type_` is `<object type>.<what happened>`, like `credential.issued`."""
    event = Event(
        issuer_id=issuer_id,
        type=type_,
        object_type=type_.partition(".")[0],
        object_id=object_id,
        data=dict(data or {}),
        occurred_at=at,
    )
    session.info.setdefault("events", []).append(event)


# The counter is the last lock a transaction takes, whatever it did before: two transactions can then never wait for each
# other's counter and another row crosswise.
@listens_for(SyncSession, "before_commit")
def _draw_positions(session: SyncSession) -> None:
    events: list[Event] = session.info.pop("events", [])
    for issuer_id in sorted({event.issuer_id for event in events}):
        mine = [event for event in events if event.issuer_id == issuer_id]
        draw = (
            update(EventCounter)
            .where(EventCounter.issuer_id == issuer_id)
            .values(position=EventCounter.position + len(mine))
            .returning(EventCounter.position)
            .execution_options(synchronize_session=False)
        )
        last = session.execute(draw).scalar_one()
        for position, event in enumerate(mine, start=last - len(mine) + 1):
            event.position = position
            session.add(event)


async def list_events(session: AsyncSession, issuer_id: str, *, after: int, limit: int) -> list[Event]:
    """Events with a position greater than `after`, in order."""
    query = select(Event).where(Event.issuer_id == issuer_id, Event.position > after)
    return list((await session.scalars(query.order_by(Event.position).limit(limit))).all())


async def list_events_about(session: AsyncSession, issuer_id: str, object_ids: Sequence[str]) -> list[Event]:
    """Events about these objects, in order."""
    query = select(Event).where(Event.issuer_id == issuer_id, Event.object_id.in_(object_ids))
    return list((await session.scalars(query.order_by(Event.position))).all())
