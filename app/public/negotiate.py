"""Choosing a representation by the Accept header (RFC 9110 §12.5.1). Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HTML = "text/html"
JSON_TYPES: Sequence[str] = ("application/json", "application/ld+json", "application/vc+ld+json", "application/vc")

# No browser sends more; what follows is not read.
_MOST_CHARACTERS, _MOST_RANGES = 2048, 64
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# Ranges end at a comma, parameters at a semicolon; neither counts inside a quoted string.
_RANGE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_PARAMETER = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*")+')
_MEDIA_RANGE = re.compile(rf"(?!\*/[^*])({_WORD})/({_WORD})")
_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One range of an Accept header: "text/html", "text/*" or "*/*", and its weight (0 to 1)."""

    type: str
    subtype: str
    weight: float

    def specificity(self, media_type: str) -> int:
        """How exactly this range names a media type: 2 the type itself, 1 its family, 0 anything, -1 not at all."""
        kind, _, subtype = media_type.partition("/")
        if (self.type, self.subtype) == (kind, subtype):
            return 2
        if (self.type, self.subtype) == (kind, "*"):
            return 1
        return 0 if (self.type, self.subtype) == ("*", "*") else -1


def parse_accept(accept: str) -> list[MediaRange]:
    """The media ranges of an Accept header; what is not one is skipped, and the header is never an error.

    Parameters other than the weight are left out: no two of our representations differ by a parameter alone, so
    `application/ld+json; profile="…"` asks for application/ld+json.
    """
    return list(_ranges(accept))


def _ranges(accept: str) -> Iterator[MediaRange]:
    for index, found in enumerate(_RANGE.finditer(accept[:_MOST_CHARACTERS])):
        if index == _MOST_RANGES:
            return
        name, *parameters = [part.strip() for part in _PARAMETER.findall(found.group())] or [""]
        media_range = _MEDIA_RANGE.fullmatch(name.lower())
        weight = _weight(parameters)
        if media_range and weight is not None:
            yield MediaRange(media_range[1], media_range[2], weight)


def _weight(parameters: Sequence[str]) -> float | None:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            return float(value) if _WEIGHT.fullmatch(value.strip()) else None
    return 1.0


def negotiate(accept: str | None, offered: Sequence[str]) -> str | None:
    """The media type of `offered` that the client likes best; None when it accepts none of them (406).

    Of types it likes equally the one offered first wins. No header, an empty one, and one without a single readable range
    all mean "anything".
    """
    ranges = parse_accept(accept or "") or [MediaRange("*", "*", 1.0)]
    best: tuple[float, str] | None = None
    for media_type in offered:
        weight = _weight_of(media_type, ranges)
        if weight > 0 and (best is None or weight > best[0]):
            best = weight, media_type
    return best[1] if best else None


def _weight_of(media_type: str, ranges: Sequence[MediaRange]) -> float:
    """The weight of the most specific range that covers a media type; 0 when none does."""
    essence = media_type.partition(";")[0].strip().lower()
    specificity, weight = max((entry.specificity(essence), entry.weight) for entry in ranges)
    return weight if specificity >= 0 else 0.0


def prefers_html(accept: str | None) -> bool:
    """Whether to answer with the page for people.

    A browser says so by name. Whoever accepts anything, or likes JSON as well, is taken for a machine and gets the document.
    """
    return negotiate(accept, [*JSON_TYPES, HTML]) == HTML
