"""What is personal or secret stays where it belongs: in the answer to who may see it, and sealed in the database.

Canaries are sent through every operation and through errors of every kind; then the log, the metrics, the raw database
and the public pages are searched for them.
"""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.access.tokens import new_secret
from app.keys.vault import Unreadable
from app.resources import Resources
from app.settings import Settings
from app.worker import open_runner
from tests.builders import achievement_body, decision_body, panel_body
from tests.conftest import Partner, open_client, publish
from tests.fakes import FixedClock
from tests.house.databases import execute, is_in, list_contents, open_owner
from tests.house.logs import capture_log
from tests.house.operations import list_operations

NAME, EMAIL, DID = "Kanaryname Quill", "kanarymail@schools.example.org", "did:example:kanarydid"
NARRATIVE, RATIONALE, EVIDENCE, ROLE = "kanarynarrative", "kanaryrationale", "kanaryevidence", "kanaryrole"
WHY_REVOKED, WHY_CORRECTED, OWN_ID = "kanaryrevocation", "kanarycorrection", "kanaryownid"

PERSONAL = ("Kanaryname", "kanarymail", "kanarydid", NARRATIVE, RATIONALE, EVIDENCE, ROLE, WHY_REVOKED, WHY_CORRECTED)
UNLOGGED = (*PERSONAL, OWN_ID)

HTML = {"Accept": "text/html"}


def canary_decision(partner: Partner, **changes: Any) -> dict[str, Any]:
    body = decision_body(partner.achievement_id, partner.panel_id, narrative=NARRATIVE, role=ROLE)
    body["recipient"] = {"name": NAME, "email": EMAIL, "did": DID}
    body["results"] = [{**result, "rationale": RATIONALE} for result in body["results"]]
    body["evidence"] = [{**body["evidence"][0], "narrative": EVIDENCE, "url": f"https://e.example.org/{EVIDENCE}"}]
    return {**body, **changes}


async def live_a_life(partner: Partner, clock: FixedClock) -> dict[str, str]:
    """A learner, a badge, its correction, its revocation, and every way of reading them: the ids of it all."""
    client, ids = partner.client, {"issuer_id": partner.issuer_id, "panel_id": partner.panel_id}
    learner = await client.post(
        "/v1/learners",
        json={"name": NAME, "email": EMAIL, "did": DID, "external_id": OWN_ID},
        headers={"Idempotency-Key": "l-1"},
    )
    dry = await client.post("/v1/decisions?dry_run=true", json=canary_decision(partner))
    first = await client.post("/v1/decisions", json=canary_decision(partner), headers={"Idempotency-Key": "d-1"})
    replay = await client.post("/v1/decisions", json=canary_decision(partner), headers={"Idempotency-Key": "d-1"})
    clock.advance(seconds=5)
    corrected = canary_decision(partner, supersedes=first.json()["id"], reason=WHY_CORRECTED)
    second = await client.post("/v1/decisions", json=corrected)
    assert [a.status_code for a in (learner, dry, first, replay, second)] == [201, 200, 201, 201, 201], second.text
    assert EMAIL in learner.text
    assert RATIONALE in second.text
    credential_id = second.json()["credential"]["id"]
    ids |= {"learner_id": learner.json()["id"], "decision_id": first.json()["id"], "credential_id": credential_id}
    ids |= {"second_decision_id": second.json()["id"], "achievement_id": partner.achievement_id}
    revoked = await client.post(f"/v1/credentials/{credential_id}/revoke", json={"reason": WHY_REVOKED})
    assert revoked.status_code == 200, revoked.text
    return ids


async def read_everything(client: httpx.AsyncClient, ids: dict[str, str]) -> str:
    """Ask every reading operation: all that was answered."""
    told = []
    for operation in list_operations():
        names = dict.fromkeys(operation.parameters("path"), "0" * 64 if "{digest}" in operation.path else "0" * 32)
        path = operation.path.format(**{**names, "slug": "academy", "version": 1, **ids})
        if operation.method == "GET" and not operation.has_own_errors:  # tests/obapi
            for headers in ({}, HTML):
                answer = await client.get(path, headers=headers)
                assert answer.status_code in (200, 403, 404), answer.text
                told.append(answer.text)
    told.append((await client.get(f"/v1/decisions/{ids['second_decision_id']}")).text)
    return "\n".join(told)


