"""Bytes that two readers could understand differently are refused, each with its place; the rest is read as it is."""

import json
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import strict_json
from app.strict_json import JSON, MalformedDocument

REFUSED = {
    "invalid UTF-8": (b'{"a": "\xff"}', "", "line 1, column 8 is not UTF-8"),
    "invalid UTF-8, second line": (b'{\n"a": "\xc3\x28"}', "", "line 2, column 7"),
    "surrogate in UTF-8": (b'"\xed\xa0\x80"', "", "not UTF-8"),
    "byte order mark": (b"\xef\xbb\xbf{}", "", "byte order mark"),
    "UTF-16": ("{}".encode("utf-16"), "", "byte order mark"),
    "nothing": (b"", "", "line 1, column 1"),
    "cut off": (b'{"a":', "", "line 1, column 6"),
    "cut off on the third line": (b'{"a": 1,\n"b": [2,\n3', "", "line 3, column 2"),
    "trailing comma": (b"[1,]", "", "line 1, column"),
    "two documents": (b"{} {}", "", "line 1, column 4"),
    "comment": (b"{} // x", "", "line 1, column 4"),
    "single quotes": (b"{'a': 1}", "", "line 1, column 2"),
    "raw control character": (b'"a\x01"', "", "line 1, column 3"),
    "leading zero": (b"[01]", "", "line 1, column 3"),
    "hexadecimal": (b"[0x1]", "", "line 1, column 3"),
    "name twice": (b'{"a": 1, "a": 1}', "/a", "more than once"),
    "name twice, escaped": (b'{"b": {"a": 1, "\\u0061": 2}}', "/b/a", "more than once"),
    "name twice, far down": (b'[{"x/y~": [{}, {"k": 1, "k": 2}]}]', "/0/x~1y~0/1/k", "more than once"),
    "NaN": (b"[NaN]", "/0", "NaN is not JSON"),
    "Infinity": (b'{"a": Infinity}', "/a", "Infinity is not JSON"),
    "minus Infinity": (b'{"a": -Infinity}', "/a", "-Infinity is not JSON"),
    "overflow": (b"[1, 1e400]", "/1", "range of a double"),
    "underflow": (b"[1e-400]", "/0", "range of a double"),
    "too precise": (b"[0.1000000000000000000001]", "/0", "more digits"),
    "2^53": (b'{"n": 9007199254740992}', "/n", "beyond"),
    "-2^53": (b'{"n": -9007199254740992}', "/n", "beyond"),
    "5,000 digits": (b"[" + b"9" * 5000 + b"]", "/0", "beyond"),
    "lone high surrogate": (b'{"a": "\\ud800"}', "/a", "unpaired surrogate"),
    "lone low surrogate": (b'["x\\udc00x"]', "/0", "unpaired surrogate"),
    "surrogates turned round": (b'["\\udc00\\ud800"]', "/0", "unpaired surrogate"),
    "surrogate in a name": (b'{"a": {"\\ud800": 1}}', "/a", "member name"),
    "U+0000": (b'{"a": ["\\u0000"]}', "/a/0", "U+0000"),
    "U+0000 in a name": (b'{"\\u0000": 1}', "", "member name"),
    "too deep": (b"[" * 65 + b"]" * 65, "", "more than 64 deep at line 1, column 65"),
    "too deep, objects": (b'{"a":\n' * 65 + b"1" + b"}" * 65, "", "line 65, column 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_document_is_refused_with_its_place_and_a_cure(name: str) -> None:
    data, pointer, detail = REFUSED[name]
    with pytest.raises(MalformedDocument) as refused:
        strict_json.loads(data)
    assert refused.value.code == "malformed_json"
    fault = refused.value.faults[0]
    assert fault.pointer == pointer
    assert detail in fault.detail
    assert fault.cure


ACCEPTED: list[tuple[bytes, JSON]] = [
    (b' {"a": [1, -2.5, true, null, "x"]} ', {"a": [1, -2.5, True, None, "x"]}),
    (b"9007199254740991", 9007199254740991),
    (b"-9007199254740991", -9007199254740991),
    (b"-0", 0),
    (b"0.0", 0.0),
    (b"1.000000000000000000000", 1.0),
    (b"1e308", 1e308),
    (b"5e-324", 5e-324),
    (b'"\\ud83c\\udf93"', "🎓"),
    ('"🎓 ü"'.encode(), "🎓 ü"),
    (b'"\\u0001\\n"', "\x01\n"),
    (b'"[[[[{{{{"', "[[[[{{{{"),
    (b'["\\"[", "\\\\", "]"]', ['"[', "\\", "]"]),
    (b'[{"a": 1}, {"a": 1}]', [{"a": 1}, {"a": 1}]),
    (b'{"": 1}', {"": 1}),
]


@pytest.mark.parametrize(("data", "document"), ACCEPTED)
def test_a_good_document_is_read(data: bytes, document: JSON) -> None:
    read = strict_json.loads(data)
    assert read == document
    assert type(read) is type(document)


def test_depth_64_is_accepted() -> None:
    assert strict_json.loads(b"[" * 64 + b"]" * 64)
    assert strict_json.loads(b'"' + b"[" * 100 + b'"', max_depth=0) == "[" * 100
    with pytest.raises(MalformedDocument):
        strict_json.loads(b"[[]]", max_depth=1)


@pytest.mark.parametrize(
    "data",
    [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000, b'"' + b'\\"' * 500_000, b'"' * 999_999],
    ids=["brackets", "braces", "closed brackets", "escaped quotes", "quotes"],
)
@pytest.mark.timeout(60)
def test_hostile_bytes_are_refused_before_long(data: bytes) -> None:
    with pytest.raises(MalformedDocument):
        strict_json.loads(data)


def test_all_faults_are_told_up_to_a_limit() -> None:
    with pytest.raises(MalformedDocument) as refused:
        strict_json.loads(b'{"a": NaN, "b": [1e999, "\\u0000"], "c": 1, "c": 2}')
    assert [fault.pointer for fault in refused.value.faults] == ["/c", "/a", "/b/0", "/b/1"]
    with pytest.raises(MalformedDocument) as refused:
        strict_json.loads(b"[" + b"NaN," * 1000 + b"1]")
    assert len(refused.value.faults) == strict_json.MAX_FAULTS


def test_looking_for_faults_takes_no_room() -> None:
    """What is kept of a document while it is read is the document."""

    def peak(read: Callable[[bytes], object]) -> int:
        tracemalloc.start()
        try:
            read(data)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    data = b"[" + b"{}," * 50_000 + b"{}]"
    assert peak(strict_json.loads) < 1.2 * peak(json.loads) + len(data)


DOCUMENTS = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-strict_json.MAX_INTEGER, strict_json.MAX_INTEGER),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    ),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF)), inner)
    ),
    max_leaves=20,
)


@given(DOCUMENTS, st.booleans())
def test_what_json_writes_is_read_back(document: JSON, ascii_only: bool) -> None:
    assert strict_json.loads(json.dumps(document, ensure_ascii=ascii_only).encode()) == document


@given(st.binary(max_size=60) | st.text('[]{}",:\\ue+-.019 \nNaInfity', max_size=60).map(str.encode))
def test_any_bytes_are_refused_or_read_as_json_reads_them(data: bytes) -> None:
    try:
        document = strict_json.loads(data)
    except MalformedDocument:
        return
    assert document == json.loads(data)
