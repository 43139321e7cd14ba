"""No answers together give away what was withheld: every pair of them, and every sum and difference of any number of them.

The attacker of these tests knows more than any reader would: for each kind of person there is (a combination of all values)
whether there is anybody of that kind. What they can compute from released counts are the vectors in the span of the cells'
indicators over these kinds.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.reports.suppression import (
    MOST_TERMS,
    Release,
    Terms,
    add_bounds,
    blur,
    find_varied,
    list_cells,
    merge_telling,
    release,
)

DIMENSIONS = ("gender", "race-ethnicity", "school-type", "years-in-role", "cohort")
SHARES = (
    {"woman": 70, "man": 24, "non-binary": 2, "undisclosed": 4},
    {"white": 55, "black": 25, "latino": 10, "asian": 4, "native": 1, "undisclosed": 5},
    {"elementary": 50, "middle": 30, "high": 18, "other": 2},
    {"under-3": 45, "3-to-10": 45, "over-10": 10},
    {"fall": 60, "spring": 40},
)
PRIME = (1 << 61) - 1


def invent(size: int, seed: int) -> list[tuple[str, ...]]:
    """People with skewed values; the second dimension leans on the first, as in life."""
    draw = random.Random(seed)
    people = []
    for _ in range(size):
        values = [draw.choices(list(shares), list(shares.values()))[0] for shares in SHARES]
        if values[0] == "non-binary" and draw.random() < 0.5:
            values[2] = "high"
        people.append(tuple(values))
    return people


class Span:
    """The vectors that can be computed from others, modulo a large prime (which can only let the attacker do more)."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[int, int]] = {}

    def reduce(self, vector: Mapping[int, int]) -> dict[int, int]:
        rest = {place: value % PRIME for place, value in vector.items() if value % PRIME}
        for place in sorted(self.rows):
            if factor := rest.get(place, 0):
                for other, value in self.rows[place].items():
                    left = (rest.get(other, 0) - factor * value) % PRIME
                    if left:
                        rest[other] = left
                    else:
                        rest.pop(other, None)
        return rest

    def add(self, vector: Mapping[int, int]) -> None:
        rest = self.reduce(vector)
        if not rest:
            return
        place = min(rest)
        inverse = pow(rest[place], -1, PRIME)
        self.rows[place] = {other: value * inverse % PRIME for other, value in rest.items()}

    def holds(self, vector: Mapping[int, int]) -> bool:
        return not self.reduce(vector)


def find_leaks(
    people: Sequence[Sequence[str]],
    dimensions: Sequence[str],
    told: Sequence[tuple[Terms, bool]],
    minimum: int,
    blocks: Sequence[Sequence[int]] = (),
) -> list[str]:
    """What can be computed from `told` cells and must not: by pairs, and by any sum and difference. Cells that were withheld are
    those marked false, and all others with fewer people than `minimum`. `blocks` are told too (to funders)."""
    cells = {terms: frozenset(members) for terms, members in list_cells(people, dimensions).items()}
    released = [terms for terms, is_told in told if is_told]
    hidden = {cells[terms]: terms for terms, is_told in told if not is_told}
    hidden |= {members: terms for terms, members in cells.items() if len(members) < minimum}
    leaks = [f"{terms} has {len(cells[terms])}" for terms in released if len(cells[terms]) < minimum]
    for one, other in combinations(released, 2):
        a, b = cells[one], cells[other]
        computed = [larger - smaller for larger, smaller in ((a, b), (b, a)) if smaller <= larger]
        computed += [a | b] if not a & b else []
        leaks += [
            f"{one} and {other} give {len(found)} people {hidden.get(found, '')}"
            for found in computed
            if 0 < len(found) < minimum or found in hidden
        ]
    for terms in released:  # what is left of it when all that is told of one more dimension is taken away
        for dimension in dimensions:
            parts = [cells[each] for each in released if set(terms) < set(each) and _is_finer(each, terms, dimension)]
            left = cells[terms].difference(*parts)
            if 0 < len(left) < minimum:
                leaks.append(f"{terms} without what is told by {dimension} leaves {len(left)}")
    kinds = {kind: number for number, kind in enumerate(dict.fromkeys(map(tuple, people)))}
    kind_of = [kinds[tuple(person)] for person in people]
    span = Span()
    for terms in released:
        span.add(dict.fromkeys({kind_of[position] for position in cells[terms]}, 1))
    for block in blocks:
        span.add(dict.fromkeys({kind_of[position] for position in block}, 1))
    for members, terms in hidden.items():
        if span.holds(dict.fromkeys({kind_of[position] for position in members}, 1)):
            leaks.append(f"{terms} can be computed")
    sizes = Counter(kind_of)
    for one, other in combinations(sizes, 2):  # the smallest groups of all, whether or not four values name them
        if sizes[one] < minimum and span.holds({one: 1}):
            leaks.append(f"kind {one} can be computed")
        if sizes[one] + sizes[other] < minimum and span.holds({one: 1, other: 1}):
            leaks.append(f"kinds {one} and {other} can be computed")
    return leaks


