"""Replacing an issuer's signing key: the new key signs, the one before is retired, stays published and verifies.

Badges whose intent was stored before name the key before, and are finished with it. Status lists are signed anew by a job,
not in this transaction, for three reasons: replacing a key must be quick and must not fail over one list; whoever changes a
list holds its lock and may come to wait for the issuer's, which is held here; and nobody is misled meanwhile, because the
key before still verifies.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.errors import Conflict
from app.events.store import record_event
from app.identifiers import new_id
from app.issuers.store import get_issuer, lock_issuer
from app.jobs.queue import enqueue
from app.keys.store import ED25519, SigningKey, get_active_key
from app.resources import Resources

REPUBLISH_JOB = "republish_status_lists"


class KeyNotRotatable(Conflict):
    """The issuer's DID is its key."""

    code = "key_not_rotatable"


async def rotate_key(
    session: AsyncSession, world: Resources, issuer_id: str, *, actor: str, now: datetime
) -> SigningKey:
    """Make a new active key and retire the one before. Of two at once, the later retires what the earlier made.

    Raises NotFound, KeyNotRotatable.
    """
    issuer = await get_issuer(session, issuer_id)
    if issuer.did.startswith("did:key:"):
        raise KeyNotRotatable(
            "The issuer's id is a did:key, which is its public key: with another key it would be another issuer.",
            cure="Create a new issuer. At an https ASSAY_PUBLIC_URL issuers are did:web, and their keys can be rotated.",
        )
    await lock_issuer(session, issuer_id)
    retired = await get_active_key(session, issuer_id)
    retired.state, retired.retired_at = "retired", now
    await session.flush()  # first this: the database admits one active key
    key_id = new_id()
    public_key, sealed = world.vault.new_signing_key(issuer_id, key_id)
    key = SigningKey(
        issuer_id=issuer_id,
        id=key_id,
        algorithm=ED25519,
        public_key_multibase=public_key,
        sealed_private_key=sealed,
        state="active",
        created_at=now,
        retired_at=None,
    )
    session.add(key)
    enqueue(session, REPUBLISH_JOB, {"issuer_id": issuer_id}, run_at=now)
    audit(session, issuer_id=issuer_id, actor=actor, action="key.rotated", object_id=key_id,
          content={"public_key": public_key, "retired": retired.public_key_multibase}, at=now)  # fmt: skip
    record_event(session, issuer_id, "key.rotated", key_id, at=now, data={"retired": retired.id})
    await session.flush()
    return key
