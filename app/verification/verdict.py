"""What a check is: a name, an outcome and a stable code. What the codes say is in the tables (`verdicts.py`)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Name = Literal[
    "shape",
    "proof",
    "issuer_binding",
    "validity",
    "status",
    "schema",
    "refresh",
    "endorsements",
    "badges",
    "recipient",
    "evidence",
    "registry",
]
Outcome = Literal["passed", "failed", "skipped", "warning"]
Blame = Literal["issuer", "holder", "verifier", "network", "nobody"]

NAMES: tuple[Name, ...] = ("shape", "proof", "issuer_binding", "validity", "status")
"""The checks of every badge. The other names are there where a badge calls for them."""

_ORDER: tuple[Name, ...] = get_args(Name)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `code` is stable (see VERDICTS), `detail` and `cure` are for people.

    `fault` says who can mend it; `pointer` is a JSON Pointer (RFC 6901) into the badge, "" for the whole of it.
    """

    name: Name
    outcome: Outcome
    code: str
    detail: str
    fault: Blame
    cure: str = ""
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a code means. `detail` and `cure` may hold {names} of facts."""

    name: Name
    outcome: Outcome
    fault: Blame
    detail: str
    cure: str = ""


REISSUE = "Ask the issuer for a corrected badge."
ASK_ISSUER = "Ask the issuer."


def is_valid(checks: Sequence[Check]) -> bool:
    """No check failed and the proof passed."""
    return not any(each.outcome == "failed" for each in checks) and any(
        each.name == "proof" and each.outcome == "passed" for each in checks
    )


def is_of_newer(checks: Sequence[Check]) -> bool:
    """Whether the checks are of a newer version that the issuer serves, and not of what was sent, of which they say nothing."""
    return any(each.code == "refreshed" for each in checks)


def is_bound(checks: Sequence[Check]) -> bool:
    """Whether the badge is of the issuer that it names, whatever else is wrong with it."""
    binding = [each.outcome for each in checks if each.name in ("proof", "issuer_binding")]
    return "passed" in binding and "failed" not in binding


def in_order(checks: Iterable[Check]) -> list[Check]:
    """By name, each check once: two proofs find the same fault in the document they cover."""
    return sorted(dict.fromkeys(checks), key=lambda each: _ORDER.index(each.name))
