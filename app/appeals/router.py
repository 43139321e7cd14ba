"""/v1/appeals and /v1/moderations: what questions a decision that stands."""

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import (
    AppealsRead,
    AsApprover,
    AsLeadOrDirector,
    AsReviewer,
    SubmissionsWrite,
)
from app.access.idempotency import Idempotency, Once
from app.appeals.appeal import Answer, decide_appeal, declare_inadmissible, file_appeal, open_texts, tell_state
from app.appeals.bodies import (
    AppealCreate,
    AppealDecisionBody,
    AppealOut,
    InadmissibleBody,
    ModerationCreate,
    ModerationItemOut,
    ModerationLine,
    ModerationOut,
    ReviewBody,
)
from app.appeals.moderate import Review, open_moderation, review
from app.appeals.store import Appeal, Moderation, get_appeal, get_moderation, list_items
from app.credentials.issue import PendingEdition
from app.identifiers import Identifier
from app.learners.answers import begin_once, keep_answer
from app.learners.own import list_own_ids, require_own
from app.learners.store import get_learner
from app.resources import Resources
from app.scoring.answer import Answering
from app.scoring.store import Decision
from app.web.dependencies import ReadSession, Session, World
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

router = APIRouter(tags=["Appeals and moderation"])

APPEAL = {"decision_id": "0f3c0000000000000000000000000001", "grounds": "The baseline is on page 2 of the audit."}
ANSWER = {"outcome": "confirmed", "answer": "Read again by somebody new: the baseline is missing."}
MODERATION = {
    "program_id": "0f3c0000000000000000000000000001",
    "decision_ids": ["0f3c0000000000000000000000000002"],
    "reason_code": "missed_second_reading",
    "note": "The sampler missed a window: these were to be read twice.",
}


@router.post("/v1/appeals", status_code=201, operation_id="file_appeal",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": APPEAL}}}})  # fmt: skip
async def file(
    body: AppealCreate, tenant: SubmissionsWrite, session: Session, world: World, idempotency: Idempotency
) -> AppealOut:
    """Appeal against a decision: by the learner, or by the partner's system for them. Somebody new reads the work again."""
    await begin_once(session, world.vault, idempotency, tenant.issuer_id)
    appeal = await file_appeal(session, world, tenant, body.decision_id, body.grounds)
    out = await _tell_appeal(session, world, appeal)
    learner = await get_learner(session, appeal.issuer_id, appeal.learner_id)
    await keep_answer(session, world.vault, idempotency, learner, out)
    return out


@router.get("/v1/appeals", operation_id="list_appeals", responses=responses(400, 401, 403, 422))
async def list_(tenant: AppealsRead, session: ReadSession, world: World, paging: Paging) -> Page[AppealOut]:
    """The issuer's appeals; a learner sees their own. An approver answers those that are `read`."""
    query = select(Appeal).where(Appeal.issuer_id == tenant.issuer_id)
    own = await list_own_ids(session, tenant)
    if own is not None:
        query = query.where(Appeal.learner_id.in_(own))
    rows, cursor = await fetch_page(session, query, paging, updated_at=Appeal.updated_at, identifier=Appeal.id)
    return Page(items=[await _tell_appeal(session, world, row) for row in rows], next_cursor=cursor)


@router.get("/v1/appeals/{appeal_id}", operation_id="get_appeal", responses=responses(401, 403, 404, 422))
async def get(appeal_id: Identifier, tenant: AppealsRead, session: ReadSession, world: World) -> AppealOut:
    """One appeal."""
    appeal = await get_appeal(session, tenant.issuer_id, appeal_id)
    await require_own(session, tenant, appeal.learner_id, "appeal")
    return await _tell_appeal(session, world, appeal)


@router.post("/v1/appeals/{appeal_id}/inadmissible", status_code=201, operation_id="declare_appeal_inadmissible",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "reason": "The grounds concern another program."}}}}})  # fmt: skip
async def inadmissible(
    appeal_id: Identifier, body: InadmissibleBody, member: AsLeadOrDirector, session: Session, world: World,
    idempotency: Idempotency,
) -> AppealOut:  # fmt: skip
    """Turn an appeal down with a reason, before anybody has begun to read the work again."""
    await begin_once(session, world.vault, idempotency, member.issuer_id)
    appeal = await declare_inadmissible(session, world, member, appeal_id, body.reason)
    out = await _tell_appeal(session, world, appeal)
    learner = await get_learner(session, appeal.issuer_id, appeal.learner_id)
    await keep_answer(session, world.vault, idempotency, learner, out)
    return out


