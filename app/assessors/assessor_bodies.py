"""Request and response bodies of assessors and their certifications."""

from collections.abc import Sequence

from pydantic import BaseModel, Field, StrictBool, model_validator

from app.assessors.bodies import AssessorCode
from app.assessors.certification import state_at
from app.assessors.store import Assessor, Certification, CertificationChange, CertificationState, Training
from app.identifiers import Identifier
from app.web.fields import Body, Key, Line, Moment


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
