"""From pairs of scores to statistics with their intervals. PURE.

Kappa, alpha and AC1 never stand alone: each says something else of the same pairs. A cluster are the pairs of one submission:
what one person handed in is resampled as a whole.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from app.psychometrics.agreement import adjacent, cohen_kappa, exact, weighted_kappa
from app.psychometrics.alpha import krippendorff_alpha
from app.psychometrics.gwet import gwet_ac1
from app.psychometrics.intervals import percentile_interval, resample_clusters, wilson
from app.psychometrics.statistic import Interval, Reason, Statistic
from app.quality.bodies import IntervalReason, QualityInterval, QualityStatistic

Pair = tuple[int, int]
"""Positions of two scores on a criterion's levels, the first reading's first; of decisions: 1 for an award."""
Clusters = Sequence[Sequence[Pair]]
Method = Callable[[Counter[Pair], int], Statistic]

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
    pairs = Counter(chain.from_iterable(clusters))
    found = [method(pairs, levels) for method in methods]
    # All methods look at the same resamples.
    drawn = [] if seed is None or not pairs else list(resample_clusters(clusters, seed=seed))
    statistics = []
    for method, statistic in zip(methods, found, strict=True):
        resampled = (method(each, levels).value for each in drawn)
        statistics.append(_tell(statistic, clusters, resampled, seed))
    return statistics


def withhold(methods: Sequence[Method], reason: Reason) -> list[QualityStatistic]:
    """The statistics without their values."""
    names = (method(Counter(), 2).name for method in methods)
    return [QualityStatistic(name=name, n=None, value=None, reason=reason, interval_reason=reason) for name in names]


def _tell(
    found: Statistic, clusters: Clusters, resampled: Iterable[float | None], seed: int | None
) -> QualityStatistic:
    """The statistic as it is served. `resampled` are its values in the resamples, computed only where they are looked at."""
    if found.value is None:
        return QualityStatistic(
            name=found.name, n=found.n, value=None, reason=found.reason, interval_reason=found.reason
        )
    interval, missing = _find_interval(found, clusters, resampled, seed)
    return QualityStatistic(
        name=found.name, n=found.n, value=round(found.value, _DIGITS), interval=tell_interval(interval),
        interval_reason=missing,
    )  # fmt: skip


def _find_interval(
    found: Statistic, clusters: Clusters, resampled: Iterable[float | None], seed: int | None
) -> tuple[Interval | None, IntervalReason | None]:
    """The interval, or why there is none. Pairs of one submission each are independent: a share of them has Wilson's."""
    if found.interval is not None and all(len(each) == 1 for each in clusters):
        return found.interval, None
    if seed is None:
        return None, "not_computed"
    interval = percentile_interval(resampled, seed=seed)
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
