"""Registered clients, what people consented to, and authorizations with their tokens. Only hashes of secrets are stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.identifiers import is_identifier


class OAuthClient(Table):
    """Software that registered itself (RFC 7591), for all issuers. `registration` is what it said of itself.

    `used_at` is when a person first consented; that stays when the person is erased.
    """

    __tablename__ = "oauth_client"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[bytes]
    registration: Mapped[dict[str, Any]]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class OAuthConsent(Table):
    """That a person lets a client do `scopes`. Null `revoked_at`: still so."""

    __tablename__ = "oauth_consent"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "person_id"], ["person.issuer_id", "person.id"]),
        UniqueConstraint("issuer_id", "person_id", "client_id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str]
    client_id: Mapped[str] = mapped_column(ForeignKey("oauth_client.id"), index=True)
    scopes: Mapped[list[str]]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class OAuthAuthorization(Table):
    """What a consent gave once: a code, and the tokens that came of it. All end when `revoked_at` is set.

    `used_at` is when the code was redeemed: it is taken once.
    """

    __tablename__ = "oauth_authorization"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "consent_id"], ["oauth_consent.issuer_id", "oauth_consent.id"]),
        ForeignKeyConstraint(["issuer_id", "person_id"], ["person.issuer_id", "person.id"]),
        Index(None, "issuer_id", "consent_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    issuer_id: Mapped[str]
    consent_id: Mapped[str]
    person_id: Mapped[str]
    client_id: Mapped[str] = mapped_column(ForeignKey("oauth_client.id"))
    scopes: Mapped[list[str]]
    redirect_uri: Mapped[str]
    code_challenge: Mapped[str]
    code_hash: Mapped[bytes]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class OAuthToken(Table):
    """An access or refresh token of an authorization. `used_at` is when a refresh token was traded in: it is taken once."""

    __tablename__ = "oauth_token"
    __table_args__ = (CheckConstraint("kind IN ('access', 'refresh')", name="kind"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    authorization_id: Mapped[str] = mapped_column(ForeignKey("oauth_authorization.id"), index=True)
    kind: Mapped[str]
    scopes: Mapped[list[str]]
    secret_hash: Mapped[bytes]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


async def find_oauth_client(session: AsyncSession, client_id: str) -> OAuthClient | None:
    """The client with this id, which may be any text."""
    return await session.get(OAuthClient, client_id) if is_identifier(client_id) else None


async def lock_authorization(session: AsyncSession, authorization_id: str) -> OAuthAuthorization | None:
    """The authorization, its row locked: whoever takes its code or a refresh token holds it meanwhile."""
    query = select(OAuthAuthorization).where(OAuthAuthorization.id == authorization_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(locked)).one_or_none()


async def lock_consent(session: AsyncSession, issuer_id: str, person_id: str, client_id: str) -> OAuthConsent | None:
    """What a person consented to for a client, also if it was revoked since, its row locked."""
    query = select(OAuthConsent).where(
        OAuthConsent.issuer_id == issuer_id, OAuthConsent.person_id == person_id, OAuthConsent.client_id == client_id
    )
    locked = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(locked)).one_or_none()


async def list_consents(session: AsyncSession, issuer_id: str, person_ids: Sequence[str]) -> list[OAuthConsent]:
    """What these people consented to, also what they revoked, oldest first."""
    query = select(OAuthConsent).where(OAuthConsent.issuer_id == issuer_id, OAuthConsent.person_id.in_(person_ids))
    return list((await session.scalars(query.order_by(OAuthConsent.created_at, OAuthConsent.id))).all())
