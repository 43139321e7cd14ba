"""The verb that puts a learner's badge at another host."""

from datetime import datetime
from typing import Literal

from oauthlib.oauth2 import WebApplicationClient

from app.access.principals import Member
from app.audit.store import audit
from app.credentials.fetch import fetch_body
from app.credentials.store import get_credential
from app.errors import Conflict, NotFound
from app.events.store import record_event
from app.keys.vault import PersonalKey
from app.learners.recipients import open_key
from app.learners.store import get_learner, list_same_person
from app.net.client import Fetched, FetchFailed, FetchRefused
from app.obapi.hosts import (
    BadgeHostRefused,
    BadgeHostUnavailable,
    Connection,
    ask_for_tokens,
    open_connection,
    seal_connection,
)
from app.obapi.store import BadgeHost, get_badge_host
from app.resources import Resources


class BadgeHostNotConnected(Conflict):
    """The learner has not consented at the host yet."""

    code = "badge_host_not_connected"


async def push_badge(
    world: Resources, member: Member, badge_host_id: str, credential_id: str, *, now: datetime
) -> Literal["created", "replaced"]:
    """Put a badge of the learner's own, as it is served now, at a host: whether it was new there.

    Raises NotFound, BadgeHostNotConnected, BadgeHostRefused, BadgeHostUnavailable.
    """
    async with world.database.reading() as session:
        host = await get_badge_host(session, member.issuer_id, member.person_id, badge_host_id)
        credential = await get_credential(session, member.issuer_id, credential_id)
        if host.state != "connected":
            raise BadgeHostNotConnected("The host has not been connected yet.")
        same = await list_same_person(session, member.issuer_id, host.learner_id)
        if credential.learner_id not in same:
            raise NotFound("There is no credential with this id.")
        _, body, _ = await fetch_body(session, world.vault, credential)
        key = open_key(world.vault, await get_learner(session, host.issuer_id, host.learner_id))
    connection = open_connection(key, host)
    answer = await _send(world, host, connection, body)
    if answer.status == 401 and connection.refresh_token:
        connection = await _refresh(world, host, key, connection, now)
        answer = await _send(world, host, connection, body)
    if answer.status not in (200, 201):
        raise BadgeHostRefused(
            f"The host answered {answer.status}.",
            cure="Connect it again." if answer.status in (401, 403) else "Ask the people who run it.",
        )
    what: Literal["created", "replaced"] = "created" if answer.status == 201 else "replaced"
    async with world.database.transaction() as session:
        content = {"credential": credential_id, "outcome": what}
        audit(session, issuer_id=host.issuer_id, actor=member.actor, action="badge_host.pushed", object_id=host.id,
              content=content, at=now)  # fmt: skip
        record_event(session, host.issuer_id, "badge_host.pushed", host.id, at=now, data=content)
    return what


async def _send(world: Resources, host: BadgeHost, connection: Connection, body: bytes) -> Fetched:
    try:
        return await world.outbound.post(
            f"{host.url}/credentials", body, media_type="application/json", accept="application/json",
            bearer=connection.access_token,
        )  # fmt: skip
    except (FetchFailed, FetchRefused):
        raise BadgeHostUnavailable("The host did not answer.") from None


async def _refresh(
    world: Resources, host: BadgeHost, key: PersonalKey, connection: Connection, now: datetime
) -> Connection:
    form = WebApplicationClient(connection.client_id).prepare_refresh_body(
        refresh_token=connection.refresh_token, scope=connection.scope
    )
    renewed = await ask_for_tokens(world, connection, connection.refresh_url, form)
    async with world.database.transaction() as session:
        found = await get_badge_host(session, host.issuer_id, host.person_id, host.id, lock=True)
        found.sealed_connection = seal_connection(key, host.id, renewed)
        found.updated_at = now
    return renewed
