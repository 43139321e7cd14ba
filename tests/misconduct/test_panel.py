"""What the votes of a panel come to."""

import pytest

from app.misconduct.panel import judge
from app.misconduct.store import Vote

D: Vote = "dismissed"
S: Vote = "suspend"
V: Vote = "void"


@pytest.mark.parametrize(
    ("votes", "size", "outcome"),
    [
        ([], 3, None),
        ([D], 3, None),
        ([D, D], 3, D),
        ([V, V], 3, V),
        ([S, S], 3, S),
        ([D, V], 3, None),
        ([S, V], 3, None),
        ([D, S, V], 3, S),
        ([V, D, S], 3, S),
        ([D, D, V, V], 4, D),
        ([S, S, V, V], 4, S),
        ([D, V, V], 4, None),
        ([V, V, V], 4, V),
        ([D, D, S, V, V], 5, S),
    ],
)
def test_the_outcome_is_the_harshest_measure_more_than_half_would_have(
    votes: list[Vote], size: int, outcome: Vote | None
) -> None:
    assert judge(votes, size) == outcome
