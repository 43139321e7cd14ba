"""Sessions in which anchors are scored: leads open and end them, assessors take part."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import and_, exists, or_, select

from app.access.dependencies import AsAssessor, AsLead
from app.access.idempotency import Once
from app.assessors.anchor_bodies import LevelsBody
from app.assessors.anchor_store import get_anchor, get_session, list_anchors
from app.assessors.anchor_work import get_anchor_file, open_anchor_work
from app.assessors.assessors import get_acting_assessor
from app.assessors.calibrate import begin_discussion, close_calibration
from app.assessors.respond import answer_anchor, show_anchor
from app.assessors.session_bodies import (
    AnchorToScore,
    CalibrationCreate,
    OpenedSessionOut,
    OwnSessionOut,
    PracticeCreate,
    ReasonBody,
    ResponseOut,
    RoundCreate,
    SessionOut,
)
from app.assessors.sessions import Scope, cancel_session, open_calibration, open_practice, open_qualification
from app.assessors.store import AnchorResponse, AnchorSession, Certification
from app.identifiers import Identifier
from app.submissions.download import DOWNLOADS, send_file
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

routes = APIRouter(prefix="/v1", tags=["Anchor sessions"])

_SCOPE = {"program_id": "0" * 32, "achievement_id": "0" * 32, "version": 1}
_LEVELS = {"levels": {"problem": "demonstrated", "evidence": "developing"}}


@routes.post("/practice-sessions", status_code=201, operation_id="open_practice",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 **_SCOPE, "assessor_id": "0" * 32, "anchor_ids": ["0" * 32]}}}}})  # fmt: skip
async def practice(body: PracticeCreate, lead: AsLead, session: Session, now: Now, once: Once) -> OpenedSessionOut:
    """Give an assessor anchors to practice on. They see the true scores and rationales with each answer."""
    scope = Scope(body.program_id, body.achievement_id, body.version)
    opened = await open_practice(
        session, lead, scope, assessor_id=body.assessor_id, anchor_ids=body.anchor_ids, now=now
    )
    out = OpenedSessionOut.of_opened(opened)
    await once.remember(out)
    return out


@routes.post("/qualification-rounds", status_code=201, operation_id="open_qualification_round",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 **_SCOPE, "assessor_id": "0" * 32, "sets": [["0" * 32]]}}}}})  # fmt: skip
async def qualify(body: RoundCreate, lead: AsLead, session: Session, now: Now, once: Once) -> OpenedSessionOut:
    """Open a qualification round for an assessor: passed, it certifies them for this version of the achievement."""
    scope = Scope(body.program_id, body.achievement_id, body.version)
    opened = await open_qualification(session, lead, scope, assessor_id=body.assessor_id, sets=body.sets, now=now)
    out = OpenedSessionOut.of_opened(opened)
    await once.remember(out)
    return out


@routes.post("/calibration-sessions", status_code=201, operation_id="open_calibration",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 **_SCOPE, "anchor_ids": ["0" * 32]}}}}})  # fmt: skip
async def calibrate(body: CalibrationCreate, lead: AsLead, session: Session, now: Now, once: Once) -> OpenedSessionOut:
    """Open a calibration session: everybody who may read this version scores the same anchors."""
    scope = Scope(body.program_id, body.achievement_id, body.version)
    out = OpenedSessionOut.of_opened(await open_calibration(session, lead, scope, anchor_ids=body.anchor_ids, now=now))
    await once.remember(out)
    return out


@routes.post("/calibration-sessions/{session_id}/discuss", operation_id="begin_calibration_discussion",
             responses=responses(401, 403, 404, 409, 422))  # fmt: skip
async def discuss(session_id: Identifier, lead: AsLead, session: Session, now: Now) -> SessionOut:
    """Begin the discussion: who has scored an anchor sees its true scores, and scores it a second time."""
    return SessionOut.of(await begin_discussion(session, lead, session_id, now=now))


@routes.post("/calibration-sessions/{session_id}/close", operation_id="close_calibration",
             responses=responses(401, 403, 404, 409, 422))  # fmt: skip
async def close(session_id: Identifier, lead: AsLead, session: Session, now: Now) -> SessionOut:
    """Close a calibration session: everybody's agreement before and after is kept, certifications follow from it."""
    return SessionOut.of(await close_calibration(session, lead, session_id, now=now))


@routes.get("/anchor-sessions", operation_id="list_anchor_sessions", responses=responses(400, 401, 403, 422))
async def list_(lead: AsLead, session: ReadSession, paging: Paging) -> Page[SessionOut]:
    """All sessions with their results. For leads."""
    query = select(AnchorSession).where(AnchorSession.issuer_id == lead.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging, updated_at=AnchorSession.updated_at, identifier=AnchorSession.id
    )
    return Page(items=[SessionOut.of(row) for row in rows], next_cursor=cursor)


