"""Screening: what waits for it, the work as a reader would see it, and what came of it."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from app.access.dependencies import AsLeadOrDirector
from app.access.idempotency import Idempotency
from app.identifiers import Identifier
from app.learners.answers import begin_once, keep_answer
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.submissions.bodies import ScreeningCreate, ScreeningOut, ScreeningTask, SubmissionSummary
from app.submissions.download import DOWNLOADS, send_file
from app.submissions.screen import get_for_screening, release_hold, screen
from app.submissions.store import Submission
from app.submissions.work import Work, get_evidence, open_work
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

routes = APIRouter()

_ONE = "/v1/submissions/{submission_id}"


@routes.get("/v1/screenings/waiting", operation_id="list_waiting_screenings", responses=responses(400, 401, 403, 422))
async def list_waiting(member: AsLeadOrDirector, session: ReadSession, paging: Paging) -> Page[ScreeningTask]:
    """What was handed in and waits to be screened, longest waiting first."""
    query = select(Submission).where(Submission.issuer_id == member.issuer_id, Submission.state == "submitted")
    if member.learner_id is not None:
        query = query.where(Submission.learner_id != member.learner_id)
    rows, cursor = await fetch_page(session, query, paging, updated_at=Submission.updated_at, identifier=Submission.id)
    return Page(items=[ScreeningTask.of(row) for row in rows], next_cursor=cursor)


@routes.get(f"{_ONE}/work", operation_id="get_work", responses=responses(401, 403, 404, 409, 410, 422))
async def get_work(submission_id: Identifier, member: AsLeadOrDirector, session: ReadSession, world: World) -> Work:
    """The work as a reader will see it: if anything in it tells who made it, or who the students are, return it."""
    submission = await get_for_screening(session, member, submission_id)
    return await open_work(session, world.vault, submission)


@routes.get(f"{_ONE}/work/artifacts/{{artifact_id}}/file", operation_id="download_work_file",
            response_class=Response, responses=DOWNLOADS)  # fmt: skip
async def get_work_file(
    submission_id: Identifier,
    artifact_id: Identifier,
    request: Request,
    member: AsLeadOrDirector,
    session: ReadSession,
    world: World,
) -> Response:
    """Download a file of the work, or one range of its bytes, as a reader will get it."""
    submission = await get_for_screening(session, member, submission_id)
    artifact, owner = await get_evidence(session, submission, artifact_id)
    return await send_file(request, world, artifact, owner, artifact.part)


@routes.post(f"{_ONE}/screenings", status_code=201, operation_id="screen_submission",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "outcome": "returned_incomplete", "condition_codes": ["identifies_students"],
                 "note": "Two students are named on page 3."}}}}})  # fmt: skip
async def post_screening(
    submission_id: Identifier,
    body: ScreeningCreate,
    member: AsLeadOrDirector,
    session: Session,
    world: World,
    now: Now,
    idempotency: Idempotency,
) -> ScreeningOut:
    """Say whether the work can be scored: accept it, return it for the same attempt to be mended, or hold it."""
    await begin_once(session, world.vault, idempotency, member.issuer_id)
    submission, screening = await screen(
        session, world.vault, member, submission_id,
        outcome=body.outcome, condition_codes=body.condition_codes, note=body.note, now=now,
    )  # fmt: skip
    learner = await get_learner(session, member.issuer_id, submission.learner_id)
    out = ScreeningOut.of(screening, open_key(world.vault, learner))
    await keep_answer(session, world.vault, idempotency, learner, out)
    return out


@routes.post(f"{_ONE}/release", operation_id="release_submission", responses=responses(401, 403, 404, 409, 422))
async def release(submission_id: Identifier, member: AsLeadOrDirector, session: Session, now: Now) -> SubmissionSummary:
    """End a hold that a screening put: the submission goes on where it stood."""
    return SubmissionSummary.of(await release_hold(session, member, submission_id, now=now))
