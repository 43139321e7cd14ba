"""RDF Dataset Canonicalization (RDFC-1.0, SHA-256) of JSON-LD, refusing whatever the canonical form would not cover.

JSON-LD silently drops members it has no term for, so they could be changed under a valid signature. Here every leaf of
an accepted document leaves its trace: change one and the canonical form changes too, or the document is refused. The
two exceptions are equal by definition: terms that share an IRI (OpenBadgeCredential and AchievementCredential), and
numbers equal in value. `@context` is not part of the form: callers require the contexts and order they expect.

With `OpenContexts` a document may also define terms in line and tag text with its language, as credentials of any kind do.

PyLD expands (JSON-LD 1.1 API §5.1) and canonicalizes; between the two, `_Dataset` turns the expanded document into RDF
and accepts only what badges are made of: nodes, IRIs, typed literals, lists and the graphs of proofs.
"""

import copy
import hashlib
import math
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Any, Literal, NamedTuple

import rfc8785
from pyld import canon, jsonld
from pyld.context_resolver import ContextResolver
from pyld.nquads import serialize_nquad

from app.errors import Fault
from app.proofs.errors import UnknownContext, UnsafeDocument, WorkBudgetExceeded
from app.proofs.open_contexts import VALUE_OBJECT, are_open, list_inline_faults

Contexts = Mapping[str, dict[str, Any]]

MAX_DEPTH = 64
MAX_LEAVES = 10_000
MAX_CONTEXTS = 64
MAX_QUADS = 5_000
MAX_N_DEGREE_HASHES = 2_000
MAX_N_DEGREE_QUADS = 50_000
MAX_N_DEGREE_DEPTH = 128
MAX_SIGNIFICANT_DIGITS = 15  # what survives a decimal-binary-decimal round trip, and the canonical xsd:double
MAX_INTEGER = 2**53 - 1
MAX_FAULTS = 20
MAX_NOTES = 100

_BASE = "https://relative.invalid/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PROOF = "https://w3id.org/security#proof"
_XSD = "http://www.w3.org/2001/XMLSchema#"

