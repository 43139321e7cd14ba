"""What cannot be committed was not done, and what is wrong on our side is told as such: never 201, never without an id."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import open_database
from app.resources import Resources
from app.settings import Settings
from tests.builders import panel_body
from tests.conftest import Partner, open_client
from tests.house.databases import execute, open_owner
from tests.house.logs import ReadLog, capture_log

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("settings", ["postgresql"], indirect=True)

# Each passes while the transaction is open and fails when it commits.
DOOM = {
    "sqlite": (
        "CREATE TABLE nowhere (id TEXT PRIMARY KEY)",
        "CREATE TABLE doom (id TEXT REFERENCES nowhere (id) DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TRIGGER doomed AFTER INSERT ON panel BEGIN INSERT INTO doom VALUES ('x'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION doom() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'canary of %', NEW.name; END $$",
        "CREATE CONSTRAINT TRIGGER doomed AFTER INSERT ON panel DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION doom()",
    ),
}
RELIEF = {"sqlite": "DROP TRIGGER doomed", "postgresql": "DROP TRIGGER doomed ON panel"}


@pytest.fixture
async def owner(settings: Settings) -> AsyncIterator[AsyncEngine]:
    async with open_owner(settings) as engine:
        yield engine


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body: dict[str, object] = answer.json()
    assert body["code"] == code
    assert body["request_id"] == answer.headers["x-request-id"] != ""
    return body


async def test_a_commit_that_fails_leaves_nothing_and_says_so(
    partner: Partner, owner: AsyncEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = owner.dialect.name
    for statement in DOOM[engine]:
        await execute(owner, statement)
    before = await counts(owner)
    key = {"Idempotency-Key": "k-1"}
    with capture_log(capsys) as log:
        answer = await partner.client.post("/v1/panels", json=panel_body(), headers=key)
        assert answer.headers["x-request-id"] in log()
    told = problem(answer, *((409, "conflict") if engine == "sqlite" else (500, "internal_error")))
    assert "canary" not in answer.text
    assert "id" not in told
    assert await counts(owner) == before

    await execute(owner, RELIEF[engine])
    again = await partner.client.post("/v1/panels", json=panel_body(), headers=key)
    assert again.status_code == 201, again.text
    assert "idempotency-replayed" not in again.headers
    assert (await counts(owner))["panel"] == before["panel"] + 1


async def counts(owner: AsyncEngine) -> dict[str, int]:
    tables = ("panel", "event", "audit_entry", "job", "idempotency_key")
    return {name: (await execute(owner, f"SELECT count(*) FROM {name}"))[0][0] for name in tables}


@on_sqlite
async def test_without_a_database_the_answer_is_503(app: FastAPI, partner: Partner, tmp_path: Path) -> None:
    world: Resources = app.state.resources
    nowhere = open_database(f"sqlite+aiosqlite:///{tmp_path}/no/such/directory/assay.db")
    app.state.resources = replace(world, database=nowhere)
    await assert_unavailable(partner)
    problem(await partner.client.get("/.well-known/did.json"), 503, "unavailable")
    await nowhere.close()
    app.state.resources = world
    assert (await partner.client.post("/v1/panels", json=panel_body())).status_code == 201


@on_postgresql
async def test_without_the_server_the_answer_is_503(
    settings: Settings, partner: Partner, postgresql_server: str
) -> None:
    name = settings.database_url.get_secret_value().partition("@/")[2].partition("?")[0]
    async with open_owner(settings.model_copy(update={"database_url": _other(settings, "template1")})) as elsewhere:
        await execute(elsewhere, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await execute(elsewhere, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        await assert_unavailable(partner)
        await execute(elsewhere, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert (await partner.client.post("/v1/panels", json=panel_body())).status_code == 201


@on_postgresql
async def test_a_connection_lost_on_the_way_is_503_and_leaves_nothing(partner: Partner, owner: AsyncEngine) -> None:
    before = await counts(owner)
    async with owner.connect() as holder:
        await holder.exec_driver_sql("LOCK TABLE panel IN EXCLUSIVE MODE")
        request = asyncio.create_task(partner.client.post("/v1/panels", json=panel_body()))
        waiting = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        while not await execute(owner, f"SELECT 1 {waiting}"):
            await asyncio.sleep(0.01)
        await execute(owner, f"SELECT pg_terminate_backend(pid) {waiting}")
        problem(await request, 503, "unavailable")
        await holder.rollback()
    assert await counts(owner) == before
    assert (await partner.client.post("/v1/panels", json=panel_body())).status_code == 201


async def assert_unavailable(partner: Partner) -> None:
    for method, path in (
        ("GET", "/v1/panels"),
        ("POST", "/v1/panels"),
        ("GET", f"/panels/{partner.panel_id}"),
        ("GET", "/readyz"),
    ):
        answer = await partner.client.request(method, path, json=panel_body() if method == "POST" else None)
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"]
    assert (await partner.client.get("/healthz")).status_code == 200


@on_sqlite
async def test_every_answer_has_a_request_id(
    app: FastAPI, partner: Partner, capsys: pytest.CaptureFixture[str]
) -> None:
    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("canary")

    with capture_log(capsys) as log:
        await _ask_everything(open_client(app), partner, log)


async def _ask_everything(client: httpx.AsyncClient, partner: Partner, log: ReadLog) -> None:
    seen = set()
    async with client:
        for method, path, status in (
            ("GET", "/healthz", 200),
            ("GET", f"/panels/{partner.panel_id}", 200),
            ("GET", "/v1/panels", 401),
            ("GET", "/nothing", 404),
            ("DELETE", "/v1/panels", 405),
            ("POST", "/v1/panels", 401),
            ("GET", "/boom", 500),
        ):
            answer = await client.request(method, path)
            assert answer.status_code == status, answer.text
            assert answer.headers["x-content-type-options"] == "nosniff"
            seen.add(answer.headers["x-request-id"])
            assert "canary" not in answer.text
        large = await client.post("/v1/verify", content=b" " * (1 << 21), headers={"Content-Type": "application/json"})
        assert large.status_code == 413
        seen.add(large.headers["x-request-id"])
        assert len(seen) == 8
        preflight = await client.options(
            "/v1/verify", headers={"Origin": "https://x.example.org", "Access-Control-Request-Method": "POST"}
        )
        assert (preflight.status_code, bool(preflight.headers["x-request-id"])) == (200, True)
        # The caller's own id is kept when it is a plain word, and only then.
        for given, kept in (
            ("trace-0001.a_b", True),
            ("short", False),
            ("a" * 65, False),
            ("a b c d e f", False),
            ("x\ty\tz\tw\t", False),
        ):
            answer = await client.get("/boom", headers={"X-Request-Id": given})
            assert (answer.headers["x-request-id"] == given) is kept, given
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
            assert answer.headers["x-request-id"] in log()


def _other(settings: Settings, name: str) -> object:
    url = settings.database_url
    before, _, after = url.get_secret_value().partition("@/")
    return type(url)(f"{before}@/{name}?{after.partition('?')[2]}")
