"""Calendar quarters in UTC: the windows of quality reports, of what assessors are looked at in, of equity periods. PURE."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

LABEL = r"^2[0-9]{3}Q[1-4]$"
"""What a label looks like. Labels sort as the quarters follow one another."""


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """The `number`-th quarter of a `year`, 1 to 4: from `starts_at` on, before `ends_at`."""

    year: int
    number: int

    @property
    def label(self) -> str:
        """Like `2026Q3`."""
        return f"{self.year}Q{self.number}"

    @property
    def starts_at(self) -> datetime:
        return datetime(self.year, 3 * self.number - 2, 1, tzinfo=UTC)

    @property
    def ends_at(self) -> datetime:
        return self.next().starts_at

    def next(self) -> "Quarter":
        return Quarter(self.year + 1, 1) if self.number == 4 else Quarter(self.year, self.number + 1)

    def before(self) -> "Quarter":
        return Quarter(self.year - 1, 4) if self.number == 1 else Quarter(self.year, self.number - 1)


def quarter_of(moment: datetime) -> Quarter:
    """The quarter that a moment falls into."""
    there = moment.astimezone(UTC)
    return Quarter(there.year, (there.month + 2) // 3)


def parse_quarter(label: str) -> Quarter:
    """Raises ValueError for what is no label."""
    if not re.fullmatch(LABEL, label):
        raise ValueError("a quarter is a year and a number, like 2026Q3")
    return Quarter(int(label[:4]), int(label[5]))


def quarters_between(first: Quarter, last: Quarter) -> Iterator[Quarter]:
    """Both included, oldest first; none when `last` is the earlier one."""
    while first <= last:
        yield first
        first = first.next()


def whole_quarters(since: datetime | None, until: datetime | None, as_of: datetime) -> tuple[datetime | None, datetime]:
    """The window cut down to the quarters that lie in it whole and were over at `as_of`: from a quarter's first moment on, before
    that of another. Both may be the same, or the first the later one: then there is none."""
    ends_at = quarter_of(as_of if until is None else min(until, as_of)).starts_at
    if since is None:
        return None, ends_at
    quarter = quarter_of(since)
    return (since if since == quarter.starts_at else quarter.ends_at), ends_at
