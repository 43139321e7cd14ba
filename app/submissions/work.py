"""The work as a reader sees it: nothing in it tells who made it, when, or at which attempt.

The same shape serves for submissions and anchors, so that one cannot be told from the other.
"""

import json
from typing import Annotated

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import get_version
from app.identifiers import Identifier
from app.keys.vault import Vault
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.submissions.store import Submission
from app.web.fields import Body, Key, Line, Prose, Url


class WorkPart(Body):
    """The text of one part of the performance task."""

    key: Key = Field(examples=["overview"])
    text: Prose


class WorkContext(Body):
    """Where the work was done, as far as it does not tell by whom."""

    role: Line | None = Field(default=None, examples=["Assistant principal"])
    school_type: Line | None = Field(default=None, examples=["Middle school"])
    grade_band: Line | None = Field(default=None, examples=["6-8"])


class ImpactClaim(Body):
    """What changed, measured: an indicator before and after."""

    indicator: Line = Field(examples=["Share of office referrals that went to Black students"])
    baseline: Line = Field(examples=["61 %"])
    follow_up: Line = Field(examples=["38 %"])
    n: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] | None = None
    period: Line | None = Field(default=None, examples=["September 2025 to March 2026"])
    level: Annotated[str, Field(pattern="^(student|team|system)$")] = Field(default="student")


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


async def open_work(session: AsyncSession, vault: Vault, submission: Submission) -> Work:
    """The submission as a reader sees it. Raises Gone for an erased learner."""
    key = open_key(vault, await get_learner(session, submission.issuer_id, submission.learner_id))
    plain = key.open(submission.sealed_statement, table="submission", row=submission.id, column="sealed_statement")
    statement = json.loads(plain)
    version = await get_version(session, submission.issuer_id, submission.achievement_id, submission.version)
    met = {criterion for criterion, _, _ in submission.banked}
    unread = [each["key"] for each in version.content["rubric"]["criteria"] if each["key"] not in met] if met else []
    parts = [{"key": part, "text": text} for part, text in statement["parts"].items()]
    return Work.model_validate(
        {"context": statement["context"], "variant": submission.variant, "parts": parts, "impact": statement["impact"],
         "unread": unread}
    )  # fmt: skip
