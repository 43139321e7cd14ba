"""Whether filters leave so few people that their results would be told one by one."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from app.reports.decided import DecisionChain, load_decisions
from app.reports.filters import Filters, Reported
from app.reports.people import People, find_small, load_people


async def is_isolating(session: AsyncSession, reported: Reported, people: People) -> bool:
    """Whether results are left out: the cohort is small, or the filters leave decisions about fewer than `minimum_cell` people,
    or leave out those about so few. What is told of the whole would give them away then, or that of the other cohorts,
    achievements or versions.

    Of a program as a whole, results are always told.
    """
    filters = reported.filters
    if people.is_small:
        return True
    if not filters.is_windowed and filters.achievement_id is None:
        return False
    whole = replace(reported, filters=Filters(filters.as_of), cohort=None)
    everybody = await load_people(session, whole)
    decided = await load_decisions(session, whole, everybody)
    shown = [each for each in decided if each.first.person_id in people.shown]
    asked = _people(each for each in shown if _is_asked(each, filters))
    rest = _people(each for each in shown if not _is_asked(each, filters))
    return is_few(asked, rest, reported.minimum_cell) or _is_small_beside_others(reported, everybody, decided, shown)


def is_few(asked: Collection[str], rest: Collection[str], minimum: int) -> bool:
    """Whether those asked for, or those left out of a whole that is told, are at least one and fewer than the minimum."""
    return 0 < len(asked) < minimum or (len(asked) > 0 and 0 < len(rest) < minimum)


def _is_small_beside_others(
    reported: Reported, everybody: People, decided: Iterable[DecisionChain], shown: Iterable[DecisionChain]
) -> bool:
    """As `find_small` says of the cohorts, achievements and versions that fit all other filters."""
    filters, minimum = reported.filters, reported.minimum_cell
    cohorts = {
        (cohort, each.first.person_id)
        for each in decided
        if _is_asked(each, filters)
        for cohort in everybody.everybody[each.first.person_id].cohorts
    }
    window = [each for each in shown if filters.is_within(each.decided_at)]
    achievements = {(each.standing.achievement_id, each.first.person_id) for each in window}
    versions = {
        (str(each.standing.version), each.first.person_id)
        for each in window
        if each.standing.achievement_id == filters.achievement_id
    }
    version = None if filters.version is None else str(filters.version)
    return any(
        group is not None and group in find_small(Counter(of for of, _ in groups), minimum)
        for group, groups in (
            (filters.cohort_id, cohorts), (filters.achievement_id, achievements), (version, versions),
        )
    )  # fmt: skip


def _is_asked(chain: DecisionChain, filters: Filters) -> bool:
    return filters.is_within(chain.decided_at) and filters.is_about(
        chain.standing.achievement_id, chain.standing.version
    )


def _people(chains: Iterable[DecisionChain]) -> set[str]:
    return {each.first.person_id for each in chains}
