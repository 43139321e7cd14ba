"""/v1/submissions: the work, from the draft to the screening. Artifacts and teams have routes of their own beside it."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select

from app.access.dependencies import SubmissionsRead, SubmissionsWrite
from app.access.idempotency import Idempotency
from app.identifiers import Identifier
from app.learners.answers import begin_once, keep_answer
from app.learners.own import list_own_ids, require_own
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.programs.store import get_enrollment
from app.submissions import artifact_routes, screening_routes, team_routes
from app.submissions.answer import tell_submission
from app.submissions.artifacts import write_statement
from app.submissions.bodies import (
    OutwardState,
    SubmissionCreate,
    SubmissionOut,
    SubmissionSummary,
    SupportCreate,
)
from app.submissions.draft import begin_attempt
from app.submissions.statement import StatementBody
from app.submissions.store import Submission, get_submission, lock_submission
from app.submissions.submit import submit
from app.submissions.support import PartnerOnly, offer_support
from app.submissions.withdraw import withdraw
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, PagingByExternalId, fetch_page
from app.web.problems import responses

router = APIRouter(tags=["Submissions"])
router.include_router(screening_routes.routes)
router.include_router(artifact_routes.routes)
router.include_router(team_routes.routes)

_PATH = "/v1/submissions"
_ONE = f"{_PATH}/{{submission_id}}"
_STATEMENT = {
    "parts": {
        "overview": "Referrals in grade 7 fell on few students. We changed how hallway conflicts are handled.",
        "reflection": "I would bring families in earlier.",
    },
    "attestations": {"own_work": True, "ai_use": "none", "student_privacy": True, "permissions": True},
}


@router.post(_PATH, status_code=201, operation_id="begin_submission",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "enrollment_id": "3f2b8c1d9e0a4f5b8c7d6e5f4a3b2c1d",
                 "achievement_id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9"}}}}})  # fmt: skip
async def begin(
    body: SubmissionCreate,
    tenant: SubmissionsWrite,
    session: Session,
    world: World,
    now: Now,
    idempotency: Idempotency,
) -> SubmissionOut:
    """Begin an attempt at an achievement, as a draft.

    After an attempt that was decided not yet, the next one begins with its words and artifacts, and the criteria met are banked.
    """
    await begin_once(session, world.vault, idempotency, tenant.issuer_id)
    enrollment = await get_enrollment(session, tenant.issuer_id, body.enrollment_id)
    await require_own(session, tenant, enrollment.learner_id, "enrollment")
    submission = await begin_attempt(session, world.vault, enrollment, body.facts(), actor=tenant.actor, now=now)
    learner = await get_learner(session, tenant.issuer_id, submission.learner_id)
    out = await tell_submission(session, world.vault, submission, learner)
    await keep_answer(session, world.vault, idempotency, learner, out)
    return out


@router.get(_PATH, operation_id="list_submissions", responses=responses(400, 401, 403, 422))
async def list_(
    tenant: SubmissionsRead,
    session: ReadSession,
    paging: PagingByExternalId,
    state: Annotated[OutwardState | None, Query(description="Only those in this state.")] = None,
) -> Page[SubmissionSummary]:
    """The issuer's submissions, or the learner's own. `state=submitted` is the queue of the screening."""
    query = select(Submission).where(Submission.issuer_id == tenant.issuer_id)
    own = await list_own_ids(session, tenant)
    if own is not None:
        query = query.where(Submission.learner_id.in_(own))
    if state is not None:
        query = query.where(Submission.state.in_(("scoring", "resolved") if state == "scoring" else (state,)))
    rows, cursor = await fetch_page(
        session, query, paging,
        updated_at=Submission.updated_at, identifier=Submission.id, external_id=Submission.external_id,
    )  # fmt: skip
    return Page(items=[SubmissionSummary.of(row) for row in rows], next_cursor=cursor)


@router.get(_ONE, operation_id="get_submission", responses=responses(401, 403, 404, 410, 422))
async def get(submission_id: Identifier, tenant: SubmissionsRead, session: ReadSession, world: World) -> SubmissionOut:
    """One submission with everything in it. 410 once the learner was erased."""
    submission = await get_submission(session, tenant.issuer_id, submission_id)
    await require_own(session, tenant, submission.learner_id, "submission")
    learner = await get_learner(session, tenant.issuer_id, submission.learner_id)
    return await tell_submission(session, world.vault, submission, learner)


@router.put(f"{_ONE}/statement", operation_id="write_statement",
            responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
            openapi_extra={"requestBody": {"content": {"application/json": {"example": _STATEMENT}}}})  # fmt: skip
async def put_statement(
    submission_id: Identifier,
    body: StatementBody,
    tenant: SubmissionsWrite,
    session: Session,
    world: World,
    now: Now,
) -> SubmissionOut:
    """Replace the learner's words: the text of the parts, the impact claim, the attestations. A draft may leave anything out."""
    submission = await lock_submission(session, tenant.issuer_id, submission_id)
    await require_own(session, tenant, submission.learner_id, "submission")
    learner = await get_learner(session, tenant.issuer_id, submission.learner_id)
    key = open_key(world.vault, learner)
    await write_statement(session, submission, key, body, actor=tenant.actor, now=now)
    return await tell_submission(session, world.vault, submission, learner)


@router.post(f"{_ONE}/submit", operation_id="submit_submission", responses=responses(401, 403, 404, 409, 410, 422))
async def submit_(
    submission_id: Identifier, tenant: SubmissionsWrite, session: Session, world: World, now: Now
) -> SubmissionOut:
    """Hand the work in. It is frozen, and judged by the program's scoring policy as it is now."""
    await require_own(
        session, tenant, (await get_submission(session, tenant.issuer_id, submission_id)).learner_id, "submission"
    )
    submission = await submit(session, world.vault, tenant.issuer_id, submission_id, actor=tenant.actor, now=now)
    learner = await get_learner(session, tenant.issuer_id, submission.learner_id)
    return await tell_submission(session, world.vault, submission, learner)


@router.post(f"{_ONE}/withdraw", operation_id="withdraw_submission",
             responses=responses(401, 403, 404, 409, 422))  # fmt: skip
async def withdraw_(
    submission_id: Identifier, tenant: SubmissionsWrite, session: Session, now: Now
) -> SubmissionSummary:
    """Take the work back, until somebody has begun to read it. Another attempt may begin then."""
    await require_own(
        session, tenant, (await get_submission(session, tenant.issuer_id, submission_id)).learner_id, "submission"
    )
    withdrawn = await withdraw(session, tenant.issuer_id, submission_id, actor=tenant.actor, now=now)
    return SubmissionSummary.of(withdrawn)


@router.post(f"{_ONE}/support", operation_id="offer_support",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "note": "A coach will go through the feedback with the learner on Thursday."}}}}})  # fmt: skip
async def support(
    submission_id: Identifier, body: SupportCreate, tenant: SubmissionsWrite, session: Session, world: World, now: Now
) -> SubmissionSummary:
    """Record that support was offered after an attempt that was decided not yet: the next one may begin then."""
    if tenant.only_learner_id is not None:
        raise PartnerOnly("Support is offered to a learner by others, and recorded by them.")
    submission = await offer_support(
        session, world.vault, tenant.issuer_id, submission_id, note=body.note, actor=tenant.actor, now=now
    )
    return SubmissionSummary.of(submission)
