"""The types that bodies of our own API are made of: strict, closed, with text that every canonicalizer reads alike."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

from app.openbadges.datatypes import IRI_PATTERN, URL_PATTERN

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)

_FORBIDDEN_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def format_moment(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _rfc_3339_text(value: object) -> object:
    # Pydantic alone would also take numbers, as seconds or milliseconds by their size.
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC_3339.fullmatch(value)):
        return value
    raise ValueError("must be a time as of RFC 3339 with its offset, like 2026-04-09T14:00:00Z")


def require_plausible(moment: datetime) -> datetime:
    """Raises ValueError outside EARLIEST to LATEST: near the ends of the calendar a change of time zone leaves it."""
    if not EARLIEST <= moment <= LATEST:
        raise ValueError(f"must lie between {format_moment(EARLIEST)} and {format_moment(LATEST)}")
    return moment


class NoticeOut(BaseModel):
    pointer: str = Field(description="JSON Pointer (RFC 6901) into what was imported.", examples=["/issuer"])
    detail: str


class Body(BaseModel):
    """Base of every request body: an unknown member is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _plain_text(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if found := _FORBIDDEN_CONTROL.search(text):
        raise ValueError(
            f"control character U+{ord(found[0]):04X} at position {found.start()}: only line feed and tab are allowed, "
            "remove it (word processors leave U+000B for a line break)"
        )
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("must be one line")
    return text.strip()


Line = Annotated[
    str, StringConstraints(min_length=1, max_length=300), AfterValidator(_plain_text), AfterValidator(_one_line)
]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=10_000), AfterValidator(_plain_text)]

_KEY = r"^[a-z0-9][a-z0-9-]{0,62}$"
_EXTERNAL_ID = r"^[\x21-\x3f\x41-\x7e]+$"
_EMAIL = r"^[^\s@<>\"(),:;\\\x00-\x20\x7f]{1,64}@[A-Za-z0-9.-]{1,189}\.[A-Za-z0-9-]{2,63}$"
_DID = r"^did:[a-z0-9]+:[A-Za-z0-9._:%-]{1,500}$"

FORMS = {
    _KEY: "lower-case letters, digits and hyphens, at most 63, like data-conversation",
    _EXTERNAL_ID: "visible ASCII characters without @, at most 200, like row-17",
    _EMAIL: "one e-mail address without a name, like ada@example.org",
    _DID: "a DID, like did:web:badges.example.org",
    URL_PATTERN: "a web address, like https://example.org/evidence/17",
    IRI_PATTERN: "an absolute IRI, like https://example.org/17 or urn:uuid:…",
}
"""What the patterns ask for, in words."""

Key = Annotated[str, StringConstraints(pattern=_KEY)]
ExternalId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=_EXTERNAL_ID),
    Field(
        description="Your own id of the object, unique per issuer: 1 to 200 visible ASCII characters. It is stored in the "
        "clear, so it must not be an e-mail address: @ is refused.",
        examples=["row-17"],
    ),
]
Url = Annotated[str, StringConstraints(pattern=URL_PATTERN, max_length=2_000)]
Iri = Annotated[str, StringConstraints(pattern=IRI_PATTERN, max_length=2_000)]
Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=_EMAIL),
    Field(examples=["ada.example@schools.example.org"]),
]
Did = Annotated[str, StringConstraints(pattern=_DID)]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_rfc_3339_text),
    AfterValidator(require_plausible),
    PlainSerializer(format_moment, return_type=str),
    Field(examples=["2026-04-09T14:00:00Z"]),
]
