"""What follows when somebody earns, loses or regains a credential: every pathway that it concerns is looked at again.

    met, not proposed before            a proposal, for an approver to award
    met, declined, other components     it is proposed again: what was declined was something else
    proposed, not met any more          the proposal lapses
    awarded, not met any more           a task for an approver (`review_since`); the badge stays as it is
    awarded, met again                  the task is over

All under the learner's lock, so that a proposal is decided on and looked at again in turn.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.credentials.jobs import HOLDINGS_JOB
from app.credentials.store import (
    Credential,
    find_award,
    find_credential_of_award,
    list_credentials_of_learner,
)
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.learners.recipients import lock_current_learner
from app.learners.store import Learner, get_learner, list_same_person
from app.pathways.rule import Step, evaluate
from app.pathways.standing import Held, by_achievement, list_standing
from app.pathways.store import (
    PathwayComponent,
    PathwayProposal,
    PathwayVersion,
    get_pathway_version,
    list_concerned,
    list_in_force,
    list_proposals_of_learners,
)
from app.resources import Resources

ACTOR = f"job:{HOLDINGS_JOB}"


@dataclass(frozen=True, slots=True)
class Found:
    """A version of a pathway against what somebody holds.

    `components` are the ids of the credentials that count, in the order in which the rule names them.
    """

    version: PathwayVersion
    step: Step
    components: list[str]

    @classmethod
    def of(cls, version: PathwayVersion, held: Iterable[Held], names: Mapping[str, str]) -> "Found":
        held = list(held)
        step = evaluate(version.content, by_achievement(held), names)
        counted = [each for id_ in step.counted for each in held if each.achievement_id == id_]
        return cls(version, step, [each.credential_id for each in counted])


async def look_again(world: Resources, payload: Mapping[str, Any]) -> None:
    """The job: look at the pathways of a learner that an achievement concerns, or at all of them. Again, it changes nothing."""
    issuer_id, achievement_id = payload["issuer_id"], payload["achievement_id"]
    async with world.database.reading() as session:
        if not await _list_versions(session, issuer_id, achievement_id):
            return
    async with world.database.transaction() as session:
        if (await get_learner(session, issuer_id, payload["learner_id"])).sealed_key is None:
            return
        learner = await lock_current_learner(session, issuer_id, payload["learner_id"])
        if learner.sealed_key is not None:
            versions = await _list_versions(session, issuer_id, achievement_id)
            await _look(session, learner, versions, world.clock.now())


async def propose_to_all(world: Resources, issuer_id: str, pathway_id: str) -> None:
    """The job: have everybody looked at who holds a component of the pathway, each by a job of their own."""
    async with world.database.transaction() as session:
        query = (
            select(Credential.learner_id)
            .join(
                PathwayComponent,
                (PathwayComponent.issuer_id == Credential.issuer_id)
                & (PathwayComponent.achievement_id == Credential.achievement_id),
            )
            .where(
                Credential.issuer_id == issuer_id,
                Credential.state == "issued",
                PathwayComponent.pathway_id == pathway_id,
            )
        )  # fmt: skip
        now = world.clock.now()
        for learner_id in (await session.scalars(query.distinct().order_by(Credential.learner_id))).all():
            payload = {"issuer_id": issuer_id, "learner_id": learner_id, "achievement_id": None}
            enqueue(session, HOLDINGS_JOB, payload, run_at=now)


async def lapse_of_erased(session: AsyncSession, issuer_id: str, learner_ids: Iterable[str], now: datetime) -> None:
    """What is proposed for erased learners lapses; nothing of theirs is to be reviewed any more."""
    theirs = (PathwayProposal.issuer_id == issuer_id, PathwayProposal.learner_id.in_(list(learner_ids)))
    open_ = update(PathwayProposal).where(*theirs, PathwayProposal.state == "proposed")
    await session.execute(open_.values(state="lapsed", updated_at=now))
    await session.execute(update(PathwayProposal).where(*theirs).values(review_since=None, sealed_reason=None))


async def find_badge(session: AsyncSession, proposal: PathwayProposal) -> Credential | None:
    """The badge that an approved proposal gave, whatever has become of it."""
    if proposal.decision_id is None:
        return None
    award = await find_award(session, proposal.issuer_id, proposal.decision_id)
    return None if award is None else await find_credential_of_award(session, proposal.issuer_id, award.id)


def note(
    session: AsyncSession, proposal: PathwayProposal, what: str, *, actor: str, now: datetime, **more: object
) -> None:
    """Audit entry and event, which name the pathway, the proposal and its learner by id."""
    content = {"version": proposal.version, "proposal_id": proposal.id, "learner_id": proposal.learner_id}
    audit(session, issuer_id=proposal.issuer_id, actor=actor, action=f"pathway.{what}", object_id=proposal.pathway_id,
          content={**content, "components": proposal.components, **more}, at=now)  # fmt: skip
    record_event(
        session, proposal.issuer_id, f"pathway.{what}", proposal.pathway_id, at=now, data={**content, **more}
    )  # fmt: skip


async def _list_versions(session: AsyncSession, issuer_id: str, achievement_id: str | None) -> list[PathwayVersion]:
    """The versions that proposals may rest on: those in force, and older ones that have proposed."""
    if achievement_id is not None:
        return await list_concerned(session, issuer_id, achievement_id)
    query = select(PathwayVersion).where(PathwayVersion.issuer_id == issuer_id, PathwayVersion.state != "draft")
    ordered = query.order_by(PathwayVersion.pathway_id, PathwayVersion.version)
    return list((await session.scalars(ordered)).all())


async def _look(session: AsyncSession, learner: Learner, versions: list[PathwayVersion], now: datetime) -> None:
    issuer_id = learner.issuer_id
    person = await list_same_person(session, issuer_id, learner.id)
    held = await list_standing(session, issuer_id, person, now)
    proposals = await list_proposals_of_learners(session, issuer_id, person)
    in_force = {(each.pathway_id, each.version) for each in await list_in_force(session, issuer_id)}
    await _gather(session, learner, proposals, now)
    for version in versions:
        found = Found.of(version, held, {})
        of_pathway = [each for each in proposals if each.pathway_id == version.pathway_id]
        of_version = [each for each in of_pathway if each.version == version.version]
        for proposal in of_version:
            if proposal.state == "proposed":
                _keep_or_lapse(session, proposal, found, now)
            elif proposal.state == "approved":
                await _review(session, proposal, found, now)
        is_open = any(each.state == "proposed" for each in of_pathway)
        is_settled = any(_settles(each, found) for each in of_version)
        may_propose = (version.pathway_id, version.version) in in_force and not is_open and not is_settled
        if may_propose and found.step.met and not await has_badge(session, learner, version):
            own = next((each for each in of_version if each.learner_id == learner.id), None)
            _propose(session, learner, own, found, now)


def _settles(proposal: PathwayProposal, found: Found) -> bool:
    """Whether the version is not proposed again: it was awarded, or declined with these components or more."""
    is_declined = proposal.state == "declined" and set(found.components) <= set(proposal.components)
    return proposal.state == "approved" or is_declined


async def has_badge(session: AsyncSession, learner: Learner, version: PathwayVersion) -> bool:
    """Whether the learner has a badge of what the version leads to, in force, on hold or being signed."""
    return any(
        each.achievement_id == version.achievement_id and each.state in ("pending", "issued", "suspended")
        for each in await list_credentials_of_learner(session, learner.issuer_id, learner.id)
    )


async def _gather(session: AsyncSession, learner: Learner, proposals: list[PathwayProposal], now: datetime) -> None:
    """What was proposed for somebody who was merged since is the survivor's; of two for the same version one is kept."""
    kept = {(each.pathway_id, each.version) for each in proposals if each.learner_id == learner.id}
    for each in [each for each in proposals if each.learner_id != learner.id and each.state == "proposed"]:
        if (each.pathway_id, each.version) in kept:
            proposals.remove(each)
            _end(session, each, now)
        else:
            kept.add((each.pathway_id, each.version))
            each.learner_id, each.updated_at = learner.id, now
    await session.flush()


