"""The checks of a badge: pure functions from what was gathered, and a moment, to a list of checks.

All checks that can run do run, so that one answer names everything that is wrong. A badge is valid when no check failed
and its proof passed. What could not be checked has not passed: a status list that cannot be had fails the check
`status`. The order of the checks is that of Open Badges 3.0, section "Verification".

A file for each concern: `envelopes.py` opens what was sent, `shape.py` judges shape and context integrity, `proofs.py` and
`token_proofs.py` proof and issuer binding, `status.py` the status, `further.py` what only some badges call for; validity is here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.proofs.verification_method import find_moment
from app.verification.data_model import find_kind, model_of
from app.verification.envelopes import open_sent
from app.verification.further import judge_further
from app.verification.gathered import Gathered
from app.verification.proofs import CLOCK_SKEW, judge_trust
from app.verification.shape import judge_integrity, judge_shape
from app.verification.status import judge_status
from app.verification.verdict import NAMES, Check, in_order
from app.verification.verdicts import check, not_checked


def judge(gathered: Gathered, now: datetime, *, contexts: Mapping[str, dict[str, Any]]) -> list[Check]:
    """All checks of a credential at the moment `now`, in the order of NAMES, at least one for each of them.

    `now` is timezone-aware. Nothing is raised for any JSON object: what cannot be judged is a check that says so.
    """
    opened = open_sent(gathered.credential)
    if opened.problem is not None:
        return [opened.problem, *not_checked(name for name in NAMES if name != opened.problem.name)]
    credential = opened.credential
    known = replace(gathered, credential=credential)
    found = [
        *judge_shape(credential, contexts),
        *judge_integrity(credential, contexts),
        *judge_trust(opened, gathered, now, contexts),
        *_judge_validity(credential, now),
        *judge_status(known, now, contexts),
        *judge_further(known, now, contexts),
    ]
    kind = find_kind(credential)
    if kind is not None and not any(each.name == "shape" and each.outcome == "failed" for each in found):
        found.append(check("well_formed", kind=kind.title, model=model_of(credential).version))
    return in_order(found)


def _judge_validity(credential: Mapping[str, Any], now: datetime) -> Iterator[Check]:
    """VCDM 2.0, "Validity Period", and what VCDM 1.1 has in its place."""
    model = model_of(credential)
    valid_from, valid_until = (find_moment(credential.get(name)) for name in (model.valid_from, model.valid_until))
    if valid_from is None or (valid_until is None and model.valid_until in credential):
        yield check("not_checked", name="validity")
    elif valid_from > now + CLOCK_SKEW:
        yield check("not_yet_valid", pointer=f"/{model.valid_from}", moment=credential[model.valid_from])
    elif valid_until is not None and valid_until < now - CLOCK_SKEW:
        yield check("expired", pointer=f"/{model.valid_until}", moment=credential[model.valid_until])
    else:
        yield check("in_validity_period")
