"""The decision of our own workflow: an approver confirms what the readings recommend, or returns it for another reading.

    confirm    decision recorded, its badge intended, the submission decided, what was met noted for the next attempt
    return     an adjudication is asked for, the submission goes back to scoring: nobody but a reader writes scores
    amend      as confirm, of a decision that was questioned (`app.appeals`): a decision that supersedes it, with a reason code

All work under the submission's lock, so that of two approvers at once one decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member, Tenant
from app.achievements.store import get_version
from app.audit.store import audit
from app.credentials.issue import PendingEdition
from app.credentials.store import Award, list_credentials_of_learner
from app.errors import Conflict, Fault, InvalidInput
from app.events.store import record_event
from app.keys.vault import Vault
from app.learners.recipients import Identities, lock_current_learner, open_key
from app.learners.store import get_learner
from app.openbadges.compose import EvidenceFacts
from app.programs.store import get_program
from app.readings.assign import assign_open
from app.readings.request import request_reading
from app.resources import Resources
from app.scoring.decide import record
from app.scoring.facts import CriterionResult, DecisionFacts, evidence_id
from app.scoring.recommendation import (
    Recommendation,
    open_recommendation,
    require_may_decide,
    require_resolution,
)
from app.scoring.returned import seal_return
from app.scoring.soundness import OutcomeAgainstRule, UnknownReference
from app.scoring.store import Decision, Outcome, ReasonCode
from app.submissions.decided import mark_decided
from app.submissions.statement import open_statement
from app.submissions.store import Submission, lock_submission
from app.submissions.task import task_of
from app.submissions.work import list_consented


class FeedbackRequired(InvalidInput):
    """A refusal says of each criterion not met how to grow."""

    code = "feedback_required"


class AlreadyAwarded(Conflict):
    """Another attempt of the learner has earned the award since."""

    code = "already_awarded"


@dataclass(frozen=True, slots=True)
class Judgment:
    """What an approver sends. `feedback` by criterion is laid over the reader's; `note` is for the record."""

    outcome: Outcome
    feedback: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Amendment:
    """Which decision is superseded, and why."""

    before: Decision
    reason_code: ReasonCode
    reason: str


async def approve(
    session: AsyncSession, world: Resources, member: Member, submission_id: str, judgment: Judgment
) -> tuple[Decision, PendingEdition | None]:
    """The part of the first commit. Raises SubmissionNotResolved, ReadingOpen, ApproverIsAssessor, ApproverConflict,
    OutcomeAgainstRule, FeedbackRequired, UnknownReference, and what recording a decision raises."""
    submission = await lock_submission(session, member.issuer_id, submission_id)
    await require_may_decide(session, member, submission)
    resolution = await require_resolution(session, submission)
    recommendation = await open_recommendation(session, world.vault, submission, resolution)
    return await judge(session, world, member, recommendation, judgment)


async def return_to_scoring(
    session: AsyncSession, world: Resources, member: Member, submission_id: str, reason: str
) -> Submission:
    """Ask for an adjudication instead of deciding. Raises as `approve` does."""
    now = world.clock.now()
    submission = await lock_submission(session, member.issuer_id, submission_id)
    await require_may_decide(session, member, submission)
    await require_resolution(session, submission)
    key = open_key(world.vault, await get_learner(session, submission.issuer_id, submission.learner_id))
    await request_reading(session, submission, kind="adjudication", trigger="returned", now=now)
    seal_return(key, submission, reason)
    submission.state, submission.resolved_at, submission.updated_at = "scoring", None, now
    await assign_open(session, world, submission, now)
    audit(session, issuer_id=submission.issuer_id, actor=member.actor, action="submission.returned",
          object_id=submission.id, content={"state": submission.state}, at=now)  # fmt: skip
    record_event(session, submission.issuer_id, "submission.returned", submission.id, at=now)
    return submission


async def judge(
    session: AsyncSession,
    world: Resources,
    member: Member,
    recommendation: Recommendation,
    judgment: Judgment,
    amendment: Amendment | None = None,
) -> tuple[Decision, PendingEdition | None]:
    """Record the decision, and settle the submission, which is locked."""
    _require_rule(recommendation, judgment)
    feedback = _compose_feedback(recommendation, judgment)
    facts = await _compose_facts(session, world, recommendation, judgment, feedback, amendment)
    tenant = Tenant(member.issuer_id, member.actor, frozenset())
    decision, pending = await record(session, world, tenant, facts)
    _settle(session, recommendation, judgment, decision)
    return decision, pending


def _require_rule(recommendation: Recommendation, judgment: Judgment) -> None:
    if judgment.outcome != recommendation.outcome:
        fault = Fault(
            "/outcome", f"the levels of record give {recommendation.outcome}", "confirm that, or return the submission"
        )
        raise OutcomeAgainstRule("The outcome does not follow from the levels of record.", faults=[fault])


