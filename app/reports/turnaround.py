"""How long it takes from work handed in to its decision, stage by stage, and what waits today."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Literal, get_args

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ReportsRead
from app.db import read_rows
from app.identifiers import Identifier
from app.programs.policy import ScoringPolicyBody, TurnaroundPolicy
from app.programs.store import ScoringPolicy
from app.psychometrics.intervals import quantile_interval
from app.psychometrics.statistic import Reason
from app.readings.store import Reading
from app.reports.answer import ChosenFormat, Row, Snapshot, report_response, report_responses
from app.reports.attempts import Attempt, load_attempts
from app.reports.decided import count_decided, is_of_submission, load_decisions
from app.reports.disclosure import Disclosure
from app.reports.figures import IntervalOut, RateOut, ReportOut, opening
from app.reports.filters import Reported, ReportFilters, get_reported
from app.reports.people import is_told, load_members
from app.reports.words import count_of, tell_hidden, tell_scope

router = APIRouter()

Stage = Literal["total", "screening", "first_reading", "second_reading", "adjudication", "approval"]
Waiting = Literal["screening", "readings", "approval", "hold"]

_STAGES: Mapping[str, Stage] = {
    "first": "first_reading",
    "second_random": "second_reading",
    "second_triggered": "second_reading",
    "adjudication": "adjudication",
}
_WAITING: Mapping[str, Waiting] = {
    "submitted": "screening",
    "accepted": "readings",
    "scoring": "readings",
    "resolved": "approval",
    "on_hold": "hold",
}
_AGES = (2, 7, 14, 30)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Passed:
    """How long a stage took, and how many days it may take, where the policy says so."""

    took: timedelta
    allowed: int | None


class StageTimeOut(BaseModel):
    """In days. `total` runs from when the work was last handed in to the decision; a reading from when it was asked for;
    `approval` from the scores of record. `p90` is the shortest time that nine of ten did not exceed."""

    stage: Stage
    n: int | None
    median_days: float | None
    median_interval: IntervalOut | None = Field(description="Null also where there are too few to say so.")
    p90_days: float | None
    p90_interval: IntervalOut | None
    reason: Reason | None = Field(description="Why there are no times; null where there are.")
    within_policy: RateOut = Field(
        description="The share that took no longer than the days of the policy pinned to the submission; an approval has none "
        "of its own. `total` may take those of its stages."
    )


class AgeOut(BaseModel):
    over_days: int
    up_to_days: int | None = Field(description="Null for the oldest.")
    attempts: int


class WaitingOut(BaseModel):
    """Attempts that wait for somebody of the program at `as_of`, whatever the window."""

    waits_for: Waiting
    attempts: int
    median_days: float | None
    longest_days: float | None
    overdue: int | None = Field(description="Those that wait longer than the policy's days; null where it has none.")
    ages: list[AgeOut]


class TurnaroundOut(ReportOut):
    stages: list[StageTimeOut]
    queue: list[WaitingOut] | None


@router.get("/v1/programs/{program_id}/reports/turnaround", operation_id="report_turnaround",
            responses=report_responses(TurnaroundOut))  # fmt: skip
async def turnaround(
    program_id: Identifier, tenant: ReportsRead, session: Snapshot, filters: ReportFilters, chosen: ChosenFormat
) -> Response:
    """How long each stage takes from work handed in to its decision, and what waits, how long, and what for."""
    body = await measure(session, await get_reported(session, tenant.issuer_id, program_id, filters))
    return report_response(chosen, body, rows(body))


async def measure(session: AsyncSession, reported: Reported) -> TurnaroundOut:
    """The window applies to when an attempt was decided; the queue is that of `as_of`."""
    people = await load_members(session, reported)
    attempts = await load_attempts(session, reported, people)
    policies = await _load_policies(session, reported)
    decided = {each.id: each for each in attempts if reported.filters.is_within(each.decided_at)}
    passed: Mapping[Stage, Sequence[_Passed]] = {}
    decisions = await load_decisions(session, reported) if reported.filters.is_narrowed else {}
    disclosure = Disclosure(count_decided(decisions, people, is_of_submission), reported.minimum_cell)
    is_hidden = not is_told(reported, people, disclosure)
    if not is_hidden:
        passed = await _measure_stages(session, reported, decided, policies)
    stages = [_compose_stage(stage, passed.get(stage, ()), is_hidden=is_hidden) for stage in get_args(Stage)]
    waiting = [each for each in attempts if each.state in _WAITING]
    queue = None if is_hidden else _measure_queue(waiting, policies, reported.filters.as_of)
    return TurnaroundOut.model_validate(
        {
            **opening(
                "turnaround", reported, sentence=_tell(reported, stages[0], len(waiting)),
                window="when an attempt was decided", suppressed=("stages", "queue") if is_hidden else (),
                moments=disclosure.moments if is_hidden else (),
            ),
            "stages": stages,
            "queue": queue,
        }
    )  # fmt: skip


async def _load_policies(session: AsyncSession, reported: Reported) -> dict[int | None, TurnaroundPolicy]:
    """By version; under None the one in force."""
    query = select(ScoringPolicy.version, ScoringPolicy.content).where(
        ScoringPolicy.issuer_id == reported.issuer_id, ScoringPolicy.program_id == reported.program.id
    )
    found: dict[int | None, TurnaroundPolicy] = {
        version: ScoringPolicyBody.model_validate(content).turnaround
        for version, content in (await session.execute(query)).all()
    }
    return found | {None: found[reported.program.policy_version]}


async def _measure_stages(
    session: AsyncSession, reported: Reported, decided: Mapping[str, Attempt],
    policies: Mapping[int | None, TurnaroundPolicy],
) -> dict[Stage, list[_Passed]]:  # fmt: skip
    passed: dict[Stage, list[_Passed]] = defaultdict(list)
    adjudicated: set[str] = set()
    for submission_id, kind, asked_at, submitted_at in await _list_readings(session, reported):
        attempt = decided.get(submission_id)
        if attempt is None or attempt.decided_at is None or submitted_at > attempt.decided_at:
            continue
        policy, stage = policies[attempt.policy_version], _STAGES[kind]
        is_adjudication = stage == "adjudication"
        if is_adjudication:
            adjudicated.add(submission_id)
        allowed = policy.adjudication_days if is_adjudication else policy.reading_days
        passed[stage].append(_Passed(submitted_at - asked_at, allowed))
    for attempt in decided.values():
        policy, handed_in = policies[attempt.policy_version], attempt.handed_in_at
        if attempt.decided_at is None or handed_in is None or attempt.accepted_at is None:
            continue
        days = policy.screening_days + policy.reading_days
        days += policy.adjudication_days if attempt.id in adjudicated else 0
        passed["total"].append(_Passed(attempt.decided_at - handed_in, days))
        passed["screening"].append(_Passed(attempt.accepted_at - handed_in, policy.screening_days))
        if attempt.resolved_at is not None:
            passed["approval"].append(_Passed(attempt.decided_at - attempt.resolved_at, None))
    return passed


async def _list_readings(session: AsyncSession, reported: Reported) -> list[tuple[str, str, datetime, datetime]]:
    """Of the readings submitted by the moment: submission, kind, when it was first asked for, when it was submitted.

    A reading that somebody gave back goes on as another row; the work has waited since the first of them.
    """
    asked = (
        select(Reading.submission_id, Reading.kind, func.min(Reading.created_at).label("at"))
        .where(Reading.issuer_id == reported.issuer_id, Reading.program_id == reported.program.id)
        .group_by(Reading.submission_id, Reading.kind)
        .subquery()
    )
    query = (
        select(Reading.submission_id, Reading.kind, asked.c.at, Reading.submitted_at)
        .join(asked, (asked.c.submission_id == Reading.submission_id) & (asked.c.kind == Reading.kind))
        .where(
            Reading.issuer_id == reported.issuer_id,
            Reading.program_id == reported.program.id,
            Reading.kind.in_(list(_STAGES)),
            Reading.state == "submitted",
            Reading.submitted_at <= reported.filters.as_of,
        )
    )
    return [(str(id_), kind, at, done) for id_, kind, at, done in await read_rows(session, query) if done]


def _compose_stage(stage: Stage, passed: Sequence[_Passed], *, is_hidden: bool) -> StageTimeOut:
    if is_hidden:
        return StageTimeOut(
            stage=stage, n=None, median_days=None, median_interval=None, p90_days=None, p90_interval=None,
            reason="small_cell", within_policy=RateOut.hidden(),
        )  # fmt: skip
    in_time = [each.took <= each.allowed * _DAY for each in passed if each.allowed is not None]
    return StageTimeOut(
        stage=stage,
        n=len(passed),
        median_days=_median([each.took for each in passed]),
        median_interval=_interval([each.took for each in passed], 0.5),
        p90_days=_p90([each.took for each in passed]),
        p90_interval=_interval([each.took for each in passed], 0.9),
        reason=None if passed else "no_data",
        within_policy=RateOut.of(sum(in_time), len(in_time)),
    )


def _median(times: Sequence[timedelta]) -> float | None:
    return round(median(time / _DAY for time in times), 3) if times else None


def _p90(times: Sequence[timedelta]) -> float | None:
    """The nearest rank: the shortest of the times that at least nine of ten do not exceed."""
    return _in_days(sorted(times)[math.ceil(len(times) * 9 / 10) - 1]) if times else None


def _interval(times: Sequence[timedelta], quantile: float) -> IntervalOut | None:
    found = quantile_interval([_in_days(time) for time in times], quantile)
    return IntervalOut.of(found) if found is not None else None


def _in_days(time: timedelta) -> float:
    return round(time / _DAY, 3)


def _measure_queue(
    waiting: Sequence[Attempt], policies: Mapping[int | None, TurnaroundPolicy], as_of: datetime
) -> list[WaitingOut]:
    ages: dict[Waiting, list[timedelta]] = defaultdict(list)
    late: dict[Waiting, int] = defaultdict(int)
    for attempt in waiting:
        waits_for, age = _WAITING[attempt.state], as_of - attempt.since
        policy = policies[attempt.policy_version]
        allowed = {"screening": policy.screening_days, "readings": policy.reading_days}.get(waits_for)
        ages[waits_for].append(age)
        late[waits_for] += allowed is not None and age > allowed * _DAY
    return [
        WaitingOut(
            waits_for=waits_for,
            attempts=len(ages[waits_for]),
            median_days=_median(ages[waits_for]),
            longest_days=_in_days(max(ages[waits_for])) if ages[waits_for] else None,
            overdue=late[waits_for] if waits_for in ("screening", "readings") else None,
            ages=_bin(ages[waits_for]),
        )
        for waits_for in get_args(Waiting)
    ]


def _bin(ages: Sequence[timedelta]) -> list[AgeOut]:
    """How many are how old."""
    bounds = list(pairwise((0, *_AGES, None)))
    return [
        AgeOut(
            over_days=low,
            up_to_days=high,
            attempts=sum((low == 0 or age > low * _DAY) and (high is None or age <= high * _DAY) for age in ages),
        )
        for low, high in bounds
        if low is not None
    ]


def _tell(reported: Reported, total: StageTimeOut, waiting: int) -> str:
    if total.reason == "small_cell":
        return f"{tell_scope(reported)}: {tell_hidden(reported)}"
    waits = f"{count_of(waiting, 'attempt')} waiting"
    if total.median_days is None:
        return f"{tell_scope(reported)}: nothing was decided; {waits}."
    return (
        f"{tell_scope(reported)}: {count_of(total.n or 0, 'attempt')} decided, half of them within "
        f"{total.median_days:.1f} days of being handed in, nine of ten within {total.p90_days:.1f}; {waits}."
    )


def rows(body: TurnaroundOut) -> list[Row]:
    """A line for each stage and queue, and for each span of ages in a queue, as `section` says; `up_to` are days."""
    none = dict.fromkeys(RateOut.hidden().cells())
    of_queue = {"longest_days": None, "overdue": None, "over": None, "up_to": None}
    lines: list[Row] = [
        {"section": "stage", "name": each.stage, "n": each.n, "median_days": each.median_days,
         **_columns("median", each.median_interval), "p90_days": each.p90_days, **_columns("p90", each.p90_interval),
         **of_queue, **each.within_policy.cells(), "times_reason": each.reason}
        for each in body.stages
    ]  # fmt: skip
    for queue in body.queue or ():
        about = {"name": queue.waits_for, "p90_days": None, **of_queue, **none, **_columns("median"), **_columns("p90")}
        lines.append(
            {**about, "section": "queue", "n": queue.attempts, "median_days": queue.median_days,
             "longest_days": queue.longest_days, "overdue": queue.overdue,
             "times_reason": None if queue.attempts else "no_data"}
        )  # fmt: skip
        lines += [
            {**about, "section": "age", "n": age.attempts, "median_days": None, "over": age.over_days,
             "up_to": age.up_to_days, "times_reason": None}
            for age in queue.ages
        ]  # fmt: skip
    return lines


def _columns(name: str, interval: IntervalOut | None = None) -> Row:
    low, high = (interval.low, interval.high) if interval is not None else (None, None)
    return {f"{name}_low": low, f"{name}_high": high}