async def err_in_every_way(app: FastAPI, partner: Partner, ids: dict[str, str]) -> None:
    client = partner.client
    body, json_type = canary_decision(partner), {"Content-Type": "application/json"}
    answers = [
        await client.post("/v1/learners", json={"email": EMAIL}),
        await client.post(
            "/v1/learners", json={"name": NAME, "email": f"{EMAIL} x", "did": DID + "\x7f", "surplus": NARRATIVE}
        ),
        await client.post(
            "/v1/learners", content=f'{{"name": "{NAME}", "name": "{EMAIL}"}}'.encode(), headers=json_type
        ),
        await client.post("/v1/learners", content=f'{{"name": {NAME}'.encode(), headers=json_type),
        await client.post("/v1/learners", content=EMAIL.encode(), headers={"Content-Type": "text/plain"}),
        await client.post("/v1/learners", content=EMAIL.encode() * 50_000, headers=json_type),
        await client.post("/v1/decisions", json={**body, "achievement_id": "0" * 32}),
        await client.post("/v1/decisions", json={**body, "decided_at": "2030-01-01T00:00:00Z"}),
        await client.post("/v1/decisions", json={**body, "results": body["results"][:1]}),
        await client.post(
            "/v1/decisions", json={**body, "outcome": "awarded", "results": [{"criterion": 1, "rationale": RATIONALE}]}
        ),
        await client.post("/v1/decisions", json={**body, "supersedes": ids["decision_id"], "reason": WHY_CORRECTED}),
        await client.post("/v1/decisions", json=body, headers={"Idempotency-Key": "l-1"}),
        await client.post("/v1/decisions", json={**body, "recipient": {"name": NAME, "external_id": "x"}}),
        await client.get(f"/v1/learners/{EMAIL}"),
        await client.get(f"/v1/{EMAIL}"),
        await client.get("/v1/learners", params={"cursor": EMAIL}),
        await client.put("/v1/learners", json={"name": NAME}),
        await client.post(f"/v1/credentials/{ids['credential_id']}/reinstate", json={"reason": WHY_REVOKED}),
        await client.post("/v1/verify", json={"credential": {"name": NAME, "email": EMAIL}}),
        await client.post("/v1/verify", json={"url": f"https://127.0.0.1/{EVIDENCE}"}),
    ]
    assert sorted({answer.status_code for answer in answers}) == [200, 400, 404, 405, 409, 413, 415, 422]
    async with open_client(app, f"assay_{'0' * 32}_{new_secret()}") as nobody:
        headers = {
            "User-Agent": EMAIL,
            "Referer": f"https://x/{EMAIL}",
            "X-Forwarded-For": EMAIL,
            "X-Request-Id": f"<{EMAIL}>",
        }
        assert (await nobody.get(f"/v1/learners?external_id={OWN_ID}", headers=headers)).status_code == 401


async def break_the_database(partner: Partner, owner: AsyncEngine) -> None:
    """Errors that nobody foresaw, with personal data at hand."""
    body = {"name": NAME, "email": "another." + EMAIL, "external_id": OWN_ID + "2"}
    await execute(owner, "ALTER TABLE learner RENAME COLUMN sealed_key TO away")
    broken = await partner.client.post("/v1/learners", json=body)
    await execute(owner, "ALTER TABLE learner RENAME COLUMN away TO sealed_key")
    assert broken.status_code in (500, 503)
    assert not any(canary in broken.text for canary in UNLOGGED)


