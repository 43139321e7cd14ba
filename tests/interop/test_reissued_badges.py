"""A badge reissued after its learner's address changed, and the one before, in other people's hands."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx

from app.access.clients import create_client
from app.access.principals import TENANT_SCOPES, Scope
from app.migration import migrate
from app.openbadges.identity import hash_identity
from app.resources import open_resources
from app.settings import Settings
from tests.builders import achievement_body, decision_body, panel_body
from tests.conftest import KEY
from tests.interop.openbadgeslib_verifier import verify_with_openbadgeslib
from tests.interop.verifier_core import verify_with_verifier_core
from tests.serving import loopback_settings, served

Document = dict[str, Any]

BEFORE, NOW = "ada.example@schools.example.org", "ada.byron@schools.example.org"


async def operator_token(settings: Settings) -> str:
    await migrate(settings)
    async with open_resources(settings) as world, world.database.transaction() as session:
        _, token = await create_client(
            session, issuer_id=None, name="operator", scopes={Scope.PLATFORM}, expires_at=None, actor="test",
            now=world.clock.now(),
        )  # fmt: skip
        return token


def send(client: httpx.Client, method: str, path: str, body: Document | None = None) -> Document:
    answer = client.request(method, path, json=body)
    assert answer.is_success, answer.text
    document: Document = answer.json()
    return document


def issue(client: httpx.Client) -> Document:
    """The answer to a decision, in an issuer of its own; the client is the issuer's from now on."""
    issuer_id = send(client, "POST", "/v1/issuers", {"slug": "academy", "profile": {"name": "The academy"}})["id"]
    wanted = {"name": "all", "scopes": sorted(scope.value for scope in TENANT_SCOPES)}
    made = send(client, "POST", f"/v1/issuers/{issuer_id}/api-clients", wanted)
    client.headers["Authorization"] = f"Bearer {made['token']}"
    achievement_id = send(client, "POST", "/v1/achievements", achievement_body())["id"]
    send(client, "POST", f"/v1/achievements/{achievement_id}/versions/1/publish")
    panel_id = send(client, "POST", "/v1/panels", panel_body())["id"]
    return send(client, "POST", "/v1/decisions", decision_body(achievement_id, panel_id, recipient={"email": BEFORE}))


def wait_for_the_next(client: httpx.Client, badge: Document) -> Document:
    deadline = time.monotonic() + 30
    while (served_now := send(client, "GET", badge["id"])) == badge:
        assert time.monotonic() < deadline, "the badge was not reissued"
        time.sleep(0.1)
    return served_now


def names(badge: Document, address: str) -> bool:
    [identity] = badge["credentialSubject"]["identifier"]
    return bool(hash_identity(address, identity["salt"]) == identity["identityHash"])


def test_others_accept_the_reissued_badge_and_refuse_the_one_before(tmp_path: Path) -> None:
    settings = loopback_settings(tmp_path, KEY)
    token = asyncio.run(operator_token(settings))
    with served(settings) as base_url, httpx.Client(base_url=base_url, timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        decision = issue(client)
        before = decision["credential"]["document"]
        assert verify_with_verifier_core([before])[0]["steps"]["revocation_status"] is True
        changed = send(client, "PATCH", f"/v1/learners/{decision['learner_id']}", {"email": NOW})
        assert changed["reissuing"] == 1
        after = wait_for_the_next(client, before)
        assert (names(before, BEFORE), names(after, NOW), names(after, BEFORE)) == (True, True, False)
        assert (after["id"], after["awardedDate"]) == (before["id"], before["awardedDate"])

        old, new = verify_with_verifier_core([before, after])
        assert (old["steps"]["valid_signature"], old["steps"]["revocation_status"]) == (True, False)
        assert (new["steps"]["valid_signature"], new["steps"]["revocation_status"]) == (True, True), new
        assert new["steps"].get("schema_check", True) is True, new

        def download(url: str) -> bytes:
            return client.get(url).raise_for_status().content

        assert verify_with_openbadgeslib(after, download=download).accepted
        assert not verify_with_openbadgeslib(before, download=download).accepted
