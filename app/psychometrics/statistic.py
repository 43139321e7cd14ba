"""A number with what it takes to read it: how many observations, which interval, or why there is none. PURE."""

from dataclasses import dataclass
from typing import Literal

Reason = Literal["no_data", "one_category", "one_rater", "too_few_clusters", "not_computed", "small_cell"]
"""Why a statistic has no value: `no_data` to compute it from; all scores in `one_category`, or from `one_rater`, where it is
undefined; an interval by resampling from `too_few_clusters`, or `not_computed` yet; suppressed as a `small_cell`."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval. One by resampling can be computed again from its seed and number of resamples."""

    low: float
    high: float
    method: Literal["wilson", "cluster_bootstrap", "cluster_robust", "order_statistics"]
    level: float = 0.95
    seed: int | None = None
    resamples: int | None = None


@dataclass(frozen=True, slots=True)
class Statistic:
    """`name` says which coefficient and which metric or weights, such as `krippendorff_alpha_ordinal`. `n` counts what it rests
    on: paired scores, or units for alpha and AC1."""

    name: str
    n: int
    value: float | None
    reason: Reason | None = None
    interval: Interval | None = None
