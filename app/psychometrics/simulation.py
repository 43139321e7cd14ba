"""What a policy of second readings costs, and which errors it leaves: computed exactly under a stated model. PURE.

The model: a person has a mean, drawn evenly from `person_means`. The true level of each criterion is that mean plus normal noise,
rounded, and kept on the scale. A reader gives the true level with probability `accuracy`, else the one above or below, either as
likely; at an end of the scale there is only one. An award takes the bar on every criterion. Where a second reading is made and
does not agree with the first (equal, or nowhere more than a level apart and the same decision), a third, more accurate reader
reads too, and `resolution` says what then counts. Everybody reads independently; attempts after the first are not looked at.

Given a person's mean the criteria are independent and alike, so that nothing has to be drawn at random. What decides is whether
something holds on every criterion (a power of what it is on one), and how many the first reading puts below or above the bar (a
few terms of the multinomial distribution); what does not hold everywhere follows by subtraction.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import comb
from statistics import NormalDist, median
from typing import Literal, NamedTuple

Resolution = Literal["median", "third_reading"]


@dataclass(frozen=True, slots=True)
class Model:
    """`bar` is the passing level, 1 to `levels` - 1; `person_means` lie on the scale, 0 to `levels` - 1; `noise` is the standard
    deviation of the true levels about a person's mean, above 0; `third_gain` and `third_limit` make the accuracy of the third
    reader."""

    criteria: int
    accuracy: float
    levels: int = 4
    bar: int = 2
    person_means: tuple[float, ...] = (1.2, 2.0, 2.4, 2.8)
    noise: float = 0.6
    third_gain: float = 0.08
    third_limit: float = 0.97
    resolution: Resolution = "median"

    @property
    def third_accuracy(self) -> float:
        """Never less than that of the others."""
        return max(self.accuracy, min(self.accuracy + self.third_gain, self.third_limit))


@dataclass(frozen=True, slots=True)
class Rereading:
    """Which first readings get a second one: a random share of all (0 to 1), and those of the kinds that are set."""

    random_share: float = 0.0
    refused: bool = False
    near_standard: bool = False


SINGLE = Rereading()
REFUSED = Rereading(refused=True)
NEAR_STANDARD = Rereading(near_standard=True)
DOUBLE = Rereading(random_share=1.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of all submissions, as probabilities: that the person truly passes; that they do and are refused; that they do not and are
    awarded. `readings` is how many a submission takes on average."""

    passing: float
    passing_refused: float
    failing_awarded: float
    readings: float

    @property
    def wrongly_refused(self) -> float | None:
        """Share of those who truly pass; None where (nearly) nobody does."""
        return _share(self.passing_refused, self.passing)

    @property
    def wrongly_awarded(self) -> float | None:
        """Share of those who truly do not pass; None where (nearly) everybody does."""
        return _share(self.failing_awarded, 1 - self.passing)

    @property
    def wrong(self) -> float:
        """Share of all."""
        return max(self.passing_refused, 0.0) + max(self.failing_awarded, 0.0)


def _share(part: float, whole: float) -> float | None:
    # Of less than one in a billion only errors of rounding would be told.
    return min(max(part / whole, 0.0), 1.0) if whole > 1e-9 else None


def simulate(model: Model, policies: Mapping[str, Rereading]) -> dict[str, Outcome]:
    """What each policy comes to under the model."""
    people = [_one_criterion(model, mean) for mean in model.person_means]
    return {name: _outcome(model, people, policy) for name, policy in policies.items()}


_Holds = Literal["true", "second", "adjacent", "resolved"]
"""On a criterion: its true level, or the second reading, is at the bar or above; first and second are at most a level apart; what
counts after a third reading is at the bar or above."""

_Criterion = Mapping[tuple[int, frozenset[_Holds]], float]
"""How likely one criterion is to be below, at or above the bar by the first reading (-1, 0, 1) while exactly these hold."""


class _First(NamedTuple):
    """What a first reading comes to."""

    passes: bool
    is_near_standard: bool


class _Tally(NamedTuple):
    people: float
    awarded: float
    further_readings: float


def _outcome(model: Model, people: list[_Criterion], policy: Rereading) -> Outcome:
    all_ = _tally(model, people, policy, frozenset())
    passing = _tally(model, people, policy, frozenset({"true"}))
    return Outcome(
        passing.people, passing.people - passing.awarded, all_.awarded - passing.awarded, 1 + all_.further_readings
    )


