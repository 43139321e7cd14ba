"""ecdsa-sd-2023: W3C's test vectors (Data Integrity ECDSA Cryptosuites v1.0, appendix B), step by step; then what must fail."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from app.contexts import load_contexts
from app.errors import InvalidInput
from app.proofs import data_integrity
from app.proofs import ecdsa_sd_2023 as sd
from app.proofs.errors import MalformedPointer, MalformedProofValue
from app.proofs.multikey import decode_multikey, encode_multikey
from app.proofs.rdfc import canonicalize
from app.proofs.verification_method import resolve_did_key

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
VECTORS = SHARED / "vectors" / "vc-di-ecdsa"
STEPS = VECTORS / "ecdsa-sd-2023" / "prc"
CITIZENSHIP = "https://w3id.org/citizenship/v4rc1"

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="the W3C vectors are not beside the project")


def step(name: str) -> Any:
    return json.loads((STEPS / f"{name}.json").read_text("utf-8"))


def vector(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


def known() -> dict[str, Any]:
    context = json.loads((SHARED / "contexts" / "citizenship-v4rc1.jsonld").read_text("utf-8"))
    return {**load_contexts(), CITIZENSHIP: context}


def private_key(name: str) -> EllipticCurvePrivateKey:
    pair = vector("ecdsa-sd-2023/SDKeyMaterial")[name]
    raw = base58.b58decode(pair["secretKeyMultibase"][1:])[2:]
    return derive_private_key(int.from_bytes(raw, "big"), SECP256R1())


def sign(key: EllipticCurvePrivateKey, data: bytes) -> bytes:
    pair = decode_dss_signature(key.sign(data, ECDSA(SHA256(), deterministic_signing=True)))
    return b"".join(number.to_bytes(32, "big") for number in pair)


HMAC_KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF")


def grouped(lines: dict[str, Any]) -> dict[int, str]:
    return dict(lines["value"])


def test_the_base_proof_is_reproduced_step_by_step() -> None:
    signed, contexts = step("addSignedSDBase"), known()
    unsecured = {name: value for name, value in signed.items() if name != "proof"}
    pointers = vector("prCredMandatory")
    transformed = sd.transform_base(unsecured, pointers, HMAC_KEY, contexts=contexts)
    expected = step("addBaseTransform")
    assert dict(transformed.mandatory) == grouped(expected["mandatory"])
    assert dict(transformed.non_mandatory) == grouped(expected["nonMandatory"])

    config = step("addProofConfig")
    canonical_config = canonicalize(config, contexts=contexts)
    assert canonical_config.nquads.strip() == (STEPS / "addProofConfigCanon.txt").read_text("utf-8").strip()
    assert canonical_config.sha256.hex() == step("addHashData")["proofHash"]
    assert transformed.mandatory_hash.hex() == step("addHashData")["mandatoryHash"]

    raw = step("addRawBaseSignatureInfo")
    issuer, ephemeral = private_key("baseKeyPair"), private_key("proofKeyPair")
    to_sign = sd.compose_sign_data(canonical_config.sha256, ephemeral.public_key(), transformed.mandatory_hash)
    assert encode_multikey(ephemeral.public_key()) == raw["publicKey"]
    assert sign(issuer, to_sign).hex() == raw["baseSignature"]
    assert [sign(ephemeral, line.encode()).hex() for line in transformed.to_sign_each] == raw["signatures"]

    value = sd.BaseProofValue(
        base_signature=bytes.fromhex(raw["baseSignature"]),
        ephemeral_key=ephemeral.public_key(),
        hmac_key=HMAC_KEY,
        signatures=[bytes.fromhex(each) for each in raw["signatures"]],
        mandatory_pointers=pointers,
    )
    assert sd.serialize_base(value) == signed["proof"]["proofValue"]
    assert sd.parse_base(signed["proof"]["proofValue"]) == value


def derived() -> dict[str, Any]:
    signed = step("addSignedSDBase")
    return sd.derive(signed, signed["proof"], vector("prCredSelective"), contexts=known())


def test_the_derived_proof_is_reproduced() -> None:
    assert derived() == step("derivedRevealDocument")
    value = sd.parse_derived(derived()["proof"]["proofValue"])
    expected = step("derivedDisclosureData")
    assert value.base_signature.hex() == expected["baseSignature"]
    assert [each.hex() for each in value.signatures] == expected["signatures"]
    assert list(value.mandatory) == expected["mandatoryIndexes"]
    assert dict(value.labels) == dict(expected["labelMap"]["value"])


def verifies(document: dict[str, Any], key: EllipticCurvePublicKey | None = None) -> bool:
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    config = {name: value for name, value in document["proof"].items() if name != "proofValue"}
    proof_hash = canonicalize({**config, "@context": unsecured["@context"]}, contexts=known()).sha256
    value = sd.parse_derived(document["proof"]["proofValue"])
    found = key or decode_multikey(vector("ecdsa-sd-2023/SDKeyMaterial")["baseKeyPair"]["publicKeyMultibase"])
    assert isinstance(found, EllipticCurvePublicKey)
    return sd.verify_derived(unsecured, proof_hash, value, found, contexts=known())


def test_the_house_verifies_it_as_any_other_proof() -> None:
    """Only the derived proof: the base proof is for the holder."""
    for name, expected in (("derivedRevealDocument", []), ("addSignedSDBase", ["proof_value_malformed"])):
        document = step(name)
        method = resolve_did_key(document["proof"]["verificationMethod"])
        now = datetime(2026, 1, 1, tzinfo=UTC)
        found = data_integrity.verify_proof(document, document["proof"], method, contexts=known(), now=now)
        assert [problem.code for problem in found] == expected
    changed = document | {"name": "Another Card"}
    assert data_integrity.verify_proof(changed, changed["proof"], method, contexts=known(), now=now)


def test_a_derived_proof_verifies_and_what_was_changed_does_not() -> None:
    document = step("derivedRevealDocument")
    assert verifies(document)
    assert not verifies(document | {"validFrom": "2024-12-16T00:00:01Z"})  # disclosed by choice
    assert not verifies(
        document | {"issuer": document["issuer"] | {"image": "data:image/png;base64,AA=="}}
    )  # mandatory
    assert not verifies(document | {"proof": document["proof"] | {"created": "2023-08-15T23:36:39Z"}})
    assert not verifies(document, private_key("proofKeyPair").public_key())


def test_nothing_can_be_added_or_left_out_of_what_was_derived() -> None:
    document = step("derivedRevealDocument")
    for changed in (
        document | {"validUntil": None},
        {name: value for name, value in document.items() if name != "validUntil"},
        document | {"name": "Permanent Resident Card"},
        document | {"credentialSubject": document["credentialSubject"] | {"givenName": "JANE"}},
    ):
        with pytest.raises(InvalidInput):
            verifies({name: value for name, value in changed.items() if value is not None})


def test_a_base_proof_is_no_derived_proof_and_the_other_way() -> None:
    base, other = step("addSignedSDBase")["proof"]["proofValue"], step("derivedRevealDocument")["proof"]["proofValue"]
    assert not sd.is_derived(base)
    assert sd.is_derived(other)
    with pytest.raises(MalformedProofValue):
        sd.parse_derived(base)
    with pytest.raises(MalformedProofValue):
        sd.parse_base(other)


@pytest.mark.parametrize(
    "value", [None, 5, "", "u", "z2V0B", "u2V0B", "u2V0Bhg", "u2V0BgA", "u2V0B" + "n" * 50_000, "u2V0B\u00e9"]
)
def test_what_is_no_proof_value_is_refused(value: Any) -> None:
    with pytest.raises(MalformedProofValue):
        sd.parse_derived(value)


@pytest.mark.parametrize(
    "pointer", ["issuer", "/nothing", "/type/2", "/type/-1", "/type/01", "/credentialSubject/x/y", "/issuer/id/0"]
)
def test_a_pointer_that_leads_nowhere_is_refused(pointer: str) -> None:
    signed = step("addSignedSDBase")
    with pytest.raises(MalformedPointer):
        sd.derive(signed, signed["proof"], [pointer], contexts=known())


def test_the_holder_need_choose_nothing_more_than_is_mandatory() -> None:
    signed = step("addSignedSDBase")
    document = sd.derive(signed, signed["proof"], [], contexts=known())
    assert set(document) == {"@context", "type", "issuer", "proof"}
    assert verifies(document)


def test_every_single_member_can_be_disclosed_by_itself() -> None:
    signed = step("addSignedSDBase")
    subject = signed["credentialSubject"]
    pointers = [f"/{name}" for name in signed if name not in ("@context", "proof")]
    pointers += [f"/credentialSubject/{name}" for name in subject] + [
        "/credentialSubject/permanentResidentCard/lprNumber",
        "/type/1",
    ]
    for pointer in pointers:
        assert verifies(sd.derive(signed, signed["proof"], [pointer], contexts=known())), pointer
