"""Verbs on people: enter one, change one, give and take roles."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Role
from app.access.sessions import end_session
from app.access.store import Person, PersonRole, list_roles, list_sessions
from app.audit.store import audit
from app.errors import ExternalIdTaken, Fault, Gone, InvalidInput, NotFound
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.keys.vault import Vault
from app.learners.store import lock_learner, require_not_merged
from app.people.identities import (
    PersonTaken,
    add_person_identity,
    open_person,
    open_person_key,
    replace_person_identity,
)
from app.people.jobs import END_GRANTS_JOB, RECHECK_PERSON_JOB
from app.people.store import SignInLink

__all__ = ["PersonFacts", "PersonTaken", "create_person", "open_person", "open_person_key"]


class LearnerRoleNeedsLearner(InvalidInput):
    """The role learner is about somebody's own attempts, so it needs to be known which learner they are."""

    code = "learner_role_needs_learner"


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """Who is to be entered, in the clear."""

    name: str
    email: str
    external_id: str | None = None
    learner_id: str | None = None


@dataclass(frozen=True, slots=True)
class PersonChanges:
    """What is to be different; None leaves it as it is."""

    name: str | None = None
    email: str | None = None
    is_active: bool | None = None
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
    """A new person with a key of their own. Raises PersonTaken, ExternalIdTaken, NotFound for an unknown learner, Gone."""
    if facts.external_id is not None:
        await _require_external_id_free(session, issuer_id, facts.external_id)
    if facts.learner_id is not None:
        await _require_learner_free(session, issuer_id, facts.learner_id)
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
    await add_person_identity(session, vault, person, "name", facts.name, now=now)
    await add_person_identity(session, vault, person, "email", facts.email, now=now)
    for role in sorted(roles):
        session.add(PersonRole(issuer_id=issuer_id, person_id=person_id, role=role, granted_by=actor, granted_at=now))
    audit(session, issuer_id=issuer_id, actor=actor, action="person.created", object_id=person_id,
          content={"roles": sorted(roles)}, at=now)  # fmt: skip
    record_event(session, issuer_id, "person.created", person_id, at=now, data={"roles": sorted(roles)})
    await session.flush()
    return person


async def change_person(
    session: AsyncSession, vault: Vault, person: Person, changes: PersonChanges, *, actor: str, now: datetime
) -> None:
    """Change a person, who is locked. Who is no longer active is signed out everywhere, and no link of theirs signs in.

    Links to an address that is no longer theirs end too. Raises PersonTaken, NotFound for an unknown learner, Gone.
    """
    known = await open_person(session, vault, person)
    changed = []
    if changes.name not in (None, known.name):
        await replace_person_identity(session, vault, person, "name", changes.name, now)
        changed.append("name")
    if changes.email not in (None, known.email):
        await replace_person_identity(session, vault, person, "email", changes.email, now)
        await end_links(session, person, now)
        changed.append("email")
    if changes.learner_id not in (None, person.learner_id):
        await _require_learner_free(session, person.issuer_id, changes.learner_id)
        person.learner_id = changes.learner_id
        changed.append("learner_id")
    if changes.is_active not in (None, person.is_active):
        person.is_active = changes.is_active
        changed.append("is_active")
        if not person.is_active:
            await sign_out_everywhere(session, person, actor=actor, now=now)
    if changed:
        person.updated_at = now
        audit(session, issuer_id=person.issuer_id, actor=actor, action="person.changed", object_id=person.id,
              content={"changed": changed}, at=now)  # fmt: skip
        record_event(session, person.issuer_id, "person.changed", person.id, at=now, data={"changed": changed})
    if {"learner_id", "is_active"}.intersection(changed):
        _recheck_readings(session, person, now)
    await session.flush()


