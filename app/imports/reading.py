"""Rows from a file: CSV (comma, semicolon or tab) or JSON (an object a line, or an array of objects).

Files come out of spreadsheets and registries, so they are read with suspicion. What makes the whole file doubtful (its
encoding, a NUL, a heading that names a column twice) refuses it before a single row is taken. What is wrong with one row is that
row's fault: the others go on. Nothing is held in memory but the row at hand; an array of objects is read whole.
"""

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from app import strict_json
from app.errors import Fault, InvalidInput
from app.strict_json import MalformedDocument

MAX_BYTES = 256 * 1024 * 1024
MAX_ROWS = 100_000
MAX_LINE_BYTES = 1024 * 1024
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""Of a file that is one JSON document and not lines."""

Form = Literal["csv", "lines", "document"]
Delimiter = Literal[",", ";", "\t"]
DELIMITERS: tuple[Delimiter, ...] = (",", ";", "\t")

_UTF_8_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_FORMULA_MARKS = ("=", "+", "-", "@")
_SPREADSHEET_ERRORS = {"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!"}
_SAVE_AS_UTF_8 = (
    "Save it as UTF-8: in Excel 'CSV UTF-8 (comma delimited)', in LibreOffice the character set 'Unicode (UTF-8)'."
)


class UnreadableFile(InvalidInput):
    """The file as a whole cannot be read, or not with certainty. Nothing of it was taken."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `line` is the line of the file it begins on, from 1, or its place in a JSON array.

    `fields` are cells of text by the name of their column (empty ones left out), or the members of a JSON object.
    """

    line: int
    fields: Mapping[str, Any]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of a file once all of it has been looked at. `columns` are those of a CSV file."""

    form: Form
    rows: int
    digest: str
    columns: tuple[str, ...] = ()
    delimiter: Delimiter = ","
    is_cut_off: bool = False
    """The last line has no end: it may be half a row."""


def inspect(stream: BinaryIO, *, delimiter: Delimiter | None = None) -> Sheet:
    """Look through a seekable file once, to its end. Raises UnreadableFile."""
    digest, last = _measure(stream)
    form = _form_of(stream)
    sheet = Sheet(form, 0, digest, is_cut_off=form != "document" and last != b"\n")
    if form == "csv":
        columns, delimiter = _read_heading(stream, delimiter)
        sheet = Sheet("csv", 0, digest, columns, delimiter, sheet.is_cut_off)
    count = 0
    for count, row in enumerate(read_rows(stream, sheet), start=1):
        if count > MAX_ROWS:
            raise UnreadableFile(f"The file has more than {MAX_ROWS} rows (line {row.line}).", cure="Split it.")
    if count == 0:
        raise UnreadableFile("The file has no rows.", cure="Give one row for each award, person or achievement.")
    return Sheet(form, count, digest, sheet.columns, sheet.delimiter, sheet.is_cut_off)


def read_rows(stream: BinaryIO, sheet: Sheet) -> Iterator[Row]:
    """The rows of an inspected file, from its beginning."""
    if sheet.form == "csv":
        return _read_csv(stream, sheet)
    return _read_lines(stream) if sheet.form == "lines" else _read_document(stream)


def _measure(stream: BinaryIO) -> tuple[str, bytes]:
    """The SHA-256 of the whole file and its last byte."""
    stream.seek(0)
    size, last, digest = 0, b"", hashlib.sha256()
    while chunk := stream.read(1024 * 1024):
        size, last = size + len(chunk), chunk[-1:]
        if size > MAX_BYTES:
            raise UnreadableFile(f"The file is larger than {MAX_BYTES // 1024 // 1024} MiB.", cure="Split it.")
        digest.update(chunk)
    return digest.hexdigest(), last


def _form_of(stream: BinaryIO) -> Form:
    """By the first character. JSON that does not begin with an object on a line of its own is one document."""
    stream.seek(0)
    head = stream.read(4096)
    for mark, encoding in _OTHER_MARKS.items():
        if head.startswith(mark):
            raise UnreadableFile(f"The file is {encoding}, not UTF-8.", cure=_SAVE_AS_UTF_8)
    text = head.removeprefix(_UTF_8_MARK).lstrip()
    if text[:1] == b"[":
        return "document"
    if text[:1] != b"{":
        return "csv"
    if text.split(b"\n")[0].strip() == b"{":
        return "document"  # an object over several lines
    return "lines"


def _lines(stream: BinaryIO) -> Iterator[str]:
    """The lines of a UTF-8 file with their ends, without its byte order mark."""
    stream.seek(0)
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number == 1:
            raw = raw.removeprefix(_UTF_8_MARK)
        if len(raw) > MAX_LINE_BYTES:
            detail = f"Line {number} is longer than {MAX_LINE_BYTES // 1024} KiB."
            raise UnreadableFile(detail, cure="End lines with LF or CR LF, and refer to what is large by its URL.")
        if (nul := raw.find(b"\0")) >= 0:
            detail = f"Line {number} has a NUL at byte {nul + 1}: this is not a text file, or it is damaged."
            raise UnreadableFile(detail, cure=_SAVE_AS_UTF_8)
        try:
            yield raw.decode()
        except UnicodeDecodeError as error:
            detail = f"Line {number} is not UTF-8: byte {error.start + 1} is 0x{raw[error.start]:02X}."
            raise UnreadableFile(detail, cure=_SAVE_AS_UTF_8) from None


