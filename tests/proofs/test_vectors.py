"""W3C's test vectors for eddsa-rdfc-2022 (Data Integrity EdDSA Cryptosuites v1.0, §B.1), step by step."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.contexts import load_contexts
from app.proofs import data_integrity, eddsa_rdfc_2022
from app.proofs.rdfc import canonicalize
from app.proofs.verification_method import decode_multikey, encode_multikey, resolve_did_key

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
VECTORS = SHARED / "vectors" / "vc-di-eddsa"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="the W3C vectors are not beside the project")


def text(name: str) -> str:
    return (VECTORS / "eddsa-rdfc-2022" / f"{name}DataInt.txt").read_text("utf-8")


def parsed(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def contexts() -> dict[str, Any]:
    return {**load_contexts(), EXAMPLES: parsed(SHARED / "contexts" / "credentials-examples-v2.jsonld")}


def private_key() -> Ed25519PrivateKey:
    multibase = parsed(VECTORS / "keyPair.json")["privateKeyMultibase"]
    return Ed25519PrivateKey.from_private_bytes(base58.b58decode(multibase[1:])[2:])


def test_the_proof_is_reproduced_step_by_step() -> None:
    known = contexts()
    unsecured = parsed(VECTORS / "unsigned.json")
    signed = parsed(VECTORS / "eddsa-rdfc-2022" / "signedDataInt.json")

    document = canonicalize(unsecured, contexts=known)
    assert document.nquads.strip() == text("canonDoc").strip()
    assert document.sha256.hex() == text("docHash").strip()

    options = parsed(VECTORS / "eddsa-rdfc-2022" / "proofConfigDataInt.json")
    proof_config = eddsa_rdfc_2022.compose_proof_config(
        verification_method=options["verificationMethod"], created=datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
    )
    assert proof_config | {"@context": unsecured["@context"]} == options
    config = eddsa_rdfc_2022.canonicalize_proof_config(proof_config, unsecured["@context"], contexts=known)
    assert config.nquads.strip() == text("proofCanon").strip()
    assert config.sha256.hex() == text("proofHash").strip()

    hash_data = eddsa_rdfc_2022.hash_data(config, document)
    assert hash_data.hex() == text("combinedHash").strip()

    signature = private_key().sign(hash_data)
    assert signature.hex() == text("sigHex").strip()
    proof = eddsa_rdfc_2022.compose_proof(proof_config, signature)
    assert proof["proofValue"] == text("sigBTC58").strip()
    assert proof == signed["proof"]
    assert data_integrity.secure(unsecured, [proof]) == signed | {"proof": [proof]}


def test_the_signed_document_verifies_and_an_altered_one_does_not() -> None:
    signed = parsed(VECTORS / "eddsa-rdfc-2022" / "signedDataInt.json")
    method = resolve_did_key(signed["proof"]["verificationMethod"])
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def verify(document: dict[str, Any]) -> list[str]:
        found = data_integrity.verify_proof(document, document["proof"], method, contexts=contexts(), now=now)
        return [problem.code for problem in found]

    assert verify(signed) == []
    assert verify(signed | {"name": "Another Credential"}) == ["proof_signature_invalid"]


def test_the_public_key_is_read_and_written_as_the_vectors_have_it() -> None:
    multibase = parsed(VECTORS / "keyPair.json")["publicKeyMultibase"]
    assert encode_multikey(private_key().public_key()) == multibase
    assert decode_multikey(multibase) == private_key().public_key()


@pytest.mark.parametrize("name", ["signedProofSet1", "signedProofSet2"])
def test_each_proof_of_the_proof_set_vectors_verifies(name: str) -> None:
    signed = parsed(VECTORS / "proof-set-chain" / f"{name}.json")
    known = contexts()
    proofs = data_integrity.proofs_of(signed)
    assert proofs
    for proof in proofs:
        method = resolve_did_key(proof["verificationMethod"])
        now = datetime(2026, 1, 1, tzinfo=UTC)
        assert data_integrity.verify_proof(signed, proof, method, contexts=known, now=now) == []
