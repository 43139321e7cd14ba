"""Badges and profiles that software put here for learners, sealed under the learner's key."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Select,
    delete,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.credentials.store import Credential, Edition
from app.db import Table
from app.errors import NotFound


class KeptBadge(Table):
    """A badge that was put here, to the byte. `sealed_identity` is its normalized (issuer.id, id) as JSON.

    `valid` and `reasons` (codes of failed checks) are what verifying found when it came; null where that could not be told.
    """

    __tablename__ = "kept_badge"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        CheckConstraint("format IN ('json', 'jws')", name="format"),
        Index(None, "issuer_id", "learner_id"),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    learner_id: Mapped[str]
    client_id: Mapped[str]
    format: Mapped[str]
    sealed_identity: Mapped[bytes]
    sealed_body: Mapped[bytes]
    valid_from: Mapped[datetime]
    valid: Mapped[bool | None]
    reasons: Mapped[list[str]]
    verified_at: Mapped[datetime]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class KeptProfile(Table):
    """The profile that software put here for a learner, to the byte."""

    __tablename__ = "kept_profile"
    __table_args__ = (ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),)

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    learner_id: Mapped[str] = mapped_column(primary_key=True)
    sealed_body: Mapped[bytes]
    updated_at: Mapped[datetime]


class BadgeHost(Table):
    """Another service with the same API to which a learner pushes badges. `url` is the base of its API, `name` its title.

    `sealed_connection` is, under the learner's key, what it gave out: endpoints, the client's secret, the tokens. While the
    learner is asked there (`asked_until`), the PKCE verifier too; `state_hash` is of the `state` they come back with.
    """

    __tablename__ = "badge_host"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        ForeignKeyConstraint(["issuer_id", "person_id"], ["person.issuer_id", "person.id"]),
        CheckConstraint("state IN ('asked', 'connected')", name="state"),
        Index(None, "issuer_id", "person_id"),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    learner_id: Mapped[str]
    person_id: Mapped[str]
    url: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]
    state_hash: Mapped[bytes | None]
    asked_until: Mapped[datetime | None]
    sealed_connection: Mapped[bytes]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


async def get_badge_host(
    session: AsyncSession, issuer_id: str, person_id: str, badge_host_id: str, *, lock: bool = False
) -> BadgeHost:
    """Raises NotFound, also for another person's."""
    query = select(BadgeHost).where(
        BadgeHost.issuer_id == issuer_id, BadgeHost.person_id == person_id, BadgeHost.id == badge_host_id
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise NotFound("You have no badge host with this id.")
    return found


async def list_badge_hosts(session: AsyncSession, issuer_id: str, person_id: str) -> list[BadgeHost]:
    """The hosts of one person, oldest first."""
    query = select(BadgeHost).where(BadgeHost.issuer_id == issuer_id, BadgeHost.person_id == person_id)
    return list((await session.scalars(query.order_by(BadgeHost.created_at, BadgeHost.id))).all())


async def list_kept(session: AsyncSession, issuer_id: str, learner_ids: Sequence[str]) -> list[KeptBadge]:
    """What was put here for these learners, oldest first."""
    query = select(KeptBadge).where(KeptBadge.issuer_id == issuer_id, KeptBadge.learner_id.in_(learner_ids))
    return list((await session.scalars(query.order_by(KeptBadge.created_at, KeptBadge.id))).all())


async def list_kept_profiles(session: AsyncSession, issuer_id: str, learner_ids: Sequence[str]) -> list[KeptProfile]:
    """The profiles that were put here for these learners, the newest first."""
    query = select(KeptProfile).where(KeptProfile.issuer_id == issuer_id, KeptProfile.learner_id.in_(learner_ids))
    return list((await session.scalars(query.order_by(KeptProfile.updated_at.desc()))).all())


async def list_page(
    session: AsyncSession,
    issuer_id: str,
    learner_ids: Sequence[str],
    *,
    since: datetime | None,
    limit: int,
    offset: int,
) -> tuple[list[tuple[str, str]], int]:
    """A page of all badges of these learners, in the order in which they became valid, and how many there are.

    A badge is ("issued", credential id) or ("kept", id).
    """
    together = union_all(*(_of(each, since) for each in _parts(issuer_id, learner_ids))).subquery()
    total = (await session.execute(select(func.count()).select_from(together))).scalar_one()
    columns = together.c
    page = select(columns.origin, columns.id).order_by(columns.valid_from, columns.id).limit(limit).offset(offset)
    return [(row.origin, row.id) for row in (await session.execute(page)).all()], total


def _parts(issuer_id: str, learner_ids: Sequence[str]) -> list[Select[str, str, datetime]]:
    served = (
        (Edition.issuer_id == Credential.issuer_id)
        & (Edition.credential_id == Credential.id)
        & (Edition.number == Credential.edition_number)
    )
    issued = select(literal("issued").label("origin"), Credential.id, Edition.valid_from).join(Edition, served)
    kept = select(literal("kept").label("origin"), KeptBadge.id, KeptBadge.valid_from)
    return [
        issued.where(Credential.issuer_id == issuer_id, Credential.learner_id.in_(learner_ids)),
        kept.where(KeptBadge.issuer_id == issuer_id, KeptBadge.learner_id.in_(learner_ids)),
    ]


def _of(part: Select[str, str, datetime], since: datetime | None) -> Select[str, str, datetime]:
    return part if since is None else part.where(part.selected_columns.valid_from > since)


async def forget_kept(session: AsyncSession, issuer_id: str, learner_ids: Sequence[str]) -> None:
    """Delete all that was put here for these learners, and where they push badges to."""
    for table in (KeptBadge, KeptProfile, BadgeHost):
        await session.execute(delete(table).where(table.issuer_id == issuer_id, table.learner_id.in_(learner_ids)))
