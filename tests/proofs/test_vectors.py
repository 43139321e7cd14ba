"""W3C's test vectors of Data Integrity EdDSA and ECDSA Cryptosuites v1.0 (appendix B of each), step by step for each suite."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from app.contexts import load_contexts
from app.proofs import data_integrity
from app.proofs.cryptosuites import (
    SUITES,
    compose_proof,
    compose_proof_config,
    find_signature,
    hash_data,
    is_signed_by,
    transform,
    transform_proof_config,
)
from app.proofs.multikey import decode_multikey, encode_multikey
from app.proofs.verification_method import resolve_did_key

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
VECTORS = SHARED / "vectors"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
CREATED = datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="the W3C vectors are not beside the project")


@dataclass(frozen=True)
class Vector:
    """`folder` below VECTORS, the `suffix` of its files, and where the private key is."""

    suite: str
    folder: str
    suffix: str
    keys: str
    curve: Any = None

    @property
    def unsecured(self) -> dict[str, Any]:
        document: dict[str, Any] = parsed((VECTORS / self.folder).parent / "unsigned.json")
        # The old suite needs a context of its own.
        return document | ({"@context": self.signed["@context"]} if SUITES[self.suite].is_type else {})

    @property
    def signed(self) -> dict[str, Any]:
        found: dict[str, Any] = parsed(VECTORS / self.folder / f"signed{self.suffix}.json")
        return found

    def text(self, name: str) -> str:
        return (VECTORS / self.folder / f"{name}{self.suffix}.txt").read_text("utf-8").strip()

    @property
    def private_key(self) -> Ed25519PrivateKey | EllipticCurvePrivateKey:
        pair = parsed((VECTORS / self.folder).parent / self.keys)
        raw = base58.b58decode((pair.get("privateKeyMultibase") or pair["secretKeyMultibase"])[1:])[2:]
        if self.curve is None:
            return Ed25519PrivateKey.from_private_bytes(raw)
        return derive_private_key(int.from_bytes(raw, "big"), self.curve)

    @property
    def public_key_multibase(self) -> str:
        found: str = parsed((VECTORS / self.folder).parent / self.keys)["publicKeyMultibase"]
        return found


ALL = (
    Vector("eddsa-rdfc-2022", "vc-di-eddsa/eddsa-rdfc-2022", "DataInt", "keyPair.json"),
    Vector("eddsa-jcs-2022", "vc-di-eddsa/eddsa-jcs-2022", "JCS", "keyPair.json"),
    Vector("Ed25519Signature2020", "vc-di-eddsa/Ed25519Signature2020", "EdSig", "keyPair.json"),
    Vector("ecdsa-rdfc-2019", "vc-di-ecdsa/ecdsa-rdfc-2019-p256", "ECDSAP256", "p256KeyPair.json", SECP256R1()),
    Vector("ecdsa-rdfc-2019", "vc-di-ecdsa/ecdsa-rdfc-2019-p384", "ECDSAP384", "p384KeyPair.json", SECP384R1()),
    Vector("ecdsa-jcs-2019", "vc-di-ecdsa/ecdsa-jcs-2019-p256", "JCSECDSAP256", "p256KeyPair.json", SECP256R1()),
    Vector("ecdsa-jcs-2019", "vc-di-ecdsa/ecdsa-jcs-2019-p384", "JCSECDSAP384", "p384KeyPair.json", SECP384R1()),
)
each_vector = pytest.mark.parametrize("vector", ALL, ids=lambda vector: vector.folder.split("/")[1])


def parsed(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def contexts() -> dict[str, Any]:
    return {**load_contexts(), EXAMPLES: parsed(SHARED / "contexts" / "credentials-examples-v2.jsonld")}


def sign(private_key: Ed25519PrivateKey | EllipticCurvePrivateKey, data: bytes) -> bytes:
    """ECDSA deterministically (RFC 6979), as the vectors were made."""
    if isinstance(private_key, Ed25519PrivateKey):
        return private_key.sign(data)
    size = private_key.key_size // 8
    algorithm = SHA256() if size == 32 else SHA384()
    pair = decode_dss_signature(private_key.sign(data, ECDSA(algorithm, deterministic_signing=True)))
    return b"".join(number.to_bytes(size, "big") for number in pair)


@each_vector
def test_the_proof_is_reproduced_step_by_step(vector: Vector) -> None:
    known, suite, public_key = contexts(), SUITES[vector.suite], vector.private_key.public_key()
    unsecured = vector.unsecured
    document = transform(suite, unsecured, public_key, contexts=known)
    assert document.strip() == vector.text("canonDoc")

    options = parsed(VECTORS / vector.folder / f"proofConfig{vector.suffix}.json")
    proof_config = compose_proof_config(
        suite,
        verification_method=options["verificationMethod"],
        created=CREATED,
        document_context=unsecured["@context"],
    )
    assert proof_config | {"@context": unsecured["@context"]} == options
    config = transform_proof_config(suite, proof_config, unsecured["@context"], public_key, contexts=known)
    assert config.strip() == vector.text("proofCanon")

    signed = hash_data(public_key, config, document)
    assert signed.hex() == vector.text("proofHash") + vector.text("docHash") == vector.text("combinedHash")

    published = find_signature(public_key, vector.text("sigBTC58"))
    assert published is not None
    assert published.hex() == vector.text("sigHex")
    assert is_signed_by(public_key, signed, published)
    assert compose_proof(proof_config, published) == vector.signed["proof"]
    assert sign(vector.private_key, signed) == published


@each_vector
def test_the_signed_document_verifies_and_an_altered_one_does_not(vector: Vector) -> None:
    method = resolve_did_key(vector.signed["proof"]["verificationMethod"])

    def verify(document: dict[str, Any]) -> list[str]:
        found = data_integrity.verify_proof(document, document["proof"], method, contexts=contexts(), now=NOW)
        return [problem.code for problem in found]

    assert verify(vector.signed) == []
    assert verify(vector.signed | {"name": "Another Credential"}) == ["proof_signature_invalid"]


@each_vector
def test_the_public_key_is_read_and_written_as_the_vectors_have_it(vector: Vector) -> None:
    public_key = vector.private_key.public_key()
    assert encode_multikey(public_key) == vector.public_key_multibase
    assert decode_multikey(vector.public_key_multibase) == public_key


@pytest.mark.parametrize("name", ["signedProofSet1", "signedProofSet2", "signedProofChain1", "signedProofChain2"])
def test_each_proof_of_the_proof_sets_and_chains_verifies(name: str) -> None:
    signed = parsed(VECTORS / "vc-di-eddsa" / "proof-set-chain" / f"{name}.json")
    known = contexts()
    proofs = data_integrity.proofs_of(signed)
    assert proofs
    for proof in proofs:
        method = resolve_did_key(proof["verificationMethod"])
        assert data_integrity.verify_proof(signed, proof, method, contexts=known, now=NOW) == []


def test_a_proof_of_a_chain_covers_those_it_names() -> None:
    """Change what it covers, or leave it out: that proof fails, not only the changed one."""
    signed = parsed(VECTORS / "vc-di-eddsa" / "proof-set-chain" / "signedProofChain1.json")
    first, second, last = signed["proof"]
    assert len(last["previousProof"]) == 2

    def verify(proofs: list[dict[str, Any]]) -> list[str]:
        method = resolve_did_key(last["verificationMethod"])
        found = data_integrity.verify_proof(signed | {"proof": proofs}, last, method, contexts=contexts(), now=NOW)
        return [problem.code for problem in found]

    assert verify([first, second, last]) == []
    assert verify([first | {"created": "2023-02-24T23:36:39Z"}, second, last]) == ["proof_signature_invalid"]
    assert verify([first, last]) == ["previous_proof_missing"]
