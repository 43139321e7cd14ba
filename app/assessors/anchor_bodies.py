"""Request and response bodies of anchors."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, field_validator

from app.assessors.store import Anchor, AnchorRole, MasterReading
from app.identifiers import Identifier
from app.submissions.work import Work
from app.web.fields import Body, ExternalId, Key, Moment, Prose

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


class AnchorCreate(Body):
    """De-identified work that assessors will be measured by."""

    external_id: ExternalId | None = None
    achievement_id: Identifier
    version: Version
    role: AnchorRole = Field(description="What it is for; no assessor meets the same work in two roles.")
    content: Work = Field(
        description="What a reader sees: nothing in it may tell who made it. Artifacts are addresses, and all criteria "
        "are read: leave `unread` out."
    )
    source_submission_id: Identifier | None = Field(
        default=None, description="The submission it was made from; then `consent` is needed."
    )
    consent: StrictBool = Field(
        default=False, description="That the learner agreed to their work being used so, de-identified."
    )

    @field_validator("content")
    @classmethod
    def _stands_by_itself(cls, content: Work) -> Work:
        if content.unread:
            raise ValueError("an anchor is read on every criterion: leave unread out")
        if any(artifact.url is None for artifact in content.artifacts):
            raise ValueError("an anchor's artifacts are addresses: give each its url")
        return content


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
