"""Digests of related resources: Verifiable Credentials Data Model 2.0 §5.3. PURE.

What is not at hand is not fetched: nothing is said of it.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

import base58

from app.errors import Fault
from app.vcdm.members import Document
from app.vcdm.values import entries_of, is_url

_SRI = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_MULTIHASH = {b"\x12\x20": hashlib.sha256, b"\x20\x30": hashlib.sha384, b"\x13\x40": hashlib.sha512}


def check_related_resources(document: Document, *, bundled: Mapping[str, bytes]) -> Iterator[Fault]:
    """Each names its resource once and has a digest; one of a resource in `bundled` (bytes by URL) is the right one."""
    if "relatedResource" not in document:
        return
    seen: set[Any] = set()
    for place, entry in entries_of(document["relatedResource"], "/relatedResource"):
        if not isinstance(entry, dict):
            yield Fault(place, "must be an object")
            continue
        url = entry.get("id")
        if not is_url(url):
            yield Fault(f"{place}/id", "must be a URL")
        elif url in seen:
            yield Fault(f"{place}/id", "is the id of another related resource")
        else:
            seen.add(url)
        yield from _check_digests(entry, place, bundled.get(url) if isinstance(url, str) else None)


def _check_digests(entry: Mapping[str, Any], place: str, content: bytes | None) -> Iterator[Fault]:
    members = [member for member in ("digestSRI", "digestMultibase") if member in entry]
    if not members:
        yield Fault(place, "must have digestSRI or digestMultibase")
    for member in members:
        at = f"{place}/{member}"
        matches = _matches_sri if member == "digestSRI" else _matches_multibase
        for where, digest in entries_of(entry[member], at):
            if not isinstance(digest, str) or not digest:
                yield Fault(where, "must be text")
            elif content is not None and not matches(digest, content):
                yield Fault(where, "is not the digest of the resource")


def _matches_sri(digest: str, content: bytes) -> bool:
    """Subresource Integrity: any one of several digests, of which one of an unknown algorithm says nothing."""
    parts = [each.partition("?")[0].partition("-") for each in digest.split()]
    return any(
        hmac.compare_digest(base64.b64encode(_SRI[name](content).digest()).decode(), _padded(value.rstrip("=")))
        for name, _, value in parts
        if name in _SRI and value.isascii()
    )


def _matches_multibase(digest: str, content: bytes) -> bool:
    """Controlled Identifiers 1.0 §2.5: a multihash in base64url or base58btc."""
    try:
        raw = base58.b58decode(digest[1:]) if digest[0] == "z" else base64.urlsafe_b64decode(_padded(digest[1:]))
    except (ValueError, binascii.Error):
        return False
    hash_ = _MULTIHASH.get(raw[:2])
    return digest[0] in "zu" and hash_ is not None and hmac.compare_digest(hash_(content).digest(), raw[2:])


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
