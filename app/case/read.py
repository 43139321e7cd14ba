"""A CFPackage as publishers write it, read into CASE 1.1.

What CASE 1.0 has otherwise, and what platforms write beside the standard, is put right where the meaning is beyond doubt
(null or empty is not given, one text is a list of it, a number in quotes is that number), and a notice says so where something
was changed. What is no member of CASE stays with its object under `extensions`. Everything else is refused with its place:
a package is taken whole or not at all, and reading what was read gives it again.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, ClassVar

from app.case.classes import ASSOCIATION_TYPES, CLASSES, EXTENSION, OLDER_VERSIONS, VERSION, Member
from app.errors import Fault, InvalidInput
from app.strict_json import escape_pointer

Package = dict[str, Any]
"""A CFPackage of CASE 1.1 whose every member is of its kind and leads somewhere."""

GUID_PATTERN = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
MAX_REPORTED = 100
"""Most faults or notices of one package."""
MAX_TEXT = 50_000
MAX_URI = 2_000
MAX_LEVELS = 50
"""How deep statements may lie below the document."""

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20\x7f-\x9f]+")
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?P<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_DATE = re.compile(r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?P<time>[Tt ].{1,40})?", re.DOTALL)
_NO_TIME = re.compile(r"[Tt ]00:00(?::00(?:\.0+)?)?(?:[Zz]|[+-]00:?00)?")
_INTEGER = re.compile(r"-?[0-9]{1,10}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,100}")
_OTHER_DOCUMENTS = ("CFDocuments", "CFConcepts", "CFSubjects", "imsx_codeMajor", "achievement", "@context")


class InvalidFramework(InvalidInput):
    """What was sent is not a CFPackage, or not a sound one. Pointers lead into what was sent."""

    code: ClassVar[str] = "invalid_framework"


@dataclass(frozen=True, slots=True)
class Notice:
    """What of a package is not as it was sent. `pointer` is a JSON Pointer (RFC 6901) into what was sent."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReadPackage:
    package: Package
    notices: tuple[Notice, ...]


def read_package(document: object) -> ReadPackage:
    """A parsed CFPackage of CASE 1.0 or 1.1 as one of CASE 1.1. Raises InvalidFramework with the faults there are."""
    members = _require_package(document)
    reader = _Reader(members["CFDocument"])
    package = reader.read_object(members, "CFPackage", "")
    _require_none(reader.faults)
    package = {**package, "CFItems": package.get("CFItems", []), "CFAssociations": package.get("CFAssociations", [])}
    package["CFDocument"]["caseVersion"] = VERSION
    for list_faults in (_list_identity_faults, _list_reference_faults, _list_tree_faults):
        _require_none(list(islice(list_faults(package), MAX_REPORTED)))
    return ReadPackage(package, _capped([*reader.notices, *_list_outward_notices(package)]))


def _require_none(faults: Sequence[Fault]) -> None:
    """Raises InvalidFramework with these faults, if there are any."""
    if faults:
        places = ", ".join(dict.fromkeys(fault.pointer or "the whole of it" for fault in faults[:5]))
        raise InvalidFramework(f"The framework cannot be taken: see {places}.", faults=faults)


def parse_moment(text: str) -> datetime:
    """The moment that a `lastChangeDateTime` names. Raises ValueError."""
    moment = datetime.fromisoformat(text.upper())
    if not 1900 <= moment.year < 9000:  # near the ends of the calendar a change of time zone leaves it
        raise ValueError("outside the years 1900 to 8999")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _identifier_of(value: object) -> str:
    return str(value.get("identifier", "")).lower() if isinstance(value, Mapping) else ""


def _require_package(document: object) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        fault = Fault("", "is not an object", "send a CFPackage")
    elif "CFDocument" in document:
        return document
    elif "CFPackage" in document:
        fault = Fault("/CFPackage", "is wrapped in another object", "send what is inside")
    elif any(name in document for name in _OTHER_DOCUMENTS):
        fault = Fault("", "is another kind of document", "send the answer of GET …/CFPackages/{id} of the publisher")
    else:
        fault = Fault("/CFDocument", "is missing", "send a CFPackage: the whole framework in one document")
    raise InvalidFramework("What was sent is not a CFPackage of CASE.", faults=[fault])


