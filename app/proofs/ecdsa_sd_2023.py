"""The cryptosuite ecdsa-sd-2023, selective disclosure: W3C Data Integrity ECDSA Cryptosuites v1.0, §3.4 to §3.6.

    base proof       signs every statement of a document by itself; only the holder gets it
    derived proof    made by the holder, without the issuer: the document cut down to what is mandatory and what they choose

The issuer's P-256 key signs the hash of the proof config, an ephemeral public key, and the hash of the mandatory statements;
the ephemeral key signs each other statement. Blank nodes are labelled by an HMAC of their canonical label, so that labels tell
nothing of what is left out. What is disclosed is chosen by JSON Pointers (RFC 6901) into the document.

Blank nodes are told apart by ids put into the document before it is cut (§3.4.8, skolemization): here straight into its JSON,
which comes to the same where every object is a node, as it is in everything that `app.proofs.rdfc` accepts.
"""

import copy
import hashlib
import hmac
import io
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from app.errors import Fault
from app.proofs.cryptosuites import is_signed_by
from app.proofs.errors import MalformedPointer, MalformedProofValue
from app.proofs.multikey import decode_multikey_bytes, encode_multikey_bytes, kind_of
from app.proofs.rdfc import Quad, Term, label_blank_nodes, serialize_quad, state

Contexts = Mapping[str, dict[str, Any]]
Document = Mapping[str, Any]

CRYPTOSUITE = "ecdsa-sd-2023"
HMAC_KEY_LENGTH = 32
MAX_STATEMENTS = 5_000

_BASE = b"\xd9\x5d\x00"
_DERIVED = b"\xd9\x5d\x01"
_SKOLEM = "urn:bnid:_b"
_MAX_DEPTH = 3


@dataclass(frozen=True, slots=True)
class BaseTransform:
    """The statements of the whole document by their place in its canonical order, in two groups."""

    mandatory: Mapping[int, str]
    non_mandatory: Mapping[int, str]

    @property
    def mandatory_hash(self) -> bytes:
        return hash_statements(self.mandatory[place] for place in sorted(self.mandatory))

    @property
    def to_sign_each(self) -> list[str]:
        """What the ephemeral key signs, each by itself."""
        return [self.non_mandatory[place] for place in sorted(self.non_mandatory)]


@dataclass(frozen=True, slots=True)
class BaseProofValue:
    base_signature: bytes
    ephemeral_key: EllipticCurvePublicKey
    hmac_key: bytes
    signatures: Sequence[bytes]
    mandatory_pointers: Sequence[str]


@dataclass(frozen=True, slots=True)
class DerivedProofValue:
    """`labels`: the label of each blank node of the disclosed document by its canonical one. `mandatory` are the places of the
    mandatory statements among those disclosed."""

    base_signature: bytes
    ephemeral_key: EllipticCurvePublicKey
    signatures: Sequence[bytes]
    labels: Mapping[str, str]
    mandatory: Sequence[int]


# --- the issuer -----------------------------------------------------------------------------------------------------


def transform_base(
    document: Document, mandatory_pointers: Sequence[str], hmac_key: bytes, *, contexts: Contexts
) -> BaseTransform:
    """Transformation of an unsecured `document`, §3.6.2. Raises MalformedPointer, and as `rdfc.canonicalize` does."""
    grouped = _Grouping(document, hmac_key, contexts)
    mandatory = grouped.select(mandatory_pointers)
    return BaseTransform(
        mandatory={place: line for place, line in enumerate(grouped.lines) if place in mandatory},
        non_mandatory={place: line for place, line in enumerate(grouped.lines) if place not in mandatory},
    )


def compose_sign_data(proof_hash: bytes, ephemeral_key: EllipticCurvePublicKey, mandatory_hash: bytes) -> bytes:
    """What the issuer's key signs, §3.5.1. `proof_hash` is the SHA-256 of the canonical proof config."""
    return proof_hash + encode_multikey_bytes(ephemeral_key) + mandatory_hash


def serialize_base(value: BaseProofValue) -> str:
    """The `proofValue` of a base proof, §3.5.2."""
    parts = [
        value.base_signature,
        encode_multikey_bytes(value.ephemeral_key),
        value.hmac_key,
        list(value.signatures),
        list(value.mandatory_pointers),
    ]
    return _write(_BASE, parts)


def hash_statements(lines: Iterable[str]) -> bytes:
    """SHA-256 of statements in their order, §3.4.17."""
    return hashlib.sha256("".join(lines).encode()).digest()


# --- the holder -----------------------------------------------------------------------------------------------------


