"""Contexts for documents of any kind: those may define terms in line, have a catch-all, and tag text with its language.

What a badge may not do, because its terms are settled, a generic credential may. A vocabulary written into the document still
must not be a way around anything: it names nothing to be fetched, renames no keyword, scopes no further context, and every
term of it stands for an IRI written in full.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.errors import Fault

MAX_TERMS = 500

VALUE_OBJECT = frozenset({"@value", "@language", "@direction"})
"""The keywords of a text with its language (JSON-LD 1.1 §4.2.4)."""

_IRI = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`\x00-\x20\x7f-\x9f]+')
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_CURE = "Define terms as absolute IRIs, and nothing else."
_DEFINITION = frozenset({"@id", "@type", "@container", "@language", "@direction", "@protected"})
_VALUE_TYPES = ("@id", "@vocab", "@json", "@none")
_CONTAINERS = ("@set", "@list")


class OpenContexts(Mapping[str, dict[str, Any]]):
    """The vendored contexts by URL, with leave to define further terms in line."""

    def __init__(self, contexts: Mapping[str, dict[str, Any]]) -> None:
        self._contexts = contexts

    def __getitem__(self, url: str) -> dict[str, Any]:
        return self._contexts[url]

    def __iter__(self) -> Iterator[str]:
        return iter(self._contexts)

    def __len__(self) -> int:
        return len(self._contexts)


def are_open(contexts: Mapping[str, dict[str, Any]]) -> bool:
    return isinstance(contexts, OpenContexts)


def is_catch_all(context: Any) -> bool:
    """Whether a context gives a meaning to whatever it does not name (`@vocab`)."""
    return isinstance(context, Mapping) and context.get("@vocab") is not None


def list_inline_faults(pointer: str, context: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with a context object that stands in a document at `pointer`."""
    if len(context) > MAX_TERMS:
        yield Fault(pointer, f"The context defines more than {MAX_TERMS} terms.", "Publish it, or send a smaller one.")
        return
    for name, value in context.items():
        place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        if name.startswith("@"):
            yield from _list_keyword_faults(place, name, value)
        else:
            yield from _list_term_faults(place, value)


def _list_keyword_faults(place: str, name: str, value: Any) -> Iterator[Fault]:
    match name:
        case "@vocab":
            is_good = isinstance(value, str) and _IRI.fullmatch(value) is not None
        case "@language":
            is_good = isinstance(value, str) and _LANGUAGE.fullmatch(value) is not None
        case "@direction":
            is_good = value in ("ltr", "rtl")
        case "@protected":
            is_good = isinstance(value, bool)
        case "@version":
            is_good = value == 1.1
        case _:
            yield Fault(place, f"{name[:40]} is not accepted in a context in line.", _CURE)
            return
    if not is_good:
        yield Fault(place, f"This is no value of {name}.", _CURE)


def _list_term_faults(place: str, value: Any) -> Iterator[Fault]:
    definition = {"@id": value} if isinstance(value, str) else value
    if not isinstance(definition, Mapping):
        yield Fault(place, "The term is defined by nothing.", _CURE)
        return
    for name in definition.keys() - _DEFINITION:
        yield Fault(place, f"{str(name)[:40]} is not accepted in a term defined in line.", _CURE)
    iri = definition.get("@id")
    if not isinstance(iri, str) or not _IRI.fullmatch(iri):
        yield Fault(place, "The term does not stand for an absolute IRI.", _CURE)
    if not _is_value_type(definition.get("@type", "@none")):
        yield Fault(place, "The type of the term's values is not an absolute IRI.", _CURE)
    if definition.get("@container", "@set") not in _CONTAINERS:
        yield Fault(place, "Only @set and @list are accepted as containers.", _CURE)
    if not isinstance(definition.get("@protected", True), bool):
        yield Fault(place, "@protected is true or false.", _CURE)
    for keyword in definition.keys() & {"@language", "@direction"}:
        yield from _list_keyword_faults(place, keyword, definition[keyword])


def _is_value_type(value: Any) -> bool:
    return isinstance(value, str) and (value in _VALUE_TYPES or _IRI.fullmatch(value) is not None)
