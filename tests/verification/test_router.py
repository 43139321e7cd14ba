import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.net.client import OutboundClient
from app.verification.router import router
from app.verification.verify import Verifier
from tests.net.tls_site import FakeResolver
from tests.verification.badges import NOW, badge, did_key_issuer, put, sign
from tests.verification.test_verify import InProcessJudges, OwnDocuments

ISSUER = did_key_issuer()
GOOD = sign(badge(ISSUER), ISSUER)
OWN_URL = "https://own.example/credentials/1"


def application() -> FastAPI:
    app = FastAPI()
    app.include_router(router)
    app.state.verifier = Verifier(
        outbound=OutboundClient(resolver=FakeResolver({})),
        judges=InProcessJudges(),
        own_documents=OwnDocuments({OWN_URL: GOOD}),
        now=lambda: NOW,
    )
    return app


def post(body: Any) -> httpx.Response:
    async def story() -> httpx.Response:
        transport = httpx.ASGITransport(app=application())
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post("/v1/verify", json=body)

    return asyncio.run(story())


@pytest.mark.parametrize("body", [{"credential": GOOD}, {"url": OWN_URL}])
def test_a_good_badge_is_answered_with_200(body: dict[str, Any]) -> None:
    answer = post(body)
    assert answer.status_code == 200
    found = answer.json()
    assert found["valid"] is True
    assert found["checked_at"] == "2026-11-23T13:00:00Z"
    assert found["issuer"] == {"id": ISSUER.id, "name": "An Issuer"}
    assert set(found["checks"][0]) == {"name", "outcome", "code", "detail", "fault", "cure", "pointer"}


@pytest.mark.parametrize(
    "body",
    [
        {"credential": put(GOOD, "/issuer/name", "Another")},
        {"credential": {}},
        {"url": "https://own.example/credentials/unknown"},
        {"url": "not a url"},
        {"credential": "x"},
        {"credential": "a.b.c"},
    ],
)
def test_a_bad_badge_is_answered_with_200_too(body: dict[str, Any]) -> None:
    answer = post(body)
    assert answer.status_code == 200
    assert answer.json()["valid"] is False
    assert any(each["outcome"] == "failed" for each in answer.json()["checks"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"credential": GOOD, "url": OWN_URL},
        {"credential": GOOD, "extra": 1},
        {"credential": GOOD, "recipient": ""},
        {"credential": GOOD, "recipient": 5},
        {"credential": GOOD, "check_evidence": "yes"},
        {"recipient": "did:example:learner"},
        {"credential": 5},
        {"credential": None},
        {"url": 5},
        {"url": ""},
        {"url": "https://" + "a" * 2048},
        [],
    ],
)
def test_a_body_that_is_neither_is_refused(body: Any) -> None:
    assert post(body).status_code == 422


@pytest.mark.parametrize(("recipient", "valid"), [("did:example:learner", True), ("did:example:another", False)])
def test_who_asks_for_a_recipient_is_told(recipient: str, valid: bool) -> None:
    answer = post({"url": OWN_URL, "recipient": recipient, "check_evidence": True}).json()
    assert answer["valid"] is valid
    said = {each["name"]: each["code"] for each in answer["checks"]}
    assert said["recipient"] == ("recipient_named" if valid else "recipient_differs")
    assert said["evidence"] == "no_evidence_digest"
    assert (answer["standard"], answer["registries"]) == ("Open Badges 3.0", [])


def test_the_description_names_the_operation_and_shows_an_answer() -> None:
    operation = application().openapi()["paths"]["/v1/verify"]["post"]
    assert operation["operationId"] == "verify_credential"
    assert "security" not in operation
    [answer] = operation["responses"]["200"]["content"].values()
    assert answer["example"]["checks"][0]["code"] == "revoked"
    assert set(operation["requestBody"]["content"]["application/json"]["examples"]) == {"url", "credential", "token"}
