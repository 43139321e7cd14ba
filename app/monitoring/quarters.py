"""Calendar quarters of UTC: the windows that assessors are looked at in. PURE."""

from datetime import UTC, datetime


def quarter_of(moment: datetime) -> str:
    """Its name, like `2026Q4`. Names sort as the quarters follow one another."""
    moment = moment.astimezone(UTC)
    return f"{moment.year:04}Q{(moment.month - 1) // 3 + 1}"


def quarter_start(moment: datetime) -> datetime:
    """The first moment of the quarter."""
    moment = moment.astimezone(UTC)
    return datetime(moment.year, (moment.month - 1) // 3 * 3 + 1, 1, tzinfo=UTC)


def whole_quarters(since: datetime | None, until: datetime | None, as_of: datetime) -> tuple[datetime | None, datetime]:
    """The window cut down to the quarters that lie in it whole and were over at `as_of`: from a quarter's first moment on, before
    that of another. Both may be the same, or the first the later one: then there is none."""
    ends_at = quarter_start(as_of if until is None else min(until, as_of))
    if since is None or since == quarter_start(since):
        return since, ends_at
    began = quarter_start(since)
    return began.replace(year=began.year + (began.month == 10), month=(began.month + 2) % 12 + 1), ends_at


def quarter_before(name: str) -> str:
    """The name of the quarter before the one named."""
    year, number = int(name[:4]), int(name[5])
    return f"{year:04}Q{number - 1}" if number > 1 else f"{year - 1:04}Q4"
