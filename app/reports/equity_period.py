"""What may be told of the people of a period, worked out from what is known of each: the one place where both meet. PURE."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from app.demographics.vocabulary import COHORT, UNDISCLOSED, VocabularyBody
from app.reports.equity_people import TRAITS, DecidedPerson
from app.reports.suppression import Bounds, Release, Terms, add_bounds, blur, find_varied, merge_telling, release

NO_COHORT = "none"
OTHER_COHORTS = "other"


class Block(BaseModel):
    """People that nothing tells apart: how many, what is told of all of them, and the bounds of how many have each trait."""

    n: int
    terms: dict[str, str]
    counts: dict[str, Bounds]


class EquityTable(BaseModel):
    """`cells` are the blocks of each released cell, by its key (`key_of`)."""

    dimensions: list[str]
    blocks: list[Block]
    cells: dict[str, list[int]]


class EquityDimension(BaseModel):
    key: str
    label: str
    values: dict[str, str]


class PeriodContent(BaseModel):
    """Everything that is told of a period; every report about it is computed from this alone."""

    dimensions: list[EquityDimension]
    tables: list[EquityTable]

    def find_table(self, dimensions: set[str]) -> EquityTable | None:
        """The table that has all of these."""
        return next((each for each in self.tables if dimensions <= set(each.dimensions)), None)


def key_of(table: EquityTable, terms: Mapping[str, str]) -> str:
    return "&".join(f"{each}={terms[each]}" for each in table.dimensions if each in terms)


def sum_blocks(table: EquityTable, numbers: Sequence[int], trait: str) -> Bounds:
    """How many of the people in these blocks have the trait."""
    return add_bounds(table.blocks[number].counts[trait] for number in numbers)


def compose_period(
    people: Sequence[DecidedPerson],
    declared: Mapping[str, Mapping[str, str]],
    cohort_names: Mapping[str, str],
    vocabulary: VocabularyBody,
    minimum: int,
) -> PeriodContent:
    """`declared` are values by dimension, by id of the person."""
    dimensions = [each.key for each in vocabulary.dimensions]
    known = {each.key: {value.key for value in each.values} for each in vocabulary.dimensions}
    said = []
    for person in people:
        values = declared.get(person.id, {})
        said.append([value if (value := values.get(each)) in known[each] else UNDISCLOSED for each in dimensions])
    rows = [[*values, cohort] for values, cohort in zip(said, _name_cohorts(people, said, minimum), strict=True)]
    all_dimensions = [*dimensions, COHORT]
    varied = {all_dimensions[position] for position in find_varied(rows, all_dimensions)}
    tables = vocabulary.all_tables()
    told = release(rows, all_dimensions, [[each for each in table if each in varied] for table in tables], minimum)
    shown = [
        EquityDimension(
            key=each.key, label=each.label,
            values={value.key: value.label for value in each.values} | {UNDISCLOSED: "Not told"},
        )
        for each in vocabulary.dimensions
    ]  # fmt: skip
    names = {
        value: cohort_names.get(value, _COHORT_LABELS.get(value, value)) for value in sorted({r[-1] for r in rows})
    }
    shown.append(EquityDimension(key=COHORT, label="Cohort", values=names))
    composed = [_compose_table(table, each, people) for table, each in zip(tables, told, strict=True)]
    return PeriodContent(dimensions=shown, tables=composed)


_COHORT_LABELS = {NO_COHORT: "In no cohort", OTHER_COHORTS: "Other cohorts"}


def _name_cohorts(people: Sequence[DecidedPerson], said: Sequence[Sequence[str]], minimum: int) -> list[str]:
    """The cohort of each person. Who is in which is known to everybody: one that nearly all say the same in is not told apart."""
    names = [person.cohort_id or NO_COHORT for person in people]
    groups: dict[str, list[int]] = defaultdict(list)
    for position, name in enumerate(names):
        groups[name].append(position)
    merged = merge_telling(groups, said, minimum)
    return [OTHER_COHORTS if name in merged else name for name in names]


def _compose_table(dimensions: Sequence[str], told: Release, people: Sequence[DecidedPerson]) -> EquityTable:
    blocks = [
        Block(
            n=len(members),
            terms=_tell_of_all(number, told.cells),
            counts={
                trait: blur(sum(trait in people[position].traits for position in members), len(members))
                for trait in TRAITS
            },
        )
        for number, members in enumerate(told.blocks)
    ]
    table = EquityTable(dimensions=list(dimensions), blocks=blocks, cells={})
    table.cells = {key_of(table, dict(terms)): list(numbers) for terms, numbers in told.cells.items()}
    return table


def _tell_of_all(number: int, cells: Mapping[Terms, Sequence[int]]) -> dict[str, str]:
    """What the released cells that a block lies in say of everybody in it."""
    return {dimension: value for terms, blocks in cells.items() if number in blocks for dimension, value in terms}
