"""Which narrowed answers of a report may be told, so that no two of them give away the results of a few people. PURE.

An answer is about everything, or about what a *group* (a cohort, an achievement, a version, or a cohort with one of these) did in
a *range* of time. What a report counts is a `Counted`: one for each thing that a person did or that was decided about them. A
difference of two answers tells of what one counts and the other does not: never may that be about 1 to `minimum` - 1 people.

- **Time** is cut at `moments` only: firsts of months (UTC) between which at least `minimum` people are counted, as after the
  last. A window that begins or ends elsewhere is not told. The moments follow from what happened, from nobody's questions, and
  those there are stay.
- **Groups** are told if all wider ones are, and if those left out beside them in the same wider one are at least `minimum` people
  and at least two groups (`find_hidden`): else what is told of the others, and of all together, would give them away.
- **A group in a range** is told if the group is, and if it is told in every period between two moments.
- **As of an earlier moment** only everything is told, at a moment, and where what became known later of earlier
  things concerns nobody or at least `minimum` people: else the window until then, as known today, would tell of those.

Everything, as of now, is always told.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain, pairwise

from app.reports.filters import Filters

ALL = "*"

Group = tuple[str, str, str]
"""A cohort (empty: in none), an achievement and a version, each or ALL of them."""
EVERYTHING: Group = (ALL, ALL, ALL)

Table = Mapping[Group, set[int]]
"""The groups there are, each with the positions of what is counted of it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Something counted about a person. `at` is what windows go by, `known` when it, and each change of it, became known."""

    person_id: str
    cohorts: frozenset[str | None]
    achievement_id: str
    version: int
    at: datetime
    known: tuple[datetime, ...]


class Disclosure:
    """What may be told of everything that is counted. What there is is looked at only for a narrowed answer."""

    def __init__(self, counted: Iterable[Counted], minimum: int) -> None:
        self._given = counted
        self._minimum = minimum

    def tells(self, filters: Filters) -> bool:
        """Whether the answer to these filters may be told. With a minimum of 1 there is nothing to protect."""
        if self._minimum <= 1 or not filters.is_narrowed:
            return True
        group = _group_of(filters)
        if filters.looks_back and any(moment > filters.as_of for each in self._counted for moment in each.known):
            return group == EVERYTHING and not filters.is_windowed and self._is_told_as_of(filters.as_of)
        low, high = self._cut(filters.since, 0), self._cut(filters.until, len(self._counted))
        if group in self._hidden or low >= high:
            return group not in self._hidden
        is_everywhen = (low, high) == (0, len(self._counted))
        return is_everywhen or (group not in self._hidden_in_periods and {low, high} <= {*self._bounds})

    @cached_property
    def _counted(self) -> list[Counted]:
        return sorted(self._given, key=lambda each: each.at)

    @cached_property
    def _times(self) -> list[datetime]:
        return [each.at for each in self._counted]

    @cached_property
    def moments(self) -> list[datetime]:
        """Where time may be cut."""
        found: list[datetime] = []
        people: set[str] = set()
        month: datetime | None = None
        for each in self._counted:
            begins = _month_of(each.at)
            if begins != month and len(people) >= self._minimum:
                found.append(begins)
                people = set()
            month = begins
            people.add(each.person_id)
        return found if len(people) >= self._minimum else found[:-1]

    @cached_property
    def _bounds(self) -> list[int]:
        """The beginning, the moments and the end, as positions."""
        return [0, *(bisect_left(self._times, moment) for moment in self.moments), len(self._counted)]

    def _cut(self, moment: datetime | None, default: int) -> int:
        return default if moment is None else bisect_left(self._times, moment)

    def _is_told_as_of(self, as_of: datetime) -> bool:
        """Whether it is one of the moments that may be told: from one to the next at least `minimum` people have changed."""
        changes = [(moment, each) for each in self._counted for moment in each.known]
        before: datetime | None = None
        told = []
        for moment in self.moments:
            since = {each.person_id for at, each in changes if (before is None or at > before) and at <= moment}
            late = {each.person_id for at, each in changes if (at > moment) == (each.at < moment)}
            rest = {each.person_id for at, each in changes if at > moment}
            if len(since) >= self._minimum <= len(rest) and not 0 < len(late) < self._minimum:
                told.append(moment)
                before = moment
        moments = sorted(moment for moment, _ in changes)
        return bisect_right(moments, as_of) in [bisect_right(moments, each) for each in told]

    @property
    def _hidden(self) -> set[Group]:
        """The groups that are not told at all."""
        return self._hidden_groups[0]

    @property
    def _hidden_in_periods(self) -> set[Group]:
        """Those that are told of everywhen at most."""
        return self._hidden_groups[1]

    @cached_property
    def _hidden_groups(self) -> tuple[set[Group], set[Group]]:
        table = self._tabulate(0, len(self._counted))
        periods = [self._tabulate(low, high) for low, high in pairwise(self._bounds)]
        hidden = {group for group in table if self._is_telling(group, table)}
        while True:
            hidden = self._find_hidden([table], hidden)
            in_periods = self._find_hidden(periods, hidden)
            pinned = {group for group in in_periods - hidden if self._is_pinned(group, periods)}
            if not pinned:
                return hidden, in_periods
            hidden |= pinned

    def _tabulate(self, low: int, high: int) -> Table:
        table: dict[Group, set[int]] = defaultdict(set)
        for position in range(low, high):
            for group in _groups_of(self._counted[position]):
                table[group].add(position)
        return table

    def _is_few(self, positions: Iterable[int]) -> bool:
        """Whether they are about 1 to `minimum` - 1 people."""
        people: set[str] = set()
        for position in positions:
            people.add(self._counted[position].person_id)
            if len(people) >= self._minimum:
                return False
        return bool(people)

    def _is_telling(self, group: Group, table: Table) -> bool:
        """Whether in the time that a group's things happened in, those of a wider one beside it are about few people: a window of
        the wider one, less the group, would tell of them."""
        if group == EVERYTHING:
            return False
        mine = table[group]
        low = self._bounds[bisect_right(self._bounds, min(mine)) - 1]
        high = self._bounds[bisect_right(self._bounds, max(mine))]
        return any(
            self._is_few(each for each in table[wider] - mine if low <= each < high) for wider in _list_wider(group)
        )

    def _is_pinned(self, group: Group, periods: Sequence[Table]) -> bool:
        """Whether what a group did, less the periods in which a wider one did nothing else, would be of few people, or what it
        did in one period."""
        for wider in _list_wider(group):
            mixed = [table[group] for table in periods if group in table and table[group] != table[wider]]
            if len(mixed) == 1 or self._is_few(chain.from_iterable(mixed)):
                return True
        return False

    def _find_hidden(self, tables: Sequence[Table], hidden: Collection[Group]) -> set[Group]:
        """`hidden`, and what has to be with it in any of the tables."""
        found, before = set(hidden), -1
        while len(found) != before:
            before = len(found)
            for table in tables:
                for total, parts in _list_lines(table):
                    found |= self._complete(table, total, parts, found)
        return found

    def _complete(self, table: Table, total: Group, parts: Sequence[Group], hidden: Collection[Group]) -> set[Group]:
        """Of the groups that make up `total`, those that must not be told: beside small and hidden ones the next smallest, until
        they are two and about `minimum` people. All, where the total is hidden; and it, where they cannot be told apart."""
        if total in hidden:
            return {*parts}
        ordered = sorted(parts, key=lambda part: (len(table[part]), part))
        chosen = [part for part in ordered if part in hidden or self._is_few(table[part])]
        others = [part for part in ordered if part not in chosen]
        while (
            chosen and others and (len(chosen) < 2 or self._is_few(chain.from_iterable(table[part] for part in chosen)))
        ):
            chosen.append(others.pop(0))
        if len(chosen) == 1 and total != EVERYTHING:
            chosen.append(total)
        return {*chosen}


def _group_of(filters: Filters) -> Group:
    version = ALL if filters.version is None else str(filters.version)
    return filters.cohort_id or ALL, filters.achievement_id or ALL, version


def _groups_of(counted: Counted) -> Iterator[Group]:
    of_work = (ALL, ALL), (counted.achievement_id, ALL), (counted.achievement_id, str(counted.version))
    for cohort in (ALL, *(each or "" for each in counted.cohorts)):
        for achievement, version in of_work:
            yield cohort, achievement, version


def _list_wider(group: Group) -> list[Group]:
    """All groups that one is part of."""
    cohort, achievement, version = group
    works = [(achievement, version), (achievement, ALL), (ALL, ALL)]
    return [(each, *work) for each in (cohort, ALL) for work in dict.fromkeys(works) if (each, *work) != group]


def _list_lines(table: Table) -> Iterator[tuple[Group, list[Group]]]:
    """The groups with one member more than another, and that one: together they are it."""
    lines: dict[tuple[str, Group], list[Group]] = defaultdict(list)
    for group in table:
        cohort, achievement, version = group
        if cohort != ALL:
            lines["cohort", (ALL, achievement, version)].append(group)
        if version != ALL:
            lines["work", (cohort, achievement, ALL)].append(group)
        elif achievement != ALL:
            lines["work", (cohort, ALL, ALL)].append(group)
    for (_, total), parts in lines.items():
        yield total, parts


def _month_of(moment: datetime) -> datetime:
    there = moment.astimezone(UTC)
    return datetime(there.year, there.month, 1, tzinfo=UTC)
