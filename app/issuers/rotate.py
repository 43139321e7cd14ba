"""Making or replacing an issuer's signing key of an algorithm: the new key signs, the one before is retired, stays published and
verifies. Keys of other algorithms are not touched.

Badges whose intent was stored before name the key before, and are finished with it. Status lists are signed anew by a job,
not in this transaction, for three reasons: replacing a key must be quick and must not fail over one list; whoever changes a
list holds its lock and may come to wait for the issuer's, which is held here; and nobody is misled meanwhile, because the
key before still verifies.

An issuer of its own domain gets its next key in two steps, `prepare_rotation` and `rotate_key`, because in between the
domain has to publish it: the key waits, is looked for where verifiers will look, and signs once it is found there.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.idempotency import IdempotencyKey
from app.audit.store import audit
from app.errors import Broken, Conflict
from app.events.store import record_event
from app.identifiers import new_id
from app.issuers.did_document import has_own_domain
from app.issuers.own_domain import fetch_did_document, require_complete, require_published
from app.issuers.store import Issuer, get_issuer, lock_issuer, require_not_left
from app.jobs.queue import enqueue
from app.keys.store import ED25519, KeyState, SigningKey, find_active_key, find_pending_key, list_keys
from app.proofs.public_key import KeyAlgorithm
from app.resources import Resources

REPUBLISH_JOB = "republish_status_lists"


class KeyNotRotatable(Conflict):
    """The issuer's DID is its key, so it has no other that its DID could name."""

    code = "key_not_rotatable"


@dataclass(frozen=True, slots=True)
class Published:
    """The key that waits, and the DID document that was found at the issuer's domain after it was made."""

    key_id: str
    document: Mapping[str, Any]


async def prepare_rotation(
    world: Resources,
    issuer_id: str,
    *,
    algorithm: KeyAlgorithm = ED25519,
    actor: str,
    idempotency: IdempotencyKey | None = None,
) -> Published | None:
    """For an issuer of its own domain: make the key that is to sign unless one waits, then fetch what the domain publishes.

    None for other issuers. Raises NotFound, IssuerLeft, DidDocumentNotPublished; the key stays, so that repeating makes no
    other. With `idempotency` raises Replay for a request that was answered before.
    """
    async with world.database.reading() as session:
        issuer = await get_issuer(session, issuer_id)
    if not has_own_domain(issuer.did, world.base_url, issuer.slug):
        return None
    async with world.database.transaction() as session:
        await lock_issuer(session, issuer_id)
        require_not_left(await get_issuer(session, issuer_id))
        if idempotency is not None:
            await idempotency.replay(session)
        key = await find_pending_key(session, issuer_id, algorithm=algorithm)
        if key is None:
            now = world.clock.now()
            key = await _add_key(session, world, issuer_id, algorithm, "pending", now)
            audit(session, issuer_id=issuer_id, actor=actor, action="key.created", object_id=key.id,
                  content={"public_key": key.public_key_multibase, "algorithm": algorithm}, at=now)  # fmt: skip
            record_event(session, issuer_id, "key.created", key.id, at=now)
    return Published(key.id, await fetch_did_document(world.outbound, issuer, base_url=world.base_url))


async def rotate_key(
    session: AsyncSession,
    world: Resources,
    issuer_id: str,
    *,
    algorithm: KeyAlgorithm = ED25519,
    published: Published | None = None,
    actor: str,
    now: datetime,
) -> SigningKey:
    """Let a new key of the algorithm sign and retire the one before, if any. Of two at once, the later retires what the earlier
    made.

    `published` is what `prepare_rotation` gave. Raises NotFound, IssuerLeft, KeyNotRotatable, and for an issuer of its own
    domain DidDocumentNotPublished or DidDocumentIncomplete: then nothing has changed.
    """
    await lock_issuer(session, issuer_id)
    issuer = await get_issuer(session, issuer_id)
    require_not_left(issuer)
    _require_rotatable(issuer, algorithm)
    if has_own_domain(issuer.did, world.base_url, issuer.slug):
        if published is None:
            raise Broken("The key of an issuer of its own domain was not looked for there.")
        return await _activate(session, world, issuer, published, actor, now)
    retired = await find_active_key(session, issuer_id, algorithm=algorithm)
    if retired is not None:
        await _retire(session, retired, now)
    key = await _add_key(session, world, issuer_id, algorithm, "active", now)
    _tell(session, key, retired, actor, now)
    await session.flush()
    return key


