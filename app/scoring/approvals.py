"""/v1/submissions/{submission_id}/…: what is recommended, the approver's decision, and what the learner is told of it."""

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import AsApprover, AsReviewer, SubmissionsRead
from app.access.idempotency import Idempotency, Once
from app.achievements.rubric import unmet
from app.achievements.store import AchievementVersion, get_version
from app.credentials.issue import PendingEdition
from app.errors import NotFound
from app.identifiers import Identifier
from app.learners.own import require_own
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.readings.store import find_resolution
from app.scoring.answer import Answering
from app.scoring.approval_bodies import (
    ApprovalBody,
    CriterionOut,
    FeedbackOut,
    RecommendationOut,
    RecommendationTask,
    ReturnBody,
    ReturnOut,
    ReturnReasonOut,
)
from app.scoring.approve import approve, return_to_scoring
from app.scoring.award import open_details
from app.scoring.bodies import DecisionOut
from app.scoring.recommendation import SubmissionNotResolved, open_recommendation, require_may_decide
from app.scoring.returned import fetch_return, open_return
from app.scoring.show import render_whole
from app.scoring.store import Decision, find_decision_of_submission
from app.submissions.store import Submission, get_submission
from app.web.dependencies import ReadSession, Session, World
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

router = APIRouter()

APPROVAL = {"outcome": "awarded", "feedback": {"evidence": "Share how you chose the baseline with your team."}}
RETURN = {"reason": "The rationale speaks of evidence that is not in the submission."}


@router.get("/v1/recommendations/waiting", operation_id="list_waiting_recommendations",
            responses=responses(400, 401, 403, 422))  # fmt: skip
async def list_waiting(member: AsApprover, session: ReadSession, paging: Paging) -> Page[RecommendationTask]:
    """The submissions that were read and wait for a decision, longest waiting first. You may not be free to decide on each."""
    query = select(Submission).where(Submission.issuer_id == member.issuer_id, Submission.state == "resolved")
    if member.learner_id is not None:
        query = query.where(Submission.learner_id != member.learner_id)
    rows, cursor = await fetch_page(session, query, paging, updated_at=Submission.updated_at, identifier=Submission.id)
    return Page(items=[RecommendationTask.of(row) for row in rows], next_cursor=cursor)


@router.get("/v1/submissions/{submission_id}/recommendation", operation_id="get_recommendation",
            responses=responses(401, 403, 404, 409, 410, 422))  # fmt: skip
async def get_recommendation(
    submission_id: Identifier, member: AsApprover, session: ReadSession, world: World
) -> RecommendationOut:
    """What the readings of a submission recommend, for whoever may decide on it: the newest resolution, with its reasons."""
    submission = await get_submission(session, member.issuer_id, submission_id)
    await require_may_decide(session, member, submission)
    resolution = await find_resolution(session, member.issuer_id, submission_id)
    if resolution is None or submission.state not in ("resolved", "decided"):
        raise SubmissionNotResolved(f"There is no recommendation: the submission is {submission.state}.")
    found = await open_recommendation(session, world.vault, submission, resolution)
    key = open_key(world.vault, await get_learner(session, submission.issuer_id, submission.learner_id))
    return RecommendationOut(
        submission_id=submission_id,
        method=resolution.method,
        outcome=found.outcome,
        criteria=_criteria(found.version, found.levels, found.rationales, found.feedback),
        return_reason=open_return(key, submission),
        resolved_at=resolution.resolved_at,
    )


@router.post("/v1/submissions/{submission_id}/decision", status_code=201, operation_id="decide_submission",
             response_model=DecisionOut, responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": APPROVAL}}}})  # fmt: skip
async def decide(
    submission_id: Identifier, body: ApprovalBody, member: AsApprover, world: World, idempotency: Idempotency
) -> Response:
    """Confirm what the readings recommend: the decision is released to the learner, and a badge follows from an award."""

    async def first_commit(session: AsyncSession) -> tuple[Decision, PendingEdition | None]:
        return await approve(session, world, member, submission_id, body.judgment())

    answer = await Answering(world, member.issuer_id, idempotency, render_whole(world)).answer(first_commit)
    return Response(answer, 201, media_type="application/json")


@router.post("/v1/submissions/{submission_id}/return", status_code=201, operation_id="return_submission",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": RETURN}}}})  # fmt: skip
async def return_(
    submission_id: Identifier, body: ReturnBody, member: AsApprover, session: Session, world: World, once: Once
) -> ReturnOut:
    """Do not confirm: ask for an adjudication. The submission goes back to scoring; who reads does not see why."""
    await return_to_scoring(session, world, member, submission_id, body.reason)
    out = ReturnOut(submission_id=submission_id, state="scoring")
    await once.remember(out)
    return out


@router.get("/v1/submissions/{submission_id}/return", operation_id="get_return",
            responses=responses(401, 403, 404, 410, 422))  # fmt: skip
async def get_return(
    submission_id: Identifier, member: AsReviewer, session: ReadSession, world: World
) -> ReturnReasonOut:
    """Why an approver returned a submission to scoring, for leads, approvers and directors who do not read it themselves."""
    submission = await get_submission(session, member.issuer_id, submission_id)
    return ReturnReasonOut(
        submission_id=submission_id, reason=await fetch_return(session, world.vault, member, submission)
    )


@router.get("/v1/submissions/{submission_id}/feedback", operation_id="get_feedback",
            responses=responses(401, 403, 404, 410, 422))  # fmt: skip
async def get_feedback(
    submission_id: Identifier, tenant: SubmissionsRead, session: ReadSession, world: World
) -> FeedbackOut:
    """The newest decision on a submission, criterion by criterion. 404 until it is decided."""
    submission = await get_submission(session, tenant.issuer_id, submission_id)
    await require_own(session, tenant, submission.learner_id, "submission")
    decision = await find_decision_of_submission(session, tenant.issuer_id, submission_id)
    if decision is None:
        raise NotFound("There is no feedback on this submission: it is not decided.")
    learner = await get_learner(session, decision.issuer_id, decision.learner_id)
    details = open_details(open_key(world.vault, learner), decision)
    version = await get_version(session, decision.issuer_id, decision.achievement_id, decision.version)
    levels = dict(decision.levels)
    return FeedbackOut(
        submission_id=submission_id,
        decision_id=decision.id,
        outcome=decision.outcome,
        criteria=_criteria(version, levels, details["rationales"], details.get("feedback", {})),
        decided_at=decision.decided_at,
    )


def _criteria(
    version: AchievementVersion, levels: Mapping[str, str], rationales: Mapping[str, str], feedback: Mapping[str, str]
) -> list[CriterionOut]:
    missed = unmet(version.content["rubric"], levels)
    return [
        CriterionOut(
            criterion=key, level=level, met=key not in missed, rationale=rationales.get(key), feedback=feedback.get(key)
        )
        for key, level in levels.items()
    ]
