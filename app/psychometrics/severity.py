"""Severity and spread of one reader's scores, against the true scores of anchors. PURE.

For flags and for coaching. Never for adjusting what an earner gets: without a measurement model, and at the numbers that a
program has, they tell the extremes from the rest and no more.
"""

from collections import Counter
from collections.abc import Sequence
from math import sqrt

from app.psychometrics.statistic import Statistic


def mean_deviation(given_minus_true: Sequence[int] | Counter[int]) -> Statistic:
    """In levels: below 0 severe, above 0 lenient. Errors both ways cancel out: who has no deviation may still be inaccurate.

    It has no interval of its own; `intervals.cluster_robust`, clustered by anchor, gives one.
    """
    counts = Counter(given_minus_true)
    n = counts.total()
    if n == 0:
        return Statistic("mean_deviation", 0, None, "no_data")
    return Statistic("mean_deviation", n, sum(each * count for each, count in counts.items()) / n)


def spread(given_and_true: Sequence[tuple[int, int]]) -> Statistic:
    """The standard deviation of the scores given, as a multiple of that of the true scores.

    Below 1 the reader keeps to the middle of the scale, above 1 to its ends. `one_category` where all true scores are alike.
    """
    n = len(given_and_true)
    if n == 0:
        return Statistic("spread", 0, None, "no_data")
    given, true = ([pair[side] for pair in given_and_true] for side in (0, 1))
    scatter_true = _scatter(true)
    if scatter_true == 0:
        return Statistic("spread", n, None, "one_category")
    return Statistic("spread", n, sqrt(_scatter(given) / scatter_true))


def _scatter(scores: Sequence[int]) -> int:
    """n squared times the variance: a whole number."""
    return len(scores) * sum(score * score for score in scores) - sum(scores) ** 2
