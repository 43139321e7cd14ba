"""Who is enrolled in a program, as of a moment: people, not rows."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import read_rows
from app.events.store import Event
from app.learners.store import load_merged
from app.programs.store import Enrollment
from app.reports.disclosure import Counted, Disclosure
from app.reports.filters import Filters, Reported

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
    """Everybody with an enrollment in the program by the moment, by the learner's id; `shown` are ids of those asked for. `known`
    are also those who came later: they are in no report, and decide with the others what is told."""

    everybody: Mapping[str, EnrolledPerson]
    shown: frozenset[str]
    known: Mapping[str, EnrolledPerson]

    def list_enrolled(self) -> list[EnrolledPerson]:
        """Those asked for who have taken up their place, whatever became of it since."""
        return [each for each in self.everybody.values() if each.id in self.shown and each.enrolled_at is not None]

    def count_states(self) -> Counter[str]:
        """Of those asked for, by state."""
        return Counter(self.everybody[id_].state for id_ in self.shown)


async def load_people(session: AsyncSession, reported: Reported) -> People:
    """Two learners who were merged are one person, also before the merge: it only found out who they are."""
    issuer_id, filters = reported.issuer_id, reported.filters
    query = select(
        Enrollment.id, Enrollment.learner_id, Enrollment.cohort_id, Enrollment.state, Enrollment.created_at
    ).where(
        Enrollment.issuer_id == issuer_id, Enrollment.program_id == reported.program.id
    )  # fmt: skip
    merged = await load_merged(session, issuer_id)
    histories = await _load_histories(session, reported)
    found: dict[str, list[EnrolledPerson]] = defaultdict(list)
    later: dict[str, EnrolledPerson] = {}
    for enrollment_id, learner_id, cohort_id, state, created_at in await read_rows(session, query):
        person_id = merged.get(learner_id, learner_id)
        history, is_later = histories.get(enrollment_id), created_at > filters.as_of
        if history is None:
            person = EnrolledPerson(
                person_id, frozenset({cohort_id}), state, None if state == "invited" else created_at
            )
        else:
            person = _look_back(person_id, cohort_id, history, history[-1][0] if is_later else filters.as_of)
        if is_later:
            later[person_id] = person
        else:
            found[person_id].append(person)
    everybody = {person_id: _unite(enrollments) for person_id, enrollments in found.items()}
    return _choose(everybody, reported, later)


async def load_members(session: AsyncSession, reported: Reported) -> People:
    """As `load_people`, where nobody asks for states and times: they are left out, and take half of the work."""
    if reported.filters.is_narrowed:  # who took up their place, and when, decides what is told
        return await load_people(session, reported)
    query = select(Enrollment.learner_id, Enrollment.cohort_id).where(
        Enrollment.issuer_id == reported.issuer_id, Enrollment.program_id == reported.program.id
    )  # fmt: skip
    merged = await load_merged(session, reported.issuer_id)
    cohorts: dict[str, set[str | None]] = defaultdict(set)
    for learner_id, cohort_id in await read_rows(session, query):
        cohorts[merged.get(learner_id, learner_id)].add(cohort_id)
    return _choose({id_: EnrolledPerson(id_, frozenset(found), "", None) for id_, found in cohorts.items()}, reported)


def is_told(reported: Reported, people: People, disclosure: Disclosure) -> bool:
    """Whether the results of those asked for may be told: by what is counted, and by how many people the cohort has, who may have
    come to nothing yet."""
    filters = reported.filters
    enrolled = (
        Counted(each.id, each.cohorts, "", 0, each.enrolled_at, ())
        for each in people.known.values()
        if each.enrolled_at is not None
    )
    cohort = Filters(filters.as_of, cohort_id=filters.cohort_id)
    return disclosure.tells(filters) and Disclosure(enrolled, reported.minimum_cell).tells(cohort)


def _choose(
    everybody: Mapping[str, EnrolledPerson], reported: Reported, later: Mapping[str, EnrolledPerson] | None = None
) -> People:
    cohort_id = reported.filters.cohort_id
    shown = (id_ for id_, each in everybody.items() if cohort_id is None or cohort_id in each.cohorts)
    return People(everybody, frozenset(shown), {**(later or {}), **everybody})


async def _load_histories(session: AsyncSession, reported: Reported) -> dict[str, list[tuple[datetime, str]]]:
    """The states of the enrollments that began with an invitation, or have changed since the moment; of the others the row says
    it all: they were taken up when they were made."""
    invited = select(Event.object_id).where(
        Event.issuer_id == Enrollment.issuer_id, Event.object_id == Enrollment.id, Event.type == "enrollment.created",
        Event.data["state"].as_string() == "invited",
    )  # fmt: skip
    asked = select(Enrollment.id).where(
        Enrollment.issuer_id == reported.issuer_id,
        Enrollment.program_id == reported.program.id,
        (Enrollment.updated_at > reported.filters.as_of) | invited.exists(),
    )
    query = (
        select(Event.object_id, Event.occurred_at, Event.data["state"].as_string())
        .where(
            Event.issuer_id == reported.issuer_id,
            Event.object_id.in_(asked),
            Event.type.in_(("enrollment.created", "enrollment.state_changed")),
        )
        .order_by(Event.object_id, Event.position)
    )
    histories: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for enrollment_id, moment, came_to in await read_rows(session, query):
        histories[enrollment_id].append((moment, came_to))
    return histories


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
