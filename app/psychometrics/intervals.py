"""Confidence intervals: Wilson's for a share, and a bootstrap that draws whole clusters. PURE."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from math import sqrt
from statistics import NormalDist
from typing import TypeVar

from app.psychometrics.statistic import Interval, Statistic

T = TypeVar("T")

MOST_UNDEFINED = 0.05
"""With a larger share of resamples in which the statistic is undefined there is no interval: those that are left would be a
selection."""


def wilson(successes: int, n: int, level: float = 0.95) -> Interval | None:
    """The score interval of a share (Wilson 1927): honest at few observations and near 0 and 1. None without observations."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share")
    if n == 0:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / n
    middle = share + z * z / (2 * n)
    reach = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if successes == 0 else (middle - reach) / scale
    high = 1.0 if successes == n else (middle + reach) / scale
    return Interval(low, high, "wilson", level)


def cluster_bootstrap(
    clusters: Sequence[Sequence[T]],
    compute: Callable[[Sequence[T]], float | None],
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> Interval | None:
    """The percentile interval of what `compute` says of all observations together.

    A cluster (a submission, an anchor) is drawn whole: what is said of one piece of work hangs together, and to draw its parts
    one by one would feign certainty. The same seed and order of clusters give the same interval, on every machine. None with
    fewer than two clusters that have an observation, or where more than `MOST_UNDEFINED` of the resamples are undefined.
    """
    drawn_from = [cluster for cluster in clusters if cluster]
    count = len(drawn_from)
    if count < 2:
        return None
    draw = random.Random(seed).random  # noqa: S311 # resampling, no secret; random() alone is promised to stay the same
    values = []
    for _ in range(resamples):
        resample = [drawn_from[int(draw() * count)] for _ in range(count)]
        value = compute(list(chain.from_iterable(resample)))
        if value is not None:
            values.append(value)
    if not values or len(values) < (1 - MOST_UNDEFINED) * resamples:
        return None
    values.sort()
    low, high = _quantile(values, (1 - level) / 2), _quantile(values, (1 + level) / 2)
    return Interval(low, high, "cluster_bootstrap", level, seed, resamples)


def with_bootstrap(
    measure: Callable[[Sequence[T]], Statistic], clusters: Sequence[Sequence[T]], *, seed: int, resamples: int = 1000
) -> Statistic:
    """What `measure` says of all observations, with the interval by resampling instead of its own.

    Without such an interval the value stays, and `reason` is `too_few_clusters`.
    """
    statistic = measure(list(chain.from_iterable(clusters)))
    if statistic.value is None:
        return statistic
    interval = cluster_bootstrap(clusters, lambda drawn: measure(drawn).value, seed=seed, resamples=resamples)
    return replace(statistic, interval=interval, reason=None if interval else "too_few_clusters")


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between the two nearest values."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
