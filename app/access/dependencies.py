"""Routes name what they need: `DecisionsWrite`, `Platform`, … The alias is the permission."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import BackgroundTasks, Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import OWN_SCOPES, Member, Principal, Role, Scope, Tenant, person
from app.access.sessions import COOKIE
from app.access.store import (
    ApiClient,
    ClientToken,
    PersonSession,
    find_client,
    find_client_token,
    find_session,
    get_person,
    list_roles,
)
from app.access.tokens import is_secret, parse_token
from app.errors import Forbidden, NotFound, Unauthenticated
from app.identifiers import Identifier
from app.resources import Resources
from app.web.dependencies import World

_bearer = HTTPBearer(
    scheme_name="token", bearerFormat="assay_<client id>_<secret>", auto_error=False,
    description="The operator's token, that of an API client of an issuer, or one that a person made for themselves.",
)  # fmt: skip

_person = HTTPBearer(
    scheme_name="person", bearerFormat="assay_<session id>_<secret>", auto_error=False,
    description="A person who has signed in: the session cookie of a browser, or a token of their own.",
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
    token = credentials.credentials if credentials else _token_of_cookie(request, world)
    if token is None:
        raise Unauthenticated("The request has no bearer token.")
    now = world.clock.now()
    holder, principal = await _authenticate(world, token, now)
    if holder.last_used_at is None or now - holder.last_used_at > _LAST_USED_PRECISION:
        # After the answer: the write must not stand in the way of the route's own transaction.
        background.add_task(_touch, world, type(holder), holder.id, now)
    request.state.principal_id = principal.id
    return principal


def cookie_name(*, is_https: bool) -> str:
    """The session cookie's name: over https one that no subdomain can set (RFC 6265bis, section 4.1.3.2)."""
    return f"__Host-{COOKIE}" if is_https else COOKIE


def _token_of_cookie(request: Request, world: Resources) -> str | None:
    """The token in a browser's cookie. Raises Forbidden when another site makes the browser send something that changes."""
    token = request.cookies.get(cookie_name(is_https=world.settings.is_https))
    if token is not None and request.method not in ("GET", "HEAD") and request.headers.get("origin") != world.base_url:
        raise Forbidden(
            "The request came with a session cookie, but not from a page of this service.",
            cure="Send it from one of our pages, or use a token of your own (POST /v1/me/tokens) without the cookie.",
        )
    return token


async def _authenticate(world: Resources, token: str, now: datetime) -> tuple[ApiClient | PersonSession, Principal]:
    holder_id, secret = parse_token(token) or ("", "")
    async with world.database.reading() as session:
        holder: ApiClient | PersonSession | ClientToken | None = (
            await find_client(session, holder_id)
            or await find_session(session, holder_id)
            or await find_client_token(session, holder_id)
        )
        # The comparison runs for an unknown holder too, so that timing does not tell whether one exists.
        good = is_secret(secret, holder.secret_hash if holder else _NO_SUCH_SECRET)
        if holder is None or not good:
            raise Unauthenticated("The token is not known.")
        _require_good(holder, now)
        if isinstance(holder, PersonSession):
            return holder, await _person_of(session, holder)
        scopes = frozenset(Scope(scope) for scope in holder.scopes)
        if isinstance(holder, ClientToken):
            holder = await session.get_one(ApiClient, holder.client_id)
            _require_good(holder, now)
            scopes &= {Scope(scope) for scope in holder.scopes}
    return holder, Principal("client" if holder.issuer_id else "platform", holder.id, holder.issuer_id, scopes)


def _require_good(holder: ApiClient | PersonSession | ClientToken, now: datetime) -> None:
    if holder.revoked_at is not None:
        raise Unauthenticated("The token has been revoked.")
    if holder.expires_at is not None and holder.expires_at <= now:
        raise Unauthenticated("The token has expired.")


async def _person_of(session: AsyncSession, holder: PersonSession) -> Principal:
    found = await get_person(session, holder.issuer_id, holder.person_id)
    if not found.is_active or found.sealed_key is None:
        raise Unauthenticated("The person may not sign in any more.")
    roles = (await list_roles(session, found.issuer_id, [found.id]))[found.id]
    return person(found.id, found.issuer_id, frozenset(roles), found.learner_id)


async def _touch(world: Resources, kind: type[ApiClient] | type[PersonSession], id_: str, now: datetime) -> None:
    async with world.database.transaction() as session:
        holder: ApiClient | PersonSession | None = await session.get(kind, id_)
        if holder is not None:
            holder.last_used_at = now


class PersonRequired(Forbidden):
    """An API client asked for what only a person may do."""

    code = "person_required"


AnyPrincipal = Annotated[Principal, Depends(_principal)]


async def _known_client(request: Request, world: World, background: BackgroundTasks) -> Principal | None:
    # Read by hand: an operation that wants a token says so in the API document, and this one does not.
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    credentials = HTTPAuthorizationCredentials(scheme=scheme, credentials=token.strip())
    try:
        principal = await _principal(request, world, background, credentials)
    except Unauthenticated:
        return None
    return principal if principal.kind == "client" else None


KnownClient = Annotated[Principal | None, Depends(_known_client)]
"""For what is public and tells an API client more: None for everybody else, whatever token they show."""


async def find_person(request: Request, world: Resources, background: BackgroundTasks) -> Principal | None:
    """Who has signed in, for what answers people who have not as well; None for everybody else."""
    try:
        principal = await _principal(request, world, background, await _bearer(request))
    except Unauthenticated:
        return None
    return principal if principal.kind == "person" else None


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


