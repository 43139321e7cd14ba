"""/v1/anchors: de-identified work whose true scores are known."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from app.access.dependencies import AsLead, AssessorsWrite
from app.access.idempotency import Once
from app.access.principals import Member
from app.assessors.anchor_bodies import AnchorCreate, AnchorLine, AnchorOut, LevelsBody, ReconciliationBody
from app.assessors.anchor_store import get_anchor, list_master_readings
from app.assessors.anchor_work import get_anchor_file
from app.assessors.anchors import MASTERS, create_anchor, give_master_reading, reconcile_anchor, retire_anchor
from app.assessors.store import Anchor
from app.identifiers import Identifier
from app.submissions.download import DOWNLOADS, send_file
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, PagingByExternalId, fetch_page
from app.web.problems import responses

routes = APIRouter(prefix="/v1/anchors", tags=["Anchors"])

EXAMPLE = {
    "achievement_id": "0" * 32, "version": 1, "role": "qualification", "external_id": "anchor-7",
    "content": {
        "context": {"role": "Assistant principal", "school_type": "Middle school", "grade_band": "6-8"},
        "parts": [{"key": "overview", "text": "Referrals of one group were three times those of another."},
                  {"key": "reflection", "text": "I asked too late who was not in the room."}],
    },
}  # fmt: skip


@routes.post("", status_code=201, operation_id="create_anchor",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}})  # fmt: skip
async def create(body: AnchorCreate, tenant: AssessorsWrite, session: Session, now: Now, once: Once) -> AnchorLine:
    """Enter de-identified work as a draft of an anchor. Masters read it, a lead reconciles their scores."""
    facts = body.model_dump(exclude={"content"}) | {"content": body.content.model_dump(mode="json")}
    out = AnchorLine.of(await create_anchor(session, tenant.issuer_id, **facts, actor=tenant.actor, now=now))
    await once.remember(out)
    return out


@routes.get("", operation_id="list_anchors", responses=responses(400, 401, 403, 422))
async def list_(lead: AsLead, session: ReadSession, paging: PagingByExternalId) -> Page[AnchorLine]:
    """The anchor bank, without scores. For leads."""
    query = select(Anchor).where(Anchor.issuer_id == lead.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging, updated_at=Anchor.updated_at, identifier=Anchor.id, external_id=Anchor.external_id
    )
    return Page(items=[AnchorLine.of(row) for row in rows], next_cursor=cursor)


@routes.get("/{anchor_id}", operation_id="get_anchor", responses=responses(401, 403, 404, 422))
async def get(anchor_id: Identifier, lead: AsLead, session: ReadSession) -> AnchorOut:
    """One anchor with its true scores and master readings. For leads."""
    return await _for_lead(session, lead, await get_anchor(session, lead.issuer_id, anchor_id))


@routes.get("/{anchor_id}/artifacts/{artifact_id}", operation_id="download_anchor_artifact", response_class=Response,
            responses=DOWNLOADS)  # fmt: skip
async def get_artifact(
    anchor_id: Identifier, artifact_id: Identifier, request: Request, lead: AsLead, session: ReadSession, world: World
) -> Response:
    """Download a file of an anchor, or one range of its bytes, as a reader will get it. For leads."""
    file = await get_anchor_file(session, await get_anchor(session, lead.issuer_id, anchor_id), artifact_id)
    return await send_file(request, world, *file)


@routes.post("/{anchor_id}/master-readings", status_code=201, operation_id="give_master_reading",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "levels": {"problem": "demonstrated", "evidence": "developing"}}}}}})  # fmt: skip
async def read_as_master(
    anchor_id: Identifier, body: LevelsBody, lead: AsLead, session: Session, now: Now, once: Once
) -> AnchorOut:
    """Read a draft as a master: a lead's own scores, once. Who has done so never meets the anchor as an assessor."""
    await give_master_reading(session, lead, anchor_id, levels=body.levels, now=now)
    out = await _for_lead(session, lead, await get_anchor(session, lead.issuer_id, anchor_id))
    await once.remember(out)
    return out


@routes.post("/{anchor_id}/reconcile", operation_id="reconcile_anchor",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "levels": {"problem": "demonstrated", "evidence": "developing"},
                 "rationales": {"problem": "Three sources agree.", "evidence": "There is no baseline."}}}}}})  # fmt: skip
async def reconcile(
    anchor_id: Identifier, body: ReconciliationBody, lead: AsLead, session: Session, now: Now
) -> AnchorOut:
    """Settle the true scores after at least three master readings, each with its rationale. The anchor becomes active."""
    anchor = await reconcile_anchor(session, lead, anchor_id, levels=body.levels, rationales=body.rationales, now=now)
    return await _for_lead(session, lead, anchor)


@routes.post("/{anchor_id}/retire", operation_id="retire_anchor", responses=responses(401, 403, 404, 422))
async def retire(anchor_id: Identifier, tenant: AssessorsWrite, session: Session, now: Now) -> AnchorLine:
    """Take an anchor out of use. Sessions that have it go on."""
    return AnchorLine.of(await retire_anchor(session, tenant.issuer_id, anchor_id, actor=tenant.actor, now=now))


async def _for_lead(session: ReadSession, lead: Member, anchor: Anchor) -> AnchorOut:
    readings = await list_master_readings(session, anchor.issuer_id, anchor.id)
    return AnchorOut.for_lead(anchor, readings, lead.person_id, masters=MASTERS)
