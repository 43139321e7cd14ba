"""What cannot be computed is no number, and says why."""

from collections.abc import Callable

import pytest

from app.psychometrics.agreement import Pairs, adjacent, cohen_kappa, exact, matrix, weighted_kappa
from app.psychometrics.alpha import krippendorff_alpha
from app.psychometrics.gwet import fleiss_kappa, gwet_ac1, gwet_ac2
from app.psychometrics.severity import mean_deviation, spread
from app.psychometrics.statistic import Statistic
from app.psychometrics.units import Units

OF_UNITS: dict[str, Callable[[Units], Statistic]] = {
    "krippendorff_alpha_nominal": lambda units: krippendorff_alpha(units, "nominal"),
    "krippendorff_alpha_ordinal": lambda units: krippendorff_alpha(units, "ordinal"),
    "krippendorff_alpha_interval": lambda units: krippendorff_alpha(units, "interval"),
    "gwet_ac1": lambda units: gwet_ac1(units, 4),
    "gwet_ac2_linear": lambda units: gwet_ac2(units, 4, "linear"),
    "gwet_ac2_quadratic": lambda units: gwet_ac2(units, 4, "quadratic"),
    "gwet_ac2_ordinal": lambda units: gwet_ac2(units, 4, "ordinal"),
    "fleiss_kappa": lambda units: fleiss_kappa(units, 4),
}
OF_PAIRS: dict[str, Callable[[Pairs], Statistic]] = {
    "cohen_kappa": lambda pairs: cohen_kappa(pairs, 4),
    "weighted_kappa_quadratic": lambda pairs: weighted_kappa(pairs, 4),
}


@pytest.mark.parametrize("name", OF_UNITS)
def test_units(name: str) -> None:
    compute = OF_UNITS[name]
    assert compute([]) == Statistic(name, 0, None, "no_data")
    assert compute([[None, None], []]) == Statistic(name, 0, None, "no_data")
    assert compute([[2, None], [1, None]]) == Statistic(name, 0, None, "one_rater")
    assert compute([[2, 2], [2, 2, None]]) == Statistic(name, 2, None, "one_category")
    # one score of a single reader does not make it a number
    assert compute([[2, 2], [2, 2], [None, 1]]) == Statistic(name, 2, None, "one_category")
    assert compute([[2, 2], [2, 1]]).value is not None


@pytest.mark.parametrize("name", OF_PAIRS)
def test_kappa(name: str) -> None:
    compute = OF_PAIRS[name]
    assert compute([]) == Statistic(name, 0, None, "no_data")
    assert compute([(3, 3)] * 5) == Statistic(name, 5, None, "one_category")
    # two readers who always give one level each, and not the same, do agree no more than by chance
    assert compute([(3, 2)] * 5) == Statistic(name, 5, 0.0)
    assert compute([(3, 3), (2, 2)]) == Statistic(name, 2, 1.0)


def test_a_scale_of_one_level_is_one_category() -> None:
    assert cohen_kappa([(0, 0)], 1).reason == "one_category"
    assert gwet_ac1([[0, 0]], 1).reason == "one_category"
    assert gwet_ac2([[0, 0]], 1, "quadratic").reason == "one_category"


def test_shares_and_deviations_without_data() -> None:
    for compute in (exact, adjacent, spread):
        found = compute([])
        assert (found.n, found.value, found.reason, found.interval) == (0, None, "no_data", None)
    assert mean_deviation([]) == Statistic("mean_deviation", 0, None, "no_data")
    assert spread([(1, 2), (3, 2)]) == Statistic("spread", 2, None, "one_category")
    assert spread([(2, 1), (2, 3)]) == Statistic("spread", 2, 0.0)


@pytest.mark.parametrize("score", [-1, 4])
def test_a_score_off_the_scale_is_an_error_and_not_a_level(score: int) -> None:
    with pytest.raises(ValueError, match="scale of 4 levels"):
        matrix([(0, score)], 4)
    with pytest.raises(ValueError, match="scale of 4 levels"):
        gwet_ac1([[0, score]], 4)
