"""Gwet's AC1 and AC2, and Fleiss' kappa, for any number of readers, with missing readings. PURE.

(Gwet, Handbook of Inter-Rater Reliability, 4th edition, ch. 2-5.) AC1 keeps its head where most work is at one level and kappa
drops to nothing; AC2 gives credit for near misses, with quadratic weights so much that readers who are right seven times in ten
look well. The words made for kappa ("substantial") do not carry over to either.

A unit that one reader scored says nothing about agreement and does not count in `n`; its score does tell how often the levels
are used, as in Gwet's treatment of missing readings.
"""

from collections.abc import Callable
from typing import Literal

from app.psychometrics.statistic import Statistic
from app.psychometrics.units import Patterns, Units, patterns, undefined

Weights = Literal["linear", "quadratic", "ordinal"]
_Weigh = Callable[[int, int], float]


def gwet_ac1(units: Units, levels: int) -> Statistic:
    """Near misses count as misses. `levels` is how many the scale has, used or not."""
    return _corrected("gwet_ac1", units, levels, _identity, _gwet_chance)


def gwet_ac2(units: Units, levels: int, weights: Weights) -> Statistic:
    """Near misses earn credit. By `weights` it falls with the distance (`linear`), its square (`quadratic`), or the number of
    pairs of levels from the one to the other (`ordinal`)."""
    steps = max(levels - 1, 1)
    weigh: dict[Weights, _Weigh] = {
        "linear": lambda a, b: 1 - abs(a - b) / steps,
        "quadratic": lambda a, b: 1 - (a - b) ** 2 / steps**2,
        "ordinal": lambda a, b: 1 - abs(a - b) * (abs(a - b) + 1) / (steps * (steps + 1)),
    }
    return _corrected(f"gwet_ac2_{weights}", units, levels, weigh[weights], _gwet_chance)


def fleiss_kappa(units: Units, levels: int) -> Statistic:
    """Fleiss (1971), with Gwet's treatment of missing readings. The paradox of kappa holds for it too."""
    return _corrected("fleiss_kappa", units, levels, _identity, lambda used, _: sum(share * share for share in used))


def _identity(a: int, b: int) -> float:
    return float(a == b)


def _gwet_chance(used: list[float], weigh: _Weigh) -> float:
    levels = len(used)
    total = sum(weigh(a, b) for a in range(levels) for b in range(levels))
    return total * sum(share * (1 - share) for share in used) / (levels * (levels - 1))


def _corrected(
    name: str, units: Units, levels: int, weigh: _Weigh, chance: Callable[[list[float], _Weigh], float]
) -> Statistic:
    """(agreement - chance) / (1 - chance). Raises ValueError for a score that is none of the levels."""
    found = patterns(units)
    if any(not 0 <= score < levels for scores, _ in found for score in scores):
        raise ValueError(f"a score is not on the scale of {levels} levels")
    without = undefined(name, found)
    if without is not None:
        return without
    by_chance = chance(_used(found, levels), weigh)
    n, agreed = _agreed(found, weigh)
    return Statistic(name, n, (agreed - by_chance) / (1 - by_chance))


def _used(found: Patterns, levels: int) -> list[float]:
    """The share of each level, every unit with a score weighing the same."""
    units = sum(count for _, count in found)
    return [
        sum(count * scores.count(level) / len(scores) for scores, count in found) / units for level in range(levels)
    ]


def _agreed(found: Patterns, weigh: _Weigh) -> tuple[int, float]:
    """How many units have two scores or more, and the mean credit that pairs of scores get in them."""
    n, credit = 0, 0.0
    for scores, count in found:
        given = len(scores)
        if given > 1:
            n += count
            credit += count * (sum(weigh(a, b) for a in scores for b in scores) - given) / (given * (given - 1))
    return n, credit / n
