"""How an API client issues through the VC-API: for whoever manages clients."""

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ClientsManage
from app.access.principals import Scope
from app.access.store import get_client
from app.identifiers import Identifier
from app.vcapi.bodies import SettingsBody, SettingsOut
from app.vcapi.settings import change_settings, get_issuing_key, read_settings
from app.vcapi.store import find_settings
from app.web.dependencies import Now, ReadSession, Session
from app.web.problems import responses

router = APIRouter(prefix="/v1/issuers/{issuer_id}/api-clients/{client_id}/vc-api", tags=["VC-API"])

_EXAMPLE = {"did_method": "issuer", "cryptosuite": "eddsa-rdfc-2022", "status_purpose": "revocation"}


@router.put("", operation_id="put_vcapi_settings", responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
            openapi_extra={"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}})  # fmt: skip
async def put_settings(
    client_id: Identifier, body: SettingsBody, tenant: ClientsManage, session: Session, now: Now
) -> SettingsOut:
    """Settle how the client issues: the issuer's DID or a did:key, the cryptosuite, a status entry, what to do with a proof
    that is there. What it issued stays as it is."""
    await get_client(session, tenant.issuer_id, client_id)
    await change_settings(session, tenant.issuer_id, client_id, body.settings(), actor=tenant.actor, now=now)
    return await _answer(session, tenant.issuer_id, client_id)


@router.get("", operation_id="get_vcapi_settings", responses=responses(401, 403, 404, 409, 422))
async def get_settings(client_id: Identifier, tenant: ClientsManage, session: ReadSession) -> SettingsOut:
    """How the client issues, by default where nobody has settled it."""
    return await _answer(session, tenant.issuer_id, client_id)


async def _answer(session: AsyncSession, issuer_id: str, client_id: str) -> SettingsOut:
    client = await get_client(session, issuer_id, client_id)
    settings = await read_settings(session, issuer_id, client_id)
    row = await find_settings(session, issuer_id, client_id)
    return SettingsOut(
        did_method=settings.did_method,
        cryptosuite=settings.cryptosuite,
        status_purpose=settings.status_purpose,
        existing_proof=settings.existing_proof,
        mandatory_pointers=list(settings.mandatory_pointers),
        issuer_did=(await get_issuing_key(session, issuer_id, settings)).did,
        generic=Scope.VCAPI_GENERIC in client.scopes,
        updated_at=row.updated_at if row else None,
    )
