"""The work of an anchor: as it is entered, and as a reader sees it, who must not be able to tell it from a submission.

An artifact is an address, or a file of the submission that the anchor was made from. Such a file is taken over by reference:
it stays one upload, under the key of the learner who uploaded it. So nothing of a learner outlives their erasure, which destroys
that key and empties the anchor (`app.assessors.anchors.forget_anchors_of`); consent to the anchor does not outweigh it.
Rejected: a copy sealed under a key of its own, which would go on after the learner is forgotten, in a file that may tell of them.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion, get_version
from app.assessors.store import Anchor
from app.errors import Fault, InvalidInput, NotFound
from app.identifiers import new_id
from app.learners.store import Learner
from app.submissions.artifacts import UnknownPart
from app.submissions.draft import UnknownVariant
from app.submissions.evidence import EvidenceMissing
from app.submissions.store import Artifact, Submission, list_artifacts
from app.submissions.task import task_of
from app.submissions.work import Work, WorkArtifact, find_owner, name_neutrally


class AnchorSourceUnfit(InvalidInput):
    """The submission that an anchor is made from is of another version, or lacks the file that is to be taken over."""

    code = "anchor_source_unfit"


async def compose_content(
    session: AsyncSession, content: Mapping[str, Any], version: AchievementVersion, source: Submission | None
) -> dict[str, Any]:
    """What the register keeps of the work of a new anchor (`Anchor.content`).

    `content` is `AnchorContent` as JSON. Each artifact gets an id of ours; one that names an artifact of `source` gets the media
    type and size of its file. Raises UnknownPart, UnknownVariant, NotFound for what is no artifact of the source's own, and
    AnchorSourceUnfit for one without a file that stays.
    """
    _require_task(content, version)
    own = [] if source is None else await list_artifacts(session, source.issuer_id, source.id)
    files = {each.id: each for each in own if await _stays(session, source, each)}
    faults = []
    artifacts = []
    for number, each in enumerate(content["artifacts"]):
        taken = each["source_artifact_id"]
        file = files.get(taken)
        if taken is not None and taken not in [each.id for each in own]:
            raise NotFound("The source submission has no artifact of its own with this id.")
        if taken is not None and file is None:
            pointer = f"/content/artifacts/{number}/source_artifact_id"
            faults.append(Fault(pointer, "is no uploaded file of the decided submission that is the source"))
        of_file = {"media_type": file and file.media_type, "size": file and file.size}
        artifacts.append({**each, **of_file, "id": new_id()})
    if faults:
        raise AnchorSourceUnfit("The source has no such files of its own to take over.", faults=faults)
    return {**content, "artifacts": artifacts, "unread": []}


async def open_anchor_work(session: AsyncSession, anchor: Anchor) -> Work:
    """The anchor as a reader sees it: in the order and under the names that `app.submissions.work.open_work` gives."""
    version = await get_version(session, anchor.issuer_id, anchor.achievement_id, anchor.version)
    parts = {part.key: part.name for part in task_of(version.content).parts}
    order = {part: number for number, part in enumerate(parts)}

    def by_part(each: Mapping[str, Any], name: str) -> int:
        return order.get(each[name], len(order))

    content = anchor.content
    texts = sorted(content.get("parts", ()), key=lambda each: by_part(each, "key"))
    artifacts = sorted(content.get("artifacts", ()), key=lambda each: by_part(each, "part"))
    names = name_neutrally(parts, [each["part"] for each in artifacts])
    shown = [_show(each, name) for each, name in zip(artifacts, names, strict=True)]
    return Work.model_validate({**content, "parts": texts, "artifacts": shown})


async def get_anchor_file(session: AsyncSession, anchor: Anchor, artifact_id: str) -> tuple[Artifact, Learner, str]:
    """The file of an artifact of the anchor, whose it is and the name a reader knows it by. Raises NotFound, EvidenceMissing."""
    work = await open_anchor_work(session, anchor)
    names = {each.id: each.name for each in work.artifacts}
    if artifact_id not in names:
        raise NotFound("The work has no artifact with this id.")
    taken = {each["id"]: each.get("source_artifact_id") for each in anchor.content["artifacts"]}[artifact_id]
    artifact = None if taken is None else await session.get(Artifact, (anchor.issuer_id, taken))
    owner = None if artifact is None else await find_owner(session, artifact)
    if artifact is None or owner is None:
        raise EvidenceMissing("No file was uploaded for this artifact.")
    return artifact, owner, names[artifact_id]


def _show(artifact: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Of an address nothing is known but the address, as in a submission."""
    shown = {member: artifact.get(member) for member in WorkArtifact.model_fields} | {"name": name}
    return shown if shown["url"] is None else shown | {"media_type": None, "size": None}


def _require_task(content: Mapping[str, Any], version: AchievementVersion) -> None:
    """What no submission for the version could hold would tell an anchor from one."""
    task = task_of(version.content)
    known = [part.key for part in task.parts]
    places = {f"/content/parts/{number}/key": each["key"] for number, each in enumerate(content["parts"])}
    places |= {f"/content/artifacts/{number}/part": each["part"] for number, each in enumerate(content["artifacts"])}
    faults = [
        Fault(pointer, f"the performance task has no part {part!r}", f"the parts are {', '.join(known)}")
        for pointer, part in places.items()
        if part not in known
    ]
    if faults:
        raise UnknownPart("The performance task of this version has other parts.", faults=faults)
    variants = [each.key for each in task.variants]
    if content["variant"] is not None and content["variant"] not in variants:
        fault = Fault("/content/variant", "the performance task has no such variant")
        raise UnknownVariant("The performance task of this version has other variants.", faults=[fault])


async def _stays(session: AsyncSession, source: Submission | None, artifact: Artifact) -> bool:
    """Whether the artifact has a file that nobody can take away or exchange any more, but by erasing the learner."""
    if source is None or source.state != "decided" or artifact.digest is None:
        return False
    return await find_owner(session, artifact) is not None
