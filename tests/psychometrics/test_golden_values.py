"""The coefficients against published examples and against what other programs say of the same data, to five decimals."""

import pytest

from app.psychometrics.agreement import adjacent, cohen_kappa, exact, matrix, weighted_kappa
from app.psychometrics.alpha import Metric, krippendorff_alpha
from app.psychometrics.gwet import Weights, fleiss_kappa, gwet_ac1, gwet_ac2
from app.psychometrics.intervals import wilson
from app.psychometrics.severity import mean_deviation, spread

# Krippendorff's example of four observers, twelve units, five values and missing data; values count from 0 here.
KRIPPENDORFF = [
    [None if value == 0 else value - 1 for value in unit]
    for unit in (
        (1, 1, 0, 1), (2, 2, 3, 2), (3, 3, 3, 3), (3, 3, 3, 3), (2, 2, 2, 2), (1, 2, 3, 4),
        (4, 4, 4, 4), (1, 1, 2, 1), (2, 2, 2, 2), (0, 5, 5, 5), (0, 0, 1, 1), (0, 0, 3, 0),
    )
]  # fmt: skip

# Three readers on a scale of four levels, the lowest of which nobody gave.
SPARSE: list[list[int | None]] = [
    [2, 2, 3], [1, 2, None], [3, 3, 3], [2, 1, 2], [None, 2, 3],
    [3, None, None], [2, 2, 2], [1, 3, 2], [None, None, None], [3, 3, 2],
]  # fmt: skip

# A hundred pairs of readings on four levels.
PAIRS = (
    [(2, 2)] * 41 + [(2, 3)] * 9 + [(3, 2)] * 7 + [(3, 3)] * 22 + [(1, 1)] * 6 + [(1, 2)] * 5 + [(2, 1)] * 4
    + [(0, 0)] * 2 + [(0, 1)] * 2 + [(0, 2), (3, 1)]
)  # fmt: skip

# A hundred decisions on work that mostly passes.
PARADOX = [(1, 1)] * 90 + [(0, 0)] + [(1, 0)] * 5 + [(0, 1)] * 4


@pytest.mark.parametrize(
    ("metric", "published", "of_sparse"),
    # of the sparse table: krippendorff 0.9.0
    [
        ("nominal", 0.74342, 0.0586206897),
        ("ordinal", 0.81539, 0.2503262288),
        ("interval", 0.84911, 0.2258064516),
    ],
)
def test_alpha(metric: Metric, published: float, of_sparse: float) -> None:
    found = krippendorff_alpha(KRIPPENDORFF, metric)
    assert (found.name, found.n) == (f"krippendorff_alpha_{metric}", 11)
    assert found.value == pytest.approx(published, abs=5e-6)
    assert krippendorff_alpha(SPARSE, metric).value == pytest.approx(of_sparse, abs=1e-9)


def test_ac1() -> None:
    found = gwet_ac1(KRIPPENDORFF, levels=5)
    assert (found.name, found.n) == ("gwet_ac1", 11)
    assert found.value == pytest.approx(0.77544, abs=5e-6)
    assert gwet_ac1(SPARSE, levels=4).value == pytest.approx(0.217363298025, abs=1e-9)  # irrCAC 0.4.4


@pytest.mark.parametrize(
    ("weights", "published", "of_sparse"),
    # of the sparse table: irrCAC 0.4.4
    [
        ("linear", 0.85874, 0.580733285406),
        ("ordinal", 0.89894, 0.73536194747),
        ("quadratic", 0.91400, 0.800698663426),
    ],
)
def test_ac2(weights: Weights, published: float, of_sparse: float) -> None:
    found = gwet_ac2(KRIPPENDORFF, 5, weights)
    assert (found.name, found.n) == (f"gwet_ac2_{weights}", 11)
    assert found.value == pytest.approx(published, abs=5e-6)
    assert gwet_ac2(SPARSE, 4, weights).value == pytest.approx(of_sparse, abs=1e-9)


def test_fleiss_kappa() -> None:
    assert fleiss_kappa(KRIPPENDORFF, levels=5).value == pytest.approx(0.76117, abs=5e-6)
    assert fleiss_kappa(SPARSE, levels=4).value == pytest.approx(-0.034335981839, abs=1e-9)  # irrCAC 0.4.4


def test_ordinal_alpha_and_ordinal_weights_are_two_things() -> None:
    weighted = gwet_ac2(KRIPPENDORFF, 5, "ordinal").value
    ordinal = krippendorff_alpha(KRIPPENDORFF, "ordinal").value
    assert weighted is not None
    assert ordinal is not None
    assert abs(weighted - ordinal) > 0.08


def test_kappas_of_two_readers() -> None:
    # scikit-learn 1.9.1, cohen_kappa_score
    assert cohen_kappa(PAIRS, 4).value == pytest.approx(0.5167472087985336, abs=1e-12)
    assert weighted_kappa(PAIRS, 4).value == pytest.approx(0.6832005792903693, abs=1e-12)
    assert exact(PAIRS).value == 0.71
    assert adjacent(PAIRS).value == 0.98
    assert matrix(PAIRS, 4) == [[2, 2, 1, 0], [0, 6, 5, 0], [0, 4, 41, 9], [0, 1, 7, 22]]


def test_kappa_is_low_where_nearly_all_pass_and_ac1_is_not() -> None:
    assert exact(PARADOX).value == 0.91
    assert cohen_kappa(PARADOX, 2).value == pytest.approx(0.135, abs=5e-4)
    assert krippendorff_alpha(PARADOX, "nominal").value == pytest.approx(0.139, abs=5e-4)
    assert gwet_ac1(PARADOX, 2).value == pytest.approx(0.900, abs=5e-4)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(8, 10, 0.49, 0.94), (31, 39, 0.64, 0.89), (60, 75, 0.70, 0.87), (120, 150, 0.73, 0.86)],
)
def test_wilson_of_eighty_percent(successes: int, n: int, low: float, high: float) -> None:
    interval = wilson(successes, n)
    assert interval is not None
    assert (interval.low, interval.high) == (pytest.approx(low, abs=5e-3), pytest.approx(high, abs=5e-3))
    assert (interval.method, interval.level) == ("wilson", 0.95)


def test_wilson_at_the_ends() -> None:
    none, all_ = wilson(0, 10), wilson(10, 10)
    assert none is not None
    assert all_ is not None
    # z squared of z squared and n
    assert (none.low, none.high) == (0.0, pytest.approx(0.2775327998628892))
    assert (all_.low, all_.high) == (pytest.approx(1 - 0.2775327998628892), 1.0)


def test_severity_and_spread() -> None:
    assert mean_deviation([-1, 0, 0, -1, 1, -1]).value == pytest.approx(-1 / 3)
    # true 0..3 in equal numbers: standard deviation sqrt(5)/2; given 1, 1, 2, 2: 1/2
    assert spread([(1, 0), (1, 1), (2, 2), (2, 3)]).value == pytest.approx(1 / 5**0.5)
    assert spread([(0, 0), (1, 1), (2, 2), (3, 3)]).value == 1.0
