"""Which bytes a `Range` asks for (RFC 9110 section 14)."""

import pytest

from app.web.ranges import RangeNotSatisfiable, find_range

ETAG = '"abc"'


def find(asked: str | None, size: int = 10, **more: str) -> range | None:
    headers = {} if asked is None else {"range": asked}
    return find_range({**headers, **more}, size=size, etag=ETAG)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=0-9", range(10)),
        ("bytes=2-5", range(2, 6)),
        ("bytes=9-9", range(9, 10)),
        ("bytes=4-", range(4, 10)),
        ("bytes=4-999", range(4, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-999", range(10)),
        ("bytes=007-08", range(7, 9)),
        ("BYTES=1-2", range(1, 3)),
    ],
)
def test_one_range_of_bytes(asked: str, wanted: range) -> None:
    assert find(asked) == wanted


@pytest.mark.parametrize(
    "asked",
    [
        None, "", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=1", "bytes=1-2-3", "bytes=--2", "bytes = 1-2",
        "bytes=1-2;", "items=1-2", "bytes=0-1,3-4", "bytes=\u00b2-3", "bytes=\u0661-3", "bytes=+1-2", "bytes=" + "9" * 5000 + "-",
    ],
)  # fmt: skip
def test_what_is_malformed_or_not_served_means_all(asked: str | None) -> None:
    assert find(asked) is None


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-20", "bytes=999999999999999999-", "bytes=-0"])
def test_a_range_with_no_byte_in_it_is_told_the_size(asked: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as told:
        find(asked)
    assert told.value.size == 10


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [(ETAG, range(2, 6)), ('"abd"', None), ('W/"abc"', None), ("abc", None), ("", None),
     ("Wed, 21 Oct 2015 07:28:00 GMT", None)],
)  # fmt: skip
def test_a_range_of_another_file_means_all(condition: str, wanted: range | None) -> None:
    assert find("bytes=2-5", **{"if-range": condition}) == wanted
