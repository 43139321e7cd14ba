"""/.well-known/did-configuration.json: the DIDs that who has an origin stands behind (DIF Well Known DID Configuration)."""

from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.issuers.domain_linkage import CONTEXT, find_linkage, find_origin, link_domain
from app.issuers.store import list_issuers
from app.keys.store import find_active_key
from app.public.caching import json_response
from app.web.dependencies import Now, ReadSession, World

router = APIRouter(tags=["Public documents"])


@router.get("/.well-known/did-configuration.json", operation_id="fetch_did_configuration", response_class=Response)
async def did_configuration(request: Request, session: ReadSession, world: World, now: Now) -> Response:
    """A Domain Linkage Credential of every issuer whose did:web is at this origin.

    An issuer's own domain that leads to this service is an origin of its own.
    """
    issuers = [(issuer, find_origin(issuer.did)) for issuer in await list_issuers(session)]
    # What the client writes selects among documents that are public, and is never written itself.
    asked = f"https://{request.headers.get('host', '').lower().removesuffix(':443')}"
    base = urlsplit(world.base_url)
    origin = asked if asked in {origin for _, origin in issuers} else f"{base.scheme}://{base.netloc}"
    linked = []
    for issuer, of_issuer in issuers:
        key = await find_active_key(session, issuer.id) if of_issuer == origin else None
        if key is not None:
            linked.append(find_linkage(issuer, key, now) or await link_domain(world, issuer.id, origin))
    document: dict[str, Any] = {"@context": CONTEXT, "linked_dids": [token for token in linked if token]}
    return json_response(request, document, "application/json")
