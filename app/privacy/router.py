"""/v1/learners/{id}/export and /erase: a person's rights over what is known of them."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.access.dependencies import LearnersRead, LearnersWrite
from app.identifiers import Identifier
from app.learners.store import get_learner, require_not_merged
from app.privacy.erase import erase_learner
from app.privacy.export import export_learner
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.fields import Moment
from app.web.problems import responses

router = APIRouter(prefix="/v1/learners", tags=["Learners"])


class LearnerExport(BaseModel):
    """Everything held about one person."""

    id: Identifier
    external_id: str | None
    created_at: Moment
    identities: dict[str, str] = Field(description="What badges carry.")
    other_identities: list[dict[str, str]] = Field(description="By which the learner is found as well.")
    merged: list[dict[str, Any]] = Field(
        description="Learners who were merged into this one. All below is theirs as well."
    )
    submissions: list[dict[str, Any]] = Field(
        description="With all that was written in them. Files are fetched one by one (`download_artifact_file`)."
    )
    readings: list[dict[str, Any]] = Field(
        description="What was written about submissions that are decided; not by whom."
    )
    decisions: list[dict[str, Any]]
    appeals: list[dict[str, Any]]
    credentials: list[dict[str, Any]] = Field(description="Each badge with all its editions as they were signed.")
    endorsements: list[dict[str, Any]] = Field(description="What was said of their badges, as it was signed.")
    learner_records: list[dict[str, Any]] = Field(description="Their badges, bundled and signed as a whole.")
    kept_badges: list[dict[str, Any]] = Field(
        description="Badges that software of theirs put here, as they were sent, and what verifying them found."
    )
    kept_profiles: list[dict[str, Any]] = Field(description="Profiles that software of theirs put here.")
    recognitions: list[dict[str, Any]] = Field(description="Where recognizers granted credit for their badges.")
    anchors: list[dict[str, Any]] = Field(description="De-identified work of theirs that assessors are measured by.")
    enrollments: list[dict[str, Any]] = Field(description="With goal and local context.")
    affiliations: list[dict[str, Any]] = Field(description="Who was not to read their work: of which kind, since when.")
    misconduct_cases: list[dict[str, Any]] = Field(description="With notice, answer, appeal and the panels' reasons.")
    demographics: dict[str, Any] | None = Field(description="What they say of themselves; null where they say nothing.")
    pathway_proposals: list[dict[str, Any]] = Field(description="Pathways that they have met, and what became of it.")
    events: list[dict[str, Any]]
    person: dict[str, Any] | None = Field(
        default=None, description="Who they sign in as: what that person is known by, their roles, sessions and mail."
    )


class LearnerErased(BaseModel):
    id: Identifier
    erased_at: Moment


@router.get("/{learner_id}/export", operation_id="export_learner", responses=responses(401, 403, 404, 410, 422))
async def export(learner_id: Identifier, tenant: LearnersRead, session: ReadSession, world: World) -> LearnerExport:
    """Everything this service holds about a learner, for a person who asks. 410 once they were erased."""
    learner = require_not_merged(await get_learner(session, tenant.issuer_id, learner_id))
    return LearnerExport.model_validate(await export_learner(session, world.vault, learner))


@router.post("/{learner_id}/erase", operation_id="erase_learner", responses=responses(401, 403, 404, 410, 422))
async def erase(learner_id: Identifier, tenant: LearnersWrite, session: Session, now: Now) -> LearnerErased:
    """Erase a learner for good: key destroyed, identities deleted. Their badges' addresses then answer 410.

    The person they sign in as is erased with them.

    The register and the status lists stay, so the copies that people hold go on verifying and can still be revoked.
    Those who were merged into the learner are erased with them; one who was merged is erased with the survivor (410 tells who).
    Backups made before still hold what was erased, until they are discarded.
    """
    learner = await erase_learner(session, tenant.issuer_id, learner_id, actor=tenant.actor, now=now)
    return LearnerErased(id=learner.id, erased_at=learner.updated_at)
