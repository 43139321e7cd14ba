"""Public keys that verify a JWS: bare JWKs (RFC 7517), and those of controller documents (Controlled Identifiers v1.0 §2.2).

Beside the kinds of a Multikey these may be RSA keys, which no Data Integrity proof is made with.
"""

import base64
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app import strict_json
from app.proofs.errors import InvalidVerificationMethod
from app.proofs.multikey import compose_jwk, decode_multikey
from app.proofs.verification_method import find_moment

JoseKey = RSAKey | ECKey | OKPKey

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192

_KEYS: Mapping[str, type[JoseKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_BASE64URL = re.compile("[A-Za-z0-9_-]{1,4000}")
_MEMBERS = ("kty", "crv", "x", "y", "n", "e", "use", "alg", "key_ops")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key and whose it is. `jwk` has its public members; `controller` is an IRI.

    `bound` is why the controller counts as that: its own document lists the key, or its host publishes it.
    """

    controller: str
    jwk: Mapping[str, Any]
    bound: Literal["listed", "host"] = "listed"
    expires: datetime | None = None
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A key that a controller's document lists under a purpose."""

    id: str
    jwk: Mapping[str, Any]
    expires: datetime | None = None
    revoked: datetime | None = None


def read_public_jwk(value: Any) -> dict[str, Any]:
    """The public members of a JWK. Raises InvalidVerificationMethod where it is none, is private, or is an RSA key of a length
    that nobody should use."""
    if not isinstance(value, Mapping):
        raise InvalidVerificationMethod("This is not a JWK.")
    if "keys" in value:
        raise InvalidVerificationMethod("This is a set of JWKs; one JWK is asked for.")
    if PRIVATE_MEMBERS & value.keys():
        raise InvalidVerificationMethod("The JWK gives the private key away.")
    jwk = {name: value[name] for name in _MEMBERS if name in value}
    key = import_jwk(jwk)
    if isinstance(key, RSAKey) and not MIN_RSA_BITS <= key.public_key.key_size <= MAX_RSA_BITS:
        raise InvalidVerificationMethod(f"The RSA key has not {MIN_RSA_BITS} to {MAX_RSA_BITS} bits.")
    return jwk


def import_jwk(jwk: Mapping[str, Any]) -> JoseKey:
    """Raises InvalidVerificationMethod for anything but a well-formed RSA, EC or OKP key."""
    kind = _KEYS.get(str(jwk.get("kty")))
    if kind is None:
        raise InvalidVerificationMethod("The JWK is of no supported kind.")
    try:
        with warnings.catch_warnings(
            action="ignore", category=SecurityWarning
        ):  # a short key is refused by `read_public_jwk`
            key = kind.import_key(dict(jwk))
        key.public_key  # noqa: B018  what joserfc has not looked at is looked at here
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise InvalidVerificationMethod("The JWK is malformed.") from None
    return key


def thumbprint_of(jwk: Mapping[str, Any]) -> str:
    """RFC 7638. Raises InvalidVerificationMethod."""
    return import_jwk(jwk).thumbprint()


def read_own_keys(did: str) -> list[Listed]:
    """The one key of a did:key or did:jwk, which is its own document. Raises InvalidVerificationMethod."""
    method, encoded = did[:8], did[8:]
    if method == "did:key:":
        return [Listed(f"{did}#{encoded}", compose_jwk(decode_multikey(encoded)))]
    if method != "did:jwk:" or not _BASE64URL.fullmatch(encoded):
        raise InvalidVerificationMethod("This is neither a did:key nor a did:jwk.")
    try:
        jwk = strict_json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, strict_json.MalformedDocument):
        raise InvalidVerificationMethod("The identifier of the did:jwk is not base64url of a JWK.") from None
    return [Listed(f"{did}#0", read_public_jwk(jwk))]


def list_keys(document: Mapping[str, Any], controller: str, *, purpose: str) -> list[Listed]:
    """The readable keys that `document`, which must be the controller's own, lists under `purpose`.

    Raises InvalidVerificationMethod when the document is another's.
    """
    if document.get("id") != controller:
        raise InvalidVerificationMethod("The document is not the one the key is looked for in.")
    wanted = {_absolute(entry, controller) for entry in _entries(document, purpose)}
    methods = [*_entries(document, "verificationMethod"), *_entries(document, purpose)]
    own = [each for each in methods if isinstance(each, Mapping) and each.get("controller") == controller]
    return [listed for each in own if _absolute(each, controller) in wanted for listed in _read(each, controller)]


def _read(method: Mapping[str, Any], controller: str) -> Iterator[Listed]:
    """One, or none where the key is of a kind that is not supported or its times cannot be read."""
    times = {name: find_moment(method[name]) for name in ("expires", "revoked") if name in method}
    if None in times.values():
        return
    try:
        if isinstance(multibase := method.get("publicKeyMultibase"), str):
            jwk: Mapping[str, Any] = compose_jwk(decode_multikey(multibase))
        else:
            jwk = read_public_jwk(method.get("publicKeyJwk"))
    except InvalidVerificationMethod:
        return
    yield Listed(_absolute(method, controller) or "", jwk, **times)


def _entries(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name, [])
    return value if isinstance(value, list) else [value]


def _absolute(entry: Any, controller: str) -> str | None:
    reference = entry.get("id") if isinstance(entry, Mapping) else entry
    if not isinstance(reference, str):
        return None
    return controller + reference if reference.startswith("#") else reference