def _tenant_or_learner_with(scope: Scope, *, role: Role | None = None) -> Callable[[Principal], Awaitable[Tenant]]:
    """For what a learner may do with their own and who holds the scope, or the role, with everybody's: see
    `Tenant.only_learner_id`."""
    with_scope = _tenant_with(scope)

    async def dependency(principal: AnyPrincipal) -> Tenant:
        if principal.issuer_id is not None and role in principal.roles:
            return Tenant(principal.issuer_id, principal.actor, principal.scopes)
        is_learner = "learner" in principal.roles and principal.learner_id is not None
        if principal.issuer_id is not None and scope not in principal.scopes and is_learner and scope in OWN_SCOPES:
            return Tenant(principal.issuer_id, principal.actor, OWN_SCOPES, principal.learner_id)
        return await with_scope(principal)

    return dependency


def _client_with(scope: Scope) -> Callable[[Principal], Awaitable[Tenant]]:
    """For what is done by a system whose settings are its own: never by a person."""
    inside = _tenant_with(scope)

    async def dependency(principal: AnyPrincipal) -> Tenant:
        tenant = await inside(principal)
        if principal.kind != "client":
            raise Forbidden("Only an API client can do this.", cure="Use the token of an API client of the issuer.")
        return replace(tenant, client_id=principal.id)

    return dependency


def _member_with(*roles: Role) -> Callable[[Principal, object], Awaitable[Member]]:
    """For what only a person in one of these roles does, never a partner's system (no roles given: any person)."""

    async def dependency(principal: AnyPrincipal, _: Annotated[object, Depends(_person)]) -> Member:
        if principal.kind != "person" or principal.issuer_id is None:
            raise PersonRequired(
                "Only a person who has signed in can do this, not an API client.",
                cure="Sign in, and use the session or a token of your own (POST /v1/me/tokens).",
            )
        if roles and not principal.roles.intersection(roles):
            raise Forbidden(f"This needs the role {' or '.join(roles)}.")
        return Member(principal.issuer_id, principal.id, principal.roles, principal.learner_id)

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
PeopleRead = Annotated[Tenant, Depends(_tenant_with(Scope.PEOPLE_READ))]
PeopleWrite = Annotated[Tenant, Depends(_tenant_with(Scope.PEOPLE_WRITE))]
ProgramsRead = Annotated[Tenant, Depends(_tenant_with(Scope.PROGRAMS_READ))]
ProgramsWrite = Annotated[Tenant, Depends(_tenant_with(Scope.PROGRAMS_WRITE))]
ReadingsRead = Annotated[Tenant, Depends(_tenant_with(Scope.READINGS_READ))]
SubmissionsRead = Annotated[Tenant, Depends(_tenant_or_learner_with(Scope.SUBMISSIONS_READ))]
SubmissionsWrite = Annotated[Tenant, Depends(_tenant_or_learner_with(Scope.SUBMISSIONS_WRITE))]
AppealsRead = Annotated[Tenant, Depends(_tenant_or_learner_with(Scope.SUBMISSIONS_READ, role="approver"))]
DecisionsRead = Annotated[Tenant, Depends(_tenant_with(Scope.DECISIONS_READ))]
DecisionsWrite = Annotated[Tenant, Depends(_tenant_with(Scope.DECISIONS_WRITE))]
CredentialsRead = Annotated[Tenant, Depends(_tenant_with(Scope.CREDENTIALS_READ))]
CredentialReadOrOwn = Annotated[Tenant, Depends(_tenant_or_learner_with(Scope.CREDENTIALS_READ))]
CredentialsStatus = Annotated[Tenant, Depends(_tenant_with(Scope.CREDENTIALS_STATUS))]
ClrRead = Annotated[Tenant, Depends(_tenant_or_learner_with(Scope.CLR_READ))]
ClrWrite = Annotated[Tenant, Depends(_tenant_or_learner_with(Scope.CLR_WRITE))]
EndorsementsRead = Annotated[Tenant, Depends(_tenant_with(Scope.ENDORSEMENTS_READ))]
EndorsementsWrite = Annotated[Tenant, Depends(_tenant_with(Scope.ENDORSEMENTS_WRITE))]
PathwaysRead = Annotated[Tenant, Depends(_tenant_with(Scope.PATHWAYS_READ))]
PathwayProgressRead = Annotated[Tenant, Depends(_tenant_or_learner_with(Scope.PATHWAYS_READ))]
PathwaysWrite = Annotated[Tenant, Depends(_tenant_with(Scope.PATHWAYS_WRITE))]
DemographicsWrite = Annotated[Tenant, Depends(_tenant_with(Scope.DEMOGRAPHICS_WRITE))]
ReportsRead = Annotated[Tenant, Depends(_tenant_with(Scope.REPORTS_READ))]
RecognitionsRead = Annotated[Tenant, Depends(_tenant_with(Scope.RECOGNITIONS_READ))]
RecognitionsWrite = Annotated[Tenant, Depends(_tenant_with(Scope.RECOGNITIONS_WRITE))]
VcApiIssue = Annotated[Tenant, Depends(_client_with(Scope.VCAPI_ISSUE))]
VcApiVerify = Annotated[Tenant, Depends(_client_with(Scope.VCAPI_VERIFY))]
EventsRead = Annotated[Tenant, Depends(_tenant_with(Scope.EVENTS_READ))]

AnyPerson = Annotated[Member, Depends(_member_with())]
AsAssessor = Annotated[Member, Depends(_member_with("assessor", "lead"))]
AsLead = Annotated[Member, Depends(_member_with("lead"))]
AsApprover = Annotated[Member, Depends(_member_with("approver"))]
AsDirector = Annotated[Member, Depends(_member_with("director"))]
AsReviewer = Annotated[Member, Depends(_member_with("lead", "director", "approver"))]
AsLeadOrDirector = Annotated[Member, Depends(_member_with("lead", "director"))]
