"""What a recorded decision hands over to be made into a badge: when it is recorded, and from its stored form ever after."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion, get_version
from app.assessors.panels import compose_panel_profile
from app.assessors.store import Panel, get_panel
from app.credentials.award import AwardFacts
from app.errors import Broken
from app.keys.vault import PersonalKey
from app.learners.recipients import open_key
from app.learners.store import Learner, get_learner
from app.openbadges.compose import EvidenceFacts, ResultFacts, criterion_uri, level_uri
from app.quality.find import decided_in
from app.resources import Resources
from app.scoring.store import Decision, find_renewed


def open_details(key: PersonalKey, decision: Decision) -> dict[str, Any]:
    """The sealed part of a decision: rationales, evidence, narrative, role, activity dates, reason."""
    details: dict[str, Any] = key.open_json(
        decision.sealed_details, table="decision", row=decision.id, column="sealed_details"
    )
    return {name: value for name, value in details.items() if name != "nonce"}


async def load_award_facts(
    session: AsyncSession, world: Resources, decision: Decision, *, learner: Learner
) -> AwardFacts:
    """The facts of an award whose newest decision is `decision`, for a badge of `learner`: its own, or the one merged into.

    Where that decision withdrew a renewal, the facts are those of the decision that had been renewed. Raises Gone when the
    learner who was decided on was erased.
    """
    stands = await _decision_that_stands(session, decision)
    decided_on = await get_learner(session, stands.issuer_id, stands.learner_id)
    facts = compose_award_facts(
        stands,
        open_details(open_key(world.vault, decided_on), stands),
        version=await get_version(session, stands.issuer_id, stands.achievement_id, stands.version),
        panel=await get_panel(session, stands.issuer_id, stands.panel_id),
        learner=learner,
        base_url=world.base_url,
    )
    return replace(facts, decision_id=decision.id)


async def _decision_that_stands(session: AsyncSession, decision: Decision) -> Decision:
    while decision.outcome != "awarded":
        renewed = await find_renewed(session, decision)
        if renewed is None:
            raise Broken("An award rests on a decision that awarded nothing.")
        decision = renewed
    return decision


def compose_award_facts(
    decision: Decision,
    details: Mapping[str, Any],
    *,
    version: AchievementVersion,
    panel: Panel,
    learner: Learner,
    base_url: str,
) -> AwardFacts:
    """The facts of a decision whose sealed part is `details`. The identity hash gets a salt that was never used."""
    assert version.document is not None
    uri = version.document["id"]
    names = {
        (criterion["key"], level["key"]): level["name"]
        for criterion in version.content["rubric"]["criteria"]
        for level in criterion["levels"]
    }
    return AwardFacts(
        decision_id=decision.id,
        external_id=decision.external_id,
        learner=learner,
        version=version,
        results=tuple(
            ResultFacts(criterion_uri(uri, criterion), level_uri(uri, criterion, level), names[criterion, level])
            for criterion, level in decision.levels
        ),
        evidence=tuple(EvidenceFacts(**piece) for piece in details["evidence"]),
        source=compose_panel_profile(
            panel,
            base_url,
            is_of_workflow=decision.submission_id is not None,
            quality_url=decided_in(version, decision.decided_at),
        ),
        awarded_date=decision.decided_at,
        salt=secrets.token_hex(16),
        narrative=details["narrative"],
        role=details["role"],
        activity_start=_moment(details["activity_start"]),
        activity_end=_moment(details["activity_end"]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
