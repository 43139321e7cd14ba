"""Where people are on each pathway, and what most of them still lack."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ReportsRead
from app.events.store import Event
from app.identifiers import Identifier
from app.pathways.bodies import Stage
from app.pathways.progress import judge_stage
from app.pathways.rule import Step, evaluate, list_achievements, list_missing
from app.pathways.standing import list_standing_at, load_names, load_survivors
from app.pathways.store import PathwayVersion
from app.programs.store import ProgramAchievement
from app.reports.answer import ChosenFormat, Row, Snapshot, report_response, report_responses
from app.reports.decided import count_enrolled, load_decisions
from app.reports.disclosure import Disclosure
from app.reports.figures import RateOut, ReportOut, opening
from app.reports.filters import Reported, ReportFilters, get_reported
from app.reports.people import is_told, load_people
from app.reports.words import count_of, tell_hidden, tell_scope

router = APIRouter()

STAGES: tuple[Stage, ...] = get_args(Stage)
_ENDS = {"pathway.proposed": True, "pathway.approved": False, "pathway.declined": False, "pathway.lapsed": False}

Earned = Mapping[str, frozenset[tuple[str, int]]]
"""Person -> achievements and versions held."""


class StageCount(BaseModel):
    stage: Stage
    people: int | None = Field(description="How many enrolled people are there.")


class BlockerOut(BaseModel):
    """A part of the rule that keeps people from meeting it."""

    pointer: str = Field(description="JSON Pointer (RFC 6901) into the version.", examples=["/rule/all/2"])
    label: str = Field(examples=["2 from Literacy"])
    people: int = Field(description="How many who have begun lack it.")


class PathwayStandingOut(BaseModel):
    pathway_id: Identifier
    version: int
    name: str
    stages: list[StageCount] = Field(description="They add up to everybody enrolled.")
    awarded: RateOut
    blockers: list[BlockerOut] | None = Field(description="Most frequent first; of people at the stage `part`.")


class PathwaysReportOut(ReportOut):
    enrolled: int
    pathways: list[PathwayStandingOut] = Field(
        description="Those in force then that name an achievement of the program, or the badge of such a pathway."
    )


@router.get("/v1/programs/{program_id}/reports/pathways", operation_id="report_pathways",
            responses=report_responses(PathwaysReportOut))  # fmt: skip
async def pathways(
    program_id: Identifier, tenant: ReportsRead, session: Snapshot, filters: ReportFilters, chosen: ChosenFormat
) -> Response:
    """Where people are on each pathway, and which component blocks most."""
    body = await measure(session, await get_reported(session, tenant.issuer_id, program_id, filters))
    return report_response(chosen, body, rows(body))


async def measure(session: AsyncSession, reported: Reported) -> PathwaysReportOut:
    """The window chooses who took up their place in it; they are followed to `as_of`."""
    people = await load_people(session, reported)
    enrolled = [each.id for each in people.list_enrolled() if reported.filters.is_within(each.enrolled_at)]
    versions = await _list_versions(session, reported)
    earned = await _load_earned(session, reported, versions)
    proposed = await _load_proposed(session, reported, versions)
    named = {id_ for version in versions for id_ in list_achievements(version.content)}
    names = await load_names(session, reported.issuer_id, named)
    decisions = await load_decisions(session, reported) if reported.filters.is_narrowed else {}
    disclosure = Disclosure(count_enrolled(decisions, people), reported.minimum_cell)
    is_hidden = not is_told(reported, people, disclosure)
    standings = [_place(version, enrolled, earned, proposed, names, is_hidden=is_hidden) for version in versions]
    return PathwaysReportOut.model_validate(
        {
            **opening(
                "pathways", reported, sentence=_tell(reported, len(enrolled), standings, is_hidden=is_hidden),
                window="when people took up their place", suppressed=("pathways",) if is_hidden else (),
                moments=disclosure.moments if is_hidden else (),
            ),
            "enrolled": len(enrolled),
            "pathways": standings,
        }
    )  # fmt: skip


def _place(
    version: PathwayVersion,
    enrolled: Sequence[str],
    earned: Earned,
    proposed: set[tuple[str, str]],
    names: Mapping[str, str],
    *,
    is_hidden: bool,
) -> PathwayStandingOut:
    if is_hidden:
        return _compose(version, [StageCount(stage=each, people=None) for each in STAGES], RateOut.hidden(), None)
    relevant = {*list_achievements(version.content), version.achievement_id}
    told: dict[frozenset[tuple[str, int]], Step] = {}  # many people hold the same
    stages: Counter[Stage] = Counter()
    missing: Counter[tuple[str, str]] = Counter()
    for person in enrolled:
        held = frozenset(each for each in earned.get(person, ()) if each[0] in relevant)
        if held not in told:
            told[held] = evaluate(version.content, _by_achievement(held), names)
        stage = judge_stage(
            told[held],
            is_proposed=(version.pathway_id, person) in proposed,
            is_awarded=any(achievement_id == version.achievement_id for achievement_id, _ in held),
        )
        stages[stage] += 1
        if stage == "part":
            missing.update((each.pointer, _label(each)) for each in list_missing(told[held]))
    ordered = sorted(missing.items(), key=lambda each: (-each[1], each[0]))
    blockers = [BlockerOut(pointer=pointer, label=label, people=n) for (pointer, label), n in ordered]
    counts = [StageCount(stage=each, people=stages[each]) for each in STAGES]
    return _compose(version, counts, RateOut.of(stages["awarded"], len(enrolled)), blockers)


def _compose(
    version: PathwayVersion, stages: list[StageCount], awarded: RateOut, blockers: list[BlockerOut] | None
) -> PathwayStandingOut:
    return PathwayStandingOut(
        pathway_id=version.pathway_id,
        version=version.version,
        name=version.content["name"],
        stages=stages,
        awarded=awarded,
        blockers=blockers,
    )


def _by_achievement(held: Iterable[tuple[str, int]]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for achievement_id, version in held:
        found.setdefault(achievement_id, set()).add(version)
    return found


def _label(step: Step) -> str:
    """The same for everybody who lacks it, however much of it they have."""
    if step.kind == "achievement":
        return str(step.label)
    return f"{step.needed} in all" if step.label is None else f"{step.needed} from {step.label}"


async def _list_versions(session: AsyncSession, reported: Reported) -> list[PathwayVersion]:
    """In force at the moment, and concerned with the program or with the achievement asked for, by name."""
    issuer_id, filters = reported.issuer_id, reported.filters
    query = select(PathwayVersion).where(
        PathwayVersion.issuer_id == issuer_id,
        PathwayVersion.published_at <= filters.as_of,
        or_(PathwayVersion.retired_at.is_(None), PathwayVersion.retired_at > filters.as_of),
    )
    found = (await session.scalars(query.order_by(PathwayVersion.version))).all()
    in_force = list({each.pathway_id: each for each in found}.values())
    ours = select(ProgramAchievement.achievement_id).where(
        ProgramAchievement.issuer_id == issuer_id, ProgramAchievement.program_id == reported.program.id
    )
    reached = {filters.achievement_id} if filters.achievement_id else set((await session.scalars(ours)).all())
    concerned: dict[str, PathwayVersion] = {}
    while new := [
        each
        for each in in_force
        if each.pathway_id not in concerned and not reached.isdisjoint(list_achievements(each.content))
    ]:
        concerned |= {each.pathway_id: each for each in new}
        reached |= {each.achievement_id for each in new}
    return sorted(concerned.values(), key=lambda each: (each.content["name"], each.pathway_id))


async def _load_earned(session: AsyncSession, reported: Reported, versions: Sequence[PathwayVersion]) -> Earned:
    named = {id_ for each in versions for id_ in (*list_achievements(each.content), each.achievement_id)}
    survivors = await load_survivors(session, reported.issuer_id)
    found: dict[str, set[tuple[str, int]]] = {}
    for held in await list_standing_at(session, reported.issuer_id, named, reported.filters.as_of):
        person = survivors.get(held.learner_id, held.learner_id)
        found.setdefault(person, set()).add((held.achievement_id, held.version))
    return {person: frozenset(held) for person, held in found.items()}


async def _load_proposed(
    session: AsyncSession, reported: Reported, versions: Sequence[PathwayVersion]
) -> set[tuple[str, str]]:
    """Pathway and person of every proposal that was open at the moment."""
    query = select(Event.object_id, Event.type, Event.data).where(
        Event.issuer_id == reported.issuer_id,
        Event.type.in_(list(_ENDS)),
        Event.object_id.in_([each.pathway_id for each in versions]),
        Event.occurred_at <= reported.filters.as_of,
    )
    survivors = await load_survivors(session, reported.issuer_id)
    is_open: dict[str, tuple[str, str] | None] = {}
    for pathway_id, type_, data in (await session.execute(query.order_by(Event.position))).all():
        person = survivors.get(data["learner_id"], data["learner_id"])
        is_open[data["proposal_id"]] = (pathway_id, person) if _ENDS[type_] else None
    return {each for each in is_open.values() if each is not None}


def _tell(reported: Reported, enrolled: int, standings: Sequence[PathwayStandingOut], *, is_hidden: bool) -> str:
    beginning = f"{tell_scope(reported)}: {count_of(enrolled, 'person')} enrolled"
    if is_hidden:
        return f"{beginning}. {tell_hidden(reported)}"
    if not standings:
        return f"{beginning}, and no pathway in force leads on from the program."
    return f"{beginning}. " + " ".join(_tell_one(each) for each in standings[:3]) + _tell_rest(len(standings) - 3)


def _tell_one(standing: PathwayStandingOut) -> str:
    counts = {each.stage: each.people for each in standing.stages}
    blocked = ""
    if standing.blockers:
        blocked = f"; most of these lack {standing.blockers[0].label} ({standing.blockers[0].people})"
        if standing.blockers[0].people * 2 <= (counts["part"] or 0):
            blocked = f"; most often lacking is {standing.blockers[0].label} ({standing.blockers[0].people})"
    return (
        f"{standing.name}: {counts['awarded']} hold the badge, {counts['proposed']} are proposed for it, {counts['met']} have "
        f"met it otherwise, {counts['not_begun']} have not begun, {counts['part']} are part of the way{blocked}."
    )


def _tell_rest(more: int) -> str:
    return f" And {count_of(more, 'pathway')} more." if more > 0 else ""


def rows(body: PathwaysReportOut) -> list[Row]:
    """A line for each number: the pathway, `measure` (`stage` or `blocker`), `of` and `people`, empty where it is left out."""
    lines: list[Row] = []
    for each in body.pathways:
        about: Row = {"pathway_id": each.pathway_id, "pathway_version": each.version, "pathway": each.name}
        lines += [{**about, "measure": "stage", "of": stage.stage, "people": stage.people} for stage in each.stages]
        lines += [
            {**about, "measure": "blocker", "of": blocker.label, "people": blocker.people}
            for blocker in each.blockers or ()
        ]
    return lines
