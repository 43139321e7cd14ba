"""The work as a reader sees it: nothing in it tells who made it, when, or at which attempt.

The same shape serves for submissions and anchors, so that one cannot be told from the other.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import get_version
from app.errors import NotFound
from app.identifiers import Identifier
from app.keys.vault import Vault
from app.learners.recipients import open_key
from app.learners.store import Learner, get_learner
from app.submissions.artifacts import open_details
from app.submissions.statement import ImpactClaim, WorkContext, open_statement
from app.submissions.store import Artifact, Submission, get_submission, list_artifacts, list_by_id, list_shared
from app.submissions.task import task_of
from app.web.fields import Body, Key, Line, Prose, Url

__all__ = ["ConsentedEvidence", "ImpactClaim", "Work", "WorkArtifact", "WorkContext", "WorkPart", "find_owner",
    "get_evidence",
           "list_consented", "list_evidence", "name_neutrally", "open_work"]  # fmt: skip


class WorkPart(Body):
    """The text of one part of the performance task."""

    key: Key = Field(examples=["overview"])
    text: Prose


class WorkArtifact(Body):
    """A file or address. A file is fetched at the reading's `artifacts/{id}`."""

    id: Identifier
    part: Key
    name: Line
    genre: Line | None = None
    description: Prose | None = None
    media_type: Line | None = None
    size: Annotated[int, Field(strict=True, ge=0)] | None = None
    url: Url | None = None


class Work(Body):
    """`unread` are the criteria to be scored: those that an earlier attempt met are not read again. Empty means all."""

    context: WorkContext = WorkContext()
    variant: Key | None = Field(default=None, description="The local variant of the task; all share one rubric.")
    parts: list[WorkPart] = Field(default_factory=list, max_length=20)
    impact: ImpactClaim | None = None
    artifacts: list[WorkArtifact] = Field(default_factory=list, max_length=50)
    unread: list[Key] = Field(default_factory=list, max_length=50)


@dataclass(frozen=True, slots=True)
class ConsentedEvidence:
    """An artifact that the learner lets the badge name. A file has a digest, and no URL."""

    name: str
    genre: str | None
    url: str | None
    digest: str | None


async def list_evidence(session: AsyncSession, submission: Submission) -> list[Artifact]:
    """What the submission rests on: as it was handed in; before, its own artifacts and what team mates share now."""
    if submission.evidence is not None:
        return await list_by_id(session, submission.issuer_id, submission.evidence)
    own = await list_artifacts(session, submission.issuer_id, submission.id)
    return [*own, *await list_shared(session, submission)]


async def find_owner(session: AsyncSession, artifact: Artifact) -> Learner | None:
    """Whose artifact it is, under whose key it is sealed. None once they were erased."""
    submission = await get_submission(session, artifact.issuer_id, artifact.submission_id)
    learner = await get_learner(session, artifact.issuer_id, submission.learner_id)
    return learner if learner.sealed_key is not None else None


async def get_evidence(session: AsyncSession, submission: Submission, artifact_id: str) -> tuple[Artifact, Learner]:
    """An artifact that the submission rests on, be it a team mate's, and whose it is. Raises NotFound."""
    for artifact in await list_evidence(session, submission):
        owner = await find_owner(session, artifact) if artifact.id == artifact_id else None
        if owner is not None:
            return artifact, owner
    raise NotFound("The submission has no artifact with this id.")


async def open_work(session: AsyncSession, vault: Vault, submission: Submission) -> Work:
    """The submission as a reader sees it. Raises Gone for an erased learner.

    Artifacts stand in the order of the parts, and bear the part's name and a number: what the learner called them may tell who
    they are. Those of a team mate who was erased are left out: nobody can open them any more.
    """
    key = open_key(vault, await get_learner(session, submission.issuer_id, submission.learner_id))
    statement = open_statement(key, submission)
    version = await get_version(session, submission.issuer_id, submission.achievement_id, submission.version)
    parts = {part.key: part.name for part in task_of(version.content).parts}
    met = {criterion for criterion, _, _ in submission.banked}
    unread = [each["key"] for each in version.content["rubric"]["criteria"] if each["key"] not in met] if met else []
    return Work(
        context=statement.context,
        variant=submission.variant,
        parts=[WorkPart(key=part, text=statement.parts[part]) for part in parts if part in statement.parts],
        impact=statement.impact,
        artifacts=[
            WorkArtifact(
                id=artifact.id, part=artifact.part, name=name, genre=artifact.genre, description=details.description,
                media_type=artifact.media_type, size=artifact.size, url=details.url,
            )
            for artifact, name, owner in await _list_named(session, submission, parts)
            for details in [open_details(open_key(vault, owner), artifact)]
        ],
        unread=unread,
    )  # fmt: skip


async def list_consented(session: AsyncSession, vault: Vault, submission: Submission) -> list[ConsentedEvidence]:
    """The learner's own artifacts that the badge may name, in the order they were added. Raises Gone."""
    key = open_key(vault, await get_learner(session, submission.issuer_id, submission.learner_id))
    own = await list_artifacts(session, submission.issuer_id, submission.id)
    found = []
    for artifact in own:
        if artifact.consent and (artifact.kind == "url" or artifact.digest is not None):
            details = open_details(key, artifact)
            found.append(ConsentedEvidence(details.name, artifact.genre, details.url, artifact.digest))
    return found


def name_neutrally(parts: Mapping[str, str], keys: Iterable[str]) -> list[str]:
    """A name that tells nothing for each artifact, whose parts have these keys: the part's name and a number."""
    numbers = Counter[str]()
    named = []
    for key in keys:
        numbers[key] += 1
        named.append(f"{parts.get(key, key)} {numbers[key]}")
    return named


async def _list_named(
    session: AsyncSession, submission: Submission, parts: dict[str, str]
) -> list[tuple[Artifact, str, Learner]]:
    """Part by part, each with a name that tells nothing and with its owner."""
    order = {part: number for number, part in enumerate(parts)}
    evidence = sorted(
        await list_evidence(session, submission),
        key=lambda each: (order.get(each.part, len(order)), each.created_at, each.id),
    )
    owners = [await find_owner(session, artifact) for artifact in evidence]
    found = [(artifact, owner) for artifact, owner in zip(evidence, owners, strict=True) if owner is not None]
    names = name_neutrally(parts, [artifact.part for artifact, _ in found])
    return [(artifact, name, owner) for (artifact, owner), name in zip(found, names, strict=True)]
