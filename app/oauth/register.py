"""The verb by which software registers itself (RFC 7591, as Open Badges 3.0 profiles it)."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.tokens import hash_secret, new_secret
from app.audit.store import audit
from app.identifiers import new_id
from app.oauth.store import OAuthClient

UNUSED_LIFE = timedelta(days=90)
MOST_UNUSED = 1_000


async def register_client(
    session: AsyncSession, registration: dict[str, Any], *, now: datetime
) -> tuple[OAuthClient, str]:
    """A new client and its secret, which can never be shown again.

    Anybody may register, so what nobody ever consented to is forgotten after 90 days, or when a thousand newer ones are there.
    """
    unused = OAuthClient.used_at.is_(None)
    newest_first = select(OAuthClient.id).where(unused).order_by(OAuthClient.created_at.desc(), OAuthClient.id)
    too_many = newest_first.offset(MOST_UNUSED - 1)
    await session.execute(
        delete(OAuthClient)
        .where(unused, or_(OAuthClient.created_at <= now - UNUSED_LIFE, OAuthClient.id.in_(too_many)))
        .execution_options(synchronize_session=False)
    )
    secret = new_secret()
    client = OAuthClient(
        id=new_id(), secret_hash=hash_secret(secret), registration=registration, used_at=None, created_at=now
    )
    session.add(client)
    audit(session, issuer_id=None, actor=f"oauth_client:{client.id}", action="oauth_client.registered",
          object_id=client.id, content={"client_name": registration["client_name"]}, at=now)  # fmt: skip
    await session.flush()
    return client, secret
