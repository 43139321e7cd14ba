"""Verbs on authorization requests: read one, consent to it, refuse it (RFC 6749, section 4.1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.access.tokens import hash_secret, parse_token
from app.audit.store import audit
from app.errors import Forbidden, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.oauth.clients import registered
from app.oauth.protocol import Asked, Facts, Refused, Unredirectable, grant, read_authorization_request
from app.oauth.store import (
    OAuthAuthorization,
    OAuthClient,
    OAuthConsent,
    find_oauth_client,
    list_consents,
    lock_consent,
)
from app.people.people import lock_person

CODE_LIFE = timedelta(seconds=600)


class UnfitAuthorizationRequest(InvalidInput):
    """The request names no registered client, or no registered address of it, or asks for what it may not."""

    code = "unfit_authorization_request"


class MisfitRequest(Exception):
    """The client asks for what it may not. `location` is where it would be told so."""

    def __init__(self, client_id: str, location: str) -> None:
        super().__init__("the authorization request was refused")
        self.client_id = client_id
        self.location = location


class LearnerRequired(Forbidden):
    """Who signed in is no learner, so there are no badges to let anybody at."""

    code = "learner_required"


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """An authorization request that fits, with the client as it registered."""

    client: OAuthClient
    facts: Facts
    asked: Asked
    query: str


async def read_request(session: AsyncSession, query: str, *, iss: str) -> AuthorizationRequest:
    """What a client asks for. Raises UnfitAuthorizationRequest, MisfitRequest."""
    try:
        named = parse_qs(query, max_num_fields=50).get("client_id", [""])[0]
    except ValueError:
        named = ""
    client = await find_oauth_client(session, named)
    facts = Facts(registered=None if client is None else registered(client))
    try:
        asked = read_authorization_request(facts, query, iss=iss)
    except Unredirectable as error:
        raise UnfitAuthorizationRequest(f"The link of the other service does not fit: {error}") from None
    except Refused as refused:
        assert client is not None
        raise MisfitRequest(client.id, refused.location) from None
    assert client is not None
    return AuthorizationRequest(client, facts, asked, query)


def require_learner(member: Member) -> str:
    """The learner whose badges it is about. Raises LearnerRequired."""
    if "learner" not in member.roles or member.learner_id is None:
        raise LearnerRequired("You have no badges of your own here.")
    return member.learner_id


async def is_let_in(session: AsyncSession, issuer_id: str, person_id: str, client_id: str) -> bool:
    """Whether the person lets the client do anything at all."""
    return any(
        each.client_id == client_id and each.revoked_at is None
        for each in await list_consents(session, issuer_id, [person_id])
    )


async def has_consented(session: AsyncSession, member: Member, request: AuthorizationRequest) -> bool:
    """Whether the person consented to all of this before. Their row stays locked: it is still so when a code is given."""
    await lock_person(session, member.issuer_id, member.person_id)  # before the consent, as everywhere
    consent = await lock_consent(session, member.issuer_id, member.person_id, request.client.id)
    return consent is not None and consent.revoked_at is None and set(request.asked.scopes) <= set(consent.scopes)


async def consent(
    session: AsyncSession, member: Member, request: AuthorizationRequest, *, iss: str, now: datetime
) -> str:
    """Consent, and give the client a code: where the browser takes it.

    Raises LearnerRequired, and UnfitAuthorizationRequest where the client was forgotten meanwhile.
    """
    require_learner(member)
    await lock_person(session, member.issuer_id, member.person_id)
    await _keep_client(session, request.client.id, now)
    kept = await _keep_consent(session, member, request, now)
    location, code = grant(request.facts, request.query, iss=iss)
    code_id, secret = parse_token(code) or ("", "")
    over = (
        OAuthAuthorization.issuer_id == member.issuer_id, OAuthAuthorization.consent_id == kept.id,
        OAuthAuthorization.used_at.is_(None), OAuthAuthorization.expires_at <= now,
    )  # fmt: skip
    await session.execute(delete(OAuthAuthorization).where(*over))
    session.add(
        OAuthAuthorization(
            id=code_id, issuer_id=member.issuer_id, consent_id=kept.id, person_id=member.person_id,
            client_id=request.client.id, scopes=request.asked.scopes, redirect_uri=request.asked.redirect_uri,
            code_challenge=request.asked.code_challenge, code_hash=hash_secret(secret), expires_at=now + CODE_LIFE,
            used_at=None, revoked_at=None, created_at=now,
        )
    )  # fmt: skip
    audit(session, issuer_id=member.issuer_id, actor=member.actor, action="oauth_authorization.granted",
          object_id=code_id, content={"consent": kept.id, "scopes": request.asked.scopes}, at=now)  # fmt: skip
    await session.flush()
    return location


async def _keep_client(session: AsyncSession, client_id: str, now: datetime) -> None:
    """Note that it is used, so that it is not forgotten."""
    unused = update(OAuthClient).where(OAuthClient.id == client_id, OAuthClient.used_at.is_(None))
    await session.execute(unused.values(used_at=now).execution_options(synchronize_session=False))
    if await find_oauth_client(session, client_id) is None:
        raise UnfitAuthorizationRequest("The other service is not registered here any more.")


async def _keep_consent(
    session: AsyncSession, member: Member, request: AuthorizationRequest, now: datetime
) -> OAuthConsent:
    """The consent with what is asked for beside what it had; what it had before it was revoked is not taken up again."""
    found = await lock_consent(session, member.issuer_id, member.person_id, request.client.id)
    if found is None:
        found = OAuthConsent(
            issuer_id=member.issuer_id, id=new_id(), person_id=member.person_id, client_id=request.client.id, scopes=[],
            revoked_at=None, created_at=now, updated_at=now,
        )  # fmt: skip
        session.add(found)
    before = [] if found.revoked_at is not None else found.scopes
    scopes = sorted({*before, *request.asked.scopes})
    if scopes != before:
        found.scopes, found.revoked_at, found.updated_at = scopes, None, now
        content = {"client": request.client.id, "scopes": scopes}
        audit(session, issuer_id=member.issuer_id, actor=member.actor, action="oauth_consent.given", object_id=found.id,
              content=content, at=now)  # fmt: skip
        record_event(session, member.issuer_id, "oauth_consent.given", found.id, at=now, data=content)
    await session.flush()
    return found
