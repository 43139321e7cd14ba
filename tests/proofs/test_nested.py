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
    """Unless they say the same: their comments could be exchanged."""
    bare = [{name: value for name, value in each.items() if name != "proof"} for each in _two()]
    canonicalize(_carrying(*bare), contexts=CONTEXTS)
    bare[0] = put(bare[0], "/credentialSubject/endorsementComment", "Another comment")
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


# What follows was once accepted: the changed document has the same statements, so the signature of the good one fits it.


def _places_of_the_badge(place: str) -> tuple[dict[str, Any], str]:
    """A badge that names itself a second time, and where."""
    document = badge(ISSUER)
    if place == "evidence":
        evidence = [{"id": document["id"], "type": ["Evidence"], "name": "The work"}]
        return put(document, "/evidence", evidence), "/evidence/0"
    endorsement = theirs(document["id"], id="https://state.example.org/endorsements/1")
    return put(document, "/endorsement", [endorsement]), "/endorsement/0/credentialSubject"


def _move(document: dict[str, Any], names: tuple[str, ...], pointer: str) -> dict[str, Any]:
    """Members of the top put into another place, and the types of both given to both."""
    target = document
    for step in pointer.split("/")[1:]:
        target = target[int(step)] if isinstance(target, list) else target[step]
    types = [*document["type"], *target["type"]]
    moved = put(document, pointer, {**target, "type": types, **{name: document[name] for name in names}})
    return {name: value for name, value in moved.items() if name not in names} | {"type": types}


@pytest.mark.parametrize("place", ["evidence", "endorsement"])
def test_the_end_of_a_badge_cannot_be_moved_out_of_sight(place: str) -> None:
    document, pointer = _places_of_the_badge(place)
    with pytest.raises(UnsafeDocument):
        canonicalize(_move(document, ("validUntil",), pointer), contexts=CONTEXTS)


def test_a_badge_that_describes_itself_twice_is_refused_as_it_stands() -> None:
    with pytest.raises(UnsafeDocument):
        canonicalize(_places_of_the_badge("evidence")[0], contexts=CONTEXTS)


def test_an_endorsement_about_the_badge_is_no_second_description() -> None:
    canonicalize(_places_of_the_badge("endorsement")[0], contexts=CONTEXTS)


@pytest.mark.parametrize("outside", ["Barista", "Neurosurgeon", None])
def test_what_endorsements_say_of_a_thing_cannot_become_what_the_badge_says(outside: str | None) -> None:
    """Two endorsements give the issuer another name each: the badge's own could be either, and was chosen by the holder."""
    names = ["Barista", "Neurosurgeon"]
    described = [{"id": ISSUER.id, "type": ["Profile"], "name": name} for name in names]
    carried = [put(each, "/issuer/parentOrg", profile) for each, profile in zip(_two(), described, strict=True)]
    issuer = {"id": ISSUER.id, "type": ["Profile"]} | ({"name": outside} if outside else {})
    document = put(_carrying(*carried), "/issuer", {**issuer, "url": "https://issuer.example"})
    with pytest.raises(UnsafeDocument):
        canonicalize(document, contexts=CONTEXTS)


def test_what_an_endorsement_says_more_of_the_issuer_is_not_borrowed() -> None:
    profile = {"id": ISSUER.id, "type": ["Profile"], "name": "An Issuer", "url": "https://harvard.example"}
    carried = put(_two()[0], "/issuer/parentOrg", profile)
    with pytest.raises(UnsafeDocument):
        canonicalize(_carrying(carried), contexts=CONTEXTS)
