"""Krippendorff's alpha for any number of readers, with missing readings. PURE. (Krippendorff, Content Analysis, ch. 12)

Its `ordinal` metric takes the distance of two levels from how often those between them are used. Gwet's ordinal weights
(`gwet`) are something else and give other numbers: hence the metric in the name.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Literal

from app.psychometrics.statistic import Statistic
from app.psychometrics.units import Units, patterns, undefined

Metric = Literal["nominal", "ordinal", "interval"]


def krippendorff_alpha(units: Units, metric: Metric) -> Statistic:
    """1 is perfect, 0 what chance gives, below 0 systematic disagreement.

    `n` counts the units with two scores or more; others say nothing about agreement and are left out.
    """
    name = f"krippendorff_alpha_{metric}"
    found = patterns(units)
    without = undefined(name, found)
    if without is not None:
        return without
    paired = [(scores, count) for scores, count in found if len(scores) > 1]
    used: Counter[int] = Counter()
    for scores, count in paired:
        for score in scores:
            used[score] += count
    distance = _distance(metric, used)
    observed = sum(
        count * sum(distance(a, b) for a, b in combinations(scores, 2)) / (len(scores) - 1) for scores, count in paired
    )
    expected = sum(used[a] * used[b] * distance(a, b) for a, b in combinations(sorted(used), 2))
    value = 1 - (used.total() - 1) * observed / expected
    return Statistic(name, sum(count for _, count in paired), value)


def _distance(metric: Metric, used: Counter[int]) -> Callable[[int, int], float]:
    """The squared distance of two scores, the lower one first."""

    def ordinal(a: int, b: int) -> float:
        return (sum(used[score] for score in range(a, b + 1)) - (used[a] + used[b]) / 2) ** 2

    distances: Mapping[Metric, Callable[[int, int], float]] = {
        "nominal": lambda a, b: float(a != b),
        "ordinal": ordinal,
        "interval": lambda a, b: float((a - b) ** 2),
    }
    return distances[metric]
