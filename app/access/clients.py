"""Verbs on API clients: create one, revoke one, give one a short-lived token."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Scope
from app.access.store import ApiClient, ClientToken
from app.access.tokens import format_token, hash_secret, new_secret, parse_token
from app.audit.store import audit
from app.identifiers import new_id

CLIENT_TOKEN_LIFE = timedelta(hours=1)


async def create_client(
    session: AsyncSession,
    *,
    issuer_id: str | None,
    name: str,
    scopes: Iterable[Scope],
    expires_at: datetime | None,
    actor: str,
    now: datetime,
) -> tuple[ApiClient, str]:
    """A new client and its token, which can never be shown again. `issuer_id` None makes a platform client."""
    secret = new_secret()
    client = ApiClient(
        id=new_id(),
        issuer_id=issuer_id,
        name=name,
        scopes=sorted(scope.value for scope in scopes),
        secret_hash=hash_secret(secret),
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
        created_at=now,
        updated_at=now,
    )
    session.add(client)
    audit(session, issuer_id=issuer_id, actor=actor, action="api_client.created", object_id=client.id,
          content={"name": name, "scopes": client.scopes}, at=now)  # fmt: skip
    await session.flush()
    return client, format_token(client.id, secret)


def revoke_client(session: AsyncSession, client: ApiClient, *, actor: str, now: datetime) -> None:
    """End a client's token."""
    client.revoked_at = client.updated_at = now
    audit(session, issuer_id=client.issuer_id, actor=actor, action="api_client.revoked", object_id=client.id,
          content={}, at=now)  # fmt: skip


async def keep_client_token(
    session: AsyncSession, client_id: str, token: str, *, scopes: Iterable[str], now: datetime
) -> ClientToken:
    """Let `token` (as `format_token` makes them) act for a client for an hour. What ran out before is forgotten."""
    over = (ClientToken.client_id == client_id, ClientToken.expires_at <= now)
    await session.execute(delete(ClientToken).where(*over))
    id_, secret = parse_token(token) or ("", "")
    kept = ClientToken(
        id=id_, client_id=client_id, scopes=sorted(scopes), secret_hash=hash_secret(secret),
        expires_at=now + CLIENT_TOKEN_LIFE, revoked_at=None, created_at=now,
    )  # fmt: skip
    session.add(kept)
    return kept
