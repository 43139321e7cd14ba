"""Signed badges, status lists and issuers for the tests of the verifier, each with a key fixed by its name."""

import copy
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.contexts import load_contexts
from app.proofs.cryptosuites import (
    SUITES,
    compose_proof,
    compose_proof_config,
    hash_data,
    transform,
    transform_proof_config,
)
from app.proofs.data_integrity import secure
from app.proofs.multikey import encode_multikey
from app.proofs.verification_method import VerificationMethod, did_key
from app.statuslists import bitstring

CONTEXTS = load_contexts()
NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
LIST_URL = "https://badges.example/status-lists/1"
OB_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"

Document = dict[str, Any]

SUITE = SUITES["eddsa-rdfc-2022"]


@dataclass(frozen=True)
class Issuer:
    id: str
    key: Ed25519PrivateKey

    @property
    def multikey(self) -> str:
        return encode_multikey(self.key.public_key())

    @property
    def method_id(self) -> str:
        return f"{self.id}#{self.multikey}"

    @property
    def method(self) -> VerificationMethod:
        return VerificationMethod(self.method_id, self.id, self.key.public_key(), self.multikey)

    @property
    def document(self) -> Document:
        """The controller document that a did:web or https issuer publishes."""
        return {
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": self.id,
            "verificationMethod": [
                {
                    "id": self.method_id,
                    "type": "Multikey",
                    "controller": self.id,
                    "publicKeyMultibase": self.multikey,
                }
            ],
            "assertionMethod": [self.method_id],
        }


def key_of(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def did_key_issuer(name: str = "an issuer") -> Issuer:
    key = key_of(name)
    return Issuer(did_key(key.public_key()), key)


def issuer_at(id: str) -> Issuer:
    return Issuer(id, key_of(id))


def badge(issuer: Issuer, /, **members: Any) -> Document:
    """An unsecured badge of `issuer`, with `members` put in its place (None takes a member out)."""
    document: Document = {
        "@context": ["https://www.w3.org/ns/credentials/v2", OB_CONTEXT],
        "id": "https://badges.example/credentials/1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": issuer.id, "type": ["Profile"], "name": "An Issuer"},
        "validFrom": "2026-11-01T00:00:00Z",
        "validUntil": "2027-11-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:learner",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://badges.example/achievements/1",
                "type": ["Achievement"],
                "name": "Checking for Understanding",
                "description": "Finds out what learners have understood before going on.",
                "criteria": {"narrative": "Every criterion at its passing level."},
                "image": {"id": "https://badges.example/images/1.png", "type": "Image"},
            },
        },
    }
    return {member: value for member, value in (document | members).items() if value is not None}


def status_entry(index: int = 7, purpose: str = "revocation", **members: Any) -> Document:
    return {
        "id": f"{LIST_URL}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": LIST_URL,
    } | members


def status_list(issuer: Issuer, *, ones: Iterable[int] = (), purpose: str = "revocation", **members: Any) -> Document:
    """An unsecured status list of 131,072 entries at LIST_URL."""
    composed = bitstring.compose_status_list_credential(
        id=LIST_URL,
        issuer_id=issuer.id,
        purpose=purpose,
        encoded_list=bitstring.encode(bitstring.new_bits(ones=ones)),
        valid_from=NOW - timedelta(days=1),
        ttl_seconds=300,
    )
    return composed | members


def sign(
    document: Document, issuer: Issuer, *, created: datetime = NOW - timedelta(days=1), **proof_members: Any
) -> Document:
    """`document` with one proof of `issuer`; `proof_members` are signed too."""
    context = document["@context"]
    composed = compose_proof_config(
        SUITE, verification_method=issuer.method_id, created=created, document_context=context
    )
    config = composed | proof_members
    canonical_config = transform_proof_config(SUITE, config, context, issuer.key.public_key(), contexts=CONTEXTS)
    canonical = transform(SUITE, document, issuer.key.public_key(), contexts=CONTEXTS)
    signed = hash_data(issuer.key.public_key(), canonical_config, canonical)
    return secure(document, [compose_proof(config, issuer.key.sign(signed))])


def put(document: Document, pointer: str, value: Any) -> Document:
    """A copy of `document` with `value` at the JSON Pointer `pointer` (no escapes)."""
    changed = copy.deepcopy(document)
    *path, last = pointer.removeprefix("/").split("/")
    at: Any = changed
    for step in path:
        at = at[int(step) if isinstance(at, list) else step]
    at[int(last) if isinstance(at, list) else last] = value
    return changed
