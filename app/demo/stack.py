"""The academy's pathway: who earns both micro-credentials is proposed for a badge of their own, and an approver awards it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements import versions as achievements
from app.achievements.bodies import AchievementCreate
from app.achievements.store import find_by_external_id as find_achievement
from app.credentials.in_time import in_time
from app.credentials.issue import PendingEdition, complete
from app.demo.academy import ACTOR, Academy
from app.pathways.bodies import PathwayCreate
from app.pathways.decide import approve_proposal
from app.pathways.store import PathwayProposal, find_pathway_by_external_id
from app.pathways.versions import PathwayFacts, create_pathway, publish_version
from app.resources import Resources
from app.scoring.store import Decision

STACK: dict[str, Any] = {
    "external_id": "sila-leader",
    "name": "School improvement leader",
    "description": "Leads improvement that reaches every group of students, and shows by measured cycles that it does.",
    "achievement_type": "Certificate",
    "criteria": {
        "narrative": "Both micro-credentials of the academy: equitable practices, and improvement science. Each was earned by "
        "evidence of work in the fellow's own school."
    },
    "rubric": {
        "criteria": [
            {
                "key": "components",
                "name": "Micro-credentials earned",
                "passing_level": "earned",
                "levels": [
                    {"key": "not-earned", "name": "Not earned", "description": "One of the two is missing."},
                    {"key": "earned", "name": "Earned", "description": "Both are held and in force."},
                ],
            }
        ]
    },
    "settings": {"status_purpose": "revocation", "visibility": "unlisted", "recipient_name": True},
}
"""Body of POST /v1/achievements."""


def pathway_body(panel_id: str, stack_id: str, achievement_ids: Mapping[str, str]) -> dict[str, Any]:
    """Body of POST /v1/pathways."""
    return {
        "external_id": "sila-leader",
        "name": "School improvement leader",
        "description": "Both micro-credentials of the academy, in any order.",
        "panel_id": panel_id,
        "awards": {"achievement_id": stack_id},
        "rule": {"all": [{"achievement_id": each} for each in achievement_ids.values()]},
    }


async def enter_pathway(
    session: AsyncSession,
    world: Resources,
    issuer_id: str,
    panel_id: str,
    achievement_ids: Mapping[str, str],
    now: datetime,
) -> tuple[str, str]:
    """Ids of the pathway and of the achievement that it leads to, which are made once."""
    stack_id = await _enter_stack(session, world, issuer_id, now)
    body = PathwayCreate.model_validate(pathway_body(panel_id, stack_id, achievement_ids))
    pathway = await find_pathway_by_external_id(session, issuer_id, str(body.external_id))
    if pathway is None:
        facts = PathwayFacts(body.facts(), panel_id, stack_id, body.awards.version)
        pathway, version = await create_pathway(
            session, issuer_id, facts, external_id=body.external_id, actor=ACTOR, now=now
        )
        await publish_version(session, pathway, version, actor=ACTOR, now=now)
    return pathway.id, stack_id


async def _enter_stack(session: AsyncSession, world: Resources, issuer_id: str, now: datetime) -> str:
    body = AchievementCreate.model_validate(STACK)
    found = await find_achievement(session, issuer_id, str(body.external_id))
    if found is not None:
        return found.id
    achievement, version = await achievements.create_achievement(
        session, issuer_id, external_id=body.external_id, content=body.facts(), settings=body.settings.model_dump(),
        actor=ACTOR, now=now,
    )  # fmt: skip
    await achievements.publish_version(session, world, achievement, version, actor=ACTOR, now=now)
    return achievement.id


async def approve_proposals(academy: Academy) -> None:
    """Award what is proposed."""
    async with academy.world.database.reading() as session:
        query = select(PathwayProposal.id).where(
            PathwayProposal.issuer_id == academy.issuer_id, PathwayProposal.state == "proposed"
        )
        waiting = (await session.scalars(query.order_by(PathwayProposal.proposed_at, PathwayProposal.id))).all()
    for proposal_id in waiting:
        await _approve(academy, proposal_id)


async def _approve(academy: Academy, proposal_id: str) -> None:
    async def first_commit(session: AsyncSession) -> tuple[Decision, PendingEdition]:
        return await approve_proposal(session, academy.world, academy.members["approver-2"], proposal_id)

    _, pending = await in_time(academy.world, first_commit)
    await complete(academy.world, pending)
