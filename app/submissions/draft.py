"""Beginning an attempt: the first, or one after a not-yet, which goes on from what was there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion, get_published_version
from app.audit.store import audit
from app.errors import Conflict, ExternalIdTaken, Fault, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.programs.policy import ScoringPolicyBody, get_policy
from app.programs.store import Enrollment, get_program, require_in_program
from app.submissions.artifacts import Details, open_details, seal_details
from app.submissions.statement import Statement, open_statement, seal_statement
from app.submissions.store import (
    Artifact,
    Submission,
    find_awarded,
    find_by_external_id,
    get_team,
    list_artifacts,
    list_attempts,
    list_members,
)
from app.submissions.task import task_of


class EnrollmentNotActive(Conflict):
    code = "enrollment_not_active"


class AttemptOpen(Conflict):
    """The attempt before is not over."""

    code = "attempt_open"


class AlreadyAwarded(Conflict):
    code = "already_awarded"


class SupportNotOffered(Conflict):
    """After so many not-yets somebody has to talk with the learner first."""

    code = "support_not_offered"


class NotATeamMember(Conflict):
    code = "not_a_team_member"


class UnknownVariant(InvalidInput):
    code = "unknown_variant"


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """What an attempt is at. `version` None is the newest published one."""

    achievement_id: str
    version: int | None = None
    variant: str | None = None
    team_id: str | None = None
    external_id: str | None = None


async def begin_attempt(
    session: AsyncSession, vault: Vault, enrollment: Enrollment, facts: AttemptFacts, *, actor: str, now: datetime
) -> Submission:
    """A draft. After a not-yet it begins with the words and artifacts of that attempt, and with what was met there banked.

    Raises NotFound, VersionNotPublished, EnrollmentNotActive, AchievementNotInProgram, AttemptOpen, AlreadyAwarded,
    SupportNotOffered, NotATeamMember, UnknownVariant, ExternalIdTaken, and Gone for an erased learner.
    """
    issuer_id = enrollment.issuer_id
    version = await get_published_version(session, issuer_id, facts.achievement_id, facts.version)
    await _lock(session, enrollment)
    await _require_allowed(session, enrollment, facts, version)
    program = await get_program(session, issuer_id, enrollment.program_id)
    policy = await get_policy(session, issuer_id, program.id, program.policy_version)
    attempts = await list_attempts(session, issuer_id, enrollment.id, facts.achievement_id)
    is_supported = _require_next(attempts, policy)
    key = open_key(vault, await get_learner(session, issuer_id, enrollment.learner_id))
    submission_id = new_id()
    earlier = find_continued(attempts, version.version)
    submission = Submission(
        issuer_id=issuer_id,
        id=submission_id,
        external_id=facts.external_id,
        enrollment_id=enrollment.id,
        program_id=enrollment.program_id,
        learner_id=enrollment.learner_id,
        achievement_id=facts.achievement_id,
        version=version.version,
        attempt=len(attempts) + 1,
        team_id=facts.team_id,
        variant=facts.variant,
        state="draft",
        held_by_screening=False,
        banked=bank(earlier, policy),
        supported=is_supported,
        sealed_statement=seal_statement(key, submission_id, _words_of(key, earlier)),
        created_at=now,
        updated_at=now,
    )
    session.add(submission)
    await session.flush()
    if earlier is not None:
        await _carry_over(session, key, earlier, submission)
    audit(session, issuer_id=issuer_id, actor=actor, action="submission.created", object_id=submission_id,
          content={"enrollment": enrollment.id, "version": [facts.achievement_id, version.version],
                   "attempt": submission.attempt}, at=now)  # fmt: skip
    record_event(session, issuer_id, "submission.created", submission_id, at=now)
    return submission


def bank(earlier: Submission | None, policy: ScoringPolicyBody) -> list[list[str]]:
    """The criteria that need not be met again: [criterion key, level key, decision id]."""
    if earlier is None or not policy.bank_met_criteria:
        return []
    return [list(each) for each in earlier.met or ()]


def find_continued(attempts: list[Submission], version: int) -> Submission | None:
    """The latest attempt at the same version that was decided not yet: the next one goes on from it. A void one counts for
    nothing."""
    decided = [
        each for each in attempts if each.outcome == "not_yet" and each.version == version and each.state != "void"
    ]
    return decided[-1] if decided else None


async def _lock(session: AsyncSession, enrollment: Enrollment) -> None:
    """Two attempts at once would have the same number. Before the locks of submissions: whoever begins one holds none yet."""
    same = (Enrollment.issuer_id == enrollment.issuer_id, Enrollment.id == enrollment.id)
    await session.scalars(select(Enrollment).where(*same).with_for_update().execution_options(populate_existing=True))


async def _require_allowed(
    session: AsyncSession, enrollment: Enrollment, facts: AttemptFacts, version: AchievementVersion
) -> None:
    issuer_id = enrollment.issuer_id
    if facts.team_id is not None:
        team = await get_team(session, issuer_id, facts.team_id)
        members = await list_members(session, issuer_id, [team.id])
        if enrollment.id not in {member.enrollment_id for member in members}:
            raise NotATeamMember("The enrollment is not one of the team's.")
    if enrollment.state not in ("enrolled", "active"):
        raise EnrollmentNotActive(f"The enrollment is {enrollment.state}.")
    await require_in_program(session, issuer_id, enrollment.program_id, facts.achievement_id)
    variants = [variant.key for variant in task_of(version.content).variants]
    if facts.variant is not None and facts.variant not in variants:
        cure = f"choose one of {', '.join(variants)}" if variants else "leave it out: the task has no variants"
        fault = Fault("/variant", "is not a variant of the version's performance task", cure)
        raise UnknownVariant("The task has no such variant.", faults=[fault])
    if facts.external_id is not None and await find_by_external_id(session, issuer_id, facts.external_id) is not None:
        raise ExternalIdTaken(f"There is already a submission with external_id {facts.external_id!r}.")
    awarded = await find_awarded(session, issuer_id, enrollment.learner_id, facts.achievement_id)
    if awarded is not None:
        raise AlreadyAwarded(f"The achievement was awarded for the submission {awarded.id}.")


def _require_next(attempts: list[Submission], policy: ScoringPolicyBody) -> bool:
    """Whether support was offered before this attempt. Raises AttemptOpen or SupportNotOffered."""
    if attempts and attempts[-1].state not in ("decided", "withdrawn", "void"):
        raise AttemptOpen(f"The attempt before, {attempts[-1].id}, is {tell_state(attempts[-1])}.")
    not_yet = [each for each in attempts if each.outcome == "not_yet"]
    if len(not_yet) < policy.attempts_before_support:
        return False
    if not_yet[-1].support_offered_at is None:
        raise SupportNotOffered(
            f"After {len(not_yet)} attempts that were not yet there, support is offered before the next one.",
            cure=f"Offer it, and record that it was: POST /v1/submissions/{not_yet[-1].id}/support.",
        )
    return True


def tell_state(submission: Submission) -> str:
    """The state as it is told outside: whether readings are resolved, or adjudicated, is nobody's to know before the decision."""
    return "scoring" if submission.state == "resolved" else submission.state