async def test_no_canary_gets_out(
    app: FastAPI, settings: Settings, partner: Partner, clock: FixedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    world: Resources = app.state.resources
    token = partner.client.headers["authorization"].removeprefix("Bearer ")
    async with open_owner(settings) as owner:
        with capture_log(capsys) as log:
            ids = await live_a_life(partner, clock)
            told = await read_everything(partner.client, ids)
            await err_in_every_way(app, partner, ids)
            await break_the_database(partner, owner)
            await tamper_with_a_row(partner, owner, ids)
            clock.advance(days=2)
            runner = open_runner(world)
            while await runner.run_one():
                pass
            metrics = (await partner.client.get("/metrics")).text
            logged = log()
        assert all(canary in told for canary in (*PERSONAL, OWN_ID)), "what is searched for must have been there"
        assert logged.count('"event": "request"') > 60
        assert "Traceback" in logged
        assert "assay_http_requests_total" in metrics
        for secret in (*UNLOGGED, token, token.split("_", 2)[2], EMAIL.upper()):
            assert secret not in logged
            assert secret not in metrics
        assert "0" * 32 not in metrics
        assert ids["learner_id"] not in metrics

        contents = await list_contents(owner)
        assert is_in(contents, ids["learner_id"])
        found = {secret: is_in(contents, secret) for secret in (*PERSONAL, token.split("_", 2)[2])}
        assert {secret: tables for secret, tables in found.items() if tables} == {}
        if settings.is_sqlite:
            await search_the_files(settings, owner, ids["learner_id"])


async def search_the_files(settings: Settings, owner: AsyncEngine, known: str) -> None:
    path = settings.database_url.get_secret_value().partition(":///")[2]
    for _ in range(2):
        raw = b"".join(file.read_bytes() for file in files_of(path))
        assert known.encode() in raw
        assert [secret for secret in PERSONAL if secret.encode() in raw] == []
        async with owner.connect() as connection:
            await (await connection.get_raw_connection()).driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]


def files_of(path: str) -> list[Path]:
    database = Path(path)
    return sorted(database.parent.glob(database.name + "*"))


async def tamper_with_a_row(partner: Partner, owner: AsyncEngine, ids: dict[str, str]) -> None:
    await execute(
        owner, "UPDATE credential SET sealed_reason = (SELECT sealed_value FROM learner_identity WHERE kind = 'email')"
    )
    broken = await partner.client.get(f"/v1/credentials/{ids['credential_id']}")
    assert_tells_nothing(broken)


