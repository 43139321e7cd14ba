"""Request and response bodies of cases of misconduct."""

from collections.abc import Iterable
from typing import Annotated, Any, cast

from pydantic import BaseModel, Field

from app.identifiers import Identifier
from app.misconduct.store import CaseState, Effect, MisconductCase, MisconductVote, Stage, Vote
from app.web.fields import Body, Moment, Prose

PanelIds = Annotated[
    list[Identifier],
    Field(
        min_length=3,
        max_length=15,
        description="Ids of people who are leads, approvers or directors, have not read the submission and are not affiliated "
        "with the learner.",
    ),
]


class CaseOpen(Body):
    submission_id: Identifier
    notice: Prose = Field(
        description="What the learner is told: what is suspected, and on what grounds.",
        examples=["Two pages of the reflection are word for word those of a published portfolio."],
    )
    panel: PanelIds


class TextBody(Body):
    text: Prose = Field(examples=["The pages were a draft I had quoted; the references got lost."])


class PanelBody(Body):
    panel: PanelIds


class ReplacementBody(Body):
    person_id: Identifier = Field(description="A member of the panel whose vote is open, who has not voted.")
    replacement_id: Identifier = Field(description="Who sits there from now on, fit as any member of a panel.")


class VoteBody(Body):
    vote: Vote = Field(description="`dismissed`; `suspend` the badge; or `void` the submission and revoke the badge.")
    reason: Prose = Field(description="Told to the learner with the outcome, without your name.")


class ReasonOut(BaseModel):
    stage: Stage
    text: str


class _CaseLine(BaseModel):
    id: Identifier
    submission_id: Identifier
    state: CaseState
    outcome: Vote | None = Field(
        description="What the panel decided; it takes effect when the case is closed; see `effect`."
    )
    notice: str | None = Field(description="The texts are null once the learner was erased.")
    answer: str | None
    appeal: str | None
    opened_at: Moment
    answer_due_at: Moment
    decided_at: Moment | None
    appeal_due_at: Moment | None = Field(
        description="Until when the learner may appeal; null when the outcome is final."
    )
    closed_at: Moment | None

    @staticmethod
    def facts(case: MisconductCase, texts: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": case.id,
            "submission_id": case.submission_id,
            "state": cast(CaseState, case.state),
            "outcome": case.outcome,
            "notice": texts.get("notice"),
            "answer": texts.get("answer"),
            "appeal": texts.get("appeal"),
            "opened_at": case.opened_at,
            "answer_due_at": case.answer_due_at,
            "decided_at": case.decided_at,
            "appeal_due_at": case.appeal_due_at,
            "closed_at": case.closed_at,
        }


class CaseOut(_CaseLine):
    """A case. Who sits on its panels and how many have voted is null for the learner, who sees everything else."""

    learner_id: Identifier
    effect: Effect | None = Field(
        description="What became of the badge, once closed. `not_suspendable`: it was issued with a status entry for revocation. "
        "`discontinued`: the learner was erased before the outcome was final, which has no effect."
    )
    reasons: list[ReasonOut] = Field(description="Why the panel decided as it did; empty until it has.")
    panel: list[Identifier] | None
    appeal_panel: list[Identifier] | None
    votes: int | None = Field(description="How many have voted on what is open, or was last.")

    @classmethod
    def of(
        cls, case: MisconductCase, texts: dict[str, Any], votes: Iterable[MisconductVote], *, for_learner: bool
    ) -> "CaseOut":
        votes = list(votes)
        stage = "appeal" if case.appeal_panel is not None else "case"
        # Reasons of a vote that goes on would tell who leans where.
        decided = {"case", "appeal"} if case.state in ("decided", "closed") else {"case"} if case.decided_at else set()
        return cls(
            **_CaseLine.facts(case, texts),
            learner_id=case.learner_id,
            effect=cast(Effect | None, case.effect),
            reasons=[ReasonOut(**each) for each in texts.get("reasons", ()) if each["stage"] in decided],
            panel=None if for_learner else case.panel,
            appeal_panel=None if for_learner else case.appeal_panel,
            votes=None if for_learner else sum(1 for each in votes if each.stage == stage),
        )


class HearingOut(_CaseLine):
    """A case as its panel sees it: without who the learner is, and without the other members' votes and reasons."""

    stage: Stage = Field(description="Which vote you are asked for, or gave.")
    own_vote: Vote | None

    @classmethod
    def of_member(
        cls, case: MisconductCase, texts: dict[str, Any], votes: Iterable[MisconductVote], person_id: str
    ) -> "HearingOut":
        stage: Stage = "appeal" if person_id in (case.appeal_panel or ()) else "case"
        own = [each.vote for each in votes if (each.stage, each.person_id) == (stage, person_id)]
        return cls(**_CaseLine.facts(case, texts), stage=stage, own_vote=cast(Vote, own[0]) if own else None)
