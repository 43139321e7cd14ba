"""Request and response bodies of flags and of an assessor's own record."""

from typing import Literal

from pydantic import BaseModel, Field

from app.identifiers import Identifier
from app.monitoring.evidence import BesideOthersOut, Evidence, FiguresOut
from app.monitoring.rules import Verdict
from app.monitoring.store import FlagAction, FlagLevel, FlagState, RaterFlag
from app.web.fields import Body, Line, Moment


class DismissalBody(Body):
    reason: Line = Field(
        description="Why nothing is to be done. No names.",
        examples=["Two anchors of the set were read again by the masters; the scores were right."],
    )


class ActionBody(Body):
    action: FlagAction = Field(
        description="`coach`: what was talked over is in the reason. `probation` and `suspend` change the certification, as "
        "`POST /v1/certifications/{id}/state` does."
    )
    reason: Line = Field(
        description="Why, and on probation with what parameters. No names.",
        examples=["Severe on the criterion evidence: trained again on two anchors."],
    )


class FlagLine(BaseModel):
    """That a rule fired, and what became of it."""

    id: Identifier
    program_id: Identifier
    achievement_id: Identifier
    version: int
    rule: str = Field(examples=["low_agreement"])
    level: FlagLevel
    quarter: str = Field(examples=["2026Q4"])
    state: FlagState
    action: FlagAction | None
    reason: str | None
    raised_at: Moment
    decided_at: Moment | None

    @classmethod
    def of(cls, flag: RaterFlag) -> "FlagLine":
        return cls.model_validate({name: getattr(flag, name) for name in FlagLine.model_fields})


class FlagOut(FlagLine):
    """A task for a lead. It changes nothing by itself."""

    assessor_id: Identifier
    evidence: Evidence = Field(description="As it was when the rule fired.")
    decided_by: str | None
    updated_at: Moment

    @classmethod
    def of(cls, flag: RaterFlag) -> "FlagOut":
        return cls.model_validate({name: getattr(flag, name) for name in cls.model_fields})


class RecordLine(BaseModel):
    """An assessor's own figures with one version of an achievement in one program."""

    program_id: Identifier
    achievement_id: Identifier
    version: int
    figures: FiguresOut
    verdict: Verdict | None = Field(description="Whether a rule fires on these figures; null where they are too few.")
    verdict_reason: Literal["too_few"] | None
    beside_others: BesideOthersOut


class ScoringRecord(BaseModel):
    """What an assessor sees of how they score: their own figures, nobody else's.

    Sessions count as soon as they are closed. What comes from the queue (validity papers, work that two read) counts from the
    next quarter on, so that nobody can tell which of their readings was which.
    """

    until: Moment = Field(description="Up to when the queue counts.")
    minimum_ratings: int = Field(description="With fewer there is no verdict,")
    minimum_anchors: int = Field(description="nor with ratings of fewer anchors.")
    records: list[RecordLine]
    flags: list[FlagLine] = Field(description="Those about you that a lead has decided on, oldest first.")
