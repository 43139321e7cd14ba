"""DIDs and DID documents of issuers. PURE.

did:web Method Specification (percent-encoded port, path segments after colons), W3C DID 1.0, Controlled Identifiers 1.0 for
Multikey. `assertionMethod` lists strings, because widespread validators compare it with the verification method's full id.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from app.proofs.errors import InvalidVerificationMethod
from app.proofs.public_key import (
    JOSE_ALGORITHMS,
    AnyPublicKey,
    algorithm_of,
    compose_public_jwk,
    compute_thumbprint,
    decode_public_key,
    is_multikey,
)
from app.proofs.verification_method import find_moment, verification_method_from

DID_CONTEXT = "https://www.w3.org/ns/did/v1"
MULTIKEY_CONTEXT = "https://w3id.org/security/multikey/v1"
JWK_CONTEXT = "https://w3id.org/security/jwk/v1"

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_AUTHORITY = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::(?P<port>[1-9][0-9]{{0,4}}))?", re.ASCII)
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_MAX_DID = 500
_MAX_PORT = 65_535


def did_web(base_url: str, slug: str) -> str:
    """The did:web whose document is served at `{base_url}/issuers/{slug}/did.json`."""
    host = urlsplit(base_url).netloc.replace(":", "%3A")
    return f"did:web:{host}:issuers:{slug}"


def has_own_domain(did: str, base_url: str, slug: str) -> bool:
    """Whether the document of this issuer's DID is looked for somewhere else than where this service publishes it."""
    return did.startswith("did:web:") and did != did_web(base_url, slug)


def find_did_web(authority: str, path: str) -> str | None:
    """The did:web whose document is at this host (with its port, if any) and path of https; None where no document can be.

    It is written in the one way that we use: lower-case host, no port 443, no percent-encoded characters in the path.
    """
    host = authority.lower().removesuffix(":443")
    place = path.removesuffix("/did.json").removeprefix("/")
    segments = [] if place == ".well-known" else place.split("/")
    found = _AUTHORITY.fullmatch(host)
    if found is None or int(found["port"] or 0) > _MAX_PORT:
        return None
    if not path.endswith("/did.json") or not all(map(_SEGMENT.fullmatch, segments)):
        return None
    did = ":".join(["did:web", host.replace(":", "%3A"), *segments])
    return did if len(did) <= _MAX_DID else None


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """One of our keys as a DID document gives it. `expires` and `revoked` are ends that the document puts to it."""

    id: str
    expires: datetime | None
    revoked: datetime | None


def find_published_key(document: Mapping[str, Any], did: str, key_multibase: str) -> PublishedKey | None:
    """Our key as a DID document found somewhere gives it: as `did`'s own, under our name, for assertion."""
    id_ = verification_method_id(did, key_multibase)
    if not is_multikey(key_multibase):
        return _find_published_jwk(document, did, id_, compose_public_jwk(decode_public_key(key_multibase)))
    try:
        method = verification_method_from(document, id_, purpose="assertionMethod")
    except InvalidVerificationMethod:
        return None
    return PublishedKey(id_, method.expires, method.revoked) if method.public_key_multibase == key_multibase else None


def _find_published_jwk(document: Mapping[str, Any], did: str, id_: str, jwk: Mapping[str, str]) -> PublishedKey | None:
    """As `find_published_key`, of a key that is published as JsonWebKey. An end that cannot be read is one that has come."""
    names = (id_, id_.removeprefix(did))
    methods, asserted = document.get("verificationMethod"), document.get("assertionMethod")
    if document.get("id") != did or not isinstance(methods, list) or not isinstance(asserted, list):
        return None
    for method in methods:
        if not isinstance(method, Mapping) or method.get("id") not in names or method.get("controller") != did:
            continue
        found = method.get("publicKeyJwk")
        if isinstance(found, Mapping) and jwk.items() <= found.items() and any(name in names for name in asserted):
            ends = [
                find_moment(method[name]) or _LONG_AGO if name in method else None for name in ("expires", "revoked")
            ]
            return PublishedKey(id_, *ends)
    return None


def verification_method_id(did: str, public_key_multibase: str) -> str:
    """How proofs and DID documents name a key: a Multikey by itself, an RSA key by its JWK thumbprint."""
    if is_multikey(public_key_multibase):
        return f"{did}#{public_key_multibase}"
    return f"{did}#{compute_thumbprint(decode_public_key(public_key_multibase))}"


def compose_did_document(
    did: str, keys_multibase: Sequence[str], *, retired: Collection[str] = (), profile_url: str
) -> dict[str, Any]:
    """The DID document with every key of the issuer, `retired` ones included, so that old badges verify.

    The retired ones are left out of `authentication`, which is about today.

    `keys_multibase` are keys as the register writes them. A Multikey is published as such, an RSA key as JsonWebKey (Controlled
    Identifiers §2.2.3). Of a did:key, which is its own document, an RSA key is no part.
    """
    if did.startswith("did:key:"):
        keys_multibase = [key for key in keys_multibase if is_multikey(key)]
    methods = [_compose_method(did, key) for key in keys_multibase]
    has_jwk = any("publicKeyJwk" in method for method in methods)
    return {
        "@context": [DID_CONTEXT, MULTIKEY_CONTEXT, *([JWK_CONTEXT] if has_jwk else [])],
        "id": did,
        "alsoKnownAs": [profile_url],
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
        "authentication": [verification_method_id(did, key) for key in keys_multibase if key not in retired],
    }


def _compose_method(did: str, key_multibase: str) -> dict[str, Any]:
    id_ = verification_method_id(did, key_multibase)
    if is_multikey(key_multibase):
        return {"id": id_, "type": "Multikey", "controller": did, "publicKeyMultibase": key_multibase}
    key = decode_public_key(key_multibase)
    jwk = {**compose_public_jwk(key), "alg": JOSE_ALGORITHMS[algorithm_of(key)], "kid": compute_thumbprint(key)}
    return {"id": id_, "type": "JsonWebKey", "controller": did, "publicKeyJwk": jwk}


def compose_jwk(public_key: AnyPublicKey, *, key_id: str, issuer: str) -> Mapping[str, str]:
    """A public key as JWK (RFC 7517, RFC 8037); `iss` tells keys of different issuers apart in one JWK set."""
    alg = JOSE_ALGORITHMS[algorithm_of(public_key)]
    return {**compose_public_jwk(public_key), "alg": alg, "use": "sig", "kid": key_id, "iss": issuer}