def parse_base(proof_value: Any) -> BaseProofValue:
    """§3.5.3. Raises MalformedProofValue."""
    match _read(_BASE, proof_value):
        case [bytes(signature), bytes(ephemeral), bytes(hmac_key), list(signatures), list(pointers)]:
            if len(hmac_key) == HMAC_KEY_LENGTH and all(isinstance(pointer, str) for pointer in pointers):
                key = _ephemeral_key(ephemeral)
                return BaseProofValue(signature, key, hmac_key, _require_signatures(signatures), pointers)
    raise _malformed("The proofValue is not that of a base proof.")


def derive(
    secured_document: Document, proof: Mapping[str, Any], selective_pointers: Sequence[str], *, contexts: Contexts
) -> dict[str, Any]:
    """The document cut down to what is mandatory and what `selective_pointers` name, with a derived proof, §3.6.6.

    `proof` is the base proof of `secured_document`. Raises MalformedProofValue, MalformedPointer (also when nothing would be
    left to disclose), and as `rdfc.canonicalize` does.
    """
    base = parse_base(proof.get("proofValue"))
    document = {name: value for name, value in secured_document.items() if name != "proof"}
    pointers = [*base.mandatory_pointers, *selective_pointers]
    if not pointers:
        raise MalformedPointer("Nothing is selected, and nothing is mandatory.", cure="Select at least one member.")
    grouped = _Grouping(document, base.hmac_key, contexts)
    mandatory, selective = grouped.select(base.mandatory_pointers), grouped.select(selective_pointers)
    combined = grouped.select(pointers)
    signed = [place for place in range(len(grouped.lines)) if place not in mandatory]
    if len(signed) != len(base.signatures):
        raise _malformed("The proof has not one signature for each statement that is not mandatory.")
    disclosed = DerivedProofValue(
        base_signature=base.base_signature,
        ephemeral_key=base.ephemeral_key,
        signatures=[found for place, found in zip(signed, base.signatures, strict=True) if place in selective],
        labels=grouped.label_disclosed(pointers),
        mandatory=[index for index, place in enumerate(sorted(combined)) if place in mandatory],
    )
    derived_proof = {**proof, "proofValue": serialize_derived(disclosed)}
    return {**select(document, pointers), "proof": derived_proof}


def serialize_derived(value: DerivedProofValue) -> str:
    """The `proofValue` of a derived proof, §3.5.5 and §3.5.7."""
    labels = {int(name.removeprefix("c14n")): _base64url_decode(label[1:]) for name, label in value.labels.items()}
    parts = [
        value.base_signature,
        encode_multikey_bytes(value.ephemeral_key),
        list(value.signatures),
        labels,
        list(value.mandatory),
    ]
    return _write(_DERIVED, parts)


# --- the verifier ---------------------------------------------------------------------------------------------------


def is_derived(proof_value: Any) -> bool:
    """Whether a `proofValue` begins as that of a derived proof: a base proof is for its holder, and verifies nowhere else."""
    return _starts(_DERIVED, proof_value)


def parse_derived(proof_value: Any) -> DerivedProofValue:
    """§3.5.8. Raises MalformedProofValue."""
    match _read(_DERIVED, proof_value):
        case [bytes(signature), bytes(ephemeral), list(signatures), dict(labels), list(mandatory)]:
            if _are_labels(labels) and _are_places(mandatory):
                named = {f"c14n{number}": f"u{_base64url(label)}" for number, label in labels.items()}
                key = _ephemeral_key(ephemeral)
                return DerivedProofValue(signature, key, _require_signatures(signatures), named, mandatory)
    raise _malformed("The proofValue is not that of a derived proof.")


def verify_derived(
    document: Document,
    proof_hash: bytes,
    disclosed: DerivedProofValue,
    public_key: EllipticCurvePublicKey,
    *,
    contexts: Contexts,
) -> bool:
    """Whether the issuer's `public_key` stands behind every statement of a disclosed `document` without its proof, §3.6.7.

    `proof_hash` is the SHA-256 of the canonical proof config. Raises as `rdfc.canonicalize` does, and MalformedProofValue where
    the proof and the document do not belong together.
    """
    lines = _label_and_sort(state(document, contexts=contexts), disclosed.labels)
    if any(place >= len(lines) for place in disclosed.mandatory):
        raise _malformed("The proof names mandatory statements that the document does not have.")
    chosen = frozenset(disclosed.mandatory)
    mandatory = [line for place, line in enumerate(lines) if place in chosen]
    others = [line for place, line in enumerate(lines) if place not in chosen]
    if len(others) != len(disclosed.signatures):
        raise _malformed("The proof has not one signature for each statement that is not mandatory.")
    signed = compose_sign_data(proof_hash, disclosed.ephemeral_key, hash_statements(mandatory))
    return is_signed_by(public_key, signed, disclosed.base_signature) and all(
        is_signed_by(disclosed.ephemeral_key, line.encode(), signature)
        for line, signature in zip(others, disclosed.signatures, strict=True)
    )