def _is_finer(terms: Terms, base: Terms, dimension: str) -> bool:
    return [each for each, value in terms if (each, value) not in base] == [dimension]


def ask_everything(
    people: Sequence[Sequence[str]], tables: Sequence[Sequence[str]], minimum: int = 10
) -> list[tuple[Terms, bool]]:
    """Every allowed query, and whether it is answered."""
    dimensions = [dimension for table in tables for dimension in table]
    releases = release(people, dimensions, tables, minimum)
    asked = []
    for table, told in zip(tables, releases, strict=True):
        columns = [dimensions.index(dimension) for dimension in table]
        cells = list_cells([[values[column] for column in columns] for values in people], table)
        asked += [(terms, terms in told.cells) for terms in cells]
    return asked


ALONE = [[dimension] for dimension in DIMENSIONS]
TOGETHER = [list(DIMENSIONS)]
PAIRED = [list(DIMENSIONS[:2]), list(DIMENSIONS[2:])]


@pytest.mark.parametrize("tables", [ALONE, TOGETHER, PAIRED])
@pytest.mark.parametrize("size", [120, 400])
def test_nothing_withheld_can_be_computed_from_all_that_is_told(size: int, tables: list[list[str]]) -> None:
    people = invent(size, seed=7)
    told = ask_everything(people, tables)
    blocks = [block for each in release(people, DIMENSIONS, tables, 10) for block in each.blocks]
    assert find_leaks(people, DIMENSIONS, told, 10, blocks) == []
    # The test is worth something: something is told and something withheld, some of it not for being small itself.
    cells = list_cells(people, DIMENSIONS)
    assert sum(is_told for _, is_told in told) >= 8
    assert any(not is_told for _, is_told in told)
    if tables is TOGETHER:
        assert max(len(terms) for terms, _ in told) == MOST_TERMS
        assert any(len(cells[terms]) >= 10 for terms, is_told in told if not is_told)


def test_dimensions_in_tables_of_their_own_are_told_of_few_people_too() -> None:
    told = {terms for terms, is_told in ask_everything(invent(120, seed=7), ALONE) if is_told}
    assert {dimension for terms in told for dimension, _ in terms} == set(DIMENSIONS)


@pytest.mark.parametrize("tables", [ALONE, TOGETHER, PAIRED])
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_leak_is_found(seed: int, tables: list[list[str]]) -> None:
    """One answer more than the rule allows: a small one, or one that makes a small one known."""
    people = invent(150, seed)
    told = ask_everything(people, tables)
    assert find_leaks(people, DIMENSIONS, told, 10) == []
    sizes = {terms: len(members) for terms, members in list_cells(people, DIMENSIONS).items()}

    def plant(terms: Terms) -> list[str]:
        return find_leaks(people, DIMENSIONS, [(each, is_told or each == terms) for each, is_told in told], 10)

    withheld = [terms for terms, is_told in told if not is_told]
    small = [terms for terms in withheld if sizes[terms] < 10]
    assert small
    assert all(plant(terms) for terms in small[:20])
    # Withheld for what it would tell of others. (Not each of them would: within a table the rule is stricter than sums are.)
    if large := [terms for terms in withheld if sizes[terms] >= 10]:
        assert any(plant(terms) for terms in large)


def test_who_knows_what_does_not_occur_learns_nothing_from_two_tables() -> None:
    """All in the fall cohort are new but three: the cohort's size less the number of the new would tell of those."""
    people = [("new", "fall")] * 57 + [("long", "fall")] * 3 + [("long", "spring")] * 40
    tables = [["years"], ["cohort"]]
    told = ask_everything(people, tables)
    assert find_leaks(people, ["years", "cohort"], told, 10) == []
    assert [terms for terms, is_told in told if is_told] == [(), (("years", "new"),), (("years", "long"),), ()]
    leaked = [(terms, True) for terms, _ in told]
    assert find_leaks(people, ["years", "cohort"], leaked, 10)
    further = [*people[:57], *[("long", "fall")] * 12, *people[60:]]
    assert all(is_told for _, is_told in ask_everything(further, tables))


