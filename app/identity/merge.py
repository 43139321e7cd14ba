"""The verb that makes one learner of two who are one person.

Identities, awards and badges move to the survivor, and what is sealed of them anew is sealed under the survivor's key. Decisions
and editions are never changed: they stay under the other's key, which lives as long as the survivor's. A merge cannot be undone.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.credentials.jobs import HOLDINGS_JOB
from app.credentials.store import Award, list_credentials_of_learner, lock_credentials_of_learner
from app.errors import Fault, InvalidInput, NotFound
from app.events.store import record_event
from app.identity.change import Changed
from app.identity.reissue import ask_for_reissue
from app.jobs.queue import enqueue
from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import open_key, open_known, open_value, seal_value
from app.learners.store import Learner, list_identities, lock_with_merged, require_not_merged
from app.people.identities import PersonTaken
from app.people.people import find_person_of_learner
from app.programs.jobs import RECHECK_CONFLICTS_JOB
from app.programs.store import list_enrollments_of_learners
from app.resources import Resources


@dataclass(frozen=True, slots=True)
class Merged(Changed):
    """The survivor. `duplicates` are the badges in force, by achievement, where there is more than one of it."""

    duplicates: Mapping[str, Sequence[str]]


async def merge_learners(
    session: AsyncSession,
    world: Resources,
    issuer_id: str,
    survivor_id: str,
    other_id: str,
    *,
    actor: str,
    now: datetime,
) -> Merged:
    """Merge the other into the survivor. Done already, it changes nothing.

    What both have is the survivor's: name, primary e-mail address and DID; the other's address and DID become further ones. Both
    external ids go on finding the survivor. Raises NotFound, LearnerMerged, Gone, PersonTaken, and InvalidInput for merging into
    oneself.
    """
    locked = await lock_with_merged(session, issuer_id, survivor_id, other_id)
    survivor, other = locked.get(survivor_id), locked.get(other_id)
    if survivor is None or other is None:
        raise NotFound("There is no learner with this id.")
    if survivor is other:
        fault = Fault("/learner_id", "is the learner themselves", "name the other of the two")
        raise InvalidInput("A learner cannot be merged into themselves.", faults=[fault])
    require_not_merged(survivor)
    key = open_key(world.vault, survivor)
    reissuing = 0
    if other.merged_into != survivor.id:
        require_not_merged(other)
        for each in locked.values():
            if each.merged_into == other.id:
                each.merged_into = survivor.id
        reissuing = await _merge(session, world.vault, survivor, other, key, actor, now)
    known = await open_known(session, world.vault, survivor)
    return Merged(survivor, known, reissuing, await _duplicates(session, survivor))


async def _merge(
    session: AsyncSession, vault: Vault, survivor: Learner, other: Learner, key: PersonalKey, actor: str, now: datetime
) -> int:
    other_key = open_key(vault, other)
    await _move_person(session, survivor, other)
    await _move_identities(session, survivor, other, key, other_key)
    moved = await _move_badges(session, survivor, other, key, other_key, now)
    if survivor.external_id is None and other.external_id is not None:
        external_id, other.external_id = other.external_id, None
        await session.flush()  # first this: the database admits it once
        survivor.external_id = external_id
    other.merged_into = survivor.id
    survivor.updated_at = other.updated_at = now
    # Later than either has used: a decision has one edition of each version.
    survivor.identity_version = max(survivor.identity_version, other.identity_version)
    audit(session, issuer_id=survivor.issuer_id, actor=actor, action="learner.merged", object_id=other.id,
          content={"into": survivor.id, "credentials": moved}, at=now)  # fmt: skip
    record_event(
        session,
        survivor.issuer_id,
        "learner.merged",
        other.id,
        at=now,
        data={"into": survivor.id, "credentials": moved},
    )
    record_event(session, survivor.issuer_id, "learner.changed", survivor.id, at=now, data={"merged": [other.id]})
    await _recheck_conflicts(session, survivor, other, now)
    payload = {"issuer_id": survivor.issuer_id, "learner_id": survivor.id, "achievement_id": None}
    enqueue(session, HOLDINGS_JOB, payload, run_at=now)
    await session.flush()
    return await ask_for_reissue(session, vault, survivor, changed=True, at=now)


async def _move_person(session: AsyncSession, survivor: Learner, other: Learner) -> None:
    """Who signs in as the other signs in as the survivor. Raises PersonTaken where both sign in."""
    person = await find_person_of_learner(session, other.issuer_id, other.id)
    if person is None:
        return
    if await find_person_of_learner(session, survivor.issuer_id, survivor.id) is not None:
        raise PersonTaken(
            "Both learners sign in, as two people.", cure=f"Erase one of them first: POST /v1/people/{person.id}/erase."
        )
    person.learner_id = survivor.id


async def _recheck_conflicts(session: AsyncSession, survivor: Learner, other: Learner, now: datetime) -> None:
    """Who is affiliated with either of the two, or works where either does, reads the work of neither."""
    both = [survivor.id, other.id]
    enrollments = await list_enrollments_of_learners(session, survivor.issuer_id, both)
    for learner_id in sorted({each.learner_id for each in enrollments}):
        payload = {"issuer_id": survivor.issuer_id, "learner_id": learner_id}
        enqueue(session, RECHECK_CONFLICTS_JOB, payload, run_at=now)


async def _move_identities(
    session: AsyncSession, survivor: Learner, other: Learner, key: PersonalKey, other_key: PersonalKey
) -> None:
    rows = await list_identities(session, survivor.issuer_id, [survivor.id])
    has = {row.kind for row in rows if row.is_primary}
    for row in await list_identities(session, other.issuer_id, [other.id]):
        if row.kind == "name" and "name" in has:
            await session.delete(row)
            continue
        value = open_value(other_key, row)
        row.learner_id = survivor.id
        row.is_primary = row.is_primary and row.kind not in has
        row.sealed_value = seal_value(key, row.id, value)
    await session.flush()


async def _move_badges(
    session: AsyncSession, survivor: Learner, other: Learner, key: PersonalKey, other_key: PersonalKey, now: datetime
) -> list[str]:
    """Ids of the badges that moved."""
    credentials = await lock_credentials_of_learner(session, other.issuer_id, other.id)
    for credential in credentials:
        if credential.sealed_reason is not None:
            place = {"table": "credential", "row": credential.id, "column": "sealed_reason"}
            credential.sealed_reason = key.seal(other_key.open(credential.sealed_reason, **place), **place)
        credential.learner_id, credential.updated_at = survivor.id, now
    theirs = (Award.issuer_id == other.issuer_id, Award.learner_id == other.id)
    await session.execute(update(Award).where(*theirs).values(learner_id=survivor.id))
    return [credential.id for credential in credentials]


async def _duplicates(session: AsyncSession, learner: Learner) -> dict[str, list[str]]:
    in_force: dict[str, list[str]] = defaultdict(list)
    for credential in await list_credentials_of_learner(session, learner.issuer_id, learner.id):
        if credential.state not in ("revoked", "failed"):
            in_force[credential.achievement_id].append(credential.id)
    return {achievement_id: ids for achievement_id, ids in in_force.items() if len(ids) > 1}
