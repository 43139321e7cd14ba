"""Verbs on learners: create one, find or create one as a decision names them, read what is sealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from unicodedata import normalize

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.errors import Conflict, ExternalIdTaken, Gone
from app.events.store import record_event
from app.identifiers import new_id
from app.keys.vault import LearnerKey, Vault
from app.learners.store import (
    IdentityKind,
    Learner,
    LearnerIdentity,
    find_by_blind_index,
    find_by_external_id,
    list_identities,
    lock_learner,
)


class IdentityTaken(Conflict):
    code = "identity_taken"


@dataclass(frozen=True, slots=True)
class Identities:
    """What a learner is known by, in the clear. Kept in memory only as long as a badge is composed or a reply written."""

    name: str | None = None
    email: str | None = None
    did: str | None = None

    def items(self) -> list[tuple[IdentityKind, str]]:
        pairs = (("email", self.email), ("did", self.did), ("name", self.name))
        return [(cast(IdentityKind, kind), value) for kind, value in pairs if value is not None]


async def create_learner(
    session: AsyncSession,
    vault: Vault,
    issuer_id: str,
    *,
    external_id: str | None,
    identities: Identities,
    actor: str,
    now: datetime,
) -> Learner:
    """A new learner with a key of their own. Raises ExternalIdTaken or IdentityTaken."""
    if external_id is not None and await find_by_external_id(session, issuer_id, external_id) is not None:
        raise ExternalIdTaken(f"There is already a learner with external_id {external_id!r}.")
    learner_id = new_id()
    learner = Learner(
        issuer_id=issuer_id,
        id=learner_id,
        external_id=external_id,
        sealed_key=vault.new_learner_key(issuer_id, learner_id),
        created_at=now,
        updated_at=now,
    )
    session.add(learner)
    await session.flush()
    for kind, value in identities.items():
        await _add_identity(session, vault, learner, kind, value, now)
    await session.flush()
    audit(session, issuer_id=issuer_id, actor=actor, action="learner.created", object_id=learner_id, content={}, at=now)
    record_event(session, issuer_id, "learner.created", learner_id, at=now)
    return learner


async def find_or_create_learner(
    session: AsyncSession,
    vault: Vault,
    issuer_id: str,
    *,
    external_id: str | None,
    identities: Identities,
    actor: str,
    now: datetime,
) -> Learner:
    """The learner with this external id, e-mail address or DID; a new one when there is none.

    Identities and an external id that the learner does not have yet are added; a name already known is kept. Raises
    IdentityTaken when they point at different learners or contradict what is known: a change of identity is an act of its
    own, not a side effect of an award.
    """
    found = await _find(session, vault, issuer_id, external_id, identities)
    if not found:
        return await create_learner(
            session, vault, issuer_id, external_id=external_id, identities=identities, actor=actor, now=now
        )
    if len({learner.id for learner in found}) > 1:
        raise IdentityTaken("The identities of the recipient belong to different learners.")
    learner = await lock_learner(session, issuer_id, found[0].id)
    if external_id is not None and learner.external_id not in (None, external_id):
        raise IdentityTaken("The recipient's identity belongs to a learner with another external_id.")
    known = await open_identities(session, vault, learner)
    added = []
    if external_id is not None and learner.external_id is None:
        learner.external_id = external_id
        added.append("external_id")
    for kind, value in identities.items():
        before = getattr(known, kind)
        if before is None:
            await _add_identity(session, vault, learner, kind, value, now)
            added.append(kind)
        elif kind != "name" and normalize_identity(kind, before) != normalize_identity(kind, value):
            raise IdentityTaken(f"The learner is known by another {kind}.")
    if added:
        learner.updated_at = now
        audit(session, issuer_id=issuer_id, actor=actor, action="learner.changed", object_id=learner.id,
              content={"added": added}, at=now)  # fmt: skip
        record_event(session, issuer_id, "learner.changed", learner.id, at=now, data={"added": added})
    await session.flush()
    return learner


async def list_known(
    session: AsyncSession, vault: Vault, issuer_id: str, external_id: str | None, identities: Identities
) -> list[Learner]:
    """The learners that this external id, e-mail address and DID belong to: each once, so more than one is a contradiction."""
    found = await _find(session, vault, issuer_id, external_id, identities)
    return list({learner.id: learner for learner in found}.values())


def open_key(vault: Vault, learner: Learner) -> LearnerKey:
    """The key everything of this learner is sealed under. Raises Gone once it is destroyed."""
    if learner.sealed_key is None:
        raise Gone("The learner's personal data has been erased.")
    return vault.open_learner_key(learner.sealed_key, issuer_id=learner.issuer_id, learner_id=learner.id)


async def open_identities(session: AsyncSession, vault: Vault, learner: Learner) -> Identities:
    """What the learner is known by, in the clear. Raises Gone."""
    rows = await list_identities(session, learner.issuer_id, [learner.id])
    return unseal(open_key(vault, learner), rows)


def unseal(key: LearnerKey, rows: list[LearnerIdentity]) -> Identities:
    """The identities of one learner from their rows."""
    values: Mapping[str, str] = {
        row.kind: key.open(row.sealed_value, table="learner_identity", row=row.id, column="sealed_value").decode()
        for row in rows
    }
    return Identities(**values)


async def _find(
    session: AsyncSession, vault: Vault, issuer_id: str, external_id: str | None, identities: Identities
) -> list[Learner]:
    found = []
    if external_id is not None:
        found.append(await find_by_external_id(session, issuer_id, external_id))
    for kind, value in identities.items():
        if kind != "name":
            indexes = vault.blind_indexes(issuer_id, kind, normalize_identity(kind, value))
            found.append(await find_by_blind_index(session, issuer_id, kind, indexes))
    return [learner for learner in found if learner is not None]


async def _add_identity(
    session: AsyncSession, vault: Vault, learner: Learner, kind: IdentityKind, value: str, now: datetime
) -> None:
    index = None
    if kind != "name":
        indexes = vault.blind_indexes(learner.issuer_id, kind, normalize_identity(kind, value))
        index = indexes[0]
        if await find_by_blind_index(session, learner.issuer_id, kind, indexes) is not None:
            raise IdentityTaken(f"The {kind} belongs to another learner.")
    id_ = new_id()
    sealed = open_key(vault, learner).seal(value.encode(), table="learner_identity", row=id_, column="sealed_value")
    session.add(
        LearnerIdentity(
            issuer_id=learner.issuer_id, learner_id=learner.id, id=id_, kind=kind, blind_index=index,
            sealed_value=sealed, created_at=now,
        )
    )  # fmt: skip


def normalize_identity(kind: str, value: str) -> str:
    """The form two spellings of one identity share: mail systems ignore case, DIDs do not.

    Lower case and no folding: `straße@` and `strasse@` are two mailboxes.
    """
    return normalize("NFC", value).lower() if kind == "email" else value
