"""Calendar quarters in UTC. PURE."""

from datetime import UTC, datetime


def quarter_of(moment: datetime) -> datetime:
    """When the quarter that `moment` lies in began."""
    moment = moment.astimezone(UTC)
    return datetime(moment.year, moment.month - (moment.month - 1) % 3, 1, tzinfo=UTC)


def next_quarter(moment: datetime) -> datetime:
    """When the quarter after `moment`'s begins."""
    began = quarter_of(moment)
    return began.replace(year=began.year + (began.month == 10), month=(began.month + 2) % 12 + 1)


def quarter_before(moment: datetime) -> datetime:
    """When the quarter before `moment`'s began."""
    began = quarter_of(moment)
    return began.replace(year=began.year - (began.month == 1), month=(began.month - 4) % 12 + 1)
