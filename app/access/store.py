"""API clients, and people with their roles and sessions. Only the hash of a secret is stored."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound
from app.identifiers import is_identifier


class ApiClient(Table):
    """A holder of a token: of one issuer, or of the platform when `issuer_id` is null."""

    __tablename__ = "api_client"

    id: Mapped[str] = mapped_column(primary_key=True)
    issuer_id: Mapped[str | None] = mapped_column(ForeignKey("issuer.id"), index=True)
    name: Mapped[str]
    scopes: Mapped[list[str]]
    secret_hash: Mapped[bytes]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ClientToken(Table):
    """A short-lived access token that an API client asked for with its id and token (RFC 6749, section 4.4).

    `scopes` are the client's or fewer. It ends with the client. Only a hash of the secret is kept.
    """

    __tablename__ = "client_token"
    __table_args__ = (Index(None, "client_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("api_client.id"))
    scopes: Mapped[list[str]]
    secret_hash: Mapped[bytes]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


async def find_client_token(session: AsyncSession, token_id: str) -> ClientToken | None:
    return await session.get(ClientToken, token_id)


async def find_client(session: AsyncSession, client_id: str) -> ApiClient | None:
    """The client with this id, which may be any text."""
    return await session.get(ApiClient, client_id) if is_identifier(client_id) else None


async def get_client(session: AsyncSession, issuer_id: str, client_id: str) -> ApiClient:
    """Raises NotFound, also for a client of another issuer."""
    query = select(ApiClient).where(ApiClient.issuer_id == issuer_id, ApiClient.id == client_id)
    client = (await session.scalars(query)).one_or_none()
    if client is None:
        raise NotFound("There is no API client with this id.")
    return client


async def list_live_clients(session: AsyncSession, issuer_id: str) -> list[ApiClient]:
    """The issuer's clients that were not revoked."""
    query = select(ApiClient).where(ApiClient.issuer_id == issuer_id, ApiClient.revoked_at.is_(None))
    return list((await session.scalars(query.order_by(ApiClient.created_at, ApiClient.id))).all())


class Person(Table):
    """Somebody who signs in at one issuer. `learner_id` is who they are as a learner, if they are one.

    What they are known by is sealed under `sealed_key` (`app.people`); null once it is destroyed.
    """

    __tablename__ = "person"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        UniqueConstraint("issuer_id", "external_id"),
        UniqueConstraint("issuer_id", "learner_id"),
        Index(None, "issuer_id", "updated_at", "id"),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    external_id: Mapped[str | None]
    learner_id: Mapped[str | None]
    sealed_key: Mapped[bytes | None]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PersonRole(Table):
    """That a person has a role (a key of `app.access.principals.ROLE_SCOPES`)."""

    __tablename__ = "person_role"
    __table_args__ = (ForeignKeyConstraint(["issuer_id", "person_id"], ["person.issuer_id", "person.id"]),)

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]


class PersonSession(Table):
    """A person signed in: a `browser`, by cookie, or a `token` for a program of theirs. Only a hash of the secret is kept."""

    __tablename__ = "person_session"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "person_id"], ["person.issuer_id", "person.id"]),
        CheckConstraint("kind IN ('browser', 'token')", name="kind"),
        Index(None, "issuer_id", "person_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    issuer_id: Mapped[str]
    person_id: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    secret_hash: Mapped[bytes]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


async def find_session(session: AsyncSession, session_id: str) -> PersonSession | None:
    return await session.get(PersonSession, session_id)


async def list_sessions(session: AsyncSession, issuer_id: str, person_id: str) -> list[PersonSession]:
    """The person's sessions that were not revoked, oldest first."""
    query = select(PersonSession).where(
        PersonSession.issuer_id == issuer_id, PersonSession.person_id == person_id, PersonSession.revoked_at.is_(None)
    )
    return list((await session.scalars(query.order_by(PersonSession.created_at, PersonSession.id))).all())


async def get_person(session: AsyncSession, issuer_id: str, person_id: str) -> Person:
    """Raises NotFound, also for a person of another issuer."""
    person = await session.get(Person, (issuer_id, person_id))
    if person is None:
        raise NotFound("There is no person with this id.")
    return person


async def list_roles(session: AsyncSession, issuer_id: str, person_ids: Sequence[str]) -> dict[str, list[str]]:
    """The roles of each of these people, in order; who has none has an empty list."""
    query = select(PersonRole).where(PersonRole.issuer_id == issuer_id, PersonRole.person_id.in_(person_ids))
    roles: dict[str, list[str]] = {person_id: [] for person_id in person_ids}
    for row in (await session.scalars(query.order_by(PersonRole.role))).all():
        roles[row.person_id].append(row.role)
    return roles
