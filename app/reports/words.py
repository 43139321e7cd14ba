"""What the sentences of reports are made of. PURE."""

from datetime import datetime

from app.reports.filters import Filters, Reported
from app.web.fields import format_moment

_PLURALS = {"person": "people"}


def count_of(number: int, noun: str) -> str:
    """`1 person`, `2 people`, `0 micro-credentials`."""
    return f"{number:,} {noun if number == 1 else _PLURALS.get(noun, noun + 's')}"


def tell_day(moment: datetime) -> str:
    """Like `23 November 2026`."""
    return f"{moment.day} {moment:%B %Y}"


def tell_scope(reported: Reported) -> str:
    """The beginning of a sentence: as of when, in which window, in which cohort."""
    filters = reported.filters
    cohort = f", in the cohort {reported.cohort.name}" if reported.cohort is not None else ""
    return f"As of {tell_day(filters.as_of)}{_tell_window(filters)}{cohort}"


def _tell_window(filters: Filters) -> str:
    if filters.since is None and filters.until is None:
        return ""
    if filters.until is None:
        return f", since {format_moment(filters.since)}" if filters.since is not None else ""
    if filters.since is None:
        return f", before {format_moment(filters.until)}"
    return f", from {format_moment(filters.since)} to before {format_moment(filters.until)}"


def tell_hidden(reported: Reported) -> str:
    """Why there are no results in a sentence."""
    return f"Results are not told: they would tell of fewer than {reported.minimum_cell} people."


def tell_percent(share: float) -> str:
    """Like `59 %`; short of everything is never told as everything, nor something as nothing."""
    percent = round(share * 100)
    if percent == 100 and share < 1:
        return "more than 99 %"
    return "less than 1 %" if percent == 0 and share > 0 else f"{percent} %"
