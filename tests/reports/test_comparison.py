"""Fisher's test against the exact sum, the interval against published values."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.comparison import compare, fisher


def exact(a: int, n: int, b: int, m: int) -> float:
    """In whole numbers."""
    k = a + b
    weights = {x: comb(n, x) * comb(m, k - x) for x in range(max(0, k - m), min(n, k) + 1)}
    return float(Fraction(sum(w for w in weights.values() if w <= weights[a]), comb(n + m, k)))


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_fisher_is_the_exact_sum(n: int, m: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    assert fisher((a, n), (b, m)) == pytest.approx(exact(a, n, b, m), abs=1e-9)
    assert fisher((a, n), (b, m)) == pytest.approx(fisher((b, m), (a, n)), abs=1e-9)


def test_the_lady_tasting_tea() -> None:
    assert fisher((3, 4), (1, 4)) == pytest.approx(34 / 70)


def test_the_interval_of_a_difference_is_newcombes() -> None:
    """His example (1998, method 10): 56 of 70 against 48 of 80."""
    found = compare((56, 70), (48, 80))
    assert found is not None
    assert found.difference == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))
    assert found.ratio == pytest.approx(4 / 3)


def test_what_cannot_be_compared_is_none() -> None:
    assert compare((0, 0), (1, 2)) is None
    nobody = compare((1, 2), (0, 5))
    assert nobody is not None
    assert nobody.ratio is None


def test_ten_thousand_people_are_no_effort() -> None:
    assert fisher((2_600, 5_000), (2_400, 5_000)) == pytest.approx(6.9e-5, rel=0.05)
