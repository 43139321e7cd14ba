"""/v1/credentials: the register of badges and their status."""

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select

from app.access.dependencies import CredentialReadOrOwn, CredentialsRead, CredentialsStatus
from app.credentials import status as verbs
from app.credentials.bodies import CredentialOut, CredentialWithDocument, DerivedCredential, Selection, StatusChange
from app.credentials.derive import derive_credential
from app.credentials.fetch import fetch_body
from app.credentials.profiles import PROFILES, ProfileName
from app.credentials.store import Credential, get_credential, get_current_edition, list_current_editions
from app.identifiers import Identifier
from app.learners.own import require_own
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, PagingByExternalId, fetch_page
from app.web.problems import responses

router = APIRouter(prefix="/v1/credentials", tags=["Credentials"])


_EXAMPLE = {"requestBody": {"content": {"application/json": {"example": {
    "reason": "The evidence turned out not to be the learner's own work."}}}}}  # fmt: skip


@router.get("", operation_id="list_credentials", responses=responses(400, 401, 403, 422))
async def list_(
    tenant: CredentialsRead, session: ReadSession, world: World, paging: PagingByExternalId
) -> Page[CredentialOut]:
    """The issuer's badges."""
    query = select(Credential).where(Credential.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging,
        updated_at=Credential.updated_at, identifier=Credential.id, external_id=Credential.external_id,
    )  # fmt: skip
    editions = await list_current_editions(session, tenant.issuer_id, rows)
    items = [CredentialOut.of(row, editions.get(row.id), world.base_url) for row in rows]
    return Page(items=items, next_cursor=cursor)


@router.get("/{credential_id}", operation_id="get_credential", responses=responses(401, 403, 404, 410, 422))
async def get(
    credential_id: Identifier, tenant: CredentialsRead, session: ReadSession, world: World
) -> CredentialWithDocument:
    """One badge with its signed document."""
    credential = await get_credential(session, tenant.issuer_id, credential_id)
    return await CredentialWithDocument.read(session, world, credential)


@router.get("/{credential_id}/representations/{profile}", operation_id="get_representation", response_class=Response,
            responses={200: {"content": {profile.media_type: {} for profile in PROFILES.values()}},
                       **responses(401, 403, 404, 410, 422)})  # fmt: skip
async def get_in_profile(
    credential_id: Identifier,
    profile: ProfileName,
    tenant: CredentialReadOrOwn,
    session: ReadSession,
    world: World,
) -> Response:
    """A badge in one proof profile: the exact bytes that were signed, as a file.

    A learner who has signed in gets their own. A JWT comes as `text/plain` in the profile `ob3-jwt` and as `application/vc+jwt`
    in `vc-jose-cose`.
    """
    credential = await get_credential(session, tenant.issuer_id, credential_id)
    await require_own(session, tenant, credential.learner_id, "credential")
    _, body, _ = await fetch_body(session, world.vault, credential, profile=profile)
    found = PROFILES[profile]
    headers = {"Content-Disposition": f'attachment; filename="badge.{found.extension}"', "Cache-Control": "no-store"}
    return Response(body, media_type=found.media_type, headers=headers)


@router.post("/{credential_id}/derive", operation_id="derive_credential",
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "selective_pointers": ["/credentialSubject/result"]}}}}},
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422))  # fmt: skip
async def derive(
    credential_id: Identifier, body: Selection, tenant: CredentialReadOrOwn, session: ReadSession, world: World
) -> DerivedCredential:
    """Part of a badge that was issued in `ecdsa-sd-2023`: what every part shows, and what the pointers select beside.

    What is always shown: issuer, dates, status, the recipient by one identity, and of the achievement what Open Badges 3.0
    requires. A learner who has signed in derives from their own badges.
    """
    credential = await get_credential(session, tenant.issuer_id, credential_id)
    await require_own(session, tenant, credential.learner_id, "credential")
    return DerivedCredential(document=await derive_credential(session, world, credential, body.selective_pointers))


@router.post("/{credential_id}/revoke", operation_id="revoke_credential", openapi_extra=_EXAMPLE,
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def revoke(
    credential_id: Identifier, body: StatusChange, tenant: CredentialsStatus, session: Session, world: World, now: Now
) -> CredentialOut:
    """Revoke a badge. Final. When this answers, the new status list is published."""
    credential = await verbs.revoke(
        session, world, tenant.issuer_id, credential_id, reason=body.reason, actor=tenant.actor, now=now
    )
    return CredentialOut.of(credential, await get_current_edition(session, credential), world.base_url)


@router.post("/{credential_id}/suspend", operation_id="suspend_credential", openapi_extra=_EXAMPLE,
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def suspend(
    credential_id: Identifier, body: StatusChange, tenant: CredentialsStatus, session: Session, world: World, now: Now
) -> CredentialOut:
    """Suspend a badge whose status entry is for suspension. When this answers, the new status list is published."""
    credential = await verbs.suspend(
        session, world, tenant.issuer_id, credential_id, reason=body.reason, actor=tenant.actor, now=now
    )
    return CredentialOut.of(credential, await get_current_edition(session, credential), world.base_url)


@router.post("/{credential_id}/reinstate", operation_id="reinstate_credential", openapi_extra=_EXAMPLE,
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def reinstate(
    credential_id: Identifier, body: StatusChange, tenant: CredentialsStatus, session: Session, world: World, now: Now
) -> CredentialOut:
    """Lift a suspension. When this answers, the new status list is published."""
    credential = await verbs.reinstate(
        session, world, tenant.issuer_id, credential_id, reason=body.reason, actor=tenant.actor, now=now
    )
    return CredentialOut.of(credential, await get_current_edition(session, credential), world.base_url)
