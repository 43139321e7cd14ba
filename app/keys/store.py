"""The signing keys of issuers: public part in the clear, private part sealed."""

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, column_property, mapped_column

from app.db import Table, UtcDateTime
from app.errors import Conflict, NotFound
from app.proofs.public_key import AnyPublicKey, KeyAlgorithm, decode_public_key

KeyState = Literal["pending", "active", "retired"]

ED25519: KeyAlgorithm = "Ed25519"
"""The algorithm that every issuer has a key of: status lists and the default proofs are signed with it."""

_IS_ACTIVE = text("state = 'active'")


class IssuerNotReady(Conflict):
    """The issuer has no key that signs: the one it begins with waits until its own domain publishes it."""

    code = "issuer_not_ready"


class SigningKey(Table):
    """One key pair of one issuer. A pending key is published and does not sign yet; a retired key no longer signs and stays
    published, so that old badges verify. The one exception: an edition that names a retired key was begun before, and is still
    finished with it.

    An issuer has at most one active key of each algorithm. `public_key_multibase` is as `app.proofs.public_key` writes it.
    """

    __tablename__ = "signing_key"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'active', 'retired')", name="state"),
        Index(
            "uq_signing_key_active", "issuer_id", "algorithm", unique=True,
            sqlite_where=_IS_ACTIVE, postgresql_where=_IS_ACTIVE,
        ),
    )  # fmt: skip

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    algorithm: Mapped[str]
    public_key_multibase: Mapped[str] = mapped_column(unique=True)
    sealed_private_key: Mapped[bytes]
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column()
    activated_at: Mapped[datetime | None] = mapped_column()
    retired_at: Mapped[datetime | None] = mapped_column()
    # To be activated and to be retired are the only changes a key knows.
    updated_at: Mapped[datetime] = column_property(
        func.coalesce(retired_at, activated_at, created_at, type_=UtcDateTime())
    )

    @property
    def public_key(self) -> AnyPublicKey:
        return decode_public_key(self.public_key_multibase)


async def get_active_key(session: AsyncSession, issuer_id: str, *, algorithm: str = ED25519) -> SigningKey:
    """The key that signs for this issuer now. Raises IssuerNotReady when it has none."""
    key = await find_active_key(session, issuer_id, algorithm=algorithm)
    if key is None:
        raise IssuerNotReady("The issuer has no signing key in use yet: its DID document has to be published first.")
    return key


async def find_active_key(session: AsyncSession, issuer_id: str, *, algorithm: str = ED25519) -> SigningKey | None:
    """The key of the algorithm that signs for this issuer now."""
    return await _find_key(session, issuer_id, algorithm, "active")


async def find_pending_key(session: AsyncSession, issuer_id: str, *, algorithm: str = ED25519) -> SigningKey | None:
    """The key of this issuer that waits to be published where its DID says."""
    return await _find_key(session, issuer_id, algorithm, "pending")


async def list_active_keys(session: AsyncSession, issuer_id: str) -> dict[str, SigningKey]:
    """The keys that sign for this issuer now, by algorithm."""
    query = select(SigningKey).where(SigningKey.issuer_id == issuer_id, SigningKey.state == "active")
    return {key.algorithm: key for key in (await session.scalars(query)).all()}


async def _find_key(session: AsyncSession, issuer_id: str, algorithm: str, state: KeyState) -> SigningKey | None:
    query = select(SigningKey).where(
        SigningKey.issuer_id == issuer_id, SigningKey.algorithm == algorithm, SigningKey.state == state
    )
    return (await session.scalars(query)).one_or_none()


async def list_keys(session: AsyncSession, issuer_id: str) -> list[SigningKey]:
    """All keys of an issuer, oldest first, retired ones included."""
    query = select(SigningKey).where(SigningKey.issuer_id == issuer_id)
    return list((await session.scalars(query.order_by(SigningKey.created_at, SigningKey.id))).all())


async def list_all_keys(session: AsyncSession) -> list[SigningKey]:
    """The keys of every issuer, for the JWK set."""
    return list((await session.scalars(select(SigningKey).order_by(SigningKey.created_at, SigningKey.id))).all())


async def find_oldest_key(session: AsyncSession) -> SigningKey | None:
    """The first key that was ever made; None before there is an issuer."""
    query = select(SigningKey).order_by(SigningKey.created_at, SigningKey.id)
    return (await session.scalars(query.limit(1))).first()


async def lock_all_keys(session: AsyncSession) -> list[SigningKey]:
    """The keys of every issuer, their rows locked until the transaction ends."""
    query = select(SigningKey).order_by(SigningKey.issuer_id, SigningKey.id)
    return list((await session.scalars(query.with_for_update(key_share=True))).all())


async def get_key(session: AsyncSession, key_id: str) -> SigningKey:
    """One key by its id, whichever issuer's. Raises NotFound."""
    key = (await session.scalars(select(SigningKey).where(SigningKey.id == key_id))).one_or_none()
    if key is None:
        raise NotFound("There is no key with this id.")
    return key
