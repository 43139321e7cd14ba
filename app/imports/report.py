"""What became of each row, and the file that says so.

The report names rows by line and the partner's own id, and objects by id and address: no person's name or e-mail address. Its
cells are safe to open in a spreadsheet.
"""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from app.errors import Unavailable
from app.spreadsheet import safe_cell

Outcome = Literal["issued", "created", "completed", "published", "already there", "unsigned", "refused"]
"""`unsigned`: recorded, and its badge is being signed by another process or will be by the next run."""

HEADING = ("line", "outcome", "external_id", "id", "url", "faults")


class UnwritableReport(Unavailable):
    """The disk is full, say. It ends the run: nobody would learn what became of the rows that follow."""


@dataclass(frozen=True, slots=True)
class ReportLine:
    """What became of the row at `line`: `id` and `url` of what it made or found, or why it was refused."""

    line: int
    outcome: Outcome
    external_id: str = ""
    id: str = ""
    url: str = ""
    faults: tuple[str, ...] = ()


class Report(Protocol):
    def add(self, line: ReportLine, *, dry_run: bool) -> None: ...


class _CsvReport:
    def __init__(self, path: Path) -> None:
        # Readable by the owner alone from the first moment: badges' addresses are known to those who have them.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)
        self.file = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
        self._writer = csv.writer(self.file)
        self._writer.writerow(HEADING)

    def add(self, line: ReportLine, *, dry_run: bool) -> None:
        cells = (line.line, told(line, dry_run=dry_run), line.external_id, line.id, line.url, "; ".join(line.faults))
        try:
            self._writer.writerow([safe_cell(str(cell)) for cell in cells])
            self.file.flush()
        except OSError as error:
            raise UnwritableReport(f"The report cannot be written any more: {error.strerror}.") from None


class _NoReport:
    def add(self, line: ReportLine, *, dry_run: bool) -> None:
        pass


@contextmanager
def open_report(path: Path | None) -> Iterator[Report]:
    """A report at this path, written anew and row by row; nowhere without a path. Raises OSError."""
    if path is None:
        yield _NoReport()
        return
    report = _CsvReport(path)
    try:
        yield report
    finally:
        with suppress(OSError):  # each row was flushed: what cannot be written was told then
            report.file.close()


def told(line: ReportLine, *, dry_run: bool) -> str:
    """The outcome in words: what a dry run only would have done says so."""
    return f"would be {line.outcome}" if dry_run and line.outcome not in ("already there", "refused") else line.outcome
