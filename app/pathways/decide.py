"""What an approver does about a proposal: award the badge, decline it, or review it after a component was lost.

An approved proposal is a decision like any other (`app.scoring.decide`), of the origin `pathway`: no assessor judged, the rule is
met, and the components stand in the badge as its evidence.
"""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member, Tenant
from app.achievements.store import AchievementVersion, get_version
from app.credentials.issue import PendingEdition
from app.credentials.status import revoke
from app.credentials.store import lock_credentials_of_learner
from app.errors import Conflict
from app.events.store import record_event
from app.learners.recipients import Identities, lock_current_learner, open_key
from app.learners.store import Learner, get_learner, list_same_person
from app.openbadges.compose import EvidenceFacts
from app.pathways.propose import Found, find_badge, find_version, has_badge, note
from app.pathways.reasons import seal_reason
from app.pathways.standing import Held, list_standing, load_names
from app.pathways.store import PathwayProposal, get_proposal, lock_proposal
from app.resources import Resources
from app.scoring.approve import AlreadyAwarded
from app.scoring.decide import record
from app.scoring.facts import CriterionResult, DecisionFacts
from app.scoring.recommendation import require_not_close
from app.scoring.store import Decision


class ProposalNotOpen(Conflict):
    """The proposal was decided before, or has lapsed; or there is nothing to review."""

    code = "proposal_not_open"


class PathwayNotMet(Conflict):
    """A component was lost since the proposal was made."""

    code = "pathway_not_met"


async def approve_proposal(
    session: AsyncSession, world: Resources, member: Member, proposal_id: str
) -> tuple[Decision, PendingEdition]:
    """The part of the first commit. Raises ProposalNotOpen, ApproverConflict, PathwayNotMet, AlreadyAwarded, Gone, and what
    recording a decision raises.

    The learner and all their credentials are locked: a component is revoked either before, and seen, or after.
    """
    learner, proposal = await _lock_open(session, member, proposal_id)
    await lock_credentials_of_learner(session, learner.issuer_id, learner.id)
    now, version = world.clock.now(), await find_version(session, proposal)
    person = await list_same_person(session, learner.issuer_id, learner.id)
    held = await list_standing(session, learner.issuer_id, person, now)
    names = await load_names(session, learner.issuer_id, {each.achievement_id for each in held})
    found = Found.of(version, held, names)
    if not found.step.met:
        raise PathwayNotMet(f"The rule is not met any more: {found.step.sentence}.")
    if await has_badge(session, learner, version):
        raise AlreadyAwarded("The learner has the pathway's badge already.")
    awarded = await get_version(session, version.issuer_id, version.achievement_id, version.achievement_version)
    by_id = {each.credential_id: each for each in held}
    counted = [by_id[credential_id] for credential_id in found.components]
    earned = ", ".join(dict.fromkeys(names[each.achievement_id] for each in counted))
    text = f"{version.content['name']}: {found.step.sentence}. Earned: {earned}."
    decision, pending = await record(
        session, world, Tenant(member.issuer_id, member.actor, frozenset()),
        DecisionFacts(
            external_id=None,
            achievement_id=version.achievement_id,
            version=version.achievement_version,
            learner_id=learner.id,
            recipient_external_id=None,
            recipient=Identities(),
            outcome="awarded",
            decided_at=now,
            panel_id=version.panel_id,
            assessors=(),
            results=_results(awarded, text),
            evidence=tuple(_evidence(world, each, names[each.achievement_id]) for each in counted),
            narrative=text,
            proposal_id=proposal.id,
        ),
    )  # fmt: skip
    assert pending is not None
    proposal.components, proposal.decision_id = found.components, decision.id
    _settle(proposal, "approved", member, world)
    note(session, proposal, "approved", actor=member.actor, now=now, decision_id=decision.id)
    record_event(session, decision.issuer_id, "decision.released", decision.id, at=now)
    return decision, pending


