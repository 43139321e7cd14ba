"""When a reader's scores on anchors want a lead's look: the rules as data, and what they find. PURE.

A finding is a proposal to a person, with its evidence. How many ratings a rule wants follows from how often it would be wrong:

- watching takes 25 ratings of 5 works. Of readers who are exact 85 times in 100, 3 % are watched; of readers at 65 in 100,
  69 %. On 10 ratings the rule would find half of the latter, and blame one in eight at 80: ten ratings condemn nobody.
- proposing a suspension takes 75 ratings of 10 works, about 15 shared anchors of 5 criteria, and of agreement also that it is low
  enough to be watched. The Wilson bound alone would fall on anybody with few ratings, however good. Of readers at 80 in 100, 2 %
  are proposed; of readers at 85 in 100, one in two thousand.
- a fall takes 75 ratings in both windows; of readers who stay at 85 in 100, still 10 % seem to have fallen. So it only watches.

Ratings of one work hang together, so that all this is a little worse than binomial: hence the number of works.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from app.psychometrics.intervals import wilson
from app.psychometrics.statistic import Interval

Measure = Literal["low_agreement", "severity", "falling_agreement"]
Level = Literal["watch", "suspend"]


@dataclass(frozen=True, slots=True)
class Window:
    """What one reader's ratings of some time come to. `deviation` is the sum of given minus true, in levels."""

    ratings: int
    exact: int
    deviation: int
    works: int

    @classmethod
    def of(cls, works: Sequence[Sequence[int]]) -> "Window":
        """Of given minus true, work by work (an anchor, criterion by criterion)."""
        rated = [work for work in works if work]
        differences = [difference for work in rated for difference in work]
        return cls(len(differences), differences.count(0), sum(differences), len(rated))


@dataclass(frozen=True, slots=True)
class Facts:
    """One reader's window, and the one before where there is one."""

    current: Window
    before: Window | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """`rule` fired: `value` is beyond `threshold`. In shares of 1 or in levels, a deviation with its sign (below 0: severe).
    `interval` is that of exact agreement."""

    rule: Measure
    level: Level
    value: float
    threshold: float
    ratings: int
    works: int
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Rule:
    """`is_beyond` is asked of the facts and the threshold once there are enough ratings and works in every window it compares."""

    measure: Measure
    level: Level
    threshold: Fraction
    ratings: int
    works: int
    is_beyond: Callable[[Facts, Fraction], bool]


def find_drift(facts: Facts) -> list[Finding]:
    """What the rules find: of each measure the gravest finding only."""
    fired: dict[Measure, Finding] = {}
    for rule in RULES:
        if rule.measure not in fired and _is_enough(rule, facts) and rule.is_beyond(facts, rule.threshold):
            fired[rule.measure] = _finding(rule, facts)
    return list(fired.values())


def _is_enough(rule: Rule, facts: Facts) -> bool:
    windows = [facts.current, facts.before] if rule.measure == "falling_agreement" else [facts.current]
    return all(each is not None and each.ratings >= rule.ratings and each.works >= rule.works for each in windows)


def _exact(window: Window) -> Fraction:
    return Fraction(window.exact, window.ratings)


def _is_low(facts: Facts, threshold: Fraction) -> bool:
    return _exact(facts.current) < threshold


def _is_surely_low(facts: Facts, threshold: Fraction) -> bool:
    interval = wilson(facts.current.exact, facts.current.ratings)
    return _is_low(facts, WATCHED_BELOW) and interval is not None and interval.low < threshold


def _deviates(facts: Facts, threshold: Fraction) -> bool:
    return abs(Fraction(facts.current.deviation, facts.current.ratings)) >= threshold


def _falls(facts: Facts, threshold: Fraction) -> bool:
    return facts.before is not None and _exact(facts.before) - _exact(facts.current) >= threshold


WATCHED_BELOW = Fraction(70, 100)

RULES: tuple[Rule, ...] = (  # the graver ones of a measure first
    Rule("low_agreement", "suspend", Fraction(60, 100), 75, 10, _is_surely_low),
    Rule("low_agreement", "watch", WATCHED_BELOW, 25, 5, _is_low),
    Rule("severity", "suspend", Fraction(50, 100), 75, 10, _deviates),
    Rule("severity", "watch", Fraction(25, 100), 25, 5, _deviates),
    Rule("falling_agreement", "watch", Fraction(8, 100), 75, 10, _falls),
)
"""Exact agreement below .70 is watched, its lower Wilson bound below .60 a proposal to suspend; mean deviation of .25 of a level
is watched, of .5 acted on; a fall of 8 points from one window to the next is watched."""


def _finding(rule: Rule, facts: Facts) -> Finding:
    window = facts.current
    interval = wilson(window.exact, window.ratings)
    value = _exact(window)
    if rule.measure == "severity":
        value = Fraction(window.deviation, window.ratings)
    elif rule.measure == "falling_agreement" and facts.before is not None:
        value -= _exact(facts.before)
    return Finding(
        rule.measure, rule.level, float(value), float(rule.threshold), window.ratings, window.works, interval
    )
