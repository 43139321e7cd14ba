"""Request and response bodies of the sessions in which anchors are scored."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from app.assessors.anchor_bodies import Version
from app.assessors.respond import may_see_truth
from app.assessors.sessions import Opened
from app.assessors.store import Anchor, AnchorResponse, AnchorSession, Assessor
from app.identifiers import Identifier
from app.submissions.work import Work
from app.web.fields import Body, Moment, Prose

SessionKind = Literal["practice", "qualification", "calibration"]
AnchorIds = Annotated[list[Identifier], Field(min_length=1, max_length=50)]


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
