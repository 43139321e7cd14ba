"""The bootstrap: seeded, by cluster, and none where it would say nothing."""

from collections import Counter
from math import comb
from random import Random

import pytest

from app.psychometrics.agreement import cohen_kappa, exact
from app.psychometrics.intervals import (
    cluster_bootstrap,
    cluster_robust,
    quantile_interval,
    resample_clusters,
    student_t,
    wilson,
    with_bootstrap,
)
from app.psychometrics.severity import mean_deviation


def mean(values: Counter[float]) -> float | None:
    return sum(values.elements()) / values.total() if values else None


CLUSTERS = [[(37 * cluster + 11 * item) % 23 / 11 - 1 for item in range(4)] for cluster in range(60)]


def test_the_seed_makes_it_repeatable() -> None:
    first = cluster_bootstrap(CLUSTERS, mean, seed=7)
    assert first is not None
    assert (first.method, first.level, first.seed, first.resamples) == ("cluster_bootstrap", 0.95, 7, 1000)
    assert cluster_bootstrap(CLUSTERS, mean, seed=7) == first
    assert cluster_bootstrap(CLUSTERS, mean, seed=8) != first
    # recorded: the same on every machine and with every version of Python
    assert (first.low, first.high) == (pytest.approx(-0.0632670455), pytest.approx(0.0652178030))


def test_it_is_about_as_wide_as_theory_says() -> None:
    interval = cluster_bootstrap(CLUSTERS, mean, seed=7, resamples=4000)
    assert interval is not None
    means = [sum(cluster) / 4 for cluster in CLUSTERS]
    center = sum(means) / 60
    error = (sum((each - center) ** 2 for each in means) / 60 / 60) ** 0.5
    assert interval.low == pytest.approx(center - 1.96 * error, abs=0.02)
    assert interval.high == pytest.approx(center + 1.96 * error, abs=0.02)


def test_what_hangs_together_is_drawn_together() -> None:
    """Five criteria that always go the same way are one observation, not five."""
    together = cluster_bootstrap([[float(i % 2)] * 5 for i in range(40)], mean, seed=1)
    apart = cluster_bootstrap([[float(i % 2)] for i in range(40) for _ in range(5)], mean, seed=1)
    assert together is not None
    assert apart is not None
    assert together.high - together.low == pytest.approx(5**0.5 * (apart.high - apart.low), rel=0.15)


def test_counting_first_draws_what_drawing_one_by_one_draws() -> None:
    """Whole submissions drawn into a list again and again: slow, and beyond doubt."""
    dice = Random(5)
    clusters = [[(dice.randrange(3), dice.randrange(3)) for _ in range(dice.randrange(4))] for _ in range(50)]
    filled = [cluster for cluster in clusters if cluster]
    draw = Random(11)
    slowly = [
        [pair for _ in filled for pair in filled[int(draw.random() * len(filled))]] for _ in range(100)
    ]  # fmt: skip
    drawn = list(resample_clusters(clusters, seed=11, resamples=100))
    assert drawn == [Counter(pairs) for pairs in slowly]
    kappas = sorted(value for pairs in slowly if (value := cohen_kappa(pairs, 3).value) is not None)
    interval = cluster_bootstrap(clusters, lambda pairs: cohen_kappa(pairs, 3).value, seed=11, resamples=100)
    assert interval is not None
    assert kappas[2] <= interval.low <= kappas[3]
    assert kappas[96] <= interval.high <= kappas[97]


def test_fewer_than_two_clusters_have_none() -> None:
    assert cluster_bootstrap([], mean, seed=1) is None
    assert cluster_bootstrap([[1.0, 2.0]], mean, seed=1) is None
    assert cluster_bootstrap([[1.0, 2.0], []], mean, seed=1) is None
    assert cluster_bootstrap([[1.0, 2.0], [1.0]], mean, seed=1) is not None


def test_too_many_undefined_resamples_have_none() -> None:
    """One pair of twenty is at another level: a third of the resamples miss it, and kappa is undefined there."""
    rare = [[(1, 1)]] * 19 + [[(0, 0)]]
    assert cohen_kappa([pair for cluster in rare for pair in cluster], 2).value == 1.0
    assert cluster_bootstrap(rare, lambda pairs: cohen_kappa(pairs, 2).value, seed=1) is None
    common = [[(1, 1)]] * 10 + [[(0, 0)]] * 10
    assert cluster_bootstrap(common, lambda pairs: cohen_kappa(pairs, 2).value, seed=1) is not None


