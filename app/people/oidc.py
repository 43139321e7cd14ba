"""Signing in at an institution by OpenID Connect Core 1.0: authorization code (section 3.1), PKCE (RFC 7636), state and nonce.

The provider says who somebody is there; who they are here is known already: by the subject they signed in as before, or, the
first time, by an e-mail address that the provider has verified. Signing in enters nobody.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import quote

from oauthlib.oauth2 import WebApplicationClient
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import strict_json
from app.access.store import Person
from app.access.tokens import hash_secret, is_secret, new_secret
from app.audit.store import audit
from app.errors import Conflict, Forbidden, Gone, InvalidInput, NotFound, Unavailable
from app.events.store import record_event
from app.identifiers import new_id
from app.net.client import FetchFailed, FetchRefused
from app.people.id_token import SignInRefused, Subject, verify_id_token
from app.people.identities import (
    add_person_identity,
    find_person_by_index,
    identity_indexes,
    list_person_identities,
)
from app.people.people import lock_person
from app.people.providers import get_active_provider, open_client_secret, open_provider_key
from app.people.sign_in_link import SignedIn, begin_browser_session
from app.people.store import OidcProvider, OidcSignIn
from app.resources import Resources

STATE_LIFE = timedelta(minutes=10)
CALLBACK = "/sign-in/oidc/callback"
_SCOPES = ["openid", "email"]
# Section 5.5: a strict provider has the address at its UserInfo endpoint only, unless it is asked for in the ID token.
_CLAIMS = {"id_token": {"email": None, "email_verified": None}}
_KEPT = timedelta(days=1)


class SignInUnknown(NotFound):
    code = "oidc_sign_in_unknown"


class SignInOtherBrowser(Forbidden):
    code = "oidc_sign_in_other_browser"


class SignInUsed(Conflict):
    code = "oidc_sign_in_used"


class SignInExpired(Gone):
    code = "oidc_sign_in_expired"


class PersonUnknown(Forbidden):
    """The provider knows the person; this issuer does not."""

    code = "oidc_person_unknown"


class ProviderUnavailable(Unavailable):
    """The provider did not answer as OpenID Connect Discovery 1.0 asks."""

    code = "oidc_provider_unavailable"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What of a provider's discovery document is needed."""

    authorization: str
    token: str
    jwks: str
    takes_basic: bool
    takes_claims: bool


async def begin_sign_in(
    world: Resources, issuer_id: str, provider_id: str, *, browser_secret: str, now: datetime
) -> str:
    """The URL at the provider to send this browser to. Raises NotFound, ProviderUnavailable."""
    async with world.database.reading() as session:
        provider = await get_active_provider(session, issuer_id, provider_id)
    endpoints = await _discover(world, provider)
    client = WebApplicationClient(provider.client_id)
    state, nonce, verifier = new_secret(), new_secret(), client.create_code_verifier(64)
    id_ = new_id()
    sealed = open_provider_key(world.vault, provider).seal_json(
        {"nonce": nonce, "verifier": verifier}, table="oidc_sign_in", row=id_, column="sealed_secrets"
    )  # fmt: skip
    async with world.database.transaction() as session:
        over = (OidcSignIn.issuer_id == issuer_id, OidcSignIn.expires_at <= now - _KEPT)
        await session.execute(delete(OidcSignIn).where(*over))
        session.add(
            OidcSignIn(
                id=id_, issuer_id=issuer_id, provider_id=provider_id, state_hash=hash_secret(state),
                browser_hash=hash_secret(browser_secret), sealed_secrets=sealed, created_at=now,
                expires_at=now + STATE_LIFE, used_at=None,
            )
        )  # fmt: skip
    url: str = client.prepare_request_uri(
        endpoints.authorization, redirect_uri=world.base_url + CALLBACK, scope=_SCOPES, state=state, nonce=nonce,
        code_challenge=client.create_code_challenge(verifier, "S256"), code_challenge_method="S256",
        **({"claims": json.dumps(_CLAIMS)} if endpoints.takes_claims else {}),
    )  # fmt: skip
    return url


async def finish_sign_in(
    world: Resources, answer: Mapping[str, str], *, browser_secret: str | None, now: datetime
) -> SignedIn:
    """What the provider sent this browser back with, redeemed: the person, signed in.

    The state is used up before anything is asked of the provider, whatever comes of it. Raises SignInUnknown,
    SignInOtherBrowser, SignInUsed, SignInExpired, SignInRefused, PersonUnknown, MayNotSignIn, ProviderUnavailable.
    """
    async with world.database.transaction() as session:
        begun = await _use_state(session, answer.get("state", ""), browser_secret, now)
        provider = await get_active_provider(session, begun.issuer_id, begun.provider_id)
    # RFC 9207: an answer that names another provider than the one asked is a mix-up.
    if answer.get("iss", provider.provider_issuer) != provider.provider_issuer:
        raise SignInRefused("The answer came from another provider than the one that was asked.")
    if "error" in answer or not answer.get("code"):
        raise SignInRefused("The provider did not sign you in.")
    key = open_provider_key(world.vault, provider)
    secrets = key.open_json(begun.sealed_secrets, table="oidc_sign_in", row=begun.id, column="sealed_secrets")
    endpoints = await _discover(world, provider)
    token = await _redeem(world, provider, endpoints, answer["code"], secrets["verifier"])
    keys = await _fetch_json(world, endpoints.jwks)
    subject = verify_id_token(
        token, keys, provider_issuer=provider.provider_issuer, client_id=provider.client_id, nonce=secrets["nonce"],
        now=world.clock.now(),
    )  # fmt: skip
    async with world.database.transaction() as session:
        person = await _find_person(session, world, provider, subject, now)
        return await begin_browser_session(session, person, now)


