"""Bringing a backup back, into an empty place and nowhere else, on either engine.

Everything that can be known before is asked before: that the archive is whole, of this release's revision and for this public
URL, that the key-encryption key opens its signing keys, and that the place is empty. The rows then come in one transaction.

There is nothing to compare status lists with in an empty place: a restored list is the one of the backup's moment, and what
was revoked since is valid again until it is revoked again. `docs/operations.md` tells operators so.
"""

import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.clock import Clock
from app.db import Database, open_database
from app.errors import Conflict, InvalidInput
from app.issuers.store import require_base_url
from app.keys.store import SigningKey
from app.keys.vault import Vault, list_unreadable
from app.migration import current_revision, head_revision, migrate
from app.net.evidence import EvidenceStore
from app.operation.archive import Manifest, NotABackup, decode_row, read_lines, read_manifest, require_whole
from app.operation.evidence import load_evidence, require_whole_evidence
from app.settings import Settings
from app.tables import metadata

_BATCH_ROWS = 500
_BATCH_BYTES = 4 << 20

Row = dict[str, Any]


class PlaceNotEmpty(Conflict):
    """A restore never mixes two histories."""


class OtherRevision(Conflict):
    """The archive was written by a release with other tables."""


class KeyDoesNotFit(InvalidInput):
    """The key-encryption key at hand is not the one the archive's keys were sealed with."""


async def restore_backup(settings: Settings, vault: Vault, clock: Clock, path: Path) -> Manifest:
    """Restore the archive at `path` as the owner of the tables, as migrations run.

    Raises NotABackup, OtherRevision, BaseUrlPinned, KeyDoesNotFit, PlaceNotEmpty and EvidenceStoreAway, with no row written.
    """
    try:
        archive = tarfile.open(path, "r:")  # noqa: SIM115 - closed below
    except (OSError, tarfile.TarError):
        raise NotABackup(f"{path} cannot be read as a backup.") from None
    with archive:
        manifest = read_manifest(archive)
        _require_revision(manifest)
        require_base_url(manifest.base_url, settings.public_url)
        require_whole(archive, manifest)
        require_whole_evidence(archive, manifest.evidence)
        _require_key(archive, vault)
        database = open_database(settings.database_url.get_secret_value())
        try:
            await _require_empty(settings, database)
            await migrate(settings)
            await load_evidence(archive, EvidenceStore.of(settings))
            async with database.transaction() as session:
                for table in metadata.sorted_tables:
                    await _load(session, table, archive)
                await _set_sequences(session)
                audit(session, issuer_id=None, actor="cli", action="backup.restored", object_id=manifest.id,
                      content={"made_at": manifest.made_at}, at=clock.now())  # fmt: skip
        finally:
            await database.close()
    return manifest


def _require_revision(manifest: Manifest) -> None:
    if manifest.revision == head_revision() and manifest.tables.keys() == metadata.tables.keys():
        return
    raise OtherRevision(
        f"The backup is of revision {manifest.revision} (release {manifest.release}), this release works with "
        f"{head_revision()}.",
        cure="Restore it with the release that wrote it, then bring the database here with `assay migrate`.",
    )


def _require_key(archive: tarfile.TarFile, vault: Vault) -> None:
    table = metadata.tables["signing_key"]
    keys = [SigningKey(**decode_row(table, line)) for line in read_lines(archive, table.name)]
    if list_unreadable(vault, keys):
        raise KeyDoesNotFit(
            "ASSAY_KEY_ENCRYPTION_KEY does not open the keys in this backup.",
            cure="Restore with the key-encryption key of the installation that was backed up.",
        )


async def _require_empty(settings: Settings, database: Database) -> None:
    if settings.lacks_sqlite_file():
        return
    async with database.reading() as session:
        revision = await (await session.connection()).run_sync(current_revision)
        if revision is None:
            return
        if revision != head_revision():
            raise PlaceNotEmpty("There is a database of another revision already.", cure=_EMPTY)
        for name, table in metadata.tables.items():
            if (await session.execute(select(func.count()).select_from(table))).scalar_one():
                raise PlaceNotEmpty(f"There is a database already, with rows in {name}.", cure=_EMPTY)


_EMPTY = "Name a database that is new (ASSAY_DATABASE_URL). A restore never writes into one that is in use."


async def _load(session: AsyncSession, table: Table, archive: tarfile.TarFile) -> None:
    batch: list[Row] = []
    size = 0
    for line, row in _parents_first(table, read_lines(archive, table.name)):
        batch.append(row)
        size += len(line)
        if len(batch) == _BATCH_ROWS or size > _BATCH_BYTES:
            await session.execute(insert(table), batch)
            batch, size = [], 0
    if batch:
        await session.execute(insert(table), batch)


def _parents_first(table: Table, lines: Iterable[bytes]) -> Iterator[tuple[bytes, Row]]:
    """The rows in an order in which no row names one of its own table that comes after it."""
    links = [constraint for constraint in table.foreign_key_constraints if constraint.referred_table is table]
    if not links:
        yield from ((line, decode_row(table, line)) for line in lines)
        return
    own = [element.column.name for element in links[0].elements]
    seen: set[tuple[Any, ...]] = set()
    waiting: dict[tuple[Any, ...], list[tuple[bytes, Row]]] = {}
    for line in lines:
        ready = [(line, decode_row(table, line))]
        while ready:
            text_, row = ready.pop()
            parents = [tuple(row[element.parent.name] for element in link.elements) for link in links]
            absent = next((parent for parent in parents if None not in parent and parent not in seen), None)
            if absent is not None:
                waiting.setdefault(absent, []).append((text_, row))
                continue
            yield text_, row
            key = tuple(row[name] for name in own)
            seen.add(key)
            ready += waiting.pop(key, [])
    if waiting:
        raise NotABackup(f"Rows of {table.name} name others that are not in the archive.")


async def _set_sequences(session: AsyncSession) -> None:
    """PostgreSQL numbers on from what its sequences say, not from the rows."""
    if session.get_bind().dialect.name == "sqlite":
        return
    for table in metadata.sorted_tables:
        [column, *more] = table.primary_key.columns
        if more or column.type.python_type is not int:
            continue
        place = {"table": table.name, "column": column.name}
        named = text("SELECT pg_get_serial_sequence(:table, :column)")
        sequence = (await session.execute(named, place)).scalar_one_or_none()
        if sequence is not None:
            last = (await session.execute(select(func.max(column)))).scalar_one_or_none()
            await session.execute(
                text("SELECT setval(CAST(:sequence AS regclass), :value, false)"),
                {"sequence": sequence, "value": (last or 0) + 1},
            )
