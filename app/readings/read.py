"""What an assessor does with a reading that is theirs: start it, give it back, submit it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.achievements.store import get_version
from app.assessors.certification import state_at
from app.audit.store import audit
from app.errors import Conflict, Fault, InvalidInput
from app.events.store import record_event
from app.jobs.queue import enqueue_once
from app.readings.held import Held, get_held, require_live, require_may_read
from app.readings.jobs import RECOMPUTE_QUALITY_JOB
from app.readings.reassign import replace
from app.readings.resolve import advance, resolve_again
from app.readings.texts import Texts, seal_texts
from app.readings.trail import note
from app.readings.triggers import PROBATION
from app.resources import Resources
from app.submissions.store import Submission


class NotStarted(Conflict):
    """A reading is submitted that was never started."""

    code = "reading_not_started"


class ReadingMismatch(InvalidInput):
    """The scores are not those of the criteria to be read."""

    code = "reading_mismatch"


class Score(Protocol):
    """One criterion's level with its rationale, and feedback for the learner."""

    @property
    def criterion(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def rationale(self) -> str: ...
    @property
    def feedback(self) -> str | None: ...


async def start_reading(session: AsyncSession, member: Member, reading_id: str, now: datetime) -> Held:
    """Begin. From the first start on the submission is being scored, and cannot be withdrawn. Raises as `require_may_read`."""
    held = await get_held(session, member, reading_id, lock=True)
    await require_may_read(session, held, now)
    reading, submission = held.reading, held.submission
    if reading.state == "started":
        return held
    reading.state, reading.started_at, reading.updated_at = "started", now, now
    note(session, reading, "started", actor=member.actor, now=now)
    if submission is not None and submission.state == "accepted":
        submission.state, submission.updated_at = "scoring", now
        audit(session, issuer_id=submission.issuer_id, actor=member.actor, action="submission.scoring",
              object_id=submission.id, content={}, at=now)  # fmt: skip
        record_event(session, submission.issuer_id, "submission.scoring", submission.id, at=now)
    return held


async def recuse(
    session: AsyncSession, world: Resources, member: Member, reading_id: str, *, reason: str, now: datetime
) -> Held:
    """Give the reading back: somebody else gets it, and this assessor none of the same work. Raises as `require_live`."""
    held = await get_held(session, member, reading_id, lock=True)
    await require_live(session, held, now)
    await replace(session, world, held.submission, held.reading, "recused", reason=reason, actor=member.actor, now=now)
    return held


async def submit_reading(
    session: AsyncSession, world: Resources, member: Member, reading_id: str, scores: Sequence[Score], now: datetime
) -> Held:
    """Submit the scores, for good; then what the submission needs next is asked for, or it is resolved.

    Raises as `require_may_read`, NotStarted, and ReadingMismatch with a pointer for each score that is wrong.
    """
    held = await get_held(session, member, reading_id, lock=True)
    certification = await require_may_read(session, held, now)
    reading, submission = held.reading, held.submission
    if reading.state != "started":
        raise NotStarted("The reading was not started.", cure="Start it, read the work, then submit.")
    subject = held.subject
    content = (await get_version(session, reading.issuer_id, subject.achievement_id, subject.version)).content
    _require_fit(scores, _unread(held, content["rubric"]))
    by_criterion = {score.criterion: score for score in scores}
    order = [each["key"] for each in content["rubric"]["criteria"] if each["key"] in by_criterion]
    reading.levels = [[key, by_criterion[key].level] for key in order]
    texts: dict[str, Texts] = {
        key: {"rationale": by_criterion[key].rationale, "feedback": by_criterion[key].feedback} for key in order
    }
    await seal_texts(session, world.vault, reading, submission, texts)
    reading.certification_id = certification.id
    if reading.kind == "first" and state_at(certification, now) == "probation":
        reading.trigger = PROBATION
    reading.state, reading.submitted_at, reading.updated_at = "submitted", now, now
    note(session, reading, "submitted", actor=member.actor, now=now)
    await session.flush()
    if submission is not None:
        await _go_on(session, world, submission, held, now)
    return held


async def _go_on(session: AsyncSession, world: Resources, submission: Submission, held: Held, now: datetime) -> None:
    if held.reading.kind in ("appeal", "moderation"):
        await resolve_again(session, submission, held.reading, now)
    else:
        await advance(session, world, submission, now)
    payload = {"issuer_id": submission.issuer_id, "achievement_id": submission.achievement_id}
    await enqueue_once(session, RECOMPUTE_QUALITY_JOB, payload, run_at=_next_hour(now))


def _next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _unread(held: Held, rubric: Mapping[str, Any]) -> dict[str, list[str]]:
    """Keys of the criteria to be scored, each with those of its levels. Of an anchor all are."""
    banked = {criterion for criterion, _, _ in held.submission.banked} if held.submission is not None else set()
    return {
        each["key"]: [level["key"] for level in each["levels"]]
        for each in rubric["criteria"]
        if each["key"] not in banked
    }


def _require_fit(scores: Sequence[Score], unread: Mapping[str, Sequence[str]]) -> None:
    counts = Counter(score.criterion for score in scores)
    faults = []
    for position, score in enumerate(scores):
        place = f"/results/{position}"
        if score.criterion not in unread:
            faults.append(
                Fault(f"{place}/criterion", "is not a criterion to be read here", "see work.unread and rubric")
            )
        elif counts[score.criterion] > 1:
            faults.append(Fault(f"{place}/criterion", "is scored more than once", "score each criterion once"))
        elif score.level not in unread[score.criterion]:
            cure = f"one of {', '.join(unread[score.criterion])}"
            faults.append(Fault(f"{place}/level", "is not a level of this criterion in this version", cure))
    faults += [Fault("/results", f"{key} is not scored", "score it") for key in unread if key not in counts]
    if faults:
        raise ReadingMismatch("The scores do not fit the criteria to be read.", faults=faults)
