"""A BadgeClass of Open Badges 2.0 (and 2.1) read as the content of an achievement. PURE.

BadgeClasses are read as platforms write them: what JSON-LD lets be one or several may be either, and a member that is
null or empty is one that is not given. Nothing is dropped in silence and nothing is made up:

- What Open Badges 2.0 does not allow is refused, with its place.
- What is sound and has no place here is named in a notice.
- A BadgeClass has no rubric and an achievement needs one: one criterion with two levels stands in, and a notice says so.

Specification: Open Badges 2.0 (Final), BadgeClass, Criteria, Image, AlignmentObject, Profile. Open Badges 3.0 is not
backward compatible, so the draft is a new achievement. Its `other_identifiers` hold the id of the BadgeClass, and pages and
badges show it. Rejected: a `related` entry of type BadgeClass (Open Badges 3.0 Implementation Guide), which would say the same
and need a member of our API that nothing else uses.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes

from app.errors import Fault, InvalidInput
from app.openbadges.datatypes import IRI_PATTERN, LANGUAGE_PATTERN, URL_PATTERN
from app.openbadges.open_badges_2 import CONTEXT
from app.openbadges.test_mark import PREFIX
from app.strict_json import escape_pointer

STAND_IN_RUBRIC: Mapping[str, Any] = {
    "criteria": [
        {
            "key": "criteria",
            "name": "Meets the criteria",
            "levels": [{"key": "not-met", "name": "Not met"}, {"key": "met", "name": "Met"}],
            "passing_level": "met",
        }
    ]
}
"""The rubric of a draft whose BadgeClass has none: it says no more than that the criteria are met."""

MAX_REPORTED = 100
"""Most faults or notices of one BadgeClass."""

_MAX_IDENTIFIER = 300
_TYPES = ("BadgeClass", "https://w3id.org/openbadges#BadgeClass", "obi:BadgeClass")
_OTHER_TYPES = {
    "Assertion": ("is an Assertion, which is one award", "send its `badge`: the object, or what is published there"),
    "Issuer": ("is an issuer's profile", "send a BadgeClass of this issuer"),
    "Profile": ("is an issuer's profile", "send a BadgeClass of this issuer"),
    "Achievement": ("is of Open Badges 3.0", "define the achievement with POST /v1/achievements"),
    "AchievementCredential": ("is a badge of Open Badges 3.0", "define its achievement with POST /v1/achievements"),
    "OpenBadgeCredential": ("is a badge of Open Badges 3.0", "define its achievement with POST /v1/achievements"),
}


class InvalidBadgeClass(InvalidInput):
    """What was sent is not a BadgeClass, or not one that can become an achievement. Pointers lead into what was sent."""

    code: ClassVar[str] = "invalid_badge_class"

    @classmethod
    def at(cls, faults: list[Fault]) -> "InvalidBadgeClass":
        places = ", ".join(dict.fromkeys(fault.pointer or "the whole of it" for fault in faults[:5]))
        return cls(f"The BadgeClass cannot become an achievement: see {places}.", faults=faults[:MAX_REPORTED])


@dataclass(frozen=True, slots=True)
class Notice:
    """What of a BadgeClass did not come along, or what stands in until somebody replaces it.

    `pointer` is a JSON Pointer (RFC 6901) into the BadgeClass; "" is the whole of it.
    """

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class BadgeClassFacts:
    """What a BadgeClass says, in the members of our API.

    `content` is not validated: texts may be too long for it. `sources` leads from pointers into it to pointers into the
    BadgeClass. `content["creator"]` is the embedded issuer; `is_same_organization` tells whether that is ourselves.
    `image_uri` is an address or a data URI.
    """

    content: Mapping[str, Any]
    sources: Mapping[str, str]
    image_uri: str | None
    notices: tuple[Notice, ...]

    def source_of(self, pointer: str) -> str:
        """The place in the BadgeClass that the content at `pointer` comes from."""
        while pointer and pointer not in self.sources:
            pointer = pointer.rpartition("/")[0]
        return self.sources.get(pointer, "")


def read_badge_class(document: object) -> BadgeClassFacts:
    """A parsed BadgeClass as content of an achievement. Raises InvalidBadgeClass with all faults there are.

    The issuer becomes the `creator` where it is embedded as a Profile with an id and a name: then the BadgeClass itself says
    who designed what another organization goes on to award. Where it is an address only, nothing is looked up, because what
    is found there today is not what this BadgeClass says; a notice tells.
    """
    root = _require_badge_class(document)
    reader = _Reader()
    image, caption = _read_image(reader, root["image"])
    tree = {
        "name": reader.text(root["name"], required=True),
        "description": reader.text(root["description"], required=True),
        "achievement_type": _Place("Badge", "/type"),
        "criteria": _read_criteria(reader, root["criteria"]),
        "tags": [tag for item in root["tags"].items() if (tag := reader.text(item))],
        "in_language": _read_language(reader, root["@language"]),
        "image_caption": caption,
        "creator": _read_creator(reader, root["issuer"]),
        "alignments": _read_alignments(reader, root["alignment"]),
        "other_identifiers": _read_identifiers(reader, root["id"]),
        "rubric": STAND_IN_RUBRIC,
    }
    reader.note_rest(root, "@context type id name description image criteria alignment tags issuer @language")
    if reader.faults:
        raise InvalidBadgeClass.at(reader.faults)
    sources = {"/criteria": "/criteria", "/tags": "/tags", "/alignments": "/alignment", "/creator": "/issuer"}
    content = _settle(tree, "", sources)
    stand_in = (
        "A BadgeClass has no rubric. A single criterion, “Meets the criteria”, with the levels Not met and Met stands in; "
        "replace it before publishing."
    )
    return BadgeClassFacts(content, sources, image.value if image else None, (Notice("", stand_in), *reader.told()))


def is_same_organization(creator: Mapping[str, Any], issuer: Mapping[str, Any]) -> bool:
    """Whether a creator (as read) is the issuer (an Open Badges 3.0 Profile): by an id, the address or the name."""
    ids = {issuer["id"], *(entry["identifier"] for entry in issuer.get("otherIdentifier", ()))}
    name = issuer.get("name", "").removeprefix(PREFIX)
    return (
        creator["id"] in ids
        or creator["name"].strip().casefold() == name.strip().casefold()
        or ("url" in creator and creator["url"].rstrip("/") == issuer.get("url", "").rstrip("/"))
    )


def decode_data_uri(uri: str) -> bytes:
    """The bytes in a data URI (RFC 2397), in base64 or percent-encoded. Raises ValueError."""
    head, comma, data = uri.partition(",")
    if not comma or not head.lower().startswith("data:"):
        raise ValueError("is not a data URI")
    plain = unquote_to_bytes(data)
    if not head.lower().endswith(";base64"):
        return plain
    try:
        return base64.b64decode(b"".join(plain.split()), validate=True)
    except binascii.Error:
        raise ValueError("is not base64") from None


@dataclass(frozen=True, slots=True)
class _Place:
    """A value of the BadgeClass, and the pointer to it."""

    value: Any
    pointer: str

    def __getitem__(self, name: str) -> "_Place":
        """A member; one that is not there has the value None."""
        return _Place(self.value.get(name), f"{self.pointer}/{escape_pointer(name)}")

    @property
    def is_given(self) -> bool:
        """Platforms export null and empty values for what was left blank."""
        return self.value not in (None, [], {}) and not (isinstance(self.value, str) and not self.value.strip())

    def items(self) -> Iterator["_Place"]:
        """One value or an array of them: JSON-LD makes no difference."""
        if not isinstance(self.value, list):
            yield self
            return
        for position, value in enumerate(self.value):
            yield _Place(value, f"{self.pointer}/{position}")


class _Reader:
    """Reads values of the types they must have, and collects what is wrong and what is left behind."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._notices: list[Notice] = []

    def refuse(self, place: _Place, detail: str, cure: str) -> None:
        self.faults.append(Fault(place.pointer, detail, cure))

    def note(self, place: _Place, detail: str) -> None:
        self._notices.append(Notice(place.pointer, detail))

    def told(self) -> list[Notice]:
        """The notices; of very many the first, and how many more there are."""
        more = len(self._notices) - MAX_REPORTED
        last = [Notice("", f"{more} more members were not carried over.")] if more > 0 else []
        return [*self._notices[:MAX_REPORTED], *last]

    def text(self, place: _Place, *, required: bool = False) -> _Place | None:
        if not place.is_given:
            if required:
                self.refuse(place, "is missing", "add it")
            return None
        if isinstance(place.value, str):
            return place
        self.refuse(place, "must be text", "write it in quotes, in one language")
        return None

    def one(self, place: _Place) -> _Place | None:
        """The one value at a place: text or an object."""
        values = [item for item in place.items() if item.is_given]
        if len(values) == 1 and isinstance(values[0].value, str | dict):
            return values[0]
        if values:
            self.refuse(place, "must be one address or one object", "give one")
        return None

    def objects(self, place: _Place) -> Iterator[_Place]:
        for item in place.items():
            if isinstance(item.value, dict):
                if any(item[name].is_given for name in item.value):
                    yield item
            elif item.is_given:
                self.refuse(item, "must be an object", "put it in braces")

    def note_rest(self, place: _Place, known: str) -> None:
        """Name every member that is not one of the known ones."""
        for name in place.value:
            if name not in known.split() and place[name].is_given:
                self.note(place[name], "is not carried over: an achievement has no such member here")


