"""/v1/issuers: the operator makes issuers and their API clients."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StrictBool, StringConstraints, model_validator
from sqlalchemy import select

from app.access.clients import create_client, revoke_client
from app.access.dependencies import ClientsManage, IssuerRead, IssuerWrite, KeysManage, Platform
from app.access.idempotency import Idempotency, Once, take_key
from app.access.principals import TENANT_SCOPES, Scope
from app.access.store import ApiClient, get_client
from app.errors import Forbidden
from app.events.store import record_event
from app.identifiers import Identifier
from app.issuers.create import change_profile, create_issuer
from app.issuers.did_document import verification_method_id
from app.issuers.leave import leave
from app.issuers.rotate import prepare_rotation, rotate_key
from app.issuers.store import Issuer, get_issuer
from app.issuers.verify import compose_registry_entry, mark_verified
from app.keys.store import ED25519, KeyState, SigningKey
from app.proofs.public_key import KeyAlgorithm, is_multikey
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.fields import Body, Did, Email, Line, Moment, Prose, Url
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

router = APIRouter(prefix="/v1/issuers", tags=["Issuers"])

Slug = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"), Field(examples=["leadership-academy"])
]


class ProfileBody(Body):
    """Members of an Open Badges 3.0 Profile. `url` defaults to the issuer's page here."""

    name: Line = Field(examples=["School Improvement Leadership Academy"])
    url: Url | None = Field(default=None, examples=["https://academy.example.org"])
    description: Prose | None = Field(default=None, examples=["A two-year program for school leaders."])
    email: Email | None = None
    phone: Line | None = None
    official: Line | None = Field(default=None, description="Name of the organization's representative.")

    def facts(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class IssuerCreate(Body):
    slug: Slug = Field(description="Part of the issuer's URLs and did:web; never changes.")
    profile: ProfileBody
    test: StrictBool = Field(
        default=False,
        description="An issuer for trying things out; never changes. Its name, its badges, its pages and every "
        "verification of its badges say so.",
    )
    did: Did | None = Field(
        default=None,
        description="A did:web of the issuer's own domain; never changes. Its DID document has to be published there before the "
        "first badge: `POST /v1/issuers/{issuer_id}/keys` looks for it. Left out, the DID is of this service.",
        examples=["did:web:academy.example.org"],
    )


class IssuerVerificationOut(BaseModel):
    """The operator's word for an issuer. Information: nothing that the issuer may do hangs on it."""

    verified_as: str = Field(examples=["School Improvement Leadership Academy, accredited 2024"])
    verified_at: Moment


class IssuerVerification(Body):
    verified_as: Line | None = Field(
        description="What the operator found the issuer to be, shown on its page; null takes the mark away.",
        examples=["School Improvement Leadership Academy, accredited 2024"],
    )


class IssuerOut(BaseModel):
    """An issuer. `profile` is its Open Badges 3.0 Profile as badges carry it."""

    id: Identifier
    slug: str
    did: str = Field(examples=["did:web:badges.example.org:issuers:leadership-academy"])
    url: str = Field(examples=["https://badges.example.org/issuers/leadership-academy"])
    test: bool = Field(description="Whether its badges are tests and say so.")
    profile: dict[str, Any]
    left_at: Moment | None = Field(description="When it ended its issuing here; null while it issues.")
    verification: IssuerVerificationOut | None = Field(description="Null where the operator has not verified it.")
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, issuer: Issuer, base_url: str) -> "IssuerOut":
        return cls(
            id=issuer.id,
            slug=issuer.slug,
            did=issuer.did,
            url=f"{base_url}/issuers/{issuer.slug}",
            test=issuer.is_test,
            profile=issuer.profile,
            left_at=issuer.left_at,
            verification=IssuerVerificationOut(verified_as=issuer.verified_as, verified_at=issuer.verified_at)
            if issuer.verified_as is not None and issuer.verified_at is not None
            else None,
            created_at=issuer.created_at,
            updated_at=issuer.updated_at,
        )