def _require_rotatable(issuer: Issuer, algorithm: KeyAlgorithm) -> None:
    """A did:key names one key. Whatever another signed, a JWT too, no verifier could tie to the issuer."""
    if not issuer.did.startswith("did:key:"):
        return
    if algorithm == ED25519:
        raise KeyNotRotatable(
            "The issuer's id is a did:key, which is its public key: with another key it would be another issuer.",
            cure="Create a new issuer. At an https ASSAY_PUBLIC_URL issuers are did:web, and their keys can be rotated.",
        )
    raise KeyNotRotatable(
        f"The issuer's id is a did:key, which is its public key: no {algorithm} key can be published beside it.",
        cure="Create a new issuer. At an https ASSAY_PUBLIC_URL issuers are did:web, and have keys of every algorithm.",
    )


async def _activate(
    session: AsyncSession, world: Resources, issuer: Issuer, published: Published, actor: str, now: datetime
) -> SigningKey:
    keys = await list_keys(session, issuer.id)
    [key] = [each for each in keys if each.id == published.key_id]
    if key.state == "active":
        return key  # another request found it published a moment ago
    if key.state == "retired":
        raise Conflict("The key was taken into use and replaced by others meanwhile.", cure="Repeat the request.")
    require_published(published.document, issuer, key, base_url=world.base_url)
    require_complete(published.document, issuer, keys, base_url=world.base_url)
    retired = next((each for each in keys if each.state == "active" and each.algorithm == key.algorithm), None)
    if retired is not None:
        await _retire(session, retired, now)
    key.state, key.activated_at = "active", now
    _tell(session, key, retired, actor, now)
    await session.flush()
    return key


async def _retire(session: AsyncSession, key: SigningKey, now: datetime) -> None:
    key.state, key.retired_at = "retired", now
    await session.flush()  # before another becomes active: the database admits one


async def _add_key(
    session: AsyncSession,
    world: Resources,
    issuer_id: str,
    algorithm: KeyAlgorithm,
    state: KeyState,
    now: datetime,
) -> SigningKey:
    key_id = new_id()
    # In a thread: an RSA key takes its time.
    public_key, sealed = await asyncio.to_thread(world.vault.new_signing_key, issuer_id, key_id, algorithm=algorithm)
    key = SigningKey(
        issuer_id=issuer_id,
        id=key_id,
        algorithm=algorithm,
        public_key_multibase=public_key,
        sealed_private_key=sealed,
        state=state,
        created_at=now,
        activated_at=now if state == "active" else None,
        retired_at=None,
    )
    session.add(key)
    await session.flush()
    return key


def _tell(session: AsyncSession, key: SigningKey, retired: SigningKey | None, actor: str, now: datetime) -> None:
    """The first key of an algorithm is activated; each later one replaces another. Status lists are signed anew where it is with
    the key that signs them.
    """
    issuer_id, content = key.issuer_id, {"public_key": key.public_key_multibase, "algorithm": key.algorithm}
    if retired is None:
        audit(
            session, issuer_id=issuer_id, actor=actor, action="key.activated", object_id=key.id, content=content, at=now
        )
        record_event(session, issuer_id, "key.activated", key.id, at=now)
        return
    if key.algorithm == ED25519:
        enqueue(session, REPUBLISH_JOB, {"issuer_id": issuer_id}, run_at=now)
    audit(session, issuer_id=issuer_id, actor=actor, action="key.rotated", object_id=key.id,
          content={**content, "retired": retired.public_key_multibase}, at=now)  # fmt: skip
    record_event(session, issuer_id, "key.rotated", key.id, at=now, data={"retired": retired.id})
