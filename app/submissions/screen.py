"""Screening: can the work be scored as it is? A person looks, who is not the learner. Holds are put and ended here too."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.audit.store import audit
from app.errors import Conflict, Fault, Forbidden, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import open_key
from app.learners.store import get_learner, list_same_person
from app.submissions.draft import tell_state
from app.submissions.jobs import CANCEL_READINGS_JOB, OPEN_READINGS_JOB
from app.submissions.store import EDITABLE, ConditionCode, Screening, Submission, get_submission, lock_submission

ScreeningOutcome = Literal["accepted", "returned_incomplete", "on_hold"]

_HOLDABLE = ("submitted", "accepted", "scoring", "resolved")


class NotToBeScreened(Conflict):
    code = "not_to_be_screened"


class NotOnHold(Conflict):
    """There is no hold that a screening put."""

    code = "not_on_hold"


class ConditionCodeMissing(InvalidInput):
    """Work is returned for a reason that the learner can mend."""

    code = "condition_code_missing"


class ScreenerIsLearner(Forbidden):
    """Nobody screens their own work."""

    code = "screener_is_learner"


async def screen(
    session: AsyncSession,
    vault: Vault,
    member: Member,
    submission_id: str,
    *,
    outcome: ScreeningOutcome,
    condition_codes: Sequence[ConditionCode],
    note: str | None,
    now: datetime,
) -> tuple[Submission, Screening]:
    """Record what came of a screening, and what follows from it: readings, another go at the same attempt, or a hold.

    Raises NotFound, ScreenerIsLearner, NotToBeScreened and ConditionCodeMissing.
    """
    submission = await _lock_as_screener(session, member, submission_id)
    _require_may(submission, outcome)
    if outcome == "returned_incomplete" and not condition_codes:
        fault = Fault("/condition_codes", "is empty", "name at least one reason")
        raise ConditionCodeMissing("Work is returned with the reason why it cannot be scored.", faults=[fault])
    key = open_key(vault, await get_learner(session, submission.issuer_id, submission.learner_id))
    screening = _row(key, submission, member, outcome, condition_codes, note, now)
    session.add(screening)
    if outcome == "accepted":
        _accept(session, submission, now)
    elif outcome == "returned_incomplete":
        # The learner works on the same attempt again: what it rests on is settled anew when it is handed in.
        submission.state, submission.evidence, submission.screening_due_at = "returned_incomplete", None, None
        _end_hold(submission)
    else:
        _hold(session, submission, now)
    action = {"accepted": "accepted", "returned_incomplete": "returned", "on_hold": "held"}[outcome]
    _note(session, submission, action, member.actor, now, condition_codes)
    await session.flush()
    return submission, screening


async def release_hold(session: AsyncSession, member: Member, submission_id: str, *, now: datetime) -> Submission:
    """End a hold that a screening put: the submission goes on where it stood. Raises NotFound, ScreenerIsLearner, NotOnHold."""
    submission = await _lock_as_screener(session, member, submission_id)
    if submission.state != "on_hold" or not submission.held_by_screening or submission.held_from is None:
        raise NotOnHold(
            "The submission is not held by a screening.",
            cure="A hold for a case of misconduct ends with the case.",
        )
    submission.state = submission.held_from
    _end_hold(submission)
    if submission.state in ("accepted", "scoring"):
        _enqueue(session, OPEN_READINGS_JOB, submission, now)
    _note(session, submission, "released", member.actor, now)
    return submission


async def get_for_screening(session: AsyncSession, member: Member, submission_id: str) -> Submission:
    """A submission that was handed in, for who screens it to look at. Raises NotFound, ScreenerIsLearner, NotToBeScreened."""
    submission = await get_submission(session, member.issuer_id, submission_id)
    await _require_another(session, member, submission)
    if submission.state in (*EDITABLE, "withdrawn", "void"):
        raise NotToBeScreened(f"The submission is {tell_state(submission)}: there is nothing to screen.")
    return submission


async def _lock_as_screener(session: AsyncSession, member: Member, submission_id: str) -> Submission:
    submission = await lock_submission(session, member.issuer_id, submission_id)
    await _require_another(session, member, submission)
    return submission


async def _require_another(session: AsyncSession, member: Member, submission: Submission) -> None:
    if member.learner_id in await list_same_person(session, submission.issuer_id, submission.learner_id):
        raise ScreenerIsLearner("This is your own work: somebody else screens it.")


def _require_may(submission: Submission, outcome: ScreeningOutcome) -> None:
    if outcome == "on_hold":
        if submission.state not in _HOLDABLE:
            raise NotToBeScreened(f"The submission is {tell_state(submission)} and cannot be held.")
        return
    is_waiting = submission.state == "submitted" or (
        submission.state == "on_hold" and submission.held_by_screening and submission.held_from == "submitted"
    )
    if not is_waiting:
        raise NotToBeScreened(f"The submission is {tell_state(submission)}; what was handed in is screened once.")


def _accept(session: AsyncSession, submission: Submission, now: datetime) -> None:
    submission.state, submission.accepted_at, submission.screening_due_at = "accepted", now, None
    _end_hold(submission)
    _enqueue(session, OPEN_READINGS_JOB, submission, now)


def _hold(session: AsyncSession, submission: Submission, now: datetime) -> None:
    if submission.state in ("accepted", "scoring"):
        _enqueue(session, CANCEL_READINGS_JOB, submission, now)
    submission.held_from, submission.state, submission.held_by_screening = submission.state, "on_hold", True


def _end_hold(submission: Submission) -> None:
    submission.held_from, submission.held_by_screening = None, False


def _enqueue(session: AsyncSession, job: str, submission: Submission, now: datetime) -> None:
    enqueue(session, job, {"issuer_id": submission.issuer_id, "submission_id": submission.id}, run_at=now)


def _row(
    key: PersonalKey,
    submission: Submission,
    member: Member,
    outcome: ScreeningOutcome,
    condition_codes: Sequence[ConditionCode],
    note: str | None,
    now: datetime,
) -> Screening:
    id_ = new_id()
    return Screening(
        issuer_id=submission.issuer_id,
        id=id_,
        submission_id=submission.id,
        outcome=outcome,
        condition_codes=sorted(set(condition_codes)),
        sealed_note=note and key.seal(note.encode(), table="screening", row=id_, column="sealed_note"),
        screened_by=member.person_id,
        screened_at=now,
    )


def open_note(key: PersonalKey, screening: Screening) -> str | None:
    """The note of a screening. Raises Unreadable."""
    if screening.sealed_note is None:
        return None
    return key.open(screening.sealed_note, table="screening", row=screening.id, column="sealed_note").decode()


def _note(
    session: AsyncSession,
    submission: Submission,
    what: str,
    actor: str,
    now: datetime,
    codes: Sequence[ConditionCode] = (),
) -> None:
    submission.updated_at = now
    audit(session, issuer_id=submission.issuer_id, actor=actor, action=f"submission.{what}", object_id=submission.id,
          content={"condition_codes": sorted(set(codes))}, at=now)  # fmt: skip
    record_event(session, submission.issuer_id, f"submission.{what}", submission.id, at=now)
