"""Learners and their sealed identities."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table, read_rows
from app.errors import Gone, NotFound

IdentityKind = Literal["email", "did", "name"]

_IS_PRIMARY = text("is_primary")


class Learner(Table):
    """One person, as one issuer knows them. `sealed_key` opens everything sealed for them; null once it is destroyed.

    `identity_version` counts the changes of what badges say of them. `merged_into` names the learner who turned out to be the
    same person: badges and identities have moved there, what was sealed for this one still opens with this one's key. Whoever
    is named there is not merged themselves.
    """

    __tablename__ = "learner"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "merged_into"], ["learner.issuer_id", "learner.id"]),
        UniqueConstraint("issuer_id", "external_id"),
        Index(None, "issuer_id", "updated_at", "id"),
        Index(None, "issuer_id", "merged_into"),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str | None]
    sealed_key: Mapped[bytes | None]
    identity_version: Mapped[int] = mapped_column(default=1, server_default="1")
    merged_into: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class LearnerIdentity(Table):
    """A name, e-mail address or DID, sealed. `blind_index` finds an address or DID again; a name has none.

    Of each kind one is primary, which badges carry; the others only find the learner.
    """

    __tablename__ = "learner_identity"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        UniqueConstraint("issuer_id", "kind", "blind_index"),
        Index(
            "uq_learner_identity_primary", "issuer_id", "learner_id", "kind", unique=True,
            sqlite_where=_IS_PRIMARY, postgresql_where=_IS_PRIMARY,
        ),
        CheckConstraint("kind IN ('email', 'did', 'name')", name="kind"),
    )  # fmt: skip

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    learner_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    is_primary: Mapped[bool] = mapped_column(default=True, server_default=true())
    blind_index: Mapped[bytes | None]
    sealed_value: Mapped[bytes]
    created_at: Mapped[datetime]


class LearnerMerged(Gone):
    """The learner was merged into another, who is named."""

    code = "learner_merged"

    def __init__(self, survivor_id: str) -> None:
        super().__init__(f"The learner was merged into {survivor_id}.", cure=f"Use the learner {survivor_id}.")


async def get_learner(session: AsyncSession, issuer_id: str, learner_id: str) -> Learner:
    """Whoever it is, merged and erased learners too. Raises NotFound, also for a learner of another issuer."""
    learner = await session.get(Learner, (issuer_id, learner_id))
    if learner is None:
        raise NotFound("There is no learner with this id.")
    return learner


async def lock_learner(session: AsyncSession, issuer_id: str, learner_id: str) -> Learner:
    """As `get_learner`, with the row locked: whoever adds an identity reads the others under this lock."""
    query = select(Learner).where(Learner.issuer_id == issuer_id, Learner.id == learner_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    learner = (await session.scalars(locked)).one_or_none()
    if learner is None:
        raise NotFound("There is no learner with this id.")
    return learner


def require_not_merged(learner: Learner) -> Learner:
    """The learner. Raises LearnerMerged; an erased one passes, of whom nothing is left to be found elsewhere."""
    if learner.merged_into is not None and learner.sealed_key is not None:
        raise LearnerMerged(learner.merged_into)
    return learner


async def list_merged(session: AsyncSession, issuer_id: str, learner_id: str) -> list[Learner]:
    """Those who were merged into this learner, by id."""
    query = select(Learner).where(Learner.issuer_id == issuer_id, Learner.merged_into == learner_id)
    return list((await session.scalars(query.order_by(Learner.id))).all())


async def list_same_person(session: AsyncSession, issuer_id: str, learner_id: str) -> list[str]:
    """Ids of the learner, of the one they were merged into, and of all who were: one person, the one who stands first."""
    learner = await get_learner(session, issuer_id, learner_id)
    survivor_id = learner.merged_into or learner.id
    return [survivor_id, *(each.id for each in await list_merged(session, issuer_id, survivor_id))]


async def lock_with_merged(session: AsyncSession, issuer_id: str, *learner_ids: str) -> dict[str, Learner]:
    """These learners and all who were merged into them, by id, their rows locked in the order of their ids."""
    wanted = or_(Learner.id.in_(learner_ids), Learner.merged_into.in_(learner_ids))
    query = select(Learner).where(Learner.issuer_id == issuer_id, wanted).order_by(Learner.id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    return {learner.id: learner for learner in (await session.scalars(locked)).all()}


async def find_by_external_id(session: AsyncSession, issuer_id: str, external_id: str) -> Learner | None:
    query = select(Learner).where(Learner.issuer_id == issuer_id, Learner.external_id == external_id)
    return (await session.scalars(query)).one_or_none()


async def find_by_blind_index(
    session: AsyncSession, issuer_id: str, kind: IdentityKind, blind_indexes: Sequence[bytes]
) -> Learner | None:
    query = (
        select(Learner)
        .join(
            LearnerIdentity,
            (LearnerIdentity.issuer_id == Learner.issuer_id) & (LearnerIdentity.learner_id == Learner.id),
        )
        .where(
            LearnerIdentity.issuer_id == issuer_id,
            LearnerIdentity.kind == kind,
            LearnerIdentity.blind_index.in_(blind_indexes),
        )
    )
    return (await session.scalars(query)).one_or_none()


async def list_identities(session: AsyncSession, issuer_id: str, learner_ids: list[str]) -> list[LearnerIdentity]:
    """The identities of these learners, oldest first."""
    query = select(LearnerIdentity).where(
        LearnerIdentity.issuer_id == issuer_id, LearnerIdentity.learner_id.in_(learner_ids)
    )
    return list((await session.scalars(query.order_by(LearnerIdentity.created_at, LearnerIdentity.id))).all())


async def load_merged(session: AsyncSession, issuer_id: str) -> dict[str, str]:
    """Of the learners that turned out to be somebody else, who that is. They are few: whoever looks at very many rows looks here,
    and joins nothing."""
    query = select(Learner.id, Learner.merged_into).where(
        Learner.issuer_id == issuer_id, Learner.merged_into.is_not(None)
    )
    return dict(await read_rows(session, query))
