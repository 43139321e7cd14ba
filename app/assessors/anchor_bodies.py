"""Request and response bodies of assessors, anchors, sessions and certifications."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, field_validator, model_validator

from app.assessors.bodies import AssessorCode
from app.assessors.certification import state_at
from app.assessors.respond import may_see_truth
from app.assessors.sessions import Opened
from app.assessors.store import (
    Anchor,
    AnchorResponse,
    AnchorRole,
    AnchorSession,
    Assessor,
    Certification,
    CertificationChange,
    CertificationState,
    MasterReading,
    Training,
)
from app.identifiers import Identifier
from app.submissions.work import Work
from app.web.fields import Body, ExternalId, Key, Line, Moment, Prose

SessionKind = Literal["practice", "qualification", "calibration"]
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
AnchorIds = Annotated[list[Identifier], Field(min_length=1, max_length=50)]


class AssessorCreate(Body):
    person_id: Identifier = Field(description="A person with the role assessor or lead.")
    code: AssessorCode
    school: Line | None = Field(
        default=None,
        description="Your code of where they work, as in enrollments: they do not read work from there.",
        examples=["school-12"],
    )


class AssessorChange(Body):
    """What is left out stays as it is."""

    school: Line | None = Field(default=None, examples=["school-12"])
    is_active: StrictBool | None = Field(default=None, description="Who is not active does not read.")

    @model_validator(mode="after")
    def _changes_something(self) -> "AssessorChange":
        if not self.model_fields_set:
            raise ValueError("name what is to change")
        return self


class AssessorOut(BaseModel):
    id: Identifier
    person_id: Identifier
    code: str
    school: str | None
    is_active: bool
    trainings: list["TrainingOut"]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, assessor: Assessor, trainings: Sequence[Training]) -> "AssessorOut":
        return cls(
            id=assessor.id, person_id=assessor.person_id, code=assessor.code, school=assessor.school,
            is_active=assessor.is_active, created_at=assessor.created_at, updated_at=assessor.updated_at,
            trainings=[TrainingOut.of(each) for each in trainings if each.assessor_id == assessor.id],
        )  # fmt: skip


class TrainingCreate(Body):
    module: Key = Field(examples=["bias-and-fairness"])
    completed_at: Moment


class TrainingOut(BaseModel):
    module: str
    completed_at: Moment

    @classmethod
    def of(cls, training: Training) -> "TrainingOut":
        return cls(module=training.module, completed_at=training.completed_at)


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


class _SessionCreate(Body):
    program_id: Identifier
    achievement_id: Identifier
    version: Version


class PracticeCreate(_SessionCreate):
    assessor_id: Identifier
    anchor_ids: AnchorIds


class RoundCreate(_SessionCreate):
    assessor_id: Identifier
    sets: list[AnchorIds] = Field(min_length=1, max_length=10, description="The anchors, in sets.")


class CalibrationCreate(_SessionCreate):
    anchor_ids: AnchorIds


class SessionLine(BaseModel):
    id: Identifier
    kind: SessionKind
    program_id: Identifier
    achievement_id: Identifier
    version: int
    round: int | None = Field(description="Which of the assessor's qualification rounds it is.")
    sets: list[list[Identifier]] = Field(description="Ids of the anchors.")
    state: Literal["open", "discussing", "closed"]
    opened_at: Moment
    closed_at: Moment | None
    updated_at: Moment

    @staticmethod
    def facts(found: AnchorSession) -> dict[str, Any]:
        return {name: getattr(found, name) for name in SessionLine.model_fields}


class SessionOut(SessionLine):
    """A session as leads see it. `result` has everybody's agreement once it is closed; null where it was cancelled."""

    assessor_id: Identifier | None
    result: dict[str, Any] | None

    @classmethod
    def of(cls, found: AnchorSession) -> "SessionOut":
        return cls(**cls.facts(found), assessor_id=found.assessor_id, result=found.result)


class UncoveredLevel(BaseModel):
    criterion: str
    level: str


