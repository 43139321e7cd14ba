"""Intervals by resampling, as quality reports have stored them: a report of ours resamples nothing while somebody waits."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from app.quality.bodies import QualityStatistic
from app.quality.find import read_report
from app.quality.store import find_frozen, find_open
from app.quarters import quarter_of
from app.readings.pairs import PairKind
from app.reports.filters import Reported

STORED_DIGITS = 6
"""Decimal places of what is stored."""

Stored = Mapping[tuple[PairKind, str], Mapping[str, QualityStatistic]]
"""Statistics by name, by kind of pairs and criterion key."""


async def load_stored(session: AsyncSession, reported: Reported) -> Stored:
    """What is stored of the version and quarter that the report is narrowed to; nothing where it is narrowed otherwise."""
    filters = reported.filters
    if (
        filters.achievement_id is None
        or filters.version is None
        or filters.since is None
        or filters.cohort_id is not None
    ):
        return {}
    window = quarter_of(filters.since)
    if (filters.since, filters.until) != (window.starts_at, window.ends_at):
        return {}
    place = reported.issuer_id, filters.achievement_id, filters.version, window.label
    found = await find_frozen(session, *place) or await find_open(session, *place)
    if found is None:
        return {}
    report = read_report(found.body)
    kinds: dict[PairKind, list[tuple[str, list[QualityStatistic]]]] = {
        "random": [(each.key, each.statistics) for each in report.random.criteria],
        "triggered": [(each.key, each.statistics) for each in report.triggered.criteria],
    }
    return {
        (kind, key): {statistic.name: statistic for statistic in statistics}
        for kind, criteria in kinds.items()
        for key, statistics in criteria
    }
