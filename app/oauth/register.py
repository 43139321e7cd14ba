"""The verb by which software registers itself (RFC 7591, as Open Badges 3.0 profiles it)."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.tokens import hash_secret, new_secret
from app.audit.store import audit
from app.errors import Unavailable
from app.identifiers import new_id
from app.oauth.store import OAuthClient, OAuthConsent

UNUSED_LIFE = timedelta(days=1)
MOST_UNUSED = 1_000


class TooManyRegistrations(Unavailable):
    """More clients have registered, and were never consented to, than honest software does."""

    code = "too_many_registrations"


async def register_client(
    session: AsyncSession, registration: dict[str, Any], *, now: datetime
) -> tuple[OAuthClient, str]:
    """A new client and its secret, which can never be shown again.

    Anybody may register, so what nobody ever consented to is forgotten after a day. Raises TooManyRegistrations.
    """
    used = select(OAuthConsent.id).where(OAuthConsent.client_id == OAuthClient.id).exists()
    await session.execute(
        delete(OAuthClient)
        .where(OAuthClient.created_at <= now - UNUSED_LIFE, ~used)
        .execution_options(synchronize_session=False)
    )
    unused = select(func.count()).select_from(OAuthClient).where(~used)
    if (await session.execute(unused)).scalar_one() >= MOST_UNUSED:
        raise TooManyRegistrations("Too many clients have registered today.")
    secret = new_secret()
    client = OAuthClient(id=new_id(), secret_hash=hash_secret(secret), registration=registration, created_at=now)
    session.add(client)
    audit(session, issuer_id=None, actor=f"oauth_client:{client.id}", action="oauth_client.registered",
          object_id=client.id, content={"client_name": registration["client_name"]}, at=now)  # fmt: skip
    await session.flush()
    return client, secret
