"""Opening what was sent: a credential is there as itself, or within a token that secures it. PURE.

    JSON object                              embedded proofs, if any
    JSON object EnvelopedVerifiableCredential the token in its `id` (VCDM 2.0, §4.13)
    compact JWS                              the same, as text: wrapped by `wrap` where it comes in
    SD-JWT                                   wrapped likewise, and said to be of a kind that is not verified here

Between the rooms a token travels as an EnvelopedVerifiableCredential, so that whatever is fetched is a JSON object.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.verification.members import first_texts_of
from app.verification.tokens import Token, UnreadableToken, read_token
from app.verification.verdict import Check
from app.verification.verdicts import VC_CONTEXT, check

ENVELOPE = "EnvelopedVerifiableCredential"

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*(?:~[A-Za-z0-9_.~-]*)?")
_DATA_URL = re.compile(r"data:(?P<media_type>[a-z]+/[a-z0-9.+-]+),(?P<text>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Opened:
    """`document` is what was sent or fetched, and `credential` what it says: {} where that could not be read, and then `problem`
    says why. `token` is what secures it beside its embedded proofs, None where nothing does."""

    document: Mapping[str, Any]
    credential: Mapping[str, Any]
    token: Token | None = None
    problem: Check | None = None


def is_token(text: str) -> bool:
    """Whether the text looks like a compact JWS or an SD-JWT, rather than JSON."""
    return _COMPACT.fullmatch(text) is not None


def wrap(token: str) -> dict[str, Any]:
    """A compact JWS or SD-JWT as EnvelopedVerifiableCredential."""
    media_type = "application/vc+sd-jwt" if "~" in token else "application/vc+jwt"
    return {"@context": VC_CONTEXT, "type": ENVELOPE, "id": f"data:{media_type},{token}"}


def open_sent(document: Mapping[str, Any]) -> Opened:
    """Any JSON object, opened. Raises nothing. Parsing a token is dear: open once, and hand on what was opened."""
    if ENVELOPE not in first_texts_of(document.get("type")):
        return Opened(document, document)
    url = document.get("id")
    match = _DATA_URL.fullmatch(url) if isinstance(url, str) else None
    # What stands beside the token is signed by nobody.
    if match is None or VC_CONTEXT not in first_texts_of(document.get("@context")) or document.keys() - _MEMBERS:
        return _closed(document, check("invalid_envelope"))
    read = _MEDIA_TYPES.get(match["media_type"])
    if read is None:
        return _closed(document, check("unsupported_envelope", kind=match["media_type"]))
    return read(document, match["text"])


_MEMBERS = frozenset({"@context", "type", "id"})


def _open_jwt(document: Mapping[str, Any], text: str) -> Opened:
    try:
        token = read_token(text)
    except UnreadableToken as error:
        return _closed(document, check(error.code, reason=error.detail))
    return Opened(document, token.credential, token)


def _open_sd_jwt(document: Mapping[str, Any], _text: str) -> Opened:
    return _closed(document, check("unsupported_envelope", kind="SD-JWT"))


_MEDIA_TYPES = {
    "application/vc+jwt": _open_jwt,
    "application/vc+sd-jwt": _open_sd_jwt,
    "application/dc+sd-jwt": _open_sd_jwt,
}


def _closed(document: Mapping[str, Any], problem: Check) -> Opened:
    return Opened(document, {}, None, problem)
