"""From readings to the scores of record: what a submission needs next, or its resolution.

- One reading, and no second one due: it stands (`single_reading`).
- Two with the same levels (`exact`), or every criterion at most one level apart with the same decision
  (`adjacent_same_decision`): the first stands.
- Else a lead reads the work, blind, and their levels stand (`expert_judgment`).

What comes next follows from what is there: `advance` may be called at any time, and again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.rubric import Rubric
from app.achievements.store import get_version
from app.audit.store import audit
from app.events.store import record_event
from app.readings.assign import assign_open
from app.readings.entitled import get_pinned_policy
from app.readings.request import request_reading
from app.readings.scores import compare, is_near_standard, recommend
from app.readings.store import STANDING, Reading, ReadingKind, Resolution, find_resolution, list_readings, list_windows
from app.readings.trail import SERVICE, note
from app.readings.triggers import PROBATION, Due, Facts, find_due
from app.readings.windows import draw, find_window
from app.resources import Resources
from app.submissions.store import Submission, lock_submission

SECOND_KINDS = ("second_random", "second_triggered")


async def open_readings(world: Resources, issuer_id: str, submission_id: str) -> None:
    """The handler of OPEN_READINGS_JOB."""
    async with world.database.transaction() as session:
        submission = await lock_submission(session, issuer_id, submission_id)
        await advance(session, world, submission, world.clock.now())


async def advance(session: AsyncSession, world: Resources, submission: Submission, now: datetime) -> None:
    """Ask for the readings that are due and not there, or resolve the submission, whose row is locked."""
    if submission.state not in ("accepted", "scoring"):
        return
    readings = await list_readings(session, submission.issuer_id, submission.id)
    standing = [each for each in readings if each.state in STANDING]
    first = _find(standing, ("first",))
    if first is None:
        first = await _ask(session, submission, "first", None, now)
    second = _find(standing, SECOND_KINDS)
    if second is None:
        due = await _find_due(session, world, submission, first)
        if due is not None:
            second = await _ask(session, submission, due.kind, due.trigger, now)
    rubric = await get_rubric(session, submission)
    adjudication = await _find_adjudication(session, submission, readings, now)
    record = [each for each in (first, second) if each is not None]
    found = _find_scores(submission, rubric, record, adjudication)
    if found is not None:
        await _resolve(session, submission, rubric, *found, now=now)
        return
    if adjudication is None and _are_submitted(record):
        await _ask(session, submission, "adjudication", None, now)
    await assign_open(session, world, submission, now)


async def _find_adjudication(
    session: AsyncSession, submission: Submission, readings: Sequence[Reading], now: datetime
) -> Reading | None:
    """The newest: what an approver returned is adjudicated anew, and a hold meanwhile does not let it pass."""
    asked = [each for each in readings if each.kind == "adjudication" and each.state in (*STANDING, "cancelled")]
    if not asked or asked[-1].state != "cancelled":
        return asked[-1] if asked else None
    is_returned = asked[-1].trigger == "returned"
    return await _ask(session, submission, "adjudication", "returned", now) if is_returned else None


def _find_scores(
    submission: Submission, rubric: Rubric, record: Sequence[Reading], adjudication: Reading | None
) -> tuple[str, Sequence[Reading]] | None:
    """The method and the readings of the scores of record, the one that stands first; None while there are none."""
    if adjudication is not None:
        return ("expert_judgment", [adjudication, *record]) if adjudication.state == "submitted" else None
    if not _are_submitted(record):
        return None
    if len(record) == 1:
        return "single_reading", record
    first, second = (all_levels(submission, each) for each in record)
    agreement = compare(rubric, first, second)
    return None if agreement == "apart" else (agreement, record)


def _are_submitted(readings: Sequence[Reading]) -> bool:
    return all(each.state == "submitted" for each in readings)


async def resolve_again(session: AsyncSession, submission: Submission, reading: Reading, now: datetime) -> None:
    """An appeal's or a moderation's reading was submitted: its levels are a further resolution. The submission stays as it is."""
    rubric = await get_rubric(session, submission)
    resolution = await _record(session, submission, rubric, "expert_judgment", [reading], now=now)
    record_event(session, submission.issuer_id, "reading.resolved", reading.id, at=now,
                 data={"submission_id": submission.id, "number": resolution.number})  # fmt: skip


async def _resolve(
    session: AsyncSession, submission: Submission, rubric: Rubric, method: str, readings: Sequence[Reading], *,
    now: datetime,
) -> None:  # fmt: skip
    """Record the scores of record: the levels of the first of `readings`, with the banked ones."""
    await _record(session, submission, rubric, method, readings, now=now)
    submission.state, submission.resolved_at, submission.updated_at = "resolved", now, now
    record_event(session, submission.issuer_id, "submission.resolved", submission.id, at=now)


async def _record(
    session: AsyncSession, submission: Submission, rubric: Rubric, method: str, readings: Sequence[Reading], *,
    now: datetime,
) -> Resolution:  # fmt: skip
    newest = await find_resolution(session, submission.issuer_id, submission.id)
    number = 1 if newest is None else newest.number + 1
    levels = all_levels(submission, readings[0])
    resolution = Resolution(
        issuer_id=submission.issuer_id, submission_id=submission.id, number=number, method=method,
        reading_ids=[each.id for each in readings], levels=[[key, level] for key, level in levels.items()],
        recommendation=recommend(rubric, levels), resolved_at=now,
    )  # fmt: skip
    session.add(resolution)
    audit(session, issuer_id=submission.issuer_id, actor=SERVICE, action="submission.resolved", object_id=submission.id,
          content={"number": number, "method": method, "readings": resolution.reading_ids, "levels": levels},
          at=now)  # fmt: skip
    return resolution


def all_levels(submission: Submission, reading: Reading) -> Mapping[str, str]:
    """Criterion key -> level key: what was read and what an earlier attempt banked."""
    banked = {criterion: level for criterion, level, _ in submission.banked}
    return banked | {str(criterion): str(level) for criterion, level in reading.levels or ()}


async def get_rubric(session: AsyncSession, submission: Submission) -> Rubric:
    """The rubric of the submission's version."""
    version = await get_version(session, submission.issuer_id, submission.achievement_id, submission.version)
    rubric: Rubric = version.content["rubric"]
    return rubric


