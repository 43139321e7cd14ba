"""How API clients issue, what they issued, and the challenges they handed out.

A credential of anyone may hold personal data, and nobody here knows whose. Each is sealed under a key of its own; to delete it
is to destroy that key.
"""

import hashlib
from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound

DidMethod = Literal["issuer", "key"]
ExistingProof = Literal["refuse", "set", "chain"]
GenericState = Literal["pending", "issued", "burned", "deleted"]


class VcApiSettings(Table):
    """How one API client issues; a client without a row issues by the defaults of `app.vcapi.settings`."""

    __tablename__ = "vcapi_settings"
    __table_args__ = (
        CheckConstraint("did_method IN ('issuer', 'key')", name="did_method"),
        CheckConstraint("existing_proof IN ('refuse', 'set', 'chain')", name="existing_proof"),
        CheckConstraint("status_purpose IN ('revocation', 'suspension')", name="status_purpose"),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("api_client.id"), primary_key=True, unique=True)
    did_method: Mapped[str]
    cryptosuite: Mapped[str]
    status_purpose: Mapped[str | None]
    existing_proof: Mapped[str]
    mandatory_pointers: Mapped[list[str]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class GenericCredential(Table):
    """A credential issued for an API client. `id_digest` is what its own `id` hashes to, for the client.

    `sealed_document` is the exact intent while it is pending, then the exact bytes that were signed. Once deleted or burned,
    key, document and digest of the id are gone.
    """

    __tablename__ = "generic_credential"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "status_list_id"], ["status_list.issuer_id", "status_list.id"]),
        CheckConstraint("state IN ('pending', 'issued', 'burned', 'deleted')", name="state"),
        CheckConstraint("(sealed_key IS NULL) = (state IN ('burned', 'deleted'))", name="sealed_key"),
        Index(None, "client_id", "id_digest"),
        Index("uq_generic_credential_status", "status_list_id", "status_list_index", unique=True),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("api_client.id"))
    state: Mapped[str]
    id_digest: Mapped[bytes | None]
    sealed_key: Mapped[bytes | None]
    sealed_document: Mapped[bytes | None]
    digest: Mapped[str]
    key_id: Mapped[str]
    status_list_id: Mapped[str | None]
    status_list_index: Mapped[int | None]
    status_purpose: Mapped[str | None]
    is_status_set: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class VcApiChallenge(Table):
    """A challenge that a client may ask a presenter for, until `expires_at` and once."""

    __tablename__ = "vcapi_challenge"

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("api_client.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


def digest_id(client_id: str, credential_id: str) -> bytes:
    """What a credential's own `id` is found by."""
    return hashlib.sha256(f"{client_id}\x00{credential_id}".encode()).digest()


async def find_settings(session: AsyncSession, issuer_id: str, client_id: str) -> VcApiSettings | None:
    return await session.get(VcApiSettings, (issuer_id, client_id))


async def get_generic(session: AsyncSession, issuer_id: str, credential_id: str) -> GenericCredential:
    """By our own id. Raises NotFound."""
    found = await session.get(GenericCredential, (issuer_id, credential_id))
    if found is None:
        raise _not_found()
    return found


async def lock_of_client(
    session: AsyncSession, issuer_id: str, client_id: str, name: str, *, by_our_id: bool = False
) -> list[GenericCredential]:
    """What this client knows by our id or by a credential's own `id`, which it may have used more than once; rows are locked.
    With `by_our_id` the one that has this id of ours.

    Raises NotFound, also for those of other clients, and for one that is being issued or was never released.
    """
    is_it = GenericCredential.id == name
    if not by_our_id:
        is_it |= GenericCredential.id_digest == digest_id(client_id, name)
    query = (
        select(GenericCredential)
        .where(GenericCredential.issuer_id == issuer_id, GenericCredential.client_id == client_id, is_it)
        .where(GenericCredential.state.in_(("issued", "deleted")))
        .order_by(GenericCredential.id)
    )
    locked = query.with_for_update().execution_options(populate_existing=True)
    found = list((await session.scalars(locked)).all())
    if not found:
        raise _not_found()
    return found


async def settle(
    session: AsyncSession, issuer_id: str, credential_id: str, *, state: Literal["issued", "burned"], now: datetime
) -> bool:
    """End the pending state: False when somebody else has."""
    settled = (
        update(GenericCredential)
        .where(GenericCredential.issuer_id == issuer_id, GenericCredential.id == credential_id)
        .where(GenericCredential.state == "pending")
        .values(updated_at=now, state=state, **({"sealed_key": None} if state == "burned" else {}))
        .returning(GenericCredential.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(settled)).first() is not None


async def use_challenge(
    session: AsyncSession, issuer_id: str, client_id: str, challenge_id: str, now: datetime
) -> bool:
    """Spend a challenge of this client: False when it was spent before, has expired or is nobody's."""
    used = (
        update(VcApiChallenge)
        .where(VcApiChallenge.issuer_id == issuer_id, VcApiChallenge.id == challenge_id)
        .where(VcApiChallenge.client_id == client_id, VcApiChallenge.used_at.is_(None))
        .where(VcApiChallenge.expires_at > now)
        .values(used_at=now)
        .returning(VcApiChallenge.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(used)).first() is not None


def _not_found() -> NotFound:
    return NotFound("There is no credential with this id.")
