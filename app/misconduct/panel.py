"""Who sits on a panel, and what their votes come to."""

from collections import Counter
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import Person, list_roles
from app.assessors.store import Assessor
from app.errors import Fault, InvalidInput, NotFound
from app.learners.store import list_same_person
from app.misconduct.store import Vote
from app.programs.store import list_affiliations
from app.readings.store import Reading
from app.submissions.store import Submission

ROLES = frozenset({"lead", "approver", "director"})
SEVERITY: tuple[Vote, ...] = ("dismissed", "suspend", "void")
"""From the mildest to the harshest."""


class PanelUnfit(InvalidInput):
    """Somebody on the panel may not judge this case."""

    code = "misconduct_panel"


async def get_people(session: AsyncSession, issuer_id: str, person_ids: Sequence[str]) -> dict[str, Person]:
    """These people by id. Raises NotFound unless all are the issuer's."""
    query = select(Person).where(Person.issuer_id == issuer_id, Person.id.in_(person_ids))
    people = {person.id: person for person in (await session.scalars(query)).all()}
    if len(people) < len(set(person_ids)):
        raise NotFound("There is no person with this id.")
    return people


async def require_panel(
    session: AsyncSession, submission: Submission, panel: Sequence[str], *, not_among: Collection[str]
) -> None:
    """Members are in office, stand far from the learner, have not read the work, and are not among these ids.

    Raises NotFound for an unknown person, PanelUnfit naming each who may not.
    """
    unfit = await _find_unfit(session, submission, panel, not_among)
    faults = []
    for i, person_id in enumerate(panel):
        why = "is named twice" if person_id in panel[:i] else unfit.get(person_id)
        if why is not None:
            faults.append(Fault(f"/panel/{i}", why, "name somebody else"))
    if faults:
        raise PanelUnfit("Somebody on the panel may not judge this case.", faults=faults)


async def require_replacement(
    session: AsyncSession, submission: Submission, person_id: str, *, not_among: Collection[str]
) -> None:
    """As `require_panel`, of one who joins a panel; what became of the others meanwhile is not asked."""
    unfit = await _find_unfit(session, submission, [person_id], not_among)
    if person_id in unfit:
        fault = Fault("/replacement_id", unfit[person_id], "name somebody else")
        raise PanelUnfit("This person may not judge this case.", faults=[fault])


async def _find_unfit(
    session: AsyncSession, submission: Submission, panel: Sequence[str], not_among: Collection[str]
) -> dict[str, str]:
    """Who of these may not judge the case, and why."""
    issuer_id = submission.issuer_id
    people = await get_people(session, issuer_id, panel)
    roles = await list_roles(session, issuer_id, list(panel))
    learner = set(await list_same_person(session, issuer_id, submission.learner_id))
    close = {each.person_id for each in await list_affiliations(session, issuer_id, submission.learner_id)}
    readers = await _list_readers(session, submission)
    unfit = {}
    for person_id, person in people.items():
        if not person.is_active or not ROLES.intersection(roles[person_id]):
            unfit[person_id] = "is not a lead, approver or director in office"
        elif person_id in close or person.learner_id in learner:
            unfit[person_id] = "is affiliated with the learner, or is the learner"
        elif person_id in readers:
            unfit[person_id] = "has read the submission, or holds a reading of it"
        elif person_id in not_among:
            unfit[person_id] = "opened the case, sits on the panel already, or sat on the first one"
    return unfit


def judge(votes: Sequence[Vote], size: int) -> Vote | None:
    """The outcome of a panel of this size, or None while votes to come could change it. PURE.

    It is the harshest measure that more than half of the panel voted for or would have gone beyond: one vote each for dismissed,
    suspend and void come to suspend; half and half to the milder of the two.
    """
    missing = size - len(votes)
    mildest = _outcome([*votes, *[SEVERITY[0]] * missing], size)
    harshest = _outcome([*votes, *[SEVERITY[-1]] * missing], size)
    return mildest if mildest == harshest else None


def _outcome(votes: Sequence[Vote], size: int) -> Vote:
    counts = Counter(votes)
    so_far = 0
    for measure in reversed(SEVERITY):
        so_far += counts[measure]
        if 2 * so_far > size:
            return measure
    return SEVERITY[0]


async def _list_readers(session: AsyncSession, submission: Submission) -> set[str]:
    query = (
        select(Assessor.person_id)
        .join(Reading, (Reading.issuer_id == Assessor.issuer_id) & (Reading.assessor_id == Assessor.id))
        .where(Reading.issuer_id == submission.issuer_id, Reading.submission_id == submission.id)
    )
    return {person_id for person_id in (await session.scalars(query)).all() if person_id is not None}
