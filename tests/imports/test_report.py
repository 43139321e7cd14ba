"""The report is safe to open, and readable by its owner alone."""

import csv
import resource
from pathlib import Path

import pytest

from app.imports.report import HEADING, ReportLine, UnwritableReport, open_report


def test_a_report_is_rows_for_a_spreadsheet_and_private(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text("what was there before")
    path.chmod(0o644)
    with open_report(path) as report:
        report.add(ReportLine(2, "issued", "=HYPERLINK(1)", "ab", "https://x.example"), dry_run=False)
        report.add(ReportLine(3, "refused", faults=("+x is, wrong", '"and" so on')), dry_run=True)
        report.add(ReportLine(4, "created"), dry_run=True)
        assert len(path.read_text().splitlines()) == 4  # each row is there at once
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open(newline="") as file:
        heading, *rows = csv.reader(file)
    assert tuple(heading) == HEADING
    assert rows == [
        ["2", "issued", "'=HYPERLINK(1)", "ab", "https://x.example", ""],
        ["3", "refused", "", "", "", '\'+x is, wrong; "and" so on'],
        ["4", "would be created", "", "", "", ""],
    ]


def test_a_full_disk_is_told_as_the_report_s(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_report(tmp_path / "report.csv") as report:
        report.add(ReportLine(2, "created"), dry_run=False)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        try:
            with pytest.raises(UnwritableReport, match="report cannot be written"):
                report.add(ReportLine(3, "refused", faults=("long " * 100,)), dry_run=False)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
