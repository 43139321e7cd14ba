"""The members that credentials and presentations share. PURE."""

from collections.abc import Callable, Iterator
from typing import Any

from app.errors import Fault
from app.vcdm.values import entries_of, id_of, is_url, texts_of

Document = dict[str, Any]
Rule = Callable[[Document], Iterator[Fault]]

VC_CONTEXT = "https://www.w3.org/ns/credentials/v2"
VC_CONTEXT_1 = "https://www.w3.org/2018/credentials/v1"
BASE_CONTEXTS = (VC_CONTEXT, VC_CONTEXT_1)

_LANGUAGE_VALUE = frozenset({"@value", "@language", "@direction"})


def is_version_1(document: Document) -> bool:
    """Whether a document says it is of the Data Model 1.1."""
    context = document.get("@context")
    return isinstance(context, list) and context[:1] == [VC_CONTEXT_1]


def check_context(document: Document) -> Iterator[Fault]:
    """§4.3: an ordered set of URLs and objects, the base context first."""
    context = document.get("@context")
    if not isinstance(context, list):
        yield Fault("/@context", "must be an array", f"start it with {VC_CONTEXT}")
        return
    if not context or context[0] not in BASE_CONTEXTS:
        yield Fault("/@context/0", "must be the base context", f"start @context with {VC_CONTEXT}")
    for place, entry in entries_of(context, "/@context"):
        if not isinstance(entry, dict) and not is_url(entry):
            yield Fault(place, "must be a URL or an object")


def check_id(document: Document) -> Iterator[Fault]:
    """§4.4: one URL, if there is one."""
    yield from check_optional_url(document, "id", "")


def check_optional_url(holder: Document, member: str, pointer: str) -> Iterator[Fault]:
    if member in holder and not is_url(holder[member]):
        yield Fault(f"{pointer}/{member}", "must be one URL")


def check_types(holder: Document, pointer: str, *, required: str | None = None) -> Iterator[Fault]:
    """§4.5: one or more names, `required` among them."""
    value = holder.get("type")
    names = texts_of(value)
    place = f"{pointer}/type"
    if "type" not in holder:
        yield Fault(place, "is missing")
    elif not names or len(names) != (len(value) if isinstance(value, list) else 1) or "" in names:
        yield Fault(place, "must be one name of a type, or several")
    elif required is not None and required not in names:
        yield Fault(place, f"must name {required}")


def check_names(document: Document) -> Iterator[Fault]:
    """§4.6 and §11.1: `name` and `description`, of the document and its issuer, are text, alone or with a language."""
    for pointer, holder in (("", document), ("/issuer", document.get("issuer"))):
        if isinstance(holder, dict):
            for member in ("name", "description"):
                if member in holder:
                    yield from _check_text(holder[member], f"{pointer}/{member}")


def _check_text(value: Any, pointer: str) -> Iterator[Fault]:
    for place, entry in entries_of(value, pointer):
        if isinstance(entry, str) and not isinstance(value, list):
            continue
        if not isinstance(entry, dict) or not isinstance(entry.get("@value"), str):
            yield Fault(place, "must be text, or an object with @value and @language")
            continue
        for name in entry.keys() - _LANGUAGE_VALUE:
            yield Fault(f"{place}/{name.replace('~', '~0').replace('/', '~1')}", "is not a member of a language object")
        for name in ("@language", "@direction"):
            if not isinstance(entry.get(name, ""), str):
                yield Fault(f"{place}/{name}", "must be text")


def check_identified(document: Document, member: str, *, required: bool) -> Iterator[Fault]:
    """A party (`issuer`, `holder`): a URL, or an object with one as its `id`."""
    if member not in document:
        if required:
            yield Fault(f"/{member}", "is missing")
        return
    value = document[member]
    if id_of(value) is None:
        place = f"/{member}/id" if isinstance(value, dict) else f"/{member}"
        yield Fault(place, "must be a URL, or an object with a URL as its id")


def check_typed(document: Document, member: str, *, id_required: bool = False) -> Iterator[Fault]:
    """Entries that say of what type they are (§4.10 to §4.12, §5): `id` is a URL where there is one."""
    if member not in document:
        return
    if document[member] == []:
        yield Fault(f"/{member}", "must have at least one entry", "leave it out")
    for place, entry in entries_of(document[member], f"/{member}"):
        if not isinstance(entry, dict):
            yield Fault(place, "must be an object")
            continue
        yield from check_types(entry, place)
        if id_required and "id" not in entry:
            yield Fault(f"{place}/id", "is missing")
        yield from check_optional_url(entry, "id", place)