def _capped(notices: list[Notice]) -> tuple[Notice, ...]:
    if len(notices) <= MAX_REPORTED:
        return tuple(notices)
    rest = len(notices) - MAX_REPORTED + 1
    return (*notices[: MAX_REPORTED - 1], Notice("", f"There are {rest} more notices like these."))


class _Unreadable(ValueError):
    """Why a value is not of its kind, and the cure."""

    def __init__(self, detail: str, cure: str) -> None:
        super().__init__(detail)
        self.detail, self.cure = detail, cure


class _Reader:
    """Reads values by the kinds of their members; gathers what is wrong and what was changed.

    Raises InvalidFramework as soon as there are MAX_REPORTED faults: a package of mere faults can have millions.
    """

    def __init__(self, root: object) -> None:
        self.faults: list[Fault] = []
        self.notices: list[Notice] = []
        self._root = _identifier_of(root)

    def refuse(self, pointer: str, detail: str, cure: str) -> None:
        self.faults.append(Fault(pointer, detail, cure))
        if len(self.faults) == MAX_REPORTED:
            _require_none(self.faults)

    def read_object(self, given: Mapping[str, Any], class_name: str, pointer: str) -> dict[str, Any]:
        members = CLASSES[class_name]
        read: dict[str, Any] = {}
        for name, member in members.items():
            value = self._stand_in(given, class_name, name, pointer) if given.get(name) is None else given[name]
            place = f"{pointer}/{name}"
            if value is None or (not member.required and value in ("", [], {})):
                if member.required:
                    self.refuse(place, "is missing", f"a {class_name} needs it")
            elif (found := self._read(value, member, place)) is not None:
                read[name] = found
        self._keep_unknown(given, read, class_name, pointer)
        return read

    def _stand_in(self, given: Mapping[str, Any], class_name: str, name: str, pointer: str) -> Any:
        """CASE 1.1 wants a description of an item type, which CASE 1.0 does not know: its title says the same."""
        if (class_name, name) != ("CFItemType", "description"):
            return None
        self.notices.append(Notice(f"{pointer}/description", "is missing, and CASE 1.1 needs it: it repeats the title"))
        return given.get("title")

    def _keep_unknown(self, given: Mapping[str, Any], read: dict[str, Any], class_name: str, pointer: str) -> None:
        kept: dict[str, Any] = {}
        for name, value in given.items():
            place = f"{pointer}/{escape_pointer(name)}"
            if name in CLASSES[class_name] or value in (None, "", [], {}):
                continue
            if name in ("CFDocumentURI", "CFPackageURI") and self._root and _identifier_of(value) == self._root:
                continue  # told by where it stands
            if "extensions" not in CLASSES[class_name]:
                self.notices.append(Notice(place, f"is no member of a {class_name}: left out"))
                continue
            self.notices.append(Notice(place, "is no member of CASE 1.1: kept under extensions"))
            kept[name] = value
        if not kept:
            return
        if class_name == "CFRubricCriterionLevel":
            read["extensions"] = [*read.get("extensions", []), kept]
            return
        extensions = read.get("extensions", {})
        for name in sorted(kept.keys() & extensions.keys()):
            place = f"{pointer}/{escape_pointer(name)}"
            self.refuse(place, "is no member of CASE, and extensions has one of that name", "rename it")
        read["extensions"] = {**extensions, **kept}

    def _read(self, value: Any, member: Member, pointer: str) -> Any:
        """The value as CASE 1.1 writes it; None when it says nothing or a fault was noted."""
        if member.kind in ("object", "objects"):
            return self._read_objects(value, member, pointer)
        if member.kind in ("links", "texts", "extensions_of_level"):
            return self._read_list(value, member.kind, pointer)
        if member.kind in ("link", "node"):
            return self._read_link(value, "LinkURI" if member.kind == "link" else "LinkGenURI", pointer)
        try:
            found, notice = _READERS[member.kind](value)
        except _Unreadable as error:
            self.refuse(pointer, error.detail, error.cure)
            return None
        if notice:
            self.notices.append(Notice(pointer, notice))
        return found

    def _read_objects(self, value: Any, member: Member, pointer: str) -> Any:
        if member.kind == "object":
            if isinstance(value, Mapping):
                return self.read_object(value, member.of, pointer) or None
            self.refuse(pointer, "must be an object", "put it in braces")
            return None
        if not isinstance(value, list):
            self.refuse(pointer, "must be an array", "put it in brackets")
            return None
        read = []
        for index, each in enumerate(value):
            if isinstance(each, Mapping):
                read.append(self.read_object(each, member.of, f"{pointer}/{index}"))
            else:
                self.refuse(f"{pointer}/{index}", f"must be a {member.of} object", "put it in braces")
        return read

    def _read_list(self, value: Any, kind: str, pointer: str) -> list[Any] | None:
        item = Member({"links": "link", "texts": "text", "extensions_of_level": "extensions"}[kind])
        if (kind == "texts" and isinstance(value, str)) or (
            kind == "extensions_of_level" and isinstance(value, Mapping)
        ):
            value = [value]
        if not isinstance(value, list):
            self.refuse(pointer, "must be an array", "put it in brackets")
            return None
        read = (
            self._read(each, item, f"{pointer}/{index}")
            for index, each in enumerate(value)
            if each not in (None, "", {})
        )
        return [each for each in read if each is not None] or None

    def _read_link(self, value: Any, class_name: str, pointer: str) -> dict[str, Any] | None:
        if not isinstance(value, Mapping):
            self.refuse(pointer, "must be an object with title, identifier and uri", "put it in braces")
            return None
        link = self.read_object(value, class_name, pointer)
        if re.fullmatch(GUID_PATTERN, link.get("identifier", "")):
            link["identifier"] = link["identifier"].lower()
        return link