def _label_and_sort(statements: Sequence[Quad], labels: Mapping[str, str]) -> list[str]:
    issued = label_blank_nodes(statements)
    if set(issued.values()) != set(labels) or len(set(labels.values())) != len(labels):
        raise _malformed("The labels of the proof are not those of the document's nodes.")
    return sorted(
        serialize_quad(_relabel(quad, {own: labels[name] for own, name in issued.items()})) for quad in statements
    )


# --- grouping -------------------------------------------------------------------------------------------------------


class _Grouping:
    """A document whose statements can be told apart by what JSON Pointers select (canonicalize and group, §3.4.16).

    `lines` are its statements with blank nodes labelled by the HMAC of their canonical label, sorted.
    """

    def __init__(self, document: Document, hmac_key: bytes, contexts: Contexts) -> None:
        self._contexts = contexts
        state(document, contexts=contexts)  # what is refused is refused at its place in the document as it was given
        self._skolemized = _skolemize(document)
        statements = self._state(self._skolemized)
        self._labels = {own: _label(hmac_key, name) for own, name in label_blank_nodes(statements).items()}
        self.lines = sorted(serialize_quad(_relabel(quad, self._labels)) for quad in statements)
        self._places = {line: place for place, line in enumerate(self.lines)}

    def select(self, pointers: Sequence[str]) -> frozenset[int]:
        """The places of the statements that the pointers select."""
        if not pointers:
            return frozenset()
        statements = self._state(select(self._skolemized, pointers))
        return frozenset(self._places[serialize_quad(_relabel(quad, self._labels))] for quad in statements)

    def label_disclosed(self, pointers: Sequence[str]) -> dict[str, str]:
        """The labels of the nodes of what is disclosed, by the canonical labels that they have there."""
        issued = label_blank_nodes(self._state(select(self._skolemized, pointers)))
        return {name: self._labels[own] for own, name in issued.items()}

    def _state(self, skolemized: Document) -> list[Quad]:
        return [_deskolemize(quad) for quad in state(skolemized, contexts=self._contexts)]


