"""A learner's appeal against a decision: filed once, in time, read again by somebody new, decided by somebody new.

    filed          a reading is asked for; nobody has begun it
    reading        somebody reads
    read           the new scores of record are there
    decided        confirmed (nothing changes), changed (a decision supersedes the old one, up or down), or void (another attempt
                   has earned the award meanwhile, the submission became void, or the learner was erased)
    inadmissible   a lead or director turned it down before anybody began to read

What is stored are `filed`, `inadmissible` and `decided`; between them the reading tells where an appeal stands. A
reading that ends without a result is followed by another of its kind, so that the newest counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member, Tenant
from app.appeals.review import (
    find_review_end,
    follow_reading,
    require_no_other_review,
    require_reread,
)
from app.appeals.store import Appeal, find_appeal_of_decision, get_appeal
from app.audit.store import audit
from app.credentials.issue import PendingEdition
from app.errors import Conflict, Fault
from app.events.store import record_event
from app.identifiers import new_id
from app.keys.vault import Vault
from app.learners.own import require_own
from app.learners.recipients import open_key
from app.learners.store import Learner, get_learner
from app.programs.policy import ScoringPolicyBody, get_policy
from app.readings.assign import assign_open
from app.readings.request import request_reading
from app.resources import Resources
from app.scoring.approve import AlreadyAwarded, Amendment, Judgment, find_other_award, judge
from app.scoring.recommendation import Recommendation, open_recommendation, require_may_decide
from app.scoring.soundness import OutcomeAgainstRule
from app.scoring.store import Decision, find_successor, get_decision, list_corrected
from app.submissions.store import Submission, get_submission, lock_submission

AppealOutcome = Literal["confirmed", "changed", "void"]
AppealState = Literal["filed", "inadmissible", "reading", "read", "decided"]

NOT_APPEALABLE = frozenset({"appeal", "misconduct"})
"""Reasons of a decision that was an answer already."""


class NotAppealable(Conflict):
    code = "not_appealable"


class AppealExists(Conflict):
    code = "appeal_exists"


class AppealTooLate(Conflict):
    code = "appeal_too_late"


class AppealReadingStarted(Conflict):
    code = "appeal_reading_started"


class AppealClosed(Conflict):
    code = "appeal_closed"


class ApproverNotNew(Conflict):
    code = "approver_not_new"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an approver sends: the outcome, what the learner is told, and feedback as with any decision."""

    outcome: AppealOutcome
    text: str
    feedback: Mapping[str, str]
    note: str | None


async def file_appeal(
    session: AsyncSession, world: Resources, tenant: Tenant, decision_id: str, grounds: str
) -> Appeal:
    """Raises NotFound, NotAppealable, AppealExists, AppealTooLate, DecisionUnderReview."""
    now = world.clock.now()
    decision = await get_decision(session, tenant.issuer_id, decision_id)
    await require_own(session, tenant, await _concerned(session, tenant, decision), "decision")
    if decision.submission_id is None:
        raise NotAppealable("The decision was not made on a submission here.")
    submission = await lock_submission(session, tenant.issuer_id, decision.submission_id)
    if await find_appeal_of_decision(session, tenant.issuer_id, decision_id) is not None:
        raise AppealExists("There was an appeal against this decision already.")
    if decision.reason_code in NOT_APPEALABLE or await find_successor(session, tenant.issuer_id, decision_id):
        raise NotAppealable("This decision is the answer to an appeal, or was superseded.")
    await require_no_other_review(session, decision)
    policy = await _policy(session, submission)
    began = max(decision.decided_at, await find_review_end(session, decision) or decision.decided_at)
    until = began + timedelta(days=policy.turnaround.appeal_filing_days)
    if now > until:
        raise AppealTooLate(f"An appeal against this decision could be filed until {until:%Y-%m-%d %H:%M} UTC.")
    reading = await request_reading(session, submission, kind="appeal", now=now)
    await assign_open(session, world, submission, now)
    appeal = Appeal(
        issuer_id=tenant.issuer_id,
        id=new_id(),
        decision_id=decision_id,
        submission_id=submission.id,
        learner_id=submission.learner_id,
        state="filed",
        reading_id=reading.id,
        filed_at=now,
        answer_due_at=now + timedelta(days=policy.turnaround.appeal_answer_days),
        updated_at=now,
    )
    learner = await get_learner(session, appeal.issuer_id, appeal.learner_id)
    _seal(world.vault, appeal, learner, grounds=grounds, answer=None)
    session.add(appeal)
    await session.flush()
    _note(session, appeal, "filed", tenant.actor, now)
    return appeal