class ApiClientCreate(Body):
    name: Line = Field(examples=["Partner portal"])
    scopes: list[Scope] = Field(
        min_length=1,
        max_length=len(TENANT_SCOPES),
        examples=[["achievements:write", "decisions:write", "credentials:read"]],
    )
    expires_in_days: Annotated[int, Field(strict=True, ge=1, le=1_825)] = 365

    @model_validator(mode="after")
    def _tenant_scopes_only(self) -> "ApiClientCreate":
        if Scope.PLATFORM in self.scopes:
            raise ValueError("an API client of an issuer cannot have the scope platform")
        return self


class ApiClientOut(BaseModel):
    """An API client. Its secret is never shown again after creation."""

    id: Identifier
    name: str
    scopes: list[Scope]
    expires_at: Moment | None
    revoked_at: Moment | None
    last_used_at: Moment | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, client: ApiClient) -> "ApiClientOut":
        return cls.model_validate(client, from_attributes=True)


class ApiClientCreated(ApiClientOut):
    """As at creation, with the token. A replay of the request has `token: null`, because only its hash is kept."""

    token: str | None = Field(examples=["assay_0f3c…_…"])
    note: str = "The token is shown this once; only its hash is stored."


class SigningKeyOut(BaseModel):
    """A signing key of an issuer: its public part. The private part never leaves the service."""

    id: Identifier
    url: str = Field(description="The public key as JWK.", examples=["https://badges.example.org/keys/0f3c…"])
    algorithm: KeyAlgorithm = Field(
        description="Ed25519 signs status lists and what every verifier expects, P-256 and P-384 proofs of the ECDSA suites and "
        "JWTs, RSA JWTs only.",
        examples=["Ed25519"],
    )
    state: KeyState = Field(
        description="A pending key signs once it is found published at the issuer's own domain. A retired key signs no more; "
        "it stays published, and what it signed verifies."
    )
    public_key_multibase: str | None = Field(
        description="The public key as Multikey; null for an RSA key, which has none: see its `url`.",
        examples=["z6Mk…"],
    )
    verification_method: str = Field(
        description="How proofs name the key.", examples=["did:web:badges.example.org:issuers:leadership-academy#z6Mk…"]
    )
    created_at: Moment
    activated_at: Moment | None = Field(description="Since when it signs; null while it is pending.")
    retired_at: Moment | None

    @classmethod
    def of(cls, key: SigningKey, issuer: Issuer, base_url: str) -> "SigningKeyOut":
        return cls.model_validate(
            {
                "id": key.id,
                "url": f"{base_url}/keys/{key.id}",
                "algorithm": key.algorithm,
                "state": key.state,
                "public_key_multibase": key.public_key_multibase if is_multikey(key.public_key_multibase) else None,
                "verification_method": verification_method_id(issuer.did, key.public_key_multibase),
                "created_at": key.created_at,
                # Earlier releases made a key and let it sign in the same moment, and noted one of the two.
                "activated_at": key.activated_at or (None if key.state == "pending" else key.created_at),
                "retired_at": key.retired_at,
            }
        )


class RegistryEntry(BaseModel):
    name: str
    location: str
    url: str


class KeyCreate(Body):
    algorithm: KeyAlgorithm = Field(
        default=ED25519, description="The first key of an algorithm is made; a later one replaces the one before."
    )


_EXAMPLE = {"slug": "leadership-academy", "profile": {"name": "School Improvement Leadership Academy"}}


@router.post("", status_code=201, operation_id="create_issuer", responses=responses(400, 401, 403, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}})  # fmt: skip
async def create(
    body: IssuerCreate, principal: Platform, session: Session, world: World, now: Now, once: Once
) -> IssuerOut:
    """Create an issuer with a signing key and a DID.

    With a `did` of its own domain its key is pending: publish what `/issuers/{slug}/did.json` answers at the DID's address, or
    let that host lead to this service, then call `POST /v1/issuers/{issuer_id}/keys`.
    """
    issuer = await create_issuer(
        session, world, slug=body.slug, profile=body.profile.facts(), is_test=body.test, did=body.did,
        actor=principal.actor, now=now,
    )  # fmt: skip
    out = IssuerOut.of(issuer, world.base_url)
    await once.remember(out)
    return out


