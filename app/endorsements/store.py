"""Endorsements that the issuer gave, and those it took in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound

Origin = Literal["issued", "imported"]
EndorsementState = Literal["received", "standing", "revoked", "withdrawn"]
EndorsedKind = Literal["profile", "achievement", "credential", "other"]


class Endorsement(Table):
    """`endorsed` is the id of what is endorsed; where that is the issuer's own, its kind and our ids stand beside it.

    `body` is the secured credential, to the byte. What is said of a learner's badge is said of the learner: then it is in
    `sealed_body`, under their key, `learner_id` says whose, and both are empty once the learner is erased. `digest` is the
    SHA-256 of the bytes. An imported endorsement is `received` until the issuer accepts it.
    """

    __tablename__ = "endorsement"
    __table_args__ = (
        ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
        ),
        ForeignKeyConstraint(["issuer_id", "achievement_id"], ["achievement.issuer_id", "achievement.id"],
                             name="fk_endorsement_any_version"),
        ForeignKeyConstraint(["issuer_id", "credential_id"], ["credential.issuer_id", "credential.id"]),
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        ForeignKeyConstraint(["issuer_id", "status_list_id"], ["status_list.issuer_id", "status_list.id"]),
        ForeignKeyConstraint(["issuer_id", "key_id"], ["signing_key.issuer_id", "signing_key.id"]),
        UniqueConstraint("issuer_id", "digest"),
        UniqueConstraint("status_list_id", "status_list_index"),
        CheckConstraint("origin IN ('issued', 'imported')", name="origin"),
        CheckConstraint("state IN ('received', 'standing', 'revoked', 'withdrawn')", name="state"),
        CheckConstraint("kind IN ('profile', 'achievement', 'credential', 'other')", name="kind"),
        Index(None, "issuer_id", "updated_at", "id"),
        Index(None, "achievement_id"),
        Index(None, "credential_id"),
        Index(None, "issuer_id", "learner_id"),
    )  # fmt: skip

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    origin: Mapped[str]
    state: Mapped[str]
    kind: Mapped[str]
    endorsed: Mapped[str]
    endorser: Mapped[str]
    achievement_id: Mapped[str | None]
    version: Mapped[int | None]
    credential_id: Mapped[str | None]
    learner_id: Mapped[str | None]
    embed: Mapped[bool]
    body: Mapped[str | None]
    sealed_body: Mapped[bytes | None]
    digest: Mapped[str]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    status_list_id: Mapped[str | None]
    status_list_index: Mapped[int | None]
    key_id: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


async def get_endorsement(session: AsyncSession, issuer_id: str, endorsement_id: str) -> Endorsement:
    """Raises NotFound, also for an endorsement of another issuer."""
    found = await session.get(Endorsement, (issuer_id, endorsement_id))
    if found is None:
        raise NotFound("There is no endorsement with this id.")
    return found


async def lock_endorsement(session: AsyncSession, issuer_id: str, endorsement_id: str) -> Endorsement:
    """As `get_endorsement`, with the row locked."""
    query = select(Endorsement).where(Endorsement.issuer_id == issuer_id, Endorsement.id == endorsement_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    found = (await session.scalars(locked)).one_or_none()
    if found is None:
        raise NotFound("There is no endorsement with this id.")
    return found


async def get_public_endorsement(session: AsyncSession, endorsement_id: str) -> Endorsement:
    """Whichever issuer's: what it gave, and of what it took in that which it shows. Raises NotFound."""
    query = select(Endorsement).where(Endorsement.id == endorsement_id)
    found = (await session.scalars(query)).one_or_none()
    if found is None or (found.origin == "imported" and found.state != "standing"):
        raise NotFound("There is no endorsement with this id.")
    return found


async def find_by_digest(session: AsyncSession, issuer_id: str, digest: str) -> Endorsement | None:
    query = select(Endorsement).where(Endorsement.issuer_id == issuer_id, Endorsement.digest == digest)
    return (await session.scalars(query)).one_or_none()


async def count_embedded(session: AsyncSession, endorsement: Endorsement) -> int:
    """How many endorsements badges carry already for the same thing."""
    query = (
        select(func.count())
        .select_from(Endorsement)
        .where(
            Endorsement.issuer_id == endorsement.issuer_id,
            Endorsement.endorsed == endorsement.endorsed,
            Endorsement.embed,
        )
    )
    return (await session.execute(query)).scalar_one()


async def list_standing_of(
    session: AsyncSession,
    issuer_id: str,
    *,
    achievement_id: str | None = None,
    version: int | None = None,
    credential_id: str | None = None,
) -> list[Endorsement]:
    """What the issuer shows beside its achievement (this version, or all), beside a badge, or else beside its Profile."""
    query = select(Endorsement).where(Endorsement.issuer_id == issuer_id, Endorsement.state == "standing")
    if credential_id is not None:
        query = query.where(Endorsement.credential_id == credential_id)
    elif achievement_id is not None:
        query = query.where(Endorsement.achievement_id == achievement_id)
        query = query.where(Endorsement.version.is_(None) | (Endorsement.version == version))
    else:
        query = query.where(Endorsement.kind == "profile")
    return list((await session.scalars(query.order_by(Endorsement.created_at, Endorsement.id))).all())


async def list_of_learners(session: AsyncSession, issuer_id: str, learner_ids: Sequence[str]) -> list[Endorsement]:
    """Those that speak of these learners' badges, oldest first."""
    query = select(Endorsement).where(Endorsement.issuer_id == issuer_id, Endorsement.learner_id.in_(learner_ids))
    return list((await session.scalars(query.order_by(Endorsement.created_at, Endorsement.id))).all())


async def forget_of_learners(session: AsyncSession, issuer_id: str, learner_ids: Sequence[str], now: datetime) -> None:
    """What was said of their badges goes; that something was said, by whom, stays in the register."""
    mine = (Endorsement.issuer_id == issuer_id, Endorsement.learner_id.in_(learner_ids))
    await session.execute(update(Endorsement).where(*mine).values(sealed_body=None, updated_at=now))
