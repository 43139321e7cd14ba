"""Verbs on tokens: revoke one (RFC 7009), tell of one (RFC 7662), take one at a learner's door (RFC 6750)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import ApiClient, ClientToken, find_client_token, get_person, list_roles
from app.access.tokens import is_secret, parse_token
from app.audit.store import audit
from app.errors import Forbidden, Unauthenticated
from app.oauth.clients import authenticate
from app.oauth.consents import is_good, revoke_authorization
from app.oauth.protocol import Answer, Client, Facts, revoke
from app.oauth.store import OAuthAuthorization, OAuthToken, lock_authorization

_NO_SUCH_SECRET = bytes(32)


@dataclass(frozen=True, slots=True)
class LearnerGrant:
    """A client at work for a learner, permitted to do what the route asked for."""

    issuer_id: str
    person_id: str
    learner_id: str
    client_id: str

    @property
    def actor(self) -> str:
        """How the audit trail names who did it."""
        return f"oauth_client:{self.client_id}"


async def answer_revocation(
    session: AsyncSession, form: str, *, authorization: str | None, iss: str, now: datetime
) -> Answer:
    """Revoke the client's own token that the form names. One that is not known, or another's, is answered alike: 200."""
    client = await authenticate(session, authorization, now)
    answer, outcome = revoke(Facts(authenticated=client), form, iss=iss)
    if client is not None and outcome.revoked is not None:
        await _revoke(session, client, outcome.revoked, now)
    return answer


async def _revoke(session: AsyncSession, client: Client, token: str, now: datetime) -> None:
    if client.kind == "api":
        mine = await _find_client_token(session, token)
        if mine is not None and mine.client_id == client.client_id and mine.revoked_at is None:
            mine.revoked_at = now
            audit(session, issuer_id=client.issuer_id, actor=f"client:{client.client_id}",
                  action="client_token.revoked", object_id=mine.id, content={}, at=now)  # fmt: skip
        return
    found = await _find_token(session, token)
    authorization = None if found is None else await lock_authorization(session, found.authorization_id)
    if found is None or authorization is None or authorization.client_id != client.client_id:
        return
    if found.kind == "refresh":
        # RFC 7009, section 2.1: with a refresh token goes all that came of the same authorization.
        await revoke_authorization(
            session, authorization, why="revoked", actor=f"oauth_client:{client.client_id}", now=now
        )
    elif found.revoked_at is None:
        found.revoked_at = now
        audit(session, issuer_id=authorization.issuer_id, actor=f"oauth_client:{client.client_id}",
              action="oauth_token.revoked", object_id=found.id, content={}, at=now)  # fmt: skip


async def introspect(session: AsyncSession, token: str, client: Client, *, iss: str, now: datetime) -> dict[str, Any]:
    """What is so with a token: one of the client's own, or any for the operator's client. Else it is `active: false`."""
    is_operator = client.kind == "api" and client.issuer_id is None
    short = await _find_client_token(session, token)
    if short is not None and (is_operator or short.client_id == client.client_id):
        holder = await session.get_one(ApiClient, short.client_id)
        ended = short.revoked_at or holder.revoked_at
        lives = min(short.expires_at, holder.expires_at or short.expires_at)
        if ended is None and lives > now:
            return _told(short, sorted({*short.scopes} & {*holder.scopes}), short.client_id, iss)
    found = await _find_token(session, token)
    if found is not None:
        authorization = await session.get_one(OAuthAuthorization, found.authorization_id)
        is_whole = found.revoked_at is None and found.used_at is None and found.expires_at > now
        if (is_operator or authorization.client_id == client.client_id) and is_whole:
            if not await is_good(session, authorization):
                return {"active": False}
            return _told(found, found.scopes, authorization.client_id, iss) | {"sub": authorization.person_id}
    return {"active": False}


def _told(token: OAuthToken | ClientToken, scopes: list[str], client_id: str, iss: str) -> dict[str, Any]:
    return {
        "active": True, "scope": " ".join(scopes), "client_id": client_id, "token_type": "Bearer",
        "exp": int(token.expires_at.timestamp()), "iat": int(token.created_at.timestamp()), "iss": iss,
    }  # fmt: skip


class InsufficientScope(Forbidden):
    """The person did not let the client do this (RFC 6750, section 3.1)."""

    code = "insufficient_scope"


async def take_token(session: AsyncSession, token: str, scope: str, now: datetime) -> LearnerGrant:
    """What an access token of a learner permits. Raises Unauthenticated, InsufficientScope."""
    found = await _find_token(session, token)
    if found is None or found.kind != "access":
        raise Unauthenticated("The access token is not known.")
    if found.revoked_at is not None or found.expires_at <= now:
        raise Unauthenticated("The access token has expired or was revoked.")
    authorization = await session.get_one(OAuthAuthorization, found.authorization_id)
    if not await is_good(session, authorization):
        raise Unauthenticated("What the access token rests on was ended.")
    person = await get_person(session, authorization.issuer_id, authorization.person_id)
    roles = (await list_roles(session, person.issuer_id, [person.id]))[person.id]
    if person.learner_id is None or "learner" not in roles:
        raise Unauthenticated("Who gave the access token is no learner any more.")
    if scope not in found.scopes:
        raise InsufficientScope(f"The access token lacks the scope {scope}.")
    return LearnerGrant(person.issuer_id, person.id, person.learner_id, authorization.client_id)


async def _find_token(session: AsyncSession, token: str) -> OAuthToken | None:
    token_id, secret = parse_token(token) or ("", "")
    found = await session.get(OAuthToken, token_id)
    return found if is_secret(secret, found.secret_hash if found else _NO_SUCH_SECRET) else None


async def _find_client_token(session: AsyncSession, token: str) -> ClientToken | None:
    token_id, secret = parse_token(token) or ("", "")
    found = await find_client_token(session, token_id)
    return found if is_secret(secret, found.secret_hash if found else _NO_SUCH_SECRET) else None
