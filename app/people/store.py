"""What people are known by, how they sign in, and the mail that goes to them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table


class PersonIdentity(Table):
    """An e-mail address, a name, or a subject at an OpenID provider, sealed under the person's key.

    `provider_id` is set for kind `oidc` only. `blind_index` finds an address or subject again; a name has none.
    """

    __tablename__ = "person_identity"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "person_id"], ["person.issuer_id", "person.id"]),
        ForeignKeyConstraint(["issuer_id", "provider_id"], ["oidc_provider.issuer_id", "oidc_provider.id"]),
        UniqueConstraint("issuer_id", "kind", "blind_index"),
        CheckConstraint("kind IN ('name', 'email', 'oidc')", name="kind"),
        Index(None, "issuer_id", "person_id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str]
    kind: Mapped[str]
    provider_id: Mapped[str | None]
    blind_index: Mapped[bytes | None]
    sealed_value: Mapped[bytes]
    created_at: Mapped[datetime]


class SignInLink(Table):
    """A one-time link, for the browser that asked for it. Only hashes of both secrets are stored.

    Used once: `used_at` is set by an UPDATE that asks that it is null.
    """

    __tablename__ = "sign_in_link"
    __table_args__ = (ForeignKeyConstraint(["issuer_id", "person_id"], ["person.issuer_id", "person.id"]),)

    id: Mapped[str] = mapped_column(primary_key=True)
    issuer_id: Mapped[str]
    person_id: Mapped[str]
    secret_hash: Mapped[bytes]
    browser_hash: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OidcProvider(Table):
    """An institution's OpenID provider, as this issuer is registered there. The client secret is sealed under `sealed_key`."""

    __tablename__ = "oidc_provider"
    __table_args__ = (UniqueConstraint("issuer_id", "provider_issuer"),)

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    provider_issuer: Mapped[str]
    client_id: Mapped[str]
    sealed_key: Mapped[bytes]
    sealed_client_secret: Mapped[bytes]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class OidcSignIn(Table):
    """An authorization request under way (OpenID Connect Core 1.0, section 3.1): its state and browser as hashes, the PKCE
    verifier and nonce sealed under the provider's key. Used once."""

    __tablename__ = "oidc_sign_in"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "provider_id"], ["oidc_provider.issuer_id", "oidc_provider.id"]),
        UniqueConstraint("state_hash"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    issuer_id: Mapped[str]
    provider_id: Mapped[str]
    state_hash: Mapped[bytes]
    browser_hash: Mapped[bytes]
    sealed_secrets: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Mail(Table):
    """A message to a person: address, subject and text sealed under their key, gone once it is sent."""

    __tablename__ = "mail"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "person_id"], ["person.issuer_id", "person.id"]),
        CheckConstraint("state IN ('queued', 'sent', 'failed')", name="state"),
        Index(None, "issuer_id", "created_at", "id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str]
    purpose: Mapped[str]
    sealed_message: Mapped[bytes | None]
    state: Mapped[str]
    attempts: Mapped[int]
    last_error: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


async def list_mails(session: AsyncSession, issuer_id: str, person_id: str) -> list[Mail]:
    """The mail to one person, oldest first."""
    query = select(Mail).where(Mail.issuer_id == issuer_id, Mail.person_id == person_id)
    return list((await session.scalars(query.order_by(Mail.created_at, Mail.id))).all())