@router.get("", operation_id="list_issuers", responses=responses(400, 401, 403, 422))
async def list_(_: Platform, session: ReadSession, world: World, paging: Paging) -> Page[IssuerOut]:
    """All issuers, for the operator."""
    rows, cursor = await fetch_page(session, select(Issuer), paging, updated_at=Issuer.updated_at, identifier=Issuer.id)
    return Page(items=[IssuerOut.of(row, world.base_url) for row in rows], next_cursor=cursor)


@router.get("/{issuer_id}", operation_id="get_issuer", responses=responses(401, 403, 404, 422))
async def get(tenant: IssuerRead, session: ReadSession, world: World) -> IssuerOut:
    """One issuer: any for the operator, its own for an API client."""
    return IssuerOut.of(await get_issuer(session, tenant.issuer_id), world.base_url)


@router.put("/{issuer_id}/profile", operation_id="change_issuer_profile", responses=responses(400, 401, 403, 404, 413, 415, 422),
            openapi_extra={"requestBody": {"content": {"application/json": {"example": _EXAMPLE["profile"]}}}})  # fmt: skip
async def put_profile(body: ProfileBody, tenant: IssuerWrite, session: Session, world: World, now: Now) -> IssuerOut:
    """Replace the Profile. The DID and the slug stay; badges already issued keep the Profile they carry."""
    issuer = await get_issuer(session, tenant.issuer_id)
    change_profile(session, issuer, profile=body.facts(), base_url=world.base_url, actor=tenant.actor, now=now)
    return IssuerOut.of(issuer, world.base_url)


@router.post("/{issuer_id}/keys", status_code=201, operation_id="rotate_key",
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {"algorithm": "P-256"}}}}},
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def rotate(
    tenant: KeysManage, world: World, idempotency: Idempotency, body: KeyCreate | None = None
) -> SigningKeyOut:
    """Make the issuer's signing key of an algorithm, or replace it. The answer is the new one, which signs from now on.

    Without a body it is the Ed25519 key, which every issuer has from the start. The key before is retired: it signs no more,
    stays in the DID document and verifies. With a new Ed25519 key status lists are signed anew within seconds. An issuer whose
    id is a did:key has that one key for good (`key_not_rotatable`), and no other beside it.

    For an issuer of its own domain the new key is published first: while the document at the DID's address lacks it, the
    answer is `did_document_not_published` and the key waits. Publish what `/issuers/{slug}/did.json` answers, then repeat the
    request. The document must keep the keys before (`did_document_incomplete`), because badges are signed with them.
    """
    algorithm = (body or KeyCreate()).algorithm
    published = await prepare_rotation(
        world, tenant.issuer_id, algorithm=algorithm, actor=tenant.actor, idempotency=idempotency
    )
    async with world.database.transaction() as session:
        once, now = await take_key(idempotency, session), world.clock.now()
        key = await rotate_key(
            session, world, tenant.issuer_id,
            algorithm=algorithm, published=published, actor=tenant.actor, now=now,
        )  # fmt: skip
        out = SigningKeyOut.of(key, await get_issuer(session, tenant.issuer_id), world.base_url)
        await once.remember(out)
    return out


@router.get("/{issuer_id}/keys", operation_id="list_keys", responses=responses(400, 401, 403, 404, 422))
async def list_keys(tenant: IssuerRead, session: ReadSession, world: World, paging: Paging) -> Page[SigningKeyOut]:
    """The issuer's signing keys, pending and retired ones included: those in its DID document."""
    issuer = await get_issuer(session, tenant.issuer_id)
    query = select(SigningKey).where(SigningKey.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(session, query, paging, updated_at=SigningKey.updated_at, identifier=SigningKey.id)
    return Page(items=[SigningKeyOut.of(row, issuer, world.base_url) for row in rows], next_cursor=cursor)


@router.put("/{issuer_id}/verification", operation_id="verify_issuer",
            openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                "verified_as": "School Improvement Leadership Academy, accredited 2024"}}}}},
            responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def put_verification(
    issuer_id: Identifier, body: IssuerVerification, principal: Platform, session: Session, world: World, now: Now
) -> IssuerOut:
    """Mark an issuer as verified by the operator, or take the mark away. It is shown to readers and changes nothing else."""
    issuer = await mark_verified(session, issuer_id, verified_as=body.verified_as, actor=principal.actor, now=now)
    return IssuerOut.of(issuer, world.base_url)


