"""Moderation: a batch of decisions is reviewed. Each submission is read again, and each decision confirmed or amended.

What went wrong on our own side (`HOLD_HARMLESS`) is mended upward only: there a lower result confirms the decision. The
moderation is closed with the last of its decisions. One whose submission becomes void meanwhile ends as `void` by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.access.principals import Member
from app.achievements.store import get_achievement
from app.appeals.review import require_no_other_review, require_reread
from app.appeals.store import Moderation, ModerationItem, get_moderation, list_items, lock_moderation
from app.audit.store import audit
from app.credentials.issue import PendingEdition
from app.errors import Conflict, Fault, InvalidInput, NotFound
from app.events.store import record_event
from app.identifiers import new_id
from app.learners.store import get_learner
from app.programs.store import get_program
from app.readings.assign import assign_open
from app.readings.request import request_reading
from app.resources import Resources
from app.scoring.approve import Amendment, Judgment, find_other_award, judge
from app.scoring.recommendation import Recommendation, open_recommendation, require_may_decide
from app.scoring.soundness import OutcomeAgainstRule, is_harmful
from app.scoring.store import HOLD_HARMLESS, Decision, ReasonCode, find_successor, get_decision
from app.submissions.store import Submission, get_submission, lock_submission

LARGEST = 500
"""Decisions in one moderation: each is a reading that somebody has to do."""

ItemOutcome = Literal["confirmed", "changed"]


class DecisionNotOfProgram(Conflict):
    code = "decision_not_of_program"


class ModerationItemDone(Conflict):
    code = "moderation_item_done"


@dataclass(frozen=True, slots=True)
class Review:
    """What an approver sends on a decision under review."""

    outcome: ItemOutcome
    feedback: Mapping[str, str]
    note: str | None


@dataclass(frozen=True, slots=True)
class Window:
    """Decisions on an achievement version, made from a moment on and before another."""

    achievement_id: str
    version: int
    decided_from: datetime
    decided_until: datetime


async def open_moderation(
    session: AsyncSession,
    world: Resources,
    member: Member,
    *,
    program_id: str,
    which: Sequence[str] | Window,
    reason_code: ReasonCode,
    note: str,
) -> Moderation:
    """Ask for a new reading of each decision named, or found in the window.

    Raises NotFound, DecisionNotOfProgram, DecisionUnderReview, InvalidInput.
    """
    now = world.clock.now()
    await get_program(session, member.issuer_id, program_id)
    decisions = await _list_decisions(session, member.issuer_id, program_id, which)
    moderation = Moderation(
        issuer_id=member.issuer_id, id=new_id(), program_id=program_id, reason_code=reason_code, note=note, state="open",
        opened_by=member.actor, opened_at=now, closed_at=None, updated_at=now,
    )  # fmt: skip
    session.add(moderation)
    await session.flush()
    for decision in sorted(decisions, key=lambda each: each.submission_id or ""):  # locks in one order
        submission = await _lock_submission(session, decision, program_id)
        await require_no_other_review(session, decision)
        reading = await request_reading(session, submission, kind="moderation", now=now)
        await assign_open(session, world, submission, now)
        session.add(
            ModerationItem(
                issuer_id=member.issuer_id, moderation_id=moderation.id, decision_id=decision.id, reading_id=reading.id,
                updated_at=now,
            )
        )  # fmt: skip
        await session.flush()
    _note(session, moderation, "opened", member.actor, now, {"decisions": [each.id for each in decisions]})
    return moderation


async def review(
    session: AsyncSession,
    world: Resources,
    member: Member,
    moderation_id: str,
    decision_id: str,
    answer: Review,
) -> tuple[Decision, PendingEdition | None]:
    """The part of the first commit: the decision that stands from now on, the reviewed one or what supersedes it.

    Raises NotFound, ModerationItemDone, NotReadAgain, OutcomeAgainstRule, and what `judge` raises.
    """
    now = world.clock.now()
    moderation = await get_moderation(session, member.issuer_id, moderation_id)
    item = await session.get(ModerationItem, (member.issuer_id, moderation_id, decision_id))
    if item is None:
        raise NotFound("The moderation has no decision with this id.")
    decision = await get_decision(session, member.issuer_id, decision_id)
    submission = await lock_submission(session, member.issuer_id, str(decision.submission_id))
    moderation = await lock_moderation(session, member.issuer_id, moderation_id)
    await session.refresh(item)
    if item.outcome is not None:
        raise ModerationItemDone(f"The decision was {item.outcome}.")
    await require_may_decide(session, member, submission)
    stands, pending = await _settle(session, world, member, moderation, item, decision, submission, answer)
    await _finish(session, moderation, item, answer.outcome, member.actor, now)
    return stands, pending


async def void_item(session: AsyncSession, item: ModerationItem, *, actor: str, now: datetime) -> None:
    """The submission, which is locked, became void: nothing is left to review."""
    moderation = await lock_moderation(session, item.issuer_id, item.moderation_id)
    await session.refresh(item)
    if item.outcome is None:
        await _finish(session, moderation, item, "void", actor, now)


async def _finish(
    session: AsyncSession, moderation: Moderation, item: ModerationItem, outcome: str, actor: str, now: datetime
) -> None:
    """What came of one decision; with the last of them the moderation, which is locked, is closed."""
    item.outcome, item.updated_at, moderation.updated_at = outcome, now, now
    await session.flush()
    content = {"decision": item.decision_id, "outcome": outcome, "new_decision": item.new_decision_id}
    _note(session, moderation, "reviewed", actor, now, content)
    if all(each.outcome is not None for each in await list_items(session, moderation.issuer_id, moderation.id)):
        moderation.state, moderation.closed_at = "closed", now
        _note(session, moderation, "closed", actor, now, {})


async def _settle(
    session: AsyncSession,
    world: Resources,
    member: Member,
    moderation: Moderation,
    item: ModerationItem,
    decision: Decision,
    submission: Submission,
    answer: Review,
) -> tuple[Decision, PendingEdition | None]:
    learner = await get_learner(session, submission.issuer_id, submission.learner_id)
    if learner.sealed_key is None and answer.outcome == "confirmed":
        return decision, None  # erased meanwhile: nobody can read the work again
    reading, resolution = await require_reread(session, submission, item.reading_id)
    item.reading_id = reading.id
    recommendation = await open_recommendation(session, world.vault, submission, resolution)
    gives = await _gives(session, moderation, decision, recommendation)
    if answer.outcome != gives:
        fault = Fault("/outcome", f"the new levels of record give {gives}", f"answer {gives}")
        raise OutcomeAgainstRule("The outcome does not follow from the new levels of record.", faults=[fault])
    if gives == "confirmed":
        return decision, None
    judgment = Judgment(recommendation.outcome, answer.feedback, answer.note)
    amendment = Amendment(decision, _reason(moderation), moderation.note)
    stands, pending = await judge(session, world, member, recommendation, judgment, amendment)
    item.new_decision_id = stands.id
    return stands, pending


async def _gives(
    session: AsyncSession, moderation: Moderation, decision: Decision, recommendation: Recommendation
) -> ItemOutcome:
    levels, outcome = dict(recommendation.levels), recommendation.outcome
    if (dict(decision.levels), decision.outcome) == (levels, outcome):
        return "confirmed"
    if moderation.reason_code in HOLD_HARMLESS and is_harmful(decision, outcome, levels, recommendation.version):
        return "confirmed"
    if (decision.outcome, outcome) == ("not_yet", "awarded"):  # earned by another attempt meanwhile: nothing to change
        return "changed" if await find_other_award(session, recommendation.submission) is None else "confirmed"
    return "changed"


def _reason(moderation: Moderation) -> ReasonCode:
    code: ReasonCode = moderation.reason_code  # type: ignore[assignment]  # the door lets no other in
    return code


async def _list_decisions(
    session: AsyncSession, issuer_id: str, program_id: str, which: Sequence[str] | Window
) -> list[Decision]:
    if not isinstance(which, Window):
        return [await get_decision(session, issuer_id, each) for each in which]
    await get_achievement(session, issuer_id, which.achievement_id)
    later = aliased(Decision)
    is_superseded = select(later.id).where(later.issuer_id == issuer_id, later.supersedes_id == Decision.id).exists()
    query = (
        select(Decision)
        .join(Submission, (Submission.issuer_id == Decision.issuer_id) & (Submission.id == Decision.submission_id))
        .where(
            Decision.issuer_id == issuer_id,
            Submission.program_id == program_id,
            Submission.state != "void",
            Decision.achievement_id == which.achievement_id,
            Decision.version == which.version,
            Decision.decided_at >= which.decided_from,
            Decision.decided_at < which.decided_until,
            ~is_superseded,
        )
    )
    found = list((await session.scalars(query.order_by(Decision.id).limit(LARGEST + 1))).all())
    if not found:
        raise DecisionNotOfProgram("The filter finds no decision on a submission of the program.")
    if len(found) > LARGEST:
        fault = Fault("/filter", f"finds more than {LARGEST} decisions", "choose a shorter time")
        raise InvalidInput("The filter finds too many decisions.", faults=[fault])
    return found


async def _lock_submission(session: AsyncSession, decision: Decision, program_id: str) -> Submission:
    """The submission of a decision that can be reviewed, locked. Raises DecisionNotOfProgram."""
    if decision.submission_id is not None:
        submission = await get_submission(session, decision.issuer_id, decision.submission_id)
        if submission.program_id == program_id:
            locked = await lock_submission(session, decision.issuer_id, submission.id)
            if locked.state == "void":  # nobody can read it again
                raise DecisionNotOfProgram(f"The submission of the decision {decision.id} is void.")
            if await find_successor(session, decision.issuer_id, decision.id) is None:
                return locked
    raise DecisionNotOfProgram(f"The decision {decision.id} is not the newest on a submission of the program.")


def _note(
    session: AsyncSession, moderation: Moderation, what: str, actor: str, now: datetime, content: Mapping[str, object]
) -> None:
    audit(session, issuer_id=moderation.issuer_id, actor=actor, action=f"moderation.{what}", object_id=moderation.id,
          content={"reason_code": moderation.reason_code, **content}, at=now)  # fmt: skip
    record_event(session, moderation.issuer_id, f"moderation.{what}", moderation.id, at=now, data=content)