@routes.get("/anchor-sessions/{session_id}", operation_id="get_anchor_session", responses=responses(401, 403, 404, 422))
async def get(session_id: Identifier, lead: AsLead, session: ReadSession) -> SessionOut:
    """One session with its results. For leads."""
    return SessionOut.of(await get_session(session, lead.issuer_id, session_id))


@routes.post("/anchor-sessions/{session_id}/cancel", operation_id="cancel_anchor_session",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "reason": "Opened for the wrong version."}}}}})  # fmt: skip
async def cancel(session_id: Identifier, body: ReasonBody, lead: AsLead, session: Session, now: Now) -> SessionOut:
    """End a session without a result. A round of which nothing was answered does not count."""
    return SessionOut.of(await cancel_session(session, lead, session_id, reason=body.reason, now=now))


@routes.get("/me/anchor-sessions", operation_id="list_own_anchor_sessions", responses=responses(400, 401, 403, 422))
async def list_own(member: AsAssessor, session: ReadSession, paging: Paging) -> Page[OwnSessionOut]:
    """Your sessions: practice, qualification rounds, and the calibrations of what you are or were certified for."""
    assessor = await get_acting_assessor(session, member)
    certified = exists().where(
        Certification.issuer_id == AnchorSession.issuer_id,
        Certification.assessor_id == assessor.id,
        Certification.achievement_id == AnchorSession.achievement_id,
        Certification.version == AnchorSession.version,
        Certification.valid_from.is_not(None),
    )
    query = select(AnchorSession).where(
        AnchorSession.issuer_id == member.issuer_id,
        or_(AnchorSession.assessor_id == assessor.id, and_(AnchorSession.kind == "calibration", certified)),
    )
    rows, cursor = await fetch_page(
        session, query, paging, updated_at=AnchorSession.updated_at, identifier=AnchorSession.id
    )
    given = select(AnchorResponse).where(
        AnchorResponse.issuer_id == member.issuer_id,
        AnchorResponse.assessor_id == assessor.id,
        AnchorResponse.session_id.in_([row.id for row in rows]),
    )
    answers = (await session.scalars(given.order_by(AnchorResponse.submitted_at, AnchorResponse.anchor_id))).all()
    anchors = await list_anchors(session, member.issuer_id, {each.anchor_id for each in answers})
    return Page(items=[OwnSessionOut.of(row, assessor, answers, anchors) for row in rows], next_cursor=cursor)


# Sees and writes: whoever is shown an anchor has met it.
@routes.get("/anchor-sessions/{session_id}/anchors/{anchor_id}", operation_id="get_anchor_to_score",
            responses=responses(401, 403, 404, 409, 422))  # fmt: skip
async def show(
    session_id: Identifier, anchor_id: Identifier, member: AsAssessor, session: Session, now: Now
) -> AnchorToScore:
    """An anchor of one of your sessions: the work alone."""
    assessor = await get_acting_assessor(session, member)
    anchor = await show_anchor(session, assessor, session_id, anchor_id, now=now)
    return AnchorToScore(anchor_id=anchor.id, work=await open_anchor_work(session, anchor))


@routes.get("/anchor-sessions/{session_id}/anchors/{anchor_id}/artifacts/{artifact_id}",
            operation_id="download_anchor_session_artifact", response_class=Response, responses=DOWNLOADS)  # fmt: skip
async def get_artifact(
    session_id: Identifier,
    anchor_id: Identifier,
    artifact_id: Identifier,
    request: Request,
    member: AsAssessor,
    session: Session,
    world: World,
    now: Now,
) -> Response:
    """Download a file of an anchor of one of your sessions, or one range of its bytes."""
    assessor = await get_acting_assessor(session, member)
    anchor = await show_anchor(session, assessor, session_id, anchor_id, now=now)
    return await send_file(request, world, *await get_anchor_file(session, anchor, artifact_id))


@routes.post("/anchor-sessions/{session_id}/anchors/{anchor_id}/responses", status_code=201,
             operation_id="answer_anchor", responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": _LEVELS}}}})  # fmt: skip
async def answer(
    session_id: Identifier,
    anchor_id: Identifier,
    body: LevelsBody,
    member: AsAssessor,
    session: Session,
    now: Now,
    once: Once,
) -> ResponseOut:
    """Score an anchor of one of your sessions, once (in a calibration once more after the discussion). Scores never change."""
    assessor = await get_acting_assessor(session, member)
    found, response = await answer_anchor(session, assessor, session_id, anchor_id, levels=body.levels, now=now)
    out = ResponseOut.of(response, found, await get_anchor(session, member.issuer_id, anchor_id))
    await once.remember(out)
    return out