async def change_roles(
    session: AsyncSession, person: Person, roles: Collection[Role], *, actor: str, now: datetime
) -> None:
    """Let these be the roles of a person, who is locked, from now on: also in sessions that are under way.

    Raises LearnerRoleNeedsLearner, and Gone for somebody who was erased.
    """
    if person.sealed_key is None:
        raise Gone("The person's data has been erased.")
    require_roles_fit(roles, person.learner_id)
    has = set((await list_roles(session, person.issuer_id, [person.id]))[person.id])
    granted, revoked = sorted(set(roles) - has), sorted(has - set(roles))
    for role in granted:
        session.add(
            PersonRole(issuer_id=person.issuer_id, person_id=person.id, role=role, granted_by=actor, granted_at=now)
        )
    await take_roles(session, person, revoked, now)
    if granted or revoked:
        person.updated_at = now
        content = {"granted": granted, "revoked": revoked}
        audit(session, issuer_id=person.issuer_id, actor=actor, action="person.roles_changed", object_id=person.id,
              content=content, at=now)  # fmt: skip
        record_event(session, person.issuer_id, "person.roles_changed", person.id, at=now, data=content)
    await session.flush()


async def take_roles(session: AsyncSession, person: Person, roles: Collection[str], now: datetime) -> None:
    """Delete these roles of a person: what they were to read in one of them goes to somebody else."""
    if not roles:
        return
    query = select(PersonRole).where(
        PersonRole.issuer_id == person.issuer_id, PersonRole.person_id == person.id, PersonRole.role.in_(roles)
    )
    for row in (await session.scalars(query)).all():
        await session.delete(row)
    _recheck_readings(session, person, now)


def _recheck_readings(session: AsyncSession, person: Person, now: datetime) -> None:
    payload = {"issuer_id": person.issuer_id, "person_id": person.id}
    enqueue(session, RECHECK_PERSON_JOB, payload, run_at=now)


def require_roles_fit(roles: Collection[str], learner_id: str | None) -> None:
    """Raises LearnerRoleNeedsLearner."""
    if "learner" in roles and learner_id is None:
        fault = Fault("/roles", "has learner, but the person is tied to no learner", "give learner_id as well")
        raise LearnerRoleNeedsLearner("The role learner needs a learner_id.", faults=[fault])


async def sign_out_everywhere(session: AsyncSession, person: Person, *, actor: str, now: datetime) -> int:
    """End every session and link of a person, and soon what they let other software do: how many sessions there were."""
    sessions = await list_sessions(session, person.issuer_id, person.id)
    for each in sessions:
        end_session(session, each, actor=actor, now=now)
    await end_links(session, person, now)
    payload = {"issuer_id": person.issuer_id, "person_id": person.id, "until": now.isoformat()}
    enqueue(session, END_GRANTS_JOB, payload, run_at=now)
    return len(sessions)


async def end_links(session: AsyncSession, person: Person, now: datetime) -> None:
    """Let no sign-in link that is under way sign this person in any more."""
    live = (SignInLink.issuer_id == person.issuer_id, SignInLink.person_id == person.id, SignInLink.expires_at > now)
    await session.execute(update(SignInLink).where(*live).values(expires_at=now))


async def lock_person(session: AsyncSession, issuer_id: str, person_id: str) -> Person:
    """The person, their row locked. Raises NotFound."""
    query = select(Person).where(Person.issuer_id == issuer_id, Person.id == person_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    person = (await session.scalars(locked)).one_or_none()
    if person is None:
        raise NotFound("There is no person with this id.")
    return person


async def find_person_of_learner(session: AsyncSession, issuer_id: str, learner_id: str) -> Person | None:
    """Who signs in as this learner, their row locked."""
    query = select(Person).where(Person.issuer_id == issuer_id, Person.learner_id == learner_id)
    return (await session.scalars(query.with_for_update())).one_or_none()


async def _require_external_id_free(session: AsyncSession, issuer_id: str, external_id: str) -> None:
    query = select(Person.id).where(Person.issuer_id == issuer_id, Person.external_id == external_id)
    if (await session.scalars(query)).one_or_none() is not None:
        raise ExternalIdTaken(f"There is already a person with external_id {external_id!r}.")


async def _require_learner_free(session: AsyncSession, issuer_id: str, learner_id: str) -> None:
    # Locked: their erasure, which erases this person too, comes before or after.
    learner = require_not_merged(await lock_learner(session, issuer_id, learner_id))
    if learner.sealed_key is None:
        raise Gone("The learner's personal data has been erased.")
    holder = await find_person_of_learner(session, issuer_id, learner_id)
    if holder is not None:
        raise PersonTaken(f"The learner is the person {holder.id}.")