async def decline_proposal(
    session: AsyncSession, world: Resources, member: Member, proposal_id: str, reason: str
) -> PathwayProposal:
    """Do not award, with a reason. With other components it may be proposed again. Raises ProposalNotOpen, ApproverConflict."""
    _, proposal = await _lock_open(session, member, proposal_id)
    await _seal_reason(session, world, proposal, reason)
    _settle(proposal, "declined", member, world)
    note(session, proposal, "declined", actor=member.actor, now=world.clock.now())
    return proposal


async def review_proposal(
    session: AsyncSession,
    world: Resources,
    member: Member,
    proposal_id: str,
    outcome: Literal["kept", "revoked"],
    reason: str,
) -> PathwayProposal:
    """Let a badge stand whose rule is not met any more, or revoke it. Raises ProposalNotOpen when nothing is to be reviewed."""
    learner, proposal = await _lock(session, member, proposal_id)
    badge, now = await find_badge(session, proposal), world.clock.now()
    if proposal.review_since is None or badge is None:
        raise ProposalNotOpen("There is nothing to review: the rule is met, or the badge was not awarded.")
    if outcome == "revoked":
        await revoke(
            session, world, member.issuer_id, badge.id, reason=reason, actor=member.actor, now=now
        )  # fmt: skip
    else:
        held = await list_standing(session, learner.issuer_id, await _person(session, learner), now)
        standing = {each.credential_id for each in held}
        proposal.kept_without = [each for each in proposal.components if each not in standing]
    await _seal_reason(session, world, proposal, reason)
    proposal.review_since, proposal.updated_at = None, now
    note(session, proposal, "reviewed", actor=member.actor, now=now, outcome=outcome)
    return proposal


async def _lock_open(session: AsyncSession, member: Member, proposal_id: str) -> tuple[Learner, PathwayProposal]:
    learner, proposal = await _lock(session, member, proposal_id)
    if proposal.state != "proposed":
        raise ProposalNotOpen(f"There is nothing to decide: the proposal is {proposal.state}.")
    return learner, proposal


async def _lock(session: AsyncSession, member: Member, proposal_id: str) -> tuple[Learner, PathwayProposal]:
    """The learner, or who they were merged into, and the proposal. Raises ApproverConflict, and Gone for an erased learner."""
    proposal = await get_proposal(session, member.issuer_id, proposal_id)
    await require_not_close(session, member, proposal.learner_id)
    learner = await lock_current_learner(session, member.issuer_id, proposal.learner_id)
    return learner, await lock_proposal(session, member.issuer_id, proposal_id)


async def _person(session: AsyncSession, learner: Learner) -> list[str]:
    return await list_same_person(session, learner.issuer_id, learner.id)


async def _seal_reason(session: AsyncSession, world: Resources, proposal: PathwayProposal, reason: str) -> None:
    """Under the key of the learner whom the proposal names, merged since or not. Raises Gone."""
    learner = await get_learner(session, proposal.issuer_id, proposal.learner_id)
    seal_reason(open_key(world.vault, learner), proposal, reason)


def _settle(proposal: PathwayProposal, state: str, member: Member, world: Resources) -> None:
    now = world.clock.now()
    proposal.state, proposal.decided_by, proposal.decided_at, proposal.updated_at = state, member.actor, now, now


def _results(awarded: AchievementVersion, text: str) -> tuple[CriterionResult, ...]:
    criteria: Sequence[dict[str, Any]] = awarded.content["rubric"]["criteria"]
    return tuple(CriterionResult(each["key"], each["passing_level"], text) for each in criteria)


def _evidence(world: Resources, held: Held, name: str) -> EvidenceFacts:
    """A component by its public URL; a private badge, which has none, by its name."""
    url = None if held.visibility == "private" else f"{world.base_url}/credentials/{held.credential_id}"
    return EvidenceFacts(
        id=url, name=name, genre="Credential", description="A credential that counts towards this one."
    )