def _require_badge_class(document: object) -> _Place:
    """Refuse everything else, and say what it is. Raises InvalidBadgeClass."""
    if not isinstance(document, dict):
        raise InvalidBadgeClass.at([Fault("", "is not a JSON object", "send one BadgeClass, several one by one")])
    root = _Place(document, "")
    types = [item.value for item in root["type"].items() if isinstance(item.value, str)]
    others = [_OTHER_TYPES[type_] for type_ in types if type_ in _OTHER_TYPES]
    if others:
        raise InvalidBadgeClass.at([Fault("/type", *others[0])])
    if not set(types) & set(_TYPES):
        raise InvalidBadgeClass.at(
            [Fault("/type", "is not BadgeClass", 'send a BadgeClass, with "type": "BadgeClass"')]
        )
    contexts = [item.value for item in root["@context"].items() if isinstance(item.value, str)]
    if root["@context"].is_given and not any(CONTEXT.fullmatch(context) for context in contexts):
        cure = 'BadgeClasses of 2.0 have "@context": "https://w3id.org/openbadges/v2"'
        raise InvalidBadgeClass.at([Fault("/@context", "is not that of Open Badges 2.0", cure)])
    return root


def _read_criteria(reader: _Reader, place: _Place) -> dict[str, _Place | None] | None:
    given = reader.one(place)
    if given is None:
        if not place.is_given:
            reader.refuse(place, "is missing", 'add the address of the criteria, or {"narrative": "…"}')
        return None
    address, narrative = _read_criteria_members(reader, given)
    if address is not None and not re.fullmatch(URL_PATTERN, address.value):
        if narrative is None:
            reader.refuse(address, "is not an http(s) address", 'give a text as {"narrative": "…"}')
            return None
        reader.note(address, "is not an http(s) address, so it is not carried over")
        address = None
    if narrative is None:
        if address is None:
            if not (given["id"].is_given or given["narrative"].is_given):
                reader.refuse(given, "has neither id nor narrative", "add one of them")
            return None
        narrative = _Place(f"The criteria are published at <{address.value}>.", address.pointer)
        reader.note(
            address,
            "The criteria are given by their address only. A sentence with the address stands in for the narrative; replace "
            "it with the criteria before publishing.",
        )
    return {"narrative": narrative, "id": address}


