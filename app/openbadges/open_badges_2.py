"""Open Badges 2.0 (and 2.1) as a verifier reads it: Assertion, BadgeClass, Profile, CryptographicKey, RevocationList. PURE.

What JSON-LD lets be one or several may be either, and an object may stand where an address could. Only what verifying builds
on is required; everything else is let through, because these documents are read and never signed anew.

Specification: Open Badges 2.0 (Final), sections "Data Classes" and "Verification". Two ways of verifying: a *hosted* assertion is
true because its issuer's own site says it, a *signed* one because a key that the issuer's Profile names made its signature.
Rejected: Open Badges 1.x (numbers for dates, badges without types), and an `http` address in any role: whoever sits between
could answer for the issuer.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from app import strict_json
from app.errors import Fault, InvalidInput
from app.proofs.verification_method import find_moment

CONTEXT = re.compile(
    r"https?://(?:w3id\.org/openbadges/v2|openbadgespec\.org/v2/context\.json|purl\.imsglobal\.org/spec/ob/v2p[01]/.+)"
)
"""The addresses under which the context of Open Badges 2.0 is named."""

Method = Literal["hosted", "signed"]

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
"""RFC 7518 section 3.3 asks for the least. Beyond the greatest, verifying costs more than any issuer's key is worth."""

_METHODS: Mapping[str, Method] = {
    "hosted": "hosted",
    "HostedBadge": "hosted",
    "signed": "signed",
    "SignedBadge": "signed",
}
_COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_HASH = re.compile(r"(sha256|md5)\$([0-9A-Fa-f]+)", re.ASCII)


class InvalidOpenBadge2(InvalidInput):
    """A document of Open Badges 2.0 that lacks what verifying it needs. The one fault says what, and where."""

    @classmethod
    def at(cls, pointer: str, detail: str) -> "InvalidOpenBadge2":
        return cls(detail, faults=[Fault(pointer, detail)])


class SignatureRefused(InvalidInput):
    """The signature does not verify with the key, or not with an algorithm that the key is for."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Another document: by its address, written out, or both. `id` is "" where it has none."""

    id: str
    embedded: Mapping[str, Any] | None = None

    @property
    def is_published(self) -> bool:
        """Whether it has an address to be had from. Then what is there counts, not a copy of it."""
        return self.id.startswith("https://")


@dataclass(frozen=True, slots=True)
class Assertion:
    """One award. `creator` names the signing key, "" where the issuer's Profile is to say."""

    id: str
    method: Method
    creator: str
    recipient: Mapping[str, Any]
    badge: Reference
    issued_on: datetime
    expires: datetime | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class BadgeClass:
    """What was awarded. `image` is an address, a data URI or ""."""

    id: str
    name: str
    image: str
    issuer: Reference


@dataclass(frozen=True, slots=True)
class Profile:
    """The issuer. `allowed_origins` is empty where the Profile says nothing: then its own origin is meant."""

    id: str
    name: str
    keys: Sequence[Reference]
    revocation_list: str
    starts_with: Sequence[str]
    allowed_origins: Sequence[str]


def is_assertion(document: Mapping[str, Any]) -> bool:
    """Whether this wants to be an Assertion of Open Badges 2.0, sound or not."""
    return _has_type(document, "Assertion") and "credentialSubject" not in document


def find_signed_assertion(text: str) -> Mapping[str, Any] | None:
    """The Assertion that a compact JWS (RFC 7515) carries, before any signature is looked at; None for every other text."""
    if not _COMPACT_JWS.fullmatch(text):
        return None
    try:
        document = strict_json.loads(jws.extract_compact(text.encode()).payload)
    except (JoseError, ValueError, InvalidInput):
        return None
    return document if isinstance(document, dict) and is_assertion(document) else None


