"""/v1/flags and /v1/me/scoring-record: what the rules of drift and severity found, for leads and for assessors themselves."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select

from app.access.dependencies import AsAssessor, AsLead
from app.assessors.assessors import get_acting_assessor
from app.assessors.store import Assessor
from app.identifiers import Identifier
from app.monitoring.bodies import ActionBody, DismissalBody, FlagOut, ScoringRecord
from app.monitoring.decide import act_on_flag, dismiss_flag, require_another
from app.monitoring.record import compose_record
from app.monitoring.store import FlagState, RaterFlag, get_flag
from app.web.dependencies import Now, ReadSession, Session
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

router = APIRouter(prefix="/v1", tags=["Monitoring"])


@router.get("/flags", operation_id="list_flags", responses=responses(400, 401, 403, 422))
async def list_(
    lead: AsLead,
    session: ReadSession,
    paging: Paging,
    state: Annotated[FlagState | None, Query(description="Only flags in this state.")] = None,
) -> Page[FlagOut]:
    """The tasks that drift and severity of assessors have made, with what they rest on. Yours are not among them."""
    own = select(Assessor.id).where(Assessor.issuer_id == lead.issuer_id, Assessor.person_id == lead.person_id)
    query = select(RaterFlag).where(RaterFlag.issuer_id == lead.issuer_id, RaterFlag.assessor_id.not_in(own))
    if state is not None:
        query = query.where(RaterFlag.state == state)
    rows, cursor = await fetch_page(session, query, paging, updated_at=RaterFlag.updated_at, identifier=RaterFlag.id)
    return Page(items=[FlagOut.of(row) for row in rows], next_cursor=cursor)


@router.get("/flags/{flag_id}", operation_id="get_flag", responses=responses(401, 403, 404, 422))
async def get(flag_id: Identifier, lead: AsLead, session: ReadSession) -> FlagOut:
    """One flag, unless it is about yourself: its evidence names the validity papers among your readings."""
    flag = await get_flag(session, lead.issuer_id, flag_id)
    await require_another(session, lead, flag)
    return FlagOut.of(flag)


@router.post("/flags/{flag_id}/dismissal", operation_id="dismiss_flag",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "reason": "Two anchors of the set were read again by the masters; the scores were right."}}}}})  # fmt: skip
async def dismiss(flag_id: Identifier, body: DismissalBody, lead: AsLead, session: Session, now: Now) -> FlagOut:
    """Say that nothing is to be done. The same rule does not fire again for this quarter."""
    return FlagOut.of(await dismiss_flag(session, lead, flag_id, reason=body.reason, now=now))


@router.post("/flags/{flag_id}/action", operation_id="act_on_flag",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "action": "coach", "reason": "Severe on the criterion evidence: trained again on two anchors."}}}}})  # fmt: skip
async def act(flag_id: Identifier, body: ActionBody, lead: AsLead, session: Session, now: Now) -> FlagOut:
    """Coach the assessor, put their certification on probation, or suspend it. No score changes by it."""
    return FlagOut.of(await act_on_flag(session, lead, flag_id, action=body.action, reason=body.reason, now=now))


@router.get("/me/scoring-record", operation_id="get_own_scoring_record", responses=responses(401, 403, 422))
async def own_record(member: AsAssessor, session: ReadSession, now: Now) -> ScoringRecord:
    """Your own agreement, severity and spread on anchors, and beside other readers."""
    return await compose_record(session, await get_acting_assessor(session, member), now)