def _propose(
    session: AsyncSession, learner: Learner, earlier: PathwayProposal | None, found: Found, now: datetime
) -> None:
    proposal = earlier or PathwayProposal(
        issuer_id=learner.issuer_id, id=new_id(), pathway_id=found.version.pathway_id, version=found.version.version,
        learner_id=learner.id, kept_without=[], decision_id=None, review_since=None,
    )  # fmt: skip
    proposal.state, proposal.components = "proposed", found.components
    proposal.sealed_reason = proposal.decided_by = proposal.decided_at = None
    proposal.proposed_at = proposal.updated_at = now
    session.add(proposal)
    note(session, proposal, "proposed", actor=ACTOR, now=now)


def _keep_or_lapse(session: AsyncSession, proposal: PathwayProposal, found: Found, now: datetime) -> None:
    if not found.step.met:
        _end(session, proposal, now)
    elif proposal.components != found.components:
        proposal.components, proposal.updated_at = found.components, now


def _end(session: AsyncSession, proposal: PathwayProposal, now: datetime) -> None:
    proposal.state, proposal.updated_at = "lapsed", now
    note(session, proposal, "lapsed", actor=ACTOR, now=now)


async def _review(session: AsyncSession, proposal: PathwayProposal, found: Found, now: datetime) -> None:
    """After the award: whether the badge is to be looked at by an approver. Nothing is done to it."""
    badge = await find_badge(session, proposal)
    stands = badge is not None and badge.state not in ("revoked", "failed")
    lost = [each for each in proposal.components if each not in found.components]
    is_due = stands and not found.step.met and not set(lost) <= set(proposal.kept_without)
    if is_due and proposal.review_since is None:
        proposal.review_since = proposal.updated_at = now
        note(session, proposal, "component_lost", actor=ACTOR, now=now, lost=lost)
    elif not is_due and proposal.review_since is not None:
        proposal.review_since, proposal.updated_at = None, now
        note(session, proposal, "review_ended", actor=ACTOR, now=now)


async def find_version(session: AsyncSession, proposal: PathwayProposal) -> PathwayVersion:
    """The version that the proposal rests on."""
    return await get_pathway_version(session, proposal.issuer_id, proposal.pathway_id, proposal.version)
