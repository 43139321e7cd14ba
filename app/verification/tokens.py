"""Credentials secured as a JWT: what is in one, and what its header and claims may say. PURE. RFC 7515, RFC 7519.

Three profiles, which differ on purpose; the first whose rules of `typ` and payload fit is the one that counts:

    vc-jwt         VCDM 1.1, §6.3.1: the credential in the claim `vc`, some of its members only in registered claims
    vc-jose-cose   Securing Verifiable Credentials using JOSE and COSE: `typ` is vc+jwt, the payload is the credential
    ob3-jwt        Open Badges 3.0, "JSON Web Token Proof Format": the payload is the credential and five claims that repeat it

What a header may make a reader fetch, or trust, beside `kid` and `jwk` is refused in all of them.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app import strict_json
from app.proofs.jose_keys import PRIVATE_MEMBERS
from app.proofs.verification_method import find_moment
from app.verification.members import issuer_id, object_of, text_of
from app.verification.verdict import Check
from app.verification.verdicts import check

MAX_TOKEN = 512 << 10
"""Greatest length of a token, in characters."""

ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
"""The key that an algorithm takes: `kty` and, where one is fixed, `crv`."""

REGISTERED = frozenset({"iss", "sub", "jti", "nbf", "exp", "iat", "aud"})
"""Claims that are no members of the credential."""

_REFUSED_HEADERS = ("jku", "x5u", "x5c", "x5t", "x5t#S256", "b64", "zip", "enc")
_SHAPE = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")


@dataclass(frozen=True, slots=True)
class Profile:
    """`types` are the values of `typ` ("" for none), `headers` the only header parameters, None for any that are harmless."""

    name: str
    types: frozenset[str]
    algorithms: frozenset[str]
    headers: frozenset[str] | None = None
    required_claims: tuple[str, ...] = ()
    repeats_dates: bool = False


VC_JWT = Profile(
    "vc-jwt",
    frozenset({"", "JWT", "vc+jwt", "vc+ld+json+jwt"}),
    frozenset(ALGORITHMS),
    required_claims=("iss",),
    repeats_dates=True,
)
VC_JOSE_COSE = Profile("vc-jose-cose", frozenset({"vc+jwt", "vc+ld+json+jwt"}), frozenset(ALGORITHMS))
OB3_JWT = Profile(
    "ob3-jwt",
    frozenset({"", "JWT"}),
    frozenset({"RS256", "ES256"}),
    headers=frozenset({"alg", "kid", "jwk", "typ"}),
    required_claims=("iss", "jti", "nbf", "sub"),
    repeats_dates=True,
)


class UnreadableToken(Exception):
    """The text is no JWS in compact form whose header and payload are JSON objects, or is too large.

    `code` is of VERDICTS: this is never a problem of a request, always a verdict on a badge.
    """

    def __init__(self, detail: str, *, code: str = "token_malformed") -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Token:
    """A compact JWS whose parts have been read; nothing of it is verified. `profile` is None where `typ` fits none."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    profile: Profile | None

    @property
    def credential(self) -> Mapping[str, Any]:
        """The credential in it, as its profile says."""
        if self.profile is VC_JWT:
            return _merge(object_of(self.claims["vc"]), self.claims)
        return {name: value for name, value in self.claims.items() if name not in REGISTERED}

    @property
    def algorithm(self) -> str:
        return text_of(self.header.get("alg"))


def read_token(text: str) -> Token:
    """Raises UnreadableToken."""
    if len(text) > MAX_TOKEN:
        detail = f"It has {len(text):,} characters; at most {MAX_TOKEN:,} are read."
        raise UnreadableToken(detail, code="token_too_large")
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise UnreadableToken("It is not a JWS in compact form.")
    header, claims = (_read_part(part) for part in match.groups()[:2])
    _decode(match[3])
    profiles = [VC_JWT] if isinstance(claims.get("vc"), dict) else [VC_JOSE_COSE, OB3_JWT]
    typ = header.get("typ", "")
    found = [profile for profile in profiles if isinstance(typ, str) and typ in profile.types]
    return Token(text, header, claims, found[0] if found else None)


