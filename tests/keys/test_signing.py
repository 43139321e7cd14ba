"""What the vault signs with keys of each algorithm: it verifies, it is the same each time, and it was linted."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import import_key

from app.contexts import load_contexts
from app.keys.signing import KeyUnfit, generate, read_private_key, sign_request, write_private_key
from app.keys.store import SigningKey
from app.keys.vault import Vault, list_unreadable
from app.openbadges.jwt import verify_jws
from app.proofs import ecdsa_sd_2023
from app.proofs.cryptosuites import is_signed_by
from app.proofs.errors import LintTokenMisused
from app.proofs.public_key import (
    ALGORITHMS,
    JOSE_ALGORITHMS,
    KeyAlgorithm,
    algorithm_of,
    compose_public_jwk,
    decode_public_key,
    encode_public_key,
)
from app.proofs.rdfc import canonicalize
from app.proofs.signer import JwsRequest, LintToken, SelectiveRequest, SigningRequest

CONTEXTS = load_contexts()
DOCUMENT: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": "https://badges.example.org/credentials/1",
    "type": ["VerifiableCredential"],
    "name": "A credential",
    "issuer": {"id": "did:web:badges.example.org"},
    "validFrom": "2026-11-24T02:00:00Z",
    "credentialSubject": {"id": "did:web:learner.example.org"},
}


def token() -> LintToken:
    return LintToken.of(DOCUMENT, canonicalize(DOCUMENT, contexts=CONTEXTS))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_goes_into_the_vault_and_comes_out_the_same(algorithm: KeyAlgorithm) -> None:
    vault = Vault(b"k" * 32)
    public, sealed = vault.new_signing_key("a" * 32, "1" * 32, algorithm=algorithm)
    private = vault.open_signing_key(sealed, "a" * 32, "1" * 32)
    assert algorithm_of(private.public_key()) == algorithm
    assert encode_public_key(private.public_key()) == public
    assert encode_public_key(decode_public_key(public)) == public
    assert write_private_key(private) not in sealed
    assert write_private_key(read_private_key(write_private_key(private))) == write_private_key(private)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_that_is_not_the_published_one_is_told(algorithm: KeyAlgorithm) -> None:
    vault = Vault(b"k" * 32)
    public, sealed = vault.new_signing_key("a" * 32, "1" * 32, algorithm=algorithm)
    other, _ = vault.new_signing_key("a" * 32, "1" * 32, algorithm=algorithm)
    keys = [
        SigningKey(
            issuer_id="a" * 32, id="1" * 32, algorithm=algorithm, public_key_multibase=text, sealed_private_key=sealed
        )
        for text in (public, other)
    ]
    assert list_unreadable(vault, keys) == keys[1:]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_public_jwk_has_no_private_member(algorithm: KeyAlgorithm) -> None:
    jwk = compose_public_jwk(generate(algorithm).public_key())
    assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & jwk.keys()
    assert import_key(dict(jwk)).as_dict(private=False)["kty"] == jwk["kty"]


@pytest.mark.parametrize(("algorithm", "length"), [("Ed25519", 32), ("P-256", 32), ("P-384", 48)])
def test_hash_data_is_signed_the_same_each_time(algorithm: KeyAlgorithm, length: int) -> None:
    private = generate(algorithm)
    hash_ = hashlib.sha384 if length == 48 else hashlib.sha256
    nquads = canonicalize(DOCUMENT, contexts=CONTEXTS).nquads.encode()
    hash_data = b"c" * length + hash_(nquads).digest()
    first, second = (sign_request(private, SigningRequest(token(), "1", hash_data)) for _ in range(2))
    public = private.public_key()
    assert first == second
    assert is_signed_by(public, hash_data, first)  # type: ignore[arg-type]
    assert not is_signed_by(public, hash_data[:-1] + b"x", first)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("algorithm", "length"), [("RSA", 64), ("RSA", 96), ("P-384", 64), ("P-256", 96), ("Ed25519", 96)]
)
def test_hash_data_of_another_algorithm_is_refused(algorithm: KeyAlgorithm, length: int) -> None:
    with pytest.raises(KeyUnfit):
        sign_request(generate(algorithm), SigningRequest(token(), "1", b"c" * length))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_jws_verifies_elsewhere_and_is_the_same_each_time(algorithm: KeyAlgorithm) -> None:
    private = generate(algorithm)
    request = JwsRequest(token(), "1", {"typ": "JWT", "kid": "https://badges.example.org/keys/1"}, DOCUMENT)
    first, second = sign_request(private, request), sign_request(private, request)
    assert first == second
    jwk = compose_public_jwk(private.public_key())
    assert verify_jws(first.decode(), private.public_key()) == (
        {"alg": JOSE_ALGORITHMS[algorithm], **request.header}, DOCUMENT
    )  # fmt: skip
    if algorithm != "Ed25519":  # EdDSA warns there
        read = jws.deserialize_compact(first, import_key(dict(jwk)), algorithms=[JOSE_ALGORITHMS[algorithm]])
        assert json.loads(read.payload) == DOCUMENT
    assert verify_jws(first.decode(), generate(algorithm).public_key()) is None


def selective(pointers: Sequence[str] = ("/issuer",)) -> SelectiveRequest:
    return SelectiveRequest(token(), "1", DOCUMENT, b"p" * 32, pointers, CONTEXTS)


def test_a_base_proof_is_the_same_each_time_and_its_keys_are_of_its_own() -> None:
    private = generate("P-256")
    first, second = sign_request(private, selective()), sign_request(private, selective())
    assert first == second
    base = ecdsa_sd_2023.parse_base(first.decode())
    other = ecdsa_sd_2023.parse_base(sign_request(private, selective(["/name"])).decode())
    assert base.hmac_key != other.hmac_key
    assert base.ephemeral_key != other.ephemeral_key
    assert base.ephemeral_key != private.public_key()
    transformed = ecdsa_sd_2023.transform_base(DOCUMENT, ["/issuer"], base.hmac_key, contexts=CONTEXTS)
    signed = ecdsa_sd_2023.compose_sign_data(b"p" * 32, base.ephemeral_key, transformed.mandatory_hash)
    assert is_signed_by(private.public_key(), signed, base.base_signature)  # type: ignore[arg-type]
    assert len(base.signatures) == len(transformed.to_sign_each) > 0


@pytest.mark.parametrize("algorithm", ["Ed25519", "P-384", "RSA"])
def test_a_base_proof_is_of_a_p256_key(algorithm: KeyAlgorithm) -> None:
    with pytest.raises(KeyUnfit):
        sign_request(generate(algorithm), selective())


def test_a_token_is_for_the_document_that_was_linted() -> None:
    forms = [
        JwsRequest(token(), "1", {}, DOCUMENT | {"iss": "did:web:badges.example.org"}),
        selective(),
        SigningRequest(token(), "1", b"c" * 32 + canonicalize(DOCUMENT, contexts=CONTEXTS).sha256),
    ]
    others = [
        JwsRequest(token(), "1", {}, DOCUMENT | {"name": "Another"}),
        JwsRequest(token(), "1", {}, DOCUMENT | {"aud": "somebody"}),
        SelectiveRequest(token(), "1", DOCUMENT | {"name": "Another"}, b"p" * 32, (), CONTEXTS),
        SigningRequest(token(), "1", b"c" * 32 + b"d" * 32),
    ]
    for request in forms:
        request.token.redeem(request.document_hash)
        with pytest.raises(LintTokenMisused, match="spent"):
            request.token.redeem(request.document_hash)
    for request in others:
        with pytest.raises(LintTokenMisused, match="not the document"):
            request.token.redeem(request.document_hash)
