"""The token endpoint: a code, a refresh token or a client's credentials become an access token (RFC 6749, sections 4 and 6)."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.clients import keep_client_token
from app.access.tokens import hash_secret, is_secret, parse_token
from app.audit.store import audit
from app.identifiers import new_id
from app.oauth.clients import authenticate
from app.oauth.consents import is_good, revoke_authorization
from app.oauth.protocol import ACCESS_TOKEN_SECONDS, Answer, Client, Facts, Outcome, Redeemable, redeem
from app.oauth.store import OAuthAuthorization, OAuthToken, lock_authorization

REFRESH_LIFE = timedelta(days=90)


async def answer_token_request(
    session: AsyncSession, form: str, fields: dict[str, str], *, authorization: str | None, iss: str, now: datetime
) -> Answer:
    """Redeem what the form brings. The caller commits, also where the answer is an error: what came twice is ended for good."""
    client = await authenticate(session, authorization, now)
    family = await _find_family(session, fields, client, now)
    facts = Facts(authenticated=client, code=family.code, refresh_token=family.refresh)
    answer, outcome = redeem(facts, form, iss=iss)
    if client is not None and outcome.token is not None:
        if client.kind == "api":
            await _keep_client_token(session, client, outcome, now)
        elif family.authorization is not None:
            await _keep_tokens(session, family, outcome, now)
    return answer


class _Family:
    """The authorization that a code or refresh token is of, locked, and what of it is good."""

    def __init__(self) -> None:
        self.authorization: OAuthAuthorization | None = None
        self.refresh_token: OAuthToken | None = None
        self.code: Redeemable | None = None
        self.refresh: Redeemable | None = None


async def _find_family(session: AsyncSession, fields: dict[str, str], client: Client | None, now: datetime) -> _Family:
    family = _Family()
    if client is None or client.kind != "registered":
        return family
    if fields.get("grant_type") == "authorization_code":
        await _find_by_code(session, family, fields.get("code", ""), client, now)
    elif fields.get("grant_type") == "refresh_token":
        await _find_by_refresh_token(session, family, fields.get("refresh_token", ""), client, now)
    return family


async def _find_by_code(session: AsyncSession, family: _Family, code: str, client: Client, now: datetime) -> None:
    code_id, secret = parse_token(code) or ("", "")
    found = await lock_authorization(session, code_id)
    if found is None or not is_secret(secret, found.code_hash) or found.client_id != client.client_id:
        return
    if found.used_at is not None:
        # RFC 6749, section 4.1.2: somebody has the code who should not, and nobody knows who was first.
        await revoke_authorization(session, found, why="code_reused", actor=f"oauth_client:{client.client_id}", now=now)
        return
    if found.expires_at > now and await is_good(session, found):
        family.authorization = found
        family.code = Redeemable(found.scopes, found.redirect_uri, found.code_challenge)


async def _find_by_refresh_token(
    session: AsyncSession, family: _Family, token: str, client: Client, now: datetime
) -> None:
    token_id, secret = parse_token(token) or ("", "")
    found = await session.get(OAuthToken, token_id)
    if found is None or found.kind != "refresh" or not is_secret(secret, found.secret_hash):
        return
    authorization = await lock_authorization(session, found.authorization_id)
    if authorization is None or authorization.client_id != client.client_id:
        return
    await session.refresh(found)
    if found.used_at is not None:
        actor = f"oauth_client:{client.client_id}"
        await revoke_authorization(session, authorization, why="refresh_token_reused", actor=actor, now=now)
        return
    if found.revoked_at is None and found.expires_at > now and await is_good(session, authorization):
        family.authorization, family.refresh_token = authorization, found
        family.refresh = Redeemable(found.scopes, authorization.redirect_uri, authorization.code_challenge)


async def _keep_client_token(session: AsyncSession, client: Client, outcome: Outcome, now: datetime) -> None:
    assert outcome.token is not None
    kept = await keep_client_token(
        session, client.client_id, outcome.token["access_token"], scopes=outcome.scopes, now=now
    )
    audit(session, issuer_id=client.issuer_id, actor=f"client:{client.client_id}", action="client_token.issued",
          object_id=kept.id, content={"scopes": kept.scopes}, at=now)  # fmt: skip


async def _keep_tokens(session: AsyncSession, family: _Family, outcome: Outcome, now: datetime) -> None:
    assert family.authorization is not None
    assert outcome.token is not None
    authorization = family.authorization
    authorization.used_at = authorization.used_at or now
    over = (OAuthToken.authorization_id == authorization.id, OAuthToken.expires_at <= now)
    await session.execute(delete(OAuthToken).where(*over))
    life = timedelta(seconds=ACCESS_TOKEN_SECONDS)
    session.add(_token(authorization, "access", outcome.token["access_token"], outcome.scopes, now, life))
    refresh_scopes = outcome.scopes
    if family.refresh_token is not None:
        family.refresh_token.used_at = now
        refresh_scopes = family.refresh_token.scopes  # RFC 6749, section 6: the new one is for what the old one was for
    if "refresh_token" in outcome.token:
        refresh_token = outcome.token["refresh_token"]
        session.add(_token(authorization, "refresh", refresh_token, refresh_scopes, now, REFRESH_LIFE))
    audit(session, issuer_id=authorization.issuer_id, actor=f"oauth_client:{authorization.client_id}",
          action="oauth_authorization.redeemed", object_id=authorization.id, content={"scopes": outcome.scopes},
          at=now)  # fmt: skip
    await session.flush()


def _token(
    authorization: OAuthAuthorization, kind: str, token: str, scopes: list[str], now: datetime, life: timedelta
) -> OAuthToken:
    id_, secret = parse_token(token) or (new_id(), "")
    return OAuthToken(
        id=id_, authorization_id=authorization.id, kind=kind, scopes=list(scopes), secret_hash=hash_secret(secret),
        expires_at=now + life, used_at=None, revoked_at=None, created_at=now,
    )  # fmt: skip
