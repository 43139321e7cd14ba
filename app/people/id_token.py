"""ID tokens: what a provider says of somebody who signed in there (OpenID Connect Core 1.0, section 3.1.3.7). PURE."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet

from app.errors import Forbidden

# Asymmetric signatures only: with HS256 whoever knows the public key could sign, and "none" is no signature.
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
LEEWAY = 60
"""Seconds that two clocks may be apart."""
OLDEST = 600
"""Seconds: older than any sign-in under way."""

_EMAIL = re.compile(r"[^\s@\ud800-\udfff]{1,64}@[^\s@\ud800-\udfff]{1,189}")


class SignInRefused(Forbidden):
    """The provider did not sign the person in, or what it sent must not be believed."""

    code = "oidc_sign_in_refused"


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody at a provider. `verified_email` is their address where the provider has verified it."""

    sub: str
    verified_email: str | None


def verify_id_token(
    token: str, keys: Mapping[str, Any], *, provider_issuer: str, client_id: str, nonce: str, now: datetime
) -> Subject:
    """Who the token is about. `keys` is the provider's JWK set. Raises SignInRefused for any token not meant for us now."""
    try:
        # EdDSA is the name that providers still use; RFC 9864 only prefers another one.
        with warnings.catch_warnings(action="ignore", category=SecurityWarning):
            claims = jwt.decode(token, KeySet.import_key_set(_for_signatures(keys)), algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise SignInRefused("The ID token's signature does not verify with the provider's keys.") from None
    _require(claims.get("iss") == provider_issuer, "was issued by somebody else")
    _require_audience(claims, client_id)
    _require(claims.get("nonce") == nonce, "belongs to another sign-in")
    _require(now.timestamp() < _seconds(claims, "exp") + LEEWAY, "has expired")
    _require(-LEEWAY <= now.timestamp() - _seconds(claims, "iat") <= OLDEST, "was not issued just now")
    sub = claims.get("sub")
    _require(isinstance(sub, str) and sub.isascii() and 0 < len(sub) <= 255, "names nobody")
    email = claims.get("email")
    is_verified = claims.get("email_verified") is True and isinstance(email, str) and bool(_EMAIL.fullmatch(email))
    return Subject(str(sub), str(email) if is_verified else None)


def _for_signatures(keys: Mapping[str, Any]) -> Any:
    """The set without what could not have signed: keys for encryption, keys for another algorithm, shared secrets."""
    return {
        "keys": [
            key
            for key in keys["keys"]
            if key.get("use", "sig") == "sig" and key.get("kty") != "oct" and key.get("alg", "RS256") in ALGORITHMS
        ]
    }


def _require_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    _require(client_id in audiences, "is meant for another client")
    _require(len(audiences) == 1 or "azp" in claims, "is meant for several clients and does not say who asked")
    _require(claims.get("azp", client_id) == client_id, "was asked for by another client")


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    _require(isinstance(value, int | float) and not isinstance(value, bool), f"has no {name}")
    assert isinstance(value, int | float)
    return value


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise SignInRefused(f"The provider's ID token {what}.")
