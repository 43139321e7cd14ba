"""How far an assessor's scores agree with true scores, and whether that is enough. PURE: whole numbers, no floats.

The measure is plain agreement, counted per criterion: *exact* (the same level), *adjacent* (one level off), *apart* (more than
one). Chance-corrected coefficients say nothing at these numbers: thirty ratings of one person.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from app.achievements.rubric import Rubric, shortfalls
from app.programs.policy import QualificationPolicy

Levels = Mapping[str, str]
"""Level key by criterion key."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The ratings of one criterion, of which the scale has so many levels."""

    criterion: str
    levels: int
    exact: int = 0
    adjacent: int = 0
    apart: int = 0

    @property
    def ratings(self) -> int:
        return self.exact + self.adjacent + self.apart


@dataclass(frozen=True, slots=True)
class Agreement:
    """What came of scoring some anchors. `same_decision` counts those where both scores lead to the same award decision."""

    criteria: tuple[Tally, ...]
    anchors: int
    same_decision: int

    @property
    def ratings(self) -> int:
        return sum(tally.ratings for tally in self.criteria)

    @property
    def exact(self) -> int:
        return sum(tally.exact for tally in self.criteria)

    @property
    def adjacent(self) -> int:
        return sum(tally.adjacent for tally in self.criteria)

    @property
    def apart(self) -> int:
        return sum(tally.apart for tally in self.criteria)


def measure(rubric: Rubric, pairs: Sequence[tuple[Levels, Levels]]) -> Agreement:
    """Compare true scores with given ones, anchor by anchor. Both have every criterion of the rubric."""
    tallies = tuple(_tally(criterion, pairs) for criterion in rubric["criteria"])
    same = sum(bool(shortfalls(rubric, true)) == bool(shortfalls(rubric, given)) for true, given in pairs)
    return Agreement(tallies, len(pairs), same)


def exact_bar(levels: int) -> int:
    """The percentage of exact agreement asked for on a scale of so many levels (as NAEP qualifies its scorers)."""
    return {2: 90, 3: 80}.get(levels, 70)


def required_exact(agreement: Agreement, policy: QualificationPolicy) -> Decimal:
    """The percentage asked for: the policy's, else that of each criterion's scale, weighted by its ratings."""
    if policy.exact_percent is not None or not agreement.ratings:
        return Decimal(policy.exact_percent or 0)
    return Decimal(_hundredfold_bar(agreement)) / agreement.ratings


def list_shortfalls(agreement: Agreement, policy: QualificationPolicy) -> list[str]:
    """Why it is not enough: any of `exact_agreement`, `non_adjacent`, `same_decision`; empty when it is."""
    needed = _hundredfold_bar(agreement)
    if policy.exact_percent is not None:
        needed = policy.exact_percent * agreement.ratings
    found = []
    if not agreement.ratings or agreement.exact * 100 < needed:
        found.append("exact_agreement")
    if agreement.apart > policy.non_adjacent_allowed:
        found.append("non_adjacent")
    if policy.same_decision and agreement.same_decision < agreement.anchors:
        found.append("same_decision")
    return found


def summarize(agreement: Agreement, policy: QualificationPolicy) -> dict[str, Any]:
    """The agreement as it is stored and shown. Percentages are text with one decimal place."""
    missing = list_shortfalls(agreement, policy)
    return {
        "ratings": agreement.ratings,
        "exact": agreement.exact,
        "adjacent": agreement.adjacent,
        "non_adjacent": agreement.apart,
        "exact_percent": _shown(Decimal(100 * agreement.exact) / agreement.ratings) if agreement.ratings else None,
        "required_percent": _shown(required_exact(agreement, policy)),
        "anchors": agreement.anchors,
        "same_decision": agreement.same_decision,
        "criteria": [asdict(tally) for tally in agreement.criteria],
        "passed": not missing,
        "shortfalls": missing,
    }


def list_uncovered(rubric: Rubric, true_scores: Iterable[Levels]) -> list[tuple[str, str]]:
    """Levels, each with its criterion before it, that none of these true scores has."""
    covered = {pair for levels in true_scores for pair in levels.items()}
    everything = [(c["key"], level["key"]) for c in rubric["criteria"] for level in c["levels"]]
    return [pair for pair in everything if pair not in covered]


def _tally(criterion: Mapping[str, Any], pairs: Sequence[tuple[Levels, Levels]]) -> Tally:
    key = criterion["key"]
    order = [level["key"] for level in criterion["levels"]]
    distances = [abs(order.index(true[key]) - order.index(given[key])) for true, given in pairs]
    near = (distances.count(0), distances.count(1))
    return Tally(key, len(order), *near, len(distances) - sum(near))


def _hundredfold_bar(agreement: Agreement) -> int:
    return sum(exact_bar(tally.levels) * tally.ratings for tally in agreement.criteria)


def _shown(percent: Decimal) -> str:
    return str(percent.quantize(Decimal("0.1"), ROUND_HALF_UP))
