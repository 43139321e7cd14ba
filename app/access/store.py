"""API clients. Only the hash of a secret is stored."""

from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound


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


async def find_client(session: AsyncSession, client_id: str) -> ApiClient | None:
    return await session.get(ApiClient, client_id)


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
