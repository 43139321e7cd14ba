"""The cryptosuite eddsa-rdfc-2022: W3C Data Integrity EdDSA Cryptosuites v1.0, §3.2. A function for each of its steps.

Transformation (§3.2.3) is `app.proofs.rdfc.canonicalize` on the document without its proof. Signing is not here: hand
the 64 bytes of `hash_data` to the `Signer`, and the 64 bytes it returns to `compose_proof`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import base58
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.proofs.rdfc import CanonicalDocument, canonicalize

PROOF_TYPE = "DataIntegrityProof"
CRYPTOSUITE = "eddsa-rdfc-2022"
PROOF_PURPOSE = "assertionMethod"
SIGNATURE_LENGTH = 64

_PROOF_VALUE = re.compile("z([1-9A-HJ-NP-Za-km-z]{64,88})")


def compose_proof_config(*, verification_method: str, created: datetime) -> dict[str, Any]:
    """The proof options that go into the proof, §3.2.1 step 2: everything of it but `proofValue`.

    `verification_method` is a DID URL; `created` is aware, and written in UTC to the second.
    """
    return {
        "type": PROOF_TYPE,
        "cryptosuite": CRYPTOSUITE,
        "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": verification_method,
        "proofPurpose": PROOF_PURPOSE,
    }


def canonicalize_proof_config(
    proof_config: Mapping[str, Any], document_context: Any, *, contexts: Mapping[str, dict[str, Any]]
) -> CanonicalDocument:
    """The canonical proof config, §3.2.5, read in the @context of the document it secures.

    `proof_config` has no `proofValue`. Members that this context does not define make it UnsafeDocument; raises
    UnknownContext and WorkBudgetExceeded as `canonicalize` does.
    """
    return canonicalize({**proof_config, "@context": document_context}, contexts=contexts)


def hash_data(proof_config: CanonicalDocument, document: CanonicalDocument) -> bytes:
    """What is signed, §3.2.4: the SHA-256 of the proof config, then that of the document (64 bytes)."""
    return proof_config.sha256 + document.sha256


def compose_proof(proof_config: Mapping[str, Any], signature: bytes) -> dict[str, Any]:
    """The proof, §3.2.1 steps 6 and 7: the config and the 64-byte `signature` as multibase base58btc."""
    if len(signature) != SIGNATURE_LENGTH:
        raise ValueError(f"an Ed25519 signature has {SIGNATURE_LENGTH} bytes, not {len(signature)}")
    return {**proof_config, "proofValue": "z" + base58.b58encode(signature).decode()}


def find_signature(proof_value: Any) -> bytes | None:
    """The 64 bytes in a `proofValue`, §3.2.2 step 3; None when it is not one. Each signature has one spelling only."""
    if not isinstance(proof_value, str) or not (match := _PROOF_VALUE.fullmatch(proof_value)):
        return None
    signature = base58.b58decode(match[1])
    return signature if len(signature) == SIGNATURE_LENGTH else None


def is_signed_by(public_key: Ed25519PublicKey, hash_data: bytes, signature: bytes) -> bool:
    """§3.2.7: whether `signature` is the key's over `hash_data` (RFC 8032 §5.1.7, pure Ed25519)."""
    try:
        public_key.verify(signature, hash_data)
    except InvalidSignature:
        return False
    return True
