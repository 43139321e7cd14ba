"""Writing a backup: every table as it stood at one moment, while the service goes on."""

import hashlib
import tarfile
from datetime import UTC
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.clock import Clock
from app.db import Database
from app.identifiers import new_id
from app.issuers.store import find_base_url
from app.migration import current_revision
from app.net.evidence import EvidenceStore
from app.operation.archive import FORMAT, Manifest, TableSum, add_manifest, add_member, encode_row, member_name
from app.operation.evidence import add_evidence
from app.operation.whole_file import new_file
from app.tables import metadata

_BATCH = 200


async def write_backup(database: Database, clock: Clock, path: Path, evidence: EvidenceStore | None = None) -> Manifest:
    """Write the archive to `path`, readable by its owner alone; it is there when it is whole, or not at all.

    One snapshot: REPEATABLE READ on PostgreSQL, a reading transaction on SQLite. With it go the files of `evidence`; None
    leaves them out, which the manifest says. Raises FileExists, NotWritten, EvidenceStoreAway.
    """
    with new_file(path) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        async with database.snapshot() as session:
            manifest = await _fill(session, database.engine.dialect.name, clock, archive, path.parent, evidence)
    async with database.transaction() as session:
        audit(session, issuer_id=None, actor="cli", action="backup.made", object_id=manifest.id,
              content={name: each.sha256 for name, each in manifest.tables.items()}, at=clock.now())  # fmt: skip
    return manifest


async def _fill(
    session: AsyncSession,
    engine: str,
    clock: Clock,
    archive: tarfile.TarFile,
    directory: Path,
    evidence: EvidenceStore | None,
) -> Manifest:
    revision = await (await session.connection()).run_sync(current_revision)
    base_url = await find_base_url(session)
    sums = {table.name: await _add_table(session, table, archive, directory) for table in metadata.sorted_tables}
    manifest = Manifest(
        id=new_id(),
        format=FORMAT,
        release=version("assay"),
        revision=str(revision),
        base_url=base_url,
        engine=engine,
        made_at=clock.now().astimezone(UTC).isoformat(timespec="seconds"),
        tables=sums,
        evidence=await add_evidence(session, evidence, archive) if evidence else None,
    )
    add_manifest(archive, manifest)
    return manifest


async def _add_table(session: AsyncSession, table: Table, archive: tarfile.TarFile, directory: Path) -> TableSum:
    """A tar wants a member's size before the member, so a table passes through a file without a name."""
    digest, rows = hashlib.sha256(), 0
    with TemporaryFile(dir=directory) as spool:
        query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_BATCH)
        async for row in await session.stream(query):
            line = encode_row(table, row._asdict())
            digest.update(line)
            spool.write(line)
            rows += 1
        size = spool.tell()
        spool.seek(0)
        add_member(archive, member_name(table.name), size, spool)
    return TableSum(rows, digest.hexdigest())
