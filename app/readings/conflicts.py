"""Who stands too close to a learner to judge their work."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import get_person
from app.assessors.store import Assessor
from app.errors import Conflict
from app.learners.store import Learner, get_learner
from app.programs.store import Affiliation, Enrollment
from app.submissions.store import Submission, TeamMember


class ConflictOfInterest(Conflict):
    """The assessor stands too close to the learner."""

    code = "conflict_of_interest"


async def find_conflict(session: AsyncSession, assessor: Assessor, submission: Submission) -> str | None:
    """Why the assessor may not read the submission: "own_work", "team_mate", the kind of an affiliation, "same_school".

    All of it also where it is of a learner who is merged with the submission's.
    """
    issuer_id = submission.issuer_id
    selves = await list_selves(session, issuer_id, submission.learner_id)
    person = await get_person(session, issuer_id, assessor.person_id)
    if person.learner_id in selves:
        return "own_work"
    if person.learner_id is not None and submission.team_id is not None:
        mates = await _list_team(session, issuer_id, submission.team_id)
        if not mates.isdisjoint(await list_selves(session, issuer_id, person.learner_id)):
            return "team_mate"
    kinds = select(Affiliation.kind).where(
        Affiliation.issuer_id == issuer_id,
        Affiliation.learner_id.in_(selves),
        Affiliation.person_id == assessor.person_id,
        Affiliation.ended_at.is_(None),
    )
    affiliation = (await session.scalars(kinds.order_by(Affiliation.created_at, Affiliation.id).limit(1))).first()
    if affiliation is not None:
        return affiliation
    return "same_school" if await _is_same_school(session, assessor, selves) else None


async def list_selves(session: AsyncSession, issuer_id: str, learner_id: str) -> Sequence[str]:
    """Ids of the learner and of everybody who is merged with them."""
    survivor = (await get_learner(session, issuer_id, learner_id)).merged_into or learner_id
    query = select(Learner.id).where(
        Learner.issuer_id == issuer_id, or_(Learner.id == survivor, Learner.merged_into == survivor)
    )
    return (await session.scalars(query.order_by(Learner.id))).all()


async def _list_team(session: AsyncSession, issuer_id: str, team_id: str) -> set[str]:
    query = select(Enrollment.learner_id).join(
        TeamMember,
        (TeamMember.issuer_id == Enrollment.issuer_id) & (TeamMember.enrollment_id == Enrollment.id),
    )
    found = await session.scalars(query.where(TeamMember.issuer_id == issuer_id, TeamMember.team_id == team_id))
    return set(found.all())


async def _is_same_school(session: AsyncSession, assessor: Assessor, selves: Sequence[str]) -> bool:
    if assessor.school is None:
        return False
    query = select(Enrollment.school).where(
        Enrollment.issuer_id == assessor.issuer_id, Enrollment.learner_id.in_(selves), Enrollment.school.is_not(None)
    )
    schools = {str(school).strip().casefold() for school in (await session.scalars(query)).all()}
    return assessor.school.strip().casefold() in schools
