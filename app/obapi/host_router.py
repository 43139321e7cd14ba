"""/v1/me/badge-hosts: other services at which a learner keeps badges, and putting badges there."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.access.dependencies import AnyPerson
from app.access.idempotency import Idempotency, take_key
from app.identifiers import Identifier
from app.oauth.authorize import require_learner
from app.obapi.hosts import begin_connection, end_connection, find_host
from app.obapi.push import push_badge
from app.obapi.store import BadgeHost, get_badge_host, list_badge_hosts
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.fields import Body, Moment, Url
from app.web.problems import responses

router = APIRouter(prefix="/v1/me/badge-hosts", tags=["Open Badges API"])


class BadgeHostCreate(Body):
    url: Url = Field(description="Where the host is; its Open Badges API is looked for at `/ims/ob/v3p0` of it.",
                     examples=["https://backpack.example.org"])  # fmt: skip


class BadgeHostOut(BaseModel):
    """A service at which one keeps badges."""

    id: Identifier
    url: str
    name: str = Field(description="As the host calls itself.")
    state: Literal["asked", "connected"]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, host: BadgeHost) -> "BadgeHostOut":
        return cls.model_validate(host, from_attributes=True)


class BadgeHostAsked(BadgeHostOut):
    authorize_url: str | None = Field(
        description="Where to go with the browser one is signed in with, within half an hour; null in a repeated answer."
    )


class BadgeHostList(BaseModel):
    items: list[BadgeHostOut]


class PushBody(Body):
    credential_id: Identifier


class Pushed(BaseModel):
    credential_id: Identifier
    outcome: Literal["created", "replaced"] = Field(description="Whether the badge was new at the host.")
    pushed_at: Moment


@router.post("", status_code=201, operation_id="connect_badge_host", responses=responses(400, 401, 403, 409, 413, 415, 422, 503),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "url": "https://backpack.example.org"}}}}})  # fmt: skip
async def connect(
    body: BadgeHostCreate, member: AnyPerson, world: World, now: Now, idempotency: Idempotency
) -> BadgeHostAsked:
    """Begin to connect a host of badges: this service finds and registers at it. Go to `authorize_url` then, and consent there.

    For learners. The host must offer the Open Badges API of Open Badges 3.0; it takes this service only if that is on https.
    """
    require_learner(member)
    async with world.database.reading() as session:
        await idempotency.replay(session)
    found = await find_host(world, body.url)
    async with world.database.transaction() as session:
        once = await take_key(idempotency, session)
        host, url = await begin_connection(session, world, member, found, now=now)
        known = BadgeHostOut.of(host).model_dump()
        asked = BadgeHostAsked(**known, authorize_url=url)
        await once.remember(asked, replay=BadgeHostAsked(**known, authorize_url=None))
    return asked


@router.get("", operation_id="list_my_badge_hosts", responses=responses(401, 403))
async def list_(member: AnyPerson, session: ReadSession) -> BadgeHostList:
    """The services at which one keeps badges, or has begun to."""
    hosts = await list_badge_hosts(session, member.issuer_id, member.person_id)
    return BadgeHostList(items=[BadgeHostOut.of(each) for each in hosts])


@router.delete("/{badge_host_id}", operation_id="disconnect_badge_host", responses=responses(401, 403, 404, 422))
async def disconnect(badge_host_id: Identifier, member: AnyPerson, session: Session, now: Now) -> BadgeHostOut:
    """Forget a host, and the tokens it gave. What was put there stays there."""
    host = await get_badge_host(session, member.issuer_id, member.person_id, badge_host_id, lock=True)
    out = BadgeHostOut.of(host)
    end_connection(session, host, actor=member.actor, now=now)
    await session.delete(host)
    return out


@router.post("/{badge_host_id}/pushes", operation_id="push_badge",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422, 503),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "credential_id": "0f3c5a7e9b1d2f4a6c8e0b2d4f6a8c0e"}}}}})  # fmt: skip
async def push(badge_host_id: Identifier, body: PushBody, member: AnyPerson, world: World, now: Now) -> Pushed:
    """Put a badge of one's own at a host. Doing it again replaces it there: after a reissue, say."""
    outcome = await push_badge(world, member, badge_host_id, body.credential_id, now=now)
    return Pushed(credential_id=body.credential_id, outcome=outcome, pushed_at=now)