def _words_of(key: PersonalKey, earlier: Submission | None) -> Statement:
    """What is attested is attested for each attempt anew."""
    if earlier is None:
        return Statement()
    before = open_statement(key, earlier)
    return Statement(parts=before.parts, impact=before.impact)


async def _carry_over(session: AsyncSession, key: PersonalKey, earlier: Submission, submission: Submission) -> None:
    """The same files under new artifacts: an upload stays as long as any artifact rests on it."""
    for artifact in await list_artifacts(session, earlier.issuer_id, earlier.id):
        id_ = new_id()
        details: Details = open_details(key, artifact)
        is_shared = artifact.shared and submission.team_id is not None
        session.add(
            Artifact(
                issuer_id=artifact.issuer_id, id=id_, submission_id=submission.id, part=artifact.part,
                kind=artifact.kind, genre=artifact.genre, sealed_details=seal_details(key, id_, details),
                media_type=artifact.media_type, size=artifact.size, pieces=artifact.pieces, digest=artifact.digest,
                upload=artifact.upload, consent=artifact.consent, shared=is_shared, created_at=artifact.created_at,
            )
        )  # fmt: skip
    await session.flush()


def open_context(key: PersonalKey, enrollment: Enrollment) -> dict[str, str | None]:
    """The local context of an enrollment, as far as a reader may see it."""
    context = key.open_json(enrollment.sealed_context, table="enrollment", row=enrollment.id, column="sealed_context")
    return {name: context.get(name) for name in ("role", "school_type", "grade_band")}
