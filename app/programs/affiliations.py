"""Verbs on affiliations: who stands too close to a learner to judge their work."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import get_person
from app.audit.store import audit
from app.errors import Conflict, NotFound
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.learners.store import get_learner, require_not_merged
from app.programs.jobs import RECHECK_CONFLICTS_JOB
from app.programs.store import Affiliation, AffiliationKind, list_affiliations


class AffiliationDeclared(Conflict):
    """The very affiliation stands already."""

    code = "affiliation_declared"


class AffiliationEnded(Conflict):
    code = "affiliation_ended"


async def declare_affiliation(
    session: AsyncSession,
    issuer_id: str,
    learner_id: str,
    person_id: str,
    kind: AffiliationKind,
    *,
    actor: str,
    now: datetime,
) -> Affiliation:
    """From now on the person reads nothing of the learner's; what they hold is taken away by a job.

    Raises NotFound, LearnerMerged, AffiliationDeclared.
    """
    require_not_merged(await get_learner(session, issuer_id, learner_id))
    await get_person(session, issuer_id, person_id)
    for each in await list_affiliations(session, issuer_id, learner_id):
        if (each.person_id, each.kind) == (person_id, kind):
            raise AffiliationDeclared(f"This affiliation was declared before: {each.id}.")
    affiliation = Affiliation(
        issuer_id=issuer_id, id=new_id(), learner_id=learner_id, person_id=person_id, kind=kind, declared_by=actor,
        created_at=now, ended_at=None,
    )  # fmt: skip
    session.add(affiliation)
    await session.flush()
    enqueue(session, RECHECK_CONFLICTS_JOB, {"issuer_id": issuer_id, "learner_id": learner_id}, run_at=now)
    _note(session, affiliation, "declared", actor, now)
    return affiliation


async def end_affiliation(
    session: AsyncSession, issuer_id: str, affiliation_id: str, *, actor: str, now: datetime
) -> Affiliation:
    """The affiliation is over: the person may read the learner's work again. Raises NotFound, AffiliationEnded."""
    query = select(Affiliation).where(Affiliation.issuer_id == issuer_id, Affiliation.id == affiliation_id)
    affiliation = (await session.scalars(query)).one_or_none()
    if affiliation is None:
        raise NotFound("There is no affiliation with this id.")
    # Asked of the row itself: of two who end it at once, one does.
    ending = (
        update(Affiliation)
        .where(Affiliation.issuer_id == issuer_id, Affiliation.id == affiliation_id, Affiliation.ended_at.is_(None))
        .values(ended_at=now)
        .returning(Affiliation.id)
        .execution_options(synchronize_session=False)
    )
    if (await session.execute(ending)).first() is None:
        raise AffiliationEnded("The affiliation has ended before.")
    await session.refresh(affiliation)
    _note(session, affiliation, "ended", actor, now)
    return affiliation


def _note(session: AsyncSession, affiliation: Affiliation, what: str, actor: str, now: datetime) -> None:
    content = {"person_id": affiliation.person_id, "learner_id": affiliation.learner_id, "kind": affiliation.kind}
    audit(session, issuer_id=affiliation.issuer_id, actor=actor, action=f"affiliation.{what}",
          object_id=affiliation.id, content=content, at=now)  # fmt: skip
    record_event(session, affiliation.issuer_id, f"affiliation.{what}", affiliation.id, at=now, data=content)
