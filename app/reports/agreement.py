"""How far two readers agree, criterion by criterion: first readings in rows, second in columns.

Only pairs of blind readings whose submission is resolved count (`app.readings.pairs`). Random
pairs stand for all submissions of their time; triggered ones are told apart. Versions are pooled where the criterion's text is
the same. Nothing is told of fewer submissions than the smallest cell, nor where the filters leave out fewer than that.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ReportsRead
from app.achievements.lineage import pool_keys
from app.achievements.store import AchievementVersion
from app.identifiers import Identifier
from app.programs.store import Enrollment
from app.psychometrics import agreement
from app.psychometrics.alpha import krippendorff_alpha
from app.psychometrics.gwet import gwet_ac1
from app.psychometrics.statistic import Statistic
from app.quality.bodies import QualityStatistic
from app.readings.pairs import PairKind, ReadingPair, list_pairs
from app.reports.answer import ChosenFormat, Row, Snapshot, report_response, report_responses
from app.reports.figures import IntervalOut, ReportOut, StatisticOut, opening
from app.reports.filters import Reported, ReportFilters, get_reported
from app.reports.people import find_small
from app.reports.stored import STORED_DIGITS, Stored, load_stored
from app.reports.words import count_of, tell_scope
from app.submissions.store import Submission

router = APIRouter()

KINDS: tuple[PairKind, ...] = ("random", "triggered")
STATISTICS = (
    "exact_agreement", "adjacent_agreement", "cohen_kappa", "weighted_kappa_quadratic", "krippendorff_alpha_ordinal",
    "gwet_ac1",
)  # fmt: skip


class PairsOut(BaseModel):
    """What the pairs of one kind come to. With fewer submissions than the smallest cell nothing is told of them."""

    kind: PairKind
    submissions: int | None = Field(description="Null where there are too few to tell of.")
    matrix: list[list[int]] | None = Field(description="First readings in rows, second in columns, lowest level first.")
    statistics: list[StatisticOut] = Field(
        description="Read them together: kappa and alpha are low where nearly all work is at one level. Intervals by resampling "
        "come from the stored quality report of the same pairs: that of one version and calendar quarter. Elsewhere the reason "
        "is `not_computed`, beside the value."
    )


class CriterionOut(BaseModel):
    """A criterion, over all versions with the same lineage and text."""

    achievement_id: str
    criterion: str = Field(description="Its key in the latest of these versions.")
    name: str
    versions: list[int]
    levels: list[str] = Field(description="Their names, lowest first.")
    pairs: list[PairsOut]


class AgreementOut(ReportOut):
    submissions: int | None = Field(description="Read by two, at random or not. Null where too few to tell of.")
    criteria: list[CriterionOut]


@router.get("/v1/programs/{program_id}/reports/agreement", operation_id="report_agreement",
            responses=report_responses(AgreementOut))  # fmt: skip
async def agreement_(
    program_id: Identifier, tenant: ReportsRead, session: Snapshot, filters: ReportFilters, chosen: ChosenFormat
) -> Response:
    """How far two blind readings of the same work agree, criterion by criterion."""
    body = await measure(session, await get_reported(session, tenant.issuer_id, program_id, filters))
    return report_response(chosen, body, rows(body))


Group = tuple[Literal["cohort", "version"], str | None]
"""A cohort or a version, as one of those that a filter chooses from."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The submissions that the filters ask for. `groups` are by submission those it would be asked for in with all other filters
    the same; `asked` are the ones that are."""

    submissions: set[str]
    groups: Mapping[str, Sequence[Group]]
    asked: Sequence[Group]


@dataclass
class _Pool:
    """A criterion in the versions that share its text, and the positions both readers gave, by kind. `left_out` are the pairs
    that the filters do not ask for, `beside` those of each group that one filter or the other chooses from."""

    achievement_id: str
    versions: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    given: dict[PairKind, list[tuple[int, int]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    left_out: Counter[PairKind] = field(default_factory=Counter)
    beside: Counter[tuple[PairKind, Group]] = field(default_factory=Counter)


async def measure(session: AsyncSession, reported: Reported) -> AgreementOut:
    """The window is of when the submission was resolved."""
    minimum, filters = reported.minimum_cell, reported.filters
    pairs = await list_pairs(session, reported.issuer_id, program_id=reported.program.id)
    pairs = [pair for pair in pairs if filters.is_known(pair.settled_at)]
    chosen = await _choose(session, reported, pairs)
    pools = await _pool(session, reported, pairs, chosen)
    stored = await load_stored(session, reported)
    criteria = [_measure_pool(pool, chosen.asked, minimum, stored) for pool in pools]
    is_small = any(each.submissions is None for criterion in criteria for each in criterion.pairs)
    is_hidden = is_small or _is_small(len(chosen.submissions), len(pairs) - len(chosen.submissions), minimum)
    return AgreementOut.model_validate(
        {
            **opening(
                "agreement", reported, sentence=_tell(reported, criteria), window="when the submission was resolved",
                suppressed=_list_suppressed(submissions=is_hidden, pairs=is_small),
            ),
            "submissions": None if is_hidden else len(chosen.submissions),
            "criteria": criteria,
        }
    )  # fmt: skip


async def _choose(session: AsyncSession, reported: Reported, pairs: Sequence[ReadingPair]) -> _Chosen:
    filters = reported.filters
    cohorts = await _load_cohorts(session, reported) if filters.cohort_id is not None else {}
    chosen: set[str] = set()
    groups: dict[str, list[Group]] = defaultdict(list)
    for pair in pairs:
        cohort_id = cohorts.get(pair.submission_id)
        is_about = filters.is_about(pair.achievement_id, pair.version)
        if not filters.is_within(pair.settled_at) or filters.achievement_id not in (None, pair.achievement_id):
            continue
        if is_about and filters.cohort_id is not None:
            groups[pair.submission_id].append(("cohort", cohort_id))
        if filters.cohort_id in (None, cohort_id):
            if filters.version is not None:
                groups[pair.submission_id].append(("version", str(pair.version)))
            if is_about:
                chosen.add(pair.submission_id)
    asked: list[Group] = [] if filters.cohort_id is None else [("cohort", filters.cohort_id)]
    asked += [] if filters.version is None else [("version", str(filters.version))]
    return _Chosen(chosen, groups, asked)


async def _load_cohorts(session: AsyncSession, reported: Reported) -> dict[str, str | None]:
    """By submission."""
    query = (
        select(Submission.id, Enrollment.cohort_id)
        .join(Enrollment, (Enrollment.issuer_id == Submission.issuer_id) & (Enrollment.id == Submission.enrollment_id))
        .where(Submission.issuer_id == reported.issuer_id, Submission.program_id == reported.program.id)
    )
    return dict((await session.execute(query)).all())


async def _pool(
    session: AsyncSession, reported: Reported, pairs: Sequence[ReadingPair], chosen: _Chosen
) -> list[_Pool]:
    """In the order of the achievements and of their latest rubric; those that the filters ask for."""
    rubrics = await _load_rubrics(session, reported.issuer_id, {(each.achievement_id, each.version) for each in pairs})
    keys = {each: pool_keys(rubric) for each, rubric in rubrics.items()}
    pools: dict[tuple[str, str], _Pool] = {}
    scales: dict[tuple[str, int, str], dict[str, int]] = {}
    for (achievement_id, version), rubric in sorted(rubrics.items(), key=lambda each: (each[0][0], -each[0][1])):
        for criterion in rubric["criteria"]:
            key = achievement_id, keys[achievement_id, version][criterion["key"]]
            pools.setdefault(key, _Pool(achievement_id)).versions[version] = criterion
            positions = {level["key"]: position for position, level in enumerate(criterion["levels"])}
            scales[achievement_id, version, criterion["key"]] = positions
    for pair in pairs:
        for criterion_key, level in pair.first.items():
            scale = scales[pair.achievement_id, pair.version, criterion_key]
            pool = pools[pair.achievement_id, keys[pair.achievement_id, pair.version][criterion_key]]
            pool.beside.update((pair.kind, group) for group in chosen.groups.get(pair.submission_id, ()))
            if pair.submission_id in chosen.submissions:
                pool.given[pair.kind].append((scale[level], scale[pair.second[criterion_key]]))
            else:
                pool.left_out[pair.kind] += 1
    is_about = reported.filters.is_about
    return [pool for pool in pools.values() if any(is_about(pool.achievement_id, each) for each in pool.versions)]


async def _load_rubrics(
    session: AsyncSession, issuer_id: str, versions: set[tuple[str, int]]
) -> dict[tuple[str, int], Mapping[str, Any]]:
    query = select(AchievementVersion.achievement_id, AchievementVersion.version, AchievementVersion.content).where(
        AchievementVersion.issuer_id == issuer_id, AchievementVersion.achievement_id.in_({each for each, _ in versions})
    )
    return {
        (achievement_id, version): content["rubric"]
        for achievement_id, version, content in (await session.execute(query)).all()
        if (achievement_id, version) in versions
    }


def _measure_pool(pool: _Pool, asked: Sequence[Group], minimum: int, stored: Stored) -> CriterionOut:
    criterion = pool.versions[max(pool.versions)]
    levels = len(criterion["levels"])
    # A submission is paired once, so the pairs of one criterion are as many as its submissions.
    pairs = []
    for kind in KINDS:
        given = pool.given[kind]
        is_beside = any(_is_small_beside_others(pool, kind, group, minimum) for group in asked)
        if is_beside or _is_small(len(given), pool.left_out[kind], minimum):
            pairs.append(_hide(kind))
        else:
            pairs.append(_measure_pairs(kind, given, levels, stored.get((kind, criterion["key"]), {})))
    return CriterionOut(
        achievement_id=pool.achievement_id,
        criterion=criterion["key"],
        name=criterion["name"],
        versions=sorted(pool.versions),
        levels=[level["name"] for level in criterion["levels"]],
        pairs=pairs,
    )


def _hide(kind: PairKind) -> PairsOut:
    hidden = [StatisticOut(name=name, n=None, value=None, reason="small_cell", interval=None) for name in STATISTICS]
    return PairsOut(kind=kind, submissions=None, matrix=None, statistics=hidden)


def _measure_pairs(
    kind: PairKind, given: list[tuple[int, int]], levels: int, stored: Mapping[str, QualityStatistic]
) -> PairsOut:
    return PairsOut(
        kind=kind,
        submissions=len(given),
        matrix=agreement.matrix(given, levels) if given else None,
        statistics=[_with_interval(each, stored.get(each.name)) for each in _list_statistics(given, levels)],
    )


def _list_statistics(given: list[tuple[int, int]], levels: int) -> list[Statistic]:
    """As STATISTICS. The shares have Wilson's interval; those of the others are resampled and come from what is stored."""
    return [
        agreement.exact(given),
        agreement.adjacent(given),
        agreement.cohen_kappa(given, levels),
        agreement.weighted_kappa(given, levels),
        krippendorff_alpha(given, "ordinal"),
        gwet_ac1(given, levels),
    ]


