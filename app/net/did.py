"""From the name of a verification method to its key: did:key, did:jwk, did:web and https controller documents.

Controlled Identifiers v1.0 section 3.3 (retrieve verification method), did:web method specification (W3C CCG).
The key is always the one the controller's own document lists for the purpose. That some names carry the key in their
fragment (`did:web:example.org#z6Mk…`) proves nothing: anyone can write such a name.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

from app.proofs.errors import InvalidVerificationMethod
from app.proofs.verification_method import (
    VerificationMethod,
    resolve_did_jwk,
    resolve_did_key,
    verification_method_from,
)

GetDocument = Callable[[str], Awaitable[Mapping[str, Any]]]
"""The JSON object at a URL. Raises AssayError when it cannot be had."""

_HOST = re.compile(r"(?P<name>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_SEGMENT = re.compile(r"(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+", re.ASCII)

_SELF_CONTAINED = {"did:key:": resolve_did_key, "did:jwk:": resolve_did_jwk}


async def resolve_verification_method(did_url: str, *, purpose: str, get_document: GetDocument) -> VerificationMethod:
    """The verification method named `did_url`, which its controller lists under `purpose` (such as "assertionMethod").

    Raises InvalidVerificationMethod when the name is of an unknown kind, when the document is not the controller's own
    or does not list the method; and whatever `get_document` raises.
    """
    for method, resolve in _SELF_CONTAINED.items():
        if did_url.startswith(method):
            return resolve(did_url)
    controller, separator, fragment = did_url.partition("#")
    if not separator or not fragment:
        raise InvalidVerificationMethod('A verification method is named by its controller, "#" and the name of a key.')
    document = await get_document(controller_document_url(controller))
    return verification_method_from(document, did_url, purpose=purpose)


def controller_document_url(controller: str) -> str:
    """Where the document of `controller` is, a did:web DID or an https URL.

    Raises InvalidVerificationMethod for any other name.
    """
    if controller.startswith("did:web:"):
        return did_web_url(controller)
    if controller.startswith("https://"):
        return controller
    raise InvalidVerificationMethod("Only did:key, did:jwk, did:web and https verification methods can be resolved.")


def did_web_url(did: str) -> str:
    """The URL of a did:web DID's document: `did:web:example.org%3A8443:issuers:a` is
    `https://example.org:8443/issuers/a/did.json`.

    Raises InvalidVerificationMethod when `did` is not a did:web DID: an address instead of a name, an empty or
    a dotted path segment, a character the method does not allow.
    """
    host, *path = did.removeprefix("did:web:").split(":")
    authority = unquote(host) if _SEGMENT.fullmatch(host) else ""
    match = _HOST.fullmatch(authority)
    # The method forbids IP addresses. A name whose last label is a number would be read as one.
    if match is None or match["name"].rpartition(".")[2].isdigit() or not all(map(_is_plain_segment, path)):
        raise InvalidVerificationMethod(
            "This is not a did:web DID: after `did:web:` come a host name and path segments."
        )
    return f"https://{authority}/{'/'.join(path or ['.well-known'])}/did.json"


def _is_plain_segment(segment: str) -> bool:
    decoded = unquote(segment)
    return (
        _SEGMENT.fullmatch(segment) is not None
        and decoded not in (".", "..")
        and decoded.isprintable()
        and not set(decoded) & set("/\\?#")
    )
