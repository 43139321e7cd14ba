"""Files of evidence as they lie in the store: cut into pieces, each sealed under the learner's key.

    <issuer id>/<upload id>/<number of the piece, five digits>

A piece is 1 MiB of the file, the last one less. What it is sealed with names the upload, its number and whether it is the last,
so that a file cut short, put in another order or exchanged does not open. Nobody ever holds more of a file than a piece.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import Conflict, Gone, InvalidInput
from app.keys.vault import PersonalKey, Unreadable
from app.learners.recipients import open_key
from app.learners.store import Learner
from app.net.evidence import EvidenceStore
from app.resources import Resources
from app.submissions.media import has_binary
from app.submissions.store import Artifact, is_upload_in_use

PIECE = 1 << 20
_TAIL = 256 << 10

DELETE_JOB = "delete_evidence"
"""An upload may be needed no more: it is deleted unless an artifact rests on it. Payload: issuer_id, upload."""


class EvidenceTooLarge(InvalidInput):
    code = "evidence_too_large"


class EvidenceMissing(Gone):
    """The file is not in the evidence store any more."""

    code = "evidence_missing"


class EvidenceChanged(Conflict):
    """What is in the evidence store is not what was uploaded."""

    code = "evidence_changed"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and what its media type can be told from."""

    size: int
    pieces: int
    digest: str
    head: bytes
    tail: bytes
    is_text: bool


def folder_of(issuer_id: str, upload: str) -> str:
    return f"{issuer_id}/{upload}"


async def write_pieces(
    store: EvidenceStore, key: PersonalKey, issuer_id: str, upload: str, chunks: AsyncIterator[bytes], *, limit: int
) -> Written:
    """Seal and store a file as it comes. Raises EvidenceTooLarge and EvidenceStoreAway, having stored some of it."""
    digest, size, number, is_text = hashlib.sha256(), 0, 0, True
    waiting, head, tail = bytearray(), b"", b""

    async def put(piece: bytes, *, is_last: bool) -> None:
        nonlocal number, head, tail, is_text
        head = head or piece
        tail = (tail + piece)[-_TAIL:]
        is_text = is_text and not has_binary(piece)
        await store.put(_path(issuer_id, upload, number), _seal(key, upload, number, piece, is_last=is_last))
        number += 1

    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise EvidenceTooLarge(
                f"A file of evidence may have {limit:,} bytes.", cure="Shorten or compress it, or give its URL instead."
            )
        digest.update(chunk)
        waiting += chunk
        while len(waiting) > PIECE:  # one is held back: nobody knows yet whether it is the last
            await put(bytes(waiting[:PIECE]), is_last=False)
            del waiting[:PIECE]
    await put(bytes(waiting), is_last=True)
    return Written(size, number, f"sha256:{digest.hexdigest()}", head, tail, is_text)


async def stream_artifact(world: Resources, artifact: Artifact, learner: Learner) -> AsyncIterator[bytes]:
    """The file of an artifact in the clear, piece by piece, after all of it was found whole.

    `learner` is whose artifact it is (a shared one is a team mate's). Raises EvidenceMissing, EvidenceChanged, EvidenceStoreAway
    and Gone (the learner was erased) before the first piece, never in the middle of an answer that began well, unless the store
    changes in between.
    """
    key = open_key(world.vault, learner)
    pieces = range(await require_pieces(world, artifact))
    digest = hashlib.sha256()
    async for piece in _read(world.evidence, key, artifact, pieces):
        digest.update(piece)
    if f"sha256:{digest.hexdigest()}" != artifact.digest:
        raise EvidenceChanged("The file in the evidence store is not the one that was uploaded.")
    return _read(world.evidence, key, artifact, pieces)


async def stream_range(world: Resources, artifact: Artifact, learner: Learner, wanted: range) -> AsyncIterator[bytes]:
    """These bytes of the file of an artifact, from the pieces they lie in and no others.

    `wanted` are offsets within the file, at least one. Raises what `stream_artifact` raises, as far as that shows in the number
    of pieces and in the first one that is needed; each further piece is opened, and so found whole, as its turn comes.
    """
    key = open_key(world.vault, learner)
    await require_pieces(world, artifact)
    pieces = _read(world.evidence, key, artifact, range(wanted[0] // PIECE, wanted[-1] // PIECE + 1))
    return _cut(await anext(pieces), pieces, wanted)


async def require_pieces(world: Resources, artifact: Artifact) -> int:
    """How many pieces the file has, all of which are in the store. None is opened. Raises EvidenceMissing, EvidenceStoreAway."""
    if artifact.upload is None or artifact.pieces is None:
        raise EvidenceMissing("No file was uploaded for this artifact.")
    sizes = await world.evidence.list_sizes(folder_of(artifact.issuer_id, artifact.upload))
    if len(sizes) < artifact.pieces:
        raise EvidenceMissing("The file is not in the evidence store any more, or not all of it.")
    return artifact.pieces


async def delete_evidence(world: Resources, payload: Mapping[str, Any]) -> None:
    """The handler of DELETE_JOB. Doing it again changes nothing."""
    issuer_id, upload = payload["issuer_id"], payload["upload"]
    async with world.database.reading() as session:
        is_needed = await is_upload_in_use(session, issuer_id, upload)
    if not is_needed:
        await world.evidence.delete_under(folder_of(issuer_id, upload))


async def _read(
    store: EvidenceStore, key: PersonalKey, artifact: Artifact, numbers: Sequence[int]
) -> AsyncIterator[bytes]:
    assert artifact.upload is not None
    last = (artifact.pieces or 0) - 1
    for number in numbers:
        sealed = await store.get(_path(artifact.issuer_id, artifact.upload, number))
        if sealed is None:
            raise EvidenceMissing("The file is not in the evidence store any more, or not all of it.")
        try:
            column = _place(number, is_last=number == last)
            yield key.open(sealed, table="evidence", row=artifact.upload, column=column)
        except Unreadable:
            raise EvidenceChanged("The file in the evidence store is not the one that was uploaded.") from None


async def _cut(first: bytes, others: AsyncIterator[bytes], wanted: range) -> AsyncIterator[bytes]:
    """The wanted bytes of consecutive pieces, of which `first` holds the first."""
    skipped, left = wanted.start % PIECE, len(wanted)
    yield first[skipped : skipped + left]
    left -= len(first) - skipped
    async for piece in others:
        yield piece[:left]
        left -= len(piece)


def _seal(key: PersonalKey, upload: str, number: int, piece: bytes, *, is_last: bool) -> bytes:
    return key.seal(piece, table="evidence", row=upload, column=_place(number, is_last=is_last))


def _place(number: int, *, is_last: bool) -> str:
    return f"piece/{number}/{'last' if is_last else 'more'}"


def _path(issuer_id: str, upload: str, number: int) -> str:
    return f"{folder_of(issuer_id, upload)}/{number:05}"
