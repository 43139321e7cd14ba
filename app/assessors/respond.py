"""An assessor in a session: the anchors as they see them, their scores, what they may learn of the true ones.

True scores and rationales are told of practice anchors with the answer, and of calibration anchors once the discussion has begun,
each to who has answered. Those of qualification anchors are never told, also not after the round: the next assessor meets the
same anchors.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.assessors.agreement import measure, summarize
from app.assessors.anchor_store import (
    anchor_ids_of,
    get_anchor,
    get_session,
    list_anchors,
    list_responses,
    lock_session,
)
from app.assessors.anchors import get_rubric
from app.assessors.certification import require_certified, state_at
from app.assessors.certify import MAY_RISE, certify, fall_short
from app.assessors.exposures import meet
from app.assessors.levels import require_levels
from app.assessors.sessions import SessionState, note_session, policy_of
from app.assessors.store import (
    Anchor,
    AnchorResponse,
    AnchorSession,
    Assessor,
    find_certification,
    lock_certification,
)
from app.errors import Conflict, NotFound


class AlreadyAnswered(Conflict):
    """The assessor has scored this anchor in this session already."""

    code = "already_answered"


Phase = Literal["before", "after"]


async def show_anchor(
    session: AsyncSession, assessor: Assessor, session_id: str, anchor_id: str, *, now: datetime
) -> Anchor:
    """An anchor to be scored; whoever sees it has met it.

    Raises NotFound for another's session, SessionState once it is closed, NotCertified, AnchorReused, AnchorKnown.
    """
    found = await get_session(session, assessor.issuer_id, session_id)
    anchor, _ = await _take_part(session, found, assessor, anchor_id, now)
    return anchor


async def answer_anchor(
    session: AsyncSession,
    assessor: Assessor,
    session_id: str,
    anchor_id: str,
    *,
    levels: Mapping[str, str],
    now: datetime,
) -> tuple[AnchorSession, AnchorResponse]:
    """The assessor's scores of an anchor, once in each phase. The last one of a practice or a round closes it.

    Raises what `show_anchor` raises, AlreadyAnswered, UnknownCriterion, UnknownLevel.
    """
    found = await lock_session(session, assessor.issuer_id, session_id)
    anchor, phase = await _take_part(session, found, assessor, anchor_id, now)
    given = await list_responses(session, found.issuer_id, found.id, assessor.id)
    if (anchor_id, phase) in [(each.anchor_id, each.phase) for each in given]:
        raise AlreadyAnswered("You have scored this anchor already; scores are never changed.")
    require_levels(await get_rubric(session, found), levels)
    response = AnchorResponse(
        issuer_id=found.issuer_id, session_id=found.id, anchor_id=anchor.id, assessor_id=assessor.id, phase=phase,
        levels=dict(levels), submitted_at=now,
    )  # fmt: skip
    session.add(response)
    found.updated_at = now
    await session.flush()
    actor = f"person:{assessor.person_id}"
    note_session(session, found, "answered", actor, now, {"anchor": anchor_id, "phase": phase, "levels": dict(levels)})
    if found.kind != "calibration" and {each.anchor_id for each in (*given, response)} == set(anchor_ids_of(found)):
        await _finish(session, found, assessor, [*given, response], actor, now)
    return found, response


def may_see_truth(found: AnchorSession) -> bool:
    """Whether who has answered an anchor of the session may see its true scores now."""
    return found.kind == "practice" or (found.kind == "calibration" and found.state != "open")


async def pair_with_truth(
    session: AsyncSession, issuer_id: str, responses: Sequence[AnchorResponse]
) -> list[tuple[Mapping[str, str], Mapping[str, str]]]:
    """The true scores and the given ones of each response."""
    anchors = {each.id: each for each in await list_anchors(session, issuer_id, {r.anchor_id for r in responses})}
    return [(anchors[each.anchor_id].levels or {}, each.levels) for each in responses]


async def _take_part(
    session: AsyncSession, found: AnchorSession, assessor: Assessor, anchor_id: str, now: datetime
) -> tuple[Anchor, Phase]:
    """The anchor and the phase it is scored in, if the assessor may."""
    if found.assessor_id not in (None, assessor.id):
        raise NotFound("There is no anchor session with this id.")
    if anchor_id not in anchor_ids_of(found):
        raise NotFound("The session has no anchor with this id.")
    if found.state == "closed":
        raise SessionState("The session is closed.")
    anchor = await get_anchor(session, found.issuer_id, anchor_id)
    if found.kind != "calibration":
        return anchor, "before"
    await require_certified(session, assessor, found.achievement_id, found.version, now)
    if found.state == "open":
        await meet(session, assessor, [anchor], "calibration", session_id=found.id, now=now)
        return anchor, "before"
    given = await list_responses(session, found.issuer_id, found.id, assessor.id)
    if anchor_id not in [each.anchor_id for each in given if each.phase == "before"]:
        raise SessionState("The discussion has begun, and you have not scored this anchor before it.")
    return anchor, "after"


async def _finish(
    session: AsyncSession,
    found: AnchorSession,
    assessor: Assessor,
    responses: Sequence[AnchorResponse],
    actor: str,
    now: datetime,
) -> None:
    """Close a practice or a round, and let the certification follow from a round."""
    policy = (await policy_of(session, found)).qualification
    agreement = measure(await get_rubric(session, found), await pair_with_truth(session, found.issuer_id, responses))
    found.result = summarize(agreement, policy)
    found.state, found.closed_at = "closed", now
    note_session(session, found, "closed", actor, now, {"result": found.result})
    if found.kind == "practice":
        return
    row = await find_certification(session, found.issuer_id, assessor.id, found.achievement_id, found.version)
    assert row is not None
    certification = await lock_certification(session, found.issuer_id, row.id)
    if not found.result["passed"]:
        fall_short(session, certification, actor=actor, now=now)
    elif state_at(certification, now) in MAY_RISE:
        certify(session, certification, found, policy, actor=actor, now=now)
