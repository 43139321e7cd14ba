"""Opening lists, flipping bits, and publishing the signed credential that shows them, all in the caller's transaction.

When the transaction commits, the new list is what every replica serves: a status change that was answered is visible.
The exception is `republish`, the job that follows a key's rotation: a list each transaction, and nothing a reader would miss.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.clock import whole_second
from app.errors import Broken
from app.issuers.sign import sign_document, verification_method_of
from app.issuers.store import get_issuer, lock_issuer
from app.keys.store import get_active_key
from app.openbadges.conformance import Linted, LintFailed
from app.resources import Resources
from app.statuslists.bitstring import compose_status_list_credential, encode, get_bit, lint_status_list, set_bit
from app.statuslists.store import (
    StatusList,
    StatusListPublication,
    StatusPurpose,
    add_list,
    draw_index,
    get_publication,
    list_status_list_ids,
    lock_list,
)


async def allocate_index(
    session: AsyncSession, world: Resources, issuer_id: str, purpose: StatusPurpose, now: datetime
) -> tuple[str, int]:
    """(list id, index) for a new edition; opens and publishes a new list when the others are full."""
    drawn = await draw_index(session, issuer_id, purpose)
    if drawn is None:
        # One opens it, the others wait and draw from it: a list of one badge would give its holder away.
        await lock_issuer(session, issuer_id)
        drawn = await draw_index(session, issuer_id, purpose)
    if drawn is None:
        status_list = await add_list(session, issuer_id, purpose, now)
        await _publish(session, world, status_list, now)
        drawn = await draw_index(session, issuer_id, purpose)
    if drawn is None:
        raise Broken("A new status list has no free index.")
    return drawn


async def change_bits(
    session: AsyncSession,
    world: Resources,
    issuer_id: str,
    status_list_id: str,
    bits: Mapping[int, bool],
    now: datetime,
) -> None:
    """Set the bits at these indexes and publish the list's next version.

    Raises Broken when a bit of a revocation list would go back to 0: that is never right.
    """
    status_list = await lock_list(session, issuer_id, status_list_id)
    changed = status_list.bits
    for index, value in bits.items():
        if status_list.purpose == "revocation" and not value and get_bit(changed, index):
            raise Broken("A revocation cannot be taken back.")
        changed = set_bit(changed, index, value)
    if changed != status_list.bits:
        status_list.bits = changed
        await _publish(session, world, status_list, now)


async def republish(world: Resources, issuer_id: str) -> int:
    """Sign anew those lists of the issuer that another key than its active one has signed: their number.

    Every list is looked at under its lock: a change that began with the old key has ended by then and is seen.
    """
    async with world.database.reading() as session:
        ids = await list_status_list_ids(session, issuer_id)
    count = 0
    for status_list_id in ids:
        async with world.database.transaction() as session:
            status_list = await lock_list(session, issuer_id, status_list_id)
            if not await _is_signed_by_active_key(session, status_list):
                await _publish(session, world, status_list, world.clock.now())
                count += 1
    return count


async def _is_signed_by_active_key(session: AsyncSession, status_list: StatusList) -> bool:
    publication = await get_publication(session, status_list.id)
    issuer = await get_issuer(session, status_list.issuer_id)
    key = await get_active_key(session, status_list.issuer_id)
    [proof] = json.loads(publication.body)["proof"]
    return bool(proof["verificationMethod"] == verification_method_of(issuer.did, key.public_key_multibase).id)


async def _publish(session: AsyncSession, world: Resources, status_list: StatusList, now: datetime) -> None:
    """Sign the list as it stands. The list's row is locked or new, so versions follow each other."""
    status_list.version += 1
    status_list.updated_at = now
    body = await _sign(session, world, status_list, now)
    publication = await session.get(StatusListPublication, (status_list.issuer_id, status_list.id))
    if publication is None:
        publication = StatusListPublication(issuer_id=status_list.issuer_id, status_list_id=status_list.id)
        session.add(publication)
    publication.version = status_list.version
    publication.body = body
    publication.ttl_seconds = world.settings.status_list_ttl_seconds
    publication.etag = hashlib.sha256(body).hexdigest()
    publication.published_at = now
    await session.flush()


async def _sign(session: AsyncSession, world: Resources, status_list: StatusList, now: datetime) -> bytes:
    issuer = await get_issuer(session, status_list.issuer_id)
    key = await get_active_key(session, status_list.issuer_id)
    linted = _linted(
        world,
        compose_status_list_credential(
            id=status_list_url(world.base_url, status_list.id),
            issuer_id=issuer.did,
            purpose=status_list.purpose,
            encoded_list=encode(status_list.bits),
            valid_from=whole_second(status_list.created_at),
            ttl_seconds=world.settings.status_list_ttl_seconds,
        ),
    )
    body = await sign_document(
        world, linted,
        key_id=key.id, verification_method=verification_method_of(issuer.did, key.public_key_multibase),
        created=whole_second(now),
    )  # fmt: skip
    audit(session, issuer_id=status_list.issuer_id, actor="signer", action="key.used", object_id=key.id,
          content={"document": hashlib.sha256(body).hexdigest()}, at=now)  # fmt: skip
    return body


def _linted(world: Resources, document: dict[str, Any]) -> Linted:
    """A list is all our own: if it is not sound, the caller has done nothing wrong."""
    try:
        return lint_status_list(document, contexts=world.contexts)
    except LintFailed as error:
        raise Broken(f"A status list is not sound: {error.faults[0].pointer}") from error


def status_list_url(base_url: str, status_list_id: str) -> str:
    return f"{base_url}/status-lists/{status_list_id}"
