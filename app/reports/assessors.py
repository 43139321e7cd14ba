"""How each assessor scores, beside the true scores of anchors: for leads and directors, by code.

Who has few ratings is told with an interval as wide as it is, and without a verdict. Nothing here ranks anybody.

Who reads this may read submissions too. So what comes from the queue (validity papers, readings, work that two read) is told by
whole quarters that are over: else a window about one reading of theirs told them whether it was a validity paper or was done by
two, and one about somebody else's who had read what.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import quantiles
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import AsLeadOrDirector
from app.assessors.store import Assessor, CertificationState
from app.db import read_rows
from app.errors import Fault
from app.identifiers import Identifier
from app.monitoring.beside import compare_with_others
from app.monitoring.figures import measure as measure_figures
from app.monitoring.ratings import Key, Rating, Scope, group_by_key, list_ratings
from app.monitoring.rules import Verdict, judge
from app.monitoring.store import RaterFlag
from app.psychometrics.agreement import exact
from app.quarters import quarter_of, whole_quarters
from app.readings.store import Reading
from app.reports.answer import Cell, ChosenFormat, Row, Snapshot, report_response, report_responses
from app.reports.figures import RateOut, ReportOut, StatisticOut, opening
from app.reports.filters import Filters, Reported, ReportFilters, UnfitFilters, get_reported
from app.reports.standings import Standing, load_standings
from app.reports.words import count_of, tell_scope
from app.submissions.store import Submission
from app.web.fields import Moment, format_moment

router = APIRouter()


class TurnaroundOut(BaseModel):
    """Of submitted readings of submissions, in hours from when they were assigned; by whole quarters that are over."""

    readings: int
    median_hours: float | None
    p90_hours: float | None


class SessionFigures(BaseModel):
    """What was given on the anchors of one session; validity papers are taken together by quarter."""

    session_id: Identifier | None
    kind: Literal["qualification", "calibration", "validity"]
    quarter: str = Field(examples=["2026Q4"])
    closed_at: Moment | None
    exact: RateOut


class AssessorOut(BaseModel):
    """One assessor with one version of an achievement."""

    code: str = Field(examples=["A-01"])
    achievement_id: Identifier
    version: int
    certification: CertificationState | None
    valid_until: Moment | None
    ratings: int = Field(description="Criteria of anchors scored.")
    anchors: int
    exact: RateOut
    mean_deviation: StatisticOut = Field(description="Given less true level: below 0 severe, above 0 lenient.")
    spread: StatisticOut = Field(description="Scatter of the levels given, as a multiple of that of the true ones.")
    verdict: Verdict | None = Field(description="Whether a rule fires on these; null where they are too few.")
    verdict_reason: Literal["too_few"] | None
    beside_others: StatisticOut = Field(description="Exact agreement with other readers of the same work.")
    turnaround: TurnaroundOut
    recusals: int
    open_flags: int
    sessions: list[SessionFigures] = Field(description="Oldest first: drift shows here.")


class AssessorsOut(ReportOut):
    panel: list[SessionFigures] = Field(description="Everybody's ratings together, session by session.")
    assessors: list[AssessorOut]


@router.get("/v1/programs/{program_id}/reports/assessors", operation_id="report_assessors",
            responses=report_responses(AssessorsOut))  # fmt: skip
async def assessors_(
    program_id: Identifier, member: AsLeadOrDirector, session: Snapshot, filters: ReportFilters, chosen: ChosenFormat
) -> Response:
    """How each assessor scores beside true scores, and how that changes: for leads and directors."""
    if filters.cohort_id is not None:
        fault = Fault("/query/cohort_id", "does not apply: anchors belong to no cohort", "leave it out")
        raise UnfitFilters("Assessors are not told by cohort.", faults=[fault])
    body = await measure(session, await get_reported(session, member.issuer_id, program_id, filters))
    return report_response(chosen, body, rows(body))


@dataclass(frozen=True, slots=True)
class _Work:
    """What an assessor did with submissions of one version."""

    hours: Sequence[float]
    recusals: int


async def measure(session: AsyncSession, reported: Reported) -> AssessorsOut:
    """The window is of when ratings and readings came in, sessions when they were closed."""
    filters, issuer_id = reported.filters, reported.issuer_id
    of_queue = _narrow(filters)
    scope = Scope(reported.program.id, None, filters.achievement_id, filters.version)
    ratings = [
        each
        for each in await list_ratings(session, issuer_id, scope, until=filters.as_of)
        if (of_queue if each.kind == "validity" else filters).is_within(each.at)
    ]
    grouped = group_by_key(ratings)
    beside = await compare_with_others(
        session, issuer_id, scope, since=of_queue.since, until=of_queue.until, as_of=of_queue.as_of
    )
    works = await _load_works(session, reported, of_queue)
    codes = await _load_codes(session, issuer_id)
    standings = await load_standings(session, issuer_id, filters.as_of)
    flags = await _count_open_flags(session, reported)
    keys = sorted({*grouped, *beside, *works}, key=lambda key: (codes[key[0]], *key[2:]))
    assessors = [
        _compose(
            codes[key[0]], key, grouped.get(key, []),
            beside=StatisticOut.of(exact([pair for each in beside.get(key, ()) for pair in each.levels])),
            work=works.get(key, _Work((), 0)), standing=standings.get((key[0], *key[2:])),
            open_flags=flags[key],
        )
        for key in keys
    ]  # fmt: skip
    return AssessorsOut.model_validate(
        {
            **opening(
                "assessors", reported, sentence=_tell(reported, assessors),
                window="when scores came in; of the queue whole quarters that are over",
            ),
            "panel": _by_session(ratings),
            "assessors": assessors,
        }
    )  # fmt: skip


def _narrow(filters: Filters) -> Filters:
    """To whole quarters that are over."""
    since, until = whole_quarters(filters.since, filters.until, filters.as_of)
    return replace(filters, since=since, until=until)


def _compose(
    code: str,
    key: Key,
    ratings: Sequence[Rating],
    *,
    beside: StatisticOut,
    work: _Work,
    standing: Standing | None,
    open_flags: int,
) -> AssessorOut:
    figures, verdict = measure_figures(ratings), judge(ratings)
    return AssessorOut(
        code=code,
        achievement_id=key[2],
        version=key[3],
        certification=standing.state if standing else None,
        valid_until=standing.valid_until if standing else None,
        ratings=figures.ratings,
        anchors=figures.anchors,
        exact=_rate(ratings),
        mean_deviation=StatisticOut.of(figures.mean_deviation),
        spread=StatisticOut.of(figures.spread),
        verdict=verdict,
        verdict_reason=None if verdict else "too_few",
        beside_others=beside,
        turnaround=_measure_turnaround(work.hours),
        recusals=work.recusals,
        open_flags=open_flags,
        sessions=_by_session(ratings),
    )


def _rate(ratings: Sequence[Rating]) -> RateOut:
    return RateOut.of(sum(each.given == each.true for each in ratings), len(ratings))


def _measure_turnaround(hours: Sequence[float]) -> TurnaroundOut:
    if not hours:
        return TurnaroundOut(readings=0, median_hours=None, p90_hours=None)
    if len(hours) == 1:
        return TurnaroundOut(readings=1, median_hours=round(hours[0], 1), p90_hours=round(hours[0], 1))
    deciles = quantiles(hours, n=10, method="inclusive")
    return TurnaroundOut(readings=len(hours), median_hours=round(deciles[4], 1), p90_hours=round(deciles[8], 1))


def _by_session(ratings: Iterable[Rating]) -> list[SessionFigures]:
    sessions: dict[tuple[str, str], list[Rating]] = defaultdict(list)
    for each in ratings:
        # One validity paper at a time would tell a single reading's scores.
        sessions[each.kind, quarter_of(each.at).label if each.kind == "validity" else each.met_in].append(each)
    found = [
        SessionFigures(
            session_id=None if kind == "validity" else met_in, kind=kind, quarter=quarter_of(of_one[0].at).label,
            closed_at=None if kind == "validity" else of_one[0].at, exact=_rate(of_one),
        )
        for (kind, met_in), of_one in sessions.items()
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each.quarter, each.closed_at is None, str(each.closed_at), each.kind))


async def _load_works(session: AsyncSession, reported: Reported, filters: Filters) -> Mapping[Key, _Work]:
    """Readings of submissions that were submitted or given back in the window. Validity papers are none of them."""
    ended_at = case((Reading.state == "submitted", Reading.submitted_at), else_=Reading.updated_at)
    query = (
        select(
            Reading.assessor_id, Submission.achievement_id, Submission.version, Reading.state, Reading.assigned_at, ended_at
        )
        .join(Submission, (Submission.issuer_id == Reading.issuer_id) & (Submission.id == Reading.submission_id))
        .where(
            Reading.issuer_id == reported.issuer_id, Reading.program_id == reported.program.id,
            Reading.state.in_(("submitted", "recused")), Reading.assessor_id.is_not(None),
        )
    )  # fmt: skip
    hours: dict[Key, list[float]] = defaultdict(list)
    recusals: Counter[Key] = Counter()
    for assessor_id, achievement_id, version, state, assigned_at, at in await read_rows(session, query):
        key = assessor_id, reported.program.id, achievement_id, version
        if not filters.is_about(achievement_id, version) or not filters.is_within(at):
            continue
        if state == "recused":
            recusals[key] += 1
        elif assigned_at is not None:
            hours[key].append((at - assigned_at).total_seconds() / 3600)
    return {key: _Work(hours[key], recusals[key]) for key in {*hours, *recusals}}


async def _load_codes(session: AsyncSession, issuer_id: str) -> dict[str, str]:
    rows = await session.execute(select(Assessor.id, Assessor.code).where(Assessor.issuer_id == issuer_id))
    return {id_: code for id_, code in rows.all()}  # noqa: C416 # a row is no pair to mypy


async def _count_open_flags(session: AsyncSession, reported: Reported) -> Counter[Key]:
    """Raised by `as_of`, and not decided on then."""
    query = select(
        RaterFlag.assessor_id, RaterFlag.program_id, RaterFlag.achievement_id, RaterFlag.version, RaterFlag.decided_at
    ).where(
        RaterFlag.issuer_id == reported.issuer_id,
        RaterFlag.program_id == reported.program.id,
        RaterFlag.raised_at <= reported.filters.as_of,
    )
    found: Counter[Key] = Counter()
    for assessor_id, program_id, achievement_id, version, decided_at in (await session.execute(query)).all():
        found[assessor_id, program_id, achievement_id, version] += not reported.filters.is_known(decided_at)
    return found


def _tell(reported: Reported, assessors: Sequence[AssessorOut]) -> str:
    codes = {each.code for each in assessors}
    judged = {each.code for each in assessors if each.verdict is not None}
    flagged = sum(each.open_flags for each in assessors)
    flags = "1 flag waits" if flagged == 1 else f"{flagged} flags wait"
    return (
        f"{tell_scope(reported)}: {count_of(len(codes), 'assessor')}, {len(judged)} of them with enough scores on anchors to say "
        f"anything about; {flags} for a lead."
    )


def rows(body: AssessorsOut) -> list[Row]:
    """One line for each assessor and version (`line` is `assessor`), and one for each of their sessions and of the panel's."""
    lines = [_session_line("panel", None, each) for each in body.panel]
    for assessor in body.assessors:
        interval = assessor.mean_deviation.interval
        lines.append(
            _line(
                line="assessor", code=assessor.code, achievement=assessor.achievement_id, of_version=assessor.version,
                certification=assessor.certification,
                valid_until=format_moment(assessor.valid_until) if assessor.valid_until else None,
                anchors=assessor.anchors, **_rate_cells(assessor.exact), mean_deviation=assessor.mean_deviation.value,
                deviation_low=interval.low if interval else None, deviation_high=interval.high if interval else None,
                spread=assessor.spread.value, verdict=assessor.verdict or assessor.verdict_reason,
                beside_others=assessor.beside_others.value, readings=assessor.turnaround.readings,
                median_hours=assessor.turnaround.median_hours, p90_hours=assessor.turnaround.p90_hours,
                recusals=assessor.recusals, open_flags=assessor.open_flags,
            )
        )  # fmt: skip
        lines += [_session_line("session", assessor, each) for each in assessor.sessions]
    return lines


_COLUMNS = (
    "line", "code", "achievement", "of_version", "session_id", "kind", "quarter", "certification", "valid_until", "anchors",
    "exact", "ratings", "exact_agreement", "low", "high", "mean_deviation", "deviation_low", "deviation_high", "spread",
    "verdict", "beside_others", "readings", "median_hours", "p90_hours", "recusals", "open_flags",
)  # fmt: skip


def _line(**cells: Cell) -> Row:
    return {column: cells.get(column) for column in _COLUMNS}


def _session_line(line: str, assessor: AssessorOut | None, session: SessionFigures) -> Row:
    about: dict[str, Cell] = {}
    if assessor is not None:
        about = {"code": assessor.code, "achievement": assessor.achievement_id, "of_version": assessor.version}
    return _line(
        line=line, **about, session_id=session.session_id, kind=session.kind, quarter=session.quarter,
        **_rate_cells(session.exact),
    )  # fmt: skip


def _rate_cells(rate: RateOut) -> dict[str, Cell]:
    interval = rate.interval
    return {
        "exact": rate.numerator,
        "ratings": rate.denominator,
        "exact_agreement": rate.value,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
    }
