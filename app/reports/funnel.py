"""From enrolled to earned: how many people come how far, and where the others are."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ReportsRead
from app.identifiers import Identifier
from app.reports.answer import ChosenFormat, Row, Snapshot, report_response, report_responses
from app.reports.attempts import Attempt, load_attempts
from app.reports.decided import DecisionChain, count_enrolled, load_decisions, select_chains
from app.reports.disclosure import Disclosure
from app.reports.earned import load_badges
from app.reports.figures import RateOut, ReportOut, opening
from app.reports.filters import Reported, ReportFilters, get_reported
from app.reports.people import EnrolledPerson, is_told, load_people
from app.reports.words import count_of, tell_hidden, tell_scope
from app.submissions.store import CONDITION_CODES, Screening, Submission

router = APIRouter()

Stage = Literal["enrolled", "started", "submitted", "accepted", "decided", "earned"]
Place = Literal[
    "earned", "not_started", "left_program", "working", "returned_incomplete", "in_screening", "in_scoring",
    "in_approval", "on_hold", "not_yet", "no_longer_awarded", "withdrawn", "void",
]  # fmt: skip

_RESULTS = ("decided", "earned")
_PLACES: Mapping[str, Place] = {
    "draft": "working",
    "returned_incomplete": "returned_incomplete",
    "submitted": "in_screening",
    "accepted": "in_scoring",
    "scoring": "in_scoring",
    "resolved": "in_approval",
    "on_hold": "on_hold",
    "withdrawn": "withdrawn",
    "void": "void",
}
"""Where somebody is, by the state of their latest attempt; a decided one depends on the decision."""


class StageOut(BaseModel):
    stage: Stage
    people: int | None = Field(description="How many have come this far, each counted once.")
    without_submission: int | None = Field(
        description="How many of them only by what was decided elsewhere, or earlier, without a submission here."
    )
    of_enrolled: RateOut
    of_previous: RateOut = Field(description="Of the people at the stage before, the share that is at this one.")


class PlaceOut(BaseModel):
    """`not_yet`: the last attempt came to that, and there is no new one. `no_longer_awarded`: the
    badge was revoked (or is not signed yet), or the award amended."""

    place: Place
    people: int


class ConditionOut(BaseModel):
    code: str = Field(examples=["missing_part"])
    meaning: str
    screenings: int = Field(description="Screenings that named it, when they returned or held an attempt.")


class FunnelOut(ReportOut):
    stages: list[StageOut]
    places: list[PlaceOut] | None = Field(description="Where everybody enrolled is: they add up to them.")
    conditions: list[ConditionOut] | None = Field(description="Why work was returned or held by the screening.")


@router.get("/v1/programs/{program_id}/reports/funnel", operation_id="report_funnel",
            responses=report_responses(FunnelOut))  # fmt: skip
async def funnel(
    program_id: Identifier, tenant: ReportsRead, session: Snapshot, filters: ReportFilters, chosen: ChosenFormat
) -> Response:
    """How many people come how far, from enrolled to earned, and where the others are."""
    body = await measure(session, await get_reported(session, tenant.issuer_id, program_id, filters))
    return report_response(chosen, body, rows(body))


async def measure(session: AsyncSession, reported: Reported) -> FunnelOut:
    """The window chooses who took up their place in it; they are followed to `as_of`."""
    people = await load_people(session, reported)
    enrolled = {each.id: each for each in people.list_enrolled() if reported.filters.is_within(each.enrolled_at)}
    attempts = [each for each in await load_attempts(session, reported, people) if each.person_id in enrolled]
    decisions = await load_decisions(session, reported)
    chains = select_chains(decisions, reported, people)
    badges = await load_badges(session, reported, people, decisions)
    reached: dict[Stage, set[str]] = {
        "enrolled": set(enrolled),
        "started": {each.person_id for each in attempts},
        "submitted": {each.person_id for each in attempts if each.submitted_at is not None},
        "accepted": {each.person_id for each in attempts if each.accepted_at is not None},
        "decided": {each.first.person_id for each in chains} & enrolled.keys(),
        "earned": {each.person_id for each in badges if each.stands} & enrolled.keys(),
    }
    judged = {each.first.submission_id for each in chains}
    here = {each.person_id for each in attempts if each.id in judged}
    places = _place(enrolled.values(), attempts, chains, reached["earned"])
    disclosure = Disclosure(count_enrolled(decisions, people), reported.minimum_cell)
    hidden = not is_told(reported, people, disclosure)
    return FunnelOut.model_validate(
        {
            **opening(
                "funnel", reported, sentence=_tell(reported, reached, is_hidden=hidden),
                window="when people took up their place",
                suppressed=(*(f"stages/{stage}" for stage in _RESULTS), "places", "conditions") if hidden else (),
                moments=disclosure.moments if hidden else (),
            ),
            "stages": _compose_stages(reached, here, is_hidden=hidden),
            "places": None if hidden else [{"place": place, "people": places[place]} for place in get_args(Place)],
            "conditions": None if hidden else await _count_conditions(session, reported, attempts),
        }
    )  # fmt: skip


def _compose_stages(reached: Mapping[Stage, set[str]], here: set[str], *, is_hidden: bool) -> list[StageOut]:
    stages, before = [], reached["enrolled"]
    for stage, people in reached.items():
        if is_hidden and stage in _RESULTS:
            none = RateOut.hidden()
            stages.append(
                StageOut(stage=stage, people=None, without_submission=None, of_enrolled=none, of_previous=none)
            )
            continue
        stages.append(
            StageOut(
                stage=stage,
                people=len(people),
                without_submission=len(people - here) if stage in _RESULTS else 0,
                of_enrolled=RateOut.of(len(people), len(reached["enrolled"])),
                of_previous=RateOut.of(len(people & before), len(before)),
            )
        )
        before = people
    return stages


def _place(
    enrolled: Iterable[EnrolledPerson], attempts: Sequence[Attempt], chains: Sequence[DecisionChain], earned: set[str]
) -> Counter[Place]:
    latest = {each.person_id: each for each in attempts}
    of_attempt = {each.first.submission_id: each for each in chains if each.first.submission_id is not None}
    elsewhere = {each.first.person_id: each for each in chains if each.first.submission_id is None}
    places: Counter[Place] = Counter()
    for person in enrolled:
        attempt = latest.get(person.id)
        chain = elsewhere.get(person.id) if attempt is None else of_attempt.get(attempt.id)
        if person.id in earned:
            places["earned"] += 1
        elif person.state in ("withdrawn", "lapsed"):
            places["left_program"] += 1
        elif attempt is not None and attempt.state != "decided":
            places[_PLACES[attempt.state]] += 1
        elif chain is not None:
            places["no_longer_awarded" if chain.was_awarded else "not_yet"] += 1
        else:
            places["not_started"] += 1
    return places


async def _count_conditions(
    session: AsyncSession, reported: Reported, attempts: Sequence[Attempt]
) -> list[ConditionOut]:
    """By the code; a screening may name several."""
    query = (
        select(Screening.submission_id, Screening.condition_codes)
        .join(Submission, (Submission.issuer_id == Screening.issuer_id) & (Submission.id == Screening.submission_id))
        .where(
            Submission.issuer_id == reported.issuer_id,
            Submission.program_id == reported.program.id,
            Screening.outcome != "accepted",
            Screening.screened_at <= reported.filters.as_of,
        )
    )
    ours = {each.id for each in attempts}
    found = (await session.execute(query)).all()
    counts = Counter(code for submission_id, codes in found if submission_id in ours for code in codes)
    return [
        ConditionOut(code=code, meaning=meaning, screenings=counts[code])
        for code, meaning in CONDITION_CODES.items()
        if counts[code]
    ]


def _tell(reported: Reported, reached: Mapping[Stage, set[str]], *, is_hidden: bool) -> str:
    enrolled, started, submitted = (len(reached[stage]) for stage in ("enrolled", "started", "submitted"))
    beginning = (
        f"{tell_scope(reported)}: of {count_of(enrolled, 'person')} enrolled {started} have started and {submitted} "
        "handed in"
    )
    if is_hidden:
        return f"{beginning}. {tell_hidden(reported)}"
    return f"{beginning}; {len(reached['decided'])} were decided on and {len(reached['earned'])} hold a badge."


def rows(body: FunnelOut) -> list[Row]:
    """A line for each stage, place and condition, as `section` says; the first rate is of the people enrolled, that whose columns
    begin with `previous_` of those at the stage before."""
    hidden = RateOut.hidden()
    none: Row = dict.fromkeys(["without_submission", *hidden.cells(), *_of_previous(hidden)])
    return [
        *({"section": "stage", "name": each.stage, "count": each.people, "without_submission": each.without_submission,
           **each.of_enrolled.cells(), **_of_previous(each.of_previous)} for each in body.stages),
        *({"section": "place", "name": each.place, "count": each.people, **none} for each in body.places or ()),
        *({"section": "condition", "name": each.code, "count": each.screenings, **none}
          for each in body.conditions or ()),
    ]  # fmt: skip


def _of_previous(rate: RateOut) -> Row:
    return {f"previous_{name}": cell for name, cell in rate.cells().items()}
