"""The canonical form: the same as PyLD's for what is accepted, and no leaf of what is accepted escapes it."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyld import jsonld

from app.contexts import load_contexts
from app.errors import InvalidInput
from app.proofs import rdfc
from app.proofs.errors import UnknownContext, UnsafeDocument

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1].parent / "shared"
CONTEXTS = load_contexts()
ALIASES = ({"OpenBadgeCredential", "AchievementCredential"}, {"Person", "Human"})

VC = "https://www.w3.org/ns/credentials/v2"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"


def badge() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((HERE / "educator_badge.json").read_text("utf-8"))
    return document


def shared_badge(name: str) -> dict[str, Any]:
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the project")
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


def simple(**members: Any) -> dict[str, Any]:
    return {"@context": [VC, OB], "id": "urn:example:1", "type": ["VerifiableCredential"]} | members


EXAMPLE = "https://example.org/context"
EXAMPLE_CONTEXTS: dict[str, dict[str, Any]] = {
    EXAMPLE: {
        "@context": {
            "id": "@id",
            "type": "@type",
            "ex": "https://example.org/#",
            "name": "ex:name",
            "nothing": None,
            "knows": {"@id": "ex:knows", "@type": "@id"},
            "kind": {"@id": "ex:kind", "@type": "@vocab"},
            "known_by": {"@reverse": "ex:knows", "@type": "@id"},
            "spoken": {"@id": "ex:spoken", "@language": "en"},
            "data": {"@id": "ex:data", "@type": "@json"},
            "double": {"@id": "ex:double", "@type": "http://www.w3.org/2001/XMLSchema#double"},
            "steps": {"@id": "ex:steps", "@container": "@list"},
            "claims": {"@id": "ex:claims", "@type": "@id", "@container": "@graph"},
            "Person": "ex:Person",
            "Human": "ex:Person",
            "Robot": {"@id": "ex:Robot", "@context": {"name": "ex:label", "serial": "ex:serial"}},
        }
    },
    "https://example.org/vocab": {"@context": {"id": "@id", "type": "@type", "@vocab": "https://example.org/#"}},
}


ALL_CONTEXTS = {**CONTEXTS, **EXAMPLE_CONTEXTS}


def canonical(document: dict[str, Any]) -> str:
    return rdfc.canonicalize(document, contexts=ALL_CONTEXTS).nquads


def example(**members: Any) -> str:
    document = {"@context": EXAMPLE, "id": "urn:example:1"} | members
    return canonical(document)


def pyld_canonical(document: dict[str, Any]) -> str:
    def load(url: str, _options: Any) -> dict[str, Any]:
        return {"contextUrl": None, "documentUrl": url, "document": copy.deepcopy(ALL_CONTEXTS[url])}

    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load}
    nquads: str = jsonld.normalize(copy.deepcopy(document), options)
    return nquads


BADGES = {
    "educator_badge.json": badge,
    "sample-educator-badge.json": lambda: shared_badge("sample-educator-badge.json"),
    "benchmark-credential.json": lambda: shared_badge("benchmark-credential.json"),
}


@pytest.mark.parametrize("name", BADGES)
def test_a_badge_canonicalizes_as_pyld_does_it_and_is_left_alone(name: str) -> None:
    document = BADGES[name]()
    before = copy.deepcopy(document)
    for _ in range(2):  # the second time out of the caches
        assert canonical(document) == pyld_canonical(document)
    assert document == before


def test_the_order_of_members_and_of_sets_does_not_matter() -> None:
    document = badge()
    turned = dict(reversed(document.items()))
    turned["evidence"] = list(reversed(document["evidence"]))
    assert canonical(turned) == canonical(document)


def test_contexts_given_twice_under_different_mappings_do_not_mix() -> None:
    document = {
        "@context": [VC, "urn:example:context"],
        "id": "urn:example:1",
        "type": "VerifiableCredential",
        "extra": "a",
    }
    one: dict[str, Any] = {**CONTEXTS, "urn:example:context": {"@context": {"extra": "urn:example:one"}}}
    two: dict[str, Any] = {**CONTEXTS, "urn:example:context": {"@context": {"extra": "urn:example:two"}}}
    for _ in range(2):
        assert "<urn:example:one>" in rdfc.canonicalize(document, contexts=one).nquads
        assert "<urn:example:two>" in rdfc.canonicalize(document, contexts=two).nquads


# --- every leaf leaves a trace --------------------------------------------------------------------------------------


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name != "@context":
                yield from leaves(member, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def changed(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(document)
    parent: Any = document
    for name in path[:-1]:
        parent = parent[name]
    parent[path[-1]] = value
    return document


def require_trace(document: dict[str, Any], before: str, path: tuple[Any, ...], old: Any, new: Any) -> None:
    if isinstance(old, str) and isinstance(new, str) and any({old, new} <= alias for alias in ALIASES):
        return
    # 1.0 and 1 are one number of JSON; true and 1 are equal in Python alone.
    if isinstance(old, bool) is isinstance(new, bool) and old == new:
        return
    assert canonical_or_none(changed(document, path, new)) != before, f"{path}: {old!r} -> {new!r} leaves no trace"


@pytest.mark.parametrize("name", BADGES)
def test_every_change_of_a_leaf_shows_or_is_refused(name: str) -> None:
    document = BADGES[name]()
    before = canonical(document)
    found = list(leaves(document))
    for index, (path, old) in enumerate(found):
        other = found[index - 1][1]
        for new in (f"{old} ", other):
            require_trace(document, before, path, old, new)


def test_sly_changes_of_a_leaf_show_or_are_refused() -> None:
    document = badge()
    before = canonical(document)
    for path, old in leaves(document):
        values: list[Any] = [None, [], {}, [old], [old, old], {"@value": old}, str(old).lower(), 0, "", "../a", "_:b0"]
        vocabularies = ("https://purl.imsglobal.org/spec/vc/ob/vocab.html#", "https://www.w3.org/2018/credentials#")
        values.extend(f"{vocabulary}{old}" for vocabulary in vocabularies)
        for new in values:
            if new == [old]:
                continue  # one value and an array of it are the same statement in JSON-LD
            require_trace(document, before, path, old, new)


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_exchanging_any_two_leaves_for_one_shows_or_is_refused(data: st.DataObject) -> None:
    document = badge()
    found = list(leaves(document))
    path, old = data.draw(st.sampled_from(found))
    _, new = data.draw(st.sampled_from(found))
    require_trace(document, canonical(document), path, old, new)


@given(st.one_of(st.integers(), st.floats(allow_nan=True)), st.one_of(st.integers(), st.floats(allow_nan=True)))
@settings(max_examples=150, deadline=None)
def test_numbers_with_one_canonical_form_are_equal(one: float, two: float) -> None:
    forms = []
    for number in (one, two, one + 1 if abs(one) < 1e15 else one, round(two, 3) if abs(two) < 1e15 else two):
        document = simple(credentialSubject={"type": ["AchievementSubject"], "creditsEarned": number})
        try:
            forms.append((canonical(document), number))
        except UnsafeDocument:
            continue
    for form, number in forms:
        for other_form, other in forms:
            assert (form == other_form) == (number == other)


TERMS = st.sampled_from(
    """id type name description issuer credentialSubject achievement result proof tag allowedValue image evidence
    alignment criteria narrative creditsEarned hashed identifier jsonSchema verifiableCredential holder _sd kid jwk grade
    https://schema.org/name @id @type @value @graph @nest @reverse @included @list @set @language proofPurpose""".split()  # noqa: SIM905
)
TEXTS = st.sampled_from(
    """Profile Achievement Result Evidence DataIntegrityProof VerifiableCredential Nonsense urn:example:1 urn:example:2
    https://example.org/a ../b _:b0 @id @json cred:x assertionMethod true 1 xsd:string did:key:z1""".split()  # noqa: SIM905
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.none(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, 1e22])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TERMS, inner, max_size=4)),
    max_leaves=12,
)


