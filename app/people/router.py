"""/v1/people, /v1/me, /v1/oidc-providers, /v1/mails: who signs in, how, and the mail to them."""

from datetime import timedelta

from fastapi import APIRouter
from sqlalchemy import select

from app.access.dependencies import AnyPerson, PeopleRead, PeopleWrite
from app.access.idempotency import Idempotency, Once
from app.access.sessions import begin_session, end_session
from app.access.store import Person, PersonSession, get_person, list_roles, list_sessions
from app.errors import NotFound
from app.identifiers import Identifier
from app.people.answers import begin_once, keep_answer
from app.people.bodies import (
    MailOut,
    MeOut,
    PersonChange,
    PersonCreate,
    PersonErased,
    PersonOut,
    ProviderChange,
    ProviderCreate,
    ProviderOut,
    RolesBody,
    SignedOut,
    TokenCreate,
    TokenCreated,
    TokenList,
    TokenOut,
)
from app.people.erase import erase_person
from app.people.identities import list_person_identities, open_person, open_person_key, unseal_person
from app.people.invite import invite_person
from app.people.people import (
    PersonChanges,
    change_person,
    change_roles,
    create_person,
    lock_person,
    require_roles_fit,
    sign_out_everywhere,
)
from app.people.providers import ProviderChanges, Registration, add_provider, change_provider, lock_provider
from app.people.store import Mail, OidcProvider
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, Paging, PagingByExternalId, fetch_page
from app.web.problems import responses

router = APIRouter(tags=["People"])


@router.post("/v1/people", status_code=201, operation_id="create_person",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "name": "Grace Example", "email": "grace.example@schools.example.org", "external_id": "staff-7",
                 "roles": ["assessor"], "invite": True}}}}})  # fmt: skip
async def create(
    body: PersonCreate, tenant: PeopleWrite, session: Session, world: World, now: Now, idempotency: Idempotency
) -> PersonOut:
    """Enter somebody who is to sign in, with their roles. Name and address are stored encrypted under a key of their own.

    With `invite` they are mailed the address of the sign-in page. They prove who they are by that e-mail address, so whoever may
    enter people may let anybody in: keep the scope `people:write` close.
    """
    await begin_once(session, world.vault, idempotency, tenant.issuer_id)
    require_roles_fit(body.roles, body.learner_id)
    person = await create_person(
        session, world.vault, tenant.issuer_id, body.facts(), roles=set(body.roles), actor=tenant.actor, now=now
    )
    if body.invite:
        await invite_person(session, world, person, now=now)
    out = PersonOut.of(person, await open_person(session, world.vault, person), sorted(set(body.roles)))
    await keep_answer(session, world.vault, idempotency, person, out)
    return out


@router.get("/v1/people", operation_id="list_people", responses=responses(400, 401, 403, 422))
async def list_(tenant: PeopleRead, session: ReadSession, world: World, paging: PagingByExternalId) -> Page[PersonOut]:
    """The people of the issuer, those who may not sign in any more as well."""
    query = select(Person).where(Person.issuer_id == tenant.issuer_id, Person.sealed_key.is_not(None))
    people, cursor = await fetch_page(
        session, query, paging, updated_at=Person.updated_at, identifier=Person.id, external_id=Person.external_id
    )
    ids = [person.id for person in people]
    identities = await list_person_identities(session, tenant.issuer_id, ids)
    roles = await list_roles(session, tenant.issuer_id, ids)
    items = [
        PersonOut.of(p, unseal_person(open_person_key(world.vault, p), identities[p.id]), roles[p.id]) for p in people
    ]
    return Page(items=items, next_cursor=cursor)


@router.get("/v1/people/{person_id}", operation_id="get_person", responses=responses(401, 403, 404, 410, 422))
async def get(person_id: Identifier, tenant: PeopleRead, session: ReadSession, world: World) -> PersonOut:
    """One person. 410 once they were erased."""
    return await _shown(session, world, await get_person(session, tenant.issuer_id, person_id))