def read_assertion(document: Mapping[str, Any]) -> Assertion:
    """Raises InvalidOpenBadge2."""
    _require_type(document, "Assertion")
    contexts = [each for each in _items(document.get("@context")) if isinstance(each, str)]
    if not any(CONTEXT.fullmatch(each) for each in contexts):
        raise InvalidOpenBadge2.at("/@context", "`@context` must be that of Open Badges 2.0.")
    verification = _object(document.get("verification"))
    method = next((_METHODS[each] for each in _texts(verification.get("type")) if each in _METHODS), None)
    if method is None:
        raise InvalidOpenBadge2.at("/verification/type", "`verification.type` must be HostedBadge or SignedBadge.")
    id_ = _text(document.get("id"))
    if method == "hosted" and not id_.startswith("https://"):
        raise InvalidOpenBadge2.at("/id", "The `id` of a hosted assertion must be the https URL it is published at.")
    if not id_:
        raise InvalidOpenBadge2.at("/id", "The assertion must have an `id`.")
    recipient = _object(document.get("recipient"))
    if not isinstance(recipient.get("identity"), str) or not isinstance(recipient.get("hashed"), bool):
        raise InvalidOpenBadge2.at("/recipient", "`recipient` must have `type`, `hashed` and `identity`.")
    issued_on = find_moment(document.get("issuedOn"))
    if issued_on is None:
        raise InvalidOpenBadge2.at("/issuedOn", "`issuedOn` must be a date and time with an offset.")
    expires = find_moment(document.get("expires"))
    if expires is None and document.get("expires") is not None:
        raise InvalidOpenBadge2.at("/expires", "`expires` must be a date and time with an offset.")
    return Assertion(
        id=id_,
        method=method,
        creator=_reference(verification.get("creator"), "/verification/creator", optional=True).id,
        recipient=recipient,
        badge=_reference(document.get("badge"), "/badge"),
        issued_on=issued_on,
        expires=expires,
        revoked=document.get("revoked") is True,
    )


def read_badge_class(document: Mapping[str, Any]) -> BadgeClass:
    """Raises InvalidOpenBadge2."""
    _require_type(document, "BadgeClass")
    if not _text(document.get("name")):
        raise InvalidOpenBadge2.at("/name", "The BadgeClass must have a `name`.")
    issuer = _reference(document.get("issuer"), "/issuer")
    return BadgeClass(
        id=_text(document.get("id")),
        name=_text(document.get("name")),
        image=_reference(document.get("image"), "/image", optional=True).id,
        issuer=issuer,
    )


def read_profile(document: Mapping[str, Any]) -> Profile:
    """Raises InvalidOpenBadge2."""
    _require_type(document, "Issuer", "Profile")
    verification = _object(document.get("verification"))
    return Profile(
        id=_text(document.get("id")),
        name=_text(document.get("name")),
        keys=[_reference(each, "/publicKey") for each in _items(document.get("publicKey"))],
        revocation_list=_reference(document.get("revocationList"), "/revocationList", optional=True).id,
        starts_with=_texts(verification.get("startsWith")),
        allowed_origins=_texts(verification.get("allowedOrigins")),
    )


def is_in_scope(assertion_id: str, profile: Profile) -> bool:
    """Whether the issuer lets a hosted assertion stand at this address (section "Hosted Verification").

    The origin must be allowed, which without `allowedOrigins` is that of the Profile itself, and with `startsWith` the address
    must begin with one of its values. A dotted path segment would lead elsewhere than it begins.
    """
    if any(unquote(segment) in (".", "..") for segment in urlsplit(assertion_id).path.split("/")):
        return False
    origins = {_authority(each) for each in profile.allowed_origins or [profile.id]}
    is_allowed = _authority(assertion_id) in origins - {""}
    return is_allowed and (not profile.starts_with or any(map(assertion_id.startswith, profile.starts_with)))


def is_same(published: Mapping[str, Any], handed_in: Mapping[str, Any]) -> bool:
    """Whether a copy of a hosted assertion says nothing else than what is published.

    What an address stands for is looked up there, so a BadgeClass or picture with its address is the same however much is
    written out of it.
    """
    compared = {name: value for name, value in handed_in.items() if name not in ("@context", "verification")}
    return all(_is_same(published.get(name), value) for name, value in compared.items())


def find_revocation(revocation_list: Mapping[str, Any], assertion_id: str) -> str | None:
    """Why a RevocationList says that a signed assertion is revoked, "" for no reason given; None when it does not.

    Raises InvalidOpenBadge2.
    """
    _require_type(revocation_list, "RevocationList")
    entries = revocation_list.get("revokedAssertions", [])
    if not isinstance(entries, list):
        raise InvalidOpenBadge2.at("/revokedAssertions", "`revokedAssertions` must be a list.")
    for entry in entries:
        if entry == assertion_id or (isinstance(entry, dict) and assertion_id in (entry.get("id"), entry.get("uid"))):
            return _text(_object(entry).get("revocationReason"))
    return None


