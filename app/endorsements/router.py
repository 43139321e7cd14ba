"""/v1/endorsements: given, taken in, accepted, withdrawn and revoked."""

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select

from app.access.dependencies import EndorsementsRead, EndorsementsWrite
from app.access.idempotency import Idempotency, Once, take_key
from app.endorsements.bodies import (
    EndorsementAcceptance,
    EndorsementCreate,
    EndorsementImport,
    EndorsementOut,
    EndorsementWithDocument,
)
from app.endorsements.issue import issue_endorsement, revoke_endorsement, withdraw_endorsement
from app.endorsements.store import Endorsement, get_endorsement
from app.endorsements.take_in import accept_endorsement, examine_endorsement, take_in
from app.identifiers import Identifier
from app.verification.dependencies import Verifies
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

router = APIRouter(prefix="/v1/endorsements", tags=["Endorsements"])

_EXAMPLE = {"requestBody": {"content": {"application/json": {"example": {
    "endorsed": "https://state.example.org/achievements/7",
    "name": "Accepted for license renewal",
    "comment": "The state accepts this micro-credential for **15** renewal hours.",
}}}}}  # fmt: skip
_IMPORT_EXAMPLE = {"requestBody": {"content": {"application/json": {"example": {"credential": {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
    "id": "https://state.example.org/endorsements/1",
    "type": ["VerifiableCredential", "EndorsementCredential"],
    "name": "Accepted for license renewal",
    "issuer": {"id": "did:web:state.example.org", "type": ["Profile"], "name": "The state"},
    "validFrom": "2026-04-09T14:00:00Z",
    "credentialSubject": {"id": "did:web:badges.example.org:issuers:a", "type": ["EndorsementSubject"]},
    "proof": [],
}}}}}}  # fmt: skip


@router.post("", status_code=201, operation_id="create_endorsement", openapi_extra=_EXAMPLE,
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422))  # fmt: skip
async def create(
    body: EndorsementCreate, tenant: EndorsementsWrite, session: Session, world: World, now: Now, once: Once
) -> EndorsementOut:
    """Endorse a Profile, an achievement or a badge, your own or anybody's. It is signed and published at its URL.

    What is said of the badge of one of your learners is kept under the learner's key, and goes with it.
    """
    endorsement = await issue_endorsement(session, world, tenant, body.facts(), now)
    out = EndorsementOut.of(endorsement, world.base_url)
    await once.remember(out)
    return out


@router.post("/import", status_code=201, operation_id="import_endorsement", openapi_extra=_IMPORT_EXAMPLE,
             response_model=EndorsementOut, responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422, 503))  # fmt: skip
async def import_(
    body: EndorsementImport, tenant: EndorsementsWrite, world: World, verifier: Verifies, now: Now,
    idempotency: Idempotency,
) -> Response:  # fmt: skip
    """Take in what somebody else says of your Profile, an achievement or a badge of yours. It is verified first.

    It is shown once you accept it (`POST /v1/endorsements/{endorsement_id}/accept`).
    """
    async with world.database.reading() as session:
        await idempotency.replay(session)
    examined = await examine_endorsement(verifier, body.credential)
    async with world.database.transaction() as session:
        once = await take_key(idempotency, session)
        out = EndorsementOut.of(await take_in(session, world, tenant, examined, now), world.base_url)
        await once.remember(out)
    return Response(out.model_dump_json(), 201, media_type="application/json")


@router.get("", operation_id="list_endorsements", responses=responses(400, 401, 403, 422))
async def list_(tenant: EndorsementsRead, session: ReadSession, world: World, paging: Paging) -> Page[EndorsementOut]:
    """What the issuer gave and took in."""
    query = select(Endorsement).where(Endorsement.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging, updated_at=Endorsement.updated_at, identifier=Endorsement.id
    )
    return Page(items=[EndorsementOut.of(row, world.base_url) for row in rows], next_cursor=cursor)


@router.get("/{endorsement_id}", operation_id="get_endorsement", responses=responses(401, 403, 404, 410, 422))
async def get(
    endorsement_id: Identifier, tenant: EndorsementsRead, session: ReadSession, world: World
) -> EndorsementWithDocument:
    """One endorsement with its signed document."""
    endorsement = await get_endorsement(session, tenant.issuer_id, endorsement_id)
    return await EndorsementWithDocument.read(session, world, endorsement)


@router.post("/{endorsement_id}/accept", operation_id="accept_endorsement",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {"embed": False}}}}})  # fmt: skip
async def accept(
    endorsement_id: Identifier, body: EndorsementAcceptance, tenant: EndorsementsWrite, session: Session, world: World,
    now: Now,
) -> EndorsementOut:  # fmt: skip
    """Show an endorsement beside what it endorses, and if wanted put it inside new badges."""
    endorsement = await accept_endorsement(session, tenant, endorsement_id, embed=body.embed, now=now)
    return EndorsementOut.of(endorsement, world.base_url)


@router.post("/{endorsement_id}/withdraw", operation_id="withdraw_endorsement",
             responses=responses(401, 403, 404, 409, 422))  # fmt: skip
async def withdraw(
    endorsement_id: Identifier, tenant: EndorsementsWrite, session: Session, world: World, now: Now
) -> EndorsementOut:
    """Show an endorsement no more and put it inside no more badges. What was signed stays signed."""
    return EndorsementOut.of(await withdraw_endorsement(session, tenant, endorsement_id, now), world.base_url)


@router.post("/{endorsement_id}/revoke", operation_id="revoke_endorsement",
             responses=responses(401, 403, 404, 409, 422))  # fmt: skip
async def revoke(
    endorsement_id: Identifier, tenant: EndorsementsWrite, session: Session, world: World, now: Now
) -> EndorsementOut:
    """Revoke an endorsement that you gave. Final. When this answers, the new status list is published."""
    return EndorsementOut.of(await revoke_endorsement(session, world, tenant, endorsement_id, now), world.base_url)
