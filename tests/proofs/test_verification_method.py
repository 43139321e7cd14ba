"""Keys and where they come from."""

import base64
import copy
import json
from datetime import UTC, datetime
from typing import Any

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurve, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from app.proofs.errors import InvalidVerificationMethod
from app.proofs.multikey import compose_jwk, decode_multikey, encode_multikey, read_jwk
from app.proofs.verification_method import (
    did_key,
    resolve_did_jwk,
    resolve_did_key,
    verification_method_from,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
MULTIBASE = encode_multikey(KEY)
DID = "did:web:badges.example.org:issuers:academy"
DID_URL = f"{DID}#{MULTIBASE}"
JWK = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": base64.urlsafe_b64encode(KEY.public_bytes_raw()).decode().rstrip("="),
}


@given(st.binary(min_size=32, max_size=32))
def test_a_multikey_reads_as_it_was_written(seed: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    multibase = encode_multikey(key)
    assert multibase.startswith("z6Mk")
    assert decode_multikey(multibase) == key
    assert resolve_did_key(did_key(key)).public_key == key


@pytest.mark.parametrize(
    "multibase",
    [
        "",
        "z",
        MULTIBASE[1:],
        "u" + MULTIBASE[1:],
        MULTIBASE + "\n",
        MULTIBASE[:-1],
        MULTIBASE + "1",
        MULTIBASE.replace("6", "0", 1),
        "z" + base58.b58encode(b"\x12\x00" + KEY.public_bytes_raw()).decode(),
        "z" + base58.b58encode(b"\xed\x01" + KEY.public_bytes_raw() + b"\x00").decode(),
        "z" + "2" * 100_000,
    ],
)
def test_what_is_not_a_multikey_is_refused(multibase: str) -> None:
    with pytest.raises(InvalidVerificationMethod):
        decode_multikey(multibase)


@pytest.mark.parametrize("curve", [SECP256R1(), SECP384R1()], ids=["P-256", "P-384"])
def test_elliptic_curve_keys_read_as_they_were_written(curve: EllipticCurve) -> None:
    key = derive_private_key(int.from_bytes(bytes(range(1, 32)), "big"), curve).public_key()
    assert decode_multikey(encode_multikey(key)) == key
    assert read_jwk(compose_jwk(key), "") == key
    assert resolve_did_key(did_key(key)).public_key == key
    identifier = base64.urlsafe_b64encode(json.dumps(compose_jwk(key)).encode()).decode().rstrip("=")
    assert resolve_did_jwk(f"did:jwk:{identifier}#0").public_key == key


EC_JWK = compose_jwk(derive_private_key(5, SECP256R1()).public_key())


@pytest.mark.parametrize(
    "jwk",
    [
        None,
        {},
        EC_JWK | {"crv": "secp256k1"},
        EC_JWK | {"crv": ["P-256"]},
        EC_JWK | {"kty": "OKP"},
        EC_JWK | {"d": EC_JWK["x"]},
        EC_JWK | {"x": EC_JWK["y"]},  # not on the curve
        EC_JWK | {"x": EC_JWK["x"][:-1]},
        EC_JWK | {"y": None},
        {name: value for name, value in EC_JWK.items() if name != "y"},
        JWK | {"x": JWK["x"][:-1] + "!"},
        JWK | {"x": JWK["x"] + "A"},
    ],
)
def test_what_is_not_a_public_jwk_of_a_known_kind_is_refused(jwk: Any) -> None:
    with pytest.raises(InvalidVerificationMethod):
        read_jwk(jwk, "")


@pytest.mark.parametrize("did_url", ["did:jwk:", "did:jwk:e30", "did:jwk:e30#0", "did:jwk:!!#0", "did:jwk:bm9uZQ#0"])
def test_what_is_not_a_did_jwk_is_refused(did_url: str) -> None:
    with pytest.raises(InvalidVerificationMethod):
        resolve_did_jwk(did_url)


def test_a_point_off_the_curve_is_refused() -> None:
    for prefix in (b"\x80\x24\x02", b"\x80\x24\x05"):
        with pytest.raises(InvalidVerificationMethod):
            decode_multikey("z" + base58.b58encode(prefix + b"\xff" * 32).decode())


def test_a_did_key_resolves_to_itself() -> None:
    did = did_key(KEY)
    method = resolve_did_key(f"{did}#{MULTIBASE}")
    assert (method.id, method.controller, method.public_key_multibase) == (f"{did}#{MULTIBASE}", did, MULTIBASE)
    assert method.public_key == KEY
    assert resolve_did_key(did).id == did


@pytest.mark.parametrize(
    "did_url",
    [
        DID_URL,
        "did:key:",
        "did:key:#",
        f"{did_key(KEY)}#other",
        f"{did_key(KEY)}#",
        "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",  # secp256k1
    ],
)
def test_what_is_not_a_did_key_of_a_known_kind_is_refused(did_url: str) -> None:
    with pytest.raises(InvalidVerificationMethod):
        resolve_did_key(did_url)


def method(**members: Any) -> dict[str, Any]:
    return {"id": DID_URL, "type": "Multikey", "controller": DID, "publicKeyMultibase": MULTIBASE} | members


def did_document(*methods: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": DID,
        "verificationMethod": list(methods or [method()]),
        "assertionMethod": [DID_URL],
    } | members


def jwk_method(**members: Any) -> dict[str, Any]:
    return {"id": DID_URL, "type": "JsonWebKey2020", "controller": DID, "publicKeyJwk": JWK} | members


OTHER = method(id=f"{DID}#other", publicKeyMultibase="z6MkNonsense")


@pytest.mark.parametrize(
    "document",
    [
        did_document(),
        did_document(OTHER, method()),
        did_document(method(id=f"#{MULTIBASE}"), assertionMethod=[f"#{MULTIBASE}"]),
        did_document(OTHER, assertionMethod=[method()]),
        did_document(assertionMethod=DID_URL),
        did_document(method(type="Ed25519VerificationKey2020")),
        did_document(jwk_method()),
        did_document(jwk_method(type="JsonWebKey")),
    ],
    ids=["multikey", "among others", "relative", "embedded", "one string", "2020", "jwk 2020", "jwk"],
)
def test_the_method_is_found_in_its_document(document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    found = verification_method_from(document, DID_URL, purpose="assertionMethod")
    assert (found.id, found.controller, found.public_key_multibase) == (DID_URL, DID, MULTIBASE)
    assert found.public_key == KEY
    assert (found.expires, found.revoked) == (None, None)
    assert document == before


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (did_document(id="did:web:other.example.org"), "/id"),
        (did_document(assertionMethod=[]), "/assertionMethod"),
        (did_document(assertionMethod=[f"{DID}#other"]), "/assertionMethod"),
        (did_document(assertionMethod=[], authentication=[DID_URL]), "/assertionMethod"),
        (did_document(OTHER), "/verificationMethod"),
        (did_document(verificationMethod=None), "/verificationMethod"),
        (did_document(method(controller="did:web:other.example.org")), "/verificationMethod/0/controller"),
        (did_document(OTHER, method(type="Ed25519VerificationKey2018")), "/verificationMethod/1/type"),
        (did_document(method(type=["Multikey"])), "/verificationMethod/0/type"),
        (did_document(method(publicKeyMultibase=5)), "/verificationMethod/0"),
        (did_document(method(publicKeyMultibase="z6Mk")), "/publicKeyMultibase"),
        (did_document(method(revoked="yes")), "/verificationMethod/0/revoked"),
        (did_document(jwk_method(publicKeyJwk=JWK | {"crv": "X25519"})), "/verificationMethod/0/publicKeyJwk"),
        (did_document(jwk_method(publicKeyJwk=JWK | {"d": JWK["x"]})), "/verificationMethod/0/publicKeyJwk"),
        (did_document(jwk_method(publicKeyJwk=JWK | {"x": JWK["x"] + "="})), "/verificationMethod/0/publicKeyJwk/x"),
        (did_document(jwk_method(publicKeyJwk="none")), "/verificationMethod/0/publicKeyJwk"),
    ],
)
def test_a_method_that_is_not_usable_is_refused_with_its_place(document: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidVerificationMethod) as refused:
        verification_method_from(document, DID_URL, purpose="assertionMethod")
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_a_method_has_a_fragment() -> None:
    with pytest.raises(InvalidVerificationMethod):
        verification_method_from(did_document(), DID, purpose="assertionMethod")


def test_the_times_of_a_method_are_read() -> None:
    document = did_document(method(expires="2027-01-01T00:00:00Z", revoked="2026-01-01T00:00:00Z"))
    found = verification_method_from(document, DID_URL, purpose="assertionMethod")
    assert found.expires == datetime(2027, 1, 1, tzinfo=UTC)
    assert found.revoked == datetime(2026, 1, 1, tzinfo=UTC)
