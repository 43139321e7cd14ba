"""What a badge that is put here says of itself: which one it is, and of when. PURE.

Two badges are versions of one where the ids of their issuers and their own ids are equal once normalized; the
newer is the one with the later `validFrom` (Open Badges 3.0, section "Credential equality and comparison").
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from app import strict_json
from app.errors import Fault, InvalidInput
from app.verification.members import normalize_id

COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_BADGES = {"OpenBadgeCredential", "AchievementCredential"}


class NotABadge(InvalidInput):
    """What was sent is not a signed Open Badges 3.0 credential."""

    code = "not_a_badge"


@dataclass(frozen=True, slots=True)
class Badge:
    """`body` is what was sent; `document` the credential in it; `is_jws` whether it came as a compact JWS."""

    body: bytes
    document: Mapping[str, Any]
    is_jws: bool
    issuer: str
    id: str
    valid_from: datetime

    @property
    def identity(self) -> list[str]:
        """What is equal for versions of one badge."""
        return [normalize_id(self.issuer), normalize_id(self.id)]


def read_badge(body: bytes) -> Badge:
    """The badge in a body that is JSON. Raises NotABadge, MalformedDocument."""
    document = strict_json.loads(body)
    if not isinstance(document, dict) or not document.get("proof"):
        _refuse("/proof", "is missing", "sign the badge, or send the compact JWS as text/plain")
    return _read(body, document, is_jws=False)


def read_jws(body: bytes) -> Badge:
    """The badge in a compact JWS (OB 3.0, section "JSON Web Token Proof Format"). Raises NotABadge, MalformedDocument."""
    text = body.decode("ascii", "replace").strip()
    if not COMPACT_JWS.fullmatch(text):
        _refuse("", "is not a compact JWS", "send header.payload.signature, each in base64url")
    try:
        payload = base64.urlsafe_b64decode(text.split(".")[1] + "==")
    except (binascii.Error, ValueError):
        _refuse("", "has a payload that is not base64url", "send the badge as it was signed")
    document = strict_json.loads(payload)
    # Of the data model 1.1 the credential stands in `vc`.
    inner = document.get("vc", document) if isinstance(document, dict) else document
    return _read(text.encode(), inner, is_jws=True)


def _read(body: bytes, document: object, *, is_jws: bool) -> Badge:
    if not isinstance(document, dict):
        _refuse("", "is not an object", "send a badge")
    types = document.get("type")
    if not _BADGES & {each for each in (types if isinstance(types, list) else [types]) if isinstance(each, str)}:
        _refuse("/type", "does not have OpenBadgeCredential", "only badges are kept here")
    if not isinstance(document.get("credentialSubject"), dict):
        _refuse("/credentialSubject", "is not an object", "say what was achieved")
    issuer = document.get("issuer")
    issuer_id = issuer.get("id") if isinstance(issuer, dict) else issuer
    for pointer, value in (("/id", document.get("id")), ("/issuer", issuer_id)):
        if not isinstance(value, str) or not normalize_id(value):
            _refuse(pointer, "names nothing", "give the id that the badge was issued with")
    moment = _moment(document.get("validFrom", document.get("issuanceDate")))
    if moment is None:
        _refuse("/validFrom", "is not a time with its zone", "write it like 2026-04-09T14:00:00Z")
    return Badge(body, document, is_jws, str(issuer_id), str(document["id"]), moment)


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        return None if found is None or found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _refuse(pointer: str, detail: str, cure: str) -> NoReturn:
    raise NotABadge("This is not a signed Open Badges 3.0 credential.", faults=[Fault(pointer, detail, cure)])


def same_json(one: bytes, other: bytes) -> bool:
    """Whether two documents are the same but for how they are written."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False