_I18N = "https://www.w3.org/ns/i18n#"

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_ABSOLUTE_IRI = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`\x00-\x20\x7f-\x9f]+')
_LANGUAGE = re.compile(r"[a-z]{1,8}(-[a-z0-9]{1,8})*")
# 1EdTech's contexts spell the XML Schema namespace with https, and CLR's leaves the prefix undefined.
_XSD_NAME = re.compile(r"(?:https?://www\.w3\.org/2001/XMLSchema#|xsd:)(\w+)")
_NUMERIC = re.compile(
    r"decimal|float|double|integer|(?:non)?(?:Positive|positive|Negative|negative)Integer"
    r"|long|int|short|byte|unsigned(?:Long|Int|Short|Byte)"
)


@dataclass(frozen=True, slots=True)
class CanonicalDocument:
    """A document in canonical form: sorted N-Quads, one statement a line, and their SHA-256 (32 bytes)."""

    """`nquads` are `statements` in canonical form; `sha256` is the hash of their UTF-8."""

    nquads: str
    sha256: bytes
    statements: Sequence["Quad"] = field(default=(), repr=False, compare=False)


HashName = Literal["sha256", "sha384"]
"""What RDFC-1.0 tells blank nodes apart by: SHA-256 unless whoever uses it says otherwise, as ECDSA with P-384 does."""


def canonicalize(
    document: Mapping[str, Any], *, contexts: Contexts, algorithm: HashName = "sha256"
) -> CanonicalDocument:
    """The canonical form of a JSON-LD `document`, which is left as it is. Nothing is fetched.

    Raises UnknownContext when `@context` is anything but URLs out of `contexts`, WorkBudgetExceeded when the document
    is too deep, large or entangled, and UnsafeDocument, with a fault per place, when a part would not be covered.
    """
    return canonicalize_dataset(state(document, contexts=contexts), algorithm)


class Term(NamedTuple):
    """A subject, predicate, object or graph name. `datatype` is set for literals only, `language` for text with one."""

    type: Literal["IRI", "blank node", "literal"]
    value: str
    datatype: str = ""
    language: str = ""


class Quad(NamedTuple):
    """One RDF statement; `graph` is None in the default graph."""

    subject: Term
    predicate: Term
    object: Term
    graph: Term | None = None


def state(document: Mapping[str, Any], *, contexts: Contexts) -> list[Quad]:
    """The RDF statements of a JSON-LD `document`, each exactly once. Raises as `canonicalize` does."""
    _require_known_contexts(document, contexts)
    _require_plain_json(document, is_open=are_open(contexts))
    expanded = _expand(document, contexts)
    try:
        return list(_Dataset(expanded, is_open=are_open(contexts)).statements)
    except _Refusal as refusal:
        raise UnsafeDocument(refusal.detail, faults=refusal.locate(document), cure=refusal.cure) from refusal


def recompact(document: Mapping[str, Any], *, contexts: Contexts) -> dict[str, Any]:
    """The JSON-LD `document` expanded and compacted again with its own `@context` (JSON-LD 1.1 API §5.1, §6.1).

    Raises UnknownContext, WorkBudgetExceeded and, for what expansion alone shows, UnsafeDocument.
    """
    _require_known_contexts(document, contexts)
    _require_plain_json(document, is_open=are_open(contexts))
    expanded = _expand(document, contexts)
    expander = _expander_of(contexts)
    options = {
        "base": _BASE,
        "documentLoader": expander.load,
        "contextResolver": expander.resolver,
        "compactToRelative": False,
        "skipExpansion": True,
    }
    try:
        with expander.lock:
            context = {"@context": document["@context"]}
            compacted: dict[str, Any] = _StrictProcessor(expander.processed).compact(expanded, context, options)
    except jsonld.JsonLdError as error:
        detail = str(error.args[0]) if error.args else "The document is not valid JSON-LD."
        raise UnsafeDocument("The document is not valid JSON-LD.", faults=[Fault("", detail)]) from error
    return compacted


def canonicalize_dataset(statements: Sequence[Quad], algorithm: HashName = "sha256") -> CanonicalDocument:
    """RDFC-1.0 §4.4 over `statements`, which are distinct. Raises WorkBudgetExceeded."""
    nquads: str = _BudgetedURDNA2015(algorithm).main(_as_dataset(statements), {"format": "application/n-quads"})
    return CanonicalDocument(nquads, hashlib.sha256(nquads.encode()).digest(), statements)


def label_blank_nodes(statements: Iterable[Quad]) -> dict[str, str]:
    """The canonical label (`c14n0`, …) of each blank node of `statements` by its own (`_:b1`). Raises WorkBudgetExceeded."""
    canonicalizer = _BudgetedURDNA2015()
    canonicalizer.main(_as_dataset(statements), {"format": "application/n-quads"})
    issued = canonicalizer.canonical_issuer.existing
    return {own: canonical.removeprefix("_:") for own, canonical in issued.items()}


def serialize_quad(quad: Quad) -> str:
    """One line of N-Quads, in canonical form but for the labels of its blank nodes."""
    components = {"subject": quad.subject, "predicate": quad.predicate, "object": quad.object, "name": quad.graph}
    line: str = serialize_nquad({place: _as_pyld(term) for place, term in components.items() if term is not None})
    return line


def _as_dataset(statements: Iterable[Quad]) -> dict[str, list[dict[str, Any]]]:
    dataset: dict[str, list[dict[str, Any]]] = {}
    for quad in statements:
        graph = quad.graph.value if quad.graph else "@default"
        triple = {"subject": quad.subject, "predicate": quad.predicate, "object": quad.object}
        dataset.setdefault(graph, []).append({place: _as_pyld(term) for place, term in triple.items()})
    return dataset


def _as_pyld(term: Term) -> dict[str, str]:
    written = {"type": term.type, "value": term.value} | ({"datatype": term.datatype} if term.type == "literal" else {})
    return written | ({"language": term.language} if term.language else {})


class _BudgetedURDNA2015(canon.URDNA2015):  # type: ignore[misc]
    """PyLD's canonicalizer (its name for RDFC-1.0), which has no limit of its own.

    Blank nodes that look alike are told apart by trying permutations (§4.8), which a small hostile document makes
    endless. A badge needs no such hash at all, or one for each of a few results that read the same.
    """

    def __init__(self, algorithm: HashName = "sha256") -> None:
        super().__init__()
        self._algorithm = algorithm
        self._hashes = 0
        self._quads = 0
        self._depth = 0

    def create_hash(self) -> Any:
        return hashlib.new(self._algorithm)

    def hash_n_degree_quads(self, id_: str, issuer: Any) -> Any:
        self._hashes += 1
        self._quads += len(self.blank_node_info[id_]["quads"]) + len(issuer.order)
        self._depth += 1
        if self._hashes > MAX_N_DEGREE_HASHES or self._quads > MAX_N_DEGREE_QUADS or self._depth > MAX_N_DEGREE_DEPTH:
            raise WorkBudgetExceeded(
                "Too many nodes without an id look alike: canonicalizing them takes too long.",
                cure="Give the nodes an id, or fewer of them.",
            )
        result = super().hash_n_degree_quads(id_, issuer)
        self._depth -= 1
        return result


# --- contexts -------------------------------------------------------------------------------------------------------


def _require_known_contexts(document: Mapping[str, Any], contexts: Contexts) -> None:
    if "@context" not in document:
        fault = Fault("", "There is no @context.", "Start with https://www.w3.org/ns/credentials/v2.")
        raise UnknownContext("The document has no @context.", faults=[fault])
    faults: list[Fault] = []
    count = 0
    for place, value in _walk(document):
        if place.name != "@context":
            continue
        count += 1
        faults.extend(_list_context_faults(place.pointer, value, contexts))
    if faults:
        raise UnknownContext("The document uses a context that is not known here.", faults=faults[:MAX_FAULTS])
    if count > MAX_CONTEXTS:
        raise WorkBudgetExceeded(
            f"More than {MAX_CONTEXTS} objects carry an @context.", cure="Send a smaller document."
        )


def _list_context_faults(pointer: str, value: Any, contexts: Contexts) -> Iterator[Fault]:
    urls = value if isinstance(value, list) else [value]
    if not urls or len(urls) > MAX_CONTEXTS:
        yield Fault(pointer, f"The @context has {len(urls)} entries.", f"Name 1 to {MAX_CONTEXTS} contexts.")
        return
    for index, url in enumerate(urls):
        place = f"{pointer}/{index}" if isinstance(value, list) else pointer
        if isinstance(url, Mapping) and are_open(contexts):
            yield from list_inline_faults(place, url)
        elif not isinstance(url, str):
            yield Fault(place, "Terms defined in line are not accepted.", "Name a published context by its URL.")
        elif url not in contexts:
            yield Fault(place, f"The context {url[:200]!a} is not known here.", "Use one of the vendored contexts.")
        elif url in urls[:index]:
            yield Fault(place, "The context is named twice.", "Name it once.")


# --- plain JSON -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value is: the chain of member names and indexes up to the root, turned into a pointer when needed."""

    parent: "_Place | None"
    name: str | int
    depth: int

    @property
    def pointer(self) -> str:
        tokens: list[str] = []
        place: _Place | None = self
        while place is not None and place.parent is not None:
            tokens.append(str(place.name).replace("~", "~0").replace("/", "~1"))
            place = place.parent
        return "".join(f"/{token}" for token in reversed(tokens))


_ROOT = _Place(None, "", 1)


def _walk(document: Any) -> Iterator[tuple[_Place, Any]]:
    """Every value of `document` with its place, in document order, leaving out what is in @context."""
    stack: list[tuple[_Place, Any]] = [(_ROOT, document)]
    leaves = 0
    while stack:
        place, value = stack.pop()
        yield place, value
        if place.name == "@context" or not isinstance(value, (Mapping, list)):
            leaves += 1
            if leaves > MAX_LEAVES:
                raise WorkBudgetExceeded(f"The document has more than {MAX_LEAVES} values.", cure="Send a smaller one.")
            continue
        if place.depth > MAX_DEPTH:
            fault = Fault(
                place.pointer, f"Objects and arrays nest more than {MAX_DEPTH} deep.", "Flatten the document."
            )
            raise WorkBudgetExceeded(fault.detail, faults=[fault], cure=fault.cure)
        names: Iterable[Any] = value if isinstance(value, Mapping) else range(len(value))
        stack.extend((_Place(place, name, place.depth + 1), value[name]) for name in reversed(list(names)))


def _require_plain_json(document: Mapping[str, Any], *, is_open: bool) -> None:
    faults: list[Fault] = []
    for place, value in _walk(document):
        if place.name == "@context":
            continue
        is_language = is_open and place.name in VALUE_OBJECT
        if isinstance(place.name, str) and not is_language and (problem := _find_name_problem(place.name)):
            faults.append(Fault(place.pointer, *problem))
        if is_open and isinstance(value, Mapping) and (problem := _find_language_problem(value)):
            faults.append(Fault(place.pointer, *problem))
        if problem := _find_value_problem(place, value):
            faults.append(Fault(place.pointer, *problem))
        if len(faults) >= MAX_FAULTS:
            break
    _raise_unsafe(faults)


def _find_name_problem(name: str) -> tuple[str, str] | None:
    if name.startswith("@"):
        return "JSON-LD keywords are not accepted here.", "Use the terms of the contexts: id and type."
    if _CONTROL.search(name):
        return "The member name holds a control character.", "Rename the member."
    return None


def _find_language_problem(value: Mapping[str, Any]) -> tuple[str, str] | None:
    """A text with its language is that and nothing else: JSON-LD drops an object that has the language alone."""
    if not value.keys() & VALUE_OBJECT or (value.keys() <= VALUE_OBJECT and isinstance(value.get("@value"), str)):
        return None
    return "A text with its language has @value, @language and @direction.", "Give @value, and nothing of another kind."


def _find_value_problem(place: _Place, value: Any) -> tuple[str, str] | None:
    """(what is wrong, how to mend it) with one JSON value, as far as that shows without the contexts."""
    match value:
        case str():
            return _find_text_problem(value)
        case bool():
            return None
        case int() | float():
            return _find_number_problem(value)
        case None:
            return "null says nothing, so a signature would not cover it.", "Leave the member out."
        case []:
            return "An empty array says nothing, so a signature would not cover it.", "Leave the member out."
        case list():
            return _find_array_problem(place, value)
        case Mapping():
            return None
        case _:
            return (
                f"{type(value).__name__} is not a JSON value.",
                "Send text, a number, true, false, an array or an object.",
            )


def _find_text_problem(value: str) -> tuple[str, str] | None:
    if match := _CONTROL.search(value):
        code_point = f"U+{ord(match[0]):04X}"
        return f"The text holds the control character {code_point}.", "Keep only line feeds and tabs."
    return None


def _find_number_problem(value: float) -> tuple[str, str] | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "The number is not finite.", "Send a finite number."
    if value == int(value):
        if abs(value) > MAX_INTEGER:
            return f"The number is beyond ±{MAX_INTEGER}.", "Use a term that takes text."
        return None
    digits = repr(value).split("e")[0].lstrip("-").replace(".", "").strip("0")
    if len(digits) > MAX_SIGNIFICANT_DIGITS:
        detail = f"The number has more than {MAX_SIGNIFICANT_DIGITS} significant digits."
        return detail, "Round it, or use a term that takes text."
    return None


def _find_array_problem(place: _Place, value: list[Any]) -> tuple[str, str] | None:
    if any(isinstance(item, list) for item in value):
        return "Arrays inside arrays are flattened, so their shape would not be signed.", "Use one array."
    if place.name == "type":
        texts = [item for item in value if isinstance(item, str)]
        if len(set(texts)) != len(texts):
            return "A type is named twice.", "Name it once."
    return None


def _raise_unsafe(faults: list[Fault]) -> None:
    if faults:
        detail = "A part of the document would not be covered by its signature."
        raise UnsafeDocument(detail, faults=faults[:MAX_FAULTS])


# --- expansion ------------------------------------------------------------------------------------------------------


def _expand(document: Mapping[str, Any], contexts: Contexts) -> list[Any]:
    """JSON-LD expansion in which every member name is a term and every id is written in full."""
    expander = _expander_of(contexts)
    processed, resolver = expander.processed, expander.resolver
    if are_open(contexts) and any(_has_inline(value) for place, value in _walk(document) if place.name == "@context"):
        # What PyLD makes of a stranger's vocabulary is not kept, and what it rewrites is not the caller's.
        processed, resolver = _ProcessedContexts(), ContextResolver({}, expander.load)
        document = copy.deepcopy(dict(document))
    processor = _StrictProcessor(processed)
    try:
        # The caches of processed contexts are not made for threads.
        with expander.lock:
            expanded: list[Any] = processor.expand(
                dict(document),
                {"base": _BASE, "documentLoader": expander.load, "contextResolver": resolver},
            )
    except jsonld.JsonLdError as error:
        detail = str(error.args[0]) if error.args else "The document is not valid JSON-LD."
        raise UnsafeDocument("The document is not valid JSON-LD.", faults=[processor.fault_here(detail)]) from error
    _raise_unsafe(processor.list_faults())
    return expanded


def _has_inline(context: Any) -> bool:
    return any(isinstance(each, Mapping) for each in (context if isinstance(context, list) else [context]))


class _Note(NamedTuple):
    """Something PyLD met while it expanded `element`: `text` is a member name or a value of it."""

    element: int
    text: str | None
    detail: str
    cure: str


class _StrictProcessor(jsonld.JsonLdProcessor):  # type: ignore[misc]
    """PyLD's processor, taking note of every name and IRI that it drops, completes or unabbreviates."""

    def __init__(self, processed: "_ProcessedContexts") -> None:
        super().__init__(on_property_dropped=self._note_dropped)
        self._processed = processed
        self._notes: dict[_Note, None] = {}
        self._elements: list[dict[str, Any]] = []
        self._root: Any = None
        self._last_name: str | None = None
        self._processing = 0  # contexts being processed: what is looked up then is not of the document

    def list_faults(self) -> list[Fault]:
        """A fault for each place noted. Names that PyLD looks up early, in the object around theirs, do not count."""
        if not self._notes:
            return []
        objects = {id(value): (place, value) for place, value in _walk(self._root) if isinstance(value, dict)}
        faults: dict[tuple[str | None, str], list[Fault]] = {}
        for note in self._notes:
            place, element = objects.get(note.element, (_ROOT, {}))
            found = [Fault(where.pointer, note.detail, note.cure) for where in _places_in(place, element, note.text)]
            faults.setdefault((note.text, note.detail), []).extend(found)
        return [
            fault
            for (_, detail), found in faults.items()
            for fault in found or [Fault("", detail, "Use the terms of the contexts.")]
        ]

    def fault_here(self, detail: str) -> Fault:
        """A fault at the object whose expansion failed."""
        here = self._elements[-1] if self._elements else None
        places = [place for place, value in _walk(self._root) if value is here] if here is not None else []
        return Fault(places[0].pointer if places else "", detail, "Follow the JSON-LD context of the term.")

    def _note(self, text: str | None, detail: str, cure: str) -> None:
        if len(self._notes) >= MAX_NOTES:
            return  # one is enough to refuse the document
        element = id(self._elements[-1]) if self._elements else 0
        self._notes.setdefault(_Note(element, text, detail, cure))

    def _note_dropped(self, _expanded_name: str | None) -> None:
        # A name that a context maps to null arrives here as None, hence the memory of what was looked up last.
        name = self._last_name
        self._note(name, f"No context defines {name!a} here.", "Remove it, or use a term of the contexts.")

    def _expand_object(
        self,
        active_ctx: Any,
        active_property: Any,
        expanded_active_property: Any,
        element: Any,
        *rest: Any,
        **options: Any,
    ) -> None:
        self._root = element if self._root is None else self._root
        self._elements.append(element)
        super()._expand_object(active_ctx, active_property, expanded_active_property, element, *rest, **options)
        self._elements.pop()  # not after an error: the last one left is where it happened

    def _process_context(self, active_ctx: Any, local_ctx: Any, options: Any, **how: Any) -> Any:
        # PyLD's own cache never hits for type-scoped contexts, and they take two thirds of the time of a badge.
        self._processing += 1
        process = partial(super()._process_context, active_ctx, local_ctx, options, **how)
        names = local_ctx if isinstance(local_ctx, list) else [local_ctx]
        key = (id(active_ctx), *(name if isinstance(name, str) else id(name) for name in names), *sorted(how.items()))
        processed = process() if "cycles" in how else self._processed.get(key, (active_ctx, names), process)
        self._processing -= 1
        return processed

    def _expand_iri(
        self,
        active_ctx: Any,
        value: Any,
        base: str | None = None,
        vocab: bool = False,
        local_ctx: Any = None,
        defined: Any = None,
    ) -> Any:
        expanded = super()._expand_iri(active_ctx, value, base=base, vocab=vocab, local_ctx=local_ctx, defined=defined)
        if self._processing or not isinstance(value, str) or value.startswith("@"):
            return expanded
        if not vocab:
            if expanded != value:
                self._note(value, "The IRI is relative or abbreviated.", "Write the IRI in full.")
            return expanded
        if base is None:
            self._last_name = value
        elif expanded is None or expanded.startswith(_BASE):
            self._note(value, f"No context defines {value!a} here.", "Use a term of the contexts.")
        if ":" in value and _is_other_spelling(active_ctx, value, expanded):
            self._note(value, "The contexts have a term for this IRI.", "Write the term.")
        return expanded


def _places_in(place: _Place, element: dict[str, Any], text: str | None) -> Iterator[_Place]:
    """Where `text` is a member name of `element`, a member's value, or an item of it."""
    for name, value in element.items():
        member = _Place(place, name, 0)
        if text in (name, value):
            yield member
        elif isinstance(value, list):
            yield from (_Place(member, index, 0) for index, item in enumerate(value) if item == text)


def _is_other_spelling(active_ctx: Any, value: str, expanded: str | None) -> bool:
    """Whether `value` abbreviates an IRI, or is one that a term stands for: two spellings of one signed statement."""
    if value in active_ctx["mappings"]:
        return False
    if expanded != value or ("@vocab" in active_ctx and value.startswith(active_ctx["@vocab"])):
        return True
    return any(mapping and mapping["@id"] == value for mapping in active_ctx["mappings"].values())


class _ProcessedContexts:
    """Active contexts that PyLD computed, by the identity of what they were computed from (kept alive with them)."""

    LIMIT = 1_000

    def __init__(self) -> None:
        self._entries: dict[Any, tuple[Any, Any]] = {}

    def get(self, key: Any, made_from: Any, process: Callable[[], Any]) -> Any:
        if key in self._entries:
            return self._entries[key][1]
        processed = process()
        if len(self._entries) >= self.LIMIT:
            self._entries.clear()
        self._entries[key] = (made_from, processed)
        return processed


class _Expander:
    """A frozen document loader over one set of contexts, with what PyLD has made of them so far."""

    def __init__(self, contexts: Contexts) -> None:
        self.contexts = contexts
        self.lock = threading.Lock()
        self.processed = _ProcessedContexts()
        # PyLD rewrites the context documents it is given.
        self._documents = {url: copy.deepcopy(document) for url, document in contexts.items()}
        self.resolver = ContextResolver({}, self.load)

    def load(self, url: str, _options: Any = None) -> dict[str, Any]:
        """What PyLD calls instead of fetching."""
        if url not in self._documents:
            raise UnknownContext(f"The context {url[:200]!a} is not known here.")
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": self._documents[url],
        }


_MAX_EXPANDERS = 4
_expanders: dict[int, _Expander] = {}


def _expander_of(contexts: Contexts) -> _Expander:
    # By identity: a mapping cannot be hashed, and the expander keeps it alive so that its id stays its own.
    expander = _expanders.get(id(contexts))
    if expander is None or expander.contexts is not contexts:
        while len(_expanders) >= _MAX_EXPANDERS:
            _expanders.pop(next(iter(_expanders)), None)
        expander = _expanders[id(contexts)] = _Expander(contexts)
    return expander


# --- RDF ------------------------------------------------------------------------------------------------------------


Stated = Mapping["Term", frozenset["Term"]]
"""What one place says of a node: its objects by predicate."""

_ASIDE = frozenset({f"{_RDF}type", "https://purl.imsglobal.org/spec/vc/ob/vocab.html#endorsementComment"})


@dataclass(slots=True)
class _Places:
    """Where a node with an id is described: at the top, elsewhere, and within objects that have a proof of their own."""

    top: Stated | None = None
    open: list[Stated] = field(default_factory=list)
    secured: list[Stated] = field(default_factory=list)


class _Dataset:
    """The RDF statements of an expanded document (JSON-LD 1.1 API §8.1), one by one and each exactly once.

    RDF merges the places where a node is described, and whoever reads JSON reads places: what is moved, copied or taken away
    between two of them would leave no trace in the signature. So `_require_unambiguous` lets a node have several only where that
    cannot be:

    - The top (the credential itself) is described there alone. Elsewhere it may be given other types and an endorsementComment.
    - Two places of another node have no statement in common, types included (which would have to be shared before a term of
      one could stand in the other), or one says all that the other says.
    - What stands inside an object with a proof of its own (an endorsement in a badge, a badge in a learner record) cannot be
      changed, because a verifier of the whole verifies that proof as well: such places may overlap with each other. But they
      must not lend their words to what stands outside: that says all that they say, or has nothing in common with them. A
      place that gives nothing but types is a mention, and may be one of either.
    """

    def __init__(self, expanded: list[Any], *, is_open: bool = False) -> None:
        self._is_open = is_open
        if len(expanded) != 1:
            raise _Refusal("The document says nothing about itself.", "Give it a type.")
        self.statements: dict[Quad, None] = {}
        self._blank_nodes = 0
        self._places: dict[tuple[Term | None, Term], _Places] = {}
        self._within_secured = 0
        self._add_top(expanded[0], None)
        self._require_unambiguous()

    def _add_top(self, node: Any, graph: Term | None) -> None:
        subject = self._subject_of(node)
        self._add_node(node, subject, graph, is_top=not self._within_secured)

    def _subject_of(self, node: Any) -> Term:
        return self._iri(node["@id"]) if "@id" in node else self._new_blank_node()

    def _new_blank_node(self) -> Term:
        self._blank_nodes += 1
        return Term("blank node", f"_:b{self._blank_nodes}")

    def _iri(self, value: Any) -> Term:
        if not isinstance(value, str) or not _ABSOLUTE_IRI.fullmatch(value):
            raise _Refusal(
                "This is not an absolute IRI.", "Use an IRI with a scheme and no spaces or quotes.", at=value
            )
        return Term("IRI", value)

    def _add_node(self, node: dict[str, Any], subject: Term, graph: Term | None, *, is_top: bool = False) -> None:
        stated: dict[Term, frozenset[Term]] = {}
        for name, values in node.items():
            if name == "@id":
                continue
            if name == "@type":
                predicate, objects = Term("IRI", f"{_RDF}type"), list(dict.fromkeys(map(self._iri, values)))
            elif name == "@graph":
                self._add_graph(values, subject)
                continue
            elif name.startswith("@"):
                raise _Refusal(
                    f"{name} is not supported.", "Use the terms of the Open Badges and credentials contexts."
                )
            else:
                predicate, objects = self._iri(name), [self._object_of(value, graph) for value in values]
            for item in objects:
                self._add(Quad(subject, predicate, item, graph))
            stated[predicate] = frozenset(objects)
            if len(stated[predicate]) != len(objects):
                raise _Refusal(f"The property {predicate.value} has the same value twice.", "Give the value once.")
        self._note_place(stated, subject, graph, is_top=is_top)

    def _note_place(self, stated: Stated, subject: Term, graph: Term | None, *, is_top: bool) -> None:
        if is_top and not stated:  # it could trade its id for another node's
            raise _Refusal("Nothing is said about the document.", "Give it a type.")
        if not stated or subject.type == "blank node":  # merely named, or described once for sure
            return
        places = self._places.setdefault((graph, subject), _Places())
        if is_top and places.top is None:
            places.top = stated
        else:
            (places.secured if self._within_secured else places.open).append(stated)

    def _add(self, quad: Quad) -> None:
        self.statements[quad] = None
        if len(self.statements) > MAX_QUADS:
            raise WorkBudgetExceeded(
                f"The document makes more than {MAX_QUADS} statements.", cure="Send a smaller one."
            )

    def _add_graph(self, nodes: list[Any], name: Term) -> None:
        if name.type != "blank node":
            raise _Refusal("A graph with an id is not supported.", "Leave the id out.", at=name.value)
        for node in nodes:
            self._add_top(node, name)

    def _object_of(self, value: dict[str, Any], graph: Term | None) -> Term:
        if "@value" in value:
            return _tagged_literal_of(value) if self._is_open and _is_tagged(value) else _literal_of(value)
        if "@list" in value:
            return self._list_of(value, graph)
        subject = self._subject_of(value)
        is_secured = _PROOF in value
        self._within_secured += is_secured
        self._add_node(value, subject, graph)
        self._within_secured -= is_secured
        return subject

    def _list_of(self, value: dict[str, Any], graph: Term | None) -> Term:
        if len(value) != 1:
            raise _Refusal("An indexed list is not supported.", "Use an array.")
        head = Term("IRI", f"{_RDF}nil")
        for item in reversed(value["@list"]):
            cell = self._new_blank_node()
            self._add(Quad(cell, Term("IRI", f"{_RDF}first"), self._object_of(item, graph), graph))
            self._add(Quad(cell, Term("IRI", f"{_RDF}rest"), head, graph))
            head = cell
        return head

    def _require_unambiguous(self) -> None:
        for (_, subject), places in self._places.items():
            is_clear = _is_clear_of_top(places) if places.top is not None else _is_clear(places)
            if not is_clear:
                raise _Refusal(
                    "The node is described in several places, and what is said in one could be moved to another unnoticed.",
                    "Describe it once and refer to it by its id.",
                    at=subject.value,
                )


def _is_clear_of_top(places: _Places) -> bool:
    assert places.top is not None
    elsewhere = [*places.open, *places.secured]
    return all(_is_disjoint(each, places.top) and {term.value for term in each} <= _ASIDE for each in elsewhere)


def _is_clear(places: _Places) -> bool:
    alone = all(
        _is_disjoint(one, other) or _is_part(one, other) or _is_part(other, one)
        for one, other in combinations(places.open, 2)
    )
    return alone and all(_borrows_nothing(each, places) for each in places.open)


def _borrows_nothing(place: Stated, places: _Places) -> bool:
    """Whether an open place has nothing from within a secured one: it, or what it is part of, says at least as much, or they say
    nothing alike."""
    wholes = [each for each in places.open if _is_part(place, each)]
    return all(
        _is_disjoint(place, secured)
        or any(_is_part(secured, whole) for whole in wholes)
        or (_is_mention(place) and _is_part(place, secured))
        for secured in places.secured
    )


def _is_mention(place: Stated) -> bool:
    return {term.value for term in place} == {f"{_RDF}type"}


def _is_part(part: Stated, whole: Stated) -> bool:
    return all(whole.get(predicate) == objects for predicate, objects in part.items())


def _is_disjoint(one: Stated, other: Stated) -> bool:
    return not any(objects & other.get(predicate, frozenset()) for predicate, objects in one.items())


def _is_tagged(value: dict[str, Any]) -> bool:
    return value.get("@type") == "@json" or bool(value.keys() & {"@language", "@direction"})


def _tagged_literal_of(value: dict[str, Any]) -> Term:
    """A text with its language or direction (JSON-LD 1.1 API §8.2.2, `i18n-datatype`), or JSON as it stands."""
    content, language, direction = value["@value"], value.get("@language", ""), value.get("@direction", "")
    if value.get("@type") == "@json":
        return Term("literal", rfc8785.dumps(content).decode(), f"{_RDF}JSON")
    if not isinstance(content, str) or (language and not _LANGUAGE.fullmatch(language)):
        raise _Refusal("This is not a text with its language.", "Write the language as in BCP 47.", at=content)
    if direction:
        return Term("literal", content, f"{_I18N}{language}_{direction}")
    return Term("literal", content, f"{_RDF}langString", language)


def _literal_of(value: dict[str, Any]) -> Term:
    """The literal for a value object (JSON-LD 1.1 API §8.2.2): booleans and numbers in their canonical lexical form.

    A JSON type has to fit the term's datatype, or else true and "true" would be signed alike.
    """
    if not value.keys() <= {"@value", "@type"}:
        raise _Refusal("Languages, directions and indexes are not supported.", "Use plain text.")
    content, datatype = value["@value"], value.get("@type")
    if datatype is not None and not _ABSOLUTE_IRI.fullmatch(datatype):
        raise _Refusal(f"Values of type {datatype} are not supported.", "Use the terms of the contexts.")
    wanted = _json_type_for(datatype)
    if isinstance(content, bool):
        if wanted in (None, "a boolean"):
            return Term("literal", "true" if content else "false", datatype or f"{_XSD}boolean")
    elif isinstance(content, str):
        if wanted in (None, "text"):
            return Term("literal", content, datatype or f"{_XSD}string")
    elif wanted in (None, "a number"):
        return _number_of(content, datatype)
    raise _Refusal(f"The term takes {wanted}.", f"Send {wanted}.", at=content)


def _json_type_for(datatype: str | None) -> str | None:
    if datatype is None:
        return None
    name = match[1] if (match := _XSD_NAME.fullmatch(datatype)) else ""
    return "a boolean" if name == "boolean" else "a number" if _NUMERIC.fullmatch(name) else "text"


def _number_of(content: float, datatype: str | None) -> Term:
    if content == int(content) and datatype != f"{_XSD}double":
        return Term("literal", str(int(content)), datatype or f"{_XSD}integer")
    mantissa, exponent = f"{content:.15E}".split("E")
    mantissa = mantissa.rstrip("0")
    mantissa += "0" if mantissa.endswith(".") else ""
    return Term("literal", f"{mantissa}E{int(exponent)}", datatype or f"{_XSD}double")


class _Refusal(Exception):
    """Raised where the expanded document is at hand and the place in the JSON is not. `at` is the value it is about."""

    def __init__(self, detail: str, cure: str, *, at: Any = None) -> None:
        super().__init__(detail)
        self.detail, self.cure, self.at = detail, cure, at

    def locate(self, document: Mapping[str, Any]) -> list[Fault]:
        """A fault for every place in `document` that has the value, or one for the whole."""
        places = [
            place.pointer for place, value in _walk(document) if type(value) is type(self.at) and value == self.at
        ]
        return [Fault(pointer, self.detail, self.cure) for pointer in (places if self.at is not None else []) or [""]]
