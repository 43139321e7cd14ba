"""The attempts of a program, as of a moment: each a submission, with what had become of it by then."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import read_rows
from app.events.store import Event
from app.learners.store import load_merged
from app.reports.filters import Reported
from app.reports.people import People
from app.submissions.store import Screening, Submission

_LEADS_TO: Mapping[str, str] = {
    "submission.created": "draft",
    "submission.submitted": "submitted",
    "submission.accepted": "accepted",
    "submission.scoring": "scoring",
    "submission.resolved": "resolved",
    "submission.decided": "decided",
    "submission.withdrawn": "withdrawn",
    "submission.held": "on_hold",
    "submission.voided": "void",
}
"""The state that each event leads to; `returned` and `released` depend on what was before."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A submission as it stood at the moment: what happened later is null. `submitted_at` is when it was first handed in,
    `handed_in_at` when it last was, `changed_at` when anything of it last changed."""

    id: str
    person_id: str
    achievement_id: str
    version: int
    number: int
    policy_version: int | None
    state: str
    created_at: datetime
    submitted_at: datetime | None
    handed_in_at: datetime | None
    accepted_at: datetime | None
    resolved_at: datetime | None
    decided_at: datetime | None
    changed_at: datetime

    @property
    def since(self) -> datetime:
        """When it came to where it waits: for a screening, for readings, for an approval, or on hold."""
        begun = {
            "submitted": self.handed_in_at, "accepted": self.accepted_at, "scoring": self.accepted_at,
            "resolved": self.resolved_at,
        }  # fmt: skip
        return begun.get(self.state) or self.changed_at


async def load_attempts(session: AsyncSession, reported: Reported, people: People) -> list[Attempt]:
    """The attempts that were begun by the moment: of the people asked for, at the achievement asked for."""
    filters = reported.filters
    query = (
        select(
            Submission.id, Submission.learner_id, Submission.achievement_id, Submission.version,
            Submission.attempt, Submission.policy_version, Submission.state, Submission.created_at,
            Submission.submitted_at, Submission.accepted_at, Submission.resolved_at,
            Submission.decided_at, Submission.updated_at,
        )
        .where(
            Submission.issuer_id == reported.issuer_id,
            Submission.program_id == reported.program.id,
            Submission.created_at <= filters.as_of,
        )
        .order_by(Submission.created_at, Submission.id)
    )  # fmt: skip
    histories = await _load_histories(session, reported)
    merged = await load_merged(session, reported.issuer_id)
    rows = await read_rows(session, query)
    found = (
        # handed in twice: first and last
        Attempt(row[0], merged.get(row[1], row[1]), *row[2:9], *row[8:])
        for row in rows
    )
    return [
        _look_back(attempt, histories.get(attempt.id, ()), filters.as_of)
        for attempt in found
        if attempt.person_id in people.shown and filters.is_about(attempt.achievement_id, attempt.version)
    ]


async def _load_histories(session: AsyncSession, reported: Reported) -> dict[str, list[tuple[datetime, str]]]:
    """The events of the submissions that have changed since the moment, or that were handed in more than once."""
    returned = select(Screening.submission_id).where(
        Screening.issuer_id == reported.issuer_id, Screening.outcome == "returned_incomplete"
    )
    changed = select(Submission.id).where(
        Submission.issuer_id == reported.issuer_id,
        Submission.program_id == reported.program.id,
        (Submission.updated_at > reported.filters.as_of) | Submission.id.in_(returned),
    )
    types = (*_LEADS_TO, "submission.returned", "submission.released")
    query = (
        select(Event.object_id, Event.occurred_at, Event.type)
        .where(Event.issuer_id == reported.issuer_id, Event.object_id.in_(changed), Event.type.in_(types))
        .order_by(Event.object_id, Event.position)
    )
    histories: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for id_, moment, type_ in await read_rows(session, query):
        histories[id_].append((moment, type_))
    return histories


def _look_back(attempt: Attempt, history: Sequence[tuple[datetime, str]], as_of: datetime) -> Attempt:
    """The attempt at the moment, of its row as it is now."""
    if attempt.changed_at <= as_of and not history:
        return attempt
    known = [(moment, type_) for moment, type_ in history if moment <= as_of]
    handed_in = [moment for moment, type_ in known if type_ == "submission.submitted"]
    first, last = (handed_in[0], handed_in[-1]) if handed_in else (attempt.submitted_at, attempt.handed_in_at)
    submitted_at, handed_in_at, accepted_at, resolved_at, decided_at = (
        moment if moment is not None and moment <= as_of else None
        for moment in (first, last, attempt.accepted_at, attempt.resolved_at, attempt.decided_at)
    )
    state, changed_at = attempt.state, attempt.changed_at
    if changed_at > as_of:
        state, changed_at = _tell_state(submitted_at, accepted_at, resolved_at, decided_at), as_of
        if known:
            state, changed_at = _replay(known)
    return replace(
        attempt, state=state, submitted_at=submitted_at, handed_in_at=handed_in_at, accepted_at=accepted_at,
        resolved_at=resolved_at, decided_at=decided_at, changed_at=changed_at,
    )  # fmt: skip


def _replay(known: Sequence[tuple[datetime, str]]) -> tuple[str, datetime]:
    """The state that these events lead to, and when it began."""
    state, before = "draft", "draft"
    for _, type_ in known:
        if type_ == "submission.held":
            before = state if state != "on_hold" else before
        if type_ == "submission.released":
            state = before
        elif type_ == "submission.returned":
            # By the screening to the learner, or by an approver to the readers.
            stood = before if state == "on_hold" else state
            state = "scoring" if stood in ("accepted", "scoring", "resolved") else "returned_incomplete"
        else:
            state = _LEADS_TO[type_]
    return state, known[-1][0]


def _tell_state(*moments: datetime | None) -> str:
    """Without events: by when it was submitted, accepted, resolved and decided."""
    states = ("submitted", "accepted", "resolved", "decided")
    reached = [state for state, moment in zip(states, moments, strict=True) if moment is not None]
    return reached[-1] if reached else "draft"
