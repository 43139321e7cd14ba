"""How many pass, at the first attempt and in the end, and which criterion stands in the way."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ReportsRead
from app.achievements.rubric import Rubric
from app.achievements.store import get_version
from app.db import read_rows
from app.identifiers import Identifier
from app.reports.answer import ChosenFormat, Row, Snapshot, report_response, report_responses
from app.reports.decided import DecisionChain, count_decided, load_decisions, select_chains
from app.reports.disclosure import Disclosure
from app.reports.figures import RateOut, ReportOut, opening
from app.reports.filters import Reported, ReportFilters, get_reported
from app.reports.people import is_told, load_people
from app.reports.words import count_of, tell_hidden, tell_percent, tell_scope
from app.scoring.store import Decision
from app.submissions.store import Submission

router = APIRouter()

_HIDDEN = ("first_attempt", "eventual", "by_attempt", "by_criterion")


class AttemptRateOut(BaseModel):
    attempt: int = Field(description="1 for the first that was decided of a person at an achievement, and so on.")
    passed: RateOut


class CriterionRateOut(BaseModel):
    achievement_id: str
    version: int
    criterion: str = Field(examples=["evidence"])
    name: str
    met: RateOut = Field(
        description="Of the attempts in which it was judged, not banked, those at its passing level or above."
    )
    blocked: int = Field(description="Attempts decided not yet in which it was not met.")
    blocked_alone: int = Field(description="Those of them in which every other criterion was met.")


class PassRateOut(ReportOut):
    """An attempt is what was decided once; an amended decision counts as it stood at `as_of`."""

    first_attempt: RateOut = Field(
        description="Of the people and achievements whose first attempt was decided in the window."
    )
    eventual: RateOut = Field(description="Of the same, those awarded at whichever attempt by `as_of`.")
    by_attempt: list[AttemptRateOut] | None
    by_criterion: list[CriterionRateOut] | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """A decided attempt, and which of one person at one achievement it was."""

    number: int
    chain: DecisionChain


@router.get("/v1/programs/{program_id}/reports/pass-rate", operation_id="report_pass_rate",
            responses=report_responses(PassRateOut))  # fmt: skip
async def pass_rate(
    program_id: Identifier, tenant: ReportsRead, session: Snapshot, filters: ReportFilters, chosen: ChosenFormat
) -> Response:
    """How many pass at the first attempt and in the end, and which criterion stands in the way."""
    body = await measure(session, await get_reported(session, tenant.issuer_id, program_id, filters))
    return report_response(chosen, body, rows(body))


async def measure(session: AsyncSession, reported: Reported) -> PassRateOut:
    """The window applies to when an attempt was decided."""
    people = await load_people(session, reported)
    decisions = await load_decisions(session, reported)
    disclosure = Disclosure(count_decided(decisions, people, _is_attempt), reported.minimum_cell)
    if not is_told(reported, people, disclosure):
        hidden = RateOut.hidden()
        return PassRateOut.model_validate(
            {
                **_open(reported, f"{tell_scope(reported)}: {tell_hidden(reported)}", _HIDDEN, disclosure.moments),
                "first_attempt": hidden, "eventual": hidden, "by_attempt": None, "by_criterion": None,
            }
        )  # fmt: skip
    sequences = _put_in_order(select_chains(decisions, reported, people))
    within = [
        _Judged(number, chain)
        for sequence in sequences
        for number, chain in enumerate(sequence, start=1)
        if reported.filters.is_within(chain.decided_at)
    ]
    begun = [sequence for sequence in sequences if reported.filters.is_within(sequence[0].decided_at)]
    first = RateOut.of(sum(sequence[0].is_awarded for sequence in begun), len(begun))
    eventual = RateOut.of(sum(any(each.is_awarded for each in sequence) for sequence in begun), len(begun))
    return PassRateOut.model_validate(
        {
            **_open(reported, _tell(reported, first, eventual)),
            "first_attempt": first,
            "eventual": eventual,
            "by_attempt": _count_by_attempt(within),
            "by_criterion": await _count_by_criterion(session, reported, within),
        }
    )


def _open(
    reported: Reported, sentence: str, suppressed: Sequence[str] = (), moments: Sequence[datetime] = ()
) -> dict[str, object]:
    window = "when an attempt was decided"
    return opening("pass-rate", reported, sentence=sentence, window=window, suppressed=suppressed, moments=moments)


def _put_in_order(chains: Iterable[DecisionChain]) -> list[list[DecisionChain]]:
    """The attempts of each person at each achievement, in the order they were decided."""
    sequences: dict[tuple[str, str], list[DecisionChain]] = defaultdict(list)
    for chain in sorted(chains, key=lambda each: (each.first.decided_at, each.first.recorded_at, each.first.id)):
        if _is_attempt(chain):
            sequences[chain.first.person_id, chain.first.achievement_id].append(chain)
    return list(sequences.values())


def _is_attempt(chain: DecisionChain) -> bool:
    """An earlier award that was taken over was no attempt here, a renewal is not about a new badge, and void work counts for
    nothing."""
    is_judged = not chain.first.is_taken_over and chain.first.renews_id is None
    return is_judged and chain.standing.reason_code != "misconduct"


def _count_by_attempt(judged: Sequence[_Judged]) -> list[AttemptRateOut]:
    outcomes: dict[int, list[bool]] = defaultdict(list)
    for each in judged:
        outcomes[each.number].append(each.chain.is_awarded)
    return [
        AttemptRateOut(attempt=number, passed=RateOut.of(sum(passed), len(passed)))
        for number, passed in sorted(outcomes.items())
    ]


async def _count_by_criterion(
    session: AsyncSession, reported: Reported, judged: Sequence[_Judged]
) -> list[CriterionRateOut]:
    banked, levels = await _load_banked(session, reported), await _load_levels(session, reported)
    by_version: dict[tuple[str, int], list[DecisionChain]] = defaultdict(list)
    for each in judged:
        by_version[each.chain.standing.achievement_id, each.chain.standing.version].append(each.chain)
    shown: list[CriterionRateOut] = []
    for (achievement_id, version), chains in sorted(by_version.items()):
        content = (await get_version(session, reported.issuer_id, achievement_id, version)).content
        shown += _count_criteria(achievement_id, version, content["rubric"], chains, banked, levels)
    return shown


def _count_criteria(
    achievement_id: str, version: int, rubric: Rubric, chains: Sequence[DecisionChain],
    banked: Mapping[str, frozenset[str]], levels: Mapping[str, list[list[str]]],
) -> list[CriterionRateOut]:  # fmt: skip
    passing = {each["key"]: _passing_levels(each) for each in rubric["criteria"]}
    judged: dict[str, list[bool]] = {key: [] for key in passing}
    blocked, alone = dict.fromkeys(passing, 0), dict.fromkeys(passing, 0)
    for chain in chains:
        met = {key: level in passing[key] for key, level in levels[chain.standing.id] if key in passing}
        before = banked.get(chain.first.submission_id or "", frozenset())
        for key in met.keys() - before:
            judged[key].append(met[key])
        if not chain.is_awarded:
            short = [key for key, is_met in met.items() if not is_met]
            for key in short:
                blocked[key] += 1
                alone[key] += len(short) == 1
    return [
        CriterionRateOut(
            achievement_id=achievement_id, version=version, criterion=each["key"], name=each["name"],
            met=RateOut.of(sum(judged[each["key"]]), len(judged[each["key"]])),
            blocked=blocked[each["key"]], blocked_alone=alone[each["key"]],
        )
        for each in rubric["criteria"]
    ]  # fmt: skip


def _passing_levels(criterion: Mapping[str, Any]) -> frozenset[str]:
    """The passing level and those above it."""
    levels = [str(level["key"]) for level in criterion["levels"]]
    return frozenset(levels[levels.index(criterion["passing_level"]) :])


async def _load_banked(session: AsyncSession, reported: Reported) -> dict[str, frozenset[str]]:
    """By submission the criteria that an earlier attempt had met: nobody judged them again."""
    query = select(Submission.id, Submission.banked).where(
        Submission.issuer_id == reported.issuer_id,
        Submission.program_id == reported.program.id,
        Submission.attempt > 1,
    )
    found = (await session.execute(query)).all()
    return {id_: frozenset(criterion for criterion, _, _ in banked) for id_, banked in found}


async def _load_levels(session: AsyncSession, reported: Reported) -> dict[str, list[list[str]]]:
    """By decision the level of each criterion."""
    query = select(Decision.id, Decision.levels).where(Decision.issuer_id == reported.issuer_id)
    if reported.filters.achievement_id is not None:
        query = query.where(Decision.achievement_id == reported.filters.achievement_id)
    return dict(await read_rows(session, query))


def _tell(reported: Reported, first: RateOut, eventual: RateOut) -> str:
    if first.value is None or eventual.value is None:
        return f"{tell_scope(reported)}: no attempt was decided."
    return (
        f"{tell_scope(reported)}: of {count_of(first.denominator or 0, 'first attempt')} "
        f"{first.numerator} passed ({tell_percent(first.value)}); {eventual.numerator} passed in the end "
        f"({tell_percent(eventual.value)})."
    )


def rows(body: PassRateOut) -> list[Row]:
    """A line for each rate, as `section` says: `first_attempt`, `eventual`, `attempt` (`name` is its number), `criterion` (`name`
    is its key, `of` the achievement and version)."""
    none: Row = {"blocked": None, "blocked_alone": None}
    lines: list[Row] = [
        {"section": "first_attempt", "of": None, "name": None, **body.first_attempt.cells(), **none},
        {"section": "eventual", "of": None, "name": None, **body.eventual.cells(), **none},
    ]
    lines += [
        {"section": "attempt", "of": None, "name": each.attempt, **each.passed.cells(), **none}
        for each in body.by_attempt or ()
    ]
    lines += [
        {"section": "criterion", "of": f"{each.achievement_id} v{each.version}", "name": each.criterion,
         **each.met.cells(), "blocked": each.blocked, "blocked_alone": each.blocked_alone}
        for each in body.by_criterion or ()
    ]  # fmt: skip
    return lines
