"""DIDs and DID documents of issuers. PURE.

did:web Method Specification (percent-encoded port, path segments after colons), W3C DID 1.0, Controlled Identifiers 1.0 for
Multikey. `assertionMethod` lists strings, because widespread validators compare it with the verification method's full id.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

DID_CONTEXT = "https://www.w3.org/ns/did/v1"
MULTIKEY_CONTEXT = "https://w3id.org/security/multikey/v1"


def did_web(base_url: str, slug: str) -> str:
    """The did:web whose document is served at `{base_url}/issuers/{slug}/did.json`."""
    host = urlsplit(base_url).netloc.replace(":", "%3A")
    return f"did:web:{host}:issuers:{slug}"


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
