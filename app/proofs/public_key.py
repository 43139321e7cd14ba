"""Public keys of everything that signs here, each as one line of text: what the register holds.

Ed25519, P-256, P-384    a Multikey (Controlled Identifiers v1.0 §2.2.2), published as such
RSA                      the same way of writing (multicodec rsa-pub, 0x1205, of the key in PKCS #1 DER), which no Multikey
                         admits: it is published as JsonWebKey and named by its JWK thumbprint (RFC 7638)
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from typing import Literal, get_args

import base58
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from app.proofs import multikey
from app.proofs.errors import InvalidVerificationMethod
from app.proofs.multikey import PublicKey, decode_multikey, encode_multikey, kind_of

AnyPublicKey = PublicKey | RSAPublicKey
KeyAlgorithm = Literal["Ed25519", "P-256", "P-384", "RSA"]
ALGORITHMS: tuple[KeyAlgorithm, ...] = get_args(KeyAlgorithm)

JOSE_ALGORITHMS = {"Ed25519": "EdDSA", "P-256": "ES256", "P-384": "ES384", "RSA": "RS256"}
"""What a key of each algorithm signs a JWS with (RFC 7518, RFC 8037)."""

_RSA_PREFIX = b"\x85\x24"


def algorithm_of(public_key: AnyPublicKey) -> KeyAlgorithm:
    return "RSA" if isinstance(public_key, RSAPublicKey) else kind_of(public_key).name


def encode_public_key(public_key: AnyPublicKey) -> str:
    if not isinstance(public_key, RSAPublicKey):
        return encode_multikey(public_key)
    return "z" + base58.b58encode(_RSA_PREFIX + public_key.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()


def decode_public_key(text: str) -> AnyPublicKey:
    """The reverse of `encode_public_key`. Raises InvalidVerificationMethod."""
    if len(text) <= multikey.MAX_LENGTH:
        return decode_multikey(text)
    try:
        raw = base58.b58decode(text.removeprefix("z"))
        key = load_der_public_key(raw.removeprefix(_RSA_PREFIX))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey):
        raise InvalidVerificationMethod("This is not a public key as the register writes them.")
    return key


def is_multikey(text: str) -> bool:
    """Whether a key of the register can be published as Multikey."""
    return len(text) <= multikey.MAX_LENGTH


def compose_public_jwk(public_key: AnyPublicKey) -> dict[str, str]:
    """The key's own members of a JWK, none of them private."""
    if not isinstance(public_key, RSAPublicKey):
        return multikey.compose_jwk(public_key)
    numbers = public_key.public_numbers()
    return {"kty": "RSA", "n": _base64url_uint(numbers.n), "e": _base64url_uint(numbers.e)}


def compute_thumbprint(public_key: AnyPublicKey) -> str:
    """RFC 7638, with SHA-256, in base64url."""
    text = json.dumps(compose_public_jwk(public_key), sort_keys=True, separators=(",", ":"))
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _base64url_uint(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()
