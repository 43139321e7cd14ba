"""/v1/credentials: the register of badges and their status."""

from fastapi import APIRouter
from sqlalchemy import select

from app.access.dependencies import CredentialsRead, CredentialsStatus
from app.credentials import status as verbs
from app.credentials.bodies import CredentialOut, CredentialWithDocument, StatusChange
from app.credentials.store import Credential, get_credential, get_current_edition, list_current_editions
from app.identifiers import Identifier
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