def _with_interval(statistic: Statistic, stored: QualityStatistic | None) -> StatisticOut:
    """With the stored interval, where that is of the same pairs: as many, with the same value."""
    shown = StatisticOut.of(statistic)
    if statistic.value is None or shown.interval is not None:
        return shown
    same = stored is not None and stored.n == statistic.n and stored.value == round(statistic.value, STORED_DIGITS)
    if stored is None or stored.interval is None or not same:
        return shown.model_copy(update={"reason": "not_computed"})
    found = stored.interval
    interval = IntervalOut(low=found.low, high=found.high, level=found.level, method=found.method)
    return shown.model_copy(update={"interval": interval})


def _is_small(submissions: int, left_out: int, minimum: int) -> bool:
    """Too few to tell of, or so few left out that what is told of all would give them away."""
    return 0 < submissions < minimum or (submissions > 0 and 0 < left_out < minimum)


def _is_small_beside_others(pool: _Pool, kind: PairKind, asked: Group, minimum: int) -> bool:
    """Whether all cohorts (or versions) together, less the others, would give this one away, or this one another."""
    sizes = {
        group: count
        for (of_kind, (dimension, group)), count in pool.beside.items()
        if (of_kind, dimension) == (kind, asked[0])
    }
    return asked[1] in find_small(sizes, minimum)


