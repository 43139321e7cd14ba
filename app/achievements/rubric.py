"""The rubric and its decision rule. PURE.

Three rules, as found in practice: `all` (conjunctive: every criterion at its passing level), `all_but` (at most so many
criteria one level below passing) and `points` (compensatory: the levels' points add up to a minimum). Under the last two,
`mandatory` criteria must still be at their passing level.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Rubric = Mapping[str, Any]
"""The `rubric` member of an achievement's content: `criteria` (each with ordered `levels`) and `decision_rule`."""


def mandatory_criteria(rubric: Rubric) -> frozenset[str]:
    """Keys of the criteria that no award can do without: only these get a `requiredLevel` in the badge."""
    rule = rubric["decision_rule"]
    if rule["type"] == "all":
        return frozenset(criterion["key"] for criterion in rubric["criteria"])
    return frozenset(rule.get("mandatory", ()))


def margins(rubric: Rubric, levels: Mapping[str, str]) -> dict[str, int]:
    """How many levels each criterion is above its passing level (below it: negative), by its key."""
    return {c["key"]: _position(c, levels[c["key"]]) - _position(c, c["passing_level"]) for c in rubric["criteria"]}


def shortfalls(rubric: Rubric, levels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Why `levels` (criterion key -> level key, all criteria) do not earn the award; empty when they do.

    Each entry is a criterion's key, or "" for the rubric as a whole, and a sentence.
    """
    criteria = {criterion["key"]: criterion for criterion in rubric["criteria"]}
    above = margins(rubric, levels)
    mandatory = mandatory_criteria(rubric)
    found = [
        (key, f"{key} is at {levels[key]}; {criteria[key]['passing_level']} or higher is needed")
        for key in criteria
        if key in mandatory and above[key] < 0
    ]
    rule = rubric["decision_rule"]
    if rule["type"] == "all_but":
        found += _all_but(above, mandatory, rule["exceptions"])
    elif rule["type"] == "points":
        found += _points(rubric, levels, Decimal(rule["minimum"]))
    return found


def unmet(rubric: Rubric, levels: Mapping[str, str]) -> list[str]:
    """Keys of the criteria below their passing level, in the rubric's order."""
    return [
        each["key"]
        for each in rubric["criteria"]
        if _position(each, levels[each["key"]]) < _position(each, each["passing_level"])
    ]


def falls(rubric: Rubric, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Keys of the criteria that stand at a lower level `after` than `before`, of those that have one in both."""
    return [
        each["key"]
        for each in rubric["criteria"]
        if each["key"] in before.keys() & after.keys()
        and _position(each, after[each["key"]]) < _position(each, before[each["key"]])
    ]


def _all_but(margins: Mapping[str, int], mandatory: frozenset[str], exceptions: int) -> list[tuple[str, str]]:
    below = [key for key, margin in margins.items() if margin < 0 and key not in mandatory]
    found = [(key, f"{key} is more than one level below its passing level") for key in below if margins[key] < -1]
    if len(below) > exceptions:
        found.append(("", f"{len(below)} criteria are below their passing level, {exceptions} may be"))
    return found


def _points(rubric: Rubric, levels: Mapping[str, str], minimum: Decimal) -> list[tuple[str, str]]:
    earned = sum((_points_of(c, levels[c["key"]]) for c in rubric["criteria"]), Decimal(0))
    return [("", f"the levels earn {earned} points, {minimum} are needed")] if earned < minimum else []


def _points_of(criterion: Mapping[str, Any], level_key: str) -> Decimal:
    level = criterion["levels"][_position(criterion, level_key)]
    return Decimal(level.get("points", "0"))


def _position(criterion: Mapping[str, Any], level_key: str) -> int:
    """How far up the criterion's levels this one stands, from 0."""
    return [level["key"] for level in criterion["levels"]].index(level_key)
