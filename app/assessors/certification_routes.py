"""/v1/certifications: which assessor may read which version, and what leads decide about it."""

from fastapi import APIRouter
from sqlalchemy import select

from app.access.dependencies import AsLead, AssessorsRead
from app.assessors.assessor_bodies import CertificationLine, CertificationOut, ReviewBody, StateBody
from app.assessors.certify import allow_more_rounds, decide_state
from app.assessors.store import Certification, get_certification, list_changes
from app.identifiers import Identifier
from app.web.dependencies import Now, ReadSession, Session
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

routes = APIRouter(prefix="/v1/certifications", tags=["Certifications"])


@routes.get("", operation_id="list_certifications", responses=responses(400, 401, 403, 422))
async def list_(tenant: AssessorsRead, session: ReadSession, now: Now, paging: Paging) -> Page[CertificationLine]:
    """Who is certified for what, as of this moment."""
    query = select(Certification).where(Certification.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging, updated_at=Certification.updated_at, identifier=Certification.id
    )
    return Page(items=[CertificationLine.of(row, now) for row in rows], next_cursor=cursor)


@routes.get("/{certification_id}", operation_id="get_certification", responses=responses(401, 403, 404, 422))
async def get(certification_id: Identifier, tenant: AssessorsRead, session: ReadSession, now: Now) -> CertificationOut:
    """One certification with its history."""
    found = await get_certification(session, tenant.issuer_id, certification_id)
    return CertificationOut.with_history(found, await list_changes(session, tenant.issuer_id, found.id), now)


@routes.post("/{certification_id}/state", operation_id="decide_certification_state",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "state": "probation", "reason": "Every reading is read twice for four weeks."}}}}})  # fmt: skip
async def decide(
    certification_id: Identifier, body: StateBody, lead: AsLead, session: Session, now: Now
) -> CertificationOut:
    """Put a certification on probation or lift it, send back to training, suspend or revoke. Revoking ends its badge."""
    found = await decide_state(session, lead, certification_id, **body.model_dump(), now=now)
    return CertificationOut.with_history(found, await list_changes(session, lead.issuer_id, found.id), now)


@routes.post("/{certification_id}/review", operation_id="allow_more_rounds",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "reason": "Trained again on the criterion evidence."}}}}})  # fmt: skip
async def review(
    certification_id: Identifier, body: ReviewBody, lead: AsLead, session: Session, now: Now
) -> CertificationOut:
    """Let somebody whose qualification rounds are used up begin anew, after a lead has looked at why."""
    found = await allow_more_rounds(session, lead, certification_id, reason=body.reason, now=now)
    return CertificationOut.with_history(found, await list_changes(session, lead.issuer_id, found.id), now)
