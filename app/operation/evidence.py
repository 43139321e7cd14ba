"""Files of evidence in a backup, and whether those that should be there are.

They go into the archive, sealed as they are, a member a piece: `evidence/<issuer>/<upload>/<number>`, from a folder or a bucket.
Never more than a piece is in memory. Who copies a bucket otherwise (versioning, replication) may leave them out.
"""

import hashlib
import tarfile
from collections.abc import AsyncIterator, Iterator
from io import BytesIO

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.learners.store import Learner
from app.net.evidence import EvidenceStore
from app.operation.archive import NotABackup, TableSum, add_member
from app.submissions.evidence import folder_of
from app.submissions.store import Artifact, Submission

_PREFIX = "evidence/"
_MAX_PIECE = 2 << 20


async def add_evidence(session: AsyncSession, store: EvidenceStore, archive: tarfile.TarFile) -> TableSum:
    """Add every piece that the snapshot's artifacts rest on, but for what was deleted since. Raises EvidenceStoreAway."""
    digest, pieces = hashlib.sha256(), 0
    async for artifact in _list_files(session):
        assert artifact.upload is not None
        for path in sorted(await store.list_sizes(folder_of(artifact.issuer_id, artifact.upload))):
            content = await store.get(path)
            if content is not None:
                _count(digest, _PREFIX + path, content)
                add_member(archive, _PREFIX + path, len(content), BytesIO(content))
                pieces += 1
    return TableSum(pieces, digest.hexdigest())


def require_whole_evidence(archive: tarfile.TarFile, wanted: TableSum | None) -> None:
    """Raises NotABackup."""
    digest, pieces = hashlib.sha256(), 0
    for name, content in _read(archive):
        _count(digest, name, content)
        pieces += 1
    if wanted is not None and (pieces, digest.hexdigest()) != (wanted.rows, wanted.sha256):
        raise NotABackup("The files of evidence are not what the manifest says: the archive was changed or cut short.")


async def load_evidence(archive: tarfile.TarFile, store: EvidenceStore) -> None:
    """Put every piece back, into a folder or a bucket. Raises EvidenceStoreAway."""
    for name, content in _read(archive):
        await store.put(name.removeprefix(_PREFIX), content)


async def list_missing(session: AsyncSession, store: EvidenceStore) -> tuple[int, list[str]]:
    """How many artifacts have a file, and the ids of those whose pieces are not all in the store."""
    files, missing = 0, []
    async for artifact in _list_files(session):
        assert artifact.upload is not None
        files += 1
        if len(await store.list_sizes(folder_of(artifact.issuer_id, artifact.upload))) < (artifact.pieces or 0):
            missing.append(artifact.id)
    return files, missing


async def _list_files(session: AsyncSession) -> AsyncIterator[Artifact]:
    """One artifact of every upload that can still be opened."""
    query = (
        select(Artifact)
        .join(Submission, (Submission.issuer_id == Artifact.issuer_id) & (Submission.id == Artifact.submission_id))
        .join(Learner, (Learner.issuer_id == Submission.issuer_id) & (Learner.id == Submission.learner_id))
        .where(Artifact.upload.is_not(None), Artifact.removed_at.is_(None), Learner.sealed_key.is_not(None))
        .order_by(Artifact.issuer_id, Artifact.upload, Artifact.id)
    )
    before = None
    async for artifact in await session.stream_scalars(query.execution_options(yield_per=200)):
        if artifact.upload != before:
            yield artifact
        before = artifact.upload


def _read(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in archive.getmembers():
        if not member.name.startswith(_PREFIX):
            continue
        content = archive.extractfile(member)
        if content is None or member.size > _MAX_PIECE or ".." in member.name.split("/"):
            raise NotABackup(f"The archive's member {member.name} is no piece of evidence.")
        try:
            yield member.name, content.read()
        except (OSError, tarfile.TarError):
            raise NotABackup("The archive ends within the files of evidence.") from None


def _count(digest: "hashlib._Hash", name: str, content: bytes) -> None:
    digest.update(f"{name} {len(content)}\n".encode())
    digest.update(content)
