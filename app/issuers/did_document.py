"""DIDs and DID documents of issuers. PURE.

did:web Method Specification (percent-encoded port, path segments after colons), W3C DID 1.0, Controlled Identifiers 1.0 for
Multikey. `assertionMethod` lists strings, because widespread validators compare it with the verification method's full id.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from app.proofs.errors import InvalidVerificationMethod
from app.proofs.verification_method import VerificationMethod, verification_method_from

DID_CONTEXT = "https://www.w3.org/ns/did/v1"
MULTIKEY_CONTEXT = "https://w3id.org/security/multikey/v1"

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


def find_published_key(document: Mapping[str, Any], did: str, key_multibase: str) -> VerificationMethod | None:
    """Our key as a DID document found somewhere gives it: as `did`'s own, under our name, for assertion."""
    try:
        method = verification_method_from(
            document, verification_method_id(did, key_multibase), purpose="assertionMethod"
        )
    except InvalidVerificationMethod:
        return None
    return method if method.public_key_multibase == key_multibase else None


def verification_method_id(did: str, public_key_multibase: str) -> str:
    return f"{did}#{public_key_multibase}"


def compose_did_document(did: str, keys_multibase: Sequence[str], *, profile_url: str) -> dict[str, Any]:
    """The DID document with every key of the issuer, retired ones included, so that old badges verify."""
    ids = [verification_method_id(did, key) for key in keys_multibase]
    return {
        "@context": [DID_CONTEXT, MULTIKEY_CONTEXT],
        "id": did,
        "alsoKnownAs": [profile_url],
        "verificationMethod": [
            {"id": id_, "type": "Multikey", "controller": did, "publicKeyMultibase": key}
            for id_, key in zip(ids, keys_multibase, strict=True)
        ],
        "assertionMethod": ids,
    }


def compose_jwk(public_key_raw: bytes, *, key_id: str, issuer: str) -> Mapping[str, str]:
    """An Ed25519 public key as JWK (RFC 8037); `iss` tells keys of different issuers apart in one JWK set."""
    x = urlsafe_b64encode(public_key_raw).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA", "use": "sig", "kid": key_id, "iss": issuer}
