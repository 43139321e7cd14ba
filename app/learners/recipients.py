"""Verbs on learners: create one, find or create one as a decision names them, read what is sealed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from unicodedata import normalize

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.errors import Conflict, ExternalIdTaken, Gone, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.keys.vault import PersonalKey, Vault
from app.learners.store import (
    IdentityKind,
    Learner,
    LearnerIdentity,
    find_by_blind_index,
    find_by_external_id,
    get_learner,
    list_identities,
    lock_learner,
)

NAMES: Mapping[IdentityKind, str] = {"email": "e-mail address", "did": "DID", "name": "name"}
"""The kinds of identity in words."""


class IdentityTaken(Conflict):
    code = "identity_taken"


class RecipientNotIdentifiable(InvalidInput):
    code = "recipient_not_identifiable"


@dataclass(frozen=True, slots=True)
class Identities:
    """What badges say of a learner: the primary of each kind, in the clear.

    Kept in memory only as long as a badge is composed or a reply written.
    """

    name: str | None = None
    email: str | None = None
    did: str | None = None

    def items(self) -> list[tuple[IdentityKind, str]]:
        pairs = (("email", self.email), ("did", self.did), ("name", self.name))
        return [(cast(IdentityKind, kind), value) for kind, value in pairs if value is not None]

    @property
    def is_identifiable(self) -> bool:
        """Whether a badge can carry who it was awarded to: a name alone could be anybody's."""
        return self.email is not None or self.did is not None


@dataclass(frozen=True, slots=True)
class Known:
    """One identity of a learner, in the clear."""

    id: str
    kind: IdentityKind
    value: str
    is_primary: bool


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
    if external_id is not None:
        await require_external_id_free(session, issuer_id, external_id)
    learner_id = new_id()
    learner = Learner(
        issuer_id=issuer_id,
        id=learner_id,
        external_id=external_id,
        sealed_key=vault.new_personal_key(issuer_id, learner_id),
        created_at=now,
        updated_at=now,
    )
    session.add(learner)
    await session.flush()
    for kind, value in identities.items():
        await add_identity(session, vault, learner, kind, value, is_primary=True, now=now)
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
    """The learner with this external id, e-mail address or DID, be it their primary one or another; a new one when there is none.

    A kind of identity and an external id that the learner does not have yet are added, without touching earlier badges; a name
    already known is kept. Raises IdentityTaken when they point at different learners or contradict what is known: a change of
    identity is an act of its own, not a side effect of an award.
    """
    found = await _find(session, vault, issuer_id, external_id, identities)
    if not found:
        return await create_learner(
            session, vault, issuer_id, external_id=external_id, identities=identities, actor=actor, now=now
        )
    if len(found) > 1:
        [one, other, *_] = found
        raise IdentityTaken(
            f"The identities of the recipient belong to different learners, {one} and {other}.",
            cure=f"If they are one person, merge them: POST /v1/learners/{one}/merge.",
        )
    learner = await lock_current_learner(session, issuer_id, found[0])
    added = []
    if external_id is not None and await _has_no_external_id(session, learner, external_id):
        learner.external_id = external_id
        added.append("external_id")
    known = await open_known(session, vault, learner)
    for kind, value in identities.items():
        values = {normalize_identity(kind, each.value) for each in known if each.kind == kind}
        if not values:
            await add_identity(session, vault, learner, kind, value, is_primary=True, now=now)
            added.append(kind)
        elif kind != "name" and normalize_identity(kind, value) not in values:
            raise IdentityTaken(
                f"The learner {learner.id} is known by another {NAMES[kind]}.",
                cure=f"If it is theirs as well, add it: POST /v1/learners/{learner.id}/identities. If it replaces the one "
                f"before, PATCH /v1/learners/{learner.id}.",
            )
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
    return [await get_learner(session, issuer_id, learner_id) for learner_id in found]


def open_key(vault: Vault, learner: Learner) -> PersonalKey:
    """The key everything of this learner is sealed under. Raises Gone once it is destroyed."""
    if learner.sealed_key is None:
        raise Gone("The learner's personal data has been erased.")
    return vault.open_personal_key(learner.sealed_key, issuer_id=learner.issuer_id, owner_id=learner.id)


async def open_identities(session: AsyncSession, vault: Vault, learner: Learner) -> Identities:
    """What badges say of the learner, in the clear. Raises Gone."""
    return primary_of(await open_known(session, vault, learner))


async def open_known(session: AsyncSession, vault: Vault, learner: Learner) -> list[Known]:
    """Everything the learner is known by, oldest first. Raises Gone."""
    rows = await list_identities(session, learner.issuer_id, [learner.id])
    return unseal(open_key(vault, learner), rows)


