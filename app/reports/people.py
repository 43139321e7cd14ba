"""Who is enrolled in a program, as of a moment: people, not rows."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import read_rows
from app.events.store import Event
from app.learners.store import Learner
from app.programs.store import Enrollment
from app.reports.filters import Reported

_STATES = ("active", "completed", "enrolled", "lapsed", "withdrawn", "invited")
"""Of somebody with two enrollments, who turned out to be one person, the first of these counts."""
_TAKEN_UP = ("enrolled", "active", "completed")


@dataclass(frozen=True, slots=True)
class EnrolledPerson:
    """`state` is that of the enrollment as of the moment. `enrolled_at` is when they took up their place; null for who was
    invited and has not. `cohorts` are those they are in today."""

    id: str
    cohorts: frozenset[str | None]
    state: str
    enrolled_at: datetime | None


@dataclass(frozen=True, slots=True)
class People:
    """Everybody with an enrollment in the program by the moment, by the learner's id; `shown` are ids of those asked for."""

    everybody: Mapping[str, EnrolledPerson]
    shown: frozenset[str]
    is_small: bool

    def list_enrolled(self) -> list[EnrolledPerson]:
        """Those asked for who have taken up their place, whatever became of it since."""
        return [each for each in self.everybody.values() if each.id in self.shown and each.enrolled_at is not None]

    def count_states(self) -> Counter[str]:
        """Of those asked for, by state."""
        return Counter(self.everybody[id_].state for id_ in self.shown)


async def load_people(session: AsyncSession, reported: Reported) -> People:
    """Two learners who were merged are one person, also before the merge: it only found out who they are."""
    issuer_id, filters = reported.issuer_id, reported.filters
    of_program = (Enrollment.issuer_id == issuer_id, Enrollment.program_id == reported.program.id)
    query = (
        select(
            Enrollment.id, func.coalesce(Learner.merged_into, Learner.id), Enrollment.cohort_id, Enrollment.state,
            Enrollment.created_at,
        )
        .join(Learner, (Learner.issuer_id == Enrollment.issuer_id) & (Learner.id == Enrollment.learner_id))
        .where(*of_program, Enrollment.created_at <= filters.as_of)
    )  # fmt: skip
    changes = (
        select(Event.object_id, Event.occurred_at, Event.data["state"].as_string())
        .where(
            Event.issuer_id == issuer_id,
            Event.object_id.in_(select(Enrollment.id).where(*of_program)),
            Event.type.in_(("enrollment.created", "enrollment.state_changed")),
        )
        .order_by(Event.object_id, Event.position)
    )
    histories: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for enrollment_id, moment, came_to in await read_rows(session, changes):
        histories[enrollment_id].append((moment, came_to))
    found: dict[str, list[EnrolledPerson]] = defaultdict(list)
    for enrollment_id, person_id, cohort_id, state, created_at in await read_rows(session, query):
        history = histories.get(enrollment_id) or [(created_at, state)]
        found[person_id].append(_look_back(person_id, cohort_id, history, filters.as_of))
    everybody = {person_id: _unite(enrollments) for person_id, enrollments in found.items()}
    return _choose(everybody, reported)


def _look_back(
    person_id: str, cohort_id: str | None, history: Sequence[tuple[datetime, str]], as_of: datetime
) -> EnrolledPerson:
    # An enrollment may be entered as withdrawn or lapsed: that one was taken up before we knew of it.
    known = [(moment, state) for moment, state in history if moment <= as_of] or [history[0]]
    taken_up = (moment for number, (moment, state) in enumerate(known)
                if state in _TAKEN_UP or (number == 0 and state != "invited"))  # fmt: skip
    return EnrolledPerson(person_id, frozenset({cohort_id}), known[-1][1], next(taken_up, None))


def _unite(enrollments: Sequence[EnrolledPerson]) -> EnrolledPerson:
    first = min(enrollments, key=lambda each: _STATES.index(each.state))
    if len(enrollments) == 1:
        return first
    moments = [each.enrolled_at for each in enrollments if each.enrolled_at is not None]
    cohorts = frozenset[str | None]().union(*(each.cohorts for each in enrollments))
    return EnrolledPerson(first.id, cohorts, first.state, min(moments, default=None))


def _choose(everybody: Mapping[str, EnrolledPerson], reported: Reported) -> People:
    cohort_id = reported.filters.cohort_id
    if cohort_id is None:
        return People(everybody, frozenset(everybody), is_small=False)
    sizes = Counter(cohort for each in everybody.values() if each.enrolled_at is not None for cohort in each.cohorts)
    shown = frozenset(each.id for each in everybody.values() if cohort_id in each.cohorts)
    return People(everybody, shown, is_small=cohort_id in find_small(sizes, reported.minimum_cell))


def find_small(sizes: Mapping[str | None, int], minimum: int) -> set[str | None]:
    """Groups of one whole whose results are not told: those of 1 to `minimum` - 1 people, and the next smallest ones until
    those left out have `minimum` together. Else what is told of the others and of the whole would give them away."""
    ordered = sorted((size, str(group), group) for group, size in sizes.items() if size)
    hidden: set[str | None] = set()
    people = 0
    for size, _, group in ordered:
        if size >= minimum and (people == 0 or (people >= minimum and len(hidden) > 1)):
            break
        hidden.add(group)
        people += size
    return hidden
