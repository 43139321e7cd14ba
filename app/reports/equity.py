"""Whether groups of people fare alike, as far as it can be told without telling of a few: by what they say of themselves."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ReportsRead
from app.errors import Fault
from app.identifiers import Identifier
from app.psychometrics.intervals import wilson
from app.reports.answer import ChosenFormat, Row, report_response, report_responses
from app.reports.asked import note_asked
from app.reports.comparison import FOUR_FIFTHS, compare
from app.reports.equity_people import WITHIN_DAYS
from app.reports.equity_period import EquityTable, PeriodContent, key_of, sum_blocks
from app.reports.equity_store import EquityPeriod, find_period
from app.reports.figures import IntervalOut, ReportOut, opening
from app.reports.filters import Filters, Reported, UnfitFilters, get_reported
from app.reports.suppression import MOST_TERMS, Bounds
from app.reports.words import count_of, tell_day
from app.web.dependencies import Now, Session
from app.web.fields import Moment

router = APIRouter()

Hidden = Literal["small_cell", "blurred"]
"""`small_cell`: it would tell of fewer people than the minimum, or give those of others away. `blurred`: so few, or all but so
few, that bounds are told instead."""


class BoundedRateOut(BaseModel):
    """How many people of a group: exactly, or where it is hardly any or nearly all, between two bounds."""

    at_least: int | None
    at_most: int | None
    denominator: int | None
    value: float | None
    reason: Hidden | None = Field(description="Why there is no value; null where there is one.")
    interval: IntervalOut | None = Field(description="Wilson's, of all that the bounds allow.")


class DaysOut(BaseModel):
    """The median of the days from handing in to the first decision lies within these; `at_most` null: more than all."""

    at_least: int
    at_most: int | None


class ComparisonOut(BaseModel):
    """A group against all others that fit the filters. `below_four_fifths` is a screen only: look at interval and p-value."""

    difference: float | None
    interval: IntervalOut | None
    ratio: float | None = Field(description="The group's rate by that of the others; null where theirs is 0.")
    below_four_fifths: bool | None
    p_value: float | None = Field(description="Fisher's exact test, two-sided.")
    reason: Hidden | None


class GroupOut(BaseModel):
    value: str = Field(examples=["woman"])
    label: str = Field(examples=["Woman"])
    n: int | None = Field(description="People; null where it is not told.")
    reason: Hidden | None
    first_attempt: BoundedRateOut = Field(description="Whose first decided attempt was awarded.")
    eventual: BoundedRateOut = Field(description="Who were awarded anything by the end of the quarter after.")
    appealed: BoundedRateOut
    median_days: DaysOut | None
    first_attempt_compared: ComparisonOut
    eventual_compared: ComparisonOut
    appealed_compared: ComparisonOut


class PopulationOut(BaseModel):
    """Whose first decision was recorded in the period; nobody is in two of them, nor in those of two programs."""

    since: Moment | None
    until: Moment
    closed_at: Moment
    people: int


class EquityOut(ReportOut):
    by: str
    where: list[str]
    population: PopulationOut | None = Field(description="Null until a first period is closed.")
    groups: list[GroupOut]


By = Annotated[str, Query(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="The dimension whose values are compared.")]
Where = Annotated[
    list[str] | None,
    Query(
        max_length=MOST_TERMS - 1, description="Only people with this value, as `dimension:value`; up to three times."
    ),
]
AsOf = Annotated[Moment | None, Query(description="The last period that was closed by then; now, if left out.")]


@router.get("/v1/programs/{program_id}/reports/equity", operation_id="report_equity",
            responses=report_responses(EquityOut))  # fmt: skip
async def equity(
    program_id: Identifier,
    tenant: ReportsRead,
    session: Session,
    now: Now,
    chosen: ChosenFormat,
    by: By = "cohort",
    where: Where = None,
    as_of: AsOf = None,
) -> Response:
    """Whether groups of people fare alike: award rates, time and appeals by what they say of themselves.

    Figures are worked out once for each person and frozen when a quarter ends, so that no answers, of any day and with any
    filters, can be subtracted from each other to tell of a few. What is asked is recorded.
    """
    reported = await get_reported(session, tenant.issuer_id, program_id, Filters(require_past(as_of, now) or now))
    body = await measure(session, reported, by, where or [])
    note_asked(session, tenant.issuer_id, program_id, "equity", {"by": by, "where": where or []}, tenant.actor, now)
    return report_response(chosen, body, rows(body))


def require_past(as_of: datetime | None, now: datetime) -> datetime | None:
    """Raises UnfitFilters for a moment to come."""
    if as_of is not None and as_of > now:
        fault = Fault("/query/as_of", "lies in the future", "leave it out for today")
        raise UnfitFilters("The filters do not fit together.", faults=[fault])
    return as_of


async def measure(session: AsyncSession, reported: Reported, by: str, where: Sequence[str]) -> EquityOut:
    """Raises UnfitFilters."""
    period = await find_period(session, reported.issuer_id, reported.program.id, reported.filters.as_of)
    if period is None:
        return _compose(reported, None, by, where, [])
    content = PeriodContent.model_validate(period.content)
    terms = _parse(content, by, where)
    table = content.find_table({by, *terms})
    if table is None:
        fault = Fault("/query/where", "is not combined with `by`", "combine dimensions of one table of the vocabulary")
        raise UnfitFilters("The dimensions are not told together.", faults=[fault])
    labels = next(each.values for each in content.dimensions if each.key == by)
    groups = [_measure_group(table, terms, by, value, label) for value, label in labels.items()]
    return _compose(reported, period, by, where, groups)


def _parse(content: PeriodContent, by: str, where: Sequence[str]) -> dict[str, str]:
    """The filters by dimension."""
    known = {each.key: each.values for each in content.dimensions}
    faults = [] if by in known else [Fault("/query/by", "is not a dimension", f"one of {', '.join(known)}")]
    terms: dict[str, str] = {}
    for each in where:
        dimension, _, value = each.partition(":")
        if value not in known.get(dimension, {}):
            faults.append(Fault("/query/where", f"{each!r} is not a dimension and one of its values"))
        elif dimension in terms or dimension == by:
            faults.append(Fault("/query/where", f"{dimension} is asked for twice"))
        terms[dimension] = value
    if faults:
        raise UnfitFilters("The filters do not fit the vocabulary.", faults=faults)
    return terms


def _measure_group(table: EquityTable, terms: Mapping[str, str], by: str, value: str, label: str) -> GroupOut:
    inside = table.cells.get(key_of(table, {**terms, by: value}))
    everybody = table.cells.get(key_of(table, terms))
    others = None if inside is None or everybody is None else sorted(set(everybody) - set(inside))
    compared = {
        f"{trait}_compared": _compare(table, inside, others, trait)
        for trait in ("first_attempt", "eventual", "appealed")
    }
    rates = {trait: _rate(table, inside, trait) for trait in ("first_attempt", "eventual", "appealed")}
    return GroupOut(
        value=value, label=label, n=None if inside is None else _count(table, inside),
        reason="small_cell" if inside is None else None, median_days=_median(table, inside), **rates, **compared,
    )  # fmt: skip


def _count(table: EquityTable, blocks: Sequence[int]) -> int:
    return sum(table.blocks[number].n for number in blocks)


def _rate(table: EquityTable, blocks: Sequence[int] | None, trait: str) -> BoundedRateOut:
    if blocks is None:
        return BoundedRateOut(
            at_least=None, at_most=None, denominator=None, value=None, reason="small_cell", interval=None
        )
    n, (low, high) = _count(table, blocks), sum_blocks(table, blocks, trait)
    lower, upper = wilson(low, n), wilson(high, n)
    assert lower is not None
    assert upper is not None
    return BoundedRateOut(
        at_least=low, at_most=high, denominator=n, value=low / n if low == high else None,
        reason=None if low == high else "blurred",
        interval=IntervalOut(low=lower.low, high=upper.high, level=lower.level, method="wilson"),
    )  # fmt: skip


def _median(table: EquityTable, blocks: Sequence[int] | None) -> DaysOut | None:
    """The first of the days by which half of the people were decided on, as far as the bounds tell."""
    if blocks is None:
        return None
    half = _count(table, blocks) / 2
    bounds: dict[int, Bounds] = {days: sum_blocks(table, blocks, f"within_{days}") for days in WITHIN_DAYS}
    at_least = max((days for days, (_, high) in bounds.items() if high < half), default=0)
    return DaysOut(at_least=at_least, at_most=min((d for d, (low, _) in bounds.items() if low >= half), default=None))


def _compare(
    table: EquityTable, inside: Sequence[int] | None, others: Sequence[int] | None, trait: str
) -> ComparisonOut:
    reason: Hidden = "small_cell"
    if inside is not None and others:
        (a, a_most), (b, b_most) = sum_blocks(table, inside, trait), sum_blocks(table, others, trait)
        found = compare((a, _count(table, inside)), (b, _count(table, others)))
        if a == a_most and b == b_most and found is not None:
            interval = IntervalOut(low=found.low, high=found.high, level=0.95, method="newcombe")
            is_low = None if found.ratio is None or trait == "appealed" else found.ratio < FOUR_FIFTHS
            return ComparisonOut(
                difference=found.difference, interval=interval, ratio=found.ratio, below_four_fifths=is_low,
                p_value=found.p_value, reason=None,
            )  # fmt: skip
        reason = "blurred"
    return ComparisonOut(
        difference=None, interval=None, ratio=None, below_four_fifths=None, p_value=None, reason=reason
    )


def _compose(
    reported: Reported, period: EquityPeriod | None, by: str, where: Sequence[str], groups: Sequence[GroupOut]
) -> EquityOut:
    hidden = [f"groups/{number}" for number, group in enumerate(groups) if group.n is None]
    population = None
    if period is not None:
        population = PopulationOut(
            since=period.since, until=period.until, closed_at=period.closed_at, people=period.people
        )
    sentence = _tell(period, by, groups)
    window = "nothing: a period is frozen when its quarter ends"
    about = opening("equity", reported, sentence=sentence, window=window, suppressed=hidden)
    return EquityOut.model_validate(
        {**about, "by": by, "where": list(where), "population": population, "groups": list(groups)}
    )


def _tell(period: EquityPeriod | None, by: str, groups: Sequence[GroupOut]) -> str:
    if period is None:
        return "Nothing is told yet: no quarter has ended since enough people were decided on."
    told = [group for group in groups if group.n is not None]
    beginning = f"Of {count_of(period.people, 'person')} first decided on before {tell_day(period.until)}, by {by}"
    if not told:
        return f"{beginning}: no group can be told without telling of fewer than {period.minimum_cell} people."
    rates = "; ".join(f"{group.label} {_tell_rate(group.first_attempt)} (n = {group.n})" for group in told)
    left = len(groups) - len(told)
    more = f"; {count_of(left, 'group')} not told" if left else ""
    return f"{beginning}, awarded at the first attempt: {rates}{more}."


def _tell_rate(rate: BoundedRateOut) -> str:
    if rate.at_least is None or rate.at_most is None or not rate.denominator:
        return "not told"
    low, high = rate.at_least / rate.denominator, rate.at_most / rate.denominator
    return f"{low:.0%}" if low == high else f"{low:.0%} to {high:.0%}"


def rows(body: EquityOut) -> list[Row]:
    """A line for each group and rate."""
    where = " ".join(body.where)
    lines: list[Row] = []
    for group in body.groups:
        for measure_ in ("first_attempt", "eventual", "appealed"):
            rate: BoundedRateOut = getattr(group, measure_)
            compared: ComparisonOut = getattr(group, f"{measure_}_compared")
            interval, apart = rate.interval, compared.interval
            lines.append(
                {
                    "where": where, "by": body.by, "group": group.label, "n": group.n, "measure": measure_,
                    "at_least": rate.at_least, "at_most": rate.at_most, "value": rate.value, "reason": rate.reason,
                    "low": None if interval is None else interval.low,
                    "high": None if interval is None else interval.high,
                    "difference": compared.difference,
                    "difference_low": None if apart is None else apart.low,
                    "difference_high": None if apart is None else apart.high,
                    "ratio": compared.ratio, "p_value": compared.p_value, "compared_reason": compared.reason,
                }
            )  # fmt: skip
    return lines
