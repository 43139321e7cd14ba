"""The doctor finds each planted fault, names it, has a cure for it, and finds nothing where nothing is."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from app.clock import SystemClock
from app.contexts import CONTEXTS_DIRECTORY
from app.operation.doctor import Finding, examine, is_well
from app.settings import Settings
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.house.databases import execute, open_owner
from tests.issuing import decided
from tests.net.tls_site import CertificateAuthority, serve
from tests.operation.behind import flipped
from tests.serving import free_port, served

OTHER_KEY = "_" * 43


@pytest.fixture
def clock() -> FixedClock:
    """Every moment in these databases is of today: the doctor's clock is the real one."""
    return FixedClock(datetime.now(UTC))


def findings(found: list[Finding], check: str, outcome: str = "wrong") -> list[Finding]:
    """The findings of a check; what is wrong or a warning has a cure."""
    assert all(each.cure for each in found if each.outcome in ("wrong", "warning"))
    return [each for each in found if each.check == check and each.outcome == outcome]


async def wrong(settings: Settings, check: str, clock: Any = None, **options: Any) -> str:
    """What is said of the one fault that `check` finds."""
    found = await examine(settings, clock or SystemClock(), **options)
    assert not is_well(found)
    [finding] = findings(found, check)
    return f"{finding.detail} {finding.cure}"


async def silent(settings: Settings, check: str, **options: Any) -> bool:
    return not findings(await examine(settings, SystemClock(), **options), check)


def elsewhere(settings: Settings, **changes: Any) -> Settings:
    return Settings.model_validate({**settings.model_dump(), "run_jobs": False, **changes})


