"""Request and response bodies of decisions."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator

from app.assessors.bodies import AssessorCodes
from app.credentials.bodies import CredentialWithDocument
from app.identifiers import Identifier
from app.learners.bodies import RecipientBody
from app.learners.recipients import Identities
from app.openbadges.compose import EvidenceFacts
from app.scoring.facts import CriterionResult, DecisionFacts, evidence_id
from app.scoring.store import Decision, Origin, ReasonCode
from app.web.fields import Body, ExternalId, Key, Line, Moment, Prose, Url


class AssessmentBody(Body):
    """Who assessed. The badge names only the panel; the codes stay here. An external source has none."""

    panel_id: Identifier
    assessors: AssessorCodes = Field(
        default_factory=list, description="Members of the panel, at least one. Left out for an external source."
    )


class ResultBody(Body):
    criterion: Key = Field(examples=["problem"])
    level: Key = Field(examples=["demonstrated"])
    rationale: Prose | None = Field(
        default=None,
        description="Why. Only an external source may leave it out.",
        examples=["Three data sources agree on the problem and its causes."],
    )


class EvidenceBody(Body):
    """A piece of evidence, by URL or by digest or both. All of it goes into the badge."""

    url: Url | None = None
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    name: Line = Field(examples=["Equity audit cycle"])
    genre: Line | None = Field(default=None, examples=["Performance task"])
    narrative: Prose | None = None
    description: Prose | None = None
    audience: Line | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> "EvidenceBody":
        if self.url is None and self.digest is None:
            raise ValueError("give a url, a digest, or both")
        return self

    def facts(self) -> EvidenceFacts:
        members = self.model_dump(exclude={"url"})
        return EvidenceFacts(id=evidence_id(self.url), **members)


class DecisionCreate(Body):
    external_id: ExternalId | None = None
    achievement_id: Identifier
    version: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = Field(
        default=None, description="A published version; the newest when left out."
    )
    learner_id: Identifier | None = None
    recipient: RecipientBody | None = None
    outcome: Literal["awarded", "not_yet"]
    decided_at: Moment | None = Field(
        default=None, description="May lie in the past, and must with an external source; now when left out."
    )
    assessment: AssessmentBody
    results: list[ResultBody] = Field(
        default_factory=list,
        max_length=50,
        description="One per criterion of the rubric. An external source may have none.",
    )
    evidence: list[EvidenceBody] = Field(default_factory=list, max_length=50)
    narrative: Prose | None = Field(default=None, description="What connects the evidence; goes into the badge.")
    role: Line | None = Field(default=None, examples=["Assistant principal"])
    activity_start: Moment | None = None
    activity_end: Moment | None = None
    supersedes: Identifier | None = Field(default=None, description="The decision that this one corrects.")
    renews: Identifier | None = Field(
        default=None,
        description="The newest decision of an award that this one recertifies: its badge is extended under the same id.",
    )
    reason: Prose | None = Field(default=None, description="Why it is corrected; required with `supersedes`.")
    reason_code: ReasonCode | None = Field(
        default=None,
        description="The kind of reason; `other` when left out. After a `clerical_error` the badge is awarded at `decided_at`, "
        "which then has to be given; else it keeps its day. What we got wrong ourselves (`missed_second_reading`) never lowers "
        "an outcome.",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> "DecisionCreate":
        if (self.learner_id is None) == (self.recipient is None):
            raise ValueError("give either learner_id or recipient")
        if (self.supersedes is None) != (self.reason is None):
            raise ValueError("supersedes and reason belong together")
        if self.reason_code is not None and self.supersedes is None:
            raise ValueError("reason_code belongs to supersedes")
        if self.reason_code == "clerical_error" and self.decided_at is None:
            raise ValueError("a clerical_error needs decided_at: when it was really decided")
        if self.supersedes is not None and self.renews is not None:
            raise ValueError("give either supersedes or renews: a correction of a renewal is a correction")
        if self.activity_start and self.activity_end and self.activity_end < self.activity_start:
            raise ValueError("activity_end is before activity_start")
        return self

    def facts(self, now: Moment) -> DecisionFacts:
        known = self.recipient
        return DecisionFacts(
            external_id=self.external_id,
            achievement_id=self.achievement_id,
            version=self.version,
            learner_id=self.learner_id,
            recipient_external_id=known.external_id if known else None,
            recipient=known.identities() if known else Identities(),
            outcome=self.outcome,
            decided_at=self.decided_at or now,
            panel_id=self.assessment.panel_id,
            assessors=tuple(self.assessment.assessors),
            results=tuple(CriterionResult(r.criterion, r.level, r.rationale) for r in self.results),
            evidence=tuple(piece.facts() for piece in self.evidence),
            narrative=self.narrative,
            role=self.role,
            activity_start=self.activity_start,
            activity_end=self.activity_end,
            supersedes_id=self.supersedes,
            renews_id=self.renews,
            reason=self.reason,
            reason_code=None if self.supersedes is None else self.reason_code or "other",
        )


class ResultLine(BaseModel):
    criterion: str
    level: str


class DecisionLine(BaseModel):
    """A decision in the register."""

    id: Identifier
    external_id: str | None
    achievement_id: Identifier
    version: int
    learner_id: Identifier
    panel_id: Identifier
    assessors: list[str]
    outcome: Literal["awarded", "not_yet"]
    results: list[ResultLine]
    decided_at: Moment
    recorded_at: Moment
    supersedes: Identifier | None
    superseded_by: Identifier | None
    renews: Identifier | None
    origin: Origin = Field(
        description="`workflow`: readings here; `partner`: assessed elsewhere; `external`: taken over; `pathway`: other "
        "credentials that meet its rule."
    )
    submission_id: Identifier | None = Field(description="The submission it was decided on, in a workflow.")
    policy_version: int | None = Field(description="The version of the program's scoring policy it was judged by.")
    reason_code: str | None = Field(description="Why it supersedes another.")
    proposal_id: Identifier | None = Field(description="The proposal of a pathway that it approves.")

    @staticmethod
    def facts(decision: Decision, superseded_by: str | None) -> dict[str, Any]:
        return {
            "id": decision.id,
            "external_id": decision.external_id,
            "achievement_id": decision.achievement_id,
            "version": decision.version,
            "learner_id": decision.learner_id,
            "panel_id": decision.panel_id,
            "assessors": decision.assessors,
            "outcome": decision.outcome,
            "results": [{"criterion": criterion, "level": level} for criterion, level in decision.levels],
            "decided_at": decision.decided_at,
            "recorded_at": decision.recorded_at,
            "supersedes": decision.supersedes_id,
            "superseded_by": superseded_by,
            "renews": decision.renews_id,
            "origin": decision.origin,
            "submission_id": decision.submission_id,
            "policy_version": decision.policy_version,
            "reason_code": decision.reason_code,
            "proposal_id": decision.proposal_id,
        }


class DecisionOut(DecisionLine):
    """A decision with its reasons, and the badge that followed."""

    details: dict[str, Any] = Field(description="Rationales, evidence, narrative, role, activity dates, reason.")
    credential: CredentialWithDocument | None = Field(
        description="The badge it issued, reissued or revoked, as it is now; null when no badge followed."
    )


class DryRun(BaseModel):
    """What a decision would give. Nothing was kept."""

    unsecured_document: dict[str, Any] | None = Field(description="The linted, unsigned badge; null when none follows.")
