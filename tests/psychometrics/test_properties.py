"""What must hold of every coefficient, whatever the data."""

from collections import Counter
from collections.abc import Sequence
from math import isfinite
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.psychometrics.agreement import adjacent, cohen_kappa, exact, matrix, weighted_kappa
from app.psychometrics.statistic import Statistic
from tests.psychometrics.test_undefined import OF_PAIRS, OF_UNITS

Unit = list[int | None]

LEVELS = 4
PAIRS = st.lists(st.tuples(st.integers(0, LEVELS - 1), st.integers(0, LEVELS - 1)), max_size=30)
UNITS = st.lists(st.lists(st.none() | st.integers(0, LEVELS - 1), min_size=3, max_size=3), max_size=20)
BY_DISTANCE = {name for name in OF_UNITS if name.split("_")[-1] in ("ordinal", "interval", "linear", "quadratic")}


def same(one: Statistic, other: Statistic) -> bool:
    return (one.name, one.n, one.reason) == (other.name, other.n, other.reason) and one.value == pytest.approx(
        other.value
    )


@given(PAIRS)
def test_counted_pairs_say_what_the_pairs_say(pairs: list[tuple[int, int]]) -> None:
    for compute in (exact, adjacent, *OF_PAIRS.values(), *OF_UNITS.values()):
        assert compute(Counter(pairs)) == compute(pairs)


@given(PAIRS)
def test_neither_reader_of_a_pair_comes_first(pairs: list[tuple[int, int]]) -> None:
    turned = [(second, first) for first, second in pairs]
    for compute in (exact, adjacent, *OF_PAIRS.values()):
        assert compute(pairs) == compute(turned)
    table = matrix(pairs, LEVELS)
    assert matrix(turned, LEVELS) == [list(column) for column in zip(*table, strict=True)]


@pytest.mark.parametrize("name", OF_UNITS)
@given(units=UNITS, seed=st.integers(0, 1000))
@settings(max_examples=50)
def test_the_order_of_readers_and_of_units_is_nothing(name: str, units: list[Unit], seed: int) -> None:
    random = Random(seed)
    shuffled = [random.sample(unit, len(unit)) for unit in random.sample(units, len(units))]
    assert OF_UNITS[name](units) == OF_UNITS[name](shuffled)


@pytest.mark.parametrize("name", OF_UNITS)
@given(units=UNITS)
@settings(max_examples=50)
def test_a_missing_score_is_the_same_as_none(name: str, units: list[Unit]) -> None:
    left_out: list[Sequence[int | None]] = [[score for score in unit if score is not None] for unit in units]
    assert OF_UNITS[name](units) == OF_UNITS[name]([unit for unit in left_out if unit])


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
@given(units=UNITS)
@settings(max_examples=50)
def test_alpha_does_not_see_units_of_one_reader(metric: str, units: list[Unit]) -> None:
    compute = OF_UNITS[f"krippendorff_alpha_{metric}"]
    paired = [unit for unit in units if sum(score is not None for score in unit) > 1]
    assert (compute(units).n, compute(units).value) == (compute(paired).n, compute(paired).value)


@pytest.mark.parametrize("name", sorted(OF_UNITS.keys() - BY_DISTANCE))
@given(units=UNITS, labels=st.permutations(range(LEVELS)))
@settings(max_examples=50)
def test_names_of_levels_are_nothing_where_distance_is_nothing(name: str, units: list[Unit], labels: list[int]) -> None:
    renamed: list[Unit] = [[None if score is None else labels[score] for score in unit] for unit in units]
    assert same(OF_UNITS[name](units), OF_UNITS[name](renamed))


@given(PAIRS, st.permutations(range(LEVELS)))
def test_cohens_kappa_does_not_see_the_names_of_levels(pairs: list[tuple[int, int]], labels: list[int]) -> None:
    assert cohen_kappa(pairs, LEVELS) == cohen_kappa([(labels[a], labels[b]) for a, b in pairs], LEVELS)


@pytest.mark.parametrize("name", OF_UNITS)
@given(units=UNITS)
@settings(max_examples=50)
def test_a_scale_may_be_read_from_the_other_end(name: str, units: list[Unit]) -> None:
    reversed_: list[Unit] = [[None if score is None else LEVELS - 1 - score for score in unit] for unit in units]
    assert same(OF_UNITS[name](units), OF_UNITS[name](reversed_))


@given(PAIRS)
def test_a_kappa_may_be_read_from_the_other_end(pairs: list[tuple[int, int]]) -> None:
    reversed_ = [(LEVELS - 1 - first, LEVELS - 1 - second) for first, second in pairs]
    for compute in OF_PAIRS.values():
        assert compute(pairs) == compute(reversed_)


def test_names_of_levels_are_something_where_distance_is() -> None:
    pairs = [(0, 0), (1, 2), (3, 3), (2, 2)]
    renamed = [({0: 0, 1: 3, 2: 1, 3: 2}[a], {0: 0, 1: 3, 2: 1, 3: 2}[b]) for a, b in pairs]
    assert weighted_kappa(pairs, LEVELS) != weighted_kappa(renamed, LEVELS)
    for name in BY_DISTANCE:
        assert OF_UNITS[name](pairs) != OF_UNITS[name](renamed)


@given(PAIRS)
def test_no_value_is_above_one_and_none_is_without_data(pairs: list[tuple[int, int]]) -> None:
    for found in (exact(pairs), adjacent(pairs), *(compute(pairs) for compute in OF_PAIRS.values())):
        assert (found.value is None) == (found.reason is not None)
        assert found.value is None or (pairs and -1 <= found.value <= 1)
    for found in (compute(pairs) for compute in OF_UNITS.values()):
        assert (found.value is None) == (found.reason is not None)
        # of weights and few units may come a value a little below -1
        assert found.value is None or (isfinite(found.value) and found.value <= 1)
