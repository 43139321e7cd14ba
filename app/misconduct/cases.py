"""Verbs on cases of misconduct.

    noticed     the learner has been told; their answer is awaited
    answered    they have answered; the panel votes (it also may once the time for an answer is over)
    decided     the panel has come to an outcome; it takes effect when the time for an appeal is over (`app.misconduct.close`)
    appealed    the learner has appealed; another panel is named and votes, after which the case is decided for good
    closed      the outcome has taken effect; or there is none, because the learner was erased while the case went on

Until it is closed the submission is on hold, and its badge, if it has one, stays as it is: nobody is punished before they were
heard to the end.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.audit.store import audit
from app.errors import Conflict, Forbidden
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.learners.recipients import open_key
from app.learners.store import get_learner, lock_learner
from app.misconduct.jobs import CLOSE_CASE_JOB
from app.misconduct.panel import ROLES, get_people, judge, require_panel
from app.misconduct.store import (
    MisconductCase,
    MisconductVote,
    Stage,
    Vote,
    find_open_case,
    get_case,
    list_votes,
    lock_case,
)
from app.misconduct.texts import open_texts, seal_texts
from app.resources import Resources
from app.submissions.jobs import CANCEL_READINGS_JOB
from app.submissions.store import lock_submission

ANSWER_WITHIN = timedelta(days=14)
"""How long the learner has to answer: ten working days, counted as two weeks."""

APPEAL_WITHIN = timedelta(days=30)

_NOT_TO_BE_HELD = frozenset({"draft", "withdrawn", "void"})


class CaseStateConflict(Conflict):
    """The case, or the submission, is in a state that does not allow it."""

    code = "misconduct_state"


class AnswerTooLate(Conflict):
    code = "answer_too_late"


class AppealTooLate(Conflict):
    """The time for an appeal against a panel's outcome is over."""

    code = "misconduct_appeal_too_late"


class NotOnPanel(Forbidden):
    code = "not_on_panel"


class AlreadyVoted(Conflict):
    code = "already_voted"


async def open_case(
    session: AsyncSession,
    world: Resources,
    member: Member,
    submission_id: str,
    notice: str,
    panel: Sequence[str],
    *,
    now: datetime,
) -> MisconductCase:
    """Give notice to the learner and put the submission on hold: its unfinished readings end by a job.

    Raises NotFound, CaseStateConflict, PanelUnfit, Gone for an erased learner.
    """
    submission = await lock_submission(session, member.issuer_id, submission_id)
    await get_people(session, member.issuer_id, panel)
    if submission.state in _NOT_TO_BE_HELD:
        raise CaseStateConflict(f"The submission is {submission.state}.")
    if await find_open_case(session, member.issuer_id, submission_id) is not None:
        raise CaseStateConflict("There is a case about this submission that is not closed.")
    await require_panel(session, submission, panel, not_among={member.person_id})
    # Locked: their erasure, which ends their cases, comes before or after.
    key = open_key(world.vault, await lock_learner(session, member.issuer_id, submission.learner_id))
    case_id = new_id()
    texts: dict[str, Any] = {"notice": notice, "answer": None, "appeal": None, "reasons": []}
    case = MisconductCase(
        issuer_id=member.issuer_id, id=case_id, submission_id=submission.id, learner_id=submission.learner_id,
        state="noticed", panel=list(panel), appeal_panel=None, outcome=None, effect=None,
        sealed_texts=seal_texts(key, case_id, texts), opened_by=member.actor, opened_at=now,
        answer_due_at=now + ANSWER_WITHIN, decided_at=None, appeal_due_at=None, closed_at=None, updated_at=now,
    )  # fmt: skip
    session.add(case)
    if submission.state != "on_hold":
        submission.held_from, submission.state = submission.state, "on_hold"
    # A doubt that the screening had is settled by the case: who screens cannot end this hold, nor the learner withdraw.
    submission.held_by_screening, submission.updated_at = False, now
    payload = {"issuer_id": member.issuer_id, "submission_id": submission.id}
    enqueue(session, CANCEL_READINGS_JOB, payload, run_at=now)
    record_event(session, member.issuer_id, "submission.held", submission.id, at=now, data={"case_id": case_id})
    await session.flush()
    note(session, case, "opened", member.actor, now)
    return case


async def answer_notice(
    session: AsyncSession, world: Resources, case: MisconductCase, text: str, *, actor: str, now: datetime
) -> None:
    """The learner's answer, once. The case is locked by the caller. Raises CaseStateConflict, AnswerTooLate."""
    if case.state != "noticed":
        raise CaseStateConflict(f"The case is {case.state}: an answer is given once, before the panel decides.")
    if now > case.answer_due_at:
        raise AnswerTooLate("The time for an answer is over.")
    await _write(session, world, case, {"answer": text})
    _move(session, case, "answered", actor, now)


async def vote(
    session: AsyncSession,
    world: Resources,
    member: Member,
    case: MisconductCase,
    vote: Vote,
    reason: str,
    *,
    now: datetime,
) -> None:
    """A panel member's vote; the one that settles it decides the case. The case is locked by the caller.

    Raises NotOnPanel, AlreadyVoted, CaseStateConflict while the learner may still answer, or when no vote is open.
    """
    stage, panel = open_vote(case, member, now)
    votes = [each for each in await list_votes(session, case.issuer_id, case.id) if each.stage == stage]
    if member.person_id in (each.person_id for each in votes):
        raise AlreadyVoted("You have voted in this case.")
    row = MisconductVote(
        issuer_id=case.issuer_id, case_id=case.id, stage=stage, person_id=member.person_id, vote=vote, voted_at=now
    )
    session.add(row)
    reasons = [*(await read_texts(session, world, case))["reasons"], {"stage": stage, "text": reason}]
    await _write(session, world, case, {"reasons": reasons})
    case.updated_at = now
    # Which way is told to nobody while others are still to vote.
    audit(session, issuer_id=case.issuer_id, actor=member.actor, action="misconduct_case.voted", object_id=case.id,
          content={"stage": stage}, at=now)  # fmt: skip
    outcome = judge([cast(Vote, each.vote) for each in (*votes, row)], len(panel))
    if outcome is not None:
        _decide(session, case, stage, outcome, member.actor, now)
    await session.flush()


