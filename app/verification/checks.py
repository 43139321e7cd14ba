"""The checks of a badge: pure functions from what was gathered, and a moment, to a list of checks.

All checks that can run do run, so that one answer names everything that is wrong. A badge is valid when no check failed
and its proof passed. What could not be checked has not passed: a status list that cannot be had fails the check
`status`. The order of the checks is that of Open Badges 3.0, section "Verification".

A file for each concern: `shape.py`, `proofs.py` (proof and issuer binding), `status.py`; validity is here.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.proofs.verification_method import VerificationMethod, find_moment
from app.verification.further import judge_further
from app.verification.gathered import Gathered
from app.verification.proofs import CLOCK_SKEW, judge_coverage, judge_issuer_binding, judge_proofs, methods_needed
from app.verification.shape import judge_shape
from app.verification.status import judge_status
from app.verification.verdict import Check, in_order
from app.verification.verdicts import check


def judge(gathered: Gathered, now: datetime, *, contexts: Mapping[str, dict[str, Any]]) -> list[Check]:
    """All checks of a credential at the moment `now`, in the order of NAMES, at least one for each of them.

    `now` is timezone-aware. Nothing is raised for any JSON object: what cannot be judged is a check that says so.
    """
    credential = gathered.credential
    has_key = any(isinstance(gathered.methods.get(name), VerificationMethod) for name in methods_needed(credential))
    found = [
        *judge_shape(credential, contexts),
        *([] if has_key else judge_coverage(credential, contexts)),
        *judge_proofs(credential, gathered, now, contexts),
        *judge_issuer_binding(credential, gathered),
        *_judge_validity(credential, now),
        *judge_status(gathered, now, contexts),
        *judge_further(gathered, now, contexts),
    ]
    if not any(each.name == "shape" and each.outcome == "failed" for each in found):
        found.append(check("well_formed"))
    return in_order(found)


def _judge_validity(credential: Mapping[str, Any], now: datetime) -> Iterator[Check]:
    """VCDM 2.0, "Validity Period"."""
    valid_from, valid_until = (find_moment(credential.get(member)) for member in ("validFrom", "validUntil"))
    if valid_from is None or (valid_until is None and "validUntil" in credential):
        yield check("not_checked", name="validity")
    elif valid_from > now + CLOCK_SKEW:
        yield check("not_yet_valid", pointer="/validFrom", moment=credential["validFrom"])
    elif valid_until is not None and valid_until < now - CLOCK_SKEW:
        yield check("expired", pointer="/validUntil", moment=credential["validUntil"])
    else:
        yield check("in_validity_period")
