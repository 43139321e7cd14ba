"""What levels say, alone and beside others: near the standard or not, exact, adjacent or apart. PURE.

`levels` are those of every criterion, read and banked: criterion key -> level key.
"""

from collections.abc import Mapping
from typing import Literal

from app.achievements.rubric import Rubric, margins, shortfalls

Levels = Mapping[str, str]
Agreement = Literal["exact", "adjacent_same_decision", "apart"]
Recommendation = Literal["awarded", "not_yet"]


def recommend(rubric: Rubric, levels: Levels) -> Recommendation:
    """What the rubric's decision rule makes of the levels."""
    return "not_yet" if shortfalls(rubric, levels) else "awarded"


def is_near_standard(rubric: Rubric, levels: Levels) -> bool:
    """Refused with at most two criteria short, or awarded with at most one criterion above its passing level."""
    found = margins(rubric, levels).values()
    if recommend(rubric, levels) == "not_yet":
        return sum(margin < 0 for margin in found) <= 2
    return sum(margin > 0 for margin in found) <= 1


def compare(rubric: Rubric, first: Levels, second: Levels) -> Agreement:
    """How two readings of one submission agree; `apart` when a criterion is two levels off, or the decision another."""
    ours, theirs = margins(rubric, first), margins(rubric, second)
    if ours == theirs:
        return "exact"
    is_adjacent = all(abs(ours[key] - theirs[key]) <= 1 for key in ours)
    same_decision = recommend(rubric, first) == recommend(rubric, second)
    return "adjacent_same_decision" if is_adjacent and same_decision else "apart"
