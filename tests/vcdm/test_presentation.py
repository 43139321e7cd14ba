"""Presentations and envelopes: what is refused, beside what passes."""

from typing import Any

import pytest

from app.vcdm.presentation import (
    ENVELOPED_CREDENTIAL,
    envelope_of,
    is_enveloped,
    list_envelope_faults,
    list_presentation_faults,
)
from tests.vcdm.documents import EXAMPLES, VC, credential, presentation

ENVELOPE = {"@context": VC, "type": ENVELOPED_CREDENTIAL, "id": "data:application/vc+jwt,eyJh.eyJi.c2ln"}


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"holder": ...},
        {"holder": {"id": "did:example:subject", "name": "Ada"}},
        {"id": "urn:uuid:1"},
        {"type": "VerifiablePresentation"},
        {"verifiableCredential": credential()},
        {"verifiableCredential": [credential(), ENVELOPE]},
        {"termsOfUse": {"type": "HolderPolicy"}},
    ],
)
def test_accepted(members: dict[str, Any]) -> None:
    assert list_presentation_faults(presentation(**members)) == []


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"@context": ...}, "/@context"),
        ({"@context": [EXAMPLES]}, "/@context/0"),
        ({"type": ...}, "/type"),
        ({"type": ["ExamplePresentation"]}, "/type"),
        ({"type": "VerifiableCredential"}, "/type"),
        ({"id": "one"}, "/id"),
        ({"holder": None}, "/holder"),
        ({"holder": "Ada"}, "/holder"),
        ({"holder": {"name": "Ada"}}, "/holder/id"),
        ({"verifiableCredential": "eyJh.eyJi.c2ln"}, "/verifiableCredential"),
        ({"verifiableCredential": [credential(), 4]}, "/verifiableCredential/1"),
        ({"verifiableCredential": [{**ENVELOPE, "id": "eyJh.eyJi.c2ln"}]}, "/verifiableCredential/0/id"),
        ({"termsOfUse": {"id": "urn:policy:1"}}, "/termsOfUse/type"),
    ],
)
def test_refused(members: dict[str, Any], pointer: str) -> None:
    assert pointer in [fault.pointer for fault in list_presentation_faults(presentation(**members))]


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"@context": []}, "/@context"),
        ({"@context": EXAMPLES}, "/@context"),
        ({"@context": None}, "/@context"),
        ({"type": "VerifiableCredential"}, "/type"),
        ({"type": [ENVELOPED_CREDENTIAL, "VerifiableCredential"]}, "/type"),
        ({"id": "eyJh.eyJi.c2ln"}, "/id"),
        ({"id": "data:text/plain,eyJh.eyJi.c2ln"}, "/id"),
        ({"id": "data:application/vp+jwt,eyJh.eyJi.c2ln"}, "/id"),
        ({"id": "data:application/vc+jwt,"}, "/id"),
        ({"id": None}, "/id"),
    ],
)
def test_envelopes(members: dict[str, Any], pointer: str) -> None:
    assert list(list_envelope_faults(ENVELOPE)) == []
    assert [fault.pointer for fault in list_envelope_faults({**ENVELOPE, **members})] == [pointer]


def test_what_an_envelope_holds() -> None:
    assert is_enveloped(ENVELOPE)
    assert not is_enveloped(credential())
    assert envelope_of(ENVELOPE) == ("application/vc+jwt", "eyJh.eyJi.c2ln")
