"""From pairs of scores to statistics with their intervals. PURE.

Kappa, alpha and AC1 never stand alone: each says something else of the same pairs. A cluster are the pairs of one submission:
what one person handed in is resampled as a whole.
"""

from collections.abc import Callable, Sequence
from itertools import chain

from app.psychometrics.agreement import adjacent, cohen_kappa, exact, weighted_kappa
from app.psychometrics.alpha import krippendorff_alpha
from app.psychometrics.gwet import gwet_ac1
from app.psychometrics.intervals import cluster_bootstrap
from app.psychometrics.statistic import Interval, Reason, Statistic
from app.quality.bodies import QualityInterval, QualityStatistic

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
    interval = found.interval if all(len(each) == 1 for each in clusters) else None
    missing: Reason | None = None
    if interval is None and seed is None:
        missing = "not_computed"
    elif interval is None and seed is not None:
        interval = cluster_bootstrap(clusters, lambda drawn: method(drawn, levels).value, seed=seed)
        missing = "too_few_clusters" if interval is None else None
    return QualityStatistic(
        name=found.name, n=found.n, value=round(found.value, _DIGITS), interval=tell_interval(interval),
        interval_reason=missing,
    )  # fmt: skip


def tell_interval(interval: Interval | None) -> QualityInterval | None:
    """An interval as it is served."""
    if interval is None:
        return None
    return QualityInterval(
        low=round(interval.low, _DIGITS), high=round(interval.high, _DIGITS), level=interval.level,
        method=interval.method, seed=interval.seed, resamples=interval.resamples,
    )  # fmt: skip
