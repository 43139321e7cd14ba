"""Who has been decided on, and what became of them: each person once, in the program of their first decision."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.appeals.store import Appeal
from app.learners.store import Learner
from app.programs.store import Enrollment
from app.scoring.store import Decision
from app.submissions.store import Submission

WITHIN_DAYS = (14, 28, 56, 84)
TRAITS = (
    "first_attempt",
    "eventual",
    "appealed",
    "several_attempts",
    "several_credits",
    *(f"within_{days}" for days in WITHIN_DAYS),
)
"""What is counted: people whose first decided attempt was awarded; who have been awarded anything; who appealed; whose work was
decided on more than once; who have more than one award; whose first decision came within so many days of handing in."""


@dataclass(frozen=True, slots=True)
class DecidedPerson:
    """A person as of a moment. `cohort_id` is that of the work decided first."""

    id: str
    program_id: str
    cohort_id: str | None
    first_decided_at: datetime
    traits: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Row:
    person_id: str
    program_id: str
    cohort_id: str | None
    submission_id: str
    achievement_id: str
    submitted_at: datetime | None
    outcome: str
    recorded_at: datetime


async def load_decided_people(session: AsyncSession, issuer_id: str, end: datetime) -> list[DecidedPerson]:
    """Everybody of an issuer with a decision on their work recorded before `end`, as everything stood then; by id.

    Void work, which a misconduct case ended, counts for nothing.
    """
    query = (
        select(
            func.coalesce(Learner.merged_into, Learner.id), Submission.program_id, Enrollment.cohort_id, Submission.id,
            Submission.achievement_id, Submission.submitted_at, Decision.outcome, Decision.recorded_at,
        )
        .join(Submission, (Submission.issuer_id == Decision.issuer_id) & (Submission.id == Decision.submission_id))
        .join(Enrollment, (Enrollment.issuer_id == Decision.issuer_id) & (Enrollment.id == Submission.enrollment_id))
        .join(Learner, (Learner.issuer_id == Decision.issuer_id) & (Learner.id == Submission.learner_id))
        .where(Decision.issuer_id == issuer_id, Decision.recorded_at < end, Submission.state != "void")
        .order_by(Decision.recorded_at, Decision.id)
    )  # fmt: skip
    appeals = select(Appeal.submission_id).where(Appeal.issuer_id == issuer_id, Appeal.filed_at < end)
    appealed = set((await session.scalars(appeals)).all())
    by_person: dict[str, list[_Row]] = defaultdict(list)
    for columns in (await session.execute(query)).all():
        row = _Row(*columns)
        by_person[row.person_id].append(row)
    return [_look_at(rows, appealed) for _, rows in sorted(by_person.items())]


def _look_at(rows: Sequence[_Row], appealed: set[str]) -> DecidedPerson:
    first = rows[0]
    rows = [row for row in rows if row.program_id == first.program_id]
    standing = {row.submission_id: row for row in rows}  # the last decision on each stands
    awarded = {row.achievement_id for row in standing.values() if row.outcome == "awarded"}
    took = first.recorded_at - (first.submitted_at or first.recorded_at)
    is_true = {
        "first_attempt": standing[first.submission_id].outcome == "awarded",
        "eventual": bool(awarded),
        "appealed": not appealed.isdisjoint(standing),
        "several_attempts": len(standing) > 1,
        "several_credits": len(awarded) > 1,
        **{f"within_{days}": took <= timedelta(days=days) for days in WITHIN_DAYS},
    }
    traits = frozenset(trait for trait, holds in is_true.items() if holds)
    return DecidedPerson(first.person_id, first.program_id, first.cohort_id, first.recorded_at, traits)