@given(st.lists(st.tuples(*[st.sampled_from("abc")] * 3), min_size=1, max_size=90), st.integers(5, 12))
@settings(max_examples=60, deadline=None)
def test_blocks_hold_whatever_the_people_are_like(people: list[tuple[str, ...]], minimum: int) -> None:
    [told] = release(people, DIMENSIONS[:3], [DIMENSIONS[:3]], minimum)
    assert all(len(block) >= minimum for block in told.blocks)
    cells = list_cells(people, DIMENSIONS[:3])
    for terms, blocks in told.cells.items():
        assert sorted(each for block in blocks for each in told.blocks[block]) == cells[terms]
    if len(people) >= minimum:
        assert sorted(each for block in told.blocks for each in block) == list(range(len(people)))
        assert find_leaks(people, DIMENSIONS[:3], ask_everything(people, [DIMENSIONS[:3]], minimum), minimum) == []
        alone = ask_everything(people, [[dimension] for dimension in DIMENSIONS[:3]], minimum)
        assert find_leaks(people, DIMENSIONS[:3], alone, minimum) == []


def test_the_order_of_people_changes_nothing() -> None:
    people = invent(300, seed=3)
    mixed = random.Random(1).sample(people, len(people))
    for tables in (ALONE, TOGETHER, PAIRED):
        assert sorted(ask_everything(people, tables)) == sorted(ask_everything(mixed, tables))


@pytest.mark.parametrize(("size", "minimum"), [(0, 10), (9, 10), (4, 4), (100, 4)])
def test_too_few_people_or_too_low_a_minimum_tell_nothing(size: int, minimum: int) -> None:
    assert release(invent(size, seed=1), DIMENSIONS, TOGETHER, minimum) == [Release([], {})]
    assert release(invent(100, seed=1), DIMENSIONS, TOGETHER, 10)[0].cells


def test_a_blurred_count_never_tells_that_nobody_or_everybody() -> None:
    for size in range(5, 200):
        for count in range(size + 1):
            low, high = blur(count, size)
            assert low <= count <= high
            assert not low == high == 0
            assert not low == high == size
            assert low == high or (low == 0) != (high == size)
    assert blur(3, 10) == (3, 3)
    assert blur(0, 40) == blur(4, 40) == (0, 4)
    assert blur(40, 40) == blur(36, 40) == (36, 40)


def test_no_difference_of_bounds_tells_that_nobody_or_everybody() -> None:
    """Sums over blocks are all that can be computed: of none of them do the bounds pin the outcome of everybody in it."""
    people, draw = invent(400, seed=11), random.Random(5)
    has = [draw.random() < (0.97 if person[0] == "man" else 0.4) for person in people]
    [told] = release(people, DIMENSIONS, TOGETHER, 10)
    bounds = [blur(sum(has[each] for each in block), len(block)) for block in told.blocks]
    assert any(low != high for low, high in bounds)
    assert any(low == high for low, high in bounds)
    for one, other in combinations(told.cells.values(), 2):
        for blocks in (set(one) - set(other), set(other) - set(one)):
            if blocks:
                low, high = add_bounds(bounds[block] for block in blocks)
                assert high > 0
                assert low < sum(len(told.blocks[block]) for block in blocks)


def test_a_group_everybody_knows_is_not_told_apart_when_its_members_say_the_same() -> None:
    people = [("woman",)] * 20 + [("man",)] * 20 + [("woman",)] * 15 + [("man",)] * 15
    mixed, telling = list(range(10, 30)), [*range(10), *range(30, 40)]
    assert merge_telling({"one": mixed, "two": telling}, people, 10) == set()
    alike, rest = list(range(20)), list(range(20, 70))
    assert merge_telling({"alike": alike, "rest": rest}, people, 10) == {"alike", "rest"}
    third = list(range(40, 70))
    assert merge_telling({"alike": alike, "men": list(range(20, 40)), "third": third}, people, 10) == {"alike", "men"}


def test_a_dimension_in_which_all_say_the_same_is_left_out() -> None:
    assert find_varied([("woman", "a"), ("woman", "b")], ("gender", "school-type")) == [1]
    assert find_varied([], ("gender",)) == []
