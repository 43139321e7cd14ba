"""Two clients of the VC-API in the demonstration: what a suite of tests, or a newcomer with curl, points at.

They issue for an issuer of their own that is marked as for tests: generic credentials are not the academy's word.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.clients import create_client
from app.access.principals import Scope
from app.demo.academy import ACTOR
from app.issuers.create import create_issuer
from app.issuers.store import Issuer, find_issuer_by_slug
from app.resources import Resources
from app.statuslists.store import StatusPurpose
from app.vcapi.settings import IssuingSettings, change_settings, get_issuing_key

SLUG = "vc-api"
PROFILE: Mapping[str, Any] = {"name": "VC-API", "description": "Signs what anybody asks of the demonstration."}
SCOPES = (Scope.VCAPI_ISSUE, Scope.VCAPI_VERIFY, Scope.VCAPI_GENERIC)


async def enter_vcapi(session: AsyncSession, world: Resources, now: datetime) -> dict[str, Any]:
    """The members `vc_api` and `vc_api_status` of demo.json: a token, the DID it issues as, and where."""
    issuer = await find_issuer_by_slug(session, SLUG)
    if issuer is None:
        issuer = await create_issuer(session, world, slug=SLUG, profile=PROFILE, is_test=True, actor=ACTOR, now=now)
    return {
        "vc_api": await _client(session, world, issuer, None, now),
        "vc_api_status": await _client(session, world, issuer, "revocation", now),
    }


async def _client(
    session: AsyncSession, world: Resources, issuer: Issuer, status_purpose: StatusPurpose | None, now: datetime
) -> dict[str, str]:
    # Status lists are of the issuer's own DID, which is a did:key over http and a did:web over https.
    settings = IssuingSettings(did_method="key" if status_purpose is None else "issuer", status_purpose=status_purpose)
    name = "VC-API" if status_purpose is None else "VC-API with status"
    client, token = await create_client(
        session, issuer_id=issuer.id, name=name, scopes=SCOPES, expires_at=None, actor=ACTOR, now=now
    )
    await change_settings(session, issuer.id, client.id, settings, actor=ACTOR, now=now)
    key = await get_issuing_key(session, issuer.id, settings)
    return {"token": token, "issuer_did": key.did, "base_url": world.base_url}
