"""JSON as this service reads it: I-JSON (RFC 7493), and nothing that two readers could understand differently.

Refused, each with its place and a cure: text that is not UTF-8, a byte order mark, syntax errors, a member name given
twice, NaN and Infinity, numbers a double cannot hold (and integers beyond 2^53 - 1, which JavaScript rounds), unpaired
surrogates, U+0000, and nesting too deep to walk safely.

What a signature covers is decided after parsing, so a document that parses in two ways must not be parsed at all.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, NoReturn

from app.errors import Fault, InvalidInput

JSON = dict[str, "JSON"] | list["JSON"] | str | int | float | bool | None

MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1
MAX_SIGNIFICANT_DIGITS = 17  # the most that any double needs to be written exactly enough to read back
MAX_FAULTS = 20

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# A string is matched whole, closed or not, so that the scan never goes back: its time is linear in the text.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


class MalformedDocument(InvalidInput):
    """The bytes are not JSON that every reader understands alike. `faults` say where and why."""

    code: ClassVar[str] = "malformed_json"


def loads(data: bytes, *, max_depth: int = MAX_DEPTH) -> JSON:
    """Parse UTF-8 JSON `data` whose arrays and objects nest at most `max_depth` deep.

    Raises MalformedDocument; its faults carry a JSON Pointer, or name line and column where there is no document yet.
    """
    text = _decode(data)
    _require_depth(text, max_depth)
    try:
        document = json.loads(
            text,
            object_pairs_hook=_read_object,
            parse_int=_read_integer,
            parse_float=_read_float,
            parse_constant=_read_constant,
        )
    except json.JSONDecodeError as error:
        _refuse_text(f"Syntax error at line {error.lineno}, column {error.colno}: {error.msg}.", "Send valid JSON.")
    faults = list(islice(_list_faults(document), MAX_FAULTS))
    if faults:
        raise MalformedDocument("The JSON cannot be read unambiguously.", faults=faults)
    return document  # type: ignore[no-any-return]


def _decode(data: bytes) -> str:
    if data.startswith(_BYTE_ORDER_MARKS):
        _refuse_text("The text starts with a byte order mark (line 1, column 1).", "Send UTF-8 without it.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        _refuse_text(f"The byte at line {line}, column {column} is not UTF-8.", "Encode the text as UTF-8.")


def _require_depth(text: str, max_depth: int) -> None:
    """Count brackets outside strings before parsing: the parser recurses, this does not."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        mark = text[match.start()]
        if mark in "[{":
            depth += 1
            if depth > max_depth:
                line, column = _line_and_column(text, match.start())
                _refuse_text(
                    f"Arrays and objects nest more than {max_depth} deep at line {line}, column {column}.",
                    "Flatten the document.",
                )
        elif mark in "]}":
            depth -= 1


def _line_and_column(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _refuse_text(detail: str, cure: str) -> NoReturn:
    raise MalformedDocument(detail, faults=[Fault("", detail, cure)], cure=cure)


# The parser's hooks know a value and not its place; the walk afterwards knows the place. So the hooks leave marks.


@dataclass(frozen=True, slots=True)
class _Refused:
    detail: str
    cure: str


class _Ambiguous(dict[str, Any]):
    """An object in which `repeated` member names were given more than once."""

    repeated: list[str]


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    ambiguous = _Ambiguous(members)
    ambiguous.repeated = list(dict.fromkeys(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
    return ambiguous


def _read_integer(text: str) -> int | _Refused:
    # The length is looked at first: int() takes quadratic time, and raises beyond 4,300 digits.
    if len(text) <= len(str(-MAX_INTEGER)) and abs(value := int(text)) <= MAX_INTEGER:
        return value
    return _Refused(f"The integer is beyond ±{MAX_INTEGER}.", "Send it as a string.")


def _read_float(text: str) -> float | _Refused:
    value = float(text)
    digits = re.split("[eE]", text)[0].lstrip("-").replace(".", "").strip("0")
    if not math.isfinite(value) or (value == 0 and digits):
        return _Refused("The number is outside the range of a double.", "Send it as a string.")
    if len(digits) > MAX_SIGNIFICANT_DIGITS:
        return _Refused("The number has more digits than a double can hold.", "Round it, or send it as a string.")
    return value


def _read_constant(text: str) -> _Refused:
    return _Refused(f"{text} is not JSON.", "Leave the member out, or send a number.")


def _list_faults(value: Any, pointer: str = "") -> Iterator[Fault]:
    """In the order of the document. Nothing is kept or made for a value without a fault: there may be millions of them."""
    if isinstance(value, str):
        if _UNWRITABLE.search(value):
            yield Fault(pointer, "The text holds U+0000 or an unpaired surrogate.", "Remove the character.")
    elif isinstance(value, _Refused):
        yield Fault(pointer, value.detail, value.cure)
    elif isinstance(value, dict):
        yield from _list_name_faults(pointer, value)
        for name, member in value.items():
            if _may_have_faults(member):
                yield from _list_faults(member, f"{pointer}/{escape_pointer(name)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if _may_have_faults(item):
                yield from _list_faults(item, f"{pointer}/{index}")


def _may_have_faults(value: Any) -> bool:
    if isinstance(value, str):
        return _UNWRITABLE.search(value) is not None
    return bool(value) and isinstance(value, dict | list | _Refused)


def _list_name_faults(pointer: str, members: dict[str, Any]) -> Iterator[Fault]:
    for name in members:
        if _UNWRITABLE.search(name):
            yield Fault(pointer, "A member name holds U+0000 or an unpaired surrogate.", "Rename the member.")
    if isinstance(members, _Ambiguous):
        for name in members.repeated:
            yield Fault(f"{pointer}/{escape_pointer(name)}", "The member is given more than once.", "Keep one of them.")


def escape_pointer(name: str) -> str:
    """`name` as a reference token of a JSON Pointer (RFC 6901 §3)."""
    return name.replace("~", "~0").replace("/", "~1")
