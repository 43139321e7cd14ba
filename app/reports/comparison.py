"""Two shares compared: their difference with its interval, their ratio, and Fisher's exact test. PURE."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, sqrt

from app.psychometrics.intervals import wilson

FOUR_FIFTHS = 0.8
"""A ratio of award rates below this asks for a closer look; it proves nothing, least of all with few people."""
_SAME = 1 + 1e-7
"""Two tables that differ by less than this in probability are as unlikely as each other: so much is rounding."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`difference` is the first share less the second, `low` to `high` its 95 % interval (Newcombe 1998, from Wilson's). `ratio`
    is the first by the second, None where the second is 0. `p_value` is Fisher's, two-sided."""

    difference: float
    low: float
    high: float
    ratio: float | None
    p_value: float


def compare(first: tuple[int, int], second: tuple[int, int]) -> Comparison | None:
    """Of two (successes, people). None where either has nobody."""
    (a, n), (b, m) = first, second
    one, other = wilson(a, n), wilson(b, m)
    if one is None or other is None:
        return None
    p, q = a / n, b / m
    low = p - q - sqrt((p - one.low) ** 2 + (other.high - q) ** 2)
    high = p - q + sqrt((one.high - p) ** 2 + (q - other.low) ** 2)
    return Comparison(p - q, max(-1.0, low), min(1.0, high), p / q if b else None, fisher(first, second))


def fisher(first: tuple[int, int], second: tuple[int, int]) -> float:
    """How likely tables as unlikely as this one are, with these margins, if the shares do not differ (Fisher 1935)."""
    (a, n), (b, m) = first, second
    successes = a + b
    possible = range(max(0, successes - m), min(n, successes) + 1)
    weights = [exp(_log_choose(n, x) + _log_choose(m, successes - x) - _log_choose(n + m, successes)) for x in possible]
    return min(1.0, _sum_up_to(weights, weights[a - possible.start] * _SAME))


def _sum_up_to(weights: Sequence[float], limit: float) -> float:
    return sum(weight for weight in weights if weight <= limit)


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