def _read_text(value: Any) -> tuple[str, str]:
    notice = ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value, notice = str(value), "was a number: kept as text"
    if not isinstance(value, str):
        raise _Unreadable("must be text", "write it in quotes")
    if len(value) > MAX_TEXT:
        raise _Unreadable(f"has more than {MAX_TEXT} characters", "shorten it")
    return value, notice


def _read_guid(value: Any) -> tuple[str, str]:
    if not isinstance(value, str) or not re.fullmatch(GUID_PATTERN, value):
        raise _Unreadable("must be a GUID", "write it like 1f6a03ae-7e14-11e7-a4f0-0242ac120002")
    return value.lower(), ""


def _read_uri(value: Any) -> tuple[str, str]:
    if not isinstance(value, str) or len(value) > MAX_URI or not _URI.fullmatch(value):
        raise _Unreadable("must be an absolute URI", "write it like https://frameworks.example.org/…")
    return value, ""


def _read_moment(value: Any) -> tuple[str, str]:
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    try:
        moment = parse_moment(value) if found else None
    except ValueError:
        moment = None
    if found is None or moment is None:
        raise _Unreadable("must be a date and time", "write it like 2026-04-09T14:00:00Z")
    if _RFC_3339.fullmatch(value):
        return value, ""
    notice = "" if found["offset"] else "has no time zone: taken as UTC"
    return moment.isoformat().replace("+00:00", "Z"), notice


def _read_date(value: Any) -> tuple[str, str]:
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    try:
        date.fromisoformat(found["date"] if found else "")
    except ValueError:
        raise _Unreadable("must be a date", "write it like 2026-04-09") from None
    assert found is not None
    if found["time"] is None or _NO_TIME.fullmatch(found["time"]):
        return found["date"], ""
    return found["date"], "has a time of day, which CASE 1.1 has no place for: only the date is kept"


