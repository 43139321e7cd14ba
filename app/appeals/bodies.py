"""Request and response bodies of appeals and moderations."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from app.appeals.moderate import LARGEST, Window
from app.identifiers import Identifier
from app.scoring.approval_bodies import Feedback
from app.web.fields import Body, Moment, Prose


class AppealCreate(Body):
    decision_id: Identifier
    grounds: Prose = Field(examples=["The baseline is on page 2 of the audit."])


class InadmissibleBody(Body):
    reason: Prose = Field(examples=["The grounds concern another program."])


class AppealDecisionBody(Body):
    """`confirmed` where the new levels of record are the old ones, `changed` where they are not, up or down; `void` where another
    attempt has earned the award meanwhile."""

    outcome: Literal["confirmed", "changed", "void"]
    answer: Prose = Field(description="What the learner is told.", examples=["Read again: the baseline is there."])
    feedback: Feedback = Field(default_factory=dict)
    note: Prose | None = Field(default=None, description="For the record; the learner does not see it with the answer.")


class AppealOut(BaseModel):
    """`new_decision_id` is the decision that superseded the appealed one."""

    id: Identifier
    decision_id: Identifier
    submission_id: Identifier
    learner_id: Identifier
    state: Literal["filed", "inadmissible", "reading", "read", "decided"]
    outcome: Literal["confirmed", "changed", "void"] | None
    new_decision_id: Identifier | None
    filed_at: Moment
    answer_due_at: Moment
    decided_at: Moment | None
    updated_at: Moment
    grounds: str | None = Field(description="Null once the learner was erased.")
    answer: str | None


class WindowBody(Body):
    """Decisions on an achievement version, made from a moment on and before another."""

    achievement_id: Identifier
    version: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    decided_from: Moment
    decided_until: Moment

    def window(self) -> Window:
        return Window(self.achievement_id, self.version, self.decided_from, self.decided_until)


class ModerationCreate(Body):
    """Which decisions: by their ids, or by a filter."""

    program_id: Identifier
    decision_ids: list[Identifier] | None = Field(default=None, min_length=1, max_length=LARGEST)
    filter: WindowBody | None = None
    reason_code: Literal["clerical_error", "moderation", "missed_second_reading", "other"]
    note: Prose = Field(examples=["The sampler missed a window: these were to be read twice."])

    @model_validator(mode="after")
    def _names_each_once(self) -> "ModerationCreate":
        if (self.decision_ids is None) == (self.filter is None):
            raise ValueError("give either decision_ids or filter")
        if self.decision_ids is not None and len(set(self.decision_ids)) != len(self.decision_ids):
            raise ValueError("a decision is named twice")
        return self


class ReviewBody(Body):
    """`confirmed` where the new levels of record are the old ones, or lower and the reason is our own fault; else `changed`."""

    outcome: Literal["confirmed", "changed"]
    feedback: Feedback = Field(default_factory=dict)
    note: Prose | None = None


class ModerationItemOut(BaseModel):
    decision_id: Identifier
    outcome: Literal["confirmed", "changed", "void"] | None = Field(
        description="Null until it was reviewed. `void`: the submission became void, and nothing was left to review."
    )
    new_decision_id: Identifier | None
    updated_at: Moment


class ModerationLine(BaseModel):
    """A review of a batch of decisions."""

    id: Identifier
    program_id: Identifier
    reason_code: str
    note: str
    state: Literal["open", "closed"]
    opened_at: Moment
    closed_at: Moment | None
    updated_at: Moment


class ModerationOut(ModerationLine):
    """A review with its decisions."""

    decisions: list[ModerationItemOut]