async def declare_inadmissible(
    session: AsyncSession, world: Resources, member: Member, appeal_id: str, reason: str
) -> Appeal:
    """Raises NotFound, AppealClosed, AppealReadingStarted."""
    now = world.clock.now()
    appeal = await _lock(session, member.issuer_id, appeal_id)
    reading = await follow_reading(session, appeal.issuer_id, appeal.reading_id)
    if reading is not None:
        if reading.state in ("started", "submitted"):
            raise AppealReadingStarted("Somebody reads the work again already.")
        reading.state, reading.end_reason, reading.updated_at = "cancelled", "appeal_inadmissible", now
    await _seal_answer(session, world.vault, appeal, reason)
    _close(appeal, "inadmissible", member.actor, now)
    _note(session, appeal, "inadmissible", member.actor, now)
    return appeal


async def decide_appeal(
    session: AsyncSession, world: Resources, member: Member, appeal_id: str, answer: Answer
) -> tuple[Decision, PendingEdition | None]:
    """The part of the first commit: the decision that stands from now on, the appealed one or what supersedes it.

    Raises NotFound, AppealClosed, NotReadAgain, ApproverNotNew, OutcomeAgainstRule, and what `judge` raises.
    """
    now = world.clock.now()
    appeal = await _lock(session, member.issuer_id, appeal_id)
    submission = await get_submission(session, appeal.issuer_id, appeal.submission_id)
    await require_may_decide(session, member, submission)
    decision = await get_decision(session, appeal.issuer_id, appeal.decision_id)
    if any(each.recorded_by == member.actor for each in await list_corrected(session, decision)):
        raise ApproverNotNew("You have decided on this submission before.")
    reading, resolution = await require_reread(session, submission, appeal.reading_id)
    recommendation = await open_recommendation(session, world.vault, submission, resolution)
    await _require_outcome(session, decision, recommendation, answer)
    stands, pending = decision, None
    if answer.outcome == "changed":
        judgment = Judgment(recommendation.outcome, answer.feedback, answer.note)
        amendment = Amendment(decision, "appeal", answer.text)
        stands, pending = await judge(session, world, member, recommendation, judgment, amendment)
        appeal.new_decision_id = stands.id
    await _seal_answer(session, world.vault, appeal, answer.text)
    appeal.reading_id, appeal.outcome = reading.id, answer.outcome
    _close(appeal, "decided", member.actor, now)
    _note(session, appeal, "decided", member.actor, now)
    return stands, pending


async def void_appeal(
    session: AsyncSession, vault: Vault, appeal: Appeal, *, answer: str, actor: str, now: datetime
) -> None:
    """There is nothing left to answer: the submission became void, or the learner was erased. The submission is locked."""
    if (await get_learner(session, appeal.issuer_id, appeal.learner_id)).sealed_key is not None:
        await _seal_answer(session, vault, appeal, answer)
    appeal.outcome = "void"
    _close(appeal, "decided", actor, now)
    _note(session, appeal, "decided", actor, now)


