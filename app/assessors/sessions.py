"""Verbs that open and end anchor sessions: practice, qualification rounds, calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.assessors.agreement import list_uncovered
from app.assessors.anchor_store import find_open_round, list_anchors, list_responses, lock_session
from app.assessors.anchors import get_frozen_version
from app.assessors.assessors import require_trained
from app.assessors.certification import state_at
from app.assessors.certify import CertificationStateConflict, begin_certification, enter, require_not_own
from app.assessors.exposures import meet
from app.assessors.store import (
    Anchor,
    AnchorRole,
    AnchorSession,
    Assessor,
    Certification,
    find_certification,
    lock_assessor,
    lock_certification,
)
from app.audit.store import audit
from app.errors import Conflict, Fault, InvalidInput, NotFound
from app.events.store import record_event
from app.identifiers import new_id
from app.programs.policy import QualificationPolicy, ScoringPolicyBody, get_policy
from app.programs.store import AchievementNotInProgram, Program, get_program, list_program_achievements


class AnchorUnfit(InvalidInput):
    """An anchor is not of this version or role, not active, or in the session twice."""

    code = "anchor_unfit"


class QualificationTooSmall(InvalidInput):
    """The round has fewer sets or ratings than the scoring policy asks for."""

    code = "qualification_too_small"


class RoundsUsedUp(Conflict):
    """The assessor has had all rounds that the scoring policy grants."""

    code = "rounds_used_up"


class RoundOpen(Conflict):
    """The assessor has not finished the round before."""

    code = "round_open"


class SessionState(Conflict):
    """The session's state does not allow it."""

    code = "session_state"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a session is about."""

    program_id: str
    achievement_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session, and the [criterion, level] pairs that none of its anchors has as a true score."""

    session: AnchorSession
    uncovered: list[tuple[str, str]]


async def open_practice(
    session: AsyncSession, member: Member, scope: Scope, *, assessor_id: str, anchor_ids: Sequence[str], now: datetime
) -> Opened:
    """Anchors for one assessor to learn from. Raises what `_compose` raises, AnchorReused, AnchorKnown."""
    assessor = await lock_assessor(session, member.issuer_id, assessor_id)
    opened, anchors, _ = await _compose(session, member, scope, "practice", [anchor_ids], assessor, now)
    await begin_certification(session, assessor, scope.achievement_id, scope.version, actor=member.actor, now=now)
    await meet(session, assessor, anchors, "practice", now=now)
    return opened


async def open_qualification(
    session: AsyncSession,
    member: Member,
    scope: Scope,
    *,
    assessor_id: str,
    sets: Sequence[Sequence[str]],
    now: datetime,
) -> Opened:
    """A round for one assessor, opened by another person.

    Raises what `_compose` raises, QualificationTooSmall, TrainingIncomplete, OwnCertification, CertificationStateConflict,
    RoundOpen, RoundsUsedUp, AnchorReused, AnchorKnown.
    """
    assessor = await lock_assessor(session, member.issuer_id, assessor_id)
    opened, anchors, policy = await _compose(session, member, scope, "qualification", sets, assessor, now)
    require_not_own(member, assessor)
    if not assessor.is_active:
        raise CertificationStateConflict("The assessor is not active.")
    await _require_large_enough(session, opened.session, policy.qualification, anchors)
    await require_trained(session, assessor, policy.qualification.training_modules)
    certification = await begin_certification(
        session, assessor, scope.achievement_id, scope.version, actor=member.actor, now=now
    )
    opened.session.round = await _count_round(session, certification, opened.session, policy.qualification, now)
    await meet(session, assessor, anchors, "qualification", now=now)
    if (state := state_at(certification, now)) not in ("certified", "probation"):
        state = "qualifying"
    enter(session, certification, state, "A qualification round was opened.", actor=member.actor, now=now)
    return opened


async def open_calibration(
    session: AsyncSession, member: Member, scope: Scope, *, anchor_ids: Sequence[str], now: datetime
) -> Opened:
    """The same anchors for everybody who may read this version. Raises what `_compose` raises."""
    opened, _, _ = await _compose(session, member, scope, "calibration", [anchor_ids], None, now)
    return opened


async def cancel_session(
    session: AsyncSession, member: Member, session_id: str, *, reason: str, now: datetime
) -> AnchorSession:
    """End a session without a result. A round of which nothing was answered does not count; one that was begun does.

    Raises NotFound, SessionState.
    """
    found = await lock_session(session, member.issuer_id, session_id)
    if found.state == "closed":
        raise SessionState("The session is closed.")
    found.state, found.closed_at, found.updated_at = "closed", now, now
    if found.kind == "qualification" and found.assessor_id is not None:
        await _give_back(session, found, member.actor, now)
    note_session(session, found, "cancelled", member.actor, now, {"reason": reason})
    return found


def note_session(
    session: AsyncSession, found: AnchorSession, what: str, actor: str, now: datetime, content: Mapping[str, Any]
) -> None:
    """The audit entry and event of something that happened to a session."""
    audit(session, issuer_id=found.issuer_id, actor=actor, action=f"anchor_session.{what}", object_id=found.id,
          content=content, at=now)  # fmt: skip
    record_event(session, found.issuer_id, f"anchor_session.{what}", found.id, at=now, data={"kind": found.kind})


async def policy_of(session: AsyncSession, found: AnchorSession) -> ScoringPolicyBody:
    """The scoring policy that the session is judged by."""
    return await get_policy(session, found.issuer_id, found.program_id, found.policy_version)


