"""A backup brought back into an empty place, of either engine, serves every badge; anything else is refused untouched."""

import asyncio
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.access.clients import create_client
from app.access.principals import TENANT_SCOPES
from app.errors import AssayError
from app.keys.vault import Vault, read_key_encryption_key
from app.main import create_app
from app.operation.archive import MANIFEST
from app.operation.audit_trail import verify_audit_trail
from app.operation.backup import write_backup
from app.operation.check import Tally, check_badges, check_lists
from app.operation.restore import restore_backup
from app.operation.whole_file import FileExists
from app.resources import Resources
from app.settings import Settings
from app.tables import metadata
from tests.conftest import Partner, _database_url, _execute, open_client
from tests.fakes import FixedClock
from tests.issuing import change_status, count_rows, decided, require_verifies, world_of

CHANGING = ("audit_entry", "audit_link", "audit_chain")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Another, empty place of each engine, with the same public URL and key."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'elsewhere' / 'assay.db'}"
        yield Settings.model_validate({**settings.model_dump(), "database_url": url})
        return
    uri, name = request.getfixturevalue("postgresql_server"), f"r{uuid4().hex}"
    _execute(uri, f"CREATE DATABASE {name}")
    try:
        yield Settings.model_validate({**settings.model_dump(), "database_url": _database_url(uri, name)})
    finally:
        _execute(uri, f"DROP DATABASE {name} WITH (FORCE)")


async def live(partner: Partner, clock: FixedClock) -> list[str]:
    """Badges issued, corrected and revoked: their ids."""
    made = [await decided(partner, recipient={"email": f"l{n}@schools.example.org"}) for n in range(3)]
    clock.advance(days=1)
    chain = made[0]["id"]
    for _ in range(3):  # decisions that name each other, in the same second as far as the clock says
        again = {"supersedes": chain, "reason": "A correction.", "recipient": {"email": "l0@schools.example.org"}}
        chain = (await decided(partner, **again))["id"]
        clock.advance(seconds=2)
    await change_status(partner, made[1]["credential"]["id"], "revoke")
    return [each["credential"]["id"] for each in made]


async def contents(world: Resources) -> dict[str, list[Any]]:
    async with world.database.reading() as session:
        return {
            name: [tuple(row) for row in await session.execute(select(table).order_by(*table.primary_key.columns))]
            for name, table in metadata.tables.items()
            if name not in CHANGING
        }


def names_in(directory: Path, part: str) -> list[str]:
    return [path.name for path in directory.iterdir() if part in path.name]


def vault_of(settings: Settings) -> Vault:
    return Vault(read_key_encryption_key(settings))