# CSV (RFC 4180)


def _read_heading(stream: BinaryIO, delimiter: Delimiter | None) -> tuple[tuple[str, ...], Delimiter]:
    """The names of the columns ("" where one has none) and what parts them: what the heading has most of."""
    first = next(_lines(stream), "")
    counts = {mark: first.count(mark) for mark in DELIMITERS}
    chosen: Delimiter = delimiter if delimiter is not None else max(counts, key=counts.__getitem__)
    try:
        columns = tuple(name.strip() for name in next(csv.reader([first], delimiter=chosen, strict=True), []))
    except csv.Error as error:
        detail = f"The heading (line 1) is not CSV: {error}."
        raise UnreadableFile(detail, cure="Name the columns on one line, and end lines with LF or CR LF.") from None
    named = [name for name in columns if name]
    if not named:
        raise UnreadableFile("The first line names no column.", cure="Begin with a line of column names.")
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise UnreadableFile(f"The heading names a column twice: {', '.join(twice)}.", cure="Give each its own name.")
    return columns, chosen


def _read_csv(stream: BinaryIO, sheet: Sheet) -> Iterator[Row]:
    # strict: what would be guessed otherwise (text after a closing quote, a quote that never closes) is an error.
    reader = csv.reader(_lines(stream), delimiter=sheet.delimiter, strict=True)
    next(reader)
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            through = f" (through line {reader.line_num})" if reader.line_num > first else ""
            cure = "close each quoted cell, and write a quote inside it twice"
            yield Row(first, {}, (Fault("", f"is not CSV{through}: {error}", cure),))
            continue
        if any(cell.strip() for cell in cells):
            yield _row_of(first, cells, sheet.columns)


def _row_of(line: int, cells: list[str], columns: tuple[str, ...]) -> Row:
    if len(cells) != len(columns):
        detail = f"has {len(cells)} cells, the heading has {len(columns)}"
        return Row(line, {}, (Fault("", detail, "is the row cut off, or a delimiter inside a cell not quoted?"),))
    fields, faults = {}, []
    for column, cell in zip(columns, cells, strict=True):
        text = cell.strip()
        if not text or not column:
            continue
        if fault := _cell_fault(column, text):
            faults.append(fault)
        is_escaped = text.startswith("'") and text[1:2] in _FORMULA_MARKS
        fields[column] = text[1:] if is_escaped else text
    return Row(line, fields, tuple(faults))


def _cell_fault(column: str, text: str) -> Fault | None:
    """A formula was never meant as a value. What only looks like one (+1, - item) is for its field to judge."""
    if text.startswith(("=", "@")):
        cure = "export the value; if it is meant as it stands, write an apostrophe before it"
        return Fault(pointer_to(column), "is a formula of a spreadsheet", cure)
    if text in _SPREADSHEET_ERRORS:
        return Fault(pointer_to(column), f"is an error of a spreadsheet ({text})", "mend the spreadsheet")
    return None


def pointer_to(name: str) -> str:
    """The JSON Pointer (RFC 6901) of a column or member."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


# JSON that every reader understands alike


def _read_lines(stream: BinaryIO) -> Iterator[Row]:
    for number, line in enumerate(_lines(stream), start=1):
        if line.strip():
            yield _read_object(number, line)


def _read_object(number: int, line: str) -> Row:
    try:
        value = strict_json.loads(line.strip().encode())
    except MalformedDocument as error:
        detail = error.detail.replace(" line 1,", "").removesuffix(".")
        faults = error.faults or (Fault("", f"is not JSON: {detail}", "is the row cut off?"),)
        return Row(number, {}, faults)
    if not isinstance(value, dict):
        return Row(number, {}, (Fault("", "is not a JSON object", "write one object on each line"),))
    return Row(number, value)


def _read_document(stream: BinaryIO) -> Iterator[Row]:
    stream.seek(0)
    data = stream.read(MAX_DOCUMENT_BYTES + 1).removeprefix(_UTF_8_MARK)
    if len(data) > MAX_DOCUMENT_BYTES:
        detail = f"The file is one JSON document of more than {MAX_DOCUMENT_BYTES // 1024 // 1024} MiB."
        raise UnreadableFile(detail, cure="Write one object on each line (JSON lines).")
    try:
        value = strict_json.loads(data)
    except MalformedDocument as error:
        raise UnreadableFile(error.detail, cure=error.cure, faults=error.faults) from None
    for place, item in enumerate(value if isinstance(value, list) else [value], start=1):
        if isinstance(item, dict):
            yield Row(place, item)
        else:
            yield Row(place, {}, (Fault("", "is not a JSON object", "put objects into the array"),))
