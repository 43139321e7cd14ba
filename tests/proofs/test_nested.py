"""Credentials inside a credential: what stands in an object with a proof of its own may say what its neighbors say."""

from typing import Any

import pytest

from app.proofs.errors import UnsafeDocument
from app.proofs.rdfc import canonicalize
from tests.endorsements.endorsing import STATE, theirs
from tests.verification.badges import CONTEXTS, badge, did_key_issuer, put

ISSUER = did_key_issuer("academy")
ACHIEVEMENT = "https://badges.example/achievements/1"


def _carrying(*endorsements: dict[str, Any]) -> dict[str, Any]:
    return put(badge(ISSUER), "/credentialSubject/achievement/endorsement", list(endorsements))


def _two() -> list[dict[str, Any]]:
    return [theirs(ACHIEVEMENT, id=f"https://state.example.org/endorsements/{number}") for number in (1, 2)]


def test_two_secured_endorsements_of_one_thing_stand_side_by_side() -> None:
    canonicalize(_carrying(*_two()), contexts=CONTEXTS)


def test_two_unsecured_ones_do_not() -> None:
    bare = [{name: value for name, value in each.items() if name != "proof"} for each in _two()]
    with pytest.raises(UnsafeDocument):
        canonicalize(_carrying(*bare), contexts=CONTEXTS)


def test_who_is_described_alike_outside_and_within_is_accepted() -> None:
    document = put(_carrying(*_two()), "/issuer", {"id": STATE.id, "type": ["Profile"], "name": "The state"})
    canonicalize(document, contexts=CONTEXTS)


def test_a_place_outside_that_says_partly_the_same_is_refused() -> None:
    """Its type could be put there and taken out again under the signature: the endorsement says it already."""
    document = put(_carrying(*_two()), "/credentialSubject/achievement/type", ["Achievement", "EndorsementSubject"])
    with pytest.raises(UnsafeDocument):
        canonicalize(document, contexts=CONTEXTS)


def test_a_change_of_the_form_outside_is_seen() -> None:
    good = canonicalize(_carrying(*_two()), contexts=CONTEXTS)
    changed = put(_carrying(*_two()), "/credentialSubject/achievement/name", "Another name")
    assert canonicalize(changed, contexts=CONTEXTS).sha256 != good.sha256