async def test_a_restored_place_serves_every_badge_byte_for_byte(
    app: FastAPI, settings: Settings, empty: Settings, partner: Partner, clock: FixedClock, tmp_path: Path
) -> None:
    ids = await live(partner, clock)
    world, file = world_of(app), tmp_path / "backup.tar"
    paths = [f"/credentials/{id_}" for id_ in ids] + ["/issuers/academy/did.json", "/.well-known/jwks.json"]
    async with world.database.reading() as session:
        lists = (await session.scalars(select(metadata.tables["status_list"].c.id))).all()
    paths += [f"/status-lists/{id_}" for id_ in lists]
    served = {path: (await partner.client.get(path)).content for path in paths}
    before = await contents(world)

    written = await write_backup(world.database, clock, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert names_in(tmp_path, "backup") == ["backup.tar"]
    restored = await restore_backup(empty, vault_of(empty), clock, file)
    assert restored == written

    other = create_app(empty.model_copy(update={"run_jobs": False}), clock=clock)
    async with other.router.lifespan_context(other):
        there = world_of(other)
        assert await contents(there) == before
        async with open_client(other) as client:
            assert {path: (await client.get(path)).content for path in paths} == served
        await require_verifies(there, json.loads(served[paths[0]]))
        tally = Tally()
        async for _ in check_badges(there, tally):
            pass
        async for _ in check_lists(there, tally):
            pass
        assert (tally.badges, tally.lists, tally.bad_badges, tally.bad_lists) == (6, len(lists), [], [])
        # It goes on where the other stopped: the same tokens, the next numbers, the next index of the list.
        headers = dict(partner.client.headers)
        async with open_client(other) as client:
            client.headers.update(headers)
            further = Partner(client, partner.staff, partner.issuer_id, partner.achievement_id, partner.panel_id)
            await decided(further, recipient={"email": "new@schools.example.org"})
        async with there.database.snapshot() as session:
            trail = await verify_audit_trail(session)
        assert trail.faults == []
        assert (await count_rows(there))["drawn"] == (await count_rows(world))["drawn"] + 1


async def test_there_and_back_again_is_the_same(
    app: FastAPI, settings: Settings, empty: Settings, partner: Partner, clock: FixedClock, tmp_path: Path
) -> None:
    """SQLite to PostgreSQL and back (and the other three ways): the second archive has the first one's tables."""
    await live(partner, clock)
    first = await write_backup(world_of(app).database, clock, tmp_path / "first.tar")
    await restore_backup(empty, vault_of(empty), clock, tmp_path / "first.tar")
    other = create_app(empty.model_copy(update={"run_jobs": False}), clock=clock)
    async with other.router.lifespan_context(other):
        second = await write_backup(world_of(other).database, clock, tmp_path / "second.tar")
    back = Settings.model_validate(
        {**settings.model_dump(), "database_url": f"sqlite+aiosqlite:///{tmp_path / 'back' / 'assay.db'}"}
    )
    await restore_backup(back, vault_of(back), clock, tmp_path / "second.tar")
    last = create_app(back.model_copy(update={"run_jobs": False}), clock=clock)
    async with last.router.lifespan_context(last):
        third = await write_backup(world_of(last).database, clock, tmp_path / "third.tar")
        assert await contents(world_of(last)) == await contents(world_of(app))
    sums = [{name: each for name, each in m.tables.items() if name not in CHANGING} for m in (first, second, third)]
    assert sums[0] == sums[1] == sums[2]


async def test_a_backup_made_while_badges_are_issued_is_of_one_moment(
    app: FastAPI, empty: Settings, partner: Partner, clock: FixedClock, tmp_path: Path
) -> None:
    await decided(partner)

    async def issue() -> None:
        for number in range(6):
            await decided(partner, recipient={"email": f"l{number}@schools.example.org"})

    file = tmp_path / "backup.tar"
    await asyncio.gather(issue(), write_backup(world_of(app).database, clock, file))
    await restore_backup(empty, vault_of(empty), clock, file)
    other = create_app(empty.model_copy(update={"run_jobs": False}), clock=clock)
    async with other.router.lifespan_context(other):
        tally = Tally()
        async for _ in check_badges(world_of(other), tally):
            pass
        assert (tally.bad_badges, 1 <= tally.badges + tally.pending <= 7) == ([], True)
        async with world_of(other).database.snapshot() as session:
            assert (await verify_audit_trail(session)).faults == []


async def test_nothing_readable_is_in_it(
    app: FastAPI, settings: Settings, partner: Partner, clock: FixedClock, tmp_path: Path
) -> None:
    await decided(partner, recipient={"name": "Kanary Quill", "email": "kanary@schools.example.org"})
    await write_backup(world_of(app).database, clock, tmp_path / "backup.tar")
    data = (tmp_path / "backup.tar").read_bytes()
    assert settings.key_encryption_key is not None
    for secret in ("Kanary", "kanary@", settings.key_encryption_key.get_secret_value()):
        assert secret.encode() not in data
    assert partner.issuer_id.encode() in data
    with pytest.raises(FileExists):
        await write_backup(world_of(app).database, clock, tmp_path / "backup.tar")
    assert (tmp_path / "backup.tar").read_bytes() == data


async def refused(empty: Settings, file: Path, **changes: Any) -> str:
    place = Settings.model_validate({**empty.model_dump(), **changes})
    with pytest.raises(AssayError) as error:
        await restore_backup(place, vault_of(place), FixedClock(), file)
    return f"{type(error.value).__name__}: {error.value.detail} {error.value.cure}"


async def test_what_does_not_fit_is_refused_and_leaves_the_place_as_it_was(
    app: FastAPI, settings: Settings, empty: Settings, partner: Partner, clock: FixedClock, tmp_path: Path
) -> None:
    await decided(partner)
    good = tmp_path / "good.tar"
    await write_backup(world_of(app).database, clock, good)
    data = good.read_bytes()

    def changed(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    place = data.index(b'"profile":"eddsa-rdfc-2022"')
    assert "representation" in await refused(empty, changed("byte.tar", data[:place] + b"$" + data[place + 1 :]))
    assert "NotABackup" in await refused(empty, changed("half.tar", data[: len(data) // 2]))
    assert "NotABackup" in await refused(empty, changed("text.tar", b"not a tar" * 400))
    assert "NotABackup" in await refused(empty, tmp_path / "none.tar")
    assert "OtherRevision" in await refused(empty, _with_manifest(good, tmp_path, revision="d8dfc136bac6"))
    assert "format" in await refused(empty, _with_manifest(good, tmp_path, format="assay-backup/9"))
    assert "BaseUrlPinned" in await refused(empty, good, public_url="http://127.0.0.1:8009")
    assert "KeyDoesNotFit" in await refused(empty, good, key_encryption_key="_" * 43)
    before = await contents(world_of(app))
    assert "PlaceNotEmpty" in await refused(settings, good)
    assert await contents(world_of(app)) == before
    # The place is as empty as it was: what fits is restored into it.
    assert (await restore_backup(empty, vault_of(empty), clock, good)).rows > 0
    assert "PlaceNotEmpty" in await refused(empty, good)


def _with_manifest(good: Path, directory: Path, **changes: str) -> Path:
    path = directory / "manifest.tar"
    with tarfile.open(good) as archive, tarfile.open(path, "w") as target:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            data = content.read()
            if member.name == MANIFEST:
                data = json.dumps({**json.loads(data), **changes}).encode()
                member.size = len(data)
            target.addfile(member, io.BytesIO(data))
    return path


async def test_making_a_backup_is_audited(app: FastAPI, partner: Partner, clock: FixedClock, tmp_path: Path) -> None:
    world = world_of(app)
    async with world.database.transaction() as session:
        await create_client(
            session, issuer_id=partner.issuer_id, name="x", scopes=TENANT_SCOPES, expires_at=None, actor="test",
            now=clock.now(),
        )  # fmt: skip
    manifest = await write_backup(world.database, clock, tmp_path / "backup.tar")
    entry = metadata.tables["audit_entry"]
    async with world.database.reading() as session:
        query = select(entry.c.object_id).where(entry.c.action == "backup.made")
        assert (await session.scalars(query)).all() == [manifest.id]