def _read_integer(value: Any) -> tuple[int, str]:
    notice = ""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value, notice = int(value), "was text: kept as a number"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**31:
        raise _Unreadable("must be a whole number below 2^31", "write it without quotes")
    return value, notice


def _read_number(value: Any) -> tuple[float, str]:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value), "was text: kept as a number"
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _Unreadable("must be a number", "write it without quotes")
    return value, ""


def _read_extendable(value: Any, known: tuple[str, ...]) -> tuple[str, str]:
    if value in known or (isinstance(value, str) and re.fullmatch(EXTENSION, value)):
        return value, ""
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise _Unreadable(f"must be one of {', '.join(known)}", "mark one of your own with ext:")
    return f"ext:{value}", f"is not one that CASE has: kept as ext:{value}"


def _read_version(value: Any) -> tuple[str, str]:
    if str(value) not in (VERSION, *OLDER_VERSIONS):
        raise _Unreadable("is a version of CASE that is not read here", "export the framework as CASE 1.0 or 1.1")
    return VERSION, ""


def _read_extensions(value: Any) -> tuple[Mapping[str, Any], str]:
    if not isinstance(value, Mapping):
        raise _Unreadable("must be an object", "put it in braces")
    return value, ""


_READERS: Mapping[str, Callable[[Any], tuple[Any, str]]] = {
    "text": _read_text,
    "guid": _read_guid,
    "uri": _read_uri,
    "moment": _read_moment,
    "date": _read_date,
    "integer": _read_integer,
    "number": _read_number,
    "association": lambda value: _read_extendable(value, ASSOCIATION_TYPES),
    "target": lambda value: _read_extendable(value, ("CASE",)),
    "version": _read_version,
    "extensions": _read_extensions,
}
"""Kind -> what reads a value of it: the value as CASE 1.1 writes it and a notice or "". Raises _Unreadable."""


