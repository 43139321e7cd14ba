"""Verbs by which a learner connects another host of badges: begin, come back, end (Open Badges 3.0, as a client).

The host is found by its Service Description Document, this service registers there by itself, and the learner consents there in
their browser. Nothing is asked of a host while a transaction is open.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from oauthlib.oauth2 import WebApplicationClient
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import strict_json
from app.access.principals import Member
from app.access.tokens import hash_secret, is_secret, new_secret
from app.audit.store import audit
from app.errors import Conflict, InvalidInput, NotFound, Unavailable
from app.events.store import record_event
from app.identifiers import new_id
from app.keys.vault import PersonalKey
from app.learners.recipients import open_key
from app.learners.store import get_learner, list_same_person
from app.net.client import FetchFailed, FetchRefused, is_fetchable
from app.oauth.authorize import require_learner
from app.oauth.scopes import CREDENTIAL_UPSERT, OFFLINE_ACCESS
from app.obapi.errors import PREFIX
from app.obapi.store import BadgeHost, get_badge_host
from app.people.people import lock_person
from app.resources import Resources

CALLBACK = "/badge-hosts/callback"
ASKED_LIFE = timedelta(minutes=30)


class BadgeHostUnfit(InvalidInput):
    """What is at this address is no host of badges."""

    code = "badge_host_unfit"


class BadgeHostUnavailable(Unavailable):
    """The host does not answer as the standards ask."""

    code = "badge_host_unavailable"


class BadgeHostRefused(Conflict):
    """The host does not take what it is asked."""

    code = "badge_host_refused"


_TOKEN = re.compile(r"[\x21-\x7e]+")
"""What can stand in a header (RFC 6750, section 2.1)."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What is known of a host, and what it gave out."""

    client_id: str
    client_secret: str
    authorization_url: str
    token_url: str
    refresh_url: str
    scope: str
    verifier: str = ""
    access_token: str = ""
    refresh_token: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A host that was found and registered at."""

    url: str
    name: str
    connection: Connection


async def find_host(world: Resources, url: str) -> Found:
    """Look for a host, and register there. Raises FetchRefused, BadgeHostUnfit, BadgeHostUnavailable, BadgeHostRefused."""
    base = url.rstrip("/").removesuffix("/discovery")
    base = base if base.endswith(PREFIX) else base + PREFIX
    try:
        fetched = await world.outbound.get(f"{base}/discovery", accept="application/json")
    except FetchFailed:
        raise BadgeHostUnavailable("The host did not answer.") from None
    try:
        description = strict_json.loads(fetched.body)
        title, scheme = description["info"]["title"], description["components"]["securitySchemes"]["OAuth2ACG"]  # type: ignore[index,call-overload]
        flow = scheme["flows"]["authorizationCode"]  # type: ignore[index,call-overload]
        register, authorize, token = scheme["x-imssf-registrationUrl"], flow["authorizationUrl"], flow["tokenUrl"]  # type: ignore[index,call-overload]
        refresh, offered = flow.get("refreshUrl") or token, flow["scopes"]  # type: ignore[index,union-attr,call-overload]
    except (InvalidInput, KeyError, TypeError, AttributeError):
        raise BadgeHostUnfit("There is no service description of an Open Badges host there.") from None
    urls = [register, authorize, token, refresh]
    if not all(isinstance(each, str) and is_fetchable(each) for each in urls) or not isinstance(title, str):
        raise BadgeHostUnfit("The service description has addresses that are not https.")
    if not isinstance(offered, dict) or CREDENTIAL_UPSERT not in offered:
        raise BadgeHostUnfit("The host does not take badges.")
    scope = " ".join(each for each in (CREDENTIAL_UPSERT, OFFLINE_ACCESS) if each in offered)
    client = await _register(world, str(register), scope)
    connection = Connection(
        client["client_id"], client["client_secret"], str(authorize), str(token), str(refresh), scope
    )
    return Found(base, title[:300], connection)


async def _register(world: Resources, url: str, scope: str) -> dict[str, str]:
    base = world.base_url
    body = {
        "client_name": "Assay", "client_uri": f"{base}/", "logo_uri": f"{base}/static/favicon.svg", "tos_uri": f"{base}/",
        "policy_uri": f"{base}/", "software_id": "assay", "software_version": version("assay"),
        "redirect_uris": [base + CALLBACK], "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"], "scope": scope,
    }  # fmt: skip
    try:
        answer = await world.outbound.post(
            url, json.dumps(body).encode(), media_type="application/json", accept="application/json"
        )
    except (FetchFailed, FetchRefused):
        raise BadgeHostUnavailable("The host did not register this service.") from None
    told = read_object(answer.body)
    if answer.status not in (200, 201):
        raise BadgeHostRefused("The host did not register this service.")
    client = {name: told.get(name) for name in ("client_id", "client_secret")}
    if not all(isinstance(value, str) and value for value in client.values()):
        raise BadgeHostUnavailable("The host registered this service without telling its secret.")
    return {name: str(value) for name, value in client.items()}


async def begin_connection(
    session: AsyncSession, world: Resources, member: Member, found: Found, *, now: datetime
) -> tuple[BadgeHost, str]:
    """A host that the learner is asked at, and where their browser goes for that. Raises LearnerRequired."""
    learner_id = (await list_same_person(session, member.issuer_id, require_learner(member)))[0]
    learner = await get_learner(session, member.issuer_id, learner_id)
    client = WebApplicationClient(found.connection.client_id)
    state, verifier, id_ = new_secret(), client.create_code_verifier(64), new_id()
    over = (BadgeHost.issuer_id == member.issuer_id, BadgeHost.state == "asked", BadgeHost.asked_until <= now)
    await session.execute(delete(BadgeHost).where(*over))
    connection = Connection(**{**asdict(found.connection), "verifier": verifier})
    host = BadgeHost(
        issuer_id=member.issuer_id, id=id_, learner_id=learner.id, person_id=member.person_id, url=found.url,
        name=found.name, state="asked", state_hash=hash_secret(state), asked_until=now + ASKED_LIFE,
        sealed_connection=seal_connection(open_key(world.vault, learner), id_, connection), created_at=now,
        updated_at=now,
    )  # fmt: skip
    session.add(host)
    audit(session, issuer_id=member.issuer_id, actor=member.actor, action="badge_host.asked", object_id=id_,
          content={}, at=now)  # fmt: skip
    await session.flush()
    url: str = client.prepare_request_uri(
        connection.authorization_url, redirect_uri=world.base_url + CALLBACK, scope=connection.scope.split(),
        state=state, code_challenge=client.create_code_challenge(verifier, "S256"), code_challenge_method="S256",
    )  # fmt: skip
    return host, url


async def finish_connection(world: Resources, member: Member, answer: Mapping[str, str], *, now: datetime) -> str:
    """What the learner came back with, redeemed: the host's id. The state is used up, whatever comes of it.

    Raises NotFound for a state that is not this person's, BadgeHostRefused, BadgeHostUnavailable.
    """
    async with world.database.transaction() as session:
        host = await _use_state(session, member, answer.get("state", ""), now)
        key = open_key(world.vault, await get_learner(session, host.issuer_id, host.learner_id))
    connection = open_connection(key, host)
    if "error" in answer or not answer.get("code"):
        raise BadgeHostRefused("The host did not let this service put badges there.")
    form = WebApplicationClient(connection.client_id).prepare_request_body(
        code=answer["code"], redirect_uri=world.base_url + CALLBACK, code_verifier=connection.verifier,
        scope=connection.scope, include_client_id=False,
    )  # fmt: skip
    connected = await ask_for_tokens(world, connection, connection.token_url, form)
    async with world.database.transaction() as session:
        found = await get_badge_host(session, host.issuer_id, host.person_id, host.id, lock=True)
        found.sealed_connection = seal_connection(key, host.id, connected)
        found.state, found.asked_until, found.updated_at = "connected", None, now
        audit(session, issuer_id=host.issuer_id, actor=member.actor, action="badge_host.connected", object_id=host.id,
              content={}, at=now)  # fmt: skip
        record_event(session, host.issuer_id, "badge_host.connected", host.id, at=now)
    return host.id


async def _use_state(session: AsyncSession, member: Member, state: str, now: datetime) -> BadgeHost:
    query = select(BadgeHost).where(
        BadgeHost.issuer_id == member.issuer_id, BadgeHost.person_id == member.person_id, BadgeHost.state == "asked"
    )
    for host in (await session.scalars(query.with_for_update())).all():
        if host.state_hash is not None and is_secret(state, host.state_hash):
            host.state_hash = None
            if host.asked_until is not None and host.asked_until > now:
                return host
    raise NotFound("This connection was not begun here, or not by you, or too long ago.")


async def ask_for_tokens(world: Resources, connection: Connection, url: str, form: str) -> Connection:
    """The connection with the tokens that the host gives for a form. Raises BadgeHostRefused, BadgeHostUnavailable."""
    # RFC 6749, section 2.3.1: both are form-encoded before they are put together.
    basic = (quote(connection.client_id, safe=""), quote(connection.client_secret, safe=""))
    try:
        fetched = await world.outbound.post_form(url, form, accept="application/json", basic=basic)
    except (FetchFailed, FetchRefused):
        raise BadgeHostRefused("The host gave no access token.") from None
    told = read_object(fetched.body)
    access, refresh = told.get("access_token"), told.get("refresh_token")
    if not isinstance(access, str) or not _TOKEN.fullmatch(access) or str(told.get("token_type")).lower() != "bearer":
        raise BadgeHostUnavailable("The host gave no bearer token.")
    kept = refresh if isinstance(refresh, str) else connection.refresh_token
    changed = {"verifier": "", "access_token": access, "refresh_token": kept}
    return Connection(**{**asdict(connection), **changed})


def end_connection(session: AsyncSession, host: BadgeHost, *, actor: str, now: datetime) -> None:
    """Forget a host with all that it gave out. `session.delete` is the caller's."""
    audit(session, issuer_id=host.issuer_id, actor=actor, action="badge_host.ended", object_id=host.id, content={},
          at=now)  # fmt: skip
    record_event(session, host.issuer_id, "badge_host.ended", host.id, at=now)


