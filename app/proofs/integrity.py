"""Context integrity: whether who reads the JSON and who reads the JSON-LD read the same (VC Data Integrity 1.0, §2.4.1).

A program that reads `credential["name"]` never looks at `@context`. It reads what was signed only if the contexts give every
member the meaning that its name promises. Our rule: the document equals what comes out when it is expanded and compacted again
with its own contexts, but for

    arrays of one element, which may be written without the brackets
    the order in which a set is written
    OpenBadgeCredential and AchievementCredential, which the contexts of Open Badges define as one type

The contexts of Open Badges 3.0.0 to 3.0.2 and of CLR 2.0 give some terms the IRI of another (`achievement` and `Achievement`), or
a type that no value has, so that compaction chooses another name; there, and only there, names for one IRI count as one.

So a member under another key (its full IRI, an alias of a keyword), or one that moves into its parent (`@nest`, `@included`,
`@graph`), is found. A part with an `@context` of its own is compared by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import Fault
from app.proofs.rdfc import MAX_FAULTS, Contexts, recompact
from app.strict_json import escape_pointer

_ALIASES = {"AchievementCredential": "OpenBadgeCredential"}
_AMBIGUOUS = frozenset(
    f"https://purl.imsglobal.org/spec/{name}"
    for name in (
        "ob/v3p0/context.json",
        "ob/v3p0/context-3.0.1.json",
        "ob/v3p0/context-3.0.2.json",
        "clr/v2p0/context-2.0.1.json",
    )
)


def find_differences(document: Mapping[str, Any], *, contexts: Contexts) -> list[Fault]:
    """Where `document` says one thing as JSON and another as JSON-LD; [] when nowhere.

    Raises UnknownContext, WorkBudgetExceeded and UnsafeDocument, as `rdfc.recompact` does.
    """
    faults: list[Fault] = []
    parts: _Parts = [("", document)]
    while parts and len(faults) < MAX_FAULTS:
        pointer, part = parts.pop()
        again = recompact(part, contexts=contexts)
        faults.extend(_Comparison(_terms_of(part["@context"], contexts), parts).of_members(part, again, pointer))
    return faults[:MAX_FAULTS]


_Parts = list[tuple[str, Mapping[str, Any]]]
_Terms = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """`terms` has the IRIs of the names that may stand for each other; `parts` is handed the objects that carry a context."""

    terms: _Terms
    parts: _Parts

    def of_members(self, said: Mapping[str, Any], meant: Mapping[str, Any], pointer: str) -> Iterator[Fault]:
        names = self._pair(said, meant)
        unmatched = [name for name in meant if name not in names.values() and name != "@context"]
        yield from (_difference(f"{pointer}/{escape_pointer(name)}") for name in unmatched)
        for name, other in names.items():
            place = f"{pointer}/{escape_pointer(name)}"
            if other is None:
                yield _difference(place)
            elif name != "type":
                yield from self._of_values(said[name], meant[other], place)
            elif not self._are_same_types(said[name], meant[other]):
                yield _difference(place)

    def _of_values(self, said: Any, meant: Any, pointer: str) -> Iterator[Fault]:
        if isinstance(said, Mapping) and isinstance(meant, Mapping):
            if "@context" in said:
                self.parts.append((pointer, said))
            else:
                yield from self.of_members(said, meant, pointer)
        elif isinstance(said, list) or isinstance(meant, list):
            yield from self._of_items(said, meant, pointer)
        elif isinstance(said, bool) != isinstance(meant, bool) or said != meant:
            yield _difference(pointer)

    def _of_items(self, said: Any, meant: Any, pointer: str) -> Iterator[Fault]:
        # Expansion and compaction keep the order of arrays, so items are compared one by one.
        ones, others = _as_list(said), _as_list(meant)
        if len(ones) != len(others):
            yield _difference(pointer)
            return
        for position, (one, other) in enumerate(zip(ones, others, strict=True)):
            yield from self._of_values(one, other, f"{pointer}/{position}" if isinstance(said, list) else pointer)

    def _pair(self, said: Mapping[str, Any], meant: Mapping[str, Any]) -> dict[str, str | None]:
        """Each name of `said` with the one that it has in `meant`."""
        others = [name for name in meant if name not in said]
        return {
            name: name if name in meant else next((other for other in others if self._is_same(name, other)), None)
            for name in said
            if name != "@context"
        }

    def _is_same(self, name: str, other: str) -> bool:
        iris = self.terms.get(name, frozenset())
        return other in iris or bool(iris & self.terms.get(other, frozenset()))

    def _are_same_types(self, said: Any, meant: Any) -> bool:
        ones, others = ({_ALIASES.get(each, each) for each in map(str, _as_list(value))} for value in (said, meant))
        return len(ones) == len(others) and all(
            one in others or any(self._is_same(one, other) for other in others) for one in ones
        )


def _terms_of(named: Any, contexts: Contexts) -> _Terms:
    """The IRIs of each term, anywhere in the contexts, where one of them is too old to be told by its names alone."""
    urls = [named] if isinstance(named, str) else named
    terms: dict[str, set[str]] = {}
    if not _AMBIGUOUS.isdisjoint(urls):
        for url in urls:
            _collect_terms(contexts[url]["@context"], terms)
    return {name: frozenset(iris) for name, iris in terms.items()}


def _collect_terms(context: Any, terms: dict[str, set[str]]) -> None:
    for part in _as_list(context):
        for name, definition in part.items() if isinstance(part, Mapping) else ():
            iri = definition.get("@id") if isinstance(definition, Mapping) else definition
            if isinstance(iri, str) and not iri.startswith("@"):
                terms.setdefault(name, set()).add(iri)
            if isinstance(definition, Mapping):
                _collect_terms(definition.get("@context"), terms)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _difference(pointer: str) -> Fault:
    detail = "Read as JSON and read with its own contexts, the document does not say the same here."
    return Fault(pointer, detail, "Use the terms of the contexts, each where it is defined.")