def test_a_statistic_with_its_interval() -> None:
    clusters = [[(2, 2), (1, 2)], [(1, 1)], [(3, 2), (2, 2)], [(3, 3)]]
    found = with_bootstrap(exact, clusters, seed=3)
    assert (found.n, found.value, found.reason) == (6, 4 / 6, None)
    assert found.interval is not None
    assert found.interval.method == "cluster_bootstrap"
    assert found.interval.low < 4 / 6 < found.interval.high


def test_a_statistic_without_interval_keeps_its_value_and_says_why() -> None:
    found = with_bootstrap(mean_deviation, [[1, 0]], seed=3)
    assert (found.value, found.reason, found.interval) == (0.5, "too_few_clusters", None)
    nothing = with_bootstrap(mean_deviation, [], seed=3)
    assert (nothing.value, nothing.reason, nothing.interval) == (None, "no_data", None)


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3)])
def test_wilson_of_no_share(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(successes, n)
    assert wilson(0, 0) is None


def test_students_t_as_in_the_tables() -> None:
    known = {1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764, 9: 2.2622, 14: 2.1448, 30: 2.0423, 120: 1.9799}
    assert {degrees: round(student_t(0.975, degrees), 4) for degrees in known} == known
    assert student_t(0.995, 4) == pytest.approx(4.6041, abs=1e-4)
    assert student_t(0.975, 10_000) == pytest.approx(1.96, abs=1e-3)


def test_the_mean_of_clusters_alike_in_size_is_the_mean_of_their_means() -> None:
    """As the textbook has it: three anchors of two criteria, whose means are 0, 1 and -1."""
    interval = cluster_robust([[0, 0], [1, 1], [-1, -1]])
    assert interval is not None
    reach = student_t(0.975, 2) * (1 / 3) ** 0.5
    assert (interval.low, interval.high) == (pytest.approx(-reach), pytest.approx(reach))
    assert (interval.method, interval.seed, interval.resamples) == ("cluster_robust", None, None)


def test_it_holds_as_often_as_it_says_with_few_anchors() -> None:
    """Of ten anchors with five criteria that hang together; by percentiles of resamples the truth is missed more often."""
    draw = Random(2)
    held = {"robust": 0, "bootstrap": 0}
    for number in range(400):
        anchors = [[round(draw.gauss(bias, 0.5)) for _ in range(5)] for bias in (draw.gauss(0, 0.6) for _ in range(10))]
        found = {
            "robust": cluster_robust(anchors),
            "bootstrap": with_bootstrap(mean_deviation, anchors, seed=number, resamples=200).interval,
        }
        for name, interval in found.items():
            held[name] += interval is not None and interval.low <= 0 <= interval.high
    assert 0.93 <= held["robust"] / 400 <= 0.97
    assert held["bootstrap"] < held["robust"]


def test_one_anchor_has_no_interval() -> None:
    assert cluster_robust([]) is None
    assert cluster_robust([[1, 0, 1], []]) is None
    assert cluster_robust([[1, 0, 1], [0]]) is not None


@pytest.mark.parametrize(
    ("n", "quantile", "places"),
    [(1, 0.5, None), (5, 0.5, None), (6, 0.5, (1, 6)), (10, 0.5, (2, 9)), (20, 0.5, (6, 15)), (100, 0.5, (40, 61)),
     (28, 0.9, None), (100, 0.9, (84, 96))],
)  # fmt: skip
def test_the_interval_of_a_quantile_lies_between_two_observations(
    n: int, quantile: float, places: tuple[int, int] | None
) -> None:
    """The places are those of published tables of the sign test; each holds the quantile with at least 95 %."""
    found = quantile_interval([*range(n, 0, -1)], quantile)
    assert (found and (found.low, found.high)) == places
    if places is not None:
        low, high = places
        held = sum(comb(n, below) * quantile**below * (1 - quantile) ** (n - below) for below in range(low, high))
        assert held >= 0.95
