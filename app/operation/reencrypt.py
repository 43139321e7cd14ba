"""Everything sealed under the previous key-encryption key is sealed under the new one.

That is: the keys of learners and people, the indexes under which their identities are found (they follow from the key-encryption
key), the keys of OpenID providers and sampling windows, and the signing keys. What is sealed under one of these stays as it is,
because the key stays what it is.

Servers run meanwhile, with both keys set: they seal under the new one and open either. A transaction a batch: stopped
anywhere, it goes on when it is called again, because what is done already opens with the new key. Signing keys come last:
a server that has the new key alone starts only when it opens all of them, which is when everything is done.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import Person
from app.audit.store import audit
from app.keys.store import lock_all_keys
from app.keys.vault import PersonalKey, Unreadable, Vault
from app.learners.recipients import normalize_identity, open_value
from app.learners.store import Learner, LearnerIdentity, list_identities
from app.people.identities import list_person_identities, reindex
from app.people.store import OidcProvider
from app.readings.store import SamplingWindow
from app.resources import Resources
from app.vcapi.store import GenericCredential

BATCH = 200


class Owner(Protocol):
    """A row that has a key of its own."""

    issuer_id: Any
    id: Any
    sealed_key: Any


Reindex = Callable[[AsyncSession, Vault, str, Mapping[str, PersonalKey]], Awaitable[int]]
"""Enter anew what the owners of these keys, of one issuer, are found by: how many identities."""


@dataclass(frozen=True, slots=True)
class Reencrypted:
    """How many were sealed anew by this run. `others` are keys of OpenID providers and sampling windows."""

    learners: int = 0
    identities: int = 0
    signing_keys: int = 0
    people: int = 0
    others: int = 0


async def reencrypt(
    world: Resources, *, actor: str, batch_size: int = BATCH, progress: Callable[[int], None] | None = None
) -> Reencrypted:
    """Seal everything anew that the previous key still seals.

    `progress` is told after each transaction how many learners were looked at. Raises Unreadable when something opens with
    neither key: it is left as it is, and so is its batch.
    """
    learners, of_learners = await _reseal_all(world, Learner, _enter_learners_anew, batch_size, progress)
    people, of_people = await _reseal_all(world, Person, _enter_people_anew, batch_size)
    others = 0
    for table in WITHOUT_IDENTITIES:
        others += (await _reseal_all(world, table, _enter_nobody, batch_size))[0]
    async with world.database.transaction() as session:
        signing_keys = await _reseal_signing_keys(session, world.vault)
        done = Reencrypted(learners, of_learners + of_people, signing_keys, people, others)
        content = {"signing_keys": signing_keys, "learners": learners, "people": people, "others": others}
        audit(session, issuer_id=None, actor=actor, action="keys.reencrypted", object_id="installation",
              content=content, at=world.clock.now())  # fmt: skip
    return done


async def _reseal_all(
    world: Resources,
    table: type[Owner],
    enter_anew: Reindex,
    batch_size: int,
    progress: Callable[[int], None] | None = None,
) -> tuple[int, int]:
    """How many keys of this table were sealed anew, and how many identities were entered anew."""
    keys = identities = looked_at = 0
    last: tuple[str, str] | None = None
    while True:
        async with world.database.transaction() as session:
            batch = await _lock_batch(session, table, last, batch_size)
            old = [owner for owner in batch if _reseal(world.vault, table, owner)]
            keys += len(old)
            for issuer_id in sorted({owner.issuer_id for owner in old}):
                opened = {
                    owner.id: world.vault.open_personal_key(owner.sealed_key, issuer_id=issuer_id, owner_id=owner.id)
                    for owner in old
                    if owner.issuer_id == issuer_id
                }
                identities += await enter_anew(session, world.vault, issuer_id, opened)
        if not batch:
            return keys, identities
        last = (batch[-1].issuer_id, batch[-1].id)
        looked_at += len(batch)
        if progress is not None:
            progress(looked_at)


async def _lock_batch(
    session: AsyncSession, table: type[Owner], after: tuple[str, str] | None, limit: int
) -> Sequence[Owner]:
    """Rows of every issuer that still have a key, by (issuer id, id), locked until the transaction ends."""
    query = select(table).where(table.sealed_key.is_not(None)).order_by(table.issuer_id, table.id)
    if after is not None:
        query = query.where(tuple_(table.issuer_id, table.id) > after)
    return (await session.scalars(query.limit(limit).with_for_update(key_share=True))).all()


def _reseal(vault: Vault, table: type[Owner], owner: Owner) -> bool:
    """Whether the owner's key was still under the previous key."""
    try:
        resealed = vault.reseal_personal_key(owner.sealed_key, issuer_id=owner.issuer_id, owner_id=owner.id)
    except Unreadable:
        kind = table.__name__.lower()
        raise Unreadable(f"The key of {kind} {owner.id} opens with neither key-encryption key.") from None
    if resealed is None:
        return False
    owner.sealed_key = resealed
    return True


async def _enter_learners_anew(
    session: AsyncSession, vault: Vault, issuer_id: str, keys: Mapping[str, PersonalKey]
) -> int:
    count = 0
    for row in await list_identities(session, issuer_id, list(keys)):
        if row.blind_index is not None:
            row.blind_index = _blind_index(vault, keys[row.learner_id], row)
            count += 1
    return count


def _blind_index(vault: Vault, key: PersonalKey, row: LearnerIdentity) -> bytes:
    return vault.blind_index(row.issuer_id, row.kind, normalize_identity(row.kind, open_value(key, row)))


async def _enter_people_anew(
    session: AsyncSession, vault: Vault, issuer_id: str, keys: Mapping[str, PersonalKey]
) -> int:
    rows = await list_person_identities(session, issuer_id, keys)
    return sum(reindex(vault, keys[person_id], row) for person_id in rows for row in rows[person_id])


async def _enter_nobody(_: AsyncSession, __: Vault, ___: str, ____: Mapping[str, PersonalKey]) -> int:
    return 0


WITHOUT_IDENTITIES: tuple[type[Any], ...] = (OidcProvider, SamplingWindow, GenericCredential)
"""Tables with keys of their own whose owners are not found by what is sealed."""


async def _reseal_signing_keys(session: AsyncSession, vault: Vault) -> int:
    count = 0
    for key in await lock_all_keys(session):
        resealed = vault.reseal_signing_key(key.sealed_private_key, key.issuer_id, key.id)
        if resealed is not None:
            key.sealed_private_key = resealed
            count += 1
    return count