def _read_criteria_members(reader: _Reader, given: _Place) -> tuple[_Place | None, _Place | None]:
    if isinstance(given.value, str):
        return given, None
    reader.note_rest(given, "type id narrative")
    return reader.text(given["id"]), reader.text(given["narrative"])


def _read_image(reader: _Reader, place: _Place) -> tuple[_Place | None, _Place | None]:
    """Where the picture is, and its caption."""
    given = reader.one(place)
    if given is None or isinstance(given.value, str):
        return given, None
    reader.note_rest(given, "type id caption")
    return reader.text(given["id"]), reader.text(given["caption"])


def _read_language(reader: _Reader, place: _Place) -> _Place | None:
    text = reader.text(place)
    if text is None:
        return None
    first, *rest = re.split("[-_]", text.value.strip())
    tag = "-".join([first.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)])
    if re.fullmatch(LANGUAGE_PATTERN, tag):
        return _Place(tag, text.pointer)
    reader.note(text, "is not a language like en or pt-BR, so it is not carried over")
    return None


def _read_creator(reader: _Reader, place: _Place) -> dict[str, _Place | None] | None:
    given = reader.one(place)
    if given is None:
        return None
    if isinstance(given.value, str):
        reader.note(given, "The issuer is given by its address only and is not carried over. If it is another "
                           "organization than you, name it as creator.")  # fmt: skip
        return None
    name, id_ = reader.text(given["name"]), reader.text(given["id"])
    if name is None or id_ is None:
        reader.note(given, "The issuer has no name or no id and is not carried over.")
        return None
    reader.note_rest(given, "@context type id name url description email telephone image")
    image, _ = _read_image(reader, given["image"])
    if image is not None and not re.fullmatch(URL_PATTERN, image.value):
        reader.note(image, "is not an http(s) address, so it is not carried over")
        image = None
    members = {"url": "url", "description": "description", "email": "email", "phone": "telephone"}
    others = {ours: reader.text(given[theirs]) for ours, theirs in members.items()}
    return {"id": id_, "name": name, **others, "image": image}


