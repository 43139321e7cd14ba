"""Agreement of two readings: exact, adjacent, Cohen's kappa, and kappa with quadratic weights. PURE.

Kappa sets agreement against what two readers would reach by chance with the same habits. Where nearly all work is at one level
it is low however well they agree (the paradox of kappa): read it beside exact agreement and AC1, and gate nothing on it alone.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from app.psychometrics.intervals import wilson
from app.psychometrics.statistic import Statistic

Pairs = Sequence[tuple[int, int]] | Counter[tuple[int, int]]
"""The positions that a first and a second reader gave, pair by pair, or how often each pair was given. Positions count from 0,
the lowest level."""


def exact(pairs: Pairs) -> Statistic:
    """Share of the pairs at the same level. The interval takes the pairs for independent."""
    return _share("exact_agreement", pairs, lambda first, second: first == second)


def adjacent(pairs: Pairs) -> Statistic:
    """Share of the pairs at most one level apart, the exact ones among them.

    It flatters: with few levels little is further apart.
    """
    return _share("adjacent_agreement", pairs, lambda first, second: abs(first - second) <= 1)


def cohen_kappa(pairs: Pairs, levels: int) -> Statistic:
    """Cohen (1960). `one_category` where both gave one and the same level throughout: kappa is 0/0 there."""
    return _kappa("cohen_kappa", pairs, levels, power=0)


def weighted_kappa(pairs: Pairs, levels: int) -> Statistic:
    """Cohen (1968) with quadratic weights: a disagreement counts as the square of the distance between the levels."""
    return _kappa("weighted_kappa_quadratic", pairs, levels, power=2)


def matrix(pairs: Pairs, levels: int) -> list[list[int]]:
    """How often each combination was given: the first reader's levels in rows, the second's in columns. `levels` x `levels`.

    Raises ValueError for a position that is none of the levels.
    """
    counts = Counter(pairs)
    for pair in counts:
        if not all(0 <= position < levels for position in pair):
            raise ValueError(f"{pair} is not on a scale of {levels} levels")
    return [[counts[first, second] for second in range(levels)] for first in range(levels)]


def _share(name: str, pairs: Pairs, agree: Callable[[int, int], bool]) -> Statistic:
    counts = Counter(pairs)
    n, successes = counts.total(), sum(count for pair, count in counts.items() if agree(*pair))
    if n == 0:
        return Statistic(name, 0, None, "no_data")
    return Statistic(name, n, successes / n, interval=wilson(successes, n))


def _kappa(name: str, pairs: Pairs, levels: int, power: int) -> Statistic:
    """1 - observed / expected disagreement, in whole numbers up to the last division."""
    table = matrix(pairs, levels)
    rows = [sum(row) for row in table]
    n = sum(rows)
    if n == 0:
        return Statistic(name, 0, None, "no_data")
    columns = [sum(column) for column in zip(*table, strict=True)]
    observed = expected = 0
    for i, row in enumerate(table):
        for j, count in enumerate(row):
            if i != j:
                weight = abs(i - j) ** power
                observed += weight * count
                expected += weight * rows[i] * columns[j]
    if expected == 0:
        return Statistic(name, n, None, "one_category")
    return Statistic(name, n, (expected - n * observed) / expected)
