"""Verbs on API clients: create one, revoke one."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Scope
from app.access.store import ApiClient
from app.access.tokens import format_token, hash_secret, new_secret
from app.audit.store import audit
from app.identifiers import new_id


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
