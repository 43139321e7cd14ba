"""Whether every submission that had to be read twice was: the sampling audit, counted."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import get_args

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ReportsRead
from app.identifiers import Identifier
from app.keys.vault import Vault
from app.psychometrics.statistic import Reason
from app.readings.sampling_audit import Checked, check_sample
from app.readings.triggers import Trigger
from app.reports.answer import ChosenFormat, Row, Snapshot, report_response, report_responses
from app.reports.disclosure import Counted, Disclosure
from app.reports.figures import RateOut, ReportOut, opening
from app.reports.filters import Reported, ReportFilters, get_reported
from app.reports.people import People, is_told, load_members
from app.reports.words import count_of, tell_hidden, tell_scope
from app.web.dependencies import World

router = APIRouter()

_RANDOM = "random_sample"
_HIDDEN = ("eligible", "selected", "read", "expected_rate", "by_reason", "missed")


class DueOut(BaseModel):
    reason: str = Field(
        description=f"`{_RANDOM}`, or the first trigger that asked for it: {', '.join(get_args(Trigger))}.",
        examples=["near_standard"],
    )
    due: int
    read: int


class DoubleReadingOut(ReportOut):
    """Of submissions whose readings are over. Nobody can tell from it whether one that is still being read is read twice."""

    eligible: int | None = Field(description="Submissions accepted in the window that were resolved by `as_of`.")
    selected: RateOut = Field(description="Of those in a sampling window, the ones that the random sample hit.")
    expected_rate: float | None = Field(description="The sample's rate over the same submissions.", examples=[0.2])
    expected_rate_reason: Reason | None
    selected_read: RateOut = Field(description="Of the selected, the ones read twice.")
    read: RateOut = Field(description="Of all eligible, the ones read twice, for whatever reason.")
    by_reason: list[DueOut] | None = Field(description="Second readings that were due, by the reason.")
    missed: int | None = Field(
        description="Submissions whose second reading was due and did not take place. It must be 0; GET …/sampling-audit lists "
        "them."
    )


@router.get("/v1/programs/{program_id}/reports/double-reading", operation_id="report_double_reading",
            responses=report_responses(DoubleReadingOut))  # fmt: skip
async def double_reading(
    program_id: Identifier, tenant: ReportsRead, session: Snapshot, world: World, filters: ReportFilters,
    chosen: ChosenFormat,
) -> Response:  # fmt: skip
    """Whether every submission that had to be read twice was read twice, and whether the sample is as large as promised."""
    reported = await get_reported(session, tenant.issuer_id, program_id, filters)
    body = await measure(session, world.vault, reported)
    return report_response(chosen, body, rows(body))


async def measure(session: AsyncSession, vault: Vault, reported: Reported) -> DoubleReadingOut:
    """The window applies to when the work was accepted."""
    people = await load_members(session, reported)
    window = "when the work was accepted"
    known = await check_sample(session, vault, reported.program)
    disclosure = Disclosure(_count(known, people), reported.minimum_cell)
    if not is_told(reported, people, disclosure):
        none = RateOut.hidden()
        sentence = f"{tell_scope(reported)}: {tell_hidden(reported)}"
        return DoubleReadingOut.model_validate(
            {
                **opening("double-reading", reported, sentence=sentence, window=window, suppressed=_HIDDEN,
                          moments=disclosure.moments),
                **dict.fromkeys(_HIDDEN), "selected": none, "selected_read": none, "read": none,
                "expected_rate_reason": "small_cell",
            }
        )  # fmt: skip
    if reported.filters.looks_back:
        known = await check_sample(session, vault, reported.program, as_of=reported.filters.as_of)
    checked = [
        each
        for each in known
        if each.submission.person_id in people.shown
        and reported.filters.is_about(each.submission.achievement_id, each.submission.version)
        and reported.filters.is_within(each.submission.accepted_at)
    ]
    over = [each for each in checked if each.resolved_at is not None]
    sampled = [each for each in over if each.window is not None]
    selected = [each for each in sampled if each.is_selected]
    rates = [each.window.rate for each in sampled if each.window is not None]
    read, missed = sum(each.is_second_read for each in over), sum(each.is_missed for each in checked)
    return DoubleReadingOut.model_validate(
        {
            **opening(
                "double-reading", reported, window=window,
                sentence=f"{tell_scope(reported)}: {read} of {count_of(len(over), 'submission')} were read twice; "
                f"{count_of(missed, 'second reading')} that {'was' if missed == 1 else 'were'} due did not take place.",
            ),
            "eligible": len(over),
            "selected": RateOut.of(len(selected), len(sampled)),
            "expected_rate": sum(rates) / len(rates) / 100 if rates else None,
            "expected_rate_reason": None if rates else "no_data",
            "selected_read": RateOut.of(sum(each.is_second_read for each in selected), len(selected)),
            "read": RateOut.of(read, len(over)),
            "by_reason": _count_due(over),
            "missed": missed,
        }
    )  # fmt: skip


def _count(checked: Sequence[Checked], people: People) -> Iterator[Counted]:
    """What is over, by when the work was accepted."""
    for each in checked:
        work, person = each.submission, people.known.get(each.submission.person_id)
        if person is not None and each.resolved_at is not None:
            yield Counted(
                person.id, person.cohorts, work.achievement_id, work.version, work.accepted_at, (each.resolved_at,)
            )


def _count_due(checked: Sequence[Checked]) -> list[DueOut]:
    read: dict[str, list[bool]] = defaultdict(list)
    for each in checked:
        if each.due is not None:
            read[each.due.trigger or _RANDOM].append(each.is_second_read)
    reasons = (_RANDOM, *get_args(Trigger))
    return [DueOut(reason=reason, due=len(read[reason]), read=sum(read[reason])) for reason in reasons]


def rows(body: DoubleReadingOut) -> list[Row]:
    """A line for each figure: `what` and `reason`, `numerator` and `denominator` (a count is a numerator), the rate and its
    interval; `expected_rate` is a rate alone."""
    none = dict.fromkeys(RateOut.hidden().cells())
    lines: list[Row] = [
        {"what": "eligible", **none, "numerator": body.eligible},
        {"what": "selected", **body.selected.cells()},
        {"what": "expected_rate", **none, "rate": body.expected_rate, "reason": body.expected_rate_reason},
        {"what": "selected_read", **body.selected_read.cells()},
        {"what": "read", **body.read.cells()},
        {"what": "missed", **none, "numerator": body.missed},
    ]
    lines += [
        {"what": f"due: {each.reason}", **none, "numerator": each.read, "denominator": each.due}
        for each in body.by_reason or ()
    ]
    return lines
