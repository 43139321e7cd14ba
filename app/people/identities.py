"""What people are known by: sealed under a key of their own, found again by a blind index."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import Person
from app.errors import Conflict, Gone
from app.identifiers import new_id
from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import normalize_identity
from app.people.store import PersonIdentity

Kind = Literal["name", "email", "oidc"]


class PersonTaken(Conflict):
    """Somebody of this issuer is known by this e-mail address, or is this learner, already."""

    code = "person_taken"


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Name and address in the clear, and the providers the person has signed in at."""

    name: str
    email: str
    provider_ids: Sequence[str] = ()


def open_person_key(vault: Vault, person: Person) -> PersonalKey:
    """The key everything of this person is sealed under. Raises Gone once it is destroyed."""
    if person.sealed_key is None:
        raise Gone("The person's data has been erased.")
    return vault.open_personal_key(person.sealed_key, issuer_id=person.issuer_id, owner_id=person.id)


def identity_indexes(
    vault: Vault, issuer_id: str, kind: Kind, value: str, provider_id: str | None = None
) -> list[bytes]:
    """Everything the identity may be entered under, the index of today's key first. A name has none.

    A subject is unique at its provider only (OpenID Connect Core 1.0, section 5.7), so the provider is part of what is hashed.
    """
    if kind == "name":
        return []
    text = f"{provider_id}\x00{value}" if kind == "oidc" else normalize_identity(kind, value)
    return vault.blind_indexes(issuer_id, f"person:{kind}", text)


async def find_person_by_index(
    session: AsyncSession, issuer_id: str, kind: Kind, indexes: Sequence[bytes]
) -> Person | None:
    """Who has the identity with one of these indexes."""
    held = (PersonIdentity.issuer_id == Person.issuer_id) & (PersonIdentity.person_id == Person.id)
    query = (
        select(Person)
        .join(PersonIdentity, held)
        .where(
            PersonIdentity.issuer_id == issuer_id,
            PersonIdentity.kind == kind,
            PersonIdentity.blind_index.in_(indexes),
        )
    )
    return (await session.scalars(query)).one_or_none()


async def list_person_identities(
    session: AsyncSession, issuer_id: str, person_ids: Iterable[str]
) -> dict[str, list[PersonIdentity]]:
    """The rows of each of these people, oldest first."""
    rows: dict[str, list[PersonIdentity]] = {person_id: [] for person_id in person_ids}
    query = select(PersonIdentity).where(
        PersonIdentity.issuer_id == issuer_id, PersonIdentity.person_id.in_(list(rows))
    )
    for row in (await session.scalars(query.order_by(PersonIdentity.created_at, PersonIdentity.id))).all():
        rows[row.person_id].append(row)
    return rows


async def open_person(session: AsyncSession, vault: Vault, person: Person) -> KnownPerson:
    """What the person is known by, in the clear. Raises Gone."""
    rows = await list_person_identities(session, person.issuer_id, [person.id])
    return unseal_person(open_person_key(vault, person), rows[person.id])


def unseal_person(key: PersonalKey, rows: Iterable[PersonIdentity]) -> KnownPerson:
    """The same from the rows of one person."""
    rows = list(rows)
    values = {row.kind: open_person_value(key, row) for row in rows if row.kind != "oidc"}
    providers = [row.provider_id for row in rows if row.provider_id is not None]
    return KnownPerson(values["name"], values["email"], providers)


def open_person_value(key: PersonalKey, row: PersonIdentity) -> str:
    """The value that the row of an identity holds."""
    return key.open(row.sealed_value, table="person_identity", row=row.id, column="sealed_value").decode()


async def add_person_identity(
    session: AsyncSession,
    vault: Vault,
    person: Person,
    kind: Kind,
    value: str,
    *,
    provider_id: str | None = None,
    now: datetime,
) -> None:
    """Enter an identity. Raises PersonTaken when another person has it, Gone."""
    indexes = identity_indexes(vault, person.issuer_id, kind, value, provider_id)
    holder = await find_person_by_index(session, person.issuer_id, kind, indexes) if indexes else None
    if holder is not None:
        raise PersonTaken(
            f"The {'e-mail address' if kind == 'email' else 'subject'} belongs to the person {holder.id}."
        )
    id_ = new_id()
    sealed = open_person_key(vault, person).seal(
        value.encode(), table="person_identity", row=id_, column="sealed_value"
    )
    session.add(
        PersonIdentity(
            issuer_id=person.issuer_id,
            id=id_,
            person_id=person.id,
            kind=kind,
            provider_id=provider_id,
            blind_index=indexes[0] if indexes else None,
            sealed_value=sealed,
            created_at=now,
        )
    )
    await session.flush()


async def replace_person_identity(
    session: AsyncSession, vault: Vault, person: Person, kind: Literal["name", "email"], value: str, now: datetime
) -> None:
    """Let the person's only name or address be this one. Raises PersonTaken, Gone."""
    await session.execute(
        delete(PersonIdentity).where(
            PersonIdentity.issuer_id == person.issuer_id,
            PersonIdentity.person_id == person.id,
            PersonIdentity.kind == kind,
        )
    )
    await add_person_identity(session, vault, person, kind, value, now=now)


def reindex(vault: Vault, key: PersonalKey, row: PersonIdentity) -> bool:
    """Give the row the index that follows from today's key-encryption key. False when it has none to be found by."""
    if row.blind_index is None:
        return False
    kind: Kind = "oidc" if row.kind == "oidc" else "email"
    value = open_person_value(key, row)
    row.blind_index = identity_indexes(vault, row.issuer_id, kind, value, row.provider_id)[0]
    return True
