"""What the vault does with a private key once it is open. Only `vault.py` imports this: no key goes further.

Every signature is deterministic, so that a document whose signing was interrupted is finished to the same bytes: Ed25519 and
RSASSA-PKCS1-v1_5 are by nature, ECDSA is by RFC 6979. A base proof of ecdsa-sd-2023 needs a key pair and an HMAC key of its
own; both are derived from the issuer's key and from what is signed, so they are as fresh as the document is, and nothing is kept.
"""

import hashlib
import json
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from joserfc import jws
from joserfc._rfc7515.model import JWSAlgModel
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.errors import Broken
from app.proofs import ecdsa_sd_2023
from app.proofs.ecdsa_sd_2023 import BaseProofValue
from app.proofs.multikey import KINDS
from app.proofs.public_key import JOSE_ALGORITHMS, KeyAlgorithm, algorithm_of
from app.proofs.signer import JwsRequest, Request, SelectiveRequest, SigningRequest

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey

RSA_BITS = 3072
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class KeyUnfit(Broken):
    """A key was asked for a signature that keys of its algorithm do not make."""


def generate(algorithm: KeyAlgorithm) -> PrivateKey:
    if algorithm == "Ed25519":
        return Ed25519PrivateKey.generate()
    if algorithm == "RSA":
        return rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS)
    curve = KINDS[algorithm].curve
    assert curve is not None
    return ec.generate_private_key(curve)


def write_private_key(private: PrivateKey) -> bytes:
    """32 bytes of an Ed25519 key, as ever; PKCS #8 of another. To be sealed at once."""
    if isinstance(private, Ed25519PrivateKey):
        return private.private_bytes_raw()
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def read_private_key(raw: bytes) -> PrivateKey:
    """The reverse of `write_private_key`."""
    if len(raw) == KINDS["Ed25519"].size:
        return Ed25519PrivateKey.from_private_bytes(raw)
    key = load_der_private_key(raw, password=None)
    assert isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey)
    return key


def sign_request(private: PrivateKey, request: Request) -> bytes:
    """The value of the Signature that answers the request, whose token has been redeemed. Raises KeyUnfit."""
    match request:
        case SigningRequest():
            _require_length(private, request.hash_data)
            return sign_bytes(private, request.hash_data)
        case SelectiveRequest():
            return _sign_selectively(private, request)
        case JwsRequest():
            return _sign_jws(private, request)


def sign_bytes(private: PrivateKey, message: bytes) -> bytes:
    """Ed25519; ECDSA with SHA-256, of a P-384 key SHA-384, as r and s (IEEE P1363); RS256."""
    if isinstance(private, Ed25519PrivateKey):
        return private.sign(message)
    if isinstance(private, RSAPrivateKey):
        return private.sign(message, PKCS1v15(), SHA256())
    size = (private.curve.key_size + 7) // 8
    algorithm = SHA384() if size == KINDS["P-384"].size else SHA256()
    r, s = decode_dss_signature(private.sign(message, ECDSA(algorithm, deterministic_signing=True)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _require_length(private: PrivateKey, hash_data: bytes) -> None:
    """Of no other length can hash data be that of a proof by such a key; of an RSA key there are none."""
    if len(hash_data) != {"Ed25519": 64, "P-256": 64, "P-384": 96}.get(algorithm_of(private.public_key())):
        raise KeyUnfit("A Data Integrity proof was asked of a key that does not make such.")


def _sign_selectively(private: PrivateKey, request: SelectiveRequest) -> bytes:
    if not isinstance(private, EllipticCurvePrivateKey) or algorithm_of(private.public_key()) != "P-256":
        raise KeyUnfit("A proof of ecdsa-sd-2023 was asked of a key that is not a P-256 key.")
    secret = private.private_numbers().private_value.to_bytes(32, "big")
    drawn = HKDF(
        algorithm=SHA256(),
        length=ecdsa_sd_2023.HMAC_KEY_LENGTH + 48,
        salt=request.proof_hash + request.document_hash + hashlib.sha256(_write(request.mandatory_pointers)).digest(),
        info=b"assay ecdsa-sd-2023 v1",
    ).derive(secret)
    hmac_key, seed = drawn[: ecdsa_sd_2023.HMAC_KEY_LENGTH], drawn[ecdsa_sd_2023.HMAC_KEY_LENGTH :]
    # 48 bytes, so that the remainder is as good as uniform (FIPS 186-5, A.2.1).
    ephemeral = derive_private_key(int.from_bytes(seed, "big") % (_P256_ORDER - 1) + 1, ec.SECP256R1())
    transformed = ecdsa_sd_2023.transform_base(
        request.document, request.mandatory_pointers, hmac_key, contexts=request.contexts
    )
    to_sign = ecdsa_sd_2023.compose_sign_data(request.proof_hash, ephemeral.public_key(), transformed.mandatory_hash)
    value = BaseProofValue(
        base_signature=sign_bytes(private, to_sign),
        ephemeral_key=ephemeral.public_key(),
        hmac_key=hmac_key,
        signatures=[sign_bytes(ephemeral, line.encode()) for line in transformed.to_sign_each],
        mandatory_pointers=request.mandatory_pointers,
    )
    return ecdsa_sd_2023.serialize_base(value).encode()


def _write(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class _Algorithm(JWSAlgModel):
    """An algorithm of joserfc that signs as everything here does: by its own way ECDSA would not be deterministic."""

    description = "Deterministic"

    def __init__(self, name: str, key_type: Literal["OKP", "EC", "RSA"]) -> None:
        self.name, self.key_type = name, key_type

    def sign(self, msg: bytes, key: Any) -> bytes:
        return sign_bytes(key.private_key, msg)

    def verify(self, msg: bytes, sig: bytes, key: Any) -> bool:
        raise NotImplementedError("This algorithm signs; whoever verifies takes joserfc's own.")


_JWS_ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        _Algorithm("EdDSA", "OKP"), _Algorithm("ES256", "EC"), _Algorithm("ES384", "EC"), _Algorithm("RS256", "RSA")
    )
}  # fmt: skip


class _Registry(jws.JWSRegistry):
    max_header_length = 4096
    max_payload_length = 1024 * 1024

    def __init__(self, alg: str) -> None:
        super().__init__(algorithms=[alg])
        self.algorithms = {alg: _JWS_ALGORITHMS[alg]}


def _sign_jws(private: PrivateKey, request: JwsRequest) -> bytes:
    alg = JOSE_ALGORITHMS[algorithm_of(private.public_key())]
    payload = json.dumps(request.payload, ensure_ascii=False, separators=(",", ":"))
    return jws.serialize_compact(
        {"alg": alg, **request.header}, payload, _jose_key(private), registry=_Registry(alg)
    ).encode()


def _jose_key(private: PrivateKey) -> OKPKey | ECKey | RSAKey:
    if isinstance(private, Ed25519PrivateKey):
        return OKPKey(private, private)
    return RSAKey(private, private) if isinstance(private, RSAPrivateKey) else ECKey(private, private)