def _look_at_first(submission: Submission, rubric: Rubric, first: Reading | None) -> tuple[bool | None, bool]:
    """Whether the first reading came out near the standard (None before it is submitted), and whether it was by somebody on
    probation."""
    if first is None or first.state != "submitted":
        return None, False
    return is_near_standard(rubric, all_levels(submission, first)), first.trigger == PROBATION


async def _find_due(session: AsyncSession, world: Resources, submission: Submission, first: Reading) -> Due | None:
    earlier = select(func.count()).where(
        Submission.issuer_id == submission.issuer_id,
        Submission.program_id == submission.program_id,
        Submission.achievement_id == submission.achievement_id,
        Submission.version == submission.version,
        (Submission.accepted_at < submission.accepted_at)
        | ((Submission.accepted_at == submission.accepted_at) & (Submission.id < submission.id)),
    )
    windows = await list_windows(session, submission.program_id)
    near, probationary = _look_at_first(submission, await get_rubric(session, submission), first)
    facts = Facts(
        is_selected=draw(world.vault, find_window(windows, submission.accepted_at), submission),
        rank=await session.scalar(earlier) or 0,
        attempt=submission.attempt,
        is_near_standard=near,
        by_probationary=probationary,
    )
    return find_due((await get_pinned_policy(session, submission)).second_readings, facts)


async def _ask(
    session: AsyncSession, submission: Submission, kind: ReadingKind, trigger: str | None, now: datetime
) -> Reading:
    reading = await request_reading(session, submission, kind=kind, trigger=trigger, now=now)
    note(session, reading, "requested", now=now)
    return reading


def _find(readings: Sequence[Reading], kinds: Sequence[str]) -> Reading | None:
    return next((each for each in readings if each.kind in kinds), None)
