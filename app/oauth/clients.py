"""Who a client is: by HTTP Basic with its id and secret (RFC 6749, section 2.3.1)."""

import base64
import binascii
from datetime import datetime
from urllib.parse import unquote_plus

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import ApiClient, find_client
from app.access.tokens import is_secret, parse_token
from app.oauth.protocol import Client
from app.oauth.store import OAuthClient, find_oauth_client

_NO_SUCH_SECRET = bytes(32)


def registered(client: OAuthClient) -> Client:
    """A client that registered itself, as the protocol knows it."""
    said = client.registration
    return Client(client.id, "registered", frozenset(said["scope"].split()), said["redirect_uris"], said["grant_types"])


async def authenticate(session: AsyncSession, authorization: str | None, now: datetime) -> Client | None:
    """The client that this Authorization header proves; None where it proves none.

    An API client's secret is its token, whole. A registered client's is what its registration answered.
    """
    client_id, secret = _read_basic(authorization or "")
    known = await find_oauth_client(session, client_id)
    api_client = await find_client(session, client_id) if known is None else None
    if api_client is not None:
        named, secret = parse_token(secret) or ("", "")
        secret = secret if named == api_client.id else ""
    holder: OAuthClient | ApiClient | None = known or api_client
    # The comparison runs for an unknown client too, so that timing does not tell whether one exists.
    if not is_secret(secret, holder.secret_hash if holder else _NO_SUCH_SECRET) or holder is None:
        return None
    if isinstance(holder, OAuthClient):
        return registered(holder)
    if holder.revoked_at is not None or (holder.expires_at is not None and holder.expires_at <= now):
        return None
    return Client(holder.id, "api", frozenset(holder.scopes), issuer_id=holder.issuer_id)


def _read_basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    # Both are form-encoded before they are put together; ids and secrets of ours look the same either way.
    return unquote_plus(user), unquote_plus(password)