def require_on_panel(case: MisconductCase, member: Member) -> None:
    """Raises NotOnPanel, also for a member who is not in office any more."""
    if member.person_id not in (*case.panel, *(case.appeal_panel or ())):
        raise NotOnPanel("You are not on a panel of this case.")
    if not ROLES.intersection(member.roles):
        raise NotOnPanel("You are not a lead, approver or director any more.")


def open_vote(case: MisconductCase, member: Member, now: datetime) -> tuple[Stage, list[str]]:
    """Which vote is open, and who has one. Raises NotOnPanel, CaseStateConflict."""
    require_on_panel(case, member)
    stage: Stage = "appeal" if case.state == "appealed" else "case"
    panel = (case.appeal_panel or []) if stage == "appeal" else case.panel
    if case.state not in ("noticed", "answered", "appealed") or member.person_id not in panel:
        raise CaseStateConflict(f"The case is {case.state}: you have no vote to give now.")
    if case.state == "noticed" and now <= case.answer_due_at:
        raise CaseStateConflict(
            "The learner has not answered, and may until the time for it is over.", cure="Vote after `answer_due_at`."
        )
    return stage, panel


async def appeal_outcome(
    session: AsyncSession, world: Resources, case: MisconductCase, text: str, *, actor: str, now: datetime
) -> None:
    """The learner's appeal, once. The case is locked by the caller. Raises CaseStateConflict, AppealTooLate."""
    if case.state != "decided" or case.appeal_due_at is None:
        raise CaseStateConflict(f"The case is {case.state}: there is no outcome that can be appealed against.")
    if now > case.appeal_due_at:
        raise AppealTooLate("The time for an appeal is over.")
    await _write(session, world, case, {"appeal": text})
    _move(session, case, "appealed", actor, now)


async def name_appeal_panel(
    session: AsyncSession, member: Member, case_id: str, panel: Sequence[str], *, now: datetime
) -> MisconductCase:
    """The people who judge the appeal: none of the first panel. Raises NotFound, CaseStateConflict, PanelUnfit."""
    submission_id = (await get_case(session, member.issuer_id, case_id)).submission_id
    submission = await lock_submission(session, member.issuer_id, submission_id)
    case = await lock_case(session, member.issuer_id, case_id)
    await get_people(session, member.issuer_id, panel)
    if case.state != "appealed" or case.appeal_panel is not None:
        raise CaseStateConflict("There is no appeal that waits for a panel.")
    opener = case.opened_by.removeprefix("person:")
    await require_panel(session, submission, panel, not_among={*case.panel, opener, member.person_id})
    case.appeal_panel, case.updated_at = list(panel), now
    note(session, case, "appeal_panel_named", member.actor, now)
    return case


async def read_texts(session: AsyncSession, world: Resources, case: MisconductCase) -> dict[str, Any]:
    """The texts of the case in the clear (`app.misconduct.texts`). Raises Gone after erasure."""
    return open_texts(open_key(world.vault, await get_learner(session, case.issuer_id, case.learner_id)), case)


def note(
    session: AsyncSession,
    case: MisconductCase,
    what: str,
    actor: str,
    now: datetime,
    about: Mapping[str, str] | None = None,
) -> None:
    """Audit entry and event. They name the case, its submission and outcome; `about` is for the audit trail alone."""
    content = {"submission_id": case.submission_id, "outcome": case.outcome}
    audit(session, issuer_id=case.issuer_id, actor=actor, action=f"misconduct_case.{what}", object_id=case.id,
          content={**content, **(about or {})}, at=now)  # fmt: skip
    record_event(session, case.issuer_id, f"misconduct_case.{what}", case.id, at=now, data=content)


def _decide(
    session: AsyncSession, case: MisconductCase, stage: Stage, outcome: Vote, actor: str, now: datetime
) -> None:
    case.outcome, case.decided_at = outcome, now
    # A dismissal and what an appeal came to are final.
    is_final = stage == "appeal" or outcome == "dismissed"
    case.appeal_due_at = None if is_final else now + APPEAL_WITHIN
    payload = {"issuer_id": case.issuer_id, "case_id": case.id}
    # A second after: until then, to the end of its last second, an appeal is in time.
    run_at = now if case.appeal_due_at is None else case.appeal_due_at + timedelta(seconds=1)
    enqueue(session, CLOSE_CASE_JOB, payload, run_at=run_at)
    _move(session, case, "decided", actor, now)


async def _write(session: AsyncSession, world: Resources, case: MisconductCase, texts: Mapping[str, Any]) -> None:
    key = open_key(world.vault, await get_learner(session, case.issuer_id, case.learner_id))
    case.sealed_texts = seal_texts(key, case.id, open_texts(key, case) | dict(texts))


def _move(session: AsyncSession, case: MisconductCase, state: str, actor: str, now: datetime) -> None:
    case.state, case.updated_at = state, now
    note(session, case, state, actor, now)