def canonical_or_none(document: dict[str, Any]) -> str | None:
    try:
        return canonical(document)
    except InvalidInput:
        return None


@given(st.dictionaries(TERMS, VALUES, max_size=5))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_document_is_refused_or_canonicalized_as_pyld_does_it(members: dict[str, Any]) -> None:
    document = {"@context": [VC, OB], "type": "VerifiableCredential"} | members
    form = canonical_or_none(document)
    if form is None:
        return
    assert form == pyld_canonical(document)
    for path, old in leaves(document):
        for new in ("urn:example:1", "urn:example:2", "Result", "Profile", 1, True):
            require_trace(document, form, path, old, new)


IDS = st.sampled_from(["urn:example:1", "urn:example:2", "urn:example:3"])
TYPES = st.sampled_from(["Person", "Human", "Robot"])
WORDS = st.sampled_from(["a", "b", "1"])


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=3)


def nodes(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    members = {
        "id": IDS,
        "type": some(TYPES),
        "name": some(WORDS),
        "serial": WORDS,
        "knows": some(inner | IDS),
        "steps": some(inner | WORDS),
        "claims": some(inner),
        "kind": TYPES,
        "double": st.sampled_from([0, 1, 1.5]),
    }
    return st.fixed_dictionaries({}, optional=members)


@given(nodes(st.recursive(nodes(st.nothing()), nodes, max_leaves=6)))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_graph_hides_the_change_of_a_leaf(members: dict[str, Any]) -> None:
    """Nodes that refer to and repeat each other: where RDF merges what JSON keeps apart."""
    document = {"@context": EXAMPLE} | members
    form = canonical_or_none(document)
    if form is None:
        return
    assert form == pyld_canonical(document)
    for path, old in leaves(document):
        for new in ("urn:example:1", "urn:example:2", "urn:example:3", "a", "b", "1", "Person", "Robot", 1, 1.5, True):
            require_trace(document, form, path, old, new)


# --- what is refused, and where -------------------------------------------------------------------------------------


def edit(path: str, value: Any) -> Callable[[], dict[str, Any]]:
    """The badge with `value` at the JSON Pointer `path`."""

    def make() -> dict[str, Any]:
        tokens = [int(token) if token.isdigit() else token for token in path.split("/")[1:]]
        return changed(badge(), tuple(tokens), value)

    return make


@pytest.mark.parametrize(
    ("pointer", "value", "detail"),
    [
        ("/credentialSubject/grade", "A+", "No context defines 'grade'"),
        ("/credentialSubject/evidence", "urn:example:1", "No context defines 'evidence'"),
        ("/credentialSubject/achievement/type", ["Achievement", "MyType"], "No context defines 'MyType'"),
        ("/evidence/0/id", "evidence/1", "relative or abbreviated"),
        ("/evidence/0/id", "", "relative or abbreviated"),
        ("/evidence/0/id", "https://example.org/a b", "not an absolute IRI"),
        ("/evidence/0/id", "https://example.org/<a>", "not an absolute IRI"),
        ("/evidence/0/id", "_:b0", "not an absolute IRI"),
        ("/evidence/0/id", "@id", "not an absolute IRI"),
        ("/credentialSubject/achievement/image/id", "https://example.org/a`b", "not an absolute IRI"),
        ("/evidence/0/type/0", "https://purl.imsglobal.org/spec/vc/ob/vocab.html#Evidence", "a term for this IRI"),
        ("/https:~1~1schema.org~1name", "Hidden", "a term for this IRI"),
        ("/name", None, "null says nothing"),
        ("/evidence", [], "empty array"),
        ("/name", [["Nested"]], "Arrays inside arrays"),
        ("/name", "tab\x0bbed", "control character U+000B"),
        ("/name", "carriage\r\nreturn", "control character U+000D"),
        ("/name", "\ud800", "control character U+D800"),
        ("/credentialSubject/creditsEarned", 0.30000000000000004, "15 significant digits"),
        ("/credentialSubject/creditsEarned", float("inf"), "not finite"),
        ("/credentialSubject/creditsEarned", 2**53, "beyond"),
        ("/credentialSubject/creditsEarned", "1.5", "takes a number"),
        ("/credentialSubject/identifier/0/hashed", "true", "takes a boolean"),
        ("/validFrom", 2026, "takes text"),
        ("/type", ["VerifiableCredential", "VerifiableCredential", "OpenBadgeCredential"], "named twice"),
        ("/@graph", [], "keywords"),
        ("/credentialSubject/@included", [{"id": "urn:example:1"}], "keywords"),
        ("/credentialSubject/@reverse", {"issuer": {"id": "urn:example:1"}}, "keywords"),
        ("/credentialSubject/@nest", {"role": "x"}, "keywords"),
        ("/evidence/0/@type", "Evidence", "keywords"),
        ("/evidence/0/@id", "urn:example:1", "keywords"),
        ("/evidence/0/@index", "a", "keywords"),
        ("/name", {"@value": "Title", "@language": "en"}, "keywords"),
        ("/evidence/0/name", b"bytes", "not a JSON value"),
    ],
)
def test_what_would_not_be_covered_is_refused_with_its_place(pointer: str, value: Any, detail: str) -> None:
    tokens = [token.replace("~1", "/") for token in pointer.split("/")[1:]]
    path = tuple(int(token) if token.isdigit() else token for token in tokens)
    with pytest.raises(UnsafeDocument) as refused:
        canonical(changed(badge(), path, value))
    assert any(detail in fault.detail and fault.pointer.startswith(pointer) for fault in refused.value.faults), [
        *refused.value.faults
    ]
    assert all(fault.cure for fault in refused.value.faults)


def test_an_undefined_member_is_located_where_it_is_undefined_only() -> None:
    with pytest.raises(UnsafeDocument) as refused:
        canonical(edit("/credentialSubject/evidence", "urn:example:1")())
    assert [fault.pointer for fault in refused.value.faults] == ["/credentialSubject/evidence"]


@pytest.mark.parametrize("value", ["Line one\nline two\twith a tab", "“Typographic”, 数据 and 🎓", "", 'C:\\ "quoted"'])
def test_ordinary_text_is_covered(value: str) -> None:
    document = edit("/evidence/0/narrative", value)()
    assert canonical(document) == pyld_canonical(document) != canonical(badge())


def test_values_given_twice_are_refused() -> None:
    assert example(name=["a", "b"])
    with pytest.raises(UnsafeDocument, match="same value twice"):
        example(name=["a", "a"])
    with pytest.raises(UnsafeDocument, match="same value twice"):
        example(knows=[{"id": "urn:example:2", "name": "a"}, {"id": "urn:example:2", "kind": "Person"}])


def test_a_node_described_in_two_places_has_to_agree_or_differ() -> None:
    profile = {"id": "urn:example:2", "name": ["a", "b"]}

    def described(other: dict[str, Any]) -> str:
        return example(knows=[profile, {"id": "urn:example:3", "knows": other}])

    assert described({"id": "urn:example:2"})
    assert described(profile)
    assert described({"id": "urn:example:2", "name": "c"})
    with pytest.raises(UnsafeDocument, match="several places"):
        described({"id": "urn:example:2", "name": "a"})


def test_an_id_that_could_be_exchanged_without_trace_is_refused() -> None:
    both: list[Any] = [{"id": "urn:example:1"}, {"id": "urn:example:2"}]
    inner = [{"id": "urn:example:1", "knows": both}, {"id": "urn:example:2", "knows": both}]
    for members in ({}, {"name": "a"}):
        with pytest.raises(UnsafeDocument, match="several places"):
            example(knows=inner, **members)


@pytest.mark.parametrize(
    ("members", "pointer", "detail"),
    [
        ({"knows": "ex:2"}, "/knows", "relative or abbreviated"),
        ({"knows": {"id": "ex:2"}}, "/knows/id", "relative or abbreviated"),
        ({"kind": "ex:Person"}, "/kind", "a term for this IRI"),
        ({"kind": "https://example.org/#Person"}, "/kind", "a term for this IRI"),
        ({"kind": "Animal"}, "/kind", "No context defines 'Animal'"),
        ({"ex:name": "a"}, "/ex:name", "a term for this IRI"),
        ({"nothing": "a"}, "/nothing", "No context defines 'nothing'"),
        ({"known_by": "urn:example:2"}, "", "@reverse is not supported"),
        ({"spoken": "a"}, "", "Languages"),
        ({"data": {"a": 1}}, "", "not supported"),
        ({"double": True}, "/double", "takes a number"),
        ({"knows": "https://example.org/a b"}, "/knows", "not an absolute IRI"),
    ],
)
def test_what_other_contexts_could_hide_is_refused(members: dict[str, Any], pointer: str, detail: str) -> None:
    with pytest.raises(UnsafeDocument) as refused:
        example(**members)
    assert any(detail in fault.detail and fault.pointer == pointer for fault in refused.value.faults), [
        *refused.value.faults
    ]


def test_full_iris_without_a_term_and_doubles_are_covered() -> None:
    form = example(knows="urn:example:2", kind="Person", double=1, **{"https://other.example/p": "a"})
    assert '<https://other.example/p> "a"' in form
    assert '"1.0E0"^^<http://www.w3.org/2001/XMLSchema#double>' in form
    assert "<https://example.org/#Person>" in form


def test_a_vocabulary_for_everything_covers_everything() -> None:
    def vocabulary(**members: Any) -> str:
        return canonical({"@context": "https://example.org/vocab", "id": "urn:example:1"} | members)

    assert '<https://example.org/#grade> "A"' in vocabulary(grade="A", type="Person")
    with pytest.raises(UnsafeDocument):
        vocabulary(type="https://example.org/#Person")


def test_an_undefined_type_of_the_document_is_located_in_its_array() -> None:
    with pytest.raises(UnsafeDocument) as refused:
        canonical(simple(type=["VerifiableCredential", "MyCredential"]))
    assert [fault.pointer for fault in refused.value.faults] == ["/type/1"]


@pytest.mark.parametrize(
    ("context", "pointer"),
    [
        ("https://unknown.example/context", "/@context"),
        ([VC, "https://unknown.example/context"], "/@context/1"),
        ([VC, {"@vocab": "https://example.org/"}], "/@context/1"),
        ({"name": "https://example.org/name"}, "/@context"),
        ([VC, VC], "/@context/1"),
        ([VC, None], "/@context/1"),
        ([VC, [OB]], "/@context/1"),
        (None, "/@context"),
        ([], "/@context"),
    ],
)
def test_only_known_contexts_are_accepted(context: Any, pointer: str) -> None:
    with pytest.raises(UnknownContext) as refused:
        canonical(simple() | {"@context": context})
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_a_context_is_required_and_nested_ones_are_checked_too() -> None:
    with pytest.raises(UnknownContext):
        canonical({"id": "urn:example:1", "type": "VerifiableCredential"})
    with pytest.raises(UnknownContext) as refused:
        canonical(edit("/endorsement/0/@context", [VC, {"grade": "urn:example:grade"}])())
    assert [fault.pointer for fault in refused.value.faults] == ["/endorsement/0/@context/1"]


def test_contexts_that_contradict_each_other_are_refused() -> None:
    clash = [VC, "https://purl.imsglobal.org/spec/ob/v3p0/context.json"]
    with pytest.raises(UnsafeDocument, match="not valid JSON-LD"):
        canonical(simple() | {"@context": clash})


def test_with_sha_384_blank_nodes_are_told_apart_by_it() -> None:
    """Data Integrity ECDSA Cryptosuites v1.0 §3: with a P-384 key; npm's suites are the check (tests/interop/test_formats.py)."""
    document = json.loads((HERE / "educator_badge.json").read_text())
    usual = rdfc.canonicalize(document, contexts=CONTEXTS).nquads
    other = rdfc.canonicalize(document, contexts=CONTEXTS, algorithm="sha384").nquads
    assert usual != other
    assert usual.count("\n") == other.count("\n")
    assert sorted(re.sub("_:c14n[0-9]+", "_:b", usual).splitlines()) == sorted(
        re.sub("_:c14n[0-9]+", "_:b", other).splitlines()
    )
