"""/v1/readings: what assessors do. What others see of readings: of a submission once it is resolved, of a program in counts."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import select

from app.access.dependencies import AsAssessor, ReadingsRead
from app.access.idempotency import Idempotency, take_key
from app.assessors.store import find_assessor_of_person
from app.errors import NotFound
from app.identifiers import Identifier
from app.programs.store import get_program
from app.readings.bodies import (
    QueueOut,
    ReadingItem,
    ReadingOut,
    ReadingSubmission,
    RecusalBody,
    SamplingAuditOut,
    SubmissionReadingsOut,
)
from app.readings.claim import claim_reading
from app.readings.held import get_held, get_held_file, open_held_work, require_may_read
from app.readings.queue import count_queue
from app.readings.read import recuse, start_reading, submit_reading
from app.readings.reassign import handing_on
from app.readings.sampling_audit import audit_sample
from app.readings.store import LIVE, Reading, get_reading, list_readings, list_resolutions
from app.submissions.download import DOWNLOADS, send_file
from app.submissions.store import get_submission
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.fields import Moment
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

router = APIRouter(tags=["Readings"])


class NotResolved(NotFound):
    """What was read of a submission does not exist for anybody until it is resolved."""

    code = "not_resolved"


@router.post("/v1/readings/claim", operation_id="claim_reading",
             responses=responses(401, 403, 404, 409, 422))  # fmt: skip
async def claim(member: AsAssessor, world: World, now: Now) -> ReadingItem:
    """Take the next reading there is for you. Who repeats it takes another: look at your readings first."""
    reading_id = await claim_reading(world, member, now)
    async with world.database.reading() as session:
        return await ReadingItem.of(session, await get_reading(session, member.issuer_id, reading_id))


@router.get("/v1/readings", operation_id="list_readings", responses=responses(400, 401, 403, 422))
async def list_(member: AsAssessor, session: ReadSession, paging: Paging) -> Page[ReadingItem]:
    """Your readings: those to be done and those you have submitted."""
    assessor = await find_assessor_of_person(session, member.issuer_id, member.person_id)
    query = select(Reading).where(
        Reading.issuer_id == member.issuer_id, Reading.state.in_((*LIVE, "submitted")),
        Reading.assessor_id == (assessor.id if assessor else None),
    )  # fmt: skip
    rows, cursor = await fetch_page(session, query, paging, updated_at=Reading.updated_at, identifier=Reading.id)
    return Page(items=[await ReadingItem.of(session, row) for row in rows], next_cursor=cursor)


@router.get("/v1/readings/{reading_id}", operation_id="get_reading", responses=responses(401, 403, 404, 409, 410, 422))
async def get(reading_id: Identifier, member: AsAssessor, session: ReadSession, world: World, now: Now) -> ReadingOut:
    """One of your readings, with the work once you have started. A started one that may not be read any more is refused."""
    held = await get_held(session, member, reading_id)
    if held.reading.state != "started":
        return await ReadingOut.of_held(session, held)
    await require_may_read(session, held, now)
    return await ReadingOut.of_held(session, held, await open_held_work(session, world.vault, held))


@router.get("/v1/readings/{reading_id}/artifacts/{artifact_id}", operation_id="download_reading_artifact",
            response_class=Response, responses=DOWNLOADS)  # fmt: skip
async def get_artifact(
    reading_id: Identifier, artifact_id: Identifier, request: Request, member: AsAssessor, session: ReadSession,
    world: World, now: Now,
) -> Response:  # fmt: skip
    """Download a file of the work that you have started to read, or one range of its bytes. It is saved under the neutral name
    that the work shows."""
    held = await get_held(session, member, reading_id)
    await require_may_read(session, held, now)
    artifact, owner, name = await get_held_file(session, world.vault, held, artifact_id)
    return await send_file(request, world, artifact, owner, name)


@router.post("/v1/readings/{reading_id}/start", operation_id="start_reading",
             responses=responses(400, 401, 403, 404, 409, 410, 422))  # fmt: skip
async def start(reading_id: Identifier, member: AsAssessor, world: World, now: Now) -> ReadingOut:
    """Start, and see the work. Doing it again changes nothing."""
    async with handing_on(world, member.issuer_id, reading_id) as session:
        held = await start_reading(session, member, reading_id, now)
        return await ReadingOut.of_held(session, held, await open_held_work(session, world.vault, held))


@router.post("/v1/readings/{reading_id}/recuse", operation_id="recuse_reading",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "reason": "recognizes_work"}}}}})  # fmt: skip
async def give_back(
    reading_id: Identifier, body: RecusalBody, member: AsAssessor, session: Session, world: World, now: Now
) -> ReadingOut:
    """Give a reading back: because you know whose work it is, or cannot be fair. Somebody else reads it; nobody asks why."""
    held = await recuse(session, world, member, reading_id, reason=body.reason, now=now)
    return await ReadingOut.of_held(session, held)


@router.post("/v1/readings/{reading_id}/submission", status_code=201, operation_id="submit_reading",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {"results": [
                 {"criterion": "problem", "level": "demonstrated", "rationale": "Three sources agree on the problem.",
                  "feedback": "You let the data name the problem. Next, let students comment on it."},
                 {"criterion": "evidence", "level": "developing", "rationale": "The baseline is of another grade.",
                  "feedback": "Measure before and after in the same grade."}]}}}}})  # fmt: skip
async def submit(
    reading_id: Identifier, body: ReadingSubmission, member: AsAssessor, world: World, now: Now,
    idempotency: Idempotency,
) -> ReadingOut:  # fmt: skip
    """Submit your scores. They cannot be changed any more."""
    async with handing_on(world, member.issuer_id, reading_id) as session:
        once = await take_key(idempotency, session)
        held = await submit_reading(session, world, member, reading_id, body.results, now)
        out = await ReadingOut.of_held(session, held)
        await once.remember(out)
    return out


@router.get("/v1/submissions/{submission_id}/readings", operation_id="list_submission_readings",
            responses=responses(401, 403, 404, 422))  # fmt: skip
async def of_submission(submission_id: Identifier, tenant: ReadingsRead, session: ReadSession) -> SubmissionReadingsOut:
    """The readings of a submission and how they became the scores of record. Until it is resolved there is nothing here."""
    submission = await get_submission(session, tenant.issuer_id, submission_id)
    resolutions = await list_resolutions(session, tenant.issuer_id, submission.id)
    if not resolutions:
        raise NotResolved("The submission is not resolved.")
    counted = {reading_id for each in resolutions for reading_id in each.reading_ids}
    readings = [each for each in await list_readings(session, tenant.issuer_id, submission.id) if each.id in counted]
    return SubmissionReadingsOut.of(submission.id, readings, resolutions)


@router.get("/v1/programs/{program_id}/sampling-audit", operation_id="audit_sampling",
            responses=responses(400, 401, 403, 404, 422))  # fmt: skip
async def audit(
    program_id: Identifier, tenant: ReadingsRead, session: ReadSession, world: World,
    since: Annotated[Moment | None, Query(description="Leave out windows that were over by then.")] = None,
) -> SamplingAuditOut:  # fmt: skip
    """The sample of second readings recomputed from its seeds, with the second readings that were due and are missing."""
    program = await get_program(session, tenant.issuer_id, program_id)
    return SamplingAuditOut.of(await audit_sample(session, world.vault, program, since=since))


@router.get("/v1/programs/{program_id}/queue", operation_id="get_queue", responses=responses(401, 403, 404, 422))
async def queue(program_id: Identifier, tenant: ReadingsRead, session: ReadSession, now: Now) -> QueueOut:
    """How much there is to screen and to read in a program, and how much of it is late."""
    program = await get_program(session, tenant.issuer_id, program_id)
    return QueueOut.of(await count_queue(session, program, now))