class OpenedSessionOut(SessionOut):
    """A new session. A level among `uncovered` is the true score of none of its anchors: whether the assessor can tell it
    is not tested."""

    uncovered: list[UncoveredLevel]

    @classmethod
    def of_opened(cls, opened: Opened) -> "OpenedSessionOut":
        return cls(
            **SessionOut.of(opened.session).model_dump(),
            uncovered=[UncoveredLevel(criterion=criterion, level=level) for criterion, level in opened.uncovered],
        )


class ReasonBody(Body):
    reason: Prose = Field(examples=["Opened for the wrong version."])


class AnchorToScore(BaseModel):
    """An anchor as an assessor sees it: the work, and nothing of what it is for or worth."""

    anchor_id: Identifier
    work: Work


class TrueScores(BaseModel):
    levels: dict[str, str]
    rationales: dict[str, str]


class ResponseOut(BaseModel):
    """An assessor's own scores. `true_scores` come with the answer in a practice, once the discussion has begun in a
    calibration, and never in a qualification round."""

    anchor_id: Identifier
    phase: Literal["before", "after"]
    levels: dict[str, str]
    submitted_at: Moment
    true_scores: TrueScores | None

    @classmethod
    def of(cls, response: AnchorResponse, found: AnchorSession, anchor: Anchor) -> "ResponseOut":
        truth = TrueScores(levels=anchor.levels or {}, rationales=anchor.rationales or {})
        return cls(
            anchor_id=response.anchor_id, phase="after" if response.phase == "after" else "before",
            levels=response.levels, submitted_at=response.submitted_at,
            true_scores=truth if may_see_truth(found) else None,
        )  # fmt: skip


class OwnSessionOut(SessionLine):
    """A session as the assessor sees it: their own scores and their own result, nobody else's."""

    responses: list[ResponseOut]
    result: dict[str, Any] | None = Field(
        description="Your agreement with the true scores, once the session is closed."
    )

    @classmethod
    def of(
        cls, found: AnchorSession, assessor: Assessor, responses: Sequence[AnchorResponse], anchors: Sequence[Anchor]
    ) -> "OwnSessionOut":
        by_id = {anchor.id: anchor for anchor in anchors}
        result = found.result
        if found.kind == "calibration" and result is not None:
            result = result["assessors"].get(assessor.id)
        mine = [each for each in responses if (each.session_id, each.assessor_id) == (found.id, assessor.id)]
        return cls(
            **cls.facts(found), result=result,
            responses=[ResponseOut.of(each, found, by_id[each.anchor_id]) for each in mine],
        )  # fmt: skip


class StateBody(Body):
    state: CertificationState = Field(examples=["probation"])
    reason: Line = Field(
        description="Why, and on probation with what parameters. No names.",
        examples=["Severe on the criterion evidence; every reading is read twice for four weeks."],
    )


class ReviewBody(Body):
    reason: Line = Field(examples=["Trained again on the criterion evidence."])


class ChangeOut(BaseModel):
    state: CertificationState
    reason: str
    changed_by: str
    changed_at: Moment


class CertificationLine(BaseModel):
    """Where an assessor stands with a version. `state` is that of this moment."""

    id: Identifier
    assessor_id: Identifier
    achievement_id: Identifier
    version: int
    state: CertificationState
    valid_from: Moment | None
    valid_until: Moment | None = Field(description="From this moment on it is expired.")
    calibrated_at: Moment | None
    rounds_used: int
    decision_id: Identifier | None = Field(description="The decision whose badge certifies the assessor.")
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, certification: Certification, now: Moment) -> "CertificationLine":
        facts = {name: getattr(certification, name) for name in CertificationLine.model_fields}
        return cls(**facts | {"state": state_at(certification, now)})


class CertificationOut(CertificationLine):
    history: list[ChangeOut] = Field(description="Oldest first.")

    @classmethod
    def with_history(
        cls, certification: Certification, changes: Sequence[CertificationChange], now: Moment
    ) -> "CertificationOut":
        history = [
            ChangeOut.model_validate({name: getattr(each, name) for name in ChangeOut.model_fields}) for each in changes
        ]
        return cls(**CertificationLine.of(certification, now).model_dump(), history=history)
