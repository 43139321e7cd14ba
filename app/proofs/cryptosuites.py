"""The cryptosuites, as a table of what they are made of.

    suite                 standard                                                  canonical form    keys
    eddsa-rdfc-2022       Data Integrity EdDSA Cryptosuites v1.0 §3.2               RDFC-1.0          Ed25519
    eddsa-jcs-2022        the same, §3.3                                            JCS (RFC 8785)    Ed25519
    ecdsa-rdfc-2019       Data Integrity ECDSA Cryptosuites v1.0 §3.2               RDFC-1.0          P-256, P-384
    ecdsa-jcs-2019        the same, §3.3                                            JCS (RFC 8785)    P-256, P-384
    ecdsa-sd-2023         the same, §3.4 to §3.6 (`app.proofs.ecdsa_sd_2023`)       RDFC-1.0          P-256
    Ed25519Signature2020  the EdDSA document, appendix: a proof type of its own     RDFC-1.0          Ed25519

All but ecdsa-sd-2023 sign the hash of the canonical proof config followed by that of the canonical document: SHA-256, with a
P-384 key SHA-384, which RDFC-1.0 then uses as well. Signing is not here: hand `hash_data` to the `Signer`, and the signature it
returns to `compose_proof`.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import base58
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from app.proofs.errors import UnsafeDocument
from app.proofs.multikey import KeyName, PublicKey, kind_of
from app.proofs.rdfc import HashName, canonicalize

Contexts = Mapping[str, dict[str, Any]]

DATA_INTEGRITY = "DataIntegrityProof"
PROOF_PURPOSE = "assertionMethod"

_EDDSA: frozenset[KeyName] = frozenset({"Ed25519"})
_ECDSA: frozenset[KeyName] = frozenset({"P-256", "P-384"})
_HASHES: Mapping[KeyName, HashName] = {"Ed25519": "sha256", "P-256": "sha256", "P-384": "sha384"}
_PROOF_VALUE = re.compile("z([1-9A-HJ-NP-Za-km-z]{64,140})")


@dataclass(frozen=True, slots=True)
class Cryptosuite:
    """`is_type` where it is a proof `type` of its own and not a `cryptosuite` of DataIntegrityProof; `is_selective` where it
    signs each statement by itself (`app.proofs.ecdsa_sd_2023`)."""

    name: str
    canonical_form: Literal["rdfc", "jcs"]
    keys: frozenset[KeyName]
    is_type: bool = False
    is_selective: bool = False


SUITES: Mapping[str, Cryptosuite] = {
    suite.name: suite
    for suite in (
        Cryptosuite("eddsa-rdfc-2022", "rdfc", _EDDSA),
        Cryptosuite("eddsa-jcs-2022", "jcs", _EDDSA),
        Cryptosuite("ecdsa-rdfc-2019", "rdfc", _ECDSA),
        Cryptosuite("ecdsa-jcs-2019", "jcs", _ECDSA),
        Cryptosuite("ecdsa-sd-2023", "rdfc", frozenset({"P-256"}), is_selective=True),
        Cryptosuite("Ed25519Signature2020", "rdfc", _EDDSA, is_type=True),
    )
}


def find_suite(proof: Mapping[str, Any]) -> Cryptosuite | None:
    """The suite that a proof says it is of; None for one that is not in SUITES."""
    type_, name = proof.get("type"), proof.get("cryptosuite")
    suite = SUITES.get(str(name) if type_ == DATA_INTEGRITY else str(type_))
    return suite if suite is not None and suite.is_type == (type_ != DATA_INTEGRITY) else None


def compose_proof_config(
    suite: Cryptosuite,
    *,
    verification_method: str,
    created: datetime,
    document_context: Any,
    purpose: str = PROOF_PURPOSE,
) -> dict[str, Any]:
    """The proof options that go into the proof: everything of it but `proofValue`.

    `verification_method` is a DID URL; `created` is aware, and written in UTC to the second. A proof over JCS carries the
    @context of its document.
    """
    named = {"type": suite.name} if suite.is_type else {"type": DATA_INTEGRITY, "cryptosuite": suite.name}
    return {
        **named,
        "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": verification_method,
        "proofPurpose": purpose,
        **({"@context": document_context} if suite.canonical_form == "jcs" else {}),
    }


def transform(suite: Cryptosuite, document: Mapping[str, Any], public_key: PublicKey, *, contexts: Contexts) -> str:
    """The canonical form of a document or proof config: what the suite's section calls transformation.

    With a P-384 key RDFC-1.0 works with SHA-384, too (Data Integrity ECDSA Cryptosuites v1.0 §3), so that blank nodes may come
    in another order.

    Raises UnsafeDocument for what the form does not cover, and with RDFC-1.0 also UnknownContext and WorkBudgetExceeded.
    """
    if suite.canonical_form == "rdfc":
        return canonicalize(document, contexts=contexts, algorithm=hash_name(public_key)).nquads
    return canonical_json(document)


def canonical_json(document: Mapping[str, Any]) -> str:
    """The document by JCS (RFC 8785). Raises UnsafeDocument for what has no such form, like a number of too many digits."""
    try:
        return rfc8785.dumps(dict(document)).decode()
    except rfc8785.CanonicalizationError as error:
        raise UnsafeDocument(f"The document has no canonical JSON: {error}.") from error


def hash_name(public_key: PublicKey) -> HashName:
    """The hash function that goes with a key."""
    return _HASHES[kind_of(public_key).name]


def transform_proof_config(
    suite: Cryptosuite,
    proof_config: Mapping[str, Any],
    document_context: Any,
    public_key: PublicKey,
    *,
    contexts: Contexts,
) -> str:
    """The canonical proof config. RDFC-1.0 reads it in the @context of the document it secures; JCS takes it as it stands.

    `proof_config` has no `proofValue`. Raises as `transform` does; a member that this context does not define is unsafe.
    """
    read_in = {"@context": document_context} if suite.canonical_form == "rdfc" else {}
    return transform(suite, {**proof_config, **read_in}, public_key, contexts=contexts)


def hash_data(public_key: PublicKey, canonical_proof_config: str, canonical_document: str) -> bytes:
    """What is signed: the hash of the proof config, then that of the document (64 bytes; with a P-384 key 96)."""
    algorithm = hash_name(public_key)
    parts = (canonical_proof_config, canonical_document)
    return b"".join(hashlib.new(algorithm, part.encode()).digest() for part in parts)


def compose_proof(proof_config: Mapping[str, Any], signature: bytes) -> dict[str, Any]:
    """The proof: the config and the signature as multibase base58btc."""
    return {**proof_config, "proofValue": "z" + base58.b58encode(signature).decode()}


def find_signature(public_key: PublicKey, proof_value: Any) -> bytes | None:
    """The bytes of a `proofValue`; None when it is no signature of such a key. Each signature has one spelling only."""
    if not isinstance(proof_value, str) or not (match := _PROOF_VALUE.fullmatch(proof_value)):
        return None
    signature = base58.b58decode(match[1])
    return signature if len(signature) == signature_length(public_key) else None


def signature_length(public_key: PublicKey) -> int:
    """In bytes: two numbers of the size of a coordinate (RFC 8032 §5.1.6; IEEE P1363 for ECDSA)."""
    return 2 * kind_of(public_key).size


def is_signed_by(public_key: PublicKey, hash_data: bytes, signature: bytes) -> bool:
    """Whether `signature` is the key's over `hash_data`: pure Ed25519 (RFC 8032), or ECDSA (FIPS 186-5 §6.4) over its hash."""
    try:
        if isinstance(public_key, Ed25519PublicKey):
            public_key.verify(signature, hash_data)
        else:
            half = len(signature) // 2
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            algorithm = SHA384() if kind_of(public_key).name == "P-384" else SHA256()
            public_key.verify(encode_dss_signature(r, s), hash_data, ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True
