"""Routes name what they need: `DecisionsWrite`, `Platform`, … The alias is the permission."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import BackgroundTasks, Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.access.principals import Principal, Scope, Tenant
from app.access.store import ApiClient, find_client
from app.access.tokens import is_secret, parse_token
from app.errors import Forbidden, NotFound, Unauthenticated
from app.identifiers import Identifier
from app.resources import Resources
from app.web.dependencies import World

_bearer = HTTPBearer(
    scheme_name="token", bearerFormat="assay_<client id>_<secret>", auto_error=False,
    description="The operator's token, or that of an API client of an issuer.",
)  # fmt: skip

# How stale `last_used_at` may be. Writing it on every request would make every read a write.
_LAST_USED_PRECISION = timedelta(minutes=1)
_NO_SUCH_SECRET = bytes(32)


async def _principal(
    request: Request,
    world: World,
    background: BackgroundTasks,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    if credentials is None:
        raise Unauthenticated("The request has no bearer token.")
    now = world.clock.now()
    client = await _authenticate(world, credentials.credentials, now)
    if client.last_used_at is None or now - client.last_used_at > _LAST_USED_PRECISION:
        # After the answer: the write must not stand in the way of the route's own transaction.
        background.add_task(_touch, world, client.id, now)
    request.state.principal_id = client.id
    scopes = frozenset(Scope(scope) for scope in client.scopes)
    if client.issuer_id is None:
        return Principal("platform", client.id, None, scopes)
    return Principal("client", client.id, client.issuer_id, scopes)


async def _authenticate(world: Resources, token: str, now: datetime) -> ApiClient:
    client_id, secret = parse_token(token) or ("", "")
    async with world.database.reading() as session:
        client = await find_client(session, client_id)
    # The comparison runs for an unknown client too, so that timing does not tell whether one exists.
    good = is_secret(secret, client.secret_hash if client else _NO_SUCH_SECRET)
    if client is None or not good:
        raise Unauthenticated("The token is not known.")
    if client.revoked_at is not None:
        raise Unauthenticated("The token has been revoked.")
    if client.expires_at is not None and client.expires_at <= now:
        raise Unauthenticated("The token has expired.")
    return client


async def _touch(world: Resources, client_id: str, now: datetime) -> None:
    async with world.database.transaction() as session:
        client = await find_client(session, client_id)
        if client is not None:
            client.last_used_at = now


AnyPrincipal = Annotated[Principal, Depends(_principal)]


def _tenant_with(scope: Scope) -> Callable[[Principal], Awaitable[Tenant]]:
    async def dependency(principal: AnyPrincipal) -> Tenant:
        if principal.issuer_id is None:
            raise Forbidden(
                "This is an issuer's own business; the operator's token does not act inside an issuer.",
                cure="Use an API client of the issuer (POST /v1/issuers/{issuer_id}/api-clients makes one).",
            )
        if scope not in principal.scopes:
            raise Forbidden(f"The token lacks the scope {scope.value}.")
        return Tenant(principal.issuer_id, principal.actor, principal.scopes)

    return dependency


async def _platform(principal: AnyPrincipal) -> Principal:
    if Scope.PLATFORM not in principal.scopes or principal.issuer_id is not None:
        raise Forbidden(
            "This needs the operator's token.", cure="Ask the operator; `assay tokens create` makes such a token."
        )
    return principal


def _named_issuer_with(scope: Scope) -> Callable[[Principal, str], Awaitable[Tenant]]:
    """For routes that name the issuer in their path: the platform for any, a client for its own."""

    async def dependency(principal: AnyPrincipal, issuer_id: Annotated[Identifier, Path()]) -> Tenant:
        if principal.issuer_id is not None and principal.issuer_id != issuer_id:
            raise NotFound("There is no issuer with this id.")
        if not {scope, Scope.PLATFORM} & principal.scopes:
            raise Forbidden(f"The token lacks the scope {scope.value}.")
        return Tenant(issuer_id, principal.actor, principal.scopes)

    return dependency


def _own_issuer_with(scope: Scope) -> Callable[[Principal, str], Awaitable[Tenant]]:
    """For routes that name the issuer in their path and are its own business all the same."""
    inside = _tenant_with(scope)

    async def dependency(principal: AnyPrincipal, issuer_id: Annotated[Identifier, Path()]) -> Tenant:
        tenant = await inside(principal)
        if tenant.issuer_id != issuer_id:
            raise NotFound("There is no issuer with this id.")
        return tenant

    return dependency


Platform = Annotated[Principal, Depends(_platform)]
IssuerRead = Annotated[Tenant, Depends(_named_issuer_with(Scope.ISSUER_READ))]
IssuerWrite = Annotated[Tenant, Depends(_named_issuer_with(Scope.ISSUER_WRITE))]
IssuerExport = Annotated[Tenant, Depends(_own_issuer_with(Scope.ISSUER_EXPORT))]
ClientsManage = Annotated[Tenant, Depends(_named_issuer_with(Scope.CLIENTS_MANAGE))]
KeysManage = Annotated[Tenant, Depends(_named_issuer_with(Scope.KEYS_MANAGE))]
AchievementsRead = Annotated[Tenant, Depends(_tenant_with(Scope.ACHIEVEMENTS_READ))]
AchievementsWrite = Annotated[Tenant, Depends(_tenant_with(Scope.ACHIEVEMENTS_WRITE))]
AssessorsRead = Annotated[Tenant, Depends(_tenant_with(Scope.ASSESSORS_READ))]
AssessorsWrite = Annotated[Tenant, Depends(_tenant_with(Scope.ASSESSORS_WRITE))]
LearnersRead = Annotated[Tenant, Depends(_tenant_with(Scope.LEARNERS_READ))]
LearnersWrite = Annotated[Tenant, Depends(_tenant_with(Scope.LEARNERS_WRITE))]
DecisionsRead = Annotated[Tenant, Depends(_tenant_with(Scope.DECISIONS_READ))]
DecisionsWrite = Annotated[Tenant, Depends(_tenant_with(Scope.DECISIONS_WRITE))]
CredentialsRead = Annotated[Tenant, Depends(_tenant_with(Scope.CREDENTIALS_READ))]
CredentialsStatus = Annotated[Tenant, Depends(_tenant_with(Scope.CREDENTIALS_STATUS))]
EventsRead = Annotated[Tenant, Depends(_tenant_with(Scope.EVENTS_READ))]
