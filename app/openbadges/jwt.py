"""Credentials as JSON Web Tokens, in two forms that differ on purpose. PURE.

    ob3-jwt         Open Badges 3.0, §8.2 (JSON Web Token proof format)
                    header   alg (RS256, ES256), kid (URL of one JWK), typ JWT; no other
                    payload  the credential, beside it iss, jti, nbf, sub, with validUntil also exp
    vc-jose-cose    Securing Verifiable Credentials using JOSE and COSE, §3.1.1
                    header   alg (EdDSA, ES256), kid (DID URL), typ vc+jwt, cty vc
                    payload  the credential and nothing else

Neither has a `vc` claim: that was the form of the data model 1.1. Signing is the vault's (`app.proofs.signer.JwsRequest`).
"""

import json
import warnings
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any, Literal

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import import_key

from app.openbadges.datatypes import VC_CONTEXT, parse_date_time_z
from app.proofs.public_key import JOSE_ALGORITHMS, AnyPublicKey, algorithm_of, compose_public_jwk
from app.proofs.signer import REGISTERED_CLAIMS

JwtForm = Literal["ob3-jwt", "vc-jose-cose"]
MEDIA_TYPE = "application/vc+jwt"

MAX_PAYLOAD = 1024 * 1024


class _Registry(jws.JWSRegistry):
    max_header_length = 4096
    max_payload_length = MAX_PAYLOAD


def compose_jwt(form: JwtForm, document: Mapping[str, Any], *, kid: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Header (without `alg`) and payload for a linted `document`; for `ob3-jwt` its subject has an id.

    validFrom is in whole seconds, as verifiers compare it with `nbf`.
    """
    if form == "vc-jose-cose":
        return {"kid": kid, "typ": "vc+jwt", "cty": "vc"}, dict(document)
    issuer = document["issuer"]
    claims: dict[str, Any] = {
        "iss": issuer if isinstance(issuer, str) else issuer["id"],
        "jti": document["id"],
        "nbf": _seconds(document["validFrom"]),
        "sub": document["credentialSubject"]["id"],
    }
    if "validUntil" in document:
        claims["exp"] = _seconds(document["validUntil"])
    return {"kid": kid, "typ": "JWT"}, {**document, **claims}


def verify_jws(token: str, public_key: AnyPublicKey) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Header and payload of a compact JWS whose payload is a JSON object; None unless the key signed it with its algorithm."""
    alg = JOSE_ALGORITHMS[algorithm_of(public_key)]
    try:
        with warnings.catch_warnings(action="ignore", category=SecurityWarning):  # EdDSA is what others know; RFC 9864
            key = import_key(dict(compose_public_jwk(public_key)))
            found = jws.deserialize_compact(token, key, registry=_Registry(algorithms=[alg]))
        payload = json.loads(found.payload)
    except (JoseError, ValueError, RecursionError):
        return None
    return (dict(found.headers()), payload) if isinstance(payload, dict) else None


def read_payload(token: str) -> dict[str, Any]:
    """The payload of a JWT of ours, whose signature has been verified. Raises ValueError for what is none."""
    try:
        part = token.split(".")[1]
        payload = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, NotBase64) as error:
        raise ValueError("This is not a compact JWS.") from error
    if not isinstance(payload, dict):
        raise ValueError("The payload is not a JSON object.")
    return payload


def document_in(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The credential in a payload: what is left without the claims."""
    return {name: value for name, value in payload.items() if name not in REGISTERED_CLAIMS}


def envelop(token: str) -> dict[str, Any]:
    """A JWT as EnvelopedVerifiableCredential, VCDM 2.0 §4.13: for places where only an object can stand."""
    return {
        "@context": VC_CONTEXT,
        "id": f"data:{MEDIA_TYPE},{token}",
        "type": "EnvelopedVerifiableCredential",
    }


def _seconds(moment: str) -> int:
    return int(parse_date_time_z(moment).timestamp())
