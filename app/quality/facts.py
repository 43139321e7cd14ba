"""What the reports of an achievement in one window are made of, read from the register."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.lineage import pool_keys
from app.achievements.rubric import Rubric
from app.achievements.store import AchievementVersion
from app.quality.measure import Pair
from app.quarters import Quarter
from app.readings.pairs import PairKind, ReadingPair, list_pairs
from app.readings.scores import recommend
from app.readings.store import Reading, Resolution
from app.submissions.store import Submission

_SECOND_KINDS = ("second_random", "second_triggered")


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one version in the window: submissions resolved, those of them that had been read twice, the readings of all of them."""

    resolved: int = 0
    double_read: int = 0
    readings: int = 0


@dataclass(frozen=True, slots=True)
class ReadTwice:
    """A submission that two people read blind. `scores` are by pool key (`app.achievements.lineage`), those of criteria that
    an earlier attempt had met not among them; they do count for the `decision`."""

    version: int
    kind: PairKind
    scores: Mapping[str, Pair]
    decision: Pair


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """`versions` are the published and retired ones, oldest first; `counts` are by version."""

    window: Quarter
    versions: Sequence[AchievementVersion]
    counts: Mapping[int, Counts]
    read_twice: Sequence[ReadTwice]


async def load_facts(session: AsyncSession, versions: Sequence[AchievementVersion], window: Quarter) -> WindowFacts:
    """The facts of all versions of one achievement."""
    issuer_id, achievement_id = versions[0].issuer_id, versions[0].achievement_id
    pairs = await list_pairs(
        session, issuer_id, achievement_id=achievement_id, since=window.starts_at, until=window.ends_at
    )
    banked = await _list_banked(session, issuer_id, achievement_id)
    counts = await _count(session, issuer_id, achievement_id, window)
    rubrics = {each.version: each.content["rubric"] for each in versions}
    read_twice = await asyncio.to_thread(_place_all, pairs, rubrics, banked)
    return WindowFacts(window, versions, counts, read_twice)


def _place_all(
    pairs: Sequence[ReadingPair], rubrics: Mapping[int, Rubric], banked: Mapping[str, Mapping[str, str]]
) -> list[ReadTwice]:
    pools = {version: pool_keys(rubric) for version, rubric in rubrics.items()}
    return [
        _place(pair, rubrics[pair.version], pools[pair.version], banked.get(pair.submission_id, {})) for pair in pairs
    ]


def _place(pair: ReadingPair, rubric: Rubric, pools: Mapping[str, str], banked: Mapping[str, str]) -> ReadTwice:
    levels = {each["key"]: [level["key"] for level in each["levels"]] for each in rubric["criteria"]}
    scores = {
        pools[key]: (levels[key].index(pair.first[key]), levels[key].index(pair.second[key])) for key in pair.first
    }
    first, second = (int(recommend(rubric, {**banked, **read}) == "awarded") for read in (pair.first, pair.second))
    return ReadTwice(pair.version, pair.kind, scores, (first, second))


async def _list_banked(session: AsyncSession, issuer_id: str, achievement_id: str) -> dict[str, dict[str, str]]:
    """Levels by criterion that earlier attempts had met, by submission."""
    query = select(Submission.id, Submission.banked).where(
        Submission.issuer_id == issuer_id, Submission.achievement_id == achievement_id, Submission.attempt > 1
    )
    rows = (await session.execute(query)).all()
    return {id_: {criterion: level for criterion, level, _ in banked} for id_, banked in rows}


async def _count(session: AsyncSession, issuer_id: str, achievement_id: str, window: Quarter) -> dict[int, Counts]:
    of_achievement = (Submission.issuer_id == issuer_id, Submission.achievement_id == achievement_id)
    joined = (
        select(Submission.version, func.count())
        .join(Resolution, (Resolution.issuer_id == Submission.issuer_id) & (Resolution.submission_id == Submission.id))
        .where(*of_achievement, Resolution.number == 1)
        .where(Resolution.resolved_at >= window.starts_at, Resolution.resolved_at < window.ends_at)
        .group_by(Submission.version)
    )
    second = (
        select(Reading.id)
        .where(Reading.issuer_id == Submission.issuer_id, Reading.submission_id == Submission.id)
        .where(Reading.kind.in_(_SECOND_KINDS), Reading.submitted_at <= Resolution.resolved_at)
    )
    read = joined.join(
        Reading, (Reading.issuer_id == Submission.issuer_id) & (Reading.submission_id == Submission.id)
    ).where(Reading.state == "submitted", Reading.submitted_at <= Resolution.resolved_at)
    resolved = dict((await session.execute(joined)).all())
    double_read = dict((await session.execute(joined.where(second.exists()))).all())
    readings = dict((await session.execute(read)).all())
    return {
        version: Counts(resolved.get(version, 0), double_read.get(version, 0), readings.get(version, 0))
        for version in resolved
    }
