"""Issuers whose DID is of a domain of their own: what such a DID may be, and what is published there.

Whoever controls the domain either lets this service answer for it (host mapping, `app.public.host_mapping`) or publishes the
document themselves. The service does not need to know which: before a key signs, the document is fetched from where
every verifier will look for it. The key waits (`pending`) until it is there, beside every key that has signed before.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from app import strict_json
from app.errors import AssayError, Conflict, Fault, InvalidInput
from app.issuers.did_document import did_web, find_did_web, find_published_key, verification_method_id
from app.issuers.store import Issuer, find_issuer_by_did
from app.keys.store import SigningKey
from app.net.client import OutboundClient
from app.net.did import did_web_url
from app.proofs.errors import InvalidVerificationMethod
from app.resources import Resources

ACCEPT = "application/did+json, application/json"


class DidNotAllowed(InvalidInput):
    """The DID cannot be that of an issuer here."""

    code = "did_not_allowed"


class DidTaken(Conflict):
    code = "did_taken"


class DidDocumentNotPublished(Conflict):
    """What is found at the DID's address does not have the key that is to sign."""

    code = "did_document_not_published"


class DidDocumentIncomplete(Conflict):
    """What is found at the DID's address lacks a key that has signed."""

    code = "did_document_incomplete"


async def require_own_did(session: AsyncSession, world: Resources, did: str, slug: str) -> None:
    """Raises DidNotAllowed, with what would be, or DidTaken."""
    detail, cure = _find_objection(did, slug, world)
    if detail:
        raise DidNotAllowed(detail, faults=[Fault("/did", detail, cure)], cure=cure)
    if await find_issuer_by_did(session, did) is not None:
        raise DidTaken(f"There is already an issuer with the DID {did}.")


def _find_objection(did: str, slug: str, world: Resources) -> tuple[str, str]:
    """Why not, and what else; two empty strings when nothing is against it."""
    if not world.settings.is_https:
        return "this service is at an http address, where issuers are did:key", "leave it out"
    if not did.startswith("did:web:"):
        return "only a did:web can be published at a domain", "write did:web: and the name of the host"
    try:
        url = urlsplit(did_web_url(did))
    except InvalidVerificationMethod as error:
        return error.detail, "write it like did:web:academy.example.org"
    normal = find_did_web(url.netloc, url.path)
    if normal is None:
        return (
            "the host or a path segment has a character that is not used here, or there is no such port",
            "use letters, digits, dots and hyphens",
        )
    if normal != did:
        return "it is not written in its normal form", f"write {normal}"
    own = did_web(world.base_url, slug)
    if url.netloc == urlsplit(world.base_url).netloc and did != own:
        return "at this service's own host the DID follows from the slug", f"leave it out for {own}"
    return "", ""


async def fetch_did_document(outbound: OutboundClient, issuer: Issuer, *, base_url: str) -> Mapping[str, Any]:
    """The DID document of an issuer of its own domain, as the world gets it. Hold no transaction meanwhile.

    Raises DidDocumentNotPublished.
    """
    url, cure = did_web_url(issuer.did), _publish(issuer, base_url)
    try:
        document = strict_json.loads((await outbound.get(url, accept=ACCEPT)).body)
    except AssayError as error:
        raise DidDocumentNotPublished(f"No DID document can be had at {url}. {error.detail}", cure=cure) from None
    if not isinstance(document, dict) or document.get("id") != issuer.did:
        raise DidDocumentNotPublished(f"What is published at {url} is not the DID document of {issuer.did}.", cure=cure)
    return document


def require_published(document: Mapping[str, Any], issuer: Issuer, key: SigningKey, *, base_url: str) -> None:
    """Raise DidDocumentNotPublished unless the document gives this key, for good."""
    method = find_published_key(document, issuer.did, key.public_key_multibase)
    if method is not None and method.revoked is None and method.expires is None:
        return
    name = verification_method_id(issuer.did, key.public_key_multibase)
    raise DidDocumentNotPublished(
        f"The DID document at {did_web_url(issuer.did)} does not have the key that is to sign.",
        faults=[Fault("/verificationMethod", f"{name} is not there as a key of {issuer.did}, under assertionMethod too, "
                      "without an end", "add it")],
        cure=_publish(issuer, base_url),
    )  # fmt: skip


def require_complete(document: Mapping[str, Any], issuer: Issuer, keys: Iterable[SigningKey], *, base_url: str) -> None:
    """Raise DidDocumentIncomplete unless the document still gives every key that has signed."""
    names = [
        verification_method_id(issuer.did, key.public_key_multibase)
        for key in keys
        if key.state != "pending" and find_published_key(document, issuer.did, key.public_key_multibase) is None
    ]
    if names:
        raise DidDocumentIncomplete(
            f"The DID document at {did_web_url(issuer.did)} lacks keys that have signed: their badges would not verify.",
            faults=[Fault("/verificationMethod", f"{name} is not there", "put it back") for name in names],
            cure=_publish(issuer, base_url),
        )


def list_ended(document: Mapping[str, Any], issuer: Issuer, keys: Iterable[SigningKey]) -> list[str]:
    """Keys that have signed and to which the document gives an end (`expires`, `revoked`): then nothing verifies with them."""
    published = (
        find_published_key(document, issuer.did, key.public_key_multibase) for key in keys if key.state != "pending"
    )
    return [method.id for method in published if method and (method.expires or method.revoked)]


def _publish(issuer: Issuer, base_url: str) -> str:
    return (
        f"Publish what {base_url}/issuers/{issuer.slug}/did.json answers at {did_web_url(issuer.did)} (or let that host lead to "
        "this service), then repeat the request. A cache may hold the document before for some minutes."
    )
