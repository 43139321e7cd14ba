"""Verbs on artifacts: add one, change what is said of it, remove it; and the learner's words, which change at the same times."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import get_version
from app.audit.store import audit
from app.errors import Conflict, Fault, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.keys.vault import PersonalKey
from app.submissions.evidence import DELETE_JOB
from app.submissions.statement import Statement, StatementBody, open_statement, seal_statement
from app.submissions.store import (
    EDITABLE,
    Artifact,
    Submission,
    list_artifacts,
    list_team_submissions,
)
from app.submissions.task import task_of

MAX_ARTIFACTS = 30
"""Of one submission, without those of team mates."""


class SubmissionFrozen(Conflict):
    """The work was handed in: it is judged as it is."""

    code = "submission_frozen"


class UnknownPart(InvalidInput):
    """The performance task has no such part."""

    code = "unknown_part"


class TeamNotDeclared(Conflict):
    """Only work that a team is declared for can be shared."""

    code = "team_not_declared"


class ArtifactInUse(Conflict):
    """A team mate's submission rests on the artifact."""

    code = "artifact_in_use"


class TooManyArtifacts(Conflict):
    code = "too_many_artifacts"


@dataclass(frozen=True, slots=True)
class Details:
    """What of an artifact is sealed."""

    name: str
    description: str | None = None
    url: str | None = None


def seal_details(key: PersonalKey, artifact_id: str, details: Details) -> bytes:
    """What the row of an artifact holds."""
    return key.seal_json(asdict(details), table="artifact", row=artifact_id, column="sealed_details")


def open_details(key: PersonalKey, artifact: Artifact) -> Details:
    """The pair of `seal_details`. Raises Unreadable."""
    sealed = artifact.sealed_details
    return Details(**key.open_json(sealed, table="artifact", row=artifact.id, column="sealed_details"))


def require_editable(submission: Submission) -> None:
    """Raises SubmissionFrozen."""
    if submission.state not in EDITABLE:
        raise SubmissionFrozen("The submission was handed in and cannot be changed.")


async def write_statement(
    session: AsyncSession, submission: Submission, key: PersonalKey, words: StatementBody, *, actor: str, now: datetime
) -> None:
    """Replace the learner's words. The submission is locked. Raises SubmissionFrozen and UnknownPart."""
    require_editable(submission)
    await _require_parts(session, submission, {f"/parts/{part}": part for part in words.parts})
    statement = Statement(**dict(words), context=open_statement(key, submission).context)
    submission.sealed_statement = seal_statement(key, submission.id, statement)
    _note(session, submission, "submission.changed", submission.id, actor, now)


async def add_artifact(
    session: AsyncSession,
    submission: Submission,
    key: PersonalKey,
    *,
    part: str,
    genre: str | None,
    details: Details,
    consent: bool,
    shared: bool,
    actor: str,
    now: datetime,
) -> Artifact:
    """A new artifact: of a URL, or without one of a file that is still to come. The submission is locked.

    Raises SubmissionFrozen, UnknownPart, TeamNotDeclared and TooManyArtifacts.
    """
    require_editable(submission)
    await _require_parts(session, submission, {"/part": part})
    _require_team(submission, shared=shared)
    if len(await list_artifacts(session, submission.issuer_id, submission.id)) >= MAX_ARTIFACTS:
        raise TooManyArtifacts(f"A submission has at most {MAX_ARTIFACTS} artifacts of its own.")
    id_ = new_id()
    artifact = Artifact(
        issuer_id=submission.issuer_id,
        id=id_,
        submission_id=submission.id,
        part=part,
        kind="file" if details.url is None else "url",
        genre=genre,
        sealed_details=seal_details(key, id_, details),
        consent=consent,
        shared=shared,
        created_at=now,
    )
    session.add(artifact)
    await session.flush()
    _note(session, submission, "artifact.added", id_, actor, now)
    return artifact


async def change_artifact(
    session: AsyncSession,
    submission: Submission,
    artifact: Artifact,
    key: PersonalKey,
    changes: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Change name, description, genre, consent or sharing. The submission is locked.

    Consent may be given and withdrawn until the decision; all else only while the learner works on the submission. Raises
    SubmissionFrozen, TeamNotDeclared and ArtifactInUse.
    """
    if set(changes) - {"consent"} or submission.state in ("decided", "withdrawn", "void"):
        require_editable(submission)
    if "shared" in changes:
        _require_team(submission, shared=changes["shared"])
        if not changes["shared"]:
            await require_free(session, submission, artifact)
    sealed = {name: value for name, value in changes.items() if name in ("name", "description")}
    if sealed:
        details = {**asdict(open_details(key, artifact)), **sealed}
        artifact.sealed_details = seal_details(key, artifact.id, Details(**details))
    for name in ("genre", "consent", "shared"):
        if name in changes:
            setattr(artifact, name, changes[name])
    _note(session, submission, "artifact.changed", artifact.id, actor, now)


async def remove_artifact(
    session: AsyncSession, submission: Submission, artifact: Artifact, *, actor: str, now: datetime
) -> None:
    """Take an artifact out; its file is deleted soon. The submission is locked. Raises SubmissionFrozen and ArtifactInUse."""
    require_editable(submission)
    await require_free(session, submission, artifact)
    artifact.removed_at = now
    if artifact.upload is not None:
        enqueue(session, DELETE_JOB, {"issuer_id": artifact.issuer_id, "upload": artifact.upload}, run_at=now)
    _note(session, submission, "artifact.removed", artifact.id, actor, now)


async def require_free(session: AsyncSession, submission: Submission, artifact: Artifact) -> None:
    """Raises ArtifactInUse while a team mate's submission that was handed in rests on the artifact."""
    if not artifact.shared:
        return
    for mate in await list_team_submissions(session, submission):
        if artifact.id in (mate.evidence or ()):
            raise ArtifactInUse("A team mate has handed in work that rests on this artifact.")


def _require_team(submission: Submission, *, shared: bool) -> None:
    if shared and submission.team_id is None:
        raise TeamNotDeclared(
            "The submission names no team to share with.",
            cure="Withdraw it and begin one that names your team (`team_id`), or do not share.",
        )


async def _require_parts(session: AsyncSession, submission: Submission, parts: Mapping[str, str]) -> None:
    version = await get_version(session, submission.issuer_id, submission.achievement_id, submission.version)
    known = [part.key for part in task_of(version.content).parts]
    faults = [
        Fault(pointer, f"the performance task has no part {part!r}", f"the parts are {', '.join(known)}")
        for pointer, part in parts.items()
        if part not in known
    ]
    if faults:
        raise UnknownPart("The performance task of this version has other parts.", faults=faults)


def _note(
    session: AsyncSession, submission: Submission, action: str, object_id: str, actor: str, now: datetime
) -> None:
    submission.updated_at = now
    audit(session, issuer_id=submission.issuer_id, actor=actor, action=action, object_id=object_id,
          content={"submission": submission.id}, at=now)  # fmt: skip
    record_event(session, submission.issuer_id, "submission.changed", submission.id, at=now)
