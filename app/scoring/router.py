"""/v1/decisions: record an assessor's decision; a badge follows from it."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import DecisionsRead, DecisionsWrite
from app.access.idempotency import Idempotency
from app.credentials.issue import PendingEdition
from app.identifiers import Identifier
from app.scoring import approvals
from app.scoring.answer import Answering
from app.scoring.bodies import DecisionCreate, DecisionLine, DecisionOut, DryRun
from app.scoring.decide import record as record_decision
from app.scoring.decide import rehearse, require_partners_own
from app.scoring.show import compose_whole, render_whole
from app.scoring.store import Decision, get_decision, list_successors
from app.web.dependencies import Now, ReadSession, World
from app.web.pagination import Page, PagingByExternalId, fetch_page
from app.web.problems import responses

router = APIRouter(tags=["Decisions"])
router.include_router(approvals.router)


EXAMPLE = {
    "external_id": "row-17",
    "achievement_id": "0f3c0000000000000000000000000001",
    "recipient": {"name": "Ada Example", "email": "ada.example@schools.example.org"},
    "outcome": "awarded",
    "decided_at": "2026-04-09T14:00:00Z",
    "assessment": {"panel_id": "0f3c0000000000000000000000000002", "assessors": ["A-01"]},
    "results": [
        {"criterion": "problem", "level": "demonstrated", "rationale": "Three data sources agree on the problem."},
        {"criterion": "evidence", "level": "demonstrated", "rationale": "The change is measured against a baseline."},
    ],
    "evidence": [{"url": "https://evidence.example.org/17", "name": "Equity audit cycle", "genre": "Performance task"}],
}


@router.post("/v1/decisions", status_code=201, operation_id="record_decision", response_model=DecisionOut,
             responses={200: {"model": DryRun, "description": "A dry run"},
                        **responses(400, 401, 403, 404, 409, 410, 413, 415, 422)},
             openapi_extra={"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}})  # fmt: skip
async def record(
    body: DecisionCreate,
    tenant: DecisionsWrite,
    world: World,
    now: Now,
    idempotency: Idempotency,
    dry_run: Annotated[bool, Query(description="Compose and lint the badge, keep nothing.")] = False,
) -> Response:
    """Record a decision. `awarded` issues a signed badge, returned with the answer once it is stored and verified.

    A correction names the decision it supersedes: awarded after awarded reissues the badge under the same id, not_yet
    after awarded revokes it.
    """
    facts = body.facts(now)

    async def first_commit(session: AsyncSession) -> tuple[Decision, PendingEdition | None]:
        await require_partners_own(session, tenant, facts)
        return await record_decision(session, world, tenant, facts)

    if dry_run:
        document = await rehearse(world, first_commit)
        return Response(DryRun(unsecured_document=document).model_dump_json(), 200, media_type="application/json")

    answer = await Answering(world, tenant.issuer_id, idempotency, render_whole(world)).answer(first_commit)
    return Response(answer, 201, media_type="application/json")


@router.get("/v1/decisions", operation_id="list_decisions", responses=responses(400, 401, 403, 422))
async def list_(tenant: DecisionsRead, session: ReadSession, paging: PagingByExternalId) -> Page[DecisionLine]:
    """The issuer's decisions, in the order they were recorded."""
    query = select(Decision).where(Decision.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging,
        updated_at=Decision.recorded_at, identifier=Decision.id, external_id=Decision.external_id,
    )  # fmt: skip
    successors = await list_successors(session, tenant.issuer_id, [row.id for row in rows])
    items = [DecisionLine.model_validate(DecisionLine.facts(row, successors.get(row.id))) for row in rows]
    return Page(items=items, next_cursor=cursor)


@router.get("/v1/decisions/{decision_id}", operation_id="get_decision", responses=responses(401, 403, 404, 410, 422))
async def get(decision_id: Identifier, tenant: DecisionsRead, session: ReadSession, world: World) -> DecisionOut:
    """One decision with its reasons and the badge that followed."""
    decision = await get_decision(session, tenant.issuer_id, decision_id)
    successors = await list_successors(session, tenant.issuer_id, [decision_id])
    return await compose_whole(session, world, decision, successors.get(decision_id))
