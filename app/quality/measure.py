"""From pairs of scores to statistics with their intervals. PURE.

Kappa, alpha and AC1 never stand alone: each says something else of the same pairs. A cluster are the pairs of one submission:
what one person handed in is resampled as a whole.
"""

from collections.abc import Callable, Sequence
from itertools import chain

from app.psychometrics.agreement import adjacent, cohen_kappa, exact, weighted_kappa
from app.psychometrics.alpha import krippendorff_alpha
from app.psychometrics.gwet import gwet_ac1
from app.psychometrics.intervals import cluster_bootstrap, wilson
from app.psychometrics.statistic import Interval, Reason, Statistic
from app.quality.bodies import IntervalReason, QualityInterval, QualityStatistic

Pair = tuple[int, int]
"""Positions of two scores on a criterion's levels, the first reading's first; of decisions: 1 for an award."""
Clusters = Sequence[Sequence[Pair]]
Method = Callable[[Sequence[Pair], int], Statistic]

SCORES: Sequence[Method] = (
    lambda pairs, _: exact(pairs),
    lambda pairs, _: adjacent(pairs),
    cohen_kappa,
    weighted_kappa,
    lambda pairs, _: krippendorff_alpha(pairs, "ordinal"),
    gwet_ac1,
)
DECISIONS: Sequence[Method] = (
    lambda pairs, _: exact(pairs),
    cohen_kappa,
    lambda pairs, _: krippendorff_alpha(pairs, "nominal"),
    gwet_ac1,
)

_DIGITS = 6


def measure(clusters: Clusters, levels: int, methods: Sequence[Method], seed: int | None) -> list[QualityStatistic]:
    """Each method over all pairs. Without a `seed` nothing is resampled: intervals that need it are `not_computed`."""
    pairs = list(chain.from_iterable(clusters))
    return [_measure_one(clusters, pairs, levels, method, seed) for method in methods]


def withhold(methods: Sequence[Method], reason: Reason) -> list[QualityStatistic]:
    """The statistics without their values."""
    names = (method((), 2).name for method in methods)
    return [QualityStatistic(name=name, n=None, value=None, reason=reason, interval_reason=reason) for name in names]


def _measure_one(
    clusters: Clusters, pairs: Sequence[Pair], levels: int, method: Method, seed: int | None
) -> QualityStatistic:
    found = method(pairs, levels)
    if found.value is None:
        return QualityStatistic(
            name=found.name, n=found.n, value=None, reason=found.reason, interval_reason=found.reason
        )
    interval, missing = _find_interval(clusters, found, levels, method, seed)
    return QualityStatistic(
        name=found.name, n=found.n, value=round(found.value, _DIGITS), interval=tell_interval(interval),
        interval_reason=missing,
    )  # fmt: skip


def _find_interval(
    clusters: Clusters, found: Statistic, levels: int, method: Method, seed: int | None
) -> tuple[Interval | None, IntervalReason | None]:
    """The interval, or why there is none. Pairs of one submission each are independent: a share of them has Wilson's."""
    if found.interval is not None and all(len(each) == 1 for each in clusters):
        return found.interval, None
    if seed is None:
        return None, "not_computed"
    interval = cluster_bootstrap(clusters, lambda drawn: method(drawn, levels).value, seed=seed)
    if interval is None:
        return None, "too_few_clusters"
    if interval.low < interval.high:
        return interval, None
    # All resamples are alike: an interval of no width would feign certainty. A share has Wilson's, each submission counted once.
    if found.interval is None:
        return None, "no_disagreement"
    assert found.value is not None
    return wilson(round(found.value * len(clusters)), len(clusters)), None


def tell_interval(interval: Interval | None) -> QualityInterval | None:
    """An interval as it is served."""
    if interval is None:
        return None
    return QualityInterval(
        low=round(interval.low, _DIGITS), high=round(interval.high, _DIGITS), level=interval.level,
        method=interval.method, seed=interval.seed, resamples=interval.resamples,
    )  # fmt: skip
