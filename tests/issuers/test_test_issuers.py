"""A test issuer is marked in every badge it signs, on every page of it, and in every verification; for good."""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.access.principals import TENANT_SCOPES
from tests.builders import decision_body
from tests.conftest import Partner, open_client

HTML = {"Accept": "text/html"}
SENTENCE = "Issued for testing. It certifies nothing."


async def make(operator: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    body = {"slug": "sandbox", "profile": {"name": "The sandbox", "description": "To try."}, "test": True, **changes}
    answer = await operator.post("/v1/issuers", json=body)
    assert answer.status_code == 201, answer.text
    issuer: dict[str, Any] = answer.json()
    return issuer


async def settle(app: FastAPI, operator: httpx.AsyncClient, issuer: dict[str, Any]) -> Partner:
    scopes = sorted(scope.value for scope in TENANT_SCOPES)
    client = await operator.post(f"/v1/issuers/{issuer['id']}/api-clients", json={"name": "all", "scopes": scopes})
    return await Partner.settle(app, open_client(app, f"{issuer['id']}|{client.json()['token']}"))


async def issue(partner: Partner) -> dict[str, Any]:
    body = decision_body(partner.achievement_id, partner.panel_id)
    answer = await partner.client.post("/v1/decisions", json=body)
    assert answer.status_code == 201, answer.text
    badge: dict[str, Any] = answer.json()["credential"]["document"]
    return badge


def marks(badge: dict[str, Any]) -> list[bool]:
    issuer = badge["issuer"]
    return [
        issuer["name"].startswith("TEST: "),
        issuer.get("description", "").startswith(SENTENCE),
        badge["name"].startswith("TEST: "),
        badge["description"].startswith(SENTENCE),
    ]


async def verify(api: httpx.AsyncClient, badge: dict[str, Any]) -> tuple[bool, list[dict[str, Any]]]:
    answer = await api.post("/v1/verify", json={"credential": badge})
    checks = [each for each in answer.json()["checks"] if each["code"] == "test_issuer"]
    return answer.json()["valid"], checks


async def test_badges_say_so_and_verifications_too(
    app: FastAPI, operator: httpx.AsyncClient, api: httpx.AsyncClient, partner: Partner
) -> None:
    sandbox = await settle(app, operator, await make(operator))
    test_badge, real_badge = await issue(sandbox), await issue(partner)
    assert marks(test_badge) == [True] * 4
    assert marks(real_badge) == [False] * 4
    assert test_badge["issuer"]["name"] == "TEST: The sandbox"
    # The achievement may become real under a real issuer: it is the same in both.
    names = [badge["credentialSubject"]["achievement"]["name"] for badge in (test_badge, real_badge)]
    assert names[0] == names[1]

    valid, [found] = await verify(api, test_badge)
    assert valid
    assert (found["name"], found["outcome"], found["pointer"]) == ("issuer_binding", "warning", "/issuer")
    assert await verify(api, real_badge) == (True, [])

    await sandbox.client.aclose()


async def test_taking_the_mark_off_breaks_the_signature(
    app: FastAPI, operator: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    sandbox = await settle(app, operator, await make(operator))
    badge = await issue(sandbox)
    for path in (("issuer", "name"), ("issuer", "description"), ("name",), ("description",)):
        altered = json.loads(json.dumps(badge))
        place = altered
        for member in path[:-1]:
            place = place[member]
        place[path[-1]] = place[path[-1]].removeprefix("TEST: ").removeprefix(SENTENCE).strip()
        valid, checks = await verify(api, altered)
        assert not valid, path
        assert len(checks) == 1
    assert (await verify(api, badge))[0]
    await sandbox.client.aclose()


async def test_pages_say_so_first(
    app: FastAPI, operator: httpx.AsyncClient, api: httpx.AsyncClient, partner: Partner
) -> None:
    sandbox = await settle(app, operator, await make(operator))
    for who, slug, banners in ((sandbox, "sandbox", 1), (partner, "academy", 0)):
        badge = await issue(who)
        paths = (
            f"/credentials/{badge['id'].rpartition('/')[2]}",
            f"/achievements/{who.achievement_id}",
            f"/achievements/{who.achievement_id}/v1",
            f"/issuers/{slug}",
            f"/panels/{who.panel_id}",
        )
        for path in paths:
            page = (await api.get(path, headers=HTML)).text
            assert page.count('class="test-banner"') == banners, path
            assert page.count("<strong>Test issuer.</strong>") == banners, path
            assert ('content="noindex"' in page) >= bool(banners)
            if banners:
                assert page.index("test-banner") < page.index("<main")
    assert "TEST: The sandbox" in (await api.get("/", headers=HTML)).text
    await sandbox.client.aclose()


async def test_the_mark_stays_whatever_the_profile_says(operator: httpx.AsyncClient) -> None:
    issuer = await make(operator)
    assert issuer["test"] is True
    for name, description, shown in (
        ("Grand Academy", None, ("TEST: Grand Academy", SENTENCE)),
        ("TEST: Grand Academy", f"{SENTENCE}\n\nGrand.", ("TEST: Grand Academy", f"{SENTENCE}\n\nGrand.")),
        ("TESTAMENT", "Old.", ("TEST: TESTAMENT", f"{SENTENCE}\n\nOld.")),
    ):
        body = {"name": name} | ({"description": description} if description else {})
        changed = await operator.put(f"/v1/issuers/{issuer['id']}/profile", json=body)
        assert changed.status_code == 200, changed.text
        profile = changed.json()["profile"]
        assert (profile["name"], profile["description"]) == shown
        assert changed.json()["test"] is True
    refused = await operator.put(f"/v1/issuers/{issuer['id']}/profile", json={"name": "X", "test": False})
    assert refused.status_code == 422


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_an_issuer_is_real_unless_told(operator: httpx.AsyncClient) -> None:
    answer = await operator.post("/v1/issuers", json={"slug": "real", "profile": {"name": "Real"}})
    assert answer.json()["test"] is False
    assert answer.json()["profile"]["name"] == "Real"
    for nonsense in ("yes", 1, None):
        body = {"slug": "sandbox", "profile": {"name": "X"}, "test": nonsense}
        assert (await operator.post("/v1/issuers", json=body)).status_code == 422
