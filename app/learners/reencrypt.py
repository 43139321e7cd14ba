"""Everything sealed under the previous key-encryption key is sealed under the new one.

That is: the keys of learners, the indexes under which their identities are found (they follow from the key-encryption key),
and the signing keys. What is sealed under a learner's key stays as it is, because that key stays what it is.

Servers run meanwhile, with both keys set: they seal under the new one and open either. A transaction a batch: stopped
anywhere, it goes on when it is called again, because what is done already opens with the new key. Signing keys come last:
a server that has the new key alone starts only when it opens all of them, which is when everything is done.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.keys.store import lock_all_keys
from app.keys.vault import PersonalKey, Unreadable, Vault
from app.learners.recipients import normalize_identity, open_value
from app.learners.store import Learner, LearnerIdentity, list_identities, lock_learners
from app.resources import Resources

BATCH = 200


@dataclass(frozen=True, slots=True)
class Reencrypted:
    """How many were sealed anew by this run."""

    learners: int = 0
    identities: int = 0
    signing_keys: int = 0


async def reencrypt(
    world: Resources, *, actor: str, batch_size: int = BATCH, progress: Callable[[int], None] | None = None
) -> Reencrypted:
    """Seal everything anew that the previous key still seals.

    `progress` is told after each transaction how many learners were looked at. Raises Unreadable when something opens with
    neither key: it is left as it is, and so is its batch.
    """
    learners = identities = looked_at = 0
    last: tuple[str, str] | None = None
    while True:
        async with world.database.transaction() as session:
            batch = await lock_learners(session, after=last, limit=batch_size)
            old = [learner for learner in batch if _reseal(world.vault, learner)]
            learners += len(old)
            identities += await _enter_anew(session, world.vault, old)
        if not batch:
            break
        last = (batch[-1].issuer_id, batch[-1].id)
        looked_at += len(batch)
        if progress is not None:
            progress(looked_at)
    async with world.database.transaction() as session:
        signing_keys = await _reseal_signing_keys(session, world.vault)
        done = Reencrypted(learners, identities, signing_keys)
        audit(session, issuer_id=None, actor=actor, action="keys.reencrypted", object_id="installation",
              content={"signing_keys": signing_keys, "learners": learners}, at=world.clock.now())  # fmt: skip
    return done


def _reseal(vault: Vault, learner: Learner) -> bool:
    """Whether the learner's key was still under the previous key."""
    assert learner.sealed_key is not None
    try:
        resealed = vault.reseal_personal_key(learner.sealed_key, issuer_id=learner.issuer_id, owner_id=learner.id)
    except Unreadable:
        raise Unreadable(f"The key of learner {learner.id} opens with neither key-encryption key.") from None
    if resealed is None:
        return False
    learner.sealed_key = resealed
    return True


async def _enter_anew(session: AsyncSession, vault: Vault, learners: list[Learner]) -> int:
    """Give the identities of these learners the index that follows from the new key."""
    count = 0
    for issuer_id in {learner.issuer_id for learner in learners}:
        keys = {
            learner.id: vault.open_personal_key(learner.sealed_key, issuer_id=issuer_id, owner_id=learner.id)
            for learner in learners
            if learner.issuer_id == issuer_id and learner.sealed_key is not None
        }
        for row in await list_identities(session, issuer_id, list(keys)):
            if row.blind_index is not None:
                row.blind_index = _blind_index(vault, keys[row.learner_id], row)
                count += 1
    return count


def _blind_index(vault: Vault, key: PersonalKey, row: LearnerIdentity) -> bytes:
    return vault.blind_index(row.issuer_id, row.kind, normalize_identity(row.kind, open_value(key, row)))


async def _reseal_signing_keys(session: AsyncSession, vault: Vault) -> int:
    count = 0
    for key in await lock_all_keys(session):
        resealed = vault.reseal_signing_key(key.sealed_private_key, key.issuer_id, key.id)
        if resealed is not None:
            key.sealed_private_key = resealed
            count += 1
    return count
