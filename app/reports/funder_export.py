"""A row for each person, for funders and evaluators, that tells no more of anybody than the equity report does.

Rows are made from the frozen counts of blocks, not from people: a block of 14 with 9 awards makes 14 rows, 9 of them with an
award. So the rates of every group are true; which values stand together in one row is not, but for what must (`first_attempt`
implies `eventual`). There is nothing in a row to find somebody by, and no two exports can be matched person by person.
"""

import random
import secrets
from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import AsDirector
from app.identifiers import Identifier
from app.reports.answer import ChosenFormat, Row, report_response, report_responses
from app.reports.asked import note_asked
from app.reports.equity import AsOf, By, require_past
from app.reports.equity_people import WITHIN_DAYS
from app.reports.equity_period import Block, PeriodContent
from app.reports.equity_store import EquityPeriod
from app.reports.figures import ReportOut, opening
from app.reports.filters import Filters, Reported, get_reported
from app.reports.words import count_of
from app.web.dependencies import Now, Session
from app.web.fields import format_moment

router = APIRouter()

NOT_TOLD = "not-told"
_SHUFFLE = random.SystemRandom()
_YES_NO = f"yes, no; {NOT_TOLD} where hardly anybody or nearly everybody of those with the same values has it"


class ColumnOut(BaseModel):
    """A line of the data dictionary."""

    name: str = Field(examples=["eventual"])
    meaning: str
    values: str


class FunderExportOut(ReportOut):
    people: int
    dictionary: list[ColumnOut] = Field(description="What each column means.")
    rows: list[dict[str, str]]


@router.get("/v1/programs/{program_id}/reports/funder-export", operation_id="report_funder_export",
            responses=report_responses(FunderExportOut))  # fmt: skip
async def funder_export(
    program_id: Identifier,
    member: AsDirector,
    session: Session,
    now: Now,
    chosen: ChosenFormat,
    by: By = "cohort",
    as_of: AsOf = None,
) -> Response:
    """De-identified rows of people with a data dictionary, for funders. Directors only; each export is recorded.

    `by` chooses the dimensions: those of the table that it is in.
    """
    reported = await get_reported(session, member.issuer_id, program_id, Filters(require_past(as_of, now) or now))
    body = await measure(session, reported, by)
    note_asked(session, member.issuer_id, program_id, "funder-export", {"by": by}, member.actor, now)
    return report_response(chosen, body, rows(body))


async def measure(session: AsyncSession, reported: Reported, by: str) -> FunderExportOut:
    """Everybody of the periods that were closed by the moment."""
    periods = await _list_periods(session, reported)
    lines: list[dict[str, str]] = []
    labels: dict[str, str] = {}
    for period in periods:
        content = PeriodContent.model_validate(period.content)
        table = content.find_table({by})
        if table is None:
            continue
        named = {each.key: each.label for each in content.dimensions}
        labels |= {dimension: named[dimension] for dimension in table.dimensions}
        for block in table.blocks:
            lines += _compose_rows(block, _tell_period(period))
    _SHUFFLE.shuffle(lines)
    lines = [{name: line.get(name, NOT_TOLD) for name in (*_FIRST, *labels, *_LAST)} for line in lines]
    sentence = (
        f"{count_of(len(lines), 'person')} in {count_of(len(periods), 'closed period')}; no combination of values that "
        f"describes people has fewer than {min((each.minimum_cell for each in periods), default=reported.minimum_cell)}."
    )
    about = opening("funder-export", reported, sentence=sentence, window="nothing: periods are frozen")
    return FunderExportOut.model_validate(
        {**about, "people": len(lines), "dictionary": _compose_dictionary(labels), "rows": lines}
    )


_FIRST = ("row", "period")
_LAST = ("first_attempt", "eventual", "several_credits", "several_attempts", "appealed", "days_to_decision")


async def _list_periods(session: AsyncSession, reported: Reported) -> list[EquityPeriod]:
    query = select(EquityPeriod).where(
        EquityPeriod.issuer_id == reported.issuer_id, EquityPeriod.program_id == reported.program.id,
        EquityPeriod.closed_at <= reported.filters.as_of,
    )  # fmt: skip
    return list((await session.scalars(query.order_by(EquityPeriod.until))).all())


def _tell_period(period: EquityPeriod) -> str:
    return f"before {_day(period.until)}" if period.since is None else f"{_day(period.since)}/{_day(period.until)}"


def _day(moment: datetime) -> str:
    return format_moment(moment)[:10]


def _compose_rows(block: Block, period: str) -> list[dict[str, str]]:
    """As many as the block has people. First attempt and further credits go to some of those who were awarded at all; else who
    has what is drawn."""
    lines = [{"row": secrets.token_hex(8), "period": period, **block.terms} for _ in range(block.n)]
    for trait in ("first_attempt", "several_credits", "eventual"):
        _fill(lines, range(block.n), block, trait)
    for trait in ("several_attempts", "appealed"):
        _fill(lines, _SHUFFLE.sample(range(block.n), block.n), block, trait)
    order, days = _SHUFFLE.sample(range(block.n), block.n), _list_days(block)
    for line, told in zip((lines[position] for position in order), days, strict=True):
        line["days_to_decision"] = told
    return lines


def _fill(lines: Sequence[dict[str, str]], order: Sequence[int], block: Block, trait: str) -> None:
    low, high = block.counts[trait]
    for number, position in enumerate(order):
        lines[position][trait] = NOT_TOLD if low != high else "yes" if number < low else "no"


def _list_days(block: Block) -> list[str]:
    """In bands, as far as the counts are told exactly."""
    told = {days: low for days in WITHIN_DAYS for low, high in [block.counts[f"within_{days}"]] if low == high}
    if not told:
        return [NOT_TOLD] * block.n
    bands: list[str] = []
    begin = 0
    for days, count in told.items():
        bands += [f"{begin} to {days}"] * (count - len(bands))
        begin = days + 1
    return bands + [f"over {begin - 1}"] * (block.n - len(bands))


def _compose_dictionary(labels: dict[str, str]) -> list[ColumnOut]:
    told = (
        ("row", "A random name of the row in this export alone", "16 hexadecimal digits"),
        ("period", "When the first decision on the person's work was recorded", "from a day to before another"),
        *((key, f"{label}, as the person says", f"keys; {NOT_TOLD} where too few") for key, label in labels.items()),
        ("first_attempt", "The first decided attempt was awarded", _YES_NO),
        ("eventual", "Anything was awarded by the end of the quarter after the period", _YES_NO),
        ("several_credits", "More than one achievement was awarded by then", _YES_NO),
        ("several_attempts", "Work was decided on more than once by then", _YES_NO),
        ("appealed", "A decision was appealed by then", _YES_NO),
        ("days_to_decision", "From handing in to the first decision", f"bands of days; {NOT_TOLD} likewise"),
    )  # fmt: skip
    return [ColumnOut(name=name, meaning=meaning, values=values) for name, meaning, values in told]


def rows(body: FunderExportOut) -> list[Row]:
    """A line for each person."""
    return [dict(line) for line in body.rows]
