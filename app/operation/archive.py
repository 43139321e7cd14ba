"""The format of a backup: one tar file, the same for both engines, readable with nothing but a tar and a JSON reader.

    tables/<name>.jsonl     a row a line: a JSON object by column; bytes in base64, moments in RFC 3339 in UTC
    evidence/…              pieces of files of evidence, sealed (`app.operation.evidence`)
    manifest.json           what the archive is, the last member: format, revision, base URL, and each table's rows and SHA-256

Sealed values are in it as they are in the database, sealed; the key-encryption key is not. PURE but for the tar.
"""

import base64
import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, Any

from sqlalchemy import Column, LargeBinary, Table

from app.db import UtcDateTime
from app.errors import InvalidInput

FORMAT = "assay-backup/1"
MANIFEST = "manifest.json"
_MAX_MANIFEST = 1 << 20


class NotABackup(InvalidInput):
    """The file is not a whole archive of this format."""


@dataclass(frozen=True, slots=True)
class TableSum:
    """Rows of a table, and the SHA-256 (hex) of its member."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    id: str
    format: str
    release: str
    revision: str
    base_url: str | None
    engine: str
    made_at: str
    tables: Mapping[str, TableSum]
    evidence: TableSum | None = None
    """The pieces of files of evidence; None where they were left out."""

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())


def encode_row(table: Table, row: Mapping[str, Any]) -> bytes:
    """A row as a line."""
    values = {column.name: _to_json(column, row[column.name]) for column in table.columns}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def decode_row(table: Table, line: bytes) -> dict[str, Any]:
    """A line as a row. Raises NotABackup."""
    try:
        values = json.loads(line)
        return {column.name: _from_json(column, values[column.name]) for column in table.columns}
    except (ValueError, KeyError, TypeError):
        raise NotABackup(f"A line of {table.name} is not a row of that table.") from None


def member_name(table: str) -> str:
    return f"tables/{table}.jsonl"


def add_member(archive: tarfile.TarFile, name: str, size: int, content: IO[bytes]) -> None:
    """Add a file that tells nothing of the machine it was made on."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    archive.addfile(info, content)


def add_manifest(archive: tarfile.TarFile, manifest: Manifest) -> None:
    text = json.dumps(asdict(manifest), indent=2).encode() + b"\n"
    add_member(archive, MANIFEST, len(text), BytesIO(text))


def read_manifest(archive: tarfile.TarFile) -> Manifest:
    """Raises NotABackup."""
    try:
        member = archive.getmember(MANIFEST)
        content = archive.extractfile(member)
        if content is None or member.size > _MAX_MANIFEST:
            raise NotABackup("The archive's manifest cannot be read.")
        values = json.loads(content.read())
        if values["format"] != FORMAT:
            raise NotABackup(f"The archive has the format {values['format']}, this release reads {FORMAT}.")
        tables = {name: TableSum(**each) for name, each in values["tables"].items()}
        evidence = values.get("evidence")
        return Manifest(**{**values, "tables": tables, "evidence": evidence and TableSum(**evidence)})
    except (KeyError, ValueError, TypeError, AttributeError, tarfile.TarError):
        raise NotABackup("The file is not a whole backup: it has no manifest of one.") from None


def read_lines(archive: tarfile.TarFile, table: str) -> Iterator[bytes]:
    """The lines of a table. Raises NotABackup."""
    try:
        content = archive.extractfile(member_name(table))
    except (KeyError, tarfile.TarError):
        content = None
    if content is None:
        raise NotABackup(f"The archive lacks the table {table}.")
    try:
        yield from content
    except (OSError, tarfile.TarError):
        raise NotABackup(f"The archive ends within the table {table}.") from None


def require_whole(archive: tarfile.TarFile, manifest: Manifest) -> None:
    """Every table as the manifest has it, before anything is done with one. Raises NotABackup, naming what differs."""
    for name, wanted in manifest.tables.items():
        digest, rows = hashlib.sha256(), 0
        for line in read_lines(archive, name):
            digest.update(line)
            rows += 1
        if (rows, digest.hexdigest()) != (wanted.rows, wanted.sha256):
            raise NotABackup(f"The table {name} is not what the manifest says: the archive was changed or cut short.")


def _to_json(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, LargeBinary):
        return base64.b64encode(value).decode()
    if isinstance(column.type, UtcDateTime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value


def _from_json(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(value, validate=True)
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(value)
    return value
