"""/v1/submissions/{id}/artifacts: evidence, and its files, which stream in and out."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.access.dependencies import SubmissionsRead, SubmissionsWrite
from app.access.idempotency import Idempotency
from app.identifiers import Identifier
from app.learners.answers import begin_once, keep_answer
from app.learners.own import require_own
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.submissions.artifacts import Details, add_artifact, change_artifact, open_details, remove_artifact
from app.submissions.bodies import ArtifactChange, ArtifactCreate, ArtifactOut
from app.submissions.download import BYTES, DOWNLOADS, send_file
from app.submissions.media import EXTENSIONS
from app.submissions.store import get_artifact, get_submission, lock_submission
from app.submissions.upload import upload_file
from app.submissions.work import get_evidence
from app.web.bodies import media_type_of
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.problems import responses

routes = APIRouter(prefix="/v1/submissions/{submission_id}/artifacts")

_ONE = "/{artifact_id}"


@routes.post("", status_code=201, operation_id="add_artifact",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "part": "artifacts", "name": "Equity audit", "url": "https://evidence.example.org/17",
                 "consent": True}}}}})  # fmt: skip
async def add(
    submission_id: Identifier,
    body: ArtifactCreate,
    tenant: SubmissionsWrite,
    session: Session,
    world: World,
    now: Now,
    idempotency: Idempotency,
) -> ArtifactOut:
    """Add an artifact: a URL, which is not fetched, or a file, which is then uploaded with PUT to its `file`."""
    await begin_once(session, world.vault, idempotency, tenant.issuer_id)
    submission = await lock_submission(session, tenant.issuer_id, submission_id)
    await require_own(session, tenant, submission.learner_id, "submission")
    learner = await get_learner(session, tenant.issuer_id, submission.learner_id)
    key = open_key(world.vault, learner)
    artifact = await add_artifact(
        session, submission, key, part=body.part, genre=body.genre,
        details=Details(body.name, body.description, body.url), consent=body.consent, shared=body.shared,
        actor=tenant.actor, now=now,
    )  # fmt: skip
    out = ArtifactOut.of(artifact, key)
    await keep_answer(session, world.vault, idempotency, learner, out)
    return out


@routes.patch(_ONE, operation_id="change_artifact",
              responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
              openapi_extra={"requestBody": {"content": {"application/json": {"example": {"consent": True}}}}})  # fmt: skip
async def change(
    submission_id: Identifier,
    artifact_id: Identifier,
    body: ArtifactChange,
    tenant: SubmissionsWrite,
    session: Session,
    world: World,
    now: Now,
) -> ArtifactOut:
    """Change what is said of an artifact. Consent may be given and withdrawn until the decision."""
    submission = await lock_submission(session, tenant.issuer_id, submission_id)
    await require_own(session, tenant, submission.learner_id, "submission")
    artifact = await get_artifact(session, submission, artifact_id)
    key = open_key(world.vault, await get_learner(session, tenant.issuer_id, submission.learner_id))
    changes = body.model_dump(exclude_unset=True)
    await change_artifact(session, submission, artifact, key, changes, actor=tenant.actor, now=now)
    return ArtifactOut.of(artifact, key)


@routes.delete(_ONE, operation_id="remove_artifact", responses=responses(401, 403, 404, 409, 410, 422))
async def remove(
    submission_id: Identifier,
    artifact_id: Identifier,
    tenant: SubmissionsWrite,
    session: Session,
    world: World,
    now: Now,
) -> ArtifactOut:
    """Take an artifact out of the submission. Its file is deleted, unless an earlier attempt rests on it too."""
    submission = await lock_submission(session, tenant.issuer_id, submission_id)
    await require_own(session, tenant, submission.learner_id, "submission")
    artifact = await get_artifact(session, submission, artifact_id)
    key = open_key(world.vault, await get_learner(session, tenant.issuer_id, submission.learner_id))
    await remove_artifact(session, submission, artifact, actor=tenant.actor, now=now)
    return ArtifactOut.of(artifact, key)


@routes.put(f"{_ONE}/file", operation_id="upload_artifact_file",
            responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422, 503),
            openapi_extra={"requestBody": {"required": True,
                                           "content": dict.fromkeys(EXTENSIONS, BYTES)}})  # fmt: skip
async def put_file(
    submission_id: Identifier, artifact_id: Identifier, request: Request, tenant: SubmissionsWrite, world: World
) -> ArtifactOut:
    """Upload the file of an artifact: its bytes as the body, what it is in Content-Type. An earlier file is replaced.

    The file must be what it says. It is streamed, encrypted under the learner's key, and never run or rendered.
    """
    length = request.headers.get("content-length", "")
    await upload_file(
        world, tenant, submission_id, artifact_id,
        declared=media_type_of(request), length=int(length) if length.isdigit() else None, chunks=request.stream(),
    )  # fmt: skip
    async with world.database.reading() as session:
        submission = await get_submission(session, tenant.issuer_id, submission_id)
        learner = await get_learner(session, tenant.issuer_id, submission.learner_id)
        return ArtifactOut.of(await get_artifact(session, submission, artifact_id), open_key(world.vault, learner))


@routes.get(f"{_ONE}/file", operation_id="download_artifact_file", response_class=Response, responses=DOWNLOADS)
async def get_file(
    submission_id: Identifier,
    artifact_id: Identifier,
    request: Request,
    tenant: SubmissionsRead,
    session: ReadSession,
    world: World,
) -> Response:
    """Download the file of an artifact, also one that a team mate shares, or one range of its bytes.

    All of it was found whole before the first byte is sent; of a range only the pieces it lies in are opened.
    """
    submission = await get_submission(session, tenant.issuer_id, submission_id)
    await require_own(session, tenant, submission.learner_id, "submission")
    open_key(world.vault, await get_learner(session, tenant.issuer_id, submission.learner_id))  # 410 once erased
    artifact, owner = await get_evidence(session, submission, artifact_id)
    name = open_details(open_key(world.vault, owner), artifact).name
    return await send_file(request, world, artifact, owner, name)