def assert_tells_nothing(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error"), answer.text
    assert not re.search("seal|encrypt|key-|Unreadable", answer.text)
    assert not any(canary in answer.text for canary in UNLOGGED)


async def test_public_pages_show_no_identity(
    app: FastAPI, partner: Partner, clock: FixedClock, api: httpx.AsyncClient
) -> None:
    named = achievement_body(settings={"status_purpose": "revocation", "visibility": "public", "recipient_name": True})
    named_id = await publish(partner.client, named)
    for achievement_id, shows_name in ((partner.achievement_id, False), (named_id, True)):
        body = canary_decision(partner, achievement_id=achievement_id)
        decision = (await partner.client.post("/v1/decisions", json=body)).json()
        document = decision["credential"]["document"]
        identities = document["credentialSubject"].get("identifier", [])
        assert len(identities) >= 1
        secrets_ = [
            identity[member] for identity in identities for member in ("identityHash", "salt") if member in identity
        ]
        secrets_ = [secret for secret in secrets_ if shows_name is False or secret != NAME]
        url = f"/credentials/{decision['credential']['id']}"
        pages = [await api.get(url, headers=HTML)]
        await partner.client.post(f"/v1{url}/revoke", json={"reason": WHY_REVOKED})
        pages.append(await api.get(url, headers=HTML))
        others = (f"/achievements/{achievement_id}", f"/panels/{partner.panel_id}", "/issuers/academy")
        pages += [await api.get(path, headers=HTML) for path in others]
        for page in pages:
            assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8"), page.text
            for secret in (
                "kanarymail",
                RATIONALE,
                WHY_REVOKED,
                ROLE,
                "identityHash",
                "A-01",
                decision["learner_id"],
                *secrets_,
            ):
                assert secret not in page.text, (str(page.url), secret)
        assert ("Kanaryname" in pages[0].text) is shows_name
        signed = await api.get(url)
        assert not any(
            secret in signed.text for secret in ("kanarymail", RATIONALE, WHY_REVOKED, "A-01", decision["learner_id"])
        )


async def test_public_data_shows_no_assessor(partner: Partner, api: httpx.AsyncClient) -> None:
    panel = (await partner.client.post("/v1/panels", json=panel_body(members=["kanarycode"]))).json()
    for headers in ({}, HTML):
        answer = await api.get(f"/panels/{panel['id']}", headers=headers)
        assert answer.status_code == 200
        assert panel["name"] in answer.text
        assert "kanarycode" not in answer.text


async def test_sealed_values_open_only_where_they_were_sealed(
    settings: Settings, partner: Partner, stranger: Partner, clock: FixedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each ciphertext is put in the place of another one under the same key: only the place tells them apart."""
    ids = await live_a_life(partner, clock)
    other = (await partner.client.post("/v1/learners", json={"email": "other@schools.example.org"})).json()["id"]
    learner, decision = f"/v1/learners/{ids['learner_id']}", f"/v1/decisions/{ids['decision_id']}"
    credential = f"/v1/credentials/{ids['credential_id']}"
    mine = f"learner_id = '{ids['learner_id']}'"
    cases = [
        ("learner", "sealed_key", f"id = '{ids['learner_id']}'", f"SELECT sealed_key FROM learner WHERE id = '{other}'", learner),
        ("learner_identity", "sealed_value", f"{mine} AND kind = 'email'",
         f"SELECT sealed_value FROM learner_identity WHERE {mine} AND kind = 'name'", learner),
        ("decision", "sealed_details", f"id = '{ids['decision_id']}'",
         f"SELECT sealed_details FROM decision WHERE id = '{ids['second_decision_id']}'", decision),
        ("credential", "sealed_reason", f"id = '{ids['credential_id']}'",
         f"SELECT sealed_value FROM learner_identity WHERE {mine} AND kind = 'email'", credential),
        ("representation", "sealed_body", "edition_id = (SELECT id FROM edition WHERE number = 2)",
         "SELECT sealed_body FROM representation WHERE edition_id = (SELECT id FROM edition WHERE number = 1)", credential),
    ]  # fmt: skip
    async with open_owner(settings) as owner:
        await drop_the_guards(owner)
        for table, column, where, foreign, path in cases:
            [(sealed,)] = await execute(owner, f"SELECT {column} FROM {table} WHERE {where}")
            assert (await partner.client.get(path)).status_code == 200
            with capture_log(capsys) as log:
                await execute(owner, f"UPDATE {table} SET {column} = ({foreign}) WHERE {where}")
                assert_tells_nothing(await partner.client.get(path))
                assert "Unreadable" in log()
            await execute(owner, f"UPDATE {table} SET {column} = :sealed WHERE {where}", sealed=sealed)
            assert (await partner.client.get(path)).status_code == 200, table


async def drop_the_guards(owner: AsyncEngine) -> None:
    """Whoever can write to the files of a database can do so past its triggers."""
    for table in ("decision", "representation"):
        if owner.dialect.name == "sqlite":
            await execute(owner, f"DROP TRIGGER {table}_no_update")
        else:
            await execute(owner, f"ALTER TABLE {table} DISABLE TRIGGER ALL")


async def test_signing_keys_open_only_for_their_issuer(world: Resources) -> None:
    _, sealed = world.vault.new_signing_key("a" * 32, "1" * 32)
    assert world.vault.open_signing_key(sealed, "a" * 32, "1" * 32) is not None
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for value, issuer_id, key_id in ((sealed, "b" * 32, "1" * 32), (sealed, "a" * 32, "2" * 32), (changed, "a" * 32, "1" * 32),
                                     (b"", "a" * 32, "1" * 32)):  # fmt: skip
        with pytest.raises(Unreadable):
            world.vault.open_signing_key(value, issuer_id, key_id)


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_log_formats_tell_errors_alike(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A renderer that prints local variables would print what people sent."""
    import structlog

    with capture_log(capsys, "info", log_format) as log:
        kanary = "kanarylocal"
        try:
            raise RuntimeError(f"{len(kanary)}")
        except RuntimeError as error:
            structlog.get_logger("test").error("unforeseen_error", exc_info=error)
        logged = log()
    assert "RuntimeError" in logged
    assert logged.count("kanarylocal") <= 1  # the line of source that a traceback quotes
