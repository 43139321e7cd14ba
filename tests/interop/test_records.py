"""Endorsements and learner records of ours, checked by PyPI `openbadgeslib`.

The library reads badges; of these two kinds of credential it verifies the Data Integrity proof, as of any secured document, and
the badges that a record holds it verifies as badges, one by one, after they were taken out.
"""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from openbadgeslib.ob3.clr import bundled_clr_contexts
from openbadgeslib.ob3.did import resolve_verification_method
from openbadgeslib.ob3.ldp import verify_data_integrity_proof
from openbadgeslib.ob3.verifier import OB3VerificationError

from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.endorsements.endorsing import endorse, taken_in, theirs, version_url
from tests.interop.openbadgeslib_verifier import verify_with_openbadgeslib
from tests.issuing import decided
from tests.verification.badges import put

Document = dict[str, Any]

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def _require_proven(document: Document) -> None:
    """Raises OB3VerificationError."""
    [proof] = document["proof"]
    # As in openbadgeslib_verifier: the library takes one proof, and no array of them.
    method = resolve_verification_method(proof["verificationMethod"], download=_nothing)
    verify_data_integrity_proof({**document, "proof": proof}, method, extra_contexts=bundled_clr_contexts())


def _nothing(url: str) -> bytes:
    raise AssertionError(f"nothing is to be fetched: {url}")


async def _load(api: httpx.AsyncClient, url: str) -> Document:
    answer = await api.get(url, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


async def test_an_endorsement_is_proven(partner: Partner, api: httpx.AsyncClient) -> None:
    document = await _load(api, (await endorse(partner, version_url(partner)))["url"])
    _require_proven(document)
    with pytest.raises(OB3VerificationError):
        _require_proven(put(document, "/credentialSubject/endorsementComment", "Worth 99 hours."))


async def test_a_record_and_each_badge_in_it_are_proven(app: FastAPI, partner: Partner, api: httpx.AsyncClient) -> None:
    await taken_in(partner, theirs(version_url(partner)), embed=True)
    await endorse(partner, version_url(partner), revocable=False, embed=True)
    other = await publish(partner.client, achievement_body(name="Refreshed", settings={"refresh": True}))
    learner_id = (await decided(partner))["learner_id"]
    await decided(partner, achievement_id=other)
    made = await partner.client.post(f"/v1/learners/{learner_id}/clr", json={})
    document = await _load(api, made.json()["url"])
    _require_proven(document)
    with pytest.raises(OB3VerificationError):
        _require_proven(put(document, "/partial", True))
    badges = document["credentialSubject"]["verifiableCredential"]
    assert len(badges) == 2
    lists = {
        url: (await api.get(url)).content
        for url in {each["credentialStatus"]["statusListCredential"] for each in badges}
    }
    for badge in badges:
        found = verify_with_openbadgeslib(badge, download=lists.__getitem__)
        assert found.accepted, found.reason
    assert {"endorsement" in json.dumps(each) for each in badges} == {True, False}
