"""Verbs on people: enter one, give and take roles, read what is sealed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Role
from app.access.store import Person, PersonRole
from app.audit.store import audit
from app.errors import Conflict, Gone
from app.events.store import record_event
from app.identifiers import new_id
from app.keys.vault import PersonalKey, Vault
from app.people.store import PersonIdentity


class PersonTaken(Conflict):
    """Somebody of this issuer is known by this e-mail address, or is this learner, already."""

    code = "person_taken"


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """Who is to be entered, in the clear."""

    name: str
    email: str
    external_id: str | None = None
    learner_id: str | None = None


async def create_person(
    session: AsyncSession,
    vault: Vault,
    issuer_id: str,
    facts: PersonFacts,
    *,
    roles: Collection[Role],
    actor: str,
    now: datetime,
) -> Person:
    """A new person with a key of their own. Raises PersonTaken, ExternalIdTaken, NotFound for an unknown learner."""
    person_id = new_id()
    person = Person(
        issuer_id=issuer_id,
        id=person_id,
        external_id=facts.external_id,
        learner_id=facts.learner_id,
        sealed_key=vault.new_personal_key(issuer_id, person_id),
        is_active=True,
        created_at=now,
        updated_at=now,
    )
    session.add(person)
    await session.flush()
    key = open_person_key(vault, person)
    _add_identity(session, vault, person, key, "name", facts.name, now)
    _add_identity(session, vault, person, key, "email", facts.email, now)
    for role in sorted(roles):
        session.add(PersonRole(issuer_id=issuer_id, person_id=person_id, role=role, granted_by=actor, granted_at=now))
    audit(session, issuer_id=issuer_id, actor=actor, action="person.created", object_id=person_id,
          content={"roles": sorted(roles)}, at=now)  # fmt: skip
    record_event(session, issuer_id, "person.created", person_id, at=now, data={"roles": sorted(roles)})
    await session.flush()
    return person


def open_person_key(vault: Vault, person: Person) -> PersonalKey:
    """The key everything of this person is sealed under. Raises Gone once it is destroyed."""
    if person.sealed_key is None:
        raise Gone("The person's data has been erased.")
    return vault.open_personal_key(person.sealed_key, issuer_id=person.issuer_id, owner_id=person.id)


def _add_identity(
    session: AsyncSession, vault: Vault, person: Person, key: PersonalKey, kind: str, value: str, now: datetime
) -> None:
    id_ = new_id()
    index = None if kind == "name" else vault.blind_index(person.issuer_id, f"person:{kind}", value.lower())
    session.add(
        PersonIdentity(
            issuer_id=person.issuer_id, id=id_, person_id=person.id, kind=kind, provider_id=None, blind_index=index,
            sealed_value=key.seal(value.encode(), table="person_identity", row=id_, column="sealed_value"),
            created_at=now,
        )
    )  # fmt: skip
