"""Badges secured as JWT, in each profile, with keys of every kind; and headers that a test composes by hand."""

import base64
import json
import warnings
from functools import cache
from typing import Any

from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.proofs.verification_method import find_moment
from tests.verification.badges import Document

Key = RSAKey | ECKey | OKPKey


@cache
def new_key(kind: str, name: str = "") -> Key:
    """One key of the kind for each name, for as long as the tests run."""
    if kind == "RSA":
        return RSAKey.generate_key(2048)
    if kind == "Ed25519":
        return OKPKey.generate_key("Ed25519")
    return ECKey.generate_key(kind)


def public(key: Key) -> Document:
    """The public JWK."""
    return key.as_dict(private=False)


def private(key: Key) -> Document:
    return key.as_dict(private=True)


def did_jwk(key: Key) -> str:
    return f"did:jwk:{encode(public(key))}"


def claims_of(credential: Document) -> Document:
    """The claims of the profile ob3-jwt: the credential and what repeats it. Times are of whole seconds."""
    claims = dict(credential) | {
        "iss": credential["issuer"]["id"],
        "jti": credential["id"],
        "sub": credential["credentialSubject"]["id"],
    }
    for claim, members in (("nbf", ("validFrom", "issuanceDate")), ("exp", ("validUntil", "expirationDate"))):
        for member in members:
            moment = find_moment(credential.get(member))
            if moment is not None:
                claims[claim] = int(moment.timestamp())
    return claims


def issue(header: Document, claims: Document, key: Key) -> str:
    """A compact JWS of joserfc, which is asked to look at nothing but the signature."""
    registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = 1 << 24
    with warnings.catch_warnings(action="ignore", category=SecurityWarning):  # EdDSA by its old name
        return jws.serialize_compact(header, json.dumps(claims), key, [header["alg"]], registry)


def encode(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forge(header: Any, claims: Any, signature: bytes = b"") -> str:
    """A token of any parts; `header` and `claims` may be bytes."""
    return f"{encode(header)}.{encode(claims)}.{encode(signature)}"


def with_header(token: str, **members: Any) -> str:
    """The token with another header, and its old signature."""
    header, payload, signature = token.split(".")
    read = json.loads(base64.urlsafe_b64decode(header + "=="))
    return f"{encode(read | members)}.{payload}.{signature}"
