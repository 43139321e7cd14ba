"""Panels and their members' codes."""

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound

PanelKind = Literal["panel", "external"]


class Panel(Table):
    """Who assessed: a `panel` of ours, or an `external` source whose earlier awards are taken over; that has no members."""

    __tablename__ = "panel"
    __table_args__ = (
        UniqueConstraint("issuer_id", "external_id"),
        Index(None, "issuer_id", "updated_at", "id"),
        CheckConstraint("kind IN ('panel', 'external')", name="kind"),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    external_id: Mapped[str | None]
    name: Mapped[str]
    description: Mapped[str | None]
    url: Mapped[str | None]
    members: Mapped[list[str]]
    kind: Mapped[PanelKind] = mapped_column(String(), server_default="panel")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


async def get_panel(session: AsyncSession, issuer_id: str, panel_id: str) -> Panel:
    """Raises NotFound, also for a panel of another issuer."""
    panel = await session.get(Panel, (issuer_id, panel_id))
    if panel is None:
        raise NotFound("There is no panel with this id.")
    return panel


async def get_public_panel(session: AsyncSession, panel_id: str) -> Panel:
    """Whichever issuer's. Raises NotFound."""
    panel = (await session.scalars(select(Panel).where(Panel.id == panel_id))).one_or_none()
    if panel is None:
        raise NotFound("There is no panel with this id.")
    return panel


async def list_external_sources(session: AsyncSession, issuer_id: str) -> list[Panel]:
    """The issuer's sources of earlier awards, oldest first."""
    query = select(Panel).where(Panel.issuer_id == issuer_id, Panel.kind == "external")
    return list((await session.scalars(query.order_by(Panel.created_at, Panel.id))).all())


async def find_by_external_id(session: AsyncSession, issuer_id: str, external_id: str) -> Panel | None:
    query = select(Panel).where(Panel.issuer_id == issuer_id, Panel.external_id == external_id)
    return (await session.scalars(query)).one_or_none()
