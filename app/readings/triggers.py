"""When a second reading is due, and why. PURE."""

from dataclasses import dataclass
from typing import Literal

from app.programs.policy import SecondReadingPolicy

Trigger = Literal["no_window", "repeated_attempt", "first_of_version", "near_standard", "probationary_assessor"]

PROBATION: Trigger = "probationary_assessor"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a submission. `is_selected` is the sampler's word, None where no window covers the moment it was accepted;
    `rank` counts from 0 those of the same version that the program accepted before. The last two are None, False until the first
    reading is submitted."""

    is_selected: bool | None
    rank: int
    attempt: int
    is_near_standard: bool | None = None
    by_probationary: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """The second reading to be asked for. `trigger` is None for one of the random sample."""

    kind: Literal["second_random", "second_triggered"]
    trigger: Trigger | None


def find_due(policy: SecondReadingPolicy, facts: Facts) -> Due | None:
    """The random sample comes first: what it hits counts as random, whatever else would have asked for a second reading."""
    if facts.is_selected:
        return Due("second_random", None)
    reasons: list[tuple[bool, Trigger]] = [
        (facts.is_selected is None, "no_window"),
        (policy.repeated_attempts and facts.attempt >= 2, "repeated_attempt"),
        (facts.rank < policy.first_of_version, "first_of_version"),
        (policy.near_standard and bool(facts.is_near_standard), "near_standard"),
        (policy.probationary_assessor and facts.by_probationary, PROBATION),
    ]
    return next((Due("second_triggered", trigger) for holds, trigger in reasons if holds), None)
