"""What a policy of second readings costs, and which errors it leaves: computed exactly under a stated model. PURE.

The model: a person has a mean, drawn evenly from `person_means`. The true level of each criterion is that mean plus normal noise,
rounded, and kept on the scale. A reader gives the true level with probability `accuracy`, else the one above or below, either as
likely; at an end of the scale there is only one. An award takes the bar on every criterion. Where a second reading is made and
does not agree with the first (equal, or nowhere more than a level apart and the same decision), a third, more accurate reader
reads too, and `resolution` says what then counts. Everybody reads independently; attempts after the first are not looked at.

Given a person's mean the criteria are independent and alike, so that nothing has to be drawn at random: the distribution of the
few counts that decide is built up criterion by criterion.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
    """Of all submissions, as probabilities: that the person truly passes, or does not; that they do and are refused, that they do
    not and are awarded. `readings` is how many a submission takes on average."""

    passing: float
    failing: float
    passing_refused: float
    failing_awarded: float
    readings: float

    @property
    def wrongly_refused(self) -> float | None:
        """Share of those who truly pass; None where nobody does."""
        return min(self.passing_refused / self.passing, 1.0) if self.passing > 0 else None

    @property
    def wrongly_awarded(self) -> float | None:
        """Share of those who truly do not pass; None where everybody does."""
        return min(self.failing_awarded / self.failing, 1.0) if self.failing > 0 else None

    @property
    def wrong(self) -> float:
        """Share of all."""
        return self.passing_refused + self.failing_awarded


def simulate(model: Model, policies: Mapping[str, Rereading]) -> dict[str, Outcome]:
    """What each policy comes to under the model."""
    states = _states(model)
    return {name: _outcome(states, policy) for name, policy in policies.items()}


class _State(NamedTuple):
    """What the criteria so far say. Counts stop where they make no more difference."""

    truly_passes: bool = True
    short: int = 0
    """By the first reading: criteria below the bar, 3 for more."""
    above: int = 0
    """By the first reading: criteria above the bar, 2 for more."""
    second_passes: bool = True
    is_adjacent: bool = True
    """First and second nowhere more than a level apart."""
    resolved_passes: bool = True
    """By what counts after a third reading."""

    def plus(self, other: "_State") -> "_State":
        return _State(
            self.truly_passes and other.truly_passes,
            min(self.short + other.short, 3),
            min(self.above + other.above, 2),
            self.second_passes and other.second_passes,
            self.is_adjacent and other.is_adjacent,
            self.resolved_passes and other.resolved_passes,
        )

    @property
    def first_passes(self) -> bool:
        return self.short == 0

    @property
    def is_near_standard(self) -> bool:
        """Refused with at most two criteria short, or awarded with at most one above the bar."""
        return self.above <= 1 if self.first_passes else self.short <= 2

    @property
    def agrees(self) -> bool:
        return self.is_adjacent and self.first_passes == self.second_passes


_Distribution = dict[_State, float]


def _states(model: Model) -> _Distribution:
    """How likely each state is for all criteria together, over all persons."""
    total: _Distribution = defaultdict(float)
    for mean in model.person_means:
        one = _one_criterion(model, mean)
        states: _Distribution = {_State(): 1 / len(model.person_means)}
        for _ in range(model.criteria):
            further: _Distribution = defaultdict(float)
            for state, chance in states.items():
                for step, step_chance in one.items():
                    further[state.plus(step)] += chance * step_chance
            states = further
        for state, chance in states.items():
            total[state] += chance
    return total


def _one_criterion(model: Model, mean: float) -> _Distribution:
    """How likely each state is for one criterion of a person with this mean."""
    found: _Distribution = defaultdict(float)
    bar = model.bar
    for true, true_chance in enumerate(_true_levels(model, mean)):
        for first, first_chance in _given(model, true, model.accuracy):
            for second, second_chance in _given(model, true, model.accuracy):
                for third, third_chance in _given(model, true, model.third_accuracy):
                    resolved = third if model.resolution == "third_reading" else median((first, second, third))
                    state = _State(
                        true >= bar,
                        int(first < bar),
                        int(first > bar),
                        second >= bar,
                        abs(first - second) <= 1,
                        resolved >= bar,
                    )
                    found[state] += true_chance * first_chance * second_chance * third_chance
    return {state: chance for state, chance in found.items() if chance > 0}


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


def _outcome(states: _Distribution, policy: Rereading) -> Outcome:
    passing = failing = passing_refused = failing_awarded = 0.0
    readings = 1.0
    for state, chance in states.items():
        is_picked = (policy.refused and not state.first_passes) or (policy.near_standard and state.is_near_standard)
        reread = 1.0 if is_picked else policy.random_share
        # two that agree leave the decision of the first
        after = state.first_passes if state.agrees else state.resolved_passes
        awarded = (1 - reread) * state.first_passes + reread * after
        readings += chance * reread * (1 if state.agrees else 2)
        if state.truly_passes:
            passing += chance
            passing_refused += chance * (1 - awarded)
        else:
            failing += chance
            failing_awarded += chance * awarded
    return Outcome(passing, failing, passing_refused, failing_awarded, readings)
