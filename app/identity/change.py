"""The verbs that change what a learner is known by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.errors import Conflict, NotFound
from app.events.store import record_event
from app.identity.reissue import ask_for_reissue
from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import (
    Known,
    RecipientNotIdentifiable,
    add_identity,
    normalize_identity,
    open_key,
    open_known,
    open_value,
    primary_of,
    require_external_id_free,
    seal_value,
)
from app.learners.store import (
    IdentityKind,
    Learner,
    LearnerIdentity,
    list_identities,
    lock_learner,
    require_not_merged,
)
from app.resources import Resources

FoundBy = Literal["email", "did"]
"""The kinds of identity that a learner may have several of, and is found by."""

CARRIED: tuple[IdentityKind, ...] = ("name", "email", "did")
"""What badges say of a learner."""


class IdentityIsPrimary(Conflict):
    code = "identity_is_primary"


@dataclass(frozen=True, slots=True)
class Changed:
    """A learner after a change, all they are known by, and how many badges are reissued because of it."""

    learner: Learner
    known: Sequence[Known]
    reissuing: int


async def change_learner(
    session: AsyncSession,
    world: Resources,
    issuer_id: str,
    learner_id: str,
    changes: Mapping[str, str | None],
    *,
    actor: str,
    now: datetime,
) -> Changed:
    """Set what `changes` has of external_id, name, email and did; None removes it.

    A new e-mail address or DID becomes the primary one, and the one before stays as another. Raises ExternalIdTaken,
    IdentityTaken, RecipientNotIdentifiable when nothing would be left that a badge can carry, LearnerMerged, Gone.
    """
    learner = await _lock(session, world.vault, issuer_id, learner_id)
    before = await open_known(session, world.vault, learner)
    named: list[IdentityKind] = [kind for kind in CARRIED if kind in changes]
    changed: list[str] = [
        kind for kind in named if await _set_primary(session, world.vault, learner, kind, changes[kind], now)
    ]
    is_carried = bool(changed)
    if "external_id" in changes and changes["external_id"] != learner.external_id:
        wanted = changes["external_id"]
        if wanted is not None:
            await require_external_id_free(session, issuer_id, wanted)
        learner.external_id = wanted
        changed.append("external_id")
    known = await open_known(session, world.vault, learner)
    _require_known_still(learner, before, known)
    if changed:
        _tell(session, learner, {"changed": changed}, actor, now)
    reissuing = 0
    if named:
        reissuing = await ask_for_reissue(session, world.vault, learner, changed=is_carried, at=now)
    return Changed(learner, known, reissuing)


async def add_another_identity(
    session: AsyncSession,
    world: Resources,
    issuer_id: str,
    learner_id: str,
    kind: FoundBy,
    value: str,
    *,
    is_primary: bool,
    actor: str,
    now: datetime,
) -> Changed:
    """Add an e-mail address or DID by which the learner is found as well; the first of its kind is the primary one.

    One the learner has already stays, and becomes the primary one if that is asked. Raises IdentityTaken, LearnerMerged, Gone.
    """
    learner = await _lock(session, world.vault, issuer_id, learner_id)
    rows = [row for row in await list_identities(session, issuer_id, [learner_id]) if row.kind == kind]
    if is_primary or not rows:
        return await change_learner(session, world, issuer_id, learner_id, {kind: value}, actor=actor, now=now)
    if _find_row(open_key(world.vault, learner), rows, kind, value) is None:
        await add_identity(session, world.vault, learner, kind, value, is_primary=False, now=now)
        _tell(session, learner, {"added": [kind]}, actor, now)
    return Changed(learner, await open_known(session, world.vault, learner), 0)


async def remove_identity(
    session: AsyncSession,
    world: Resources,
    issuer_id: str,
    learner_id: str,
    identity_id: str,
    *,
    actor: str,
    now: datetime,
) -> Changed:
    """Forget an identity that badges do not carry. Raises NotFound, IdentityIsPrimary, LearnerMerged, Gone."""
    learner = await _lock(session, world.vault, issuer_id, learner_id)
    rows = {row.id: row for row in await list_identities(session, issuer_id, [learner_id]) if row.kind != "name"}
    row = rows.get(identity_id)
    if row is None:
        raise NotFound("The learner has no identity with this id.")
    if row.is_primary:
        raise IdentityIsPrimary(
            "Badges carry this identity.",
            cure=f"Make another one the primary first, or remove it as such: PATCH /v1/learners/{learner_id} with "
            f'"{row.kind}": null.',
        )
    await session.delete(row)
    _tell(session, learner, {"removed": [row.kind]}, actor, now)
    return Changed(learner, await open_known(session, world.vault, learner), 0)


async def _lock(session: AsyncSession, vault: Vault, issuer_id: str, learner_id: str) -> Learner:
    learner = require_not_merged(await lock_learner(session, issuer_id, learner_id))
    open_key(vault, learner)  # Gone, when it was erased
    return learner


async def _set_primary(
    session: AsyncSession, vault: Vault, learner: Learner, kind: IdentityKind, value: str | None, now: datetime
) -> bool:
    """Make `value` the primary one of its kind, or have none when it is None. Whether that is a change."""
    key = open_key(vault, learner)
    rows = [row for row in await list_identities(session, learner.issuer_id, [learner.id]) if row.kind == kind]
    before = next((row for row in rows if row.is_primary), None)
    if value == (None if before is None else open_value(key, before)):
        return False
    if value is None or kind == "name":  # of names there is one: nobody is found by the one before
        if before is not None:
            await session.delete(before)
            await session.flush()
        if value is not None:
            await add_identity(session, vault, learner, kind, value, is_primary=True, now=now)
        return True
    known = _find_row(key, rows, kind, value)
    if before is not None and before is not known:
        before.is_primary = False
        await session.flush()  # first this: the database admits one primary of a kind
    if known is None:
        await add_identity(session, vault, learner, kind, value, is_primary=True, now=now)
    else:
        known.is_primary = True
        known.sealed_value = seal_value(key, known.id, value)  # it may be spelled differently
    await session.flush()
    return True


def _find_row(
    key: PersonalKey, rows: Sequence[LearnerIdentity], kind: IdentityKind, value: str
) -> LearnerIdentity | None:
    """The row of this identity, however it is spelled."""
    wanted = normalize_identity(kind, value)
    return next((row for row in rows if normalize_identity(kind, open_value(key, row)) == wanted), None)


def _require_known_still(learner: Learner, before: Sequence[Known], after: Sequence[Known]) -> None:
    if primary_of(before).is_identifiable and not primary_of(after).is_identifiable:
        raise RecipientNotIdentifiable(
            "Without e-mail address and DID nothing would be left that badges can carry.",
            cure="Give another one in the same request, or erase the learner.",
        )
    if not after and learner.external_id is None:
        raise RecipientNotIdentifiable("Nothing would be left that the learner is known by.", cure="Erase the learner.")


def _tell(session: AsyncSession, learner: Learner, what: Mapping[str, list[str]], actor: str, now: datetime) -> None:
    """Kinds only, never values: the audit trail and the events outlive the learner's key."""
    learner.updated_at = now
    audit(session, issuer_id=learner.issuer_id, actor=actor, action="learner.changed", object_id=learner.id,
          content=what, at=now)  # fmt: skip
    record_event(session, learner.issuer_id, "learner.changed", learner.id, at=now, data=what)
