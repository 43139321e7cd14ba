"""What was decided in a program, as of a moment: chains of decisions, each of which supersedes the one before."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.assessors.store import Panel
from app.db import read_rows
from app.learners.store import Learner
from app.programs.store import ProgramAchievement
from app.reports.filters import Reported
from app.reports.people import People
from app.scoring.store import REDATES, Decision
from app.submissions.store import Submission


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """The columns of a decision that reports look at. `is_taken_over` is an earlier award that was judged elsewhere."""

    id: str
    person_id: str
    achievement_id: str
    version: int
    outcome: str
    decided_at: datetime
    recorded_at: datetime
    supersedes_id: str | None
    renews_id: str | None
    submission_id: str | None
    reason_code: str | None
    is_taken_over: bool


@dataclass(frozen=True, slots=True)
class DecisionChain:
    """A decision and what superseded it by the moment, in order: one judgement, whose outcome is that of the last."""

    decisions: Sequence[DecisionRow]

    @property
    def first(self) -> DecisionRow:
        return self.decisions[0]

    @property
    def standing(self) -> DecisionRow:
        return self.decisions[-1]

    @property
    def is_awarded(self) -> bool:
        return self.standing.outcome == "awarded"

    @property
    def was_awarded(self) -> bool:
        return any(each.outcome == "awarded" for each in self.decisions)

    @property
    def decided_at(self) -> datetime:
        """When it was first decided; where a clerical error was corrected, the date put right."""
        redated = [each.decided_at for each in self.decisions[1:] if each.reason_code in REDATES]
        return redated[-1] if redated else self.first.decided_at


async def load_decisions(session: AsyncSession, reported: Reported, people: People) -> list[DecisionChain]:
    """What was decided and recorded by the moment about the people asked for, for the achievement asked for.

    A decision on a submission belongs to the submission's program. One without, which a partner made or an earlier award became,
    belongs to each program that has the achievement and the person enrolled.
    """
    rows = await _load_rows(session, reported)
    return [
        each
        for each in _chain(rows, reported.filters.as_of)
        if each.first.person_id in people.shown
        and reported.filters.is_about(each.standing.achievement_id, each.standing.version)
        and (each.first.submission_id is not None or people.everybody[each.first.person_id].enrolled_at is not None)
    ]


async def _load_rows(session: AsyncSession, reported: Reported) -> dict[str, DecisionRow]:
    issuer_id, program_id = reported.issuer_id, reported.program.id
    of_program = select(ProgramAchievement.achievement_id).where(
        ProgramAchievement.issuer_id == issuer_id, ProgramAchievement.program_id == program_id
    )
    query = (
        select(
            Decision.id, func.coalesce(Learner.merged_into, Learner.id), Decision.achievement_id, Decision.version,
            Decision.outcome, Decision.decided_at, Decision.recorded_at, Decision.supersedes_id,
            Decision.renews_id, Decision.submission_id, Decision.reason_code, Panel.kind == "external",
        )
        .join(Learner, (Learner.issuer_id == Decision.issuer_id) & (Learner.id == Decision.learner_id))
        .join(Panel, (Panel.issuer_id == Decision.issuer_id) & (Panel.id == Decision.panel_id))
        .outerjoin(
            Submission, (Submission.issuer_id == Decision.issuer_id) & (Submission.id == Decision.submission_id)
        )
        .where(
            Decision.issuer_id == issuer_id,
            (Submission.program_id == program_id)
            | (Decision.submission_id.is_(None) & Decision.achievement_id.in_(of_program)),
        )
        .order_by(Decision.recorded_at, Decision.id)
    )  # fmt: skip
    found = [DecisionRow(*columns) for columns in await read_rows(session, query)]
    return {row.id: row for row in found}


def _chain(rows: Mapping[str, DecisionRow], as_of: datetime) -> list[DecisionChain]:
    """What was both decided and recorded by `as_of`; the rows come in the order they were recorded."""
    first_of: dict[str, str] = {}
    chains: dict[str, list[DecisionRow]] = defaultdict(list)
    for row in rows.values():
        first = first_of.get(row.supersedes_id or "", row.id)
        first_of[row.id] = first
        if row.recorded_at <= as_of and row.decided_at <= as_of:
            chains[first].append(row)
    return [DecisionChain(chain) for chain in chains.values()]
