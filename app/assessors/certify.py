"""Verbs on certifications: begin one, certify, fall short, expire, and what a lead decides.

What a lead may decide, by the state it is in (`LEAD_MOVES`); everything else follows from rounds, calibrations and the clock:

    in_training, qualifying   in training, revoked
    certified                 probation, suspended, in training, revoked
    probation                 certified, suspended, in training, revoked
    suspended, expired        in training, revoked; to read again they qualify again
    revoked                   nothing
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.assessors.certification import READING_STATES, state_at
from app.assessors.jobs import EXPIRE_JOB, ISSUE_BADGE_JOB, RECHECK_ASSESSOR_JOB, REVOKE_BADGE_JOB
from app.assessors.store import (
    AnchorSession,
    Assessor,
    Certification,
    CertificationChange,
    CertificationState,
    find_certification,
    get_assessor,
    lock_certification,
)
from app.audit.store import audit
from app.clock import whole_second
from app.errors import Conflict, Forbidden
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.programs.policy import QualificationPolicy

LEAD_MOVES: Mapping[CertificationState, tuple[CertificationState, ...]] = {
    "in_training": ("revoked",),
    "qualifying": ("in_training", "revoked"),
    "certified": ("probation", "suspended", "in_training", "revoked"),
    "probation": ("certified", "suspended", "in_training", "revoked"),
    "suspended": ("in_training", "revoked"),
    "expired": ("in_training", "revoked"),
    "revoked": (),
}

MAY_RISE = ("qualifying", "certified", "probation", "expired")
"""The states out of which a passed round certifies: not when a lead has suspended or sent back meanwhile."""


class CertificationStateConflict(Conflict):
    """The certification's state does not allow it."""

    code = "certification_state"


class OwnCertification(Forbidden):
    """A lead wants to decide about their own certification."""

    code = "own_certification"


async def begin_certification(
    session: AsyncSession, assessor: Assessor, achievement_id: str, version: int, *, actor: str, now: datetime
) -> Certification:
    """The assessor's certification for this version, locked; a new one, in training, if there is none.

    The assessor is locked, so that two of the same never begin.
    """
    found = await find_certification(session, assessor.issuer_id, assessor.id, achievement_id, version)
    if found is not None:
        return await lock_certification(session, assessor.issuer_id, found.id)
    certification = Certification(
        issuer_id=assessor.issuer_id, id=new_id(), assessor_id=assessor.id, achievement_id=achievement_id, version=version,
        state="in_training", valid_from=None, valid_until=None, calibrated_at=None, qualification_id=None, rounds_used=0,
        changes=0, decision_id=None, created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(certification)
    await session.flush()
    enter(session, certification, "in_training", "Training began.", actor=actor, now=now)
    return certification


def enter(
    session: AsyncSession,
    certification: Certification,
    state: CertificationState,
    reason: str,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Record a state and why. Entering the present one is a note: something happened that left it. In a state in which nobody
    reads, what the assessor was to read goes to others."""
    certification.state, certification.updated_at = state, now
    certification.changes += 1
    session.add(
        CertificationChange(
            issuer_id=certification.issuer_id, id=new_id(), certification_id=certification.id,
            number=certification.changes, state=state, reason=reason, changed_by=actor, changed_at=now,
        )
    )  # fmt: skip
    audit(session, issuer_id=certification.issuer_id, actor=actor, action="certification.changed",
          object_id=certification.id, content={"state": state, "reason": reason}, at=now)  # fmt: skip
    record_event(
        session, certification.issuer_id, "certification.changed", certification.id, at=now, data={"state": state}
    )
    if state not in READING_STATES:
        payload = {"issuer_id": certification.issuer_id, "assessor_id": certification.assessor_id}
        enqueue(session, RECHECK_ASSESSOR_JOB, payload, run_at=now)


def certify(
    session: AsyncSession,
    certification: Certification,
    qualification: AnchorSession,
    policy: QualificationPolicy,
    *,
    actor: str,
    now: datetime,
) -> None:
    """The round was passed: certified from now on, for as long as the policy says, and never for less than before."""
    # Whole seconds, as the badge's own dates: it ends with the certification, not a moment before or after.
    certification.valid_from = whole_second(now)
    until = certification.valid_from + timedelta(days=policy.certification_days)
    certification.valid_until = max(until, certification.valid_until or until)
    certification.calibrated_at = now
    certification.qualification_id, certification.rounds_used = qualification.id, 0
    enter(session, certification, "certified", "A qualification round was passed.", actor=actor, now=now)
    payload = _payload(certification)
    enqueue(session, ISSUE_BADGE_JOB, payload, run_at=now)
    enqueue(session, EXPIRE_JOB, payload, run_at=certification.valid_until)


def fall_short(session: AsyncSession, certification: Certification, *, actor: str, now: datetime) -> None:
    """A round was not passed: back to training; who is certified still goes on under probation."""
    after: Mapping[str, CertificationState] = {"qualifying": "in_training", "certified": "probation"}
    before = state_at(certification, now)
    enter(
        session, certification, after.get(before, before), "A qualification round was not passed.", actor=actor, now=now
    )


async def decide_state(
    session: AsyncSession,
    member: Member,
    certification_id: str,
    *,
    state: CertificationState,
    reason: str,
    now: datetime,
) -> Certification:
    """What a lead decides. Raises NotFound, OwnCertification, CertificationStateConflict."""
    certification = await _locked_for(session, member, certification_id)
    before = state_at(certification, now)
    if state not in LEAD_MOVES[before]:
        allowed = ", ".join(LEAD_MOVES[before]) or "nothing"
        raise CertificationStateConflict(
            f"The certification is {before}; a lead cannot make it {state}.",
            cure=f"From {before} it goes to: {allowed}.",
        )
    enter(session, certification, state, reason, actor=member.actor, now=now)
    if state == "revoked":
        enqueue(session, REVOKE_BADGE_JOB, _payload(certification), run_at=now)
    return certification


async def allow_more_rounds(
    session: AsyncSession, member: Member, certification_id: str, *, reason: str, now: datetime
) -> Certification:
    """A lead looked at why the rounds were not passed, and lets the count begin anew.

    Raises NotFound, OwnCertification, CertificationStateConflict.
    """
    certification = await _locked_for(session, member, certification_id)
    before = state_at(certification, now)
    if before == "revoked":
        raise CertificationStateConflict("The certification is revoked, which is final.")
    certification.rounds_used = 0
    enter(session, certification, before, reason, actor=member.actor, now=now)
    return certification


async def expire_certification(session: AsyncSession, issuer_id: str, certification_id: str, now: datetime) -> None:
    """Record that a certification ran out; it has had no effect since. One that was renewed is left alone."""
    certification = await lock_certification(session, issuer_id, certification_id)
    if certification.state in READING_STATES and state_at(certification, now) == "expired":
        enter(session, certification, "expired", "The certification ran out.", actor=f"job:{EXPIRE_JOB}", now=now)


async def _locked_for(session: AsyncSession, member: Member, certification_id: str) -> Certification:
    certification = await lock_certification(session, member.issuer_id, certification_id)
    require_not_own(member, await get_assessor(session, member.issuer_id, certification.assessor_id))
    return certification


def require_not_own(member: Member, assessor: Assessor) -> None:
    """Raises OwnCertification."""
    if assessor.person_id == member.person_id:
        raise OwnCertification("Nobody decides about their own certification.", cure="Ask another lead.")


def _payload(certification: Certification) -> dict[str, str]:
    return {"issuer_id": certification.issuer_id, "certification_id": certification.id}