def _read_part(part: str) -> dict[str, Any]:
    try:
        value = strict_json.loads(_decode(part))
    except strict_json.MalformedDocument as error:
        reasons = " ".join([error.detail, *(fault.detail for fault in error.faults[:1])])
        raise UnreadableToken(f"Its header or payload cannot be read: {reasons}") from None
    if not isinstance(value, dict):
        raise UnreadableToken("Its header and payload must be JSON objects.")
    return value


def _decode(part: str) -> bytes:
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        decoded = b""
    # One spelling only: no bits left over that could be changed.
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise UnreadableToken("A part of it is not base64url.")
    return decoded


def _merge(credential: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
    """VCDM 1.1, §6.3.1 "JWT Decoding": members that are there as registered claims only, put back."""
    merged = dict(credential)
    for claim, member in (("iss", "issuer"), ("jti", "id")):
        if claim in claims:
            merged.setdefault(member, claims[claim])
    for claim, member in (("nbf", "issuanceDate"), ("exp", "expirationDate")):
        moment = _find_date(claims.get(claim))
        if moment and not _dates(credential)[claim]:
            merged.setdefault(member, moment)
    subject = merged.get("credentialSubject")
    if isinstance(subject, dict) and "sub" in claims:
        merged["credentialSubject"] = {"id": claims["sub"]} | subject
    return merged


def _find_date(value: Any) -> str | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1 << 37:
        return None
    return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")


# Header


def judge_header(token: Token) -> Iterator[Check]:
    """What is wrong with the header, before any key is looked for."""
    header, profile = token.header, token.profile
    if token.algorithm.lower() == "none":
        yield check("token_unsigned")
    elif token.algorithm not in (profile.algorithms if profile else ALGORITHMS):
        yield check(
            "token_algorithm_refused",
            algorithm=header.get("alg") or "no alg",
            profile=profile.name if profile else "a JWT",
        )
    if profile is None:
        yield check("token_type_refused", typ=header.get("typ"))
    if "crit" in header:
        yield check("token_critical_refused")
    allowed = profile.headers if profile and profile.headers is not None else header.keys()
    for name in header:
        if name in _REFUSED_HEADERS or (name not in allowed and name != "crit"):
            yield check("token_header_refused", member=name)
    if PRIVATE_MEMBERS & object_of(header.get("jwk")).keys():
        yield check("token_key_private")


# Claims


def judge_claims(token: Token, credential: Mapping[str, Any]) -> Iterator[Check]:
    """Where the registered claims and the credential say two things, or a claim lacks that the profile asks for."""
    profile, claims = token.profile, token.claims
    if profile is None:
        return
    for claim in profile.required_claims:
        if claim not in claims:
            yield check("token_claim_missing", claim=claim, profile=profile.name)
    subject = credential.get("credentialSubject")
    said = {"iss": issuer_id(credential), "jti": credential.get("id")}
    if isinstance(subject, dict):
        said["sub"] = subject.get("id")
    for claim, value in said.items():
        if claim in claims and claims[claim] != value:
            yield check("token_claim_mismatch", pointer=_POINTERS[claim], claim=claim)
    if profile.repeats_dates:
        yield from _judge_dates(token, credential)


_POINTERS = {"iss": "/issuer", "jti": "/id", "sub": "/credentialSubject/id", "nbf": "/validFrom", "exp": "/validUntil"}


def _judge_dates(token: Token, credential: Mapping[str, Any]) -> Iterator[Check]:
    for claim, value in _dates(credential).items():
        moment = find_moment(value)
        if claim in token.claims:
            number = token.claims[claim]
            if moment is None or isinstance(number, bool) or number != moment.timestamp():
                yield check("token_claim_mismatch", pointer=_POINTERS[claim], claim=claim)
        elif value is not None and claim == "exp" and token.profile is OB3_JWT:
            yield check("token_claim_missing", claim=claim, profile=OB3_JWT.name)


def _dates(credential: Mapping[str, Any]) -> dict[str, Any]:
    """The members that `nbf` and `exp` repeat, in either data model."""
    return {
        "nbf": credential.get("validFrom", credential.get("issuanceDate")),
        "exp": credential.get("validUntil", credential.get("expirationDate")),
    }
