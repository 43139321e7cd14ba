"""Files as they come out of spreadsheets and registries, sound and not."""

import io
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imports import reading
from app.imports.reading import Row, Sheet, UnreadableFile, inspect, read_rows

HEADING = b"external_id,name,email\r\n"
ADA = b"1,Ada,ada@s.example.org\r\n"
BOB = b"2,Bob,bob@s.example.org\r\n"


def look(data: bytes, **options: Any) -> tuple[Sheet, list[Row]]:
    stream = io.BytesIO(data)
    sheet = inspect(stream, **options)
    rows = list(read_rows(stream, sheet))
    assert len(rows) == sheet.rows
    return sheet, rows


def fields(rows: list[Row]) -> list[dict[str, Any]]:
    return [dict(row.fields) for row in rows]


def faults(row: Row) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.detail) for fault in row.faults]


PEOPLE = [
    {"external_id": "1", "name": "Ada", "email": "ada@s.example.org"},
    {"external_id": "2", "name": "Bob", "email": "bob@s.example.org"},
]


@pytest.mark.parametrize(
    "data",
    [
        HEADING + ADA + BOB,
        b"\xef\xbb\xbf" + HEADING + ADA + BOB,
        (HEADING + ADA + BOB).replace(b"\r\n", b"\n"),
        (HEADING + ADA + BOB).replace(b",", b";"),
        (HEADING + ADA + BOB).replace(b",", b"\t"),
        (HEADING + ADA + BOB).removesuffix(b"\r\n"),
        b'"external_id","name","email"\n"1","Ada","ada@s.example.org"\n2, Bob ,bob@s.example.org\n',
        HEADING + b"\r\n,,\r\n" + ADA + b",,\r\n\r\n" + BOB,
        b'{"external_id":"1","name":"Ada","email":"ada@s.example.org"}\n\n'
        b'{"external_id":"2","name":"Bob","email":"bob@s.example.org"}\n',
        b'\xef\xbb\xbf{"external_id":"1","name":"Ada","email":"ada@s.example.org"}\r\n'
        b'{"external_id":"2","name":"Bob","email":"bob@s.example.org"}',
        b' [{"external_id":"1","name":"Ada","email":"ada@s.example.org"},\n'
        b'{"external_id":"2","name":"Bob","email":"bob@s.example.org"}]',
    ],
    ids=[
        "plain",
        "bom",
        "lf",
        "semicolon",
        "tab",
        "no last end",
        "quoted",
        "blank rows",
        "lines",
        "bom lines",
        "array",
    ],
)
def test_the_same_people_however_they_are_written(data: bytes) -> None:
    assert fields(look(data)[1]) == PEOPLE


def test_an_object_over_several_lines_is_one_row() -> None:
    assert fields(look(b'{\n  "name": "Ada"\n}\n')[1]) == [{"name": "Ada"}]


def test_lines_are_those_of_the_file() -> None:
    _, rows = look(HEADING + b'1,"A\r\nda",a@s.example.org\r\n\r\n' + BOB)
    assert [row.line for row in rows] == [2, 5]
    assert rows[0].fields["name"] == "A\r\nda"


def test_a_delimiter_that_is_given_is_not_guessed() -> None:
    data = b"a;b,c,d\n1;2,3,4\n"
    assert look(data)[0].columns == ("a;b", "c", "d")
    assert look(data, delimiter=";")[0].columns == ("a", "b,c,d")


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (HEADING + b"1,Ren\xe9,r@s.example.org\r\n", "Line 2 is not UTF-8: byte 6 is 0xE9."),
        ("external_id,name\n1,Ada\n".encode("utf-16"), "The file is UTF-16, not UTF-8."),
        ("external_id,name\n1,Ada\n".encode("utf-16-be"), "Line 1 has a NUL at byte 1"),
        (HEADING + ADA + b"2,B\0b,b@s.example.org\n", "Line 3 has a NUL at byte 4"),
        (b"", "The first line names no column."),
        (b",,\n1,2,3\n", "The first line names no column."),
        (HEADING, "The file has no rows."),
        (b"name,email,name\n1,2,3\n", "The heading names a column twice: name."),
        (b"name\remail\r1\r2\r", "The heading (line 1) is not CSV"),
        (b'"name,email\n1,2\n', "The heading (line 1) is not CSV"),
        (b'[{"a": 1}, {"a": ]', "Syntax error"),
        (b"[]", "The file has no rows."),
        (HEADING + b"1," + b"x" * reading.MAX_LINE_BYTES + b",a\n", "Line 2 is longer than 1024 KiB."),
    ],
    ids=range(13),
)
def test_what_makes_the_whole_file_doubtful_refuses_it(data: bytes, detail: str) -> None:
    with pytest.raises(UnreadableFile) as raised:
        look(data)
    assert raised.value.detail.startswith(detail)


