"""What becomes of the submission and its badge when a case is over.

outcome      submission                      badge
dismissed    goes on from where it was held  none
suspend      goes on from where it was held  suspended, where its status entry allows that
void         void; appeals and moderations   revoked, by a decision not_yet that supersedes (reason code `misconduct`)
             about it end as void

A case that has no final outcome when the learner is erased is discontinued: the submission goes back to where it was held, where
nobody reads it, and nothing else happens.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Tenant
from app.appeals.review import resume_review
from app.appeals.void import void_reviews
from app.credentials.status import suspend
from app.credentials.store import find_award, find_credential_of_award, get_current_edition
from app.events.store import record_event
from app.jobs.queue import enqueue
from app.learners.recipients import Identities
from app.learners.store import get_learner
from app.misconduct.cases import note
from app.misconduct.store import Effect, MisconductCase, get_case, lock_case
from app.resources import Resources
from app.scoring.decide import record
from app.scoring.facts import CriterionResult, DecisionFacts
from app.scoring.store import Decision, find_successor
from app.submissions.jobs import CANCEL_READINGS_JOB, OPEN_READINGS_JOB
from app.submissions.store import Submission, lock_submission

ACTOR = "system:misconduct"
REASON = "A panel found misconduct."
"""What the learner's decision and badge say: the case itself is told nowhere else."""


async def close_case(world: Resources, issuer_id: str, case_id: str) -> None:
    """Let a final outcome take effect, or discontinue the case of a learner who was erased. A case that is closed, or under
    appeal, is left as it is.

    Raises CredentialPending while an edition of the badge is being signed: the job is tried again.
    """
    now = world.clock.now()
    async with world.database.transaction() as session:
        submission_id = (await get_case(session, issuer_id, case_id)).submission_id
        submission = await lock_submission(session, issuer_id, submission_id)
        case = await lock_case(session, issuer_id, case_id)
        # Nothing can be sealed for them any more, they cannot be heard, and their badges are served no more.
        is_erased = (await get_learner(session, case.issuer_id, case.learner_id)).sealed_key is None
        if case.state == "decided" and (case.appeal_due_at is None or now > case.appeal_due_at):
            case.effect = await _take_effect(session, world, case, submission, is_erased, now)
        elif is_erased and case.state in ("noticed", "answered", "appealed"):
            case.effect = "discontinued"
            await _release(session, world, case, submission, is_erased, now)
        else:
            return
        case.state, case.closed_at, case.updated_at = "closed", now, now
        note(session, case, "closed", ACTOR, now, {"effect": case.effect})


async def _take_effect(
    session: AsyncSession,
    world: Resources,
    case: MisconductCase,
    submission: Submission,
    is_erased: bool,
    now: datetime,
) -> Effect:
    decision = await _find_newest_decision(session, submission)
    if case.outcome == "void":
        submission.state, submission.held_from, submission.updated_at = "void", None, now
        record_event(session, case.issuer_id, "submission.voided", submission.id, at=now, data={"case_id": case.id})
        payload = {"issuer_id": submission.issuer_id, "submission_id": submission.id}
        enqueue(session, CANCEL_READINGS_JOB, payload, run_at=now)
        await void_reviews(session, world, submission, actor=ACTOR, now=now)
        if decision is None or is_erased:
            return "none"
        await record(session, world, Tenant(case.issuer_id, ACTOR, frozenset()), _void(decision, now))
        return "revoked" if decision.outcome == "awarded" else "none"
    await _release(session, world, case, submission, is_erased, now)
    if case.outcome == "suspend" and decision is not None and not is_erased:
        return await _suspend(session, world, decision, now)
    return "none"


async def _release(
    session: AsyncSession,
    world: Resources,
    case: MisconductCase,
    submission: Submission,
    is_erased: bool,
    now: datetime,
) -> None:
    if submission.state != "on_hold" or submission.held_from is None:
        return
    submission.state, submission.held_from, submission.updated_at = submission.held_from, None, now
    record_event(session, case.issuer_id, "submission.released", submission.id, at=now, data={"case_id": case.id})
    if is_erased:  # nobody can read it any more
        return
    if submission.state in ("accepted", "scoring"):
        payload = {"issuer_id": submission.issuer_id, "submission_id": submission.id}
        enqueue(session, OPEN_READINGS_JOB, payload, run_at=now)
    elif submission.state == "decided":
        await resume_review(session, world, submission, now)


async def _suspend(session: AsyncSession, world: Resources, decision: Decision, now: datetime) -> Effect:
    award = await find_award(session, decision.issuer_id, decision.id)
    found = None if award is None else await find_credential_of_award(session, decision.issuer_id, award.id)
    if found is None or found.state in ("failed", "revoked"):
        return "none"
    if found.edition_number > 0 and (await get_current_edition(session, found)).status_purpose != "suspension":
        return "not_suspendable"
    await suspend(session, world, decision.issuer_id, found.id, reason=REASON, actor=ACTOR, now=now)
    return "suspended"


async def _find_newest_decision(session: AsyncSession, submission: Submission) -> Decision | None:
    """The decision about the submission, or the one that superseded it."""
    query = select(Decision).where(Decision.issuer_id == submission.issuer_id, Decision.submission_id == submission.id)
    found = (await session.scalars(query.order_by(Decision.recorded_at, Decision.id).limit(1))).one_or_none()
    while found is not None and (later := await find_successor(session, found.issuer_id, found.id)) is not None:
        found = later
    return found


def _void(decision: Decision, now: datetime) -> DecisionFacts:
    """What is recorded of a void submission: the levels as they were, and that they count for nothing."""
    return DecisionFacts(
        external_id=None,
        achievement_id=decision.achievement_id,
        version=decision.version,
        learner_id=decision.learner_id,
        recipient_external_id=None,
        recipient=Identities(),
        outcome="not_yet",
        decided_at=now,
        panel_id=decision.panel_id,
        assessors=tuple(decision.assessors),
        results=tuple(
            CriterionResult(criterion, level, "The submission is void.") for criterion, level in decision.levels
        ),
        evidence=(),
        supersedes_id=decision.id,
        reason=REASON,
        submission_id=decision.submission_id,
        policy_version=decision.policy_version,
        reason_code="misconduct",
    )