def _read_alignments(reader: _Reader, place: _Place) -> list[dict[str, _Place | None]]:
    alignments = []
    for item in reader.objects(place):
        reader.note_rest(item, "type targetName targetUrl targetDescription targetFramework targetCode")
        alignments.append(
            {
                "target_name": reader.text(item["targetName"], required=True),
                "target_url": reader.text(item["targetUrl"], required=True),
                "target_code": reader.text(item["targetCode"]),
                "target_description": reader.text(item["targetDescription"]),
                "target_framework": reader.text(item["targetFramework"]),
            }
        )
    return alignments


def _read_identifiers(reader: _Reader, place: _Place) -> list[dict[str, Any]]:
    id_ = reader.text(place)
    if id_ is None:
        reader.note(place, "The BadgeClass has no id, so nothing in the draft leads back to it.")
        return []
    if len(id_.value) > _MAX_IDENTIFIER or not re.fullmatch(IRI_PATTERN, id_.value):
        reader.note(id_, f"is not an absolute IRI of at most {_MAX_IDENTIFIER} characters, so it is not carried over")
        return []
    return [{"identifier": id_, "identifier_type": "identifier"}]


def _settle(tree: Any, pointer: str, sources: dict[str, str]) -> Any:
    """The tree with values for places, without what is not given; `sources` learns where each value comes from."""
    if isinstance(tree, _Place):
        sources[pointer] = tree.pointer
        return tree.value
    if isinstance(tree, Mapping):
        settled = {name: _settle(value, f"{pointer}/{name}", sources) for name, value in tree.items()}
        return {name: value for name, value in settled.items() if value not in (None, [])}
    if isinstance(tree, list):
        return [_settle(value, f"{pointer}/{position}", sources) for position, value in enumerate(tree)]
    return tree
