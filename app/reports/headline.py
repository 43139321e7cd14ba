"""How many people are enrolled, how many of them earned, and how many badges that makes: three different numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ReportsRead
from app.identifiers import Identifier
from app.programs.store import Enrollment
from app.psychometrics.statistic import Reason
from app.readings.store import Reading
from app.reports.answer import ChosenFormat, Row, Snapshot, report_response, report_responses
from app.reports.attempts import load_attempts
from app.reports.decided import DecisionRow, count_decided, load_decisions, select_chains
from app.reports.disclosure import Disclosure
from app.reports.earned import MICRO_CREDENTIAL, Badge, load_badges, load_certifications, load_stacks
from app.reports.figures import ReportOut, opening
from app.reports.filters import Reported, ReportFilters, get_reported
from app.reports.people import People, is_told, load_people
from app.reports.words import count_of, tell_hidden, tell_scope
from app.submissions.store import Submission

router = APIRouter()

OUTCOMES = (
    "decided", "distinct_earners", "credentials", "credentials_per_earner", "suspended", "expired", "revoked",
    "other_credentials",
)  # fmt: skip
"""The numbers that tell what became of people: left out of small groups."""
MEASURES = ("enrolled", "invited", "enrollment_states", "started", "submitted", *OUTCOMES, "active_assessors")


class HeadlineOut(ReportOut):
    """People unless it says otherwise: each is counted once, however many attempts or badges they have."""

    enrolled: int = Field(description="Who have taken up their place, whatever became of it since.", examples=[116])
    invited: int = Field(description="Who were invited and have not taken up their place.")
    enrollment_states: dict[str, int] = Field(
        description="Everybody by the state of their enrollment then.", examples=[{"active": 112, "withdrawn": 4}]
    )
    started: int = Field(description="Who have begun an attempt.")
    submitted: int = Field(description="Who have handed one in.")
    decided: int | None = Field(description="About whom something was decided, here or by a partner.")
    distinct_earners: int | None = Field(description="Who hold at least one of the `credentials`.", examples=[91])
    credentials: int | None = Field(
        description="Micro-credentials that were issued and are not revoked, each counted once.", examples=[136]
    )
    credentials_per_earner: float | None
    credentials_per_earner_reason: Reason | None = Field(
        description="Why there is no such number; null where there is."
    )
    suspended: int | None = Field(description="How many of the `credentials` are suspended.")
    expired: int | None = Field(description="How many of the `credentials` have run out.")
    revoked: int | None = Field(description="Micro-credentials that were revoked: not among the `credentials`.")
    other_credentials: dict[str, int] | None = Field(
        description="Badges of other kinds that stand: by the achievement's type, such as the certifications of assessors; "
        "those of pathways apart.",
        examples=[{"Certification": 14, "Pathway": 44}],
    )
    active_assessors: int = Field(description="Who have submitted a reading.")


@router.get("/v1/programs/{program_id}/reports/headline", operation_id="report_headline",
            responses=report_responses(HeadlineOut))  # fmt: skip
async def headline(
    program_id: Identifier, tenant: ReportsRead, session: Snapshot, filters: ReportFilters, chosen: ChosenFormat
) -> Response:
    """Enrolled people, people who earned, and credentials: three different numbers."""
    body = await measure(session, await get_reported(session, tenant.issuer_id, program_id, filters))
    return report_response(chosen, body, rows(body))


async def measure(session: AsyncSession, reported: Reported) -> HeadlineOut:
    """With a window each number counts what happened in it: who took up their place then, began then, and so on."""
    filters = reported.filters
    people = await load_people(session, reported)
    attempts = await load_attempts(session, reported, people)
    decisions = await load_decisions(session, reported)
    states = people.count_states()
    counts = {
        "enrolled": sum(filters.is_within(each.enrolled_at) for each in people.list_enrolled()),
        "invited": states["invited"],
        "started": len({each.person_id for each in attempts if filters.is_within(each.created_at)}),
        "submitted": len({each.person_id for each in attempts if filters.is_within(each.submitted_at)}),
        "active_assessors": await _count_assessors(session, reported),
    }
    disclosure = Disclosure(count_decided(decisions, people), reported.minimum_cell)
    is_hidden = not is_told(reported, people, disclosure)
    hidden = {**dict.fromkeys(OUTCOMES), "credentials_per_earner_reason": "small_cell"}
    outcomes = hidden if is_hidden else await _measure_outcomes(session, reported, people, decisions)
    return HeadlineOut.model_validate(
        {
            **opening(
                "headline", reported, sentence=_tell(reported, {**counts, **outcomes}), window="what each number counts",
                suppressed=OUTCOMES if is_hidden else (), moments=disclosure.moments if is_hidden else (),
            ),
            **counts,
            **outcomes,
            "enrollment_states": dict(sorted(states.items())),
        }
    )  # fmt: skip


async def _measure_outcomes(
    session: AsyncSession, reported: Reported, people: People, decisions: Mapping[str, DecisionRow]
) -> dict[str, Any]:
    """The members OUTCOMES."""
    filters = reported.filters
    chains = select_chains(decisions, reported, people)
    badges = await load_badges(session, reported, people, decisions)
    earned = [each for each in badges if filters.is_within(each.awarded_at)]
    ours = [each for each in earned if each.kind == MICRO_CREDENTIAL]
    standing = [each for each in ours if each.stands]
    earners = len({each.person_id for each in standing})
    others = [each for each in earned if each.kind != MICRO_CREDENTIAL]
    others += [each for each in await load_stacks(session, reported, people) if filters.is_within(each.awarded_at)]
    if reported.cohort is None:
        certifications = await load_certifications(session, reported)
        others += [each for each in certifications if filters.is_within(each.awarded_at)]
    return {
        "decided": len({each.first.person_id for each in chains if filters.is_within(each.decided_at)}),
        "distinct_earners": earners,
        "credentials": len(standing),
        "credentials_per_earner": len(standing) / earners if earners else None,
        "credentials_per_earner_reason": None if earners else "no_data",
        "suspended": sum(each.state == "suspended" for each in standing),
        "expired": sum(each.valid_until is not None and each.valid_until <= filters.as_of for each in standing),
        "revoked": len(ours) - len(standing),
        "other_credentials": _count_kinds(each for each in others if each.stands),
    }


def _count_kinds(badges: Iterable[Badge]) -> dict[str, int]:
    return dict(sorted(Counter(each.kind for each in badges).items()))


async def _count_assessors(session: AsyncSession, reported: Reported) -> int:
    """Those who submitted a reading in the window. An anchor among the readings counts, unless something narrows them down."""
    filters = reported.filters
    query = select(func.count(Reading.assessor_id.distinct())).where(
        Reading.issuer_id == reported.issuer_id, Reading.program_id == reported.program.id,
        Reading.state == "submitted", Reading.submitted_at <= filters.as_of,
    )  # fmt: skip
    if filters.since is not None:
        query = query.where(Reading.submitted_at >= filters.since)
    if filters.until is not None:
        query = query.where(Reading.submitted_at < filters.until)
    if filters.achievement_id is not None or filters.cohort_id is not None:
        query = query.join(
            Submission, (Submission.issuer_id == Reading.issuer_id) & (Submission.id == Reading.submission_id)
        )
    if filters.achievement_id is not None:
        query = query.where(Submission.achievement_id == filters.achievement_id)
    if filters.version is not None:
        query = query.where(Submission.version == filters.version)
    if filters.cohort_id is not None:
        enrolled = (Enrollment.issuer_id == Submission.issuer_id) & (Enrollment.id == Submission.enrollment_id)
        query = query.join(Enrollment, enrolled).where(Enrollment.cohort_id == filters.cohort_id)
    return await session.scalar(query) or 0


def _tell(reported: Reported, counts: Mapping[str, Any]) -> str:
    enrolled, earners, credentials = (counts[name] for name in ("enrolled", "distinct_earners", "credentials"))
    beginning = f"{tell_scope(reported)}: {count_of(enrolled, 'person')} enrolled"
    if earners is None:
        return f"{beginning}. {tell_hidden(reported)}"
    return (
        f"{beginning}; {count_of(earners, 'person')} hold {count_of(credentials, 'micro-credential')} between them. "
        "People enrolled, people who earned, and credentials are three different numbers."
    )


def rows(body: HeadlineOut) -> list[Row]:
    """One line for each number: `measure`, `of` (a state of enrollment, or a kind of badge) `value`, and the
    `reason` why there is none."""
    lines: list[Row] = []
    for name in MEASURES:
        value = getattr(body, name)
        if isinstance(value, dict):
            lines += [{"measure": name, "of": part, "value": number, "reason": None} for part, number in value.items()]
        else:
            lines.append({"measure": name, "of": None, "value": value, "reason": _reason(body, name)})
    return lines


def _reason(body: HeadlineOut, name: str) -> Reason | None:
    """Why a number is left out."""
    if getattr(body, name) is not None:
        return None
    return "small_cell" if body.suppressed else "no_data"
