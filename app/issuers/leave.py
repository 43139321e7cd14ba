"""Leaving: an issuer ends its issuing here. What it has published stays published, and its badges' status can still change.

A badge that was begun before is finished. Keys stay, because status lists go on being signed.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.clients import revoke_client
from app.access.store import list_live_clients
from app.audit.store import audit
from app.events.store import record_event
from app.issuers.store import Issuer, get_issuer, lock_issuer


async def leave(session: AsyncSession, issuer_id: str, *, actor: str, now: datetime) -> Issuer:
    """Let the issuer leave, for good, and revoke its API clients. Doing it again changes nothing. Raises NotFound."""
    await lock_issuer(session, issuer_id)
    issuer = await get_issuer(session, issuer_id)
    if issuer.left_at is not None:
        return issuer
    issuer.left_at = issuer.updated_at = now
    for client in await list_live_clients(session, issuer_id):
        revoke_client(session, client, actor=actor, now=now)
        record_event(session, issuer_id, "api_client.revoked", client.id, at=now)
    audit(session, issuer_id=issuer_id, actor=actor, action="issuer.left", object_id=issuer_id, content={}, at=now)
    record_event(session, issuer_id, "issuer.left", issuer_id, at=now)
    await session.flush()
    return issuer