def _compose_feedback(recommendation: Recommendation, judgment: Judgment) -> dict[str, str]:
    """The reader's feedback with the approver's over it."""
    unknown = [key for key in judgment.feedback if key not in recommendation.levels]
    if unknown:
        faults = [Fault(f"/feedback/{key}", f"{key} is not a criterion of the version") for key in unknown]
        raise UnknownReference("The feedback does not fit the rubric.", faults=faults)
    feedback = {**recommendation.feedback, **judgment.feedback}
    missing = [key for key in recommendation.unmet if key not in feedback]
    if missing and judgment.outcome == "not_yet":
        faults = [Fault(f"/feedback/{key}", "is missing", "say what the learner can do next") for key in missing]
        raise FeedbackRequired("There is no feedback on a criterion that was not met.", faults=faults)
    return feedback


async def _compose_facts(
    session: AsyncSession,
    world: Resources,
    recommendation: Recommendation,
    judgment: Judgment,
    feedback: Mapping[str, str],
    amendment: Amendment | None,
) -> DecisionFacts:
    submission = recommendation.submission
    narrative, role = await _consented_statement(session, world.vault, submission)
    return DecisionFacts(
        external_id=None,
        achievement_id=submission.achievement_id,
        version=submission.version,
        learner_id=submission.learner_id,
        recipient_external_id=None,
        recipient=Identities(),
        outcome=judgment.outcome,
        decided_at=world.clock.now(),
        panel_id=(await get_program(session, submission.issuer_id, submission.program_id)).panel_id,
        assessors=recommendation.assessors,
        results=tuple(
            CriterionResult(key, level, recommendation.rationales.get(key))
            for key, level in recommendation.levels.items()
        ),
        evidence=tuple(
            EvidenceFacts(id=evidence_id(piece.url), name=piece.name, genre=piece.genre, digest=piece.digest)
            for piece in await list_consented(session, world.vault, submission)
        ),
        narrative=narrative,
        role=role,
        supersedes_id=amendment.before.id if amendment else None,
        renews_id=await _find_award_to_renew(session, submission, judgment, amendment),
        reason=amendment.reason if amendment else None,
        submission_id=submission.id,
        policy_version=submission.policy_version,
        reason_code=amendment.reason_code if amendment else None,
        feedback=feedback,
        note=judgment.note,
    )


async def _consented_statement(
    session: AsyncSession, vault: Vault, submission: Submission
) -> tuple[str | None, str | None]:
    """Narrative and role for the badge: what the learner wrote of themselves goes there only if they want it to."""
    key = open_key(vault, await get_learner(session, submission.issuer_id, submission.learner_id))
    statement = open_statement(key, submission)
    if not statement.narrative_consent:
        return None, None
    version = await get_version(session, submission.issuer_id, submission.achievement_id, submission.version)
    reflections = [part.key for part in task_of(version.content).parts if part.kind == "reflection"]
    narrative = "\n\n".join(statement.parts[key] for key in reflections if key in statement.parts)
    return narrative or None, statement.context.role


async def _find_award_to_renew(
    session: AsyncSession, submission: Submission, judgment: Judgment, amendment: Amendment | None
) -> str | None:
    """The newest decision of a badge that the learner holds for the achievement: it is extended, never doubled.

    Raises AlreadyAwarded where an amendment would award what another attempt has earned.
    """
    if judgment.outcome != "awarded" or (amendment is not None and amendment.before.outcome == "awarded"):
        return None
    other = await find_other_award(session, submission)
    if other is not None and amendment is not None:
        raise AlreadyAwarded("Another attempt has earned the award since: there is nothing left to change.")
    return other


async def find_other_award(session: AsyncSession, submission: Submission) -> str | None:
    """The newest decision of a badge that the learner, who is locked by this, holds for the submission's achievement."""
    learner = await lock_current_learner(session, submission.issuer_id, submission.learner_id)
    for credential in await list_credentials_of_learner(session, submission.issuer_id, learner.id):
        if credential.achievement_id == submission.achievement_id and credential.state not in ("revoked", "failed"):
            award = await session.get_one(Award, (credential.issuer_id, credential.award_id))
            return award.decision_id
    return None


def _settle(session: AsyncSession, recommendation: Recommendation, judgment: Judgment, decision: Decision) -> None:
    """The submission is decided; what it met counts for the next attempt, what was met before keeps its first decision."""
    submission, now = recommendation.submission, decision.recorded_at
    met = {key: level for key, level in decision.levels if key not in recommendation.unmet}
    mark_decided(session, submission, outcome=judgment.outcome, decision_id=decision.id, met=met, now=now)
    data = {"submission": submission.id, "outcome": decision.outcome}
    record_event(session, submission.issuer_id, "decision.released", decision.id, at=now, data=data)