@router.patch("/v1/people/{person_id}", operation_id="change_person",
              responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
              openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                  "name": "Grace Example-Hopper"}}}}})  # fmt: skip
async def change(
    person_id: Identifier, body: PersonChange, tenant: PeopleWrite, session: Session, world: World, now: Now
) -> PersonOut:
    """Change a person's name or address, tie them to a learner, or let them sign in no more (`is_active` false).

    Who is no longer active is signed out everywhere at once, tokens included.
    """
    person = await lock_person(session, tenant.issuer_id, person_id)
    await change_person(session, world.vault, person, PersonChanges(**body.model_dump()), actor=tenant.actor, now=now)
    return await _shown(session, world, person)


@router.put("/v1/people/{person_id}/roles", operation_id="change_person_roles",
            responses=responses(400, 401, 403, 404, 410, 413, 415, 422),
            openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                "roles": ["assessor", "lead"]}}}}})  # fmt: skip
async def change_roles_(
    person_id: Identifier, body: RolesBody, tenant: PeopleWrite, session: Session, world: World, now: Now
) -> PersonOut:
    """Let these be a person's roles. It takes effect at once, in sessions that are under way and for tokens too."""
    person = await lock_person(session, tenant.issuer_id, person_id)
    await change_roles(session, person, set(body.roles), actor=tenant.actor, now=now)
    return await _shown(session, world, person)


@router.post("/v1/people/{person_id}/erase", operation_id="erase_person",
             responses=responses(401, 403, 404, 422))  # fmt: skip
async def erase(person_id: Identifier, tenant: PeopleWrite, session: Session, now: Now) -> PersonErased:
    """Erase a person for good: key destroyed; name, address and sign-ins deleted. Their id stays in what they did.

    What is known of them as a learner stays: `POST /v1/learners/{learner_id}/erase` erases both.
    """
    person = await lock_person(session, tenant.issuer_id, person_id)
    await erase_person(session, person, actor=tenant.actor, now=now)
    return PersonErased(id=person.id, erased_at=person.updated_at)


async def _shown(session: Session, world: World, person: Person) -> PersonOut:
    roles = await list_roles(session, person.issuer_id, [person.id])
    return PersonOut.of(person, await open_person(session, world.vault, person), roles[person.id])


@router.get("/v1/me", operation_id="get_me", responses=responses(401, 403))
async def me(member: AnyPerson, session: ReadSession, world: World) -> MeOut:
    """Who makes the request, and in which roles."""
    known = await open_person(session, world.vault, await get_person(session, member.issuer_id, member.person_id))
    return MeOut.model_validate(
        {
            "id": member.person_id,
            "issuer_id": member.issuer_id,
            "name": known.name,
            "email": known.email,
            "roles": sorted(member.roles),
            "learner_id": member.learner_id,
        }
    )


@router.get("/v1/me/tokens", operation_id="list_my_tokens", responses=responses(401, 403))
async def my_tokens(member: AnyPerson, session: ReadSession, now: Now) -> TokenList:
    """One's own tokens that are good today."""
    sessions = await list_sessions(session, member.issuer_id, member.person_id)
    return TokenList(items=[TokenOut.of(each) for each in sessions if each.kind == "token" and each.expires_at > now])


@router.post("/v1/me/tokens", status_code=201, operation_id="create_my_token",
             responses=responses(400, 401, 403, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "name": "Reading room", "expires_in_days": 30}}}}})  # fmt: skip
async def create_my_token(body: TokenCreate, member: AnyPerson, session: Session, now: Now, once: Once) -> TokenCreated:
    """Make a token for a program of one's own. It is shown this once, and may do what its owner may do on the day."""
    person = await get_person(session, member.issuer_id, member.person_id)
    begun, token = await begin_session(
        session, person, kind="token", name=body.name, life=timedelta(days=body.expires_in_days), now=now
    )
    known = TokenOut.of(begun).model_dump()
    created = TokenCreated(**known, token=token)
    await once.remember(created, replay=TokenCreated(**known, token=None))
    return created


