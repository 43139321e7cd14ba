"""/v1/panels: assessment panels; and the routes of assessors, anchors, sessions and certifications."""

from fastapi import APIRouter
from sqlalchemy import select

from app.access.dependencies import AssessorsRead, AssessorsWrite
from app.access.idempotency import Once
from app.assessors import anchor_routes, assessor_routes, certification_routes, session_routes
from app.assessors.bodies import MembersBody, PanelCreate, PanelOut
from app.assessors.panels import change_members, create_panel
from app.assessors.store import Panel, get_panel
from app.identifiers import Identifier
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, PagingByExternalId, fetch_page
from app.web.problems import responses

router = APIRouter()
for part in (assessor_routes, anchor_routes, session_routes, certification_routes):
    router.include_router(part.routes)

PANELS = "Assessment panels"


@router.post("/v1/panels", tags=[PANELS], status_code=201, operation_id="create_panel",
             responses=responses(400, 401, 403, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "name": "Academy assessors", "members": ["A-01", "A-02"]}}}}})  # fmt: skip
async def create(
    body: PanelCreate, tenant: AssessorsWrite, session: Session, world: World, now: Now, once: Once
) -> PanelOut:
    """Set up a panel of assessors, or name an external source of earlier awards (`"kind": "external"`, without members)."""
    panel = await create_panel(session, tenant.issuer_id, **body.model_dump(), actor=tenant.actor, now=now)
    out = PanelOut.of(panel, world.base_url)
    await once.remember(out)
    return out


@router.get("/v1/panels", tags=[PANELS], operation_id="list_panels", responses=responses(400, 401, 403, 422))
async def list_(
    tenant: AssessorsRead, session: ReadSession, world: World, paging: PagingByExternalId
) -> Page[PanelOut]:
    """The issuer's panels."""
    query = select(Panel).where(Panel.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging,
        updated_at=Panel.updated_at, identifier=Panel.id, external_id=Panel.external_id,
    )  # fmt: skip
    return Page(items=[PanelOut.of(row, world.base_url) for row in rows], next_cursor=cursor)


@router.get("/v1/panels/{panel_id}", tags=[PANELS], operation_id="get_panel", responses=responses(401, 403, 404, 422))
async def get(panel_id: Identifier, tenant: AssessorsRead, session: ReadSession, world: World) -> PanelOut:
    """One panel."""
    return PanelOut.of(await get_panel(session, tenant.issuer_id, panel_id), world.base_url)


@router.put("/v1/panels/{panel_id}/members", tags=[PANELS], operation_id="change_panel_members",
            responses=responses(400, 401, 403, 404, 413, 415, 422),
            openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                "members": ["A-01", "A-03"]}}}}})  # fmt: skip
async def put_members(
    panel_id: Identifier, body: MembersBody, tenant: AssessorsWrite, session: Session, world: World, now: Now
) -> PanelOut:
    """Replace the panel's members. Recorded decisions keep theirs."""
    panel = await get_panel(session, tenant.issuer_id, panel_id)
    change_members(session, panel, members=body.members, actor=tenant.actor, now=now)
    return PanelOut.of(panel, world.base_url)