def list_objects(package: Package) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every object of a package that has an identifier: its pointer, its class and itself."""
    yield from _list_objects(package, "CFPackage", "")


def _list_objects(
    value: Mapping[str, Any], class_name: str, pointer: str
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    if "identifier" in value:
        yield pointer, class_name, value
    for name, member in CLASSES[class_name].items():
        if member.kind == "object" and name in value:
            yield from _list_objects(value[name], member.of, f"{pointer}/{name}")
        elif member.kind == "objects":
            for index, each in enumerate(value.get(name, ())):
                yield from _list_objects(each, member.of, f"{pointer}/{name}/{index}")


def _list_identity_faults(package: Package) -> Iterator[Fault]:
    """An identifier that two objects have."""
    places: dict[str, str] = {}
    for pointer, _, each in list_objects(package):
        first = places.setdefault(each["identifier"], pointer)
        if first != pointer:
            yield Fault(f"{pointer}/identifier", f"is also that of {first}", "give each object a GUID of its own")


def _list_reference_faults(package: Package) -> Iterator[Fault]:
    """A reference that must lead to something in the package and does not."""
    items = {item["identifier"] for item in package.get("CFItems", ())}
    parents = items | {package["CFDocument"]["identifier"]}
    for index, association in enumerate(package.get("CFAssociations", ())):
        if association["associationType"] != "isChildOf":
            continue
        for end, known in (("originNodeURI", items), ("destinationNodeURI", parents)):
            if association[end]["identifier"] not in known:
                detail = f"leads to {association[end]['identifier'][:100]}, which is not in the package"
                cure = "add that item, or leave the association out"
                yield Fault(f"/CFAssociations/{index}/{end}/identifier", detail, cure)
    for index, rubric in enumerate(package.get("CFRubrics", ())):
        for number, criterion in enumerate(rubric.get("CFRubricCriteria", ())):
            place = f"/CFRubrics/{index}/CFRubricCriteria/{number}"
            yield from _list_parent_faults(criterion, "rubricId", rubric, place)
            for position, level in enumerate(criterion.get("CFRubricCriterionLevels", ())):
                yield from _list_parent_faults(
                    level, "rubricCriterionId", criterion, f"{place}/CFRubricCriterionLevels/{position}"
                )


def _list_parent_faults(
    child: Mapping[str, Any], name: str, parent: Mapping[str, Any], pointer: str
) -> Iterator[Fault]:
    if child.get(name, parent["identifier"]) != parent["identifier"]:
        cure = "name the object it stands in, or leave the member out"
        yield Fault(f"{pointer}/{name}", f"is not {parent['identifier']}", cure)


def _list_tree_faults(package: Package) -> Iterator[Fault]:
    """Statements that are their own ancestors, or lie too deep. A statement may have several parents."""
    root = package["CFDocument"]["identifier"]
    parents: dict[str, dict[str, int]] = {item["identifier"]: {} for item in package.get("CFItems", ())}
    children: dict[str, list[str]] = {}
    for index, association in enumerate(package.get("CFAssociations", ())):
        child, parent = association["originNodeURI"]["identifier"], association["destinationNodeURI"]["identifier"]
        if association["associationType"] == "isChildOf" and parent != root and parent not in parents[child]:
            parents[child][parent] = index
            children.setdefault(parent, []).append(child)
    open_parents = {item: len(above) for item, above in parents.items()}
    level = dict.fromkeys(parents, 1)
    ready = [item for item, count in open_parents.items() if count == 0]
    for item in ready:  # grows while it is walked: every item comes after all its parents
        for child in children.get(item, ()):
            level[child] = max(level[child], level[item] + 1)
            open_parents[child] -= 1
            if open_parents[child] == 0:
                ready.append(child)
    if len(ready) < len(parents):
        yield _cycle_fault(parents, set(parents) - set(ready))
    elif parents and max(level.values()) > MAX_LEVELS:
        deepest = max(level, key=lambda item: level[item])
        index = min(parents[deepest].values())
        yield Fault(
            f"/CFAssociations/{index}", f"puts {deepest} more than {MAX_LEVELS} levels deep", "flatten the tree"
        )


def _cycle_fault(parents: Mapping[str, Mapping[str, int]], entangled: set[str]) -> Fault:
    item = min(entangled)
    walked: dict[str, None] = {}
    while item not in walked:
        walked[item] = None
        item = min(parent for parent in parents[item] if parent in entangled)
    cycle = list(walked)[list(walked).index(item) :]
    shown = " > ".join([*cycle[:10], *(["…"] if len(cycle) > 10 else []), item])
    closing = parents[cycle[-1]][item]
    return Fault(
        f"/CFAssociations/{closing}", f"makes a statement its own ancestor: {shown}", "leave the association out"
    )


def _list_outward_notices(package: Package) -> Iterator[Notice]:
    """References that lead out of the package where one would look for them in it. Each target is named once."""
    definitions = package.get("CFDefinitions", {})
    defined = {each["identifier"] for objects in definitions.values() if isinstance(objects, list) for each in objects}
    items = {item["identifier"] for item in package.get("CFItems", ())}
    told: set[str] = set()
    for pointer, class_name, each in list_objects(package):
        for name, link in _links_of(class_name, each):
            inside = items if name == "CFItemURI" else defined
            if link["identifier"] not in inside and link["identifier"] not in told:
                told.add(link["identifier"])
                yield Notice(f"{pointer}/{name}", f"leads to {link['identifier']}, which is not in the package")
        if class_name == "CFAssociation":
            ends = {each[end]["identifier"] for end in ("originNodeURI", "destinationNodeURI")}
            if not ends & (items | {package["CFDocument"]["identifier"]}):
                yield Notice(pointer, "associates two things that are not in the package")


def _links_of(class_name: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, member in CLASSES[class_name].items():
        if member.kind == "link" and name in value:
            yield name, value[name]
        elif member.kind == "links":
            for index, link in enumerate(value.get(name, ())):
                yield f"{name}/{index}", link