@router.post("/v1/appeals/{appeal_id}/decision", status_code=201, operation_id="decide_appeal",
             response_model=AppealOut, responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": ANSWER}}}})  # fmt: skip
async def decide(
    appeal_id: Identifier, body: AppealDecisionBody, member: AsApprover, world: World, idempotency: Idempotency
) -> Response:
    """Decide an appeal, as an approver who has not decided on the work before. A change supersedes the decision and its badge."""

    async def first_commit(session: AsyncSession) -> tuple[Decision, PendingEdition | None]:
        sent = Answer(body.outcome, body.answer, body.feedback, body.note)
        return await decide_appeal(session, world, member, appeal_id, sent)

    async def render(session: AsyncSession, _: Decision) -> bytes:
        appeal = await get_appeal(session, member.issuer_id, appeal_id)
        return (await _tell_appeal(session, world, appeal)).model_dump_json().encode()

    answer = await Answering(world, member.issuer_id, idempotency, render).answer(first_commit)
    return Response(answer, 201, media_type="application/json")


@router.post("/v1/moderations", status_code=201, operation_id="open_moderation",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": MODERATION}}}})  # fmt: skip
async def open_(
    body: ModerationCreate, member: AsLeadOrDirector, session: Session, world: World, once: Once
) -> ModerationOut:
    """Review a batch of decisions: each submission is read again."""
    which = body.filter.window() if body.filter is not None else body.decision_ids or []
    moderation = await open_moderation(
        session, world, member, program_id=body.program_id, which=which, reason_code=body.reason_code, note=body.note
    )
    out = await _tell_moderation(session, moderation)
    await once.remember(out)
    return out


@router.get("/v1/moderations", operation_id="list_moderations", responses=responses(400, 401, 403, 422))
async def list_moderations(member: AsReviewer, session: ReadSession, paging: Paging) -> Page[ModerationLine]:
    """The issuer's moderations."""
    query = select(Moderation).where(Moderation.issuer_id == member.issuer_id)
    rows, cursor = await fetch_page(session, query, paging, updated_at=Moderation.updated_at, identifier=Moderation.id)
    items = [ModerationLine.model_validate(row, from_attributes=True) for row in rows]
    return Page(items=items, next_cursor=cursor)


@router.get("/v1/moderations/{moderation_id}", operation_id="get_moderation", responses=responses(401, 403, 404, 422))
async def get_one(moderation_id: Identifier, member: AsReviewer, session: ReadSession) -> ModerationOut:
    """One moderation with its decisions, and what came of each."""
    return await _tell_moderation(session, await get_moderation(session, member.issuer_id, moderation_id))


@router.post("/v1/moderations/{moderation_id}/decisions/{decision_id}", status_code=201,
             operation_id="review_decision", response_model=ModerationOut,
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "outcome": "confirmed"}}}}})  # fmt: skip
async def review_one(
    moderation_id: Identifier, decision_id: Identifier, body: ReviewBody, member: AsApprover, world: World,
    idempotency: Idempotency,
) -> Response:  # fmt: skip
    """Confirm or amend a decision under review, by what its new reading came to."""

    async def first_commit(session: AsyncSession) -> tuple[Decision, PendingEdition | None]:
        sent = Review(body.outcome, body.feedback, body.note)
        return await review(session, world, member, moderation_id, decision_id, sent)

    async def render(session: AsyncSession, _: Decision) -> bytes:
        moderation = await get_moderation(session, member.issuer_id, moderation_id)
        return (await _tell_moderation(session, moderation)).model_dump_json().encode()

    answer = await Answering(world, member.issuer_id, idempotency, render).answer(first_commit)
    return Response(answer, 201, media_type="application/json")


async def _tell_appeal(session: AsyncSession, world: Resources, appeal: Appeal) -> AppealOut:
    learner = await get_learner(session, appeal.issuer_id, appeal.learner_id)
    texts = open_texts(world.vault, appeal, learner) if learner.sealed_key else {"grounds": None, "answer": None}
    columns = {column.name: getattr(appeal, column.name) for column in Appeal.__table__.columns}
    return AppealOut.model_validate({**columns, **texts, "state": await tell_state(session, appeal)})


async def _tell_moderation(session: AsyncSession, moderation: Moderation) -> ModerationOut:
    items = await list_items(session, moderation.issuer_id, moderation.id)
    line = ModerationLine.model_validate(moderation, from_attributes=True)
    decisions = [ModerationItemOut.model_validate(each, from_attributes=True) for each in items]
    return ModerationOut(**line.model_dump(), decisions=decisions)
