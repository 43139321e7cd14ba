"""One range of bytes of what is downloaded (RFC 9110 section 14). PURE."""

import re
from collections.abc import Mapping

from app.errors import InvalidInput

_ONE_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)


class RangeNotSatisfiable(InvalidInput):
    """The range has none of the bytes there are: `size` of them."""

    code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"There are {size:,} bytes, and the range that was asked for has none of them.")
        self.size = size


def find_range(headers: Mapping[str, str], *, size: int, etag: str) -> range | None:
    """The offsets of the bytes that a GET asks for; None where all of it is to be sent.

    That is also so, as section 14.2 has it, where the range is malformed, of another unit or one of several; and where `If-Range`
    (section 13.1.5) names anything but `etag`, which stands in its quotes. Raises RangeNotSatisfiable.
    """
    asked = _ONE_RANGE.fullmatch(headers.get("range", ""))
    if asked is None or headers.get("if-range", etag) != etag:
        return None
    first, last = (int(each) if each else None for each in asked.groups())
    if (first is None and last is None) or (first is not None and last is not None and last < first):
        return None
    if first is None:
        found = range(max(size - (last or 0), 0), size)
    else:
        found = range(first, size if last is None else min(size, last + 1))
    if not found:
        raise RangeNotSatisfiable(size)
    return found
