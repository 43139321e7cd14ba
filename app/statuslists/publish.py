"""Opening lists, flipping bits, and publishing the signed credential that shows them, all in the caller's transaction.

When the transaction commits, the new list is what every replica serves: a status change that was answered is visible.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import whole_second
from app.errors import Broken
from app.issuers.did_document import verification_method_id
from app.issuers.store import get_issuer, lock_issuer
from app.keys.store import get_active_key
from app.proofs.data_integrity import secure, verify_proof
from app.proofs.eddsa_rdfc_2022 import (
    canonicalize_proof_config,
    compose_proof,
    compose_proof_config,
    hash_data,
)
from app.proofs.signer import SigningRequest
from app.proofs.verification_method import VerificationMethod, decode_multikey
from app.resources import Resources
from app.statuslists.bitstring import compose_status_list_credential, encode, get_bit, lint_status_list, set_bit
from app.statuslists.store import (
    StatusList,
    StatusListPublication,
    StatusPurpose,
    add_list,
    draw_index,
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
    publication.etag = hashlib.sha256(body).hexdigest()
    publication.published_at = now
    await session.flush()


async def _sign(session: AsyncSession, world: Resources, status_list: StatusList, now: datetime) -> bytes:
    issuer = await get_issuer(session, status_list.issuer_id)
    key = await get_active_key(session, status_list.issuer_id)
    linted = lint_status_list(
        compose_status_list_credential(
            id=status_list_url(world.base_url, status_list.id),
            issuer_id=issuer.did,
            purpose=status_list.purpose,
            encoded_list=encode(status_list.bits),
            valid_from=whole_second(status_list.created_at),
            ttl_seconds=world.settings.status_list_ttl_seconds,
        ),
        contexts=world.contexts,
    )
    method = verification_method_id(issuer.did, key.public_key_multibase)
    config = compose_proof_config(verification_method=method, created=whole_second(now))
    canonical = canonicalize_proof_config(config, linted.document["@context"], contexts=world.contexts)
    request = SigningRequest(linted.token, key.id, hash_data(canonical, linted.canonical))
    [signature] = await world.signer.sign([request])
    secured = secure(linted.document, [compose_proof(config, signature.value)])
    _require_verifies(world, secured, issuer.did, key.public_key_multibase, now)
    return json.dumps(secured, ensure_ascii=False, separators=(",", ":")).encode()


def _require_verifies(
    world: Resources, secured: Mapping[str, Any], issuer_did: str, public_key_multibase: str, now: datetime
) -> None:
    """A list that does not verify would make every badge on it fail: it never replaces one that does."""
    method = VerificationMethod(
        id=verification_method_id(issuer_did, public_key_multibase),
        controller=issuer_did,
        public_key=decode_multikey(public_key_multibase),
        public_key_multibase=public_key_multibase,
    )
    problems = verify_proof(secured, secured["proof"][0], method, contexts=world.contexts, now=now)
    if problems:
        raise Broken(f"The signed status list does not verify: {problems[0].code}.")


def status_list_url(base_url: str, status_list_id: str) -> str:
    return f"{base_url}/status-lists/{status_list_id}"
