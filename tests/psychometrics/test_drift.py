"""The rules fire at their figures, not before, and never on ten ratings."""

from math import comb

import pytest

from app.psychometrics.drift import RULES, Facts, Window, find_drift


def fired(current: Window, before: Window | None = None) -> list[tuple[str, str]]:
    return [(found.rule, found.level) for found in find_drift(Facts(current, before))]


def window(ratings: int, exact: int, deviation: int = 0, works: int = 15) -> Window:
    return Window(ratings, exact, deviation, works)


def test_a_window_of_works() -> None:
    assert Window.of([[0, -1, 0], [], [1, 0, -1, -1]]) == Window(ratings=7, exact=3, deviation=-2, works=2)
    assert Window.of([]) == Window(0, 0, 0, 0)
    assert find_drift(Facts(Window.of([]), Window.of([]))) == []


@pytest.mark.parametrize(
    ("ratings", "exact", "expected"),
    [
        (25, 17, [("low_agreement", "watch")]),
        (40, 28, []),  # .70 is not below it
        (40, 27, [("low_agreement", "watch")]),
        (74, 40, [("low_agreement", "watch")]),
        (75, 40, [("low_agreement", "suspend")]),
        (75, 52, [("low_agreement", "suspend")]),
        (75, 53, []),  # lower bound .596, but .707 exact is not even watched
        (200, 135, [("low_agreement", "watch")]),  # .675, lower bound .607
        (200, 130, [("low_agreement", "suspend")]),  # .65, lower bound .582
    ],
)
def test_exact_agreement(ratings: int, exact: int, expected: list[tuple[str, str]]) -> None:
    assert fired(window(ratings, exact)) == expected


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("ratings", "deviation", "expected"),
    [
        (100, 24, []),
        (100, 25, [("severity", "watch")]),
        (100, 49, [("severity", "watch")]),
        (100, 50, [("severity", "suspend")]),
        (40, 30, [("severity", "watch")]),
        (24, 24, []),
    ],
)
def test_severity_and_leniency(ratings: int, deviation: int, sign: int, expected: list[tuple[str, str]]) -> None:
    found = find_drift(Facts(window(ratings, ratings, sign * deviation)))
    assert [(each.rule, each.level) for each in found] == expected
    assert all(each.value == sign * deviation / ratings for each in found)


def test_a_fall_of_eight_points() -> None:
    assert fired(window(100, 82), window(100, 90)) == [("falling_agreement", "watch")]
    assert fired(window(100, 83), window(100, 90)) == []
    assert fired(window(100, 90), window(100, 82)) == []
    assert fired(window(100, 82)) == []
    assert fired(window(100, 82), window(74, 74)) == []
    assert fired(window(74, 60), window(100, 90)) == []


def test_a_finding_has_its_evidence() -> None:
    [low, falling] = find_drift(Facts(window(100, 62, works=20), window(100, 80)))
    assert (low.rule, low.level, low.value, low.threshold) == ("low_agreement", "suspend", 0.62, 0.6)
    assert (low.ratings, low.works) == (100, 20)
    assert low.interval is not None
    assert low.interval.low == pytest.approx(0.522, abs=5e-4)
    assert (falling.value, falling.threshold) == (pytest.approx(-0.18), 0.08)


@pytest.mark.parametrize("ratings", range(11))
def test_ten_ratings_condemn_nobody(ratings: int) -> None:
    assert fired(window(ratings, 0, -2 * ratings), window(100, 100)) == []


def test_many_ratings_of_few_works_condemn_nobody() -> None:
    assert fired(window(200, 0, -200, works=4), window(200, 200)) == []
    assert fired(window(200, 0, -200, works=9), window(200, 200)) == [("low_agreement", "watch"), ("severity", "watch")]
    assert len(fired(window(200, 0, -200, works=10), window(200, 200))) == 3


def test_every_rule_can_fire() -> None:
    both = find_drift(Facts(window(80, 40, 40), window(80, 80)))
    watched = find_drift(Facts(window(30, 18, 10)))
    assert {(each.rule, each.level) for each in (*both, *watched)} == {(rule.measure, rule.level) for rule in RULES}


@pytest.mark.parametrize(
    ("ratings", "accuracy", "level", "share"),
    [(25, 0.85, "watch", 0.03), (25, 0.65, "watch", 0.69), (75, 0.80, "suspend", 0.02), (75, 0.85, "suspend", 0.0005)],
)
def test_how_often_the_rules_are_right(ratings: int, accuracy: float, level: str, share: float) -> None:
    """The figures that the module gives for its minimum numbers of ratings."""
    chance = sum(
        comb(ratings, exact) * accuracy**exact * (1 - accuracy) ** (ratings - exact)
        for exact in range(ratings + 1)
        if ("low_agreement", level) in fired(window(ratings, exact))
    )
    assert chance == pytest.approx(share, abs=0.006 if share > 0.001 else 0.0001)
