"""No spreadsheet executes a cell of ours."""

from hypothesis import given
from hypothesis import strategies as st

from app.spreadsheet import safe_cell

EXECUTED = tuple("=+-@\t\r\n＝＋－＠")


@given(st.text(alphabet=st.characters() | st.sampled_from(EXECUTED)))
def test_no_cell_is_executed_and_nothing_is_lost(text: str) -> None:
    cell = safe_cell(text)
    assert not cell.startswith(EXECUTED)
    assert text in (cell, cell.removeprefix("'"))
