"""/v1/pathways: definitions, and how far a learner has come."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from sqlalchemy import select

from app.access.dependencies import PathwayProgressRead, PathwaysRead, PathwaysWrite
from app.access.idempotency import Once
from app.achievements.store import VersionNotPublished
from app.identifiers import Identifier
from app.learners.own import require_own
from app.pathways import proposals
from app.pathways import versions as verbs
from app.pathways.bodies import (
    LearnerPathwaysOut,
    PathwayContent,
    PathwayCreate,
    PathwayOut,
    PathwayVersionOut,
    ProgressOut,
)
from app.pathways.progress import list_progress
from app.pathways.store import (
    Pathway,
    get_pathway,
    get_pathway_version,
    list_pathway_versions,
    lock_pathway_version,
)
from app.web.dependencies import Now, ReadSession, Session
from app.web.pagination import Page, PagingByExternalId, fetch_page
from app.web.problems import responses

router = APIRouter(tags=["Pathways"])
router.include_router(proposals.router)

VersionNumber = Annotated[int, Path(ge=1, le=1_000_000, description="Version number, from 1.")]

_IDS = [f"0f3c000000000000000000000000004{number}" for number in range(6)]
EXAMPLE: dict[str, Any] = {
    "name": "Literacy leader",
    "description": "Four micro-credentials: one of each domain, two of Literacy.",
    "panel_id": "0f3c0000000000000000000000000002",
    "awards": {"achievement_id": "0f3c0000000000000000000000000049"},
    "groups": {
        "literacy": {"name": "Literacy", "achievements": [{"achievement_id": each} for each in _IDS[:4]]},
        "numeracy": {"name": "Numeracy", "achievements": [{"achievement_id": each} for each in _IDS[4:]]},
    },
    "rule": {
        "all": [
            {"at_least": 4, "of": [{"group": "literacy"}, {"group": "numeracy"}]},
            {"at_least": 1, "of": [{"group": "numeracy"}]},
            {"at_least": 2, "of": [{"group": "literacy"}]},
        ]
    },
}
_EXAMPLE_BODY = {"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}}


def _facts(body: PathwayContent) -> verbs.PathwayFacts:
    return verbs.PathwayFacts(body.facts(), body.panel_id, body.awards.achievement_id, body.awards.version)


@router.post("/v1/pathways", status_code=201, operation_id="create_pathway", openapi_extra=_EXAMPLE_BODY,
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def create(body: PathwayCreate, tenant: PathwaysWrite, session: Session, now: Now, once: Once) -> PathwayOut:
    """Define a pathway: a rule over achievements, and the badge it leads to. Version 1 is a draft until it is published."""
    pathway, version = await verbs.create_pathway(
        session, tenant.issuer_id, _facts(body), external_id=body.external_id, actor=tenant.actor, now=now
    )
    out = PathwayOut.of(pathway, [version])
    await once.remember(out)
    return out


@router.get("/v1/pathways", operation_id="list_pathways", responses=responses(400, 401, 403, 422))
async def list_(tenant: PathwaysRead, session: ReadSession, paging: PagingByExternalId) -> Page[PathwayOut]:
    """The issuer's pathways with all their versions."""
    query = select(Pathway).where(Pathway.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging,
        updated_at=Pathway.updated_at, identifier=Pathway.id, external_id=Pathway.external_id,
    )  # fmt: skip
    versions = await list_pathway_versions(session, tenant.issuer_id, [row.id for row in rows])
    return Page(items=[PathwayOut.of(row, versions) for row in rows], next_cursor=cursor)


@router.get("/v1/pathways/{pathway_id}", operation_id="get_pathway", responses=responses(401, 403, 404, 422))
async def get(pathway_id: Identifier, tenant: PathwaysRead, session: ReadSession) -> PathwayOut:
    """One pathway with all its versions."""
    pathway = await get_pathway(session, tenant.issuer_id, pathway_id)
    return PathwayOut.of(pathway, await list_pathway_versions(session, tenant.issuer_id, [pathway_id]))


