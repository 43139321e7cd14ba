"""Whether a file is the one that was signed for. PURE.

`digestSRI` and `digestMultibase`: VCDM 2.0, section "Integrity of Related Resources".
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import base58

from app.verification.members import object_of, text_of

_SRI = re.compile(r"(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+=*)(?:\?\S*)?", re.ASCII)
_MULTIHASHES = {0x12: "sha256", 0x20: "sha384", 0x13: "sha512"}


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that the badge names, at `pointer`. The digests are "" where there is none."""

    pointer: str
    url: str
    digest_sri: str
    digest_multibase: str

    @property
    def has_digest(self) -> bool:
        return bool(self.digest_sri or self.digest_multibase)


def list_claims(credential: Mapping[str, Any]) -> list[Claim]:
    """The files that `evidence` and `relatedResource` name by an address."""
    return [claim for member in ("evidence", "relatedResource") for claim in _list_of(credential, member) if claim.url]


def is_unchanged(content: bytes, claim: Claim) -> bool | None:
    """Whether the content has the digests of the claim, all that there are; None where one is of a kind that is not known."""
    outcomes = []
    if claim.digest_sri:
        outcomes.append(_fits_sri(content, claim.digest_sri))
    if claim.digest_multibase:
        outcomes.append(_fits_multibase(content, claim.digest_multibase))
    return False if False in outcomes else None if None in outcomes or not outcomes else True


def _list_of(credential: Mapping[str, Any], member: str) -> Iterator[Claim]:
    value = credential.get(member)
    for position, each in enumerate(value if isinstance(value, list) else [value]):
        named = object_of(each)
        digests = (text_of(named.get(name)) for name in ("digestSRI", "digestMultibase"))
        yield Claim(
            f"/{member}/{position}" if isinstance(value, list) else f"/{member}", text_of(named.get("id")), *digests
        )


def _fits_sri(content: bytes, digest: str) -> bool | None:
    """Subresource Integrity, section 3.3.4: of several digests those of the strongest function count, and one must fit."""
    found = [match.groups() for each in digest.split() if (match := _SRI.fullmatch(each))]
    if not found:
        return None
    strongest = max(name for name, _ in found)
    wanted = hashlib.new(strongest, content).digest()
    return any(_decode(text) == wanted for name, text in found if name == strongest)


def _fits_multibase(content: bytes, digest: str) -> bool | None:
    """Controlled Identifiers v1.0, sections 2.4 and 2.5: base58-btc or base64url of a multihash."""
    try:
        raw = base58.b58decode(digest[1:]) if digest[0] == "z" else _decode(digest[1:]) if digest[0] == "u" else None
    except ValueError:
        raw = None
    name = _MULTIHASHES.get(raw[0]) if raw else None
    if not raw or name is None:
        return None
    return raw[1:] == bytes([hashlib.new(name).digest_size]) + hashlib.new(name, content).digest()


def _decode(text: str) -> bytes | None:
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return None
