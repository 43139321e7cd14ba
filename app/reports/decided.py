"""What was decided in a program, as of a moment: chains of decisions, each of which supersedes the one before."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.assessors.store import Panel
from app.db import read_rows
from app.learners.store import load_merged
from app.programs.store import ProgramAchievement
from app.reports.disclosure import Counted
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

    @property
    def known_at(self) -> datetime:
        """From when on it counts: it was both made and recorded."""
        return max(self.decided_at, self.recorded_at)


@dataclass(frozen=True, slots=True)
class DecisionChain:
    """A decision and what superseded it by the moment, in order: one judgment, whose outcome is that of the last."""

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


async def load_decisions(session: AsyncSession, reported: Reported) -> dict[str, DecisionRow]:
    """All decisions of a program by id, in the order they were recorded, whenever that was.

    A decision on a submission belongs to the submission's program. One without, which a partner made or an earlier award became,
    belongs to each program that has the achievement and the person enrolled.
    """
    issuer_id, program_id = reported.issuer_id, reported.program.id
    of_program = select(ProgramAchievement.achievement_id).where(
        ProgramAchievement.issuer_id == issuer_id, ProgramAchievement.program_id == program_id
    )
    submitted = select(Submission.id).where(Submission.issuer_id == issuer_id, Submission.program_id == program_id)
    query = (
        select(
            Decision.id, Decision.learner_id, Decision.achievement_id, Decision.version, Decision.outcome,
            Decision.decided_at, Decision.recorded_at, Decision.supersedes_id, Decision.renews_id,
            Decision.submission_id, Decision.reason_code, Decision.panel_id,
        )
        .where(
            Decision.issuer_id == issuer_id,
            Decision.submission_id.in_(submitted)
            | (Decision.submission_id.is_(None) & Decision.achievement_id.in_(of_program)),
        )
        .order_by(Decision.recorded_at, Decision.id)
    )  # fmt: skip
    merged = await load_merged(session, issuer_id)
    external = select(Panel.id).where(Panel.issuer_id == issuer_id, Panel.kind == "external")
    elsewhere = set((await session.scalars(external)).all())
    found: dict[str, DecisionRow] = {}
    for id_, learner_id, *columns in await read_rows(session, query):
        columns[-1] = columns[-1] in elsewhere
        found[id_] = DecisionRow(id_, merged.get(learner_id, learner_id), *columns)
    return found


def select_chains(rows: Mapping[str, DecisionRow], reported: Reported, people: People) -> list[DecisionChain]:
    """What was decided and recorded by the moment about the people asked for, for the achievement asked for."""
    return [
        each
        for each in _chain(rows, reported.filters.as_of)
        if each.first.person_id in people.shown
        and reported.filters.is_about(each.standing.achievement_id, each.standing.version)
        and (is_of_submission(each) or people.everybody[each.first.person_id].enrolled_at is not None)
    ]


def count_decided(
    rows: Mapping[str, DecisionRow], people: People, is_counted: Callable[[DecisionChain], bool] = lambda _: True
) -> Iterator[Counted]:
    """Everything that was decided in the program about anybody, as it is known today."""
    for each in _chain(rows, None):
        person = people.known.get(each.first.person_id)
        if person is not None and (is_of_submission(each) or person.enrolled_at is not None) and is_counted(each):
            yield Counted(
                person.id, person.cohorts, each.standing.achievement_id, each.standing.version, each.decided_at,
                tuple(row.known_at for row in each.decisions),
            )  # fmt: skip


def is_of_submission(chain: DecisionChain) -> bool:
    return chain.first.submission_id is not None


def count_enrolled(rows: Mapping[str, DecisionRow], people: People) -> Iterator[Counted]:
    """Everybody who is enrolled, and what was decided about them: all of it at the time they took up their place."""
    for person in people.known.values():
        if person.enrolled_at is not None:
            yield Counted(person.id, person.cohorts, "", 0, person.enrolled_at, (person.enrolled_at,))
    for each in count_decided(rows, people):
        if (enrolled_at := people.known[each.person_id].enrolled_at) is not None:
            yield replace(each, at=enrolled_at)


def _chain(rows: Mapping[str, DecisionRow], as_of: datetime | None) -> list[DecisionChain]:
    """What was both decided and recorded by `as_of`, or ever; the rows come in the order they were recorded."""
    first_of: dict[str, str] = {}
    chains: dict[str, list[DecisionRow]] = defaultdict(list)
    for row in rows.values():
        first = first_of.get(row.supersedes_id or "", row.id)
        first_of[row.id] = first
        if as_of is None or (row.recorded_at <= as_of and row.decided_at <= as_of):
            chains[first].append(row)
    return [DecisionChain(chain) for chain in chains.values()]
