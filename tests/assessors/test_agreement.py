"""How agreement is counted, and when it is enough."""

from typing import Any

import pytest

from app.assessors.agreement import (
    Agreement,
    Tally,
    exact_bar,
    list_shortfalls,
    list_uncovered,
    measure,
    required_exact,
    summarize,
)
from app.programs.policy import QualificationPolicy
from tests.builders import achievement_body

RUBRIC: dict[str, Any] = achievement_body()["rubric"]
DEFAULT = QualificationPolicy()


def levels(problem: str, evidence: str) -> dict[str, str]:
    return {"problem": problem, "evidence": evidence}


MET = levels("demonstrated", "demonstrated")


def of_scales(*counts: tuple[int, int, int]) -> Agreement:
    """An agreement of criteria that have so many levels, exact and adjacent ratings, on anchors decided alike."""
    tallies = tuple(Tally(f"c-{i}", scale, exact, adjacent) for i, (scale, exact, adjacent) in enumerate(counts))
    return Agreement(tallies, 10, 10)


def test_ratings_are_exact_adjacent_or_apart_by_criterion() -> None:
    given = [MET, levels("developing", "demonstrated"), levels("not-evident", "developing")]
    agreement = measure(RUBRIC, [(MET, each) for each in given])
    assert agreement.criteria == (Tally("problem", 3, 1, 1, 1), Tally("evidence", 3, 2, 1, 0))
    assert (agreement.ratings, agreement.exact, agreement.adjacent, agreement.apart) == (6, 3, 2, 1)
    assert (agreement.anchors, agreement.same_decision) == (3, 1)


def test_the_same_decision_is_counted_also_where_nothing_is_awarded() -> None:
    low, lower = levels("developing", "developing"), levels("not-evident", "developing")
    assert measure(RUBRIC, [(low, lower), (MET, MET), (low, MET)]).same_decision == 2


@pytest.mark.parametrize(("scale", "bar"), [(2, 90), (3, 80), (4, 70), (5, 70), (6, 70)])
def test_the_bar_depends_on_the_scale(scale: int, bar: int) -> None:
    assert exact_bar(scale) == bar
    at = of_scales((scale, bar, 100 - bar))
    below = of_scales((scale, bar - 1, 101 - bar))
    assert (list_shortfalls(at, DEFAULT), list_shortfalls(below, DEFAULT)) == ([], ["exact_agreement"])


def test_mixed_scales_are_weighted_by_their_ratings() -> None:
    # 10 ratings at 90 and 30 at 70 percent ask for 75 percent of 40: 30 exact.
    assert required_exact(of_scales((2, 0, 10), (4, 0, 30)), DEFAULT) == 75
    assert list_shortfalls(of_scales((2, 9, 1), (4, 21, 9)), DEFAULT) == []
    assert list_shortfalls(of_scales((2, 9, 1), (4, 20, 10)), DEFAULT) == ["exact_agreement"]


def test_the_policy_may_ask_for_more_or_allow_more() -> None:
    agreement = measure(RUBRIC, [(MET, MET)] * 4 + [(MET, levels("not-evident", "demonstrated"))])
    assert list_shortfalls(agreement, DEFAULT) == ["non_adjacent", "same_decision"]
    lenient = QualificationPolicy(non_adjacent_allowed=1, same_decision=False)
    assert list_shortfalls(agreement, lenient) == []
    strict = QualificationPolicy(exact_percent=91, non_adjacent_allowed=1, same_decision=False)
    assert list_shortfalls(agreement, strict) == ["exact_agreement"]


def test_nothing_scored_is_not_enough() -> None:
    nothing = measure(RUBRIC, [])
    assert list_shortfalls(nothing, DEFAULT) == ["exact_agreement"]
    assert list_shortfalls(nothing, QualificationPolicy(exact_percent=0)) == ["exact_agreement"]
    assert summarize(nothing, DEFAULT)["exact_percent"] is None


def test_percentages_are_shown_with_one_place_and_judged_exactly() -> None:
    agreement = of_scales((3, 1599, 401))
    shown = summarize(agreement, DEFAULT)
    assert (shown["exact_percent"], shown["required_percent"], shown["passed"]) == ("80.0", "80.0", False)


def test_levels_that_no_anchor_has_are_named() -> None:
    uncovered = list_uncovered(RUBRIC, [MET, levels("developing", "not-evident")])
    assert uncovered == [("problem", "not-evident"), ("evidence", "developing")]
