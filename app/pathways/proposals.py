"""/v1/pathway-proposals: what pathways propose, and what an approver does about it."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import AsApprover, PathwaysRead
from app.access.idempotency import Idempotency
from app.credentials.issue import PendingEdition
from app.identifiers import Identifier
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.pathways.bodies import ProposalOut, ReasonBody, ReviewBody
from app.pathways.decide import approve_proposal, decline_proposal, review_proposal
from app.pathways.reasons import open_reason
from app.pathways.store import PathwayProposal, ProposalState, get_proposal
from app.resources import Resources
from app.scoring.answer import Answering
from app.scoring.bodies import DecisionOut
from app.scoring.show import render_whole
from app.scoring.store import Decision
from app.web.dependencies import ReadSession, Session, World
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

router = APIRouter()

_DECLINE = {"reason": "One of the components is under appeal."}
_REVIEW = {"outcome": "kept", "reason": "The component ran out; what it stood for has been shown."}


def _example(body: dict[str, str]) -> dict[str, object]:
    return {"requestBody": {"content": {"application/json": {"example": body}}}}


@router.get("/v1/pathway-proposals", operation_id="list_pathway_proposals", responses=responses(400, 401, 403, 422))
async def list_(
    tenant: PathwaysRead, session: ReadSession, world: World, paging: Paging,
    state: Annotated[ProposalState | None, Query(description="Only those in this state.")] = None,
) -> Page[ProposalOut]:  # fmt: skip
    """What pathways propose, and what became of it. With `review_since` set, a badge waits for an approver to look at it."""
    query = select(PathwayProposal).where(PathwayProposal.issuer_id == tenant.issuer_id)
    if state is not None:
        query = query.where(PathwayProposal.state == state)
    rows, cursor = await fetch_page(
        session, query, paging, updated_at=PathwayProposal.updated_at, identifier=PathwayProposal.id
    )
    return Page(items=[await _show(session, world, row) for row in rows], next_cursor=cursor)


@router.get("/v1/pathway-proposals/{proposal_id}", operation_id="get_pathway_proposal",
            responses=responses(401, 403, 404, 422))  # fmt: skip
async def get(proposal_id: Identifier, tenant: PathwaysRead, session: ReadSession, world: World) -> ProposalOut:
    """One proposal. What the learner has earned stands in their progress."""
    return await _show(session, world, await get_proposal(session, tenant.issuer_id, proposal_id))


@router.post("/v1/pathway-proposals/{proposal_id}/approve", status_code=201, operation_id="approve_pathway_proposal",
             response_model=DecisionOut, responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422))  # fmt: skip
async def approve(
    proposal_id: Identifier, member: AsApprover, world: World, idempotency: Idempotency
) -> Response:  # fmt: skip
    """Award the pathway's badge: a decision whose evidence are the components, and the signed badge."""

    async def first_commit(session: AsyncSession) -> tuple[Decision, PendingEdition | None]:
        return await approve_proposal(session, world, member, proposal_id)

    answer = await Answering(world, member.issuer_id, idempotency, render_whole(world)).answer(first_commit)
    return Response(answer, 201, media_type="application/json")


@router.post("/v1/pathway-proposals/{proposal_id}/decline", operation_id="decline_pathway_proposal",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422), openapi_extra=_example(_DECLINE))  # fmt: skip
async def decline(
    proposal_id: Identifier, body: ReasonBody, member: AsApprover, session: Session, world: World
) -> ProposalOut:
    """Do not award the badge, and say why. It is proposed again only with a component that does not count today."""
    proposal = await decline_proposal(session, world, member, proposal_id, body.reason)
    return await _show(session, world, proposal)


@router.post("/v1/pathway-proposals/{proposal_id}/review", operation_id="review_pathway_proposal",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422), openapi_extra=_example(_REVIEW))  # fmt: skip
async def review(
    proposal_id: Identifier, body: ReviewBody, member: AsApprover, session: Session, world: World
) -> ProposalOut:
    """Say what becomes of a badge whose rule is not met any more (`review_since`): it is kept, or revoked."""
    proposal = await review_proposal(session, world, member, proposal_id, body.outcome, body.reason)
    return await _show(session, world, proposal)


async def _show(session: AsyncSession, world: Resources, proposal: PathwayProposal) -> ProposalOut:
    learner = await get_learner(session, proposal.issuer_id, proposal.learner_id)
    reason = None if learner.sealed_key is None else open_reason(open_key(world.vault, learner), proposal)
    return ProposalOut.of(proposal, reason)
