"""Issuers, and the one row that pins this installation's base URL."""

from datetime import datetime
from typing import Any

from sqlalchemy import false, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import Conflict, NotFound
from app.keys.store import get_active_key


class BaseUrlPinned(Conflict):
    """The public URL was changed after badges may have carried the old one."""

    code = "conflict"


class IssuerLeft(Conflict):
    """The issuer has ended its issuing here. What it published stays, and its badges' status can still change."""

    code = "issuer_left"


class Installation(Table):
    """The base URL pinned at first start. One row."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    base_url: Mapped[str]
    created_at: Mapped[datetime]


class Issuer(Table):
    """A tenant. `is_test` is settled at creation (a trigger refuses to change it): its badges are marked by it.

    `left_at` is when it ended its issuing here; what it has published stays published. `verified_at` is when the operator marked
    it as verified, `verified_as` what they found it to be: information for readers, of no effect on what it may do.
    `domain_linkage` is its newest Domain Linkage Credential (`app.issuers.domain_linkage`).
    """

    __tablename__ = "issuer"

    id: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    did: Mapped[str] = mapped_column(unique=True)
    profile: Mapped[dict[str, Any]]
    is_test: Mapped[bool] = mapped_column(server_default=false())
    left_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    verified_as: Mapped[str | None]
    domain_linkage: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


async def pin_base_url(session: AsyncSession, base_url: str, now: datetime) -> None:
    """Pin the base URL at first start; afterwards raise BaseUrlPinned when it is another one."""
    pinned = await find_base_url(session)
    if pinned is None:
        session.add(Installation(id=1, base_url=base_url, created_at=now))
    require_base_url(pinned, base_url)


def require_base_url(pinned: str | None, base_url: str) -> None:
    """Raise BaseUrlPinned unless `base_url` is the pinned one or none is pinned yet."""
    if pinned not in (None, base_url):
        raise BaseUrlPinned(
            f"This database belongs to {pinned}, but ASSAY_PUBLIC_URL is {base_url}.",
            cure=f"Start with ASSAY_PUBLIC_URL={pinned}: badges carry that address for good.",
        )


async def find_base_url(session: AsyncSession) -> str | None:
    """The pinned base URL; None before the first start."""
    installation = await session.get(Installation, 1)
    return installation.base_url if installation else None


async def get_issuer(session: AsyncSession, issuer_id: str) -> Issuer:
    """Raises NotFound."""
    issuer = await session.get(Issuer, issuer_id)
    if issuer is None:
        raise NotFound("There is no issuer with this id.")
    return issuer


def require_not_left(issuer: Issuer) -> None:
    """Raises IssuerLeft."""
    if issuer.left_at is not None:
        raise IssuerLeft("The issuer has left this service: nothing new is made or changed for it here.")


async def require_issuing(session: AsyncSession, issuer_id: str) -> None:
    """Raises NotFound, IssuerLeft, and IssuerNotReady while no key of the issuer signs."""
    require_not_left(await get_issuer(session, issuer_id))
    await get_active_key(session, issuer_id)


async def lock_issuer(session: AsyncSession, issuer_id: str) -> None:
    """Make other transactions that call this wait until this one ends; nobody else is held up."""
    query = select(Issuer.id).where(Issuer.id == issuer_id)
    await session.execute(query.with_for_update(key_share=True))


async def get_issuer_by_slug(session: AsyncSession, slug: str) -> Issuer:
    """Raises NotFound."""
    issuer = await find_issuer_by_slug(session, slug)
    if issuer is None:
        raise NotFound("There is no issuer with this slug.")
    return issuer


async def find_issuer_by_slug(session: AsyncSession, slug: str) -> Issuer | None:
    return (await session.scalars(select(Issuer).where(Issuer.slug == slug))).one_or_none()


async def find_issuer_by_did(session: AsyncSession, did: str) -> Issuer | None:
    return (await session.scalars(select(Issuer).where(Issuer.did == did))).one_or_none()


async def is_test_issuer(session: AsyncSession, did: str) -> bool:
    """Whether this is the DID of an issuer of ours that is for tests."""
    query = select(Issuer.id).where(Issuer.did == did, Issuer.is_test)
    return (await session.scalars(query)).one_or_none() is not None


async def list_issuers(session: AsyncSession) -> list[Issuer]:
    """All issuers by slug."""
    return list((await session.scalars(select(Issuer).order_by(Issuer.slug))).all())