def test_a_file_has_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 2)
    look(HEADING + ADA + BOB)
    with pytest.raises(UnreadableFile, match="more than 2 rows"):
        look(HEADING + ADA + BOB + ADA)
    monkeypatch.setattr(reading, "MAX_BYTES", len(HEADING + ADA))
    look(HEADING + ADA)
    with pytest.raises(UnreadableFile, match="larger than"):
        look(HEADING + ADA + BOB)


def test_half_a_row_is_a_fault_of_that_row() -> None:
    sheet, [whole, half] = look(HEADING + ADA + b"2,Bo")
    assert whole.faults == ()
    assert faults(half) == [("", "has 2 cells, the heading has 3")]
    assert sheet.is_cut_off
    assert not look(HEADING + ADA)[0].is_cut_off
    _, [whole, half] = look(b'{"name": "Ada"}\n{"name": "Bo')
    assert whole.fields == {"name": "Ada"}
    assert half.faults


def test_a_quote_that_never_closes_spoils_no_row_before_it() -> None:
    _, [ada, bob] = look(HEADING + ADA + b'2,"Bob,bob@s.example.org\r\n3,Cy,cy@s.example.org\r\n')
    assert ada.faults == ()
    assert bob.line == 3
    assert faults(bob) == [("", "is not CSV (through line 4): unexpected end of data")]


def test_what_a_stray_quote_swallows_is_never_taken_by_halves() -> None:
    swallowed = b'2,"Bob,bob@s.example.org\n3,"Cy",cy@s.example.org\n'
    _, [ada, broken, dan] = look(HEADING + ADA + swallowed + b"4,Dan,dan@s.example.org\n")
    assert ada.faults == dan.faults == ()
    assert (broken.line, broken.fields) == (3, {})
    assert "through line 4" in broken.faults[0].detail


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", " =cmd|' /C calc'!A0", "\t=1", "#REF!", "#N/A"])
def test_a_formula_is_no_value(cell: str) -> None:
    _, [row] = look(f'external_id,note\n1,"{cell}"\n'.encode())
    assert [fault.pointer for fault in row.faults] == ["/note"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("'=1+1", "=1+1"), ("'@home", "@home"), ("'-x", "-x"), ("- an item", "- an item"), ("+1 555", "+1 555"),
     ("'tis", "'tis"), ("a=b", "a=b")],
)  # fmt: skip
def test_what_only_looks_like_a_formula_is_taken_as_it_stands(cell: str, value: str) -> None:
    _, [row] = look(f'external_id,note\n1,"{cell}"\n'.encode())
    assert (row.fields["note"], row.faults) == (value, ())


@pytest.mark.parametrize("line", [b"[1]", b'"Ada"', b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b'{"a": "\\ud800"}'])
def test_a_line_that_is_no_object_is_a_fault_of_that_line(line: bytes) -> None:
    _, [ada, other] = look(b'{"name": "Ada"}\n' + line + b"\n")
    assert ada.fields == {"name": "Ada"}
    assert (other.line, other.fields, bool(other.faults)) == (2, {}, True)


@given(st.binary(max_size=200) | st.text(alphabet="a,;\"\n\r\t='{}[]:1", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(UnreadableFile):
        look(data)
