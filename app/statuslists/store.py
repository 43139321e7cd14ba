"""Status lists, the shuffled order in which their indexes are drawn, and their published credentials."""

import asyncio
import secrets
import sys
from array import array
from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound
from app.identifiers import new_id
from app.statuslists.bitstring import LIST_LENGTH, new_bits

StatusPurpose = Literal["revocation", "suspension"]


class StatusList(Table):
    """`drawn` indexes of `length` are given out; `bits` is the truth that the published credential shows."""

    __tablename__ = "status_list"
    __table_args__ = (
        CheckConstraint("purpose IN ('revocation', 'suspension')", name="purpose"),
        CheckConstraint("drawn <= length", name="drawn"),
        Index(None, "issuer_id", "purpose"),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    purpose: Mapped[str]
    length: Mapped[int]
    drawn: Mapped[int]
    bits: Mapped[bytes]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class StatusListOrder(Table):
    """The deck: `length` unsigned 32-bit little-endian indexes, shuffled. Never changes."""

    __tablename__ = "status_list_order"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "status_list_id"], ["status_list.issuer_id", "status_list.id"]),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    status_list_id: Mapped[str] = mapped_column(primary_key=True)
    indexes: Mapped[bytes]


class StatusListPublication(Table):
    """The signed credential of a list as it is served, and how long it may be cached: what its `ttl` says."""

    __tablename__ = "status_list_publication"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "status_list_id"], ["status_list.issuer_id", "status_list.id"]),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    status_list_id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    version: Mapped[int]
    body: Mapped[bytes]
    etag: Mapped[str]
    ttl_seconds: Mapped[int]
    published_at: Mapped[datetime]


async def draw_index(session: AsyncSession, issuer_id: str, purpose: StatusPurpose) -> tuple[str, int] | None:
    """A fresh index of an open list: (list id, index). None when every list of this purpose is full or there is none.

    The counter is drawn in one statement, so that no two transactions ever get the same.
    """
    open_list = (
        select(StatusList.id)
        .where(StatusList.issuer_id == issuer_id, StatusList.purpose == purpose, StatusList.drawn < StatusList.length)
        .order_by(StatusList.created_at, StatusList.id)
        .limit(1)
        .scalar_subquery()
    )
    draw = (
        update(StatusList)
        .where(StatusList.issuer_id == issuer_id, StatusList.id == open_list, StatusList.drawn < StatusList.length)
        .values(drawn=StatusList.drawn + 1)
        .returning(StatusList.id, StatusList.drawn)
        .execution_options(synchronize_session=False)
    )
    drawn = (await session.execute(draw)).one_or_none()
    if drawn is None:
        return None
    # Only four bytes of the deck travel: substr counts from 1.
    card = select(func.substr(StatusListOrder.indexes, 4 * (drawn.drawn - 1) + 1, 4)).where(
        StatusListOrder.issuer_id == issuer_id, StatusListOrder.status_list_id == drawn.id
    )
    return drawn.id, int.from_bytes((await session.execute(card)).scalar_one(), "little")


async def add_list(
    session: AsyncSession, issuer_id: str, purpose: StatusPurpose, now: datetime, *, length: int = LIST_LENGTH
) -> StatusList:
    """A new list with all bits 0 and its own shuffled deck."""
    status_list = StatusList(
        issuer_id=issuer_id, id=new_id(), purpose=purpose, length=length, drawn=0, bits=new_bits(length),
        version=0, created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(status_list)
    await session.flush()
    indexes = await asyncio.to_thread(_shuffled, length)
    session.add(StatusListOrder(issuer_id=issuer_id, status_list_id=status_list.id, indexes=indexes))
    await session.flush()
    return status_list


async def lock_list(session: AsyncSession, issuer_id: str, status_list_id: str) -> StatusList:
    """The list, its row locked until the transaction ends, so that versions follow each other. Raises NotFound."""
    query = select(StatusList).where(StatusList.issuer_id == issuer_id, StatusList.id == status_list_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    status_list = (await session.scalars(locked)).one_or_none()
    if status_list is None:
        raise NotFound("There is no status list with this id.")
    return status_list


async def list_status_list_ids(session: AsyncSession, issuer_id: str) -> list[str]:
    """All lists of an issuer, full ones too, oldest first."""
    query = select(StatusList.id).where(StatusList.issuer_id == issuer_id)
    return list((await session.scalars(query.order_by(StatusList.created_at, StatusList.id))).all())


async def get_publication(session: AsyncSession, status_list_id: str) -> StatusListPublication:
    """The published credential of whichever issuer's list. Raises NotFound."""
    query = select(StatusListPublication).where(StatusListPublication.status_list_id == status_list_id)
    publication = (await session.scalars(query)).one_or_none()
    if publication is None:
        raise NotFound("There is no status list with this id.")
    return publication


def _shuffled(length: int) -> bytes:
    deck = array("I", range(length))
    secrets.SystemRandom().shuffle(deck)
    if sys.byteorder == "big":
        deck.byteswap()
    return deck.tobytes()
