"""An issuer of a service at an http address is a did:key: its key is its name."""

import httpx
from fastapi import FastAPI

from tests.conftest import Partner
from tests.issuing import decided


async def test_rotating_answers_with_an_explanation(app: FastAPI, partner: Partner) -> None:
    path = f"/v1/issuers/{partner.issuer_id}/keys"
    before = (await partner.client.get(path)).json()
    answer = await partner.client.post(path)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "key_not_rotatable")
    assert "did:key" in problem["detail"]
    assert "new issuer" in problem["cure"]
    assert "https" in problem["cure"]
    assert (await partner.client.get(path)).json() == before
    [key] = before["items"]
    badge = (await decided(partner))["credential"]["document"]
    assert badge["proof"][0]["verificationMethod"] == key["verification_method"]


async def test_a_domain_of_its_own_needs_https(operator: httpx.AsyncClient) -> None:
    """A badge would name a DID that everybody can look up, and a status list that nobody will."""
    body = {"slug": "one", "profile": {"name": "One"}, "did": "did:web:academy.example.org"}
    answer = await operator.post("/v1/issuers", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "did_not_allowed")
    assert "http address" in answer.json()["detail"]
    assert (await operator.get("/v1/issuers")).json()["items"] == []
