"""What counts as what in a document in which anything may be anything. PURE."""

import re
from collections.abc import Iterator
from typing import Any

_URL = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`\x00-\x20\x7f-\x9f]+')


def is_url(value: Any) -> bool:
    """VCDM 2.0 §2: a URL, which includes DIDs, URNs and the like."""
    return isinstance(value, str) and _URL.fullmatch(value) is not None


def entries_of(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """One or several: every entry with its pointer."""
    if isinstance(value, list):
        yield from ((f"{pointer}/{index}", entry) for index, entry in enumerate(value))
    else:
        yield pointer, value


def texts_of(value: Any) -> list[str]:
    """The strings of what may be one or several."""
    return [entry for _, entry in entries_of(value, "") if isinstance(entry, str)]


def id_of(value: Any) -> str | None:
    """The URL of a thing that is given by its URL, or as an object with an `id`; None when it has none."""
    found = value.get("id") if isinstance(value, dict) else value
    return found if is_url(found) else None
