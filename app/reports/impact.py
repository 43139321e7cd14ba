"""How much awarded work claims an impact, at which level, and how much of it measured one."""

from collections import Counter
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ReportsRead
from app.db import read_rows
from app.identifiers import Identifier
from app.reports.answer import ChosenFormat, Row, Snapshot, report_response, report_responses
from app.reports.decided import count_decided, is_of_submission, load_decisions, select_chains
from app.reports.disclosure import Disclosure
from app.reports.figures import RateOut, ReportOut, opening
from app.reports.filters import Reported, ReportFilters, get_reported
from app.reports.people import is_told, load_members
from app.reports.words import count_of, tell_hidden, tell_scope
from app.submissions.impact import ENOUGH, ImpactFact
from app.submissions.store import Submission

router = APIRouter()

LEVELS = ("student", "team", "system")
OUTCOMES = ("awarded", "unknown", "claimed", "measured", "levels")


class LevelOut(BaseModel):
    """Claims at one level. Measured ones have numbers for baseline and follow-up, about ten people or things at least."""

    level: str = Field(examples=["student"])
    claimed: int
    measured: int
    too_few: int = Field(description=f"With numbers, about fewer than {ENOUGH} or nobody knows how many.")
    without_numbers: int


class ImpactOut(ReportOut):
    awarded: int | None = Field(description="Submissions that were awarded.")
    unknown: int | None = Field(description="Of them, those of which no claim is kept: of learners who were erased.")
    claimed: RateOut = Field(description="Of those awarded and not unknown, the share that claims an impact.")
    measured: RateOut = Field(description="Of those awarded and not unknown, the share with a measured outcome.")
    levels: list[LevelOut]


@dataclass(frozen=True, slots=True)
class _Fact:
    submission_id: str
    level: str | None
    is_numeric: bool
    has_enough: bool

    @property
    def kind(self) -> str:
        if not self.is_numeric:
            return "without_numbers"
        return "measured" if self.has_enough else "too_few"


@router.get("/v1/programs/{program_id}/reports/impact", operation_id="report_impact",
            responses=report_responses(ImpactOut))  # fmt: skip
async def impact(
    program_id: Identifier, tenant: ReportsRead, session: Snapshot, filters: ReportFilters, chosen: ChosenFormat
) -> Response:
    """How much awarded work claims an impact, at which level, and how much of it measured one. No words of a claim are told."""
    body = await measure(session, await get_reported(session, tenant.issuer_id, program_id, filters))
    return report_response(chosen, body, rows(body))


async def measure(session: AsyncSession, reported: Reported) -> ImpactOut:
    """With a window: work that was decided in it."""
    people = await load_members(session, reported)
    window = "when the work was decided"
    decisions = await load_decisions(session, reported)
    disclosure = Disclosure(count_decided(decisions, people, is_of_submission), reported.minimum_cell)
    if not is_told(reported, people, disclosure):
        about = opening("impact", reported, sentence=tell_hidden(reported), window=window, suppressed=OUTCOMES,
                        moments=disclosure.moments)  # fmt: skip
        return ImpactOut.model_validate(
            {**about, "awarded": None, "unknown": None, "claimed": RateOut.hidden(), "measured": RateOut.hidden(),
             "levels": []}
        )  # fmt: skip
    awarded = {
        chain.first.submission_id
        for chain in select_chains(decisions, reported, people)
        if chain.is_awarded and chain.first.submission_id is not None and reported.filters.is_within(chain.decided_at)
    }
    facts = [each for each in await _load_facts(session, reported) if each.submission_id in awarded]
    counts = Counter((each.level, each.kind) for each in facts if each.level is not None)
    claimed = RateOut.of(counts.total(), len(facts))
    measured = RateOut.of(sum(counts[level, "measured"] for level in LEVELS), len(facts))
    sentence = (
        f"{tell_scope(reported)}: of {count_of(len(facts), 'awarded submission')}, {counts.total():,} claim an impact "
        f"and {measured.numerator:,} measured one, with numbers about {ENOUGH} or more."
    )
    levels = [
        LevelOut(
            level=level,
            claimed=sum(count for (each, _), count in counts.items() if each == level),
            measured=counts[level, "measured"],
            too_few=counts[level, "too_few"],
            without_numbers=counts[level, "without_numbers"],
        )
        for level in LEVELS
    ]
    return ImpactOut.model_validate(
        {
            **opening("impact", reported, sentence=sentence, window=window),
            "awarded": len(awarded),
            "unknown": len(awarded) - len(facts),
            "claimed": claimed,
            "measured": measured,
            "levels": levels,
        }
    )


async def _load_facts(session: AsyncSession, reported: Reported) -> list[_Fact]:
    query = (
        select(ImpactFact.submission_id, ImpactFact.level, ImpactFact.is_numeric, ImpactFact.has_enough)
        .join(Submission, (Submission.issuer_id == ImpactFact.issuer_id) & (Submission.id == ImpactFact.submission_id))
        .where(ImpactFact.issuer_id == reported.issuer_id, Submission.program_id == reported.program.id)
    )
    return [_Fact(*columns) for columns in await read_rows(session, query)]


def rows(body: ImpactOut) -> list[Row]:
    """A line for each rate (`section` is `claimed` or `measured`) and for each level; `awarded`, `unknown` are of all."""
    about = {"awarded": body.awarded, "unknown": body.unknown}
    counts = dict.fromkeys(LevelOut.model_fields)
    none = dict.fromkeys(RateOut.hidden().cells())
    rates = {"claimed": body.claimed, "measured": body.measured}
    return [
        *({**about, "section": name, **counts, **rate.cells()} for name, rate in rates.items()),
        *({**about, "section": "level", **level.model_dump(), **none} for level in body.levels),
    ]
