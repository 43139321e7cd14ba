"""Public keys as Multikey and as JWK: W3C Controlled Identifiers v1.0 §2.2.2 and §2.2.3, RFC 7517, RFC 8037.

A kind of key is a row of `KINDS`. Elliptic curve keys are compressed points (SEC 1 §2.3.3) in a Multikey.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import base58
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.errors import Fault
from app.proofs.errors import InvalidVerificationMethod

PublicKey = Ed25519PublicKey | EllipticCurvePublicKey
KeyName = Literal["Ed25519", "P-256", "P-384"]


@dataclass(frozen=True, slots=True)
class KeyKind:
    """`prefix` is the multicodec as a varint, `length` the bytes that follow it. `size` is that of a coordinate, in bytes."""

    name: KeyName
    prefix: bytes
    length: int
    size: int
    curve: EllipticCurve | None = None


KINDS: Mapping[KeyName, KeyKind] = {
    "Ed25519": KeyKind("Ed25519", b"\xed\x01", 32, 32),
    "P-256": KeyKind("P-256", b"\x80\x24", 33, 32, SECP256R1()),
    "P-384": KeyKind("P-384", b"\x81\x24", 49, 48, SECP384R1()),
}

MAX_LENGTH = 101
"""In characters: the longest `publicKeyMultibase` that is read."""

_MULTIBASE = re.compile(f"z([1-9A-HJ-NP-Za-km-z]{{1,{MAX_LENGTH - 1}}})")
_BASE64URL = re.compile("[A-Za-z0-9_-]+")


def kind_of(public_key: PublicKey) -> KeyKind:
    """Raises InvalidVerificationMethod for a curve that is not supported."""
    if isinstance(public_key, Ed25519PublicKey):
        return KINDS["Ed25519"]
    for kind in KINDS.values():
        if kind.curve is not None and kind.curve.name == public_key.curve.name:
            return kind
    raise _refusal(f"Keys on the curve {public_key.curve.name} are not supported.")


def encode_multikey(public_key: PublicKey) -> str:
    """`public_key` as `publicKeyMultibase`: base58btc of the prefix and the key."""
    return "z" + base58.b58encode(encode_multikey_bytes(public_key)).decode()


def encode_multikey_bytes(public_key: PublicKey) -> bytes:
    """The prefix and the key, without an encoding."""
    return kind_of(public_key).prefix + _raw(public_key)


def decode_multikey(public_key_multibase: str) -> PublicKey:
    """The key in a `publicKeyMultibase`. Raises InvalidVerificationMethod for anything but a key of KINDS."""
    match = _MULTIBASE.fullmatch(public_key_multibase)
    if not match:
        raise _refusal("The publicKeyMultibase is not base58btc.", "/publicKeyMultibase")
    return decode_multikey_bytes(base58.b58decode(match[1]))


def decode_multikey_bytes(raw: bytes) -> PublicKey:
    """The reverse of `encode_multikey_bytes`. Raises InvalidVerificationMethod."""
    for kind in KINDS.values():
        if raw.startswith(kind.prefix) and len(raw) == len(kind.prefix) + kind.length:
            return _load(kind, raw[len(kind.prefix) :], "/publicKeyMultibase")
    raise _refusal("The key is not an Ed25519, P-256 or P-384 public key.", "/publicKeyMultibase")


def compose_jwk(public_key: PublicKey) -> dict[str, str]:
    """The key's own members of a JWK: `kty`, `crv` and the coordinates."""
    kind = kind_of(public_key)
    if isinstance(public_key, Ed25519PublicKey):
        return {"kty": "OKP", "crv": kind.name, "x": _base64url(public_key.public_bytes_raw())}
    point = public_key.public_numbers()
    x, y = (coordinate.to_bytes(kind.size, "big") for coordinate in (point.x, point.y))
    return {"kty": "EC", "crv": kind.name, "x": _base64url(x), "y": _base64url(y)}


def read_jwk(jwk: Any, pointer: str) -> PublicKey:
    """The key in a JWK found at `pointer`. Raises InvalidVerificationMethod, also where a private key is given away."""
    found = [kind for kind in KINDS.values() if isinstance(jwk, Mapping) and kind.name == jwk.get("crv")]
    kind = found[0] if found else None
    if kind is None or jwk.get("kty") != ("EC" if kind.curve else "OKP"):
        raise _refusal("The JWK is not an Ed25519, P-256 or P-384 key.", pointer)
    if "d" in jwk:
        raise _refusal("The JWK gives the private key away.", pointer)
    x = _read_coordinate(jwk, "x", kind, pointer)
    if kind.curve is None:
        return _load(kind, x, pointer)
    return _load(kind, b"\x04" + x + _read_coordinate(jwk, "y", kind, pointer), pointer)


def _read_coordinate(jwk: Mapping[str, Any], name: str, kind: KeyKind, pointer: str) -> bytes:
    text = jwk.get(name)
    if isinstance(text, str) and _BASE64URL.fullmatch(text) and len(text) == -(-kind.size * 8 // 6):
        value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if _base64url(value) == text:  # one spelling only: no bits left over
            return value
    raise _refusal(f"The {name} of the JWK is not {kind.size} bytes of base64url.", f"{pointer}/{name}")


def _load(kind: KeyKind, raw: bytes, pointer: str) -> PublicKey:
    if kind.curve is None:
        return Ed25519PublicKey.from_public_bytes(raw)
    try:
        return EllipticCurvePublicKey.from_encoded_point(kind.curve, raw)
    except ValueError:
        raise _refusal(f"The key is not a point on {kind.name}.", pointer) from None


def _raw(public_key: PublicKey) -> bytes:
    if isinstance(public_key, Ed25519PublicKey):
        return public_key.public_bytes_raw()
    return public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _refusal(detail: str, pointer: str = "") -> InvalidVerificationMethod:
    cure = "Use a Multikey or JWK with an Ed25519, P-256 or P-384 public key."
    return InvalidVerificationMethod(detail, faults=[Fault(pointer, detail, cure)], cure=cure)
