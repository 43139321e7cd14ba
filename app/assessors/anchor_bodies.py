"""Request and response bodies of anchors."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StrictBool, field_validator, model_validator

from app.assessors.store import Anchor, AnchorRole, MasterReading
from app.identifiers import Identifier
from app.submissions.work import ImpactClaim, WorkContext, WorkPart
from app.web.fields import Body, ExternalId, Key, Line, Moment, Prose, Url

Version = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Levels = Annotated[
    dict[Key, Key],
    Field(
        min_length=1,
        max_length=50,
        description="Level key by criterion key: all criteria of the version's rubric.",
        examples=[{"problem": "demonstrated", "evidence": "developing"}],
    ),
]


class AnchorArtifact(Body):
    """An address, or a file of the source submission. A reader sees it under the name of its part and a number."""

    part: Key
    name: Line | None = Field(default=None, description="What leads call it; no reader is shown it.")
    genre: Line | None = None
    description: Prose | None = None
    url: Url | None = None
    source_artifact_id: Identifier | None = Field(
        default=None, description="An artifact of the source submission, whose uploaded file is taken over."
    )

    @model_validator(mode="after")
    def _can_be_opened(self) -> Self:
        if (self.url is None) == (self.source_artifact_id is None):
            raise ValueError("an anchor's artifact is an address or a file: give either url or source_artifact_id")
        return self


class AnchorContent(Body):
    """The work. All criteria are read, and its parts are those of the version's performance task."""

    context: WorkContext = WorkContext()
    variant: Key | None = None
    parts: list[WorkPart] = Field(default_factory=list, max_length=20)
    impact: ImpactClaim | None = None
    artifacts: list[AnchorArtifact] = Field(default_factory=list, max_length=50)

    @field_validator("parts")
    @classmethod
    def _each_once(cls, parts: list[WorkPart]) -> list[WorkPart]:
        if len({part.key for part in parts}) < len(parts):
            raise ValueError("a part is given twice: give each once")
        return parts


class AnchorCreate(Body):
    """De-identified work that assessors will be measured by."""

    external_id: ExternalId | None = None
    achievement_id: Identifier
    version: Version
    role: AnchorRole = Field(description="What it is for; no assessor meets the same work in two roles.")
    content: AnchorContent = Field(description="What a reader sees: nothing in it may tell who made it.")
    source_submission_id: Identifier | None = Field(
        default=None, description="The submission it was made from; then `consent` is needed."
    )
    consent: StrictBool = Field(
        default=False, description="That the learner agreed to their work being used so, de-identified."
    )


class LevelsBody(Body):
    levels: Levels


class ReconciliationBody(Body):
    """The true scores on which the masters agreed, each with its reason."""

    levels: Levels
    rationales: dict[Key, Prose] = Field(
        min_length=1, max_length=50, description="Why, by criterion key.",
        examples=[{"problem": "Three sources agree.", "evidence": "There is no baseline."}],
    )  # fmt: skip


class MasterReadingOut(BaseModel):
    """`levels` are null to who could still give a reading of their own: masters read independently."""

    person_id: Identifier
    levels: dict[str, str] | None
    read_at: Moment


class AnchorLine(BaseModel):
    """An anchor without its scores."""

    id: Identifier
    external_id: str | None
    achievement_id: Identifier
    version: int
    role: AnchorRole
    state: Literal["draft", "active", "retired"]
    content: dict[str, Any] = Field(description="The work; empty once the learner it came from was erased.")
    source_submission_id: Identifier | None
    exposures: int = Field(description="How many assessors have met it.")
    created_at: Moment
    updated_at: Moment

    @staticmethod
    def facts(anchor: Anchor) -> dict[str, Any]:
        return {name: getattr(anchor, name) for name in AnchorLine.model_fields}

    @classmethod
    def of(cls, anchor: Anchor) -> "AnchorLine":
        return cls(**cls.facts(anchor))


class AnchorOut(AnchorLine):
    """An anchor with its true scores, for leads."""

    levels: dict[str, str] | None = Field(description="The true scores, by criterion; null for a draft.")
    rationales: dict[str, str] | None
    master_readings: list[MasterReadingOut]

    @classmethod
    def for_lead(
        cls, anchor: Anchor, readings: Sequence[MasterReading], person_id: str, *, masters: int
    ) -> "AnchorOut":
        own = any(each.person_id == person_id for each in readings)
        shown = own or anchor.state != "draft" or len(readings) >= masters
        return cls(
            **cls.facts(anchor), levels=anchor.levels, rationales=anchor.rationales,
            master_readings=[
                MasterReadingOut(person_id=each.person_id, levels=each.levels if shown else None, read_at=each.read_at)
                for each in readings
            ],
        )  # fmt: skip