async def _use_state(session: AsyncSession, state: str, browser_secret: str | None, now: datetime) -> OidcSignIn:
    query = select(OidcSignIn).where(OidcSignIn.state_hash == hash_secret(state))
    begun = (await session.scalars(query)).one_or_none()
    if begun is None:
        raise SignInUnknown("This sign-in was not begun here.")
    if browser_secret is None or not is_secret(browser_secret, begun.browser_hash):
        raise SignInOtherBrowser("This sign-in was begun in another browser.")
    used = (
        update(OidcSignIn)
        .where(OidcSignIn.id == begun.id, OidcSignIn.used_at.is_(None))
        .values(used_at=now)
        .returning(OidcSignIn.id)
        .execution_options(synchronize_session=False)
    )
    if (await session.execute(used)).first() is None:
        raise SignInUsed("This sign-in has been finished.")
    if begun.expires_at <= now:
        raise SignInExpired("This sign-in took longer than ten minutes.")
    return begun


async def _find_person(
    session: AsyncSession, world: Resources, provider: OidcProvider, subject: Subject, now: datetime
) -> Person:
    """Who the subject is here, locked; entered as theirs when it is the first time. Raises PersonUnknown."""
    indexes = identity_indexes(world.vault, provider.issuer_id, "oidc", subject.sub, provider.id)
    known = await find_person_by_index(session, provider.issuer_id, "oidc", indexes)
    if known is not None:
        return await lock_person(session, known.issuer_id, known.id)
    if subject.verified_email is None:
        _refuse()
    by_email = identity_indexes(world.vault, provider.issuer_id, "email", subject.verified_email)
    found = await find_person_by_index(session, provider.issuer_id, "email", by_email)
    if found is None or not found.is_active:
        _refuse()
    person = await lock_person(session, found.issuer_id, found.id)
    identities = (await list_person_identities(session, person.issuer_id, [person.id]))[person.id]
    if any(each.provider_id == provider.id for each in identities):
        # Addresses are given to new people; whoever signed in first under this one is somebody else.
        _refuse()
    await add_person_identity(session, world.vault, person, "oidc", subject.sub, provider_id=provider.id, now=now)
    content = {"provider_id": provider.id}
    audit(session, issuer_id=person.issuer_id, actor=f"person:{person.id}", action="person.provider_tied",
          object_id=person.id, content=content, at=now)  # fmt: skip
    record_event(session, person.issuer_id, "person.provider_tied", person.id, at=now, data=content)
    return person


def _refuse() -> NoReturn:
    raise PersonUnknown("Nobody here is known by what the provider says of you.")


async def _discover(world: Resources, provider: OidcProvider) -> Endpoints:
    """OpenID Connect Discovery 1.0, section 4. Raises ProviderUnavailable, also for a document of another issuer."""
    document = await _fetch_json(world, f"{provider.provider_issuer.rstrip('/')}/.well-known/openid-configuration")
    if document.get("issuer") != provider.provider_issuer:
        raise ProviderUnavailable("The provider's discovery document names another issuer.")
    urls = [document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    if not all(isinstance(url, str) and url.startswith("https://") for url in urls):
        raise ProviderUnavailable("The provider's discovery document lacks an endpoint.")
    authorization, token, jwks = map(str, urls)
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Endpoints(
        authorization,
        token,
        jwks,
        takes_basic="client_secret_basic" in methods,
        takes_claims=document.get("claims_parameter_supported") is True,
    )


async def _redeem(world: Resources, provider: OidcProvider, endpoints: Endpoints, code: str, verifier: str) -> str:
    """The ID token for an authorization code (RFC 6749, section 4.1.3). Its access token is let go: nothing is asked with it."""
    secret = open_client_secret(world.vault, provider)
    further = {} if endpoints.takes_basic else {"client_secret": secret}
    form = WebApplicationClient(provider.client_id).prepare_request_body(
        code=code, redirect_uri=world.base_url + CALLBACK, code_verifier=verifier,
        include_client_id=not endpoints.takes_basic, **further,
    )  # fmt: skip
    # RFC 6749, section 2.3.1: both are form-encoded before they are put together.
    basic = (quote(provider.client_id, safe=""), quote(secret, safe="")) if endpoints.takes_basic else None
    try:
        fetched = await world.outbound.post_form(endpoints.token, form, accept="application/json", basic=basic)
    except (FetchRefused, FetchFailed):
        raise SignInRefused("The provider did not redeem the sign-in.") from None
    token = _parse(fetched.body).get("id_token")
    if not isinstance(token, str):
        raise SignInRefused("The provider sent no ID token.")
    return token


async def _fetch_json(world: Resources, url: str) -> dict[str, Any]:
    try:
        fetched = await world.outbound.get(url, accept="application/json", max_bytes=1 << 18)
    except (FetchRefused, FetchFailed):
        raise ProviderUnavailable("The provider did not answer.") from None
    return _parse(fetched.body)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        document = strict_json.loads(body)
    except InvalidInput:
        raise ProviderUnavailable("The provider's answer is not JSON.") from None
    if not isinstance(document, dict):
        raise ProviderUnavailable("The provider's answer is not a JSON object.")
    return document