@router.delete("/v1/me/tokens/{token_id}", operation_id="revoke_my_token", responses=responses(401, 403, 404, 422))
async def revoke_my_token(token_id: Identifier, member: AnyPerson, session: Session, now: Now) -> TokenOut:
    """End a token of one's own at once."""
    token = await session.get(PersonSession, token_id)
    if token is None or (token.issuer_id, token.person_id) != (member.issuer_id, member.person_id):
        raise NotFound("You have no token with this id.")
    end_session(session, token, actor=member.actor, now=now)
    return TokenOut.of(token)


@router.delete("/v1/me/sessions", operation_id="end_my_sessions", responses=responses(401, 403))
async def end_my_sessions(member: AnyPerson, session: Session, now: Now) -> SignedOut:
    """Sign out everywhere: every browser and every token of one's own, that of this request too."""
    person = await lock_person(session, member.issuer_id, member.person_id)
    ended = await sign_out_everywhere(session, person, actor=member.actor, now=now)
    return SignedOut(sessions=ended)


@router.post("/v1/oidc-providers", status_code=201, operation_id="create_oidc_provider",
             responses=responses(400, 401, 403, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "name": "Maple County Schools", "provider_issuer": "https://login.schools.example.org",
                 "client_id": "assay", "client_secret": "a secret that the provider gave out"}}}}})  # fmt: skip
async def create_provider(
    body: ProviderCreate, tenant: PeopleWrite, session: Session, world: World, now: Now, once: Once
) -> ProviderOut:
    """Let people sign in at an institution's OpenID provider. The client secret is stored encrypted and never shown."""
    provider = await add_provider(
        session, world.vault, tenant.issuer_id, Registration(**body.model_dump()), actor=tenant.actor, now=now
    )
    out = ProviderOut.of(provider)
    await once.remember(out)
    return out


@router.get("/v1/oidc-providers", operation_id="list_oidc_providers", responses=responses(400, 401, 403, 422))
async def list_providers(tenant: PeopleRead, session: ReadSession, paging: Paging) -> Page[ProviderOut]:
    """The OpenID providers of the issuer."""
    query = select(OidcProvider).where(OidcProvider.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging, updated_at=OidcProvider.updated_at, identifier=OidcProvider.id
    )
    return Page(items=[ProviderOut.of(row) for row in rows], next_cursor=cursor)


@router.patch("/v1/oidc-providers/{provider_id}", operation_id="change_oidc_provider",
              responses=responses(400, 401, 403, 404, 413, 415, 422),
              openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                  "name": "Maple County Schools (staff)"}}}}})  # fmt: skip
async def change_provider_(
    provider_id: Identifier, body: ProviderChange, tenant: PeopleWrite, session: Session, world: World, now: Now
) -> ProviderOut:
    """Change a provider's name or client secret, or let nobody sign in there any more."""
    provider = await lock_provider(session, tenant.issuer_id, provider_id)
    changes = ProviderChanges(**body.model_dump())
    await change_provider(session, world.vault, provider, changes, actor=tenant.actor, now=now)
    return ProviderOut.of(provider)


@router.get("/v1/mails", operation_id="list_mails", responses=responses(400, 401, 403, 422))
async def list_mails(tenant: PeopleRead, session: ReadSession, paging: Paging) -> Page[MailOut]:
    """The mail to the issuer's people: whether it was sent and why not, without what is in it. Oldest first.

    `updated_since` gives what was written at or after that time.
    """
    query = select(Mail).where(Mail.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(session, query, paging, updated_at=Mail.created_at, identifier=Mail.id)
    return Page(items=[MailOut.of(row) for row in rows], next_cursor=cursor)