@router.post("/v1/pathways/{pathway_id}/versions", status_code=201, operation_id="draft_pathway_version",
             openapi_extra=_EXAMPLE_BODY, responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def draft(
    pathway_id: Identifier, body: PathwayContent, tenant: PathwaysWrite, session: Session, now: Now, once: Once
) -> PathwayVersionOut:
    """Draft the next version. The one before stays in force until this is published."""
    pathway = await get_pathway(session, tenant.issuer_id, pathway_id)
    out = PathwayVersionOut.of(
        await verbs.draft_version(session, pathway, _facts(body), actor=tenant.actor, now=now)
    )  # fmt: skip
    await once.remember(out)
    return out


@router.get("/v1/pathways/{pathway_id}/versions/{version}", operation_id="get_pathway_version",
            responses=responses(401, 403, 404, 422))  # fmt: skip
async def get_one_version(
    pathway_id: Identifier, version: VersionNumber, tenant: PathwaysRead, session: ReadSession
) -> PathwayVersionOut:
    """One version."""
    return PathwayVersionOut.of(await get_pathway_version(session, tenant.issuer_id, pathway_id, version))


@router.put("/v1/pathways/{pathway_id}/versions/{version}", operation_id="edit_pathway_version",
            openapi_extra=_EXAMPLE_BODY, responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def edit(
    pathway_id: Identifier,
    version: VersionNumber,
    body: PathwayContent,
    tenant: PathwaysWrite,
    session: Session,
    now: Now,
) -> PathwayVersionOut:
    """Replace a draft."""
    pathway = await get_pathway(session, tenant.issuer_id, pathway_id)
    found = await lock_pathway_version(session, tenant.issuer_id, pathway_id, version)
    await verbs.edit_draft(session, pathway, found, _facts(body), actor=tenant.actor, now=now)
    return PathwayVersionOut.of(found)


@router.post("/v1/pathways/{pathway_id}/versions/{version}/publish", operation_id="publish_pathway_version",
             responses=responses(401, 403, 404, 409, 422))  # fmt: skip
async def publish(
    pathway_id: Identifier, version: VersionNumber, tenant: PathwaysWrite, session: Session, now: Now
) -> PathwayVersionOut:
    """Publish a draft. From now on it is immutable and in force: it is proposed for everybody who has met it."""
    pathway = await get_pathway(session, tenant.issuer_id, pathway_id)
    found = await lock_pathway_version(session, tenant.issuer_id, pathway_id, version)
    await verbs.publish_version(session, pathway, found, actor=tenant.actor, now=now)
    return PathwayVersionOut.of(found)


@router.post("/v1/pathways/{pathway_id}/versions/{version}/retire", operation_id="retire_pathway_version",
             responses=responses(401, 403, 404, 409, 422))  # fmt: skip
async def retire(
    pathway_id: Identifier, version: VersionNumber, tenant: PathwaysWrite, session: Session, now: Now
) -> PathwayVersionOut:
    """Retire a published version: it proposes nothing more. Its badges stay valid, its open proposals can be decided."""
    pathway = await get_pathway(session, tenant.issuer_id, pathway_id)
    found = await lock_pathway_version(session, tenant.issuer_id, pathway_id, version)
    verbs.retire_version(session, pathway, found, actor=tenant.actor, now=now)
    return PathwayVersionOut.of(found)


@router.get("/v1/pathways/{pathway_id}/progress/{learner_id}", operation_id="get_pathway_progress",
            responses=responses(401, 403, 404, 409, 410, 422))  # fmt: skip
async def get_progress(
    pathway_id: Identifier, learner_id: Identifier, tenant: PathwayProgressRead, session: ReadSession, now: Now
) -> ProgressOut:
    """How far a learner has come on a pathway, and what is still missing: the learner's own, or anybody's with the scope."""
    await require_own(session, tenant, learner_id, "learner")
    await get_pathway(session, tenant.issuer_id, pathway_id)
    found = await list_progress(session, tenant.issuer_id, learner_id, now, pathway_id=pathway_id)
    if not found:
        raise VersionNotPublished("The pathway has no published version.")
    return found[0]


@router.get("/v1/learners/{learner_id}/pathways", operation_id="list_pathways_of_learner",
            responses=responses(401, 403, 404, 410, 422))  # fmt: skip
async def list_of_learner(
    learner_id: Identifier, tenant: PathwayProgressRead, session: ReadSession, now: Now
) -> LearnerPathwaysOut:
    """How far a learner has come on every pathway in force: the learner's own, or anybody's with the scope."""
    await require_own(session, tenant, learner_id, "learner")
    items = await list_progress(session, tenant.issuer_id, learner_id, now)
    return LearnerPathwaysOut(learner_id=learner_id, items=items)
