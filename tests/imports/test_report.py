"""The report is safe to open, and readable by its owner alone."""

import csv
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.imports.report import HEADING, ReportLine, open_report, safe_cell

EXECUTED = tuple("=+-@\t\r\n＝＋－＠")


@given(st.text(alphabet=st.characters() | st.sampled_from(EXECUTED)))
def test_no_cell_is_executed_and_nothing_is_lost(text: str) -> None:
    cell = safe_cell(text)
    assert not cell.startswith(EXECUTED)
    assert text in (cell, cell.removeprefix("'"))


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
