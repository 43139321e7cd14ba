"""Request and response bodies of the decisions of our own workflow."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.identifiers import Identifier
from app.scoring.approve import Judgment
from app.submissions.store import Submission
from app.web.fields import Body, Key, Moment, Prose

Feedback = Annotated[
    dict[Key, Prose],
    Field(
        max_length=50,
        description="By criterion: what the learner can do next. Laid over the reader's; in the end each criterion that was "
        "not met needs one.",
        examples=[{"evidence": "Measure the change against a baseline from before it began."}],
    ),
]


class ApprovalBody(Body):
    """The outcome must be what the rule gives for the levels of record: an approver confirms it, or returns the submission."""

    outcome: Literal["awarded", "not_yet"]
    feedback: Feedback = Field(default_factory=dict)
    note: Prose | None = Field(
        default=None, description="For the record; the learner does not see it with the feedback."
    )

    def judgment(self) -> Judgment:
        return Judgment(self.outcome, self.feedback, self.note)


class ReturnBody(Body):
    reason: Prose = Field(examples=["The rationale speaks of evidence that is not in the submission."])


class ReturnOut(BaseModel):
    submission_id: Identifier
    state: Literal["scoring"]


class ReturnReasonOut(BaseModel):
    """Why the submission was last returned to scoring."""

    submission_id: Identifier
    reason: str | None = Field(description="Null if it never was returned.")


class RecommendationTask(BaseModel):
    """A submission that waits to be decided on, without whose it is."""

    submission_id: Identifier
    program_id: Identifier
    achievement_id: Identifier
    version: int
    resolved_at: Moment

    @classmethod
    def of(cls, submission: Submission) -> "RecommendationTask":
        return cls.model_validate(
            {
                "submission_id": submission.id,
                "program_id": submission.program_id,
                "achievement_id": submission.achievement_id,
                "version": submission.version,
                "resolved_at": submission.resolved_at,
            }
        )


class CriterionOut(BaseModel):
    """A criterion at its level of record."""

    criterion: str
    level: str
    met: bool
    rationale: str | None
    feedback: str | None


class RecommendationOut(BaseModel):
    """What the readings recommend. `outcome` is what the rule gives for the levels of record."""

    submission_id: Identifier
    method: str = Field(description="How the readings became the scores of record.")
    outcome: Literal["awarded", "not_yet"]
    criteria: list[CriterionOut]
    return_reason: str | None = Field(
        description="Why an approver returned the submission to scoring before this; null if none did."
    )
    resolved_at: Moment


class FeedbackOut(BaseModel):
    """What the learner is told, from the decision on."""

    submission_id: Identifier
    decision_id: Identifier
    outcome: Literal["awarded", "not_yet"]
    criteria: list[CriterionOut]
    decided_at: Moment