@contextmanager
def answering(port: int, body: bytes) -> Iterator[None]:
    """Something else at our address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_a_running_service_is_well(app: FastAPI, settings: Settings, partner: Partner) -> None:
    await decided(partner)
    port = free_port()
    running = elsewhere(settings, public_url=f"http://127.0.0.1:{port}")
    async with open_owner(settings) as engine:
        await execute(engine, "UPDATE installation SET base_url = :url", url=running.public_url)
    with served(running):
        found = await examine(running, SystemClock())
    assert is_well(found), found
    assert [each.check for each in findings(found, "did_documents", "good")] == ["did_documents"]
    checks = {each.check for each in found if each.outcome == "good"}
    assert checks >= {"url", "contexts", "database", "pin", "clock", "keys", "jobs", "did_documents"}
    assert ("disk" if settings.is_sqlite else "role") in checks


async def test_did_document_that_is_not_ours_or_not_there(app: FastAPI, settings: Settings, partner: Partner) -> None:
    port = free_port()
    place = elsewhere(settings, public_url=f"http://127.0.0.1:{port}")
    path = f"{place.public_url}/issuers/academy/did.json"
    assert path in (told := await wrong(place, "did_documents"))
    assert "Nothing answers" in told
    with answering(port, b'{"id": "did:web:somebody.example"}'):
        assert "is not what this database says" in await wrong(place, "did_documents")
    with answering(port, b"<html>"):
        assert path in await wrong(place, "did_documents")


async def test_did_document_over_tls_is_asked_as_a_verifier_would(
    app: FastAPI, settings: Settings, partner: Partner, tmp_path: Path
) -> None:
    document = (await partner.client.get("/issuers/academy/did.json")).json()
    authority = CertificateAuthority(tmp_path)
    async with serve(authority, "localhost") as site:
        networks = ["127.0.0.0/8", "::1/128"]
        place = elsewhere(
            settings, public_url=f"https://localhost:{site.port}", outbound_allow_networks=networks,
            outbound_ca_file=authority.ca_file,
        )  # fmt: skip
        document["alsoKnownAs"] = [f"{place.public_url}/issuers/academy"]
        site.put_json("/issuers/academy/did.json", document)
        assert await silent(place, "did_documents")
        site.put_json("/issuers/academy/did.json", {**document, "verificationMethod": []})
        assert "is not what this database says" in await wrong(place, "did_documents")
        assert "public address" in await wrong(elsewhere(place, outbound_allow_networks=[]), "did_documents")
        assert "cannot be had" in await wrong(elsewhere(place, outbound_ca_file=None), "did_documents")
        missing = elsewhere(place, outbound_ca_file=tmp_path / "none.pem")
        assert "ASSAY_OUTBOUND_CA_FILE" in await wrong(missing, "did_documents")


async def test_public_url_no_verifier_can_use(settings: Settings) -> None:
    assert "not https" in await wrong(elsewhere(settings, public_url="http://badges.example.org"), "url")
    assert await silent(settings, "url")


async def test_public_url_other_than_the_pinned_one(app: FastAPI, settings: Settings) -> None:
    other = elsewhere(settings, public_url="http://127.0.0.1:8009")
    assert f"ASSAY_PUBLIC_URL={settings.public_url}" in await wrong(other, "pin")
    assert await silent(settings, "pin")


async def test_context_that_was_changed(settings: Settings, tmp_path: Path) -> None:
    directory = tmp_path / "contexts"
    shutil.copytree(CONTEXTS_DIRECTORY, directory)
    assert await silent(settings, "contexts", contexts_directory=directory)
    path = directory / "credentials-v2.json"
    path.write_bytes(flipped(path.read_bytes()))
    assert path.name in await wrong(settings, "contexts", contexts_directory=directory)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_disk_that_is_full_or_not_writable(settings: Settings) -> None:
    assert await silent(settings, "disk")
    assert "MiB free" in await wrong(settings, "disk", free_bytes=1 << 60)
    nowhere = elsewhere(settings, database_url="sqlite+aiosqlite:////proc/assay.db")
    assert "cannot be written to" in await wrong(nowhere, "disk")


async def test_database_that_is_not_there_or_not_migrated(settings: Settings, tmp_path: Path) -> None:
    assert await silent(settings, "database")
    url = settings.database_url.get_secret_value()
    missing = elsewhere(settings, database_url=url.replace("assay.db", "no.db").replace("/t", "/u", 1))
    assert "does not answer" in (told := await wrong(missing, "database")) or "no database yet" in told
    found = await examine(missing, SystemClock())
    assert {each.check for each in found if each.outcome == "not checked"} >= {"keys", "jobs", "did_documents"}
    async with open_owner(settings) as engine:
        await execute(engine, "UPDATE alembic_version SET version_num = 'd8dfc136bac6'")
    assert "assay migrate" in await wrong(settings, "database")


@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
async def test_role_that_could_take_the_triggers_off(settings: Settings) -> None:
    assert await silent(settings, "role")
    async with open_owner(settings) as engine:
        [(owner,)] = await execute(engine, "SELECT current_user")
    assert "superuser" in await wrong(elsewhere(settings, database_role=owner), "role")
    assert "cannot be taken on" in await wrong(elsewhere(settings, database_role="nobody_at_all"), "database")


async def test_clock_that_is_wrong(app: FastAPI, settings: Settings, partner: Partner) -> None:
    assert await silent(settings, "clock")
    ahead = FixedClock(datetime.now(UTC) + timedelta(hours=1))
    assert "apart" in await wrong(settings, "clock", ahead)
    async with open_owner(settings) as engine:
        later = (datetime.now(UTC) + timedelta(days=1)).replace(tzinfo=None if settings.is_sqlite else UTC)
        await execute(
            engine, "INSERT INTO event (issuer_id, position, type, object_type, object_id, data, occurred_at) "
            "VALUES (:issuer, 999, 'x.y', 'x', 'x', '{}', :at)", issuer=partner.issuer_id,
            at=str(later) if settings.is_sqlite else later,
        )  # fmt: skip
    assert "still to come" in await wrong(settings, "clock")


async def test_keys_that_do_not_open(app: FastAPI, settings: Settings, partner: Partner) -> None:
    assert await silent(settings, "keys")
    assert "does not open" in await wrong(elsewhere(settings, key_encryption_key=OTHER_KEY), "keys")
    async with open_owner(settings) as engine:
        [(key_id, sealed)] = await execute(engine, "SELECT id, sealed_private_key FROM signing_key")
        update = "UPDATE signing_key SET sealed_private_key = :value"
        await execute(engine, update, value=flipped(bytes(sealed)))
        assert key_id in await wrong(settings, "keys")
        await execute(engine, update, value=bytes(sealed))
        assert await silent(settings, "keys")
        await execute(engine, "UPDATE signing_key SET state = 'retired'")
    assert "no active signing key" in await wrong(settings, "keys")


async def test_key_encryption_key_that_is_being_replaced(app: FastAPI, settings: Settings, partner: Partner) -> None:
    assert settings.key_encryption_key is not None
    old = settings.key_encryption_key.get_secret_value()
    both = elsewhere(settings, key_encryption_key=OTHER_KEY, previous_key_encryption_key=old)
    found = await examine(both, SystemClock())
    assert not findings(found, "keys")
    [warning] = findings(found, "keys", "warning")
    assert "assay keys reencrypt" in warning.cure
    assert not findings(await examine(settings, SystemClock()), "keys", "warning")


async def test_jobs_that_nobody_runs_or_that_fail(app: FastAPI, settings: Settings) -> None:
    async def plant(engine: Any, id_: str, late: timedelta, attempts: int) -> None:
        at = datetime.now(UTC) - late
        await execute(
            engine, "INSERT INTO job (id, name, payload, run_at, attempts) VALUES (:id, 'recover_edition', '{}', :at, :tried)",
            id=id_, at=str(at.replace(tzinfo=None)) if settings.is_sqlite else at, tried=attempts,
        )  # fmt: skip

    async with open_owner(settings) as engine:
        await plant(engine, "just-due", timedelta(seconds=5), 0)
        assert await silent(settings, "jobs")
        await plant(engine, "failing", -timedelta(minutes=30), 9)
        [warning] = findings(await examine(settings, SystemClock()), "jobs", "warning")
        assert "failing was tried 9 times" in warning.detail
        await plant(engine, "stuck", timedelta(hours=1), 0)
    assert "stuck has been due for 60 minutes" in await wrong(settings, "jobs")


async def test_key_that_cannot_be_made_is_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.keys.vault.DEVELOPMENT_KEY", tmp_path / "none" / "development.key")
    assert "ASSAY_KEY_ENCRYPTION_KEY" in await wrong(elsewhere(settings, key_encryption_key=None), "keys")
    assert json.dumps(str(tmp_path)) not in await wrong(elsewhere(settings, key_encryption_key=None), "keys")