def _skolemize(document: Document) -> dict[str, Any]:
    """A copy in which every node without an id has one."""
    count = 0

    def visit(value: Any) -> Any:
        nonlocal count
        if isinstance(value, list):
            return [visit(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        visited = {name: item if name == "@context" else visit(item) for name, item in value.items()}
        if "id" in visited:
            return visited
        count += 1
        return {"id": f"{_SKOLEM}{count}", **visited}

    skolemized: dict[str, Any] = visit(document)
    return skolemized


def _deskolemize(quad: Quad) -> Quad:
    def blank(term: Term) -> Term:
        is_ours = term.type == "IRI" and term.value.startswith(_SKOLEM)
        return Term("blank node", "_:" + term.value.removeprefix("urn:bnid:_")) if is_ours else term

    return Quad(blank(quad.subject), quad.predicate, blank(quad.object), quad.graph and blank(quad.graph))


def _relabel(quad: Quad, labels: Mapping[str, str]) -> Quad:
    def named(term: Term) -> Term:
        return Term("blank node", f"_:{labels[term.value]}") if term.type == "blank node" else term

    return Quad(named(quad.subject), quad.predicate, named(quad.object), quad.graph and named(quad.graph))


def _label(hmac_key: bytes, canonical_label: str) -> str:
    """§3.4.4: `u` and the base64url of HMAC-SHA256 over the canonical label."""
    return f"u{_base64url(hmac.digest(hmac_key, canonical_label.encode(), 'sha256'))}"


# --- selection by pointers ------------------------------------------------------------------------------------------


def select(document: Document, pointers: Sequence[str]) -> dict[str, Any]:
    """What the pointers select of a document, with the ids and types on the way, §3.4.13. Raises MalformedPointer."""
    selection = _begin(document)
    if "@context" in document:
        selection["@context"] = copy.deepcopy(document["@context"])
    sparse: list[list[Any]] = []
    for pointer in pointers:
        _select_path(document, selection, pointer, sparse)
    for each in sparse:
        each[:] = [item for item in each if item is not _ABSENT]
    return selection


_ABSENT = object()


def _begin(node: Mapping[str, Any]) -> dict[str, Any]:
    """§3.4.11: the ids and types of a node are always selected with it."""
    return {name: copy.deepcopy(node[name]) for name in ("id", "type") if name in node}


def _select_path(document: Document, selection: dict[str, Any], pointer: str, sparse: list[list[Any]]) -> None:
    """§3.4.12."""
    source: Any = document
    target: Any = selection
    parts = _parse_pointer(pointer)
    if not parts:
        selection.update(copy.deepcopy(dict(document)))
        return
    for depth, part in enumerate(parts):
        key = _key_in(source, part, pointer)
        source = source[key]
        found = _get(target, key)
        if depth == len(parts) - 1:
            begun = found if isinstance(found, dict) else {}
            chosen = {**begun, **source} if isinstance(source, Mapping) else source
            _put(target, key, copy.deepcopy(chosen))
        elif found is _ABSENT and isinstance(source, list):
            sparse.append([])
            _put(target, key, sparse[-1])
        elif found is _ABSENT:
            _put(target, key, _begin(source) if isinstance(source, Mapping) else source)
        target = _get(target, key)


def _get(target: Any, key: str | int) -> Any:
    if isinstance(target, list):
        return target[key] if isinstance(key, int) and key < len(target) else _ABSENT
    return target.get(key, _ABSENT)


def _put(target: Any, key: Any, value: Any) -> None:
    if isinstance(target, list):
        target.extend([_ABSENT] * (key + 1 - len(target)))
    target[key] = value


def _key_in(source: Any, part: str, pointer: str) -> str | int:
    if isinstance(source, Mapping) and part in source:
        return part
    if isinstance(source, list) and part.isdecimal() and part == str(int(part)) and int(part) < len(source):
        return int(part)
    detail = "leads nowhere in the document"
    raise MalformedPointer("A JSON Pointer leads nowhere.", faults=[Fault(pointer[:200], detail)])


def _parse_pointer(pointer: str) -> list[str]:
    if pointer == "":
        return []
    if not pointer.startswith("/"):
        raise MalformedPointer("A JSON Pointer begins with a slash.", faults=[Fault(pointer[:200], "has no slash")])
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


# --- proof values ---------------------------------------------------------------------------------------------------


def _write(header: bytes, parts: list[Any]) -> str:
    return f"u{_base64url(header + cbor2.dumps(parts))}"


def _read(header: bytes, proof_value: Any) -> Any:
    if not _starts(header, proof_value):
        raise _malformed("The proofValue does not begin as one of this kind does.")
    try:
        stream = io.BytesIO(_base64url_decode(proof_value[1:])[len(header) :])
        parts = cbor2.load(stream, max_depth=_MAX_DEPTH, allow_indefinite=False, allow_duplicate_keys=False)
    except (cbor2.CBORDecodeError, NotBase64):
        raise _malformed("The proofValue is not CBOR in base64url.") from None
    if stream.read(1):
        raise _malformed("Something follows the CBOR of the proofValue.")
    return parts


def _starts(header: bytes, proof_value: Any) -> bool:
    # Three bytes are four characters of base64url: the header stands by itself.
    return isinstance(proof_value, str) and proof_value.isascii() and proof_value.startswith(f"u{_base64url(header)}")


def _require_signatures(signatures: Sequence[Any]) -> Sequence[bytes]:
    if len(signatures) <= MAX_STATEMENTS and all(isinstance(each, bytes) and len(each) == 64 for each in signatures):
        return signatures
    raise _malformed("The signatures of the proof are not P-256 signatures.")


def _ephemeral_key(raw: bytes) -> EllipticCurvePublicKey:
    key = decode_multikey_bytes(raw)
    if not isinstance(key, EllipticCurvePublicKey) or kind_of(key).name != "P-256":
        raise _malformed("The ephemeral key of the proof is not a P-256 key.")
    return key


def _are_labels(labels: Mapping[Any, Any]) -> bool:
    return all(
        type(name) is int and name >= 0 and isinstance(label, bytes) and len(label) == 32
        for name, label in labels.items()
    )


def _are_places(mandatory: Sequence[Any]) -> bool:
    return all(type(place) is int and place >= 0 for place in mandatory) and len(set(mandatory)) == len(mandatory)


def _base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _base64url_decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _malformed(detail: str) -> MalformedProofValue:
    return MalformedProofValue(detail, faults=[Fault("/proofValue", detail)])
