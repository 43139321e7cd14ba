"""Where a learner is on a pathway, and why."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Gone
from app.learners.store import Learner, get_learner, list_same_person
from app.pathways.bodies import ProgressOut, Stage, StepOut
from app.pathways.propose import Found
from app.pathways.rule import Step, list_achievements
from app.pathways.standing import list_standing, load_names
from app.pathways.store import (
    PathwayVersion,
    list_in_force,
    list_pathway_versions,
    list_proposals_of_learners,
)


async def list_progress(
    session: AsyncSession, issuer_id: str, learner_id: str, now: datetime, *, pathway_id: str | None = None
) -> list[ProgressOut]:
    """Of every pathway in force, by name, or of one of them. A merged learner is who they were merged into.

    Raises NotFound, and Gone after erasure.
    """
    learner = await _get_current(session, issuer_id, learner_id)
    person = await list_same_person(session, issuer_id, learner.id)
    versions = await list_in_force(session, issuer_id)
    if pathway_id is not None:
        versions = await _of_pathway(session, versions, issuer_id, pathway_id)
    held = await list_standing(session, issuer_id, person, now)
    proposals = await list_proposals_of_learners(session, issuer_id, person)
    named = {id_ for version in versions for id_ in list_achievements(version.content)}
    names = await load_names(session, issuer_id, named)
    earned = {each.achievement_id for each in held}
    told = []
    for version in versions:
        found = Found.of(version, held, names)
        own = [each for each in proposals if each.pathway_id == version.pathway_id]
        proposal = next((each for each in reversed(own) if each.state in ("proposed", "approved")), None)
        is_proposed = proposal is not None and proposal.state == "proposed"
        told.append(
            ProgressOut(
                pathway_id=version.pathway_id,
                version=version.version,
                name=version.content["name"],
                learner_id=learner.id,
                stage=judge_stage(found.step, is_proposed=is_proposed, is_awarded=version.achievement_id in earned),
                sentence=found.step.sentence,
                steps=StepOut.of_step(found.step),
                proposal_id=None if proposal is None else proposal.id,
                credential_ids=found.components,
            )
        )
    return sorted(told, key=lambda each: (each.name, each.pathway_id))


def judge_stage(step: Step, *, is_proposed: bool, is_awarded: bool) -> Stage:
    """Awarded is who holds the badge that the pathway leads to."""
    if is_awarded:
        return "awarded"
    if is_proposed:
        return "proposed"
    if step.met:
        return "met"
    return "part" if has_begun(step) else "not_begun"


def has_begun(step: Step) -> bool:
    """Whether anything that the rule names is earned."""
    return any(each.met if each.kind == "achievement" else has_begun(each) for each in step.of)


async def _get_current(session: AsyncSession, issuer_id: str, learner_id: str) -> Learner:
    learner = await get_learner(session, issuer_id, learner_id)
    if learner.sealed_key is None:
        raise Gone("The learner's personal data has been erased.")
    return learner if learner.merged_into is None else await get_learner(session, issuer_id, learner.merged_into)


async def _of_pathway(
    session: AsyncSession, in_force: Sequence[PathwayVersion], issuer_id: str, pathway_id: str
) -> list[PathwayVersion]:
    """The version in force, else the newest that was: a retired pathway still says how far somebody has come."""
    found = [each for each in in_force if each.pathway_id == pathway_id]
    earlier = [
        each for each in await list_pathway_versions(session, issuer_id, [pathway_id]) if each.state == "retired"
    ]
    return found or earlier[-1:]
