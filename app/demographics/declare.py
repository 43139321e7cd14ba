"""The verbs of a learner on what they say of themselves: say it, take it back. Trail and feed tell that it was done, not what."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.demographics.store import DemographicDeclaration, delete_declarations
from app.demographics.vocabulary import PREFER_NOT_TO_SAY, VocabularyBody, get_vocabulary
from app.errors import Fault, InvalidInput, NotFound
from app.events.store import record_event
from app.keys.vault import Vault
from app.learners.recipients import open_key
from app.learners.store import Learner, lock_with_merged, require_not_merged


class UnknownDemographic(InvalidInput):
    """Not one of the dimensions, or not one of its values."""

    code = "unknown_demographic"


async def declare_demographics(
    session: AsyncSession,
    vault: Vault,
    issuer_id: str,
    learner_id: str,
    values: Mapping[str, str],
    *,
    actor: str,
    now: datetime,
) -> DemographicDeclaration:
    """Replace what the learner said before. Raises NoVocabulary, UnknownDemographic, NotFound, LearnerMerged, Gone."""
    _require_known(await get_vocabulary(session, issuer_id), values)
    learner, everybody = await _lock(session, issuer_id, learner_id)
    key = open_key(vault, learner)
    sealed = key.seal(
        json.dumps(dict(values)).encode(), table="demographic_declaration", row=learner.id, column="sealed_values"
    )
    await delete_declarations(session, issuer_id, everybody)
    row = DemographicDeclaration(issuer_id=issuer_id, learner_id=learner.id, sealed_values=sealed, declared_at=now)
    session.add(row)
    await session.flush()
    _note(session, issuer_id, "declared", learner.id, actor, now)
    return row


async def withdraw_demographics(
    session: AsyncSession, issuer_id: str, learner_id: str, *, actor: str, now: datetime
) -> None:
    """Nothing is left of what the learner said; having said nothing, it changes nothing. Raises NotFound, LearnerMerged."""
    learner, everybody = await _lock(session, issuer_id, learner_id)
    await delete_declarations(session, issuer_id, everybody)
    _note(session, issuer_id, "withdrawn", learner.id, actor, now)


async def _lock(session: AsyncSession, issuer_id: str, learner_id: str) -> tuple[Learner, list[str]]:
    """The learner, and the ids under which the same person may have said something."""
    people = await lock_with_merged(session, issuer_id, learner_id)
    if learner_id not in people:
        raise NotFound("There is no learner with this id.")
    return require_not_merged(people[learner_id]), list(people)


def _require_known(vocabulary: VocabularyBody, values: Mapping[str, str]) -> None:
    known = {each.key: [PREFER_NOT_TO_SAY, *(value.key for value in each.values)] for each in vocabulary.dimensions}
    faults = []
    for dimension, value in values.items():
        if dimension not in known:
            faults.append(Fault(f"/values/{dimension}", "is not asked", f"one of {', '.join(known)}"))
        elif value not in known[dimension]:
            cure = f"one of {', '.join(known[dimension])}"
            faults.append(Fault(f"/values/{dimension}", "is not one of the values of this dimension", cure))
    if faults:
        raise UnknownDemographic("What is said does not fit the vocabulary.", faults=faults)


def _note(session: AsyncSession, issuer_id: str, what: str, learner_id: str, actor: str, now: datetime) -> None:
    action = f"demographics.{what}"
    audit(session, issuer_id=issuer_id, actor=actor, action=action, object_id=learner_id, content={}, at=now)
    record_event(session, issuer_id, action, learner_id, at=now)