def unseal(key: PersonalKey, rows: Iterable[LearnerIdentity]) -> list[Known]:
    """The identities of one learner from their rows."""
    return [Known(row.id, cast(IdentityKind, row.kind), open_value(key, row), row.is_primary) for row in rows]


def primary_of(known: Iterable[Known]) -> Identities:
    """Those of them that badges carry."""
    values: Mapping[str, str] = {each.kind: each.value for each in known if each.is_primary}
    return Identities(**values)


def seal_value(key: PersonalKey, row_id: str, value: str) -> bytes:
    """What the row of an identity holds."""
    return key.seal(value.encode(), table="learner_identity", row=row_id, column="sealed_value")


def open_value(key: PersonalKey, row: LearnerIdentity) -> str:
    """The pair of `seal_value`."""
    return key.open(row.sealed_value, table="learner_identity", row=row.id, column="sealed_value").decode()


async def lock_current_learner(session: AsyncSession, issuer_id: str, learner_id: str) -> Learner:
    """The learner, or whoever they were merged into, locked: their identities stay as they are until the commit.

    Raises NotFound, and Conflict when they are merged this very moment.
    """
    named = await get_learner(session, issuer_id, learner_id)
    learner = await lock_learner(session, issuer_id, named.merged_into or named.id)
    if learner.merged_into is not None:  # not followed: a second lock out of order could wait crosswise
        raise Conflict("The learner is being merged into another.", cure="Repeat the request.")
    return learner


async def require_external_id_free(session: AsyncSession, issuer_id: str, external_id: str) -> None:
    """Raises ExternalIdTaken."""
    holder = await find_by_external_id(session, issuer_id, external_id)
    if holder is not None:
        merged = f", who was merged into {holder.merged_into}" if holder.merged_into else ""
        raise ExternalIdTaken(f"There is already a learner with external_id {external_id!r}{merged}.")


async def _has_no_external_id(session: AsyncSession, learner: Learner, external_id: str) -> bool:
    """Whether the learner has no external id yet. Raises IdentityTaken when it is neither theirs nor of one merged into them."""
    holder = await find_by_external_id(session, learner.issuer_id, external_id)
    if holder is not None and learner.id in (holder.id, holder.merged_into):
        return False
    if learner.external_id is None:
        return True
    raise IdentityTaken(
        f"The recipient's identity belongs to the learner {learner.id}, who has another external_id.",
        cure="Leave external_id out, or use the learner's own.",
    )


async def _find(
    session: AsyncSession, vault: Vault, issuer_id: str, external_id: str | None, identities: Identities
) -> list[str]:
    """Ids of the learners so known, each once; of a merged one the id of the survivor."""
    found = []
    if external_id is not None:
        found.append(await find_by_external_id(session, issuer_id, external_id))
    for kind, value in identities.items():
        if kind != "name":
            indexes = vault.blind_indexes(issuer_id, kind, normalize_identity(kind, value))
            found.append(await find_by_blind_index(session, issuer_id, kind, indexes))
    return list(dict.fromkeys(learner.merged_into or learner.id for learner in found if learner is not None))


async def add_identity(
    session: AsyncSession,
    vault: Vault,
    learner: Learner,
    kind: IdentityKind,
    value: str,
    *,
    is_primary: bool,
    now: datetime,
) -> None:
    """Enter an identity that the learner does not have. Raises IdentityTaken when another learner has it."""
    index = None
    if kind != "name":
        indexes = vault.blind_indexes(learner.issuer_id, kind, normalize_identity(kind, value))
        index = indexes[0]
        holder = await find_by_blind_index(session, learner.issuer_id, kind, indexes)
        if holder is not None:
            raise IdentityTaken(
                f"The {NAMES[kind]} belongs to the learner {holder.id}.",
                cure=f"Use that learner. If two learners are one person, merge them: POST /v1/learners/{holder.id}/merge.",
            )
    id_ = new_id()
    session.add(
        LearnerIdentity(
            issuer_id=learner.issuer_id, learner_id=learner.id, id=id_, kind=kind, is_primary=is_primary,
            blind_index=index, sealed_value=seal_value(open_key(vault, learner), id_, value), created_at=now,
        )
    )  # fmt: skip


def normalize_identity(kind: str, value: str) -> str:
    """The form two spellings of one identity share: mail systems ignore case, DIDs do not.

    Lower case and no folding: `straße@` and `strasse@` are two mailboxes.
    """
    return normalize("NFC", value).lower() if kind == "email" else value
