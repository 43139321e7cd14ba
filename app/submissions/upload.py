"""Uploading the file of an artifact: streamed, sealed on the way, and there whole or not at all.

No transaction is open while the file comes: the first one asks whether it may come, the second takes it in, if the submission is
still being worked on. What becomes of the pieces if neither end is reached is settled before the first one is written.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from starlette.requests import ClientDisconnect

from app.access.principals import Tenant
from app.audit.store import audit
from app.errors import AssayError, Conflict, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.keys.vault import PersonalKey
from app.learners.own import require_own
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.resources import Resources
from app.submissions.artifacts import require_editable, require_free
from app.submissions.evidence import DELETE_JOB, EvidenceTooLarge, Written, folder_of, write_pieces
from app.submissions.media import normalize_media_type, require_media_type
from app.submissions.store import get_artifact, get_submission, lock_submission

LONGEST = timedelta(hours=1)
IDLE_SECONDS = 60


class NotAFile(Conflict):
    """The artifact is a URL."""

    code = "artifact_is_url"


class UploadBroken(InvalidInput):
    """The body ended before its time, or stood still."""

    code = "upload_broken"


async def upload_file(
    world: Resources,
    tenant: Tenant,
    submission_id: str,
    artifact_id: str,
    *,
    declared: str,
    length: int | None,
    chunks: AsyncIterator[bytes],
) -> None:
    """Take in the file of an artifact, in place of the one it may have.

    `declared` is the media type as sent, `length` the Content-Length. Raises NotFound, SubmissionFrozen, NotAFile, ArtifactInUse,
    MediaTypeNotAllowed, MediaTypeMismatch, EvidenceTooLarge, UploadBroken and EvidenceStoreAway, leaving nothing behind.
    """
    media_type = normalize_media_type(declared)
    limit = world.settings.evidence_max_bytes
    if length is not None and length > limit:
        raise EvidenceTooLarge(f"A file of evidence may have {limit:,} bytes.", cure="Shorten or compress it.")
    upload = new_id()
    key = await _prepare(world, tenant, submission_id, artifact_id, upload)
    try:
        async with asyncio.timeout(LONGEST.total_seconds()):
            written = await write_pieces(world.evidence, key, tenant.issuer_id, upload, _steadily(chunks), limit=limit)
        require_media_type(media_type, head=written.head, tail=written.tail, is_text=written.is_text)
        await _take_in(world, tenant, submission_id, artifact_id, upload, media_type, written)
    except BaseException as error:
        await _discard(world, tenant.issuer_id, upload)
        if isinstance(error, TimeoutError | ClientDisconnect):
            raise UploadBroken("The file did not come whole.", cure="Send it again.") from None
        raise


async def _prepare(world: Resources, tenant: Tenant, submission_id: str, artifact_id: str, upload: str) -> PersonalKey:
    now = world.clock.now()
    async with world.database.transaction() as session:
        submission = await get_submission(session, tenant.issuer_id, submission_id)
        await require_own(session, tenant, submission.learner_id, "submission")
        artifact = await get_artifact(session, submission, artifact_id)
        require_editable(submission)
        if artifact.kind != "file":
            raise NotAFile("The artifact is a URL and has no file.", cure="Add another artifact for the file.")
        await require_free(session, submission, artifact)
        # Should this process die: whatever it leaves in the store is deleted once the upload cannot be under way any more.
        enqueue(session, DELETE_JOB, {"issuer_id": tenant.issuer_id, "upload": upload}, run_at=now + 2 * LONGEST)
        return open_key(world.vault, await get_learner(session, tenant.issuer_id, submission.learner_id))


async def _take_in(
    world: Resources,
    tenant: Tenant,
    submission_id: str,
    artifact_id: str,
    upload: str,
    media_type: str,
    written: Written,
) -> None:
    now = world.clock.now()
    async with world.database.transaction() as session:
        submission = await lock_submission(session, tenant.issuer_id, submission_id)
        require_editable(submission)
        artifact = await get_artifact(session, submission, artifact_id)
        await require_free(session, submission, artifact)
        open_key(
            world.vault, await get_learner(session, tenant.issuer_id, submission.learner_id)
        )  # not erased meanwhile
        if artifact.upload is not None:
            enqueue(session, DELETE_JOB, {"issuer_id": tenant.issuer_id, "upload": artifact.upload}, run_at=now)
        artifact.media_type, artifact.size, artifact.pieces = media_type, written.size, written.pieces
        artifact.digest, artifact.upload = written.digest, upload
        submission.updated_at = now
        audit(session, issuer_id=tenant.issuer_id, actor=tenant.actor, action="artifact.uploaded", object_id=artifact_id,
              content={"submission": submission_id, "digest": written.digest}, at=now)  # fmt: skip
        record_event(session, tenant.issuer_id, "submission.changed", submission_id, at=now)


async def _discard(world: Resources, issuer_id: str, upload: str) -> None:
    """Also when this task is being cancelled. If the store does not answer, the job does it later."""
    try:
        await asyncio.shield(asyncio.ensure_future(world.evidence.delete_under(folder_of(issuer_id, upload))))
    except AssayError:
        return


async def _steadily(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks, as long as they keep coming. Raises TimeoutError."""
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                chunk = await chunks.__anext__()
        except StopAsyncIteration:
            return
        yield chunk
