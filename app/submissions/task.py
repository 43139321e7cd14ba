"""What a version's performance task asks for, and what of it a submission lacks. PURE."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.achievements.bodies import PerformanceTaskBody, RequiredEvidenceBody, TaskPartBody
from app.errors import Fault
from app.submissions.statement import Attestations, Statement
from app.submissions.store import Artifact

_PLAIN_TASK = PerformanceTaskBody(
    summary="The work and what was learned from it.",
    parts=[
        TaskPartBody(key="overview", kind="overview", name="Overview", prompt="What was done, and where?"),
        TaskPartBody(key="artifacts", kind="artifact", name="Artifacts", prompt="What came of it?"),
        TaskPartBody(key="reflection", kind="reflection", name="Reflection", prompt="What was learned?"),
    ],
)
"""For versions without a task of their own."""

MAX_EVIDENCE = 50
"""Artifacts that one submission may rest on, with those of team mates."""


def task_of(content: Mapping[str, Any]) -> PerformanceTaskBody:
    """The performance task of a version; without one a plain one: overview, artifacts, reflection."""
    task = content.get("performance_task")
    return _PLAIN_TASK if task is None else PerformanceTaskBody.model_validate(task)


def list_gaps(content: Mapping[str, Any], statement: Statement, evidence: Sequence[Artifact]) -> list[Fault]:
    """What is still to be done before the work can be submitted, each with its place in the submission as it is shown."""
    required = [RequiredEvidenceBody.model_validate(each) for each in content.get("required_evidence", ())]
    return [
        *_gaps_of_parts(task_of(content).parts, statement, evidence),
        *_gaps_of_evidence(required, evidence),
        *_gaps_of_attestations(statement.attestations),
    ]


def _gaps_of_parts(
    parts: Iterable[TaskPartBody], statement: Statement, evidence: Sequence[Artifact]
) -> Iterable[Fault]:
    for part in parts:
        if part.kind == "artifact":
            if not any(each.part == part.key for each in evidence):
                yield Fault("/artifacts", f"nothing is given for the part {part.key!r}", "add an artifact of this part")
        elif part.kind == "impact":
            if statement.impact is None:
                yield Fault("/statement/impact", "is missing", f"the part {part.key!r} asks for an impact claim")
        elif part.key not in statement.parts:
            yield Fault(f"/statement/parts/{part.key}", "is missing", f"write the part {part.name!r}")


def _gaps_of_evidence(required: Iterable[RequiredEvidenceBody], evidence: Sequence[Artifact]) -> Iterable[Fault]:
    for each in required:
        found = sum(1 for artifact in evidence if (artifact.genre or "").casefold() == each.genre.casefold())
        if found < each.minimum:
            yield Fault(
                "/artifacts", f"{found} of {each.minimum} wanted are of the genre {each.genre!r}",
                f"add what {each.name!r} asks for, with this genre",
            )  # fmt: skip
    for number, artifact in enumerate(evidence):
        if artifact.kind == "file" and artifact.digest is None:
            yield Fault(f"/artifacts/{number}", "its file was not uploaded", "upload it, or remove the artifact")
    if len(evidence) > MAX_EVIDENCE:
        yield Fault("/artifacts", f"there are {len(evidence)}, and {MAX_EVIDENCE} is the most", "remove some")


def _gaps_of_attestations(given: Attestations) -> Iterable[Fault]:
    for name in ("own_work", "student_privacy", "permissions"):
        if not getattr(given, name):
            yield Fault(f"/statement/attestations/{name}", "is not attested", "it must be true before you submit")
    if given.ai_use is None:
        yield Fault("/statement/attestations/ai_use", "is missing", "tell how AI was used, or `none`")
