"""The form of an export: a JSON object a line, in ASCII; the first is the manifest, the last tells whether all of it is there.

    {"type": "manifest", "format": "assay-issuer-export/1", …}
    {"type": "issuer", …}
    …
    {"type": "end", "records": 1234, "counts": {"issuer": 1, …}, "sha256": "…"}

PURE.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from app.errors import InvalidInput

FORMAT = "assay-issuer-export/1"


class NotAnExport(InvalidInput):
    """The lines are not a whole export of this format."""


class Lines:
    """Writes lines, and the one that ends them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._digest = hashlib.sha256()

    def begin(self, members: Mapping[str, Any]) -> bytes:
        """The manifest."""
        return self._line({"type": "manifest", "format": FORMAT, **members})

    def add(self, type_: str, members: Mapping[str, Any]) -> bytes:
        """A record."""
        self._counts[type_] += 1
        return self._line({"type": type_, **members})

    def end(self) -> bytes:
        """How many records there are, of each type, and the SHA-256 (hex) of all bytes before this line."""
        counts = dict(sorted(self._counts.items()))
        sha256 = self._digest.hexdigest()
        return self._line({"type": "end", "records": self._counts.total(), "counts": counts, "sha256": sha256})

    def _line(self, record: Mapping[str, Any]) -> bytes:
        # ASCII: in some languages' readers other characters end a line too (U+2028).
        line = json.dumps(record, separators=(",", ":"), default=_moment).encode() + b"\n"
        self._digest.update(line)
        return line


def read_records(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The records, the manifest first and without the end. Raises NotAnExport, at the latest where the end should be."""
    counts: Counter[str] = Counter()
    digest = hashlib.sha256()
    end: dict[str, Any] | None = None
    for number, line in enumerate(lines):
        record = _read(line)
        if end is not None or (number == 0) != (record["type"] == "manifest"):
            raise NotAnExport("An export begins with its manifest and ends with its end.")
        if record["type"] == "end":
            end = record
            continue
        digest.update(line)
        if number:
            counts[record["type"]] += 1
        yield record
    if end is None:
        raise NotAnExport("The export was cut off: its last line is missing.")
    if (end.get("counts"), end.get("sha256")) != (dict(counts), digest.hexdigest()):
        raise NotAnExport("The lines are not those that were written.")


def _read(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("type"), str) or not line.endswith(b"\n"):
        raise NotAnExport("A line is not a record.")
    return record


def _moment(value: object) -> str:
    """RFC 3339: a moment in UTC, or a day. Raises TypeError for what is neither: JSON is to hold nothing else."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} cannot be written")
