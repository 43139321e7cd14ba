"""The course of a calibration session: scores apart, the discussion, second scores, and what came of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.assessors.agreement import measure, summarize
from app.assessors.anchor_store import anchor_ids_of, list_responses, lock_session
from app.assessors.anchors import get_rubric
from app.assessors.certification import READING_STATES, state_at
from app.assessors.certify import enter
from app.assessors.jobs import EVALUATE_ASSESSORS_JOB
from app.assessors.respond import pair_with_truth
from app.assessors.sessions import SessionState, note_session, policy_of
from app.assessors.store import AnchorResponse, AnchorSession, find_certification, lock_certification
from app.jobs.queue import enqueue


async def begin_discussion(session: AsyncSession, member: Member, session_id: str, *, now: datetime) -> AnchorSession:
    """End the first scoring: who has scored now sees the true scores. Raises NotFound, SessionState."""
    found = await _locked(session, member, session_id, "open")
    found.state, found.updated_at = "discussing", now
    note_session(session, found, "discussing", member.actor, now, {})
    return found


async def close_calibration(session: AsyncSession, member: Member, session_id: str, *, now: datetime) -> AnchorSession:
    """Keep everybody's agreement before and after the discussion, and draw the consequences. Raises NotFound, SessionState.

    Who has scored every anchor twice has calibrated. Who scored every anchor and was below the bar of qualification before the
    discussion is on probation from now on; who was on probation and reached it is not any more.
    """
    found = await _locked(session, member, session_id, "discussing")
    responses = await list_responses(session, found.issuer_id, found.id)
    results = {
        assessor_id: await _result_of(session, found, [each for each in responses if each.assessor_id == assessor_id])
        for assessor_id in sorted({each.assessor_id for each in responses})
    }
    found.result = {"assessors": results}
    found.state, found.closed_at, found.updated_at = "closed", now, now
    for assessor_id, result in results.items():
        await _draw_consequences(session, found, assessor_id, result, member.actor, now)
    note_session(session, found, "closed", member.actor, now, {"result": found.result})
    payload = {"issuer_id": found.issuer_id, "program_id": found.program_id}
    enqueue(session, EVALUATE_ASSESSORS_JOB, payload, run_at=now)
    return found


async def _locked(session: AsyncSession, member: Member, session_id: str, state: str) -> AnchorSession:
    found = await lock_session(session, member.issuer_id, session_id)
    if found.kind != "calibration":
        raise SessionState(f"The session is no calibration, but {found.kind}.")
    if found.state != state:
        raise SessionState(f"The session is {found.state}, not {state}.")
    return found


async def _result_of(
    session: AsyncSession, found: AnchorSession, responses: Sequence[AnchorResponse]
) -> dict[str, Any]:
    """One assessor's agreement in each phase; `whole` is whether they scored every anchor in it."""
    rubric, policy = await get_rubric(session, found), (await policy_of(session, found)).qualification
    result: dict[str, Any] = {}
    for phase in ("before", "after"):
        given = [each for each in responses if each.phase == phase]
        agreement = measure(rubric, await pair_with_truth(session, found.issuer_id, given))
        whole = {each.anchor_id for each in given} == set(anchor_ids_of(found))
        result[phase] = {**summarize(agreement, policy), "whole": whole} if given else None
    return result


async def _draw_consequences(
    session: AsyncSession, found: AnchorSession, assessor_id: str, result: dict[str, Any], actor: str, now: datetime
) -> None:
    row = await find_certification(session, found.issuer_id, assessor_id, found.achievement_id, found.version)
    if row is None:
        return
    certification = await lock_certification(session, found.issuer_id, row.id)
    state = state_at(certification, now)
    if state not in READING_STATES or not result["before"]["whole"]:
        return
    took_part = result["after"] is not None and result["after"]["whole"]
    if took_part:
        certification.calibrated_at = certification.updated_at = now
    if state == "certified" and not result["before"]["passed"]:
        enter(session, certification, "probation", "Below the bar in a calibration session.", actor=actor, now=now)
    elif state == "probation" and took_part and result["before"]["passed"]:
        enter(session, certification, "certified", "Calibrated at the bar or above.", actor=actor, now=now)
