"""/v1/decisions: record an assessor's decision; a badge follows from it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field, StringConstraints, model_validator
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import DecisionsRead, DecisionsWrite
from app.access.idempotency import Idempotency
from app.assessors.router import AssessorCodes
from app.credentials.router import CredentialWithDocument
from app.credentials.store import find_edition_of_decision, get_credential
from app.identifiers import Identifier
from app.learners.recipients import Identities, open_key
from app.learners.router import IdentitiesBody
from app.learners.store import get_learner
from app.openbadges.compose import EvidenceFacts
from app.resources import Resources
from app.scoring.answer import Answering
from app.scoring.decide import CriterionResult, DecisionFacts, evidence_id, open_details, rehearse
from app.scoring.store import Decision, get_decision, list_successors
from app.web.dependencies import Now, ReadSession, World
from app.web.fields import Body, ExternalId, Key, Line, Moment, Prose, Url
from app.web.pagination import Page, PagingByExternalId, fetch_page
from app.web.problems import responses

router = APIRouter(prefix="/v1/decisions", tags=["Decisions"])


class AssessmentBody(Body):
    """Who assessed. The badge names only the panel; the codes stay here."""

    panel_id: Identifier
    assessors: AssessorCodes


class ResultBody(Body):
    criterion: Key = Field(examples=["problem"])
    level: Key = Field(examples=["demonstrated"])
    rationale: Prose = Field(examples=["Three data sources agree on the problem and its causes."])


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


class RecipientBody(IdentitiesBody):
    """The learner by what you know of them. Found again by external_id, e-mail address or DID, else entered."""

    @model_validator(mode="after")
    def _can_be_found_again(self) -> "RecipientBody":
        if not any((self.external_id, self.email, self.did)):
            raise ValueError("give at least one of external_id, email, did")
        return self


class DecisionCreate(Body):
    external_id: ExternalId | None = None
    achievement_id: Identifier
    version: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = Field(
        default=None, description="A published version; the newest when left out."
    )
    learner_id: Identifier | None = None
    recipient: RecipientBody | None = None
    outcome: Literal["awarded", "not_yet"]
    decided_at: Moment | None = Field(default=None, description="May lie in the past; now when left out.")
    assessment: AssessmentBody
    results: list[ResultBody] = Field(min_length=1, max_length=50, description="One per criterion of the rubric.")
    evidence: list[EvidenceBody] = Field(default_factory=list, max_length=50)
    narrative: Prose | None = Field(default=None, description="What connects the evidence; goes into the badge.")
    role: Line | None = Field(default=None, examples=["Assistant principal"])
    activity_start: Moment | None = None
    activity_end: Moment | None = None
    supersedes: Identifier | None = Field(default=None, description="The decision that this one corrects.")
    reason: Prose | None = Field(default=None, description="Why it is corrected; required with `supersedes`.")

    @model_validator(mode="after")
    def _is_whole(self) -> "DecisionCreate":
        if (self.learner_id is None) == (self.recipient is None):
            raise ValueError("give either learner_id or recipient")
        if (self.supersedes is None) != (self.reason is None):
            raise ValueError("supersedes and reason belong together")
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
            reason=self.reason,
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


EXAMPLE = {
    "external_id": "row-17",
    "achievement_id": "0f3c0000000000000000000000000001",
    "recipient": {"name": "Ada Example", "email": "ada.example@schools.example.org"},
    "outcome": "awarded",
    "decided_at": "2026-04-09T14:00:00Z",
    "assessment": {"panel_id": "0f3c0000000000000000000000000002", "assessors": ["A-01"]},
    "results": [
        {"criterion": "problem", "level": "demonstrated", "rationale": "Three data sources agree on the problem."},
        {"criterion": "evidence", "level": "demonstrated", "rationale": "The change is measured against a baseline."},
    ],
    "evidence": [{"url": "https://evidence.example.org/17", "name": "Equity audit cycle", "genre": "Performance task"}],
}


@router.post("", status_code=201, operation_id="record_decision", response_model=DecisionOut,
             responses={200: {"model": DryRun, "description": "A dry run"},
                        **responses(400, 401, 403, 404, 409, 410, 413, 415, 422)},
             openapi_extra={"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}})  # fmt: skip
async def record(
    body: DecisionCreate,
    tenant: DecisionsWrite,
    world: World,
    now: Now,
    idempotency: Idempotency,
    dry_run: Annotated[bool, Query(description="Compose and lint the badge, keep nothing.")] = False,
) -> Response:
    """Record a decision. `awarded` issues a signed badge, returned with the answer once it is stored and verified.

    A correction names the decision it supersedes: awarded after awarded reissues the badge under the same id, not_yet
    after awarded revokes it.
    """
    if dry_run:
        document = await rehearse(world, tenant, body.facts(now))
        return Response(DryRun(unsecured_document=document).model_dump_json(), 200, media_type="application/json")

    async def render(session: AsyncSession, decision: Decision) -> bytes:
        return (await _whole(session, world, decision, None)).model_dump_json().encode()

    answer = await Answering(world, tenant, idempotency, render).answer(body.facts(now))
    return Response(answer, 201, media_type="application/json")


@router.get("", operation_id="list_decisions", responses=responses(400, 401, 403, 422))
async def list_(tenant: DecisionsRead, session: ReadSession, paging: PagingByExternalId) -> Page[DecisionLine]:
    """The issuer's decisions, in the order they were recorded."""
    query = select(Decision).where(Decision.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging,
        updated_at=Decision.recorded_at, identifier=Decision.id, external_id=Decision.external_id,
    )  # fmt: skip
    successors = await list_successors(session, tenant.issuer_id, [row.id for row in rows])
    items = [DecisionLine.model_validate(DecisionLine.facts(row, successors.get(row.id))) for row in rows]
    return Page(items=items, next_cursor=cursor)


@router.get("/{decision_id}", operation_id="get_decision", responses=responses(401, 403, 404, 410, 422))
async def get(decision_id: Identifier, tenant: DecisionsRead, session: ReadSession, world: World) -> DecisionOut:
    """One decision with its reasons and the badge that followed."""
    decision = await get_decision(session, tenant.issuer_id, decision_id)
    successors = await list_successors(session, tenant.issuer_id, [decision_id])
    return await _whole(session, world, decision, successors.get(decision_id))


async def _whole(session: AsyncSession, world: Resources, decision: Decision, superseded_by: str | None) -> DecisionOut:
    learner = await get_learner(session, decision.issuer_id, decision.learner_id)
    return DecisionOut(
        **DecisionLine.facts(decision, superseded_by),
        details=open_details(open_key(world.vault, learner), decision),
        credential=await _credential(session, world, decision),
    )


async def _credential(session: AsyncSession, world: Resources, decision: Decision) -> CredentialWithDocument | None:
    """The badge that the decision issued, reissued or, as a correction, revoked."""
    edition = await find_edition_of_decision(session, decision.issuer_id, decision.id)
    if edition is None and decision.supersedes_id is not None:
        edition = await find_edition_of_decision(session, decision.issuer_id, decision.supersedes_id)
    if edition is None:
        return None
    credential = await get_credential(session, decision.issuer_id, edition.credential_id)
    return await CredentialWithDocument.read(session, world, credential)