def _tally(model: Model, people: list[_Criterion], policy: Rereading, among: frozenset[_Holds]) -> _Tally:
    """Of those of whom `among` holds on every criterion: how many there are, how many are awarded, and how many readings come
    after the first."""
    told = _Tally(0.0, 0.0, 0.0)
    for criterion in people:
        whole = _firsts(criterion, model.criteria, among)
        adjacent = _firsts(criterion, model.criteria, among | {"adjacent"})
        confirmed = _firsts(criterion, model.criteria, among | {"adjacent", "second"})
        resolved = _firsts(criterion, model.criteria, among | {"resolved"})
        adjacent_resolved = _firsts(criterion, model.criteria, among | {"adjacent", "resolved"})
        confirmed_resolved = _firsts(criterion, model.criteria, among | {"adjacent", "second", "resolved"})
        for first, chance in whole.items():
            if first.passes:
                agrees = confirmed[first]
                after = agrees + resolved[first] - confirmed_resolved[first]
            else:
                agrees = adjacent[first] - confirmed[first]
                after = resolved[first] - adjacent_resolved[first] + confirmed_resolved[first]
            reread = _reread(policy, first)
            awarded = (1 - reread) * chance * first.passes + reread * after
            further = reread * (2 * chance - agrees)
            told = _Tally(told.people + chance, told.awarded + awarded, told.further_readings + further)
    return _Tally(*(each / len(people) for each in told))


def _reread(policy: Rereading, first: _First) -> float:
    """How likely a second reading is."""
    is_picked = (policy.refused and not first.passes) or (policy.near_standard and first.is_near_standard)
    return 1.0 if is_picked else policy.random_share


def _firsts(criterion: _Criterion, criteria: int, needed: frozenset[_Holds]) -> dict[_First, float]:
    """How likely each first reading is together with `needed` holding on every criterion.

    Near the standard: refused with at most two criteria below the bar, or awarded with at most one above it.
    """
    below, at, above = (
        sum(chance for (where, holds), chance in criterion.items() if where == place and holds >= needed)
        for place in (-1, 0, 1)
    )
    met = at + above
    awarded = met**criteria
    near_awarded = at**criteria + criteria * above * at ** (criteria - 1)
    refused = (below + met) ** criteria - awarded
    near_refused = criteria * below * met ** (criteria - 1)
    near_refused += comb(criteria, 2) * below**2 * met ** max(criteria - 2, 0)
    return {
        _First(True, True): near_awarded,
        _First(True, False): awarded - near_awarded,
        _First(False, True): near_refused,
        _First(False, False): refused - near_refused,
    }


def _one_criterion(model: Model, mean: float) -> _Criterion:
    """Of a person with this mean."""
    found: dict[tuple[int, frozenset[_Holds]], float] = defaultdict(float)
    bar = model.bar
    for true, true_chance in enumerate(_true_levels(model, mean)):
        for first, first_chance in _given(model, true, model.accuracy):
            for second, second_chance in _given(model, true, model.accuracy):
                for third, third_chance in _given(model, true, model.third_accuracy):
                    resolved = third if model.resolution == "third_reading" else median((first, second, third))
                    held: dict[_Holds, bool] = {
                        "true": true >= bar,
                        "second": second >= bar,
                        "adjacent": abs(first - second) <= 1,
                        "resolved": resolved >= bar,
                    }
                    place = (first > bar) - (first < bar)
                    holds = frozenset(name for name, does in held.items() if does)
                    found[place, holds] += true_chance * first_chance * second_chance * third_chance
    return found


def _true_levels(model: Model, mean: float) -> list[float]:
    """How likely each level is to be a criterion's true one."""
    noise = NormalDist(mean, model.noise)
    up_to = [noise.cdf(level + 0.5) for level in range(model.levels - 1)]
    return [high - low for low, high in zip([0.0, *up_to], [*up_to, 1.0], strict=True)]


def _given(model: Model, true: int, accuracy: float) -> Iterator[tuple[int, float]]:
    """The levels a reader gives for a true one, and how likely."""
    top = model.levels - 1
    yield true, accuracy
    yield 1 if true == 0 else true - 1, (1 - accuracy) / 2
    yield top - 1 if true == top else true + 1, (1 - accuracy) / 2