def verify_signature(token: str, key: Mapping[str, Any]) -> None:
    """Verify a compact JWS with a CryptographicKey: RS256 for an RSA key, ES256 for one on P-256.

    The key decides on the algorithm; what the header says of keys (`jwk`, `jku`, `x5u`) is not looked at.

    Raises:
        InvalidOpenBadge2: the key is not one of these, or gives its private half away.
        SignatureRefused: the signature does not verify with it.
    """
    algorithm, public_key = _read_key(key)
    try:
        jws.deserialize_compact(token, public_key, algorithms=[algorithm])
    except (JoseError, ValueError):
        raise SignatureRefused("The signature does not verify with the key.") from None


def names_recipient(recipient: Mapping[str, Any], candidate: str) -> bool:
    """Whether the IdentityObject of Open Badges 2.0 names `candidate`: in the clear, or hashed with its salt."""
    identity, salt = _text(recipient.get("identity")), _text(recipient.get("salt"))
    if recipient.get("hashed") is not True:
        return bool(identity) and hmac.compare_digest(identity.encode(), candidate.encode())
    match = _HASH.fullmatch(identity)
    if match is None:
        return False
    # MD5 stands in the standard. It names nobody by itself: what is compared is one address with one hash.
    found = hashlib.new(match[1], (candidate + salt).encode(), usedforsecurity=False).hexdigest()
    return hmac.compare_digest(found, match[2].lower())


def _read_key(key: Mapping[str, Any]) -> tuple[str, RSAKey | ECKey]:
    """The algorithm and the public key."""
    pem, jwk = key.get("publicKeyPem"), _object(key.get("publicKeyJwk"))
    if (isinstance(pem, str) and "PRIVATE" in pem) or {"d", "k"} & jwk.keys():
        raise InvalidOpenBadge2.at("", "The key gives its private half away.")
    try:
        if isinstance(pem, str):
            found = load_pem_public_key(pem.encode())
        elif jwk.get("kty") == "RSA":
            # Numbers first: making a key of them costs what they cost.
            found = rsa.RSAPublicNumbers(_read_number(jwk["e"]), _read_number(jwk["n"])).public_key()
        else:
            found = ECKey.import_key(dict(jwk)).public_key
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        found = None
    if isinstance(found, rsa.RSAPublicKey) and MIN_RSA_BITS <= found.key_size <= MAX_RSA_BITS:
        return "RS256", RSAKey(found, found)
    if isinstance(found, ec.EllipticCurvePublicKey) and isinstance(found.curve, ec.SECP256R1):
        return "ES256", ECKey(found, found)
    raise InvalidOpenBadge2.at(
        "", f"The key must be RSA of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits or P-256, as publicKeyPem or publicKeyJwk."
    )


def _read_number(text: str) -> int:
    """A number of a JWK (RFC 7518, section 2). Raises ValueError, TypeError."""
    if len(text) > MAX_RSA_BITS // 4:
        raise ValueError("too large a number")
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _authority(url: str) -> str:
    """Host, and port where it is not that of https; "" where there is none. A bare host name is one too."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "") if parts.scheme == "https" else ""
    return host if port in (None, 443) or not host else f"{host}:{port}"


def _is_same(published: object, handed_in: object) -> bool:
    ids = [each.get("id") if isinstance(each, dict) else each for each in (published, handed_in)]
    if isinstance(ids[0], str) and ids[0].startswith("https://"):
        return bool(ids[0] == ids[1])
    return published == handed_in


def _reference(value: object, pointer: str, *, optional: bool = False) -> Reference:
    if isinstance(value, str) and value:
        return Reference(value)
    if isinstance(value, dict):
        return Reference(_text(value.get("id")), value)
    if optional:
        return Reference("")
    raise InvalidOpenBadge2.at(pointer, f"`{pointer.removeprefix('/')}` must be an address or an object.")


def _require_type(document: Mapping[str, Any], *names: str) -> None:
    if not any(_has_type(document, name) for name in names):
        raise InvalidOpenBadge2.at("/type", f"`type` must be {' or '.join(names)}.")


def _has_type(document: Mapping[str, Any], name: str) -> bool:
    return bool(set(_texts(document.get("type"))) & {name, f"obi:{name}", f"https://w3id.org/openbadges#{name}"})


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [each for each in _items(value) if isinstance(each, str)]