def _list_suppressed(*, submissions: bool, pairs: bool) -> list[str]:
    return [name for name, is_hidden in (("submissions", submissions), ("criteria.pairs", pairs)) if is_hidden]


def _tell(reported: Reported, criteria: Sequence[CriterionOut]) -> str:
    """The range over the criteria, of random pairs: those stand for all submissions."""
    told = [each for criterion in criteria for each in criterion.pairs if each.kind == "random" and each.submissions]
    if not told:
        return (
            f"{tell_scope(reported)}: too few submissions were read by two at random to tell how far readers agree; at least "
            f"{reported.minimum_cell} are needed for a criterion."
        )
    shares = [each.statistics[0].value or 0.0 for each in told]
    most = max(each.submissions or 0 for each in told)
    return (
        f"{tell_scope(reported)}: of up to {count_of(most, 'submission')} read by two at random, both readers gave the same "
        f"level in {min(shares):.0%} to {max(shares):.0%}, depending on the criterion."
    )


def rows(body: AgreementOut) -> list[Row]:
    """One line for each criterion, kind and statistic, and one for each cell of a matrix (`first_level`, `second_level`, `n`).
    Two achievements may name a criterion alike: `achievement` tells them apart."""
    lines: list[Row] = []
    for criterion in body.criteria:
        for pairs in criterion.pairs:
            about: Row = {
                "achievement": criterion.achievement_id, "versions": " ".join(map(str, criterion.versions)),
                "criterion": criterion.criterion, "kind": pairs.kind,
            }  # fmt: skip
            lines += [
                _line(about, measure=each.name, n=each.n, value=each.value, reason=each.reason,
                      low=each.interval.low if each.interval else None, high=each.interval.high if each.interval else None)
                for each in pairs.statistics
            ]  # fmt: skip
            lines += [
                _line(
                    about, measure="matrix", n=count, first_level=criterion.levels[i], second_level=criterion.levels[j]
                )
                for i, row in enumerate(pairs.matrix or ())
                for j, count in enumerate(row)
            ]
    return lines


_COLUMNS = ("measure", "n", "value", "reason", "low", "high", "first_level", "second_level")


def _line(about: Row, **cells: str | int | float | None) -> Row:
    return {**about, **{column: cells.get(column) for column in _COLUMNS}}
