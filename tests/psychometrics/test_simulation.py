"""The policy simulation against the published table, against drawing at random, and at its ends."""

from itertools import starmap
from random import Random
from statistics import median

import pytest

from app.psychometrics.simulation import DOUBLE, NEAR_STANDARD, REFUSED, SINGLE, Model, Rereading, simulate

POLICIES = {"single": SINGLE, "refused": REFUSED, "near_standard": NEAR_STANDARD, "double": DOUBLE}

# criteria, accuracy -> policy -> wrongly refused and wrongly awarded in percent, readings per submission
TABLE = {
    (5, 0.85): {"single": (16, 2, 1.00), "refused": (4, 2, 1.67), "near_standard": (4, 1, 1.55), "double": (4, 0, 2.16)},
    (8, 0.85): {"single": (22, 2, 1.00), "refused": (6, 2, 1.78), "near_standard": (6, 2, 1.47), "double": (7, 0, 2.19)},
    (5, 0.92): {"single": (8, 2, 1.00), "refused": (1, 2, 1.58), "near_standard": (1, 1, 1.48), "double": (2, 0, 2.09)},
}  # fmt: skip


@pytest.mark.parametrize(("criteria", "accuracy"), TABLE)
def test_the_published_table(criteria: int, accuracy: float) -> None:
    found = simulate(Model(criteria, accuracy), POLICIES)
    for policy, (refused, awarded, readings) in TABLE[criteria, accuracy].items():
        outcome = found[policy]
        assert outcome.wrongly_refused == pytest.approx(refused / 100, abs=0.015)
        assert outcome.wrongly_awarded == pytest.approx(awarded / 100, abs=0.015)
        assert outcome.readings == pytest.approx(readings, abs=0.03)


def draw(model: Model, policy: str, people: int, seed: int) -> tuple[float, float, float]:
    """The model played with dice: wrongly refused, wrongly awarded, readings per submission."""
    random = Random(seed)
    top = model.levels - 1

    def read(true: list[int], accuracy: float) -> list[int]:
        return list(starmap(err, ((level, random.random() >= accuracy) for level in true)))

    def err(level: int, wrong: bool) -> int:
        moved = level + random.choice((-1, 1)) if wrong else level
        return 1 if moved < 0 else top - 1 if moved > top else moved

    def passes(levels: list[int]) -> bool:
        return min(levels) >= model.bar

    def is_reread(first: list[int]) -> bool:
        if policy == "near_standard":
            if passes(first):
                return sum(level == model.bar for level in first) >= model.criteria - 1
            return sum(level < model.bar for level in first) <= 2
        return policy == "double" or (policy == "refused" and not passes(first))

    counted = {(truly, awarded): 0 for truly in (True, False) for awarded in (True, False)}
    readings = 0
    for _ in range(people):
        mean = random.choice(model.person_means)
        true = [min(max(round(random.gauss(mean, model.noise)), 0), top) for _ in range(model.criteria)]
        first = read(true, model.accuracy)
        awarded = passes(first)
        readings += 1
        if is_reread(first):
            second = read(true, model.accuracy)
            readings += 1
            adjacent = all(abs(a - b) <= 1 for a, b in zip(first, second, strict=True))
            if not adjacent or passes(first) != passes(second):
                third = read(true, model.third_accuracy)
                readings += 1
                middle = [median(levels) for levels in zip(first, second, third, strict=True)]
                awarded = passes(third if model.resolution == "third_reading" else [int(level) for level in middle])
        counted[passes(true), awarded] += 1
    refused = counted[True, False] / (counted[True, False] + counted[True, True])
    wrongly_awarded = counted[False, True] / (counted[False, True] + counted[False, False])
    return refused, wrongly_awarded, readings / people


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "model",
    [
        Model(5, 0.85),
        Model(3, 0.7, resolution="third_reading"),
        Model(4, 0.8, levels=3, bar=1, person_means=(0.4, 1.5), noise=0.9),
    ],
    ids=["default", "third reading counts", "three levels"],
)
def test_drawing_at_random_comes_to_the_same(model: Model, policy: str) -> None:
    refused, awarded, readings = draw(model, policy, people=12_000, seed=3)
    outcome = simulate(model, POLICIES)[policy]
    # about four standard errors of six thousand people
    assert outcome.wrongly_refused == pytest.approx(refused, abs=0.022)
    assert outcome.wrongly_awarded == pytest.approx(awarded, abs=0.022)
    assert outcome.readings == pytest.approx(readings, abs=0.03)


def test_readers_who_never_err() -> None:
    outcome = simulate(Model(5, 1.0), POLICIES)["double"]
    assert (outcome.wrongly_refused, outcome.wrongly_awarded) == (pytest.approx(0), pytest.approx(0))
    assert outcome.readings == pytest.approx(2)
    assert Model(5, 1.0).third_accuracy == 1.0
    assert Model(5, 0.92).third_accuracy == 0.97
    assert Model(5, 0.8).third_accuracy == pytest.approx(0.88)


def test_a_share_of_nobody_is_none() -> None:
    all_pass = simulate(Model(2, 0.9, person_means=(3.0,), noise=0.01), POLICIES)["single"]
    assert all_pass.passing == pytest.approx(1)
    assert all_pass.wrongly_awarded is None
    assert all_pass.wrongly_refused is not None
    none_pass = simulate(Model(2, 0.9, person_means=(0.0,), noise=0.01), POLICIES)["single"]
    assert none_pass.passing == pytest.approx(0)
    assert none_pass.wrongly_refused is None
    assert none_pass.wrongly_awarded == pytest.approx(0)


def test_a_random_share_lies_between_one_reading_and_two() -> None:
    found = simulate(Model(5, 0.85), {**POLICIES, "fifth": Rereading(random_share=0.2)})
    single, double, fifth = found["single"], found["double"], found["fifth"]
    assert fifth.readings == pytest.approx(0.8 * single.readings + 0.2 * double.readings)
    assert fifth.passing_refused == pytest.approx(0.8 * single.passing_refused + 0.2 * double.passing_refused)
    assert fifth.wrong == pytest.approx(0.8 * single.wrong + 0.2 * double.wrong)


def test_a_random_share_of_the_rest_comes_on_top_of_what_is_picked() -> None:
    found = simulate(Model(5, 0.85), {**POLICIES, "both": Rereading(random_share=0.2, near_standard=True)})
    near, double, both = found["near_standard"], found["double"], found["both"]
    assert both.readings == pytest.approx(0.8 * near.readings + 0.2 * double.readings)


def test_a_single_reading_can_be_worked_out_by_hand() -> None:
    """One criterion, everybody truly at the bar of a scale of two levels: a reader errs as often as they err."""
    outcome = simulate(Model(1, 0.9, levels=2, bar=1, person_means=(1.0,), noise=0.01), POLICIES)["single"]
    assert outcome.wrongly_refused == pytest.approx(0.1)
    # double: refused when two err and, of two readings apart, when two of three do (the third is right .97)
    twice = simulate(Model(1, 0.9, levels=2, bar=1, person_means=(1.0,), noise=0.01), POLICIES)["double"]
    assert twice.wrongly_refused == pytest.approx(0.1 * 0.1 + 2 * 0.1 * 0.9 * 0.03)
    assert twice.readings == pytest.approx(2 + 2 * 0.1 * 0.9)