async def forget_hosts_of_erased(world: Resources, payload: Mapping[str, Any]) -> None:
    """Job: somebody was signed out everywhere. Of who was erased, where they kept badges is forgotten."""
    mine = (BadgeHost.issuer_id == payload["issuer_id"], BadgeHost.person_id == payload["person_id"])
    async with world.database.transaction() as session:
        person = await lock_person(session, payload["issuer_id"], payload["person_id"])
        if person.sealed_key is None:
            await session.execute(delete(BadgeHost).where(*mine))


def seal_connection(key: PersonalKey, host_id: str, connection: Connection) -> bytes:
    """What the row of a host holds."""
    return key.seal_json(asdict(connection), table="badge_host", row=host_id, column="sealed_connection")


def open_connection(key: PersonalKey, host: BadgeHost) -> Connection:
    """The pair of `seal_connection`."""
    return Connection(
        **key.open_json(host.sealed_connection, table="badge_host", row=host.id, column="sealed_connection")
    )


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a host answered. Raises BadgeHostUnavailable."""
    try:
        document = strict_json.loads(body)
    except InvalidInput:
        raise BadgeHostUnavailable("The host's answer is not JSON.") from None
    if not isinstance(document, dict):
        raise BadgeHostUnavailable("The host's answer is not a JSON object.")
    return document