@router.get(
    "/{issuer_id}/registry-entry", operation_id="get_registry_entry", responses=responses(400, 401, 403, 404, 422)
)
async def get_registry_entry(
    tenant: IssuerRead,
    session: ReadSession,
    world: World,
    location: Annotated[Line, Query(description="Where the issuer is, as the registry shows it.")] = "",
) -> dict[str, RegistryEntry]:
    """What to hand in to a registry of known issuers, so that wallets show the issuer by name: an object by the issuer's DID.

    The form is that of the Digital Credentials Consortium's registries.
    """
    issuer = await get_issuer(session, tenant.issuer_id)
    entry = compose_registry_entry(issuer, base_url=world.base_url, location=location)
    return {did: RegistryEntry(**members) for did, members in entry.items()}


@router.post("/{issuer_id}/leave", operation_id="leave_issuer", responses=responses(401, 403, 404, 422))
async def leave_(issuer_id: Identifier, principal: Platform, session: Session, world: World, now: Now) -> IssuerOut:
    """Let the issuer leave, for good: it issues no more here, and its API clients are revoked.

    Its badges, pages, keys, DID document and status lists stay served. Badges can still be revoked, suspended and reinstated and
    learners erased, with an API client that the operator makes for it; anything else is refused (`issuer_left`).
    """
    return IssuerOut.of(await leave(session, issuer_id, actor=principal.actor, now=now), world.base_url)


@router.post("/{issuer_id}/api-clients", status_code=201, operation_id="create_api_client",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "name": "Partner portal", "scopes": ["achievements:write", "decisions:write"]}}}}})  # fmt: skip
async def create_api_client(
    body: ApiClientCreate, tenant: ClientsManage, session: Session, now: Now, once: Once
) -> ApiClientCreated:
    """Make an API client. The token in the answer is shown this once."""
    await get_issuer(session, tenant.issuer_id)
    if not tenant.may_grant(body.scopes):
        raise Forbidden("A token can only hand on scopes that it holds itself.")
    client, token = await create_client(
        session,
        issuer_id=tenant.issuer_id,
        name=body.name,
        scopes=set(body.scopes),
        expires_at=_days_after(now, body.expires_in_days),
        actor=tenant.actor,
        now=now,
    )
    record_event(session, tenant.issuer_id, "api_client.created", client.id, at=now)
    known = ApiClientOut.of(client).model_dump()
    created = ApiClientCreated(**known, token=token)
    note = (
        "The token was shown when the client was created; only its hash is stored. Make another client if it is lost."
    )
    await once.remember(created, replay=ApiClientCreated(**known, token=None, note=note))
    return created


@router.get("/{issuer_id}/api-clients", operation_id="list_api_clients", responses=responses(400, 401, 403, 404, 422))
async def list_api_clients(tenant: ClientsManage, session: ReadSession, paging: Paging) -> Page[ApiClientOut]:
    """The issuer's API clients, with when each was last used."""
    await get_issuer(session, tenant.issuer_id)
    query = select(ApiClient).where(ApiClient.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(session, query, paging, updated_at=ApiClient.updated_at, identifier=ApiClient.id)
    return Page(items=[ApiClientOut.of(row) for row in rows], next_cursor=cursor)


@router.delete("/{issuer_id}/api-clients/{client_id}", operation_id="revoke_api_client",
               responses=responses(401, 403, 404, 422))  # fmt: skip
async def revoke(client_id: Identifier, tenant: ClientsManage, session: Session, now: Now) -> ApiClientOut:
    """End the client's token at once. The client stays listed."""
    client = await get_client(session, tenant.issuer_id, client_id)
    if client.revoked_at is None:
        revoke_client(session, client, actor=tenant.actor, now=now)
        record_event(session, tenant.issuer_id, "api_client.revoked", client.id, at=now)
    return ApiClientOut.of(client)


def _days_after(now: datetime, days: int) -> datetime:
    return now + timedelta(days=days)