async def _compose(
    session: AsyncSession,
    member: Member,
    scope: Scope,
    kind: Literal["practice", "qualification", "calibration"],
    sets: Sequence[Sequence[str]],
    assessor: Assessor | None,
    now: datetime,
) -> tuple[Opened, list[Anchor], ScoringPolicyBody]:
    """Raises NotFound, VersionNotPublished, AchievementNotInProgram, AnchorUnfit."""
    program = await get_program(session, member.issuer_id, scope.program_id)
    version = await get_frozen_version(session, member.issuer_id, scope.achievement_id, scope.version)
    await _require_in_program(session, program, scope.achievement_id)
    anchors = await _fitting_anchors(session, member.issuer_id, scope, kind, sets)
    policy = await get_policy(session, program.issuer_id, program.id, program.policy_version)
    found = AnchorSession(
        issuer_id=member.issuer_id, id=new_id(), kind=kind, program_id=program.id, achievement_id=scope.achievement_id,
        version=scope.version, assessor_id=assessor.id if assessor else None, round=None, sets=[list(each) for each in sets],
        policy_version=program.policy_version, state="open", result=None, opened_at=now, closed_at=None, updated_at=now,
    )  # fmt: skip
    session.add(found)
    await session.flush()
    note_session(session, found, "opened", member.actor, now, {"kind": kind, "sets": found.sets})
    uncovered = list_uncovered(version.content["rubric"], [anchor.levels or {} for anchor in anchors])
    return Opened(found, uncovered), anchors, policy


async def _require_in_program(session: AsyncSession, program: Program, achievement_id: str) -> None:
    if achievement_id not in await list_program_achievements(session, program.issuer_id, program.id):
        fault = Fault("/achievement_id", "is not an achievement of the program")
        raise AchievementNotInProgram("The achievement cannot be earned in this program.", faults=[fault])


async def _fitting_anchors(
    session: AsyncSession, issuer_id: str, scope: Scope, role: AnchorRole, sets: Sequence[Sequence[str]]
) -> list[Anchor]:
    """The anchors named, each of them active, of this version and role, and no work twice. Raises NotFound, AnchorUnfit."""
    places = {anchor_id: f"/{i}/{j}" for i, each in enumerate(sets) for j, anchor_id in enumerate(each)}
    root = "/sets" if role == "qualification" else "/anchor_ids"
    anchors = await list_anchors(session, issuer_id, list(places))
    if len(anchors) < len(places):
        raise NotFound("There is no anchor with one of these ids.")
    faults, works = [], set()
    if len(places) < sum(len(each) for each in sets):
        faults.append(Fault(root, "name an anchor twice", "name each once"))
    for anchor in anchors:
        place = (
            root + places[anchor.id] if role == "qualification" else root + "/" + places[anchor.id].rpartition("/")[2]
        )
        if (anchor.achievement_id, anchor.version) != (scope.achievement_id, scope.version):
            faults.append(Fault(place, "is an anchor of another version"))
        elif anchor.role != role:
            faults.append(Fault(place, f"is an anchor for {anchor.role}", f"use anchors for {role}"))
        elif anchor.state != "active":
            faults.append(Fault(place, f"is {anchor.state}", "use active anchors"))
        work = anchor.source_submission_id or anchor.id
        if work in works:
            faults.append(Fault(place, "was made from the same submission as another", "keep one of them"))
        works.add(work)
    if faults:
        raise AnchorUnfit("Not every anchor fits the session.", faults=faults)
    return anchors


async def _require_large_enough(
    session: AsyncSession, found: AnchorSession, policy: QualificationPolicy, anchors: Sequence[Anchor]
) -> None:
    version = await get_frozen_version(session, found.issuer_id, found.achievement_id, found.version)
    ratings = len(anchors) * len(version.content["rubric"]["criteria"])
    faults = []
    if len(found.sets) < policy.minimum_sets:
        faults.append(Fault("/sets", f"are {len(found.sets)}, at least {policy.minimum_sets} are needed"))
    if ratings < policy.minimum_ratings:
        faults.append(Fault("/sets", f"have {ratings} ratings, at least {policy.minimum_ratings} are needed"))
    if faults:
        raise QualificationTooSmall("The round is too small to tell whether somebody may read.", faults=faults)


async def _count_round(
    session: AsyncSession,
    certification: Certification,
    found: AnchorSession,
    policy: QualificationPolicy,
    now: datetime,
) -> int:
    """The number of the round. Raises CertificationStateConflict, RoundOpen, RoundsUsedUp."""
    if state_at(certification, now) == "revoked":
        raise CertificationStateConflict("The certification is revoked, which is final.")
    before = await find_open_round(
        session, found.issuer_id, certification.assessor_id, found.achievement_id, found.version, other_than=found.id
    )
    if before is not None:
        raise RoundOpen("The assessor has not finished the round before.", cure="Wait for its end, or cancel it.")
    if certification.rounds_used >= policy.rounds:
        raise RoundsUsedUp(f"The assessor has had {certification.rounds_used} rounds.")
    certification.rounds_used += 1
    return certification.rounds_used


async def _give_back(session: AsyncSession, found: AnchorSession, actor: str, now: datetime) -> None:
    assert found.assessor_id is not None
    row = await find_certification(session, found.issuer_id, found.assessor_id, found.achievement_id, found.version)
    assert row is not None
    certification = await lock_certification(session, found.issuer_id, row.id)
    if not await list_responses(session, found.issuer_id, found.id):
        certification.rounds_used = max(0, certification.rounds_used - 1)
    state = state_at(certification, now)
    if state == "qualifying":
        state = "in_training"
    enter(session, certification, state, "A qualification round was cancelled.", actor=actor, now=now)
