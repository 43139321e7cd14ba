"""Adding proofs and verifying them: for each thing that verifies, the same with one thing changed that does not."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.contexts import load_contexts
from app.proofs import data_integrity
from app.proofs.cryptosuites import (
    SUITES,
    compose_proof,
    compose_proof_config,
    hash_data,
    transform,
    transform_proof_config,
)
from app.proofs.errors import UnsafeDocument
from app.proofs.verification_method import did_key, resolve_did_key

CONTEXTS = load_contexts()
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DID = did_key(KEY.public_key())
METHOD = resolve_did_key(f"{DID}#{DID.removeprefix('did:key:')}")
SUITE = SUITES["eddsa-rdfc-2022"]
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
BADGE = json.loads((Path(__file__).resolve().parent / "educator_badge.json").read_text("utf-8"))


def proof_over(document: dict[str, Any], **options: Any) -> dict[str, Any]:
    context = document["@context"]
    config = compose_proof_config(SUITE, verification_method=METHOD.id, created=NOW, document_context=context) | options
    canonical_config = transform_proof_config(SUITE, config, context, KEY.public_key(), contexts=CONTEXTS)
    canonical = transform(SUITE, document, KEY.public_key(), contexts=CONTEXTS)
    signed = hash_data(KEY.public_key(), canonical_config, canonical)
    return compose_proof(config, KEY.sign(signed))


def secured(**options: Any) -> dict[str, Any]:
    return data_integrity.secure(BADGE, [proof_over(BADGE, **options)])


def problems(document: dict[str, Any], index: int = 0, **given: Any) -> list[tuple[str, str]]:
    proof = data_integrity.proofs_of(document)[index]
    arguments: dict[str, Any] = {"verification_method": METHOD, "contexts": CONTEXTS, "now": NOW} | given
    found = data_integrity.verify_proof(document, proof, **arguments)
    return [(problem.code, problem.pointer) for problem in found]


def test_a_secured_document_verifies() -> None:
    document = secured()
    before = copy.deepcopy(document)
    assert problems(document) == []
    assert document == before
    assert document["proof"][0]["proofValue"].startswith("z")
    assert {name: value for name, value in document.items() if name != "proof"} == BADGE


def test_a_proof_may_be_an_object_or_one_of_several() -> None:
    document = secured()
    assert problems(document | {"proof": document["proof"][0]}) == []
    both = document | {"proof": [proof_over(BADGE, nonce="n1"), *document["proof"]]}
    assert problems(both, 0) == problems(both, 1) == []
    both["proof"][1] = both["proof"][1] | {"nonce": "n2"}
    assert problems(both, 0) == []
    assert problems(both, 1) == [("proof_signature_invalid", "/proof/1/proofValue")]


def test_options_that_the_context_defines_are_signed() -> None:
    expires = (NOW + timedelta(days=1)).isoformat()
    document = secured(expires=expires, domain="verifier.example.org", challenge="c")
    assert problems(document) == []
    document["proof"][0]["domain"] = "other.example.org"
    assert problems(document) == [("proof_signature_invalid", "/proof/0/proofValue")]


def altered(**members: Any) -> dict[str, Any]:
    document = secured()
    for name, value in members.items():
        if value is None:
            del document["proof"][0][name]
        else:
            document["proof"][0][name] = value
    return document


GOOD = secured()["proof"][0]["proofValue"]
RAW = base58.b58decode(GOOD[1:])


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        ({"type": "Ed25519Signature2018"}, "proof_type_unsupported", "/proof/0/type"),
        ({"type": "Ed25519Signature2020"}, "proof_options_unsafe", "/proof/0/type"),
        ({"cryptosuite": "ecdsa-rdfc-2019"}, "key_unfit_for_suite", "/proof/0/verificationMethod"),
        ({"cryptosuite": "eddsa-jcs-2022"}, "proof_signature_invalid", "/proof/0/proofValue"),
        ({"type": None}, "proof_type_unsupported", "/proof/0/type"),
        ({"cryptosuite": "eddsa-rdf-2022"}, "cryptosuite_unsupported", "/proof/0/cryptosuite"),
        ({"cryptosuite": None}, "cryptosuite_unsupported", "/proof/0/cryptosuite"),
        ({"cryptosuite": ["eddsa-rdfc-2022"]}, "cryptosuite_unsupported", "/proof/0/cryptosuite"),
        ({"proofPurpose": "authentication"}, "proof_purpose_mismatch", "/proof/0/proofPurpose"),
        ({"proofPurpose": None}, "proof_purpose_mismatch", "/proof/0/proofPurpose"),
        ({"proofValue": None}, "proof_value_malformed", "/proof/0/proofValue"),
        ({"proofValue": 5}, "proof_value_malformed", "/proof/0/proofValue"),
        ({"proofValue": GOOD[1:]}, "proof_value_malformed", "/proof/0/proofValue"),
        ({"proofValue": "u" + GOOD[1:]}, "proof_value_malformed", "/proof/0/proofValue"),
        ({"proofValue": GOOD + "\n"}, "proof_value_malformed", "/proof/0/proofValue"),
        ({"proofValue": "z0" + GOOD[2:]}, "proof_value_malformed", "/proof/0/proofValue"),
        ({"proofValue": "z1" + GOOD[1:]}, "proof_value_malformed", "/proof/0/proofValue"),
        ({"proofValue": "z" + "1" * 1_000_000}, "proof_value_malformed", "/proof/0/proofValue"),
        (
            {"proofValue": "z" + base58.b58encode(bytes([RAW[0] ^ 1]) + RAW[1:]).decode()},
            "proof_signature_invalid",
            "/proof/0/proofValue",
        ),
        ({"created": "2026-06-01T12:00:01Z"}, "proof_signature_invalid", "/proof/0/proofValue"),
        ({"created": None}, "proof_signature_invalid", "/proof/0/proofValue"),
        ({"created": "2026-06-01T12:00:00"}, "proof_created_malformed", "/proof/0/created"),
        ({"created": "2026-02-30T12:00:00Z"}, "proof_created_malformed", "/proof/0/created"),
        ({"created": "yesterday"}, "proof_created_malformed", "/proof/0/created"),
        ({"created": 5}, "proof_created_malformed", "/proof/0/created"),
        ({"expires": "soon"}, "proof_expires_malformed", "/proof/0/expires"),
        ({"verificationMethod": "did:key:z6MkOther#z"}, "verification_method_mismatch", "/proof/0/verificationMethod"),
        ({"verificationMethod": None}, "verification_method_mismatch", "/proof/0/verificationMethod"),
        ({"unknownMember": "x"}, "proof_options_unsafe", "/proof/0/unknownMember"),
        ({"@context": ["https://www.w3.org/ns/credentials/v2"]}, "proof_context_mismatch", "/proof/0/@context"),
        ({"previousProof": "urn:example:proof"}, "previous_proof_missing", "/proof/0/previousProof"),
    ],
)
def test_a_proof_with_one_thing_changed_fails_on_that_check(members: dict[str, Any], code: str, pointer: str) -> None:
    assert (code, pointer) in problems(altered(**members))


def without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda document: document.pop(name)


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        (lambda d: d.update(name="Another"), "proof_signature_invalid", "/proof/0/proofValue"),
        (without("evidence"), "proof_signature_invalid", "/proof/0/proofValue"),
        (lambda d: d["evidence"].pop(), "proof_signature_invalid", "/proof/0/proofValue"),
        (lambda d: d.update(grade="A"), "unsafe_document", "/grade"),
        (lambda d: d.update(description=None), "unsafe_document", "/description"),
        (lambda d: d["@context"].append("https://unknown.example"), "unknown_context", "/@context/3"),
        (lambda d: d["@context"].append({"@vocab": "urn:x#"}), "unknown_context", "/@context/3"),
        (without("@context"), "unknown_context", "/@context"),
    ],
)
def test_a_document_with_one_thing_changed_fails(change: Callable[[Any], Any], code: str, pointer: str) -> None:
    document = copy.deepcopy(secured())
    change(document)
    assert problems(document) == [(code, pointer)]


def test_the_signature_is_of_this_key() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    assert problems(secured(), verification_method=replace(METHOD, public_key=other)) == [
        ("proof_signature_invalid", "/proof/0/proofValue")
    ]


def test_times_are_judged_at_the_moment_given() -> None:
    document = secured(expires="2026-06-01T14:00:00+02:00")
    second = timedelta(seconds=1)
    assert problems(document, now=NOW - second) == []
    assert problems(document, now=NOW) == [("proof_expired", "/proof/0/expires")]
    place = "/proof/0/verificationMethod"
    for name, code in [("expires", "verification_method_expired"), ("revoked", "verification_method_revoked")]:
        later: dict[str, Any] = {name: NOW + second}
        past: dict[str, Any] = {name: NOW}
        assert problems(secured(), verification_method=replace(METHOD, **later)) == []
        assert problems(secured(), verification_method=replace(METHOD, **past)) == [(code, place)]


def test_another_purpose_can_be_asked_for() -> None:
    document = secured(proofPurpose="authentication")
    assert problems(document, purpose="authentication") == []
    assert problems(document) == [("proof_purpose_mismatch", "/proof/0/proofPurpose")]


def test_what_is_secured_is_not_secured_again_silently() -> None:
    with pytest.raises(UnsafeDocument):
        data_integrity.secure(secured(), [GOOD])
    with pytest.raises(UnsafeDocument):
        data_integrity.secure(BADGE, [])


def test_created_is_written_in_utc_to_the_second() -> None:
    created = datetime.fromisoformat("2026-06-01T14:00:00.987+02:00")
    config = compose_proof_config(SUITE, verification_method=METHOD.id, created=created, document_context=[])
    assert config["created"] == "2026-06-01T12:00:00Z"
