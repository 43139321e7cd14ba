"""Handing the work in: from here on it is judged as it is, under the scoring policy of this moment."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import get_version
from app.audit.store import audit
from app.errors import Fault, InvalidInput
from app.events.store import record_event
from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.programs.policy import get_policy
from app.programs.store import get_enrollment, get_program
from app.submissions.artifacts import require_editable
from app.submissions.draft import bank, find_continued, open_context
from app.submissions.impact import note_impact
from app.submissions.statement import Statement, WorkContext, open_statement, seal_statement
from app.submissions.store import (
    EDITABLE,
    Submission,
    list_artifacts,
    list_attempts,
    list_shared,
    list_team_submissions,
    lock_with_team,
)
from app.submissions.task import list_gaps, task_of


class SubmissionIncomplete(InvalidInput):
    """Something the performance task asks for is missing."""

    code = "submission_incomplete"


class ReflectionNotIndividual(InvalidInput):
    """Team mates share artifacts, but reflect each for themselves."""

    code = "reflection_not_individual"


async def submit(
    session: AsyncSession, vault: Vault, issuer_id: str, submission_id: str, *, actor: str, now: datetime
) -> Submission:
    """Freeze the work and begin the screening's clock.

    Raises NotFound, SubmissionFrozen, SubmissionIncomplete and ReflectionNotIndividual.
    """
    submission = await lock_with_team(session, issuer_id, submission_id)
    require_editable(submission)
    key = open_key(vault, await get_learner(session, issuer_id, submission.learner_id))
    statement = open_statement(key, submission)
    version = await get_version(session, issuer_id, submission.achievement_id, submission.version)
    shared = [each for each in await list_shared(session, submission) if each.kind == "url" or each.digest]
    evidence = [*await list_artifacts(session, issuer_id, submission.id), *shared]
    if gaps := list_gaps(version.content, statement, evidence):
        raise SubmissionIncomplete("The work is not complete yet.", faults=gaps)
    reflections = [part.key for part in task_of(version.content).parts if part.kind == "reflection"]
    await _require_own_reflection(session, vault, submission, statement, reflections)
    await _freeze(session, submission, key, statement, now)
    submission.evidence = [artifact.id for artifact in evidence]
    await note_impact(session, submission, statement.impact, now)
    audit(session, issuer_id=issuer_id, actor=actor, action="submission.submitted", object_id=submission.id,
          content={"policy_version": submission.policy_version, "evidence": submission.evidence,
                   "digests": [artifact.digest for artifact in evidence]}, at=now)  # fmt: skip
    record_event(session, issuer_id, "submission.submitted", submission.id, at=now)
    return submission


async def _freeze(
    session: AsyncSession, submission: Submission, key: PersonalKey, statement: Statement, now: datetime
) -> None:
    enrollment = await get_enrollment(session, submission.issuer_id, submission.enrollment_id)
    program = await get_program(session, submission.issuer_id, submission.program_id)
    # Work that was returned is judged by the policy it was first handed in under.
    submission.policy_version = submission.policy_version or program.policy_version
    policy = await get_policy(session, submission.issuer_id, program.id, submission.policy_version)
    attempts = await list_attempts(session, submission.issuer_id, submission.enrollment_id, submission.achievement_id)
    earlier = find_continued([each for each in attempts if each.attempt < submission.attempt], submission.version)
    submission.banked = bank(earlier, policy)
    context = WorkContext.model_validate(open_context(key, enrollment))
    submission.sealed_statement = seal_statement(key, submission.id, statement.model_copy(update={"context": context}))
    submission.state = "submitted"
    submission.submitted_at = submission.updated_at = now
    submission.screening_due_at = now + timedelta(days=policy.turnaround.screening_days)


async def _require_own_reflection(
    session: AsyncSession, vault: Vault, submission: Submission, statement: Statement, parts: Sequence[str]
) -> None:
    """Team mates that hand in at the same moment wait for each other's lock (`lock_with_team`)."""
    for mate in await list_team_submissions(session, submission):
        if mate.state in (*EDITABLE, "withdrawn", "void") or mate.learner_id == submission.learner_id:
            continue
        learner = await get_learner(session, mate.issuer_id, mate.learner_id)
        if learner.sealed_key is None:
            continue
        theirs = {_bare(text) for text in open_statement(open_key(vault, learner), mate).parts.values()}
        if same := [part for part in parts if _bare(statement.parts.get(part, "")) in theirs]:
            faults = [Fault(f"/statement/parts/{part}", "a team mate has handed in the same text") for part in same]
            raise ReflectionNotIndividual("The reflection is a team mate's.", faults=faults)


def _bare(text: str) -> str:
    """A text without what can be changed in it without changing what it says."""
    return "".join(character for character in text.casefold() if character.isalnum())
