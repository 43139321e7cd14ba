"""Text for the cells of CSV files that people open in a spreadsheet. PURE."""

_EXECUTED = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a formula begins with, also in the full-width form that some spreadsheets take for the same."""


def safe_cell(text: str) -> str:
    """The text as a cell that no spreadsheet executes: an apostrophe before what looks like a formula."""
    return f"'{text}" if text.startswith(_EXECUTED) else text
