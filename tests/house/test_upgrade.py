"""A database of the first release, with its data, brought to this release: every badge is still served and sound.

`first_release.json` was recorded with the first release's own code (revision d8dfc136bac6): an issuer, two badges, one of them
corrected, the other revoked, a decision not to award. Random fillings are left out: of the status list's shuffled order only
what was drawn, of its bits only the ones.
"""

import asyncio
import base64
import json
import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import LargeBinary, MetaData, Table, insert, text
from sqlalchemy.engine import Connection

from app.db import open_database
from app.errors import Broken
from app.main import create_app
from app.migration import alembic_config, migrate
from app.operation.audit_trail import verify_audit_trail
from app.operation.check import Tally, check_badges, check_lists
from app.settings import Settings
from app.statuslists.bitstring import LIST_LENGTH, new_bits
from tests.conftest import _database_url, _execute, _settings, open_client
from tests.fakes import FixedClock
from tests.house.databases import execute, open_owner
from tests.issuing import require_verifies, world_of

RECORDED = json.loads((Path(__file__).parent / "first_release.json").read_text())


@pytest.fixture(params=["sqlite", "postgresql"])
def previous(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """A database at the first release's revision, with its data."""
    if request.param == "sqlite":
        settings = _settings(f"sqlite+aiosqlite:///{tmp_path / 'previous.db'}", tmp_path)
        asyncio.run(_make(settings))
        yield settings
        return
    uri, name = request.getfixturevalue("postgresql_server"), f"u{uuid4().hex}"
    _execute(uri, f"CREATE DATABASE {name}")
    settings = _settings(_database_url(uri, name), tmp_path)
    try:
        asyncio.run(_make(settings))
        yield settings
    finally:
        _execute(uri, f"DROP DATABASE {name} WITH (FORCE)")


async def _make(settings: Settings) -> None:
    async with open_owner(settings) as engine, engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), RECORDED["revision"]))
        await connection.run_sync(_fill)


def _fill(connection: Connection) -> None:
    """The tables are those the database has, not those of today's code."""
    metadata = MetaData()
    metadata.reflect(connection)
    for name, rows in RECORDED["tables"].items():
        table = metadata.tables[name]
        for row in rows:
            values = {column: _value(table, column, value) for column, value in row.items()}
            connection.execute(insert(table), values)


def _value(table: Table, column: str, value: Any) -> Any:
    match value:
        case {"base64": text}:
            return base64.b64decode(text)
        case {"moment": text}:
            moment = datetime.fromisoformat(text)
            return moment.replace(tzinfo=None) if not getattr(table.c[column].type, "timezone", False) else moment
        case {"json": document}:
            return document
        case {"ones": ones}:
            return new_bits(LIST_LENGTH, ones=ones)
        case {"deck": drawn}:
            rest = sorted(set(range(LIST_LENGTH)) - set(drawn))
            return struct.pack(f"<{LIST_LENGTH}I", *drawn, *rest)
    assert not isinstance(table.c[column].type, LargeBinary) or value is None
    return value


async def test_the_first_release_s_database_is_migrated_and_read(previous: Settings) -> None:
    await migrate(previous)
    clock = FixedClock(datetime.fromisoformat("2026-11-25T12:00:00+00:00"))
    app = create_app(previous.model_copy(update={"run_jobs": False}), clock=clock)
    async with app.router.lifespan_context(app), open_client(app) as client:
        world = world_of(app)
        tally = Tally()
        async for _ in check_badges(world, tally):
            pass
        async for _ in check_lists(world, tally):
            pass
        assert (tally.badges, tally.lists, tally.bad_badges, tally.bad_lists) == (3, 1, [], [])

        credentials = RECORDED["tables"]["credential"]
        digests = {row["edition_id"]: row["digest"] for row in RECORDED["tables"]["representation"]}
        editions = {(row["credential_id"], row["number"]): row["id"] for row in RECORDED["tables"]["edition"]}
        for credential in credentials:
            answer = await client.get(f"/credentials/{credential['id']}")
            served = editions[credential["id"], credential["edition_number"]]
            assert (answer.status_code, answer.headers["etag"]) == (200, f'"{digests[served]}"')
            if credential["state"] == "issued":
                await require_verifies(world, answer.json())
        assert sorted(credential["state"] for credential in credentials) == ["issued", "revoked"]

        async with world.database.snapshot() as session:
            trail = await verify_audit_trail(session)
        assert (trail.faults, trail.entries) == ([], len(RECORDED["tables"]["audit_entry"]))


async def test_the_first_release_may_write_on_while_this_one_runs(previous: Settings) -> None:
    """What it writes into the tables it knows is taken by the migrated database."""
    await migrate(previous)
    async with open_owner(previous) as engine:
        [before] = await execute(engine, "SELECT count(*) FROM audit_entry")
        entry = RECORDED["tables"]["audit_entry"][-1]
        names = [name for name in entry if name != "id"]
        at = entry["recorded_at"]["moment"]
        moment = datetime.fromisoformat(at)
        values = {**entry, "recorded_at": str(moment.replace(tzinfo=None)) if previous.is_sqlite else moment}
        if not previous.is_sqlite:  # the fixture came with its ids; the first release's sequence went on
            await execute(engine, "SELECT setval('audit_entry_id_seq', (SELECT max(id) FROM audit_entry))")
        statement = f"INSERT INTO audit_entry ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
        await execute(engine, statement, **{name: values[name] for name in names})
        assert await execute(engine, "SELECT count(*) FROM audit_entry") == [(before[0] + 1,)]


@pytest.mark.parametrize("previous", ["sqlite"], indirect=True)
async def test_a_torn_database_is_not_migrated(previous: Settings) -> None:
    """SQLite is not asked about references while tables are copied, so it is asked afterwards."""
    database = open_database(previous.database_url.get_secret_value(), sqlite_foreign_keys=False)
    async with database.transaction() as session:
        await session.execute(text("UPDATE credential SET learner_id = 'nobody'"))
    await database.close()
    with pytest.raises(Broken, match="would tear credential from learner"):
        await migrate(previous)
    async with open_owner(previous) as engine:
        assert await execute(engine, "SELECT version_num FROM alembic_version") == [(RECORDED["revision"],)]
