"""A registry of known issuers, in the format of the Digital Credentials Consortium. PURE.

`{"meta": …, "registry": {did: {"name": …, "location": …, "url": …}}}`. That an issuer is in it says who somebody believes it to
be, never that a badge is valid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.strict_json import MalformedDocument
from app.verification.members import object_of, text_of


@dataclass(frozen=True, slots=True)
class Listing:
    """What a registry says of an issuer. "unavailable": the registry could not be had. The rest is None where it says nothing."""

    registry: str
    status: Literal["known", "unknown", "unavailable"]
    name: str | None = None
    location: str | None = None
    url: str | None = None


def read_registry(document: object) -> Mapping[str, Mapping[str, Any]]:
    """Its entries by the id of the issuer. Raises MalformedDocument."""
    entries = document.get("registry") if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        raise MalformedDocument("This is not a registry: it has no object `registry`.")
    return {issuer: object_of(entry) for issuer, entry in entries.items()}


def look_up(name: str, entries: Mapping[str, Mapping[str, Any]], issuer: str) -> Listing:
    """What the registry `name` says. An issuer is known by its id alone, letter for letter."""
    entry = entries.get(issuer)
    if entry is None or not issuer:
        return Listing(name, "unknown")
    said = (text_of(entry.get(member)) or None for member in ("name", "location", "url"))
    return Listing(name, "known", *said)
