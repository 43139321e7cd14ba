"""What two readers gave, criterion by criterion: over the versions of an achievement that share the criterion's text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.lineage import pool_keys
from app.achievements.store import AchievementVersion
from app.programs.store import Enrollment
from app.readings.pairs import PairKind, ReadingPair
from app.reports.disclosure import Counted
from app.reports.filters import Reported
from app.submissions.store import Submission

KINDS: tuple[PairKind, ...] = ("random", "triggered")


@dataclass
class Pool:
    """A criterion in the versions that share its text, and by kind the positions both readers gave where the filters ask for it.
    `counted` is the work that two have read, whether asked for or not."""

    achievement_id: str
    versions: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    given: dict[PairKind, list[tuple[int, int]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    counted: dict[PairKind, list[Counted]] = field(default_factory=lambda: {kind: [] for kind in KINDS})


async def count_pairs(session: AsyncSession, reported: Reported, pairs: Sequence[ReadingPair]) -> dict[str, Counted]:
    """By submission: it is submissions, not people, that there must be enough of."""
    cohorts = await _load_cohorts(session, reported) if reported.filters.cohort_id is not None else {}
    return {
        pair.submission_id: Counted(
            pair.submission_id, frozenset({cohorts.get(pair.submission_id)}), pair.achievement_id, pair.version,
            pair.settled_at, (pair.settled_at,),
        )
        for pair in pairs
    }  # fmt: skip


async def pool_criteria(
    session: AsyncSession, reported: Reported, pairs: Sequence[ReadingPair], counted: Mapping[str, Counted]
) -> list[Pool]:
    """In the order of the achievements and of their latest rubric; those that the filters ask for."""
    rubrics = await _load_rubrics(session, reported.issuer_id, {(each.achievement_id, each.version) for each in pairs})
    keys = {each: pool_keys(rubric) for each, rubric in rubrics.items()}
    pools: dict[tuple[str, str], Pool] = {}
    scales: dict[tuple[str, int, str], dict[str, int]] = {}
    for (achievement_id, version), rubric in sorted(rubrics.items(), key=lambda each: (each[0][0], -each[0][1])):
        for criterion in rubric["criteria"]:
            key = achievement_id, keys[achievement_id, version][criterion["key"]]
            pools.setdefault(key, Pool(achievement_id)).versions[version] = criterion
            positions = {level["key"]: position for position, level in enumerate(criterion["levels"])}
            scales[achievement_id, version, criterion["key"]] = positions
    asked = list_asked(reported, counted.values())
    for pair in pairs:
        for criterion_key, level in pair.first.items():
            scale = scales[pair.achievement_id, pair.version, criterion_key]
            pool = pools[pair.achievement_id, keys[pair.achievement_id, pair.version][criterion_key]]
            pool.counted[pair.kind].append(counted[pair.submission_id])
            if pair.submission_id in asked:
                pool.given[pair.kind].append((scale[level], scale[pair.second[criterion_key]]))
    is_about = reported.filters.is_about
    return [pool for pool in pools.values() if any(is_about(pool.achievement_id, each) for each in pool.versions)]


def list_asked(reported: Reported, counted: Iterable[Counted]) -> set[str]:
    """The submissions that the filters ask for."""
    filters = reported.filters
    return {
        each.person_id
        for each in counted
        if filters.is_within(each.at)
        and filters.is_about(each.achievement_id, each.version)
        and (filters.cohort_id is None or filters.cohort_id in each.cohorts)
    }


async def _load_cohorts(session: AsyncSession, reported: Reported) -> dict[str, str | None]:
    """By submission."""
    query = (
        select(Submission.id, Enrollment.cohort_id)
        .join(Enrollment, (Enrollment.issuer_id == Submission.issuer_id) & (Enrollment.id == Submission.enrollment_id))
        .where(Submission.issuer_id == reported.issuer_id, Submission.program_id == reported.program.id)
    )
    return dict((await session.execute(query)).all())


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
