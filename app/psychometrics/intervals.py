"""Confidence intervals: of a share (Wilson), a quantile, a clustered mean, and a bootstrap that draws whole clusters. PURE."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from math import cos, exp, floor, lgamma, log, pi, sin, sqrt, tan
from statistics import NormalDist
from typing import TypeVar

from app.psychometrics.statistic import Interval, Statistic

T = TypeVar("T")

MANY_DEGREES = 500
"""With more degrees of freedom Student's t and the normal distribution differ by less than half a percent."""

RESAMPLES = 1000
"""How many, where nothing else is asked for."""

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


def quantile_interval(values: Sequence[float], quantile: float, level: float = 0.95) -> Interval | None:
    """Of a quantile (0.5 for the median) of independent observations, whatever their distribution: two of them, between which it
    lies with at least this probability (David & Nagaraja 2003, section 7.1). None while there are too few to say so.
    """
    n, rest = len(values), (1 - level) / 2
    below, low, high = 0.0, 0, n + 1
    for count in range(n + 1):  # how many observations lie below the quantile: binomial
        if below <= rest:
            low = count
        below += exp(_log_binomial(n, count, quantile))
        if below >= 1 - rest:
            high = count + 1
            break
    if low < 1 or high > n:
        return None
    ordered = sorted(values)
    return Interval(ordered[low - 1], ordered[high - 1], "order_statistics", level)


def _log_binomial(n: int, count: int, share: float) -> float:
    ways = lgamma(n + 1) - lgamma(count + 1) - lgamma(n - count + 1)
    return ways + count * log(share) + (n - count) * log(1 - share)


def cluster_robust(clusters: Sequence[Sequence[int]], level: float = 0.95) -> Interval | None:
    """Of the mean of all observations, where those of a cluster (an anchor, a submission) hang together.

    The mean is a ratio, of the clusters' sums to their sizes; its variance comes from what each cluster as a whole lies off
    (Cochran 1977, section 6.3; with clusters alike the standard error of their means), and Student's t with clusters less
    one degrees of freedom makes it honest where they are few. None with fewer than two clusters that have an observation.
    """
    filled = [cluster for cluster in clusters if cluster]
    count = len(filled)
    if count < 2:
        return None
    n = sum(map(len, filled))
    mean = sum(map(sum, filled)) / n
    scatter = sum((sum(cluster) - mean * len(cluster)) ** 2 for cluster in filled)
    reach = student_t((1 + level) / 2, count - 1) * sqrt(scatter * count / (count - 1)) / n
    return Interval(mean - reach, mean + reach, "cluster_robust", level)


@cache
def student_t(probability: float, degrees: int) -> float:
    """The quantile, above one half, of Student's t with so many degrees of freedom; of many the normal distribution's."""
    if degrees > MANY_DEGREES:
        return NormalDist().inv_cdf(probability)
    low, high = 0.0, pi / 2
    for _ in range(60):  # bisection: each halves the error
        middle = (low + high) / 2
        if (1 + _within(middle, degrees)) / 2 < probability:
            low = middle
        else:
            high = middle
    return tan(low) * sqrt(degrees)


def _within(angle: float, degrees: int) -> float:
    """The probability that |t| is below tan(angle) times the root of the degrees (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    square = cos(angle) ** 2
    is_odd = degrees % 2
    term, total = (cos(angle), 0.0) if is_odd else (1.0, 0.0)
    for number in range(1 + is_odd, degrees, 2):
        total += term
        term *= square * number / (number + 1)
    return 2 / pi * (angle + sin(angle) * total) if is_odd else sin(angle) * total


def resample_clusters(
    clusters: Sequence[Sequence[T]], *, seed: int, resamples: int = RESAMPLES
) -> Iterator[Counter[T]]:
    """How often each observation comes in each of the resamples. There are none of fewer than two clusters with an observation.

    A cluster (a submission, an anchor) is drawn whole: what is said of one piece of work hangs together, and to draw its parts
    one by one would feign certainty. The same seed and order of clusters give the same resamples, on every machine.
    """
    # Few clusters differ: what is drawn of each kind is counted first, and what is in them taken as often.
    drawn_from = [tuple(sorted(Counter(cluster).items())) for cluster in clusters if cluster]
    count = len(drawn_from)
    if count < 2:
        return
    draw = random.Random(seed).random  # noqa: S311 # resampling, no secret; random() alone is promised to stay the same
    kinds = {kind: number for number, kind in enumerate(dict.fromkeys(drawn_from))}
    contents, numbers = list(kinds), [kinds[kind] for kind in drawn_from]
    for _ in range(resamples):
        resample: Counter[T] = Counter()
        for number, times in Counter([numbers[floor(draw() * count)] for _ in range(count)]).items():
            for observation, often in contents[number]:
                resample[observation] += often * times
        yield resample


def percentile_interval(
    values: Iterable[float | None], *, seed: int, resamples: int = RESAMPLES, level: float = 0.95
) -> Interval | None:
    """The interval of a statistic from its `values` in resamples, None where it is undefined.

    None where there are no resamples, or where it is undefined in more than `MOST_UNDEFINED` of them.
    """
    ordered = sorted(value for value in values if value is not None)
    if not ordered or len(ordered) < (1 - MOST_UNDEFINED) * resamples:
        return None
    low, high = _quantile(ordered, (1 - level) / 2), _quantile(ordered, (1 + level) / 2)
    return Interval(low, high, "cluster_bootstrap", level, seed, resamples)


def cluster_bootstrap(
    clusters: Sequence[Sequence[T]],
    compute: Callable[[Counter[T]], float | None],
    *,
    seed: int,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Interval | None:
    """The percentile interval of what `compute` says of all observations together, given how often each comes.

    Clusters are drawn whole, as by `resample_clusters`; None where `percentile_interval` has none.
    """
    drawn = resample_clusters(clusters, seed=seed, resamples=resamples)
    return percentile_interval(map(compute, drawn), seed=seed, resamples=resamples, level=level)


def with_bootstrap(
    measure: Callable[[Counter[T]], Statistic],
    clusters: Sequence[Sequence[T]],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> Statistic:
    """What `measure` says of all observations, with the interval by resampling instead of its own.

    Without such an interval the value stays, and `reason` is `too_few_clusters`.
    """
    statistic = measure(Counter(chain.from_iterable(clusters)))
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