async def tell_state(session: AsyncSession, appeal: Appeal) -> AppealState:
    """Where an appeal stands today."""
    if appeal.state == "inadmissible":
        return "inadmissible"
    if appeal.state == "decided":
        return "decided"
    reading = await follow_reading(session, appeal.issuer_id, appeal.reading_id)
    if reading is None or reading.state not in ("started", "submitted"):
        return "filed"
    return "read" if reading.state == "submitted" else "reading"


def open_texts(vault: Vault, appeal: Appeal, learner: Learner) -> dict[str, str | None]:
    """Grounds and answer, in the clear. Raises Gone after the learner's erasure."""
    key = open_key(vault, learner)
    texts: dict[str, str | None] = key.open_json(
        appeal.sealed_texts, table="appeal", row=appeal.id, column="sealed_texts"
    )
    return texts


async def _require_outcome(
    session: AsyncSession, decision: Decision, recommendation: Recommendation, answer: Answer
) -> None:
    """What the new scores of record give: confirmed where they are the old ones, else changed; void where it is moot."""
    is_same = dict(decision.levels) == dict(recommendation.levels) and decision.outcome == recommendation.outcome
    gives: AppealOutcome = "confirmed" if is_same else "changed"
    rises = (decision.outcome, recommendation.outcome) == ("not_yet", "awarded")
    if rises and await find_other_award(session, recommendation.submission) is not None:
        gives = "void"
        if answer.outcome == "changed":
            raise AlreadyAwarded("Another attempt has earned the award since: there is nothing left to change.")
    if answer.outcome != gives:
        fault = Fault("/outcome", f"the new levels of record give {gives}", f"answer {gives}")
        raise OutcomeAgainstRule("The outcome does not follow from the new levels of record.", faults=[fault])


async def _lock(session: AsyncSession, issuer_id: str, appeal_id: str) -> Appeal:
    """The appeal, its submission locked. Raises AppealClosed."""
    appeal = await get_appeal(session, issuer_id, appeal_id)
    await lock_submission(session, issuer_id, appeal.submission_id)
    await session.refresh(appeal)
    if appeal.state in ("inadmissible", "decided"):
        raise AppealClosed(f"The appeal is {appeal.state}.")
    return appeal


async def _concerned(session: AsyncSession, tenant: Tenant, decision: Decision) -> str:
    if decision.submission_id is None:
        return decision.learner_id
    return (await get_submission(session, tenant.issuer_id, decision.submission_id)).learner_id


async def _policy(session: AsyncSession, submission: Submission) -> ScoringPolicyBody:
    if submission.policy_version is None:
        return ScoringPolicyBody()
    return await get_policy(session, submission.issuer_id, submission.program_id, submission.policy_version)


def _seal(vault: Vault, appeal: Appeal, learner: Learner, *, grounds: str | None, answer: str | None) -> None:
    texts = {"grounds": grounds, "answer": answer}
    appeal.sealed_texts = open_key(vault, learner).seal_json(
        texts, table="appeal", row=appeal.id, column="sealed_texts"
    )


async def _seal_answer(session: AsyncSession, vault: Vault, appeal: Appeal, answer: str) -> None:
    learner = await get_learner(session, appeal.issuer_id, appeal.learner_id)
    grounds = open_texts(vault, appeal, learner)["grounds"]
    _seal(vault, appeal, learner, grounds=grounds, answer=answer)


def _close(appeal: Appeal, state: AppealState, actor: str, now: datetime) -> None:
    appeal.state, appeal.decided_by, appeal.decided_at, appeal.updated_at = state, actor, now, now


def _note(session: AsyncSession, appeal: Appeal, what: str, actor: str, now: datetime) -> None:
    content = {"decision": appeal.decision_id, "outcome": appeal.outcome, "new_decision": appeal.new_decision_id}
    audit(session, issuer_id=appeal.issuer_id, actor=actor, action=f"appeal.{what}", object_id=appeal.id,
          content={**content, "submission": appeal.submission_id}, at=now)  # fmt: skip
    record_event(session, appeal.issuer_id, f"appeal.{what}", appeal.id, at=now, data=content)
