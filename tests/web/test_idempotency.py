"""Safe retries on routes of one transaction. (Decisions, which have two, are tested in their own room.)"""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.access.idempotency import LIFE
from app.resources import Resources
from app.settings import Settings
from app.worker import open_runner
from tests.builders import achievement_body, panel_body
from tests.conftest import Partner, open_client
from tests.fakes import FixedClock
from tests.house.databases import execute, open_owner

KEY = {"Idempotency-Key": "7d3f1c9a-2b64-4a8e-9f0d-1c2b3a4d5e6f"}

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


async def total(client: httpx.AsyncClient, path: str) -> int:
    return len((await client.get(path)).json()["items"])


async def test_a_repeat_gets_the_first_answer_and_does_nothing(partner: Partner) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "/v1/panels": panel_body(),
        "/v1/learners": {"name": "Ada Example", "email": "ada.example@schools.example.org"},
        "/v1/achievements": achievement_body(),
    }
    for path, body in bodies.items():
        before = await total(partner.client, path)
        first = await partner.client.post(path, json=body, headers=KEY | {"Idempotency-Key": path})
        again = await partner.client.post(path, json=body, headers=KEY | {"Idempotency-Key": path})
        assert (first.status_code, again.status_code) == (201, 201), (first.text, again.text)
        assert again.json() == first.json()
        assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
        assert again.headers["content-type"] == "application/json"
        assert await total(partner.client, path) == before + 1


async def test_without_a_key_every_request_counts(partner: Partner) -> None:
    """The pair of the test above."""
    before = await total(partner.client, "/v1/panels")
    for _ in range(2):
        assert (await partner.client.post("/v1/panels", json=panel_body())).status_code == 201
    assert await total(partner.client, "/v1/panels") == before + 2


async def test_a_key_belongs_to_one_request(partner: Partner) -> None:
    assert (await partner.client.post("/v1/panels", json=panel_body(), headers=KEY)).status_code == 201
    for path, body in (
        ("/v1/panels", panel_body(name="Another")),
        ("/v1/learners", {"name": "Ada Example"}),
    ):
        answer = await partner.client.post(path, json=body, headers=KEY)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused"), answer.text


async def test_keys_are_per_principal(partner: Partner, stranger: Partner) -> None:
    mine = await partner.client.post("/v1/panels", json=panel_body(), headers=KEY)
    theirs = await stranger.client.post("/v1/panels", json=panel_body(), headers=KEY)
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]
    assert "idempotency-replayed" not in theirs.headers


async def test_a_repeat_shows_no_secret(app: FastAPI, partner: Partner) -> None:
    path, body = f"/v1/issuers/{partner.issuer_id}/api-clients", {"name": "Portal", "scopes": ["issuer:read"]}
    first = (await partner.client.post(path, json=body, headers=KEY)).json()
    again = (await partner.client.post(path, json=body, headers=KEY)).json()
    assert first["token"].startswith(f"assay_{first['id']}_")
    assert again["token"] is None
    assert "shown when the client was created" in again["note"]
    assert {**first, "token": None, "note": ""} == {**again, "note": ""}
    async with open_client(app, first["token"]) as client:
        assert (await client.get(f"/v1/issuers/{partner.issuer_id}")).status_code == 200


@on_sqlite
async def test_unusable_keys_are_refused(partner: Partner) -> None:
    for key in (b"", b" ", b"two words", b"x" * 201, "\u00e9".encode(), b"\x7f", b"a\tb"):
        answer = await partner.client.post("/v1/panels", json=panel_body(), headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key"), key
    for key in (b"!", b"x" * 200, b"~{}"):
        answer = await partner.client.post("/v1/panels", json=panel_body(), headers={"Idempotency-Key": key})
        assert answer.status_code == 201, key


async def test_a_refused_request_does_not_burn_its_key(partner: Partner) -> None:
    await partner.client.post("/v1/panels", json=panel_body(external_id="taken"))
    for refused, status in (({"name": "P"}, 422), (panel_body(external_id="taken"), 409)):
        answer = await partner.client.post("/v1/panels", json=refused, headers=KEY)
        assert answer.status_code == status, answer.text
    answer = await partner.client.post("/v1/panels", json=panel_body(), headers=KEY)
    assert answer.status_code == 201, answer.text
    assert "idempotency-replayed" not in answer.headers


async def test_a_refused_learner_does_not_burn_its_key(partner: Partner) -> None:
    taken = {"email": "ada.example@schools.example.org"}
    await partner.client.post("/v1/learners", json=taken)
    assert (await partner.client.post("/v1/learners", json=taken, headers=KEY)).status_code == 409
    assert (await partner.client.post("/v1/learners", json={"name": "Grace"}, headers=KEY)).status_code == 201


async def test_a_key_is_forgotten_after_a_day(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    world: Resources = app.state.resources
    runner = open_runner(world)
    while await runner.run_one():  # what a new issuer has to do
        pass
    first = await partner.client.post("/v1/panels", json=panel_body(), headers=KEY)
    clock.advance(seconds=(LIFE - timedelta(seconds=1)).total_seconds())
    assert not await runner.run_one()
    again = await partner.client.post("/v1/panels", json=panel_body(), headers=KEY)
    assert again.json() == first.json()
    clock.advance(seconds=1)
    assert await runner.run_one()
    fresh = await partner.client.post("/v1/panels", json=panel_body(name="Another"), headers=KEY)
    assert fresh.status_code == 201, fresh.text
    assert fresh.json()["id"] != first.json()["id"]


async def test_a_learners_kept_answer_is_sealed(settings: Settings, partner: Partner) -> None:
    body = {"name": "Ada Canary", "email": "canary@schools.example.org"}
    answer = await partner.client.post("/v1/learners", json=body, headers=KEY)
    async with open_owner(settings) as owner:
        [(kept, learner_id)] = await execute(owner, "SELECT answer, learner_id FROM idempotency_key")
    assert learner_id == answer.json()["id"]
    assert b"anary" not in bytes(kept)
    assert len(kept) > len(answer.content)
