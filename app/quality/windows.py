"""Windows of quality reports: calendar quarters in UTC, labelled like 2026Q3. PURE."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

LABEL = r"^2[0-9]{3}Q[1-4]$"
"""What a label looks like."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The `quarter`-th quarter of a `year`, 1 to 4: from `starts_at` on, before `ends_at`."""

    year: int
    quarter: int

    @property
    def label(self) -> str:
        return f"{self.year}Q{self.quarter}"

    @property
    def starts_at(self) -> datetime:
        return datetime(self.year, 3 * self.quarter - 2, 1, tzinfo=UTC)

    @property
    def ends_at(self) -> datetime:
        return self.next().starts_at

    def next(self) -> "Window":
        return Window(self.year + 1, 1) if self.quarter == 4 else Window(self.year, self.quarter + 1)


def window_of(moment: datetime) -> Window:
    """The window that a moment falls into."""
    there = moment.astimezone(UTC)
    return Window(there.year, (there.month + 2) // 3)


def parse_window(label: str) -> Window:
    """Raises ValueError for what is no label."""
    if not re.fullmatch(LABEL, label):
        raise ValueError("a window is a year and a quarter, like 2026Q3")
    return Window(int(label[:4]), int(label[5]))


def windows_between(first: Window, last: Window) -> Iterator[Window]:
    """Both included, oldest first; none when `last` is the earlier one."""
    while first <= last:
        yield first
        first = first.next()
