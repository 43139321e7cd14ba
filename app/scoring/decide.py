"""Recording a decision, and what follows from it.

    what it supersedes     outcome     what happens to the badge
    nothing                awarded     issue
    nothing                not_yet     nothing
    awarded                awarded     reissue: same id, later validFrom, the earlier edition's status bit set, awardedDate kept
    awarded                not_yet     revoke
    not_yet                awarded     issue
    not_yet                not_yet     nothing

A decision that `renews` another recertifies it:

    what it supersedes     outcome     what happens to the badge
    nothing or not_yet     awarded     renew: reissue with a later validUntil
    awarded                awarded     renew: as if it had been the first to renew
    awarded                not_yet     withdraw: reissue with the validity from before the renewal; if that is over, revoke
    nothing or not_yet     not_yet     nothing: the badge runs out by itself

A decision is recorded and its badge intended in one transaction; the signature follows in a second (`app.credentials.issue`).

An earlier award that is taken over is a decision too. Its panel is an external source: there are no assessors of ours, and what
is not known any more (levels, rationales, the evidence that is required today) may be left out.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Tenant
from app.achievements.store import AchievementVersion, get_published_version, get_version
from app.assessors.store import get_panel
from app.audit.store import audit
from app.credentials.award import Cause, Reissue
from app.credentials.in_time import in_time
from app.credentials.issue import LEASE, PendingEdition, complete, prepare
from app.credentials.status import revoke
from app.credentials.store import Award, find_award, find_credential_of_award, find_edition_of_decision
from app.errors import Broken, Conflict, ExternalIdTaken, Fault, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.issuers.store import require_issuing
from app.learners.recipients import (
    RecipientNotIdentifiable,
    find_or_create_learner,
    lock_current_learner,
    open_identities,
    open_key,
)
from app.learners.store import Learner, get_learner
from app.resources import Resources
from app.scoring.award import compose_award_facts, load_award_facts
from app.scoring.commitment import RECORDED, compose_commitment
from app.scoring.facts import DecisionFacts, compose_details
from app.scoring.soundness import require_harmless, require_sound
from app.scoring.store import (
    REDATES,
    Decision,
    find_by_external_id,
    find_renewed,
    find_successor,
    get_decision,
    list_corrected,
)

Action = Literal["issue", "reissue", "revoke", "renew", "withdraw", "nothing"]

ACTIONS: Mapping[tuple[str | None, str], Action] = {
    (None, "awarded"): "issue",
    (None, "not_yet"): "nothing",
    ("awarded", "awarded"): "reissue",
    ("awarded", "not_yet"): "revoke",
    ("not_yet", "awarded"): "issue",
    ("not_yet", "not_yet"): "nothing",
}

RENEWALS: Mapping[tuple[str | None, str], Action] = {
    (None, "awarded"): "renew",
    (None, "not_yet"): "nothing",
    ("awarded", "awarded"): "renew",
    ("awarded", "not_yet"): "withdraw",
    ("not_yet", "awarded"): "renew",
    ("not_yet", "not_yet"): "nothing",
}


class DecisionSuperseded(Conflict):
    code = "decision_superseded"


class DecisionMismatch(InvalidInput):
    code = "decision_mismatch"


class DecisionOfWorkflow(Conflict):
    code = "decision_of_workflow"


class _RolledBack(Exception):  # not an error: it ends a dry run
    def __init__(self, document: dict[str, Any] | None) -> None:
        self.document = document


async def decide(world: Resources, tenant: Tenant, facts: DecisionFacts) -> Decision:
    """Record a decision and do what follows from it.

    Raises an InvalidInput or Conflict that names what is wrong; then nothing has happened.
    """

    async def first_commit(session: AsyncSession) -> tuple[Decision, PendingEdition | None]:
        return await record(session, world, tenant, facts)

    decision, pending = await in_time(world, first_commit)
    if pending is not None:
        await complete(world, pending)
    return decision


async def require_partners_own(session: AsyncSession, tenant: Tenant, facts: DecisionFacts) -> None:
    """What people here decided on readings here is amended by appeal or moderation, and what they awarded for a pathway is
    reviewed: neither by a partner's system.

    Raises DecisionOfWorkflow.
    """
    if facts.supersedes_id is None:
        return
    before = await get_decision(session, tenant.issuer_id, facts.supersedes_id)
    if before.submission_id is not None:
        raise DecisionOfWorkflow("This decision rests on readings of a submission here.")
    if before.proposal_id is not None:
        raise DecisionOfWorkflow(
            "This decision awards a pathway.", cure="Revoke the badge, if it is not to stand (credentials:status)."
        )


async def rehearse(
    world: Resources, record: Callable[[AsyncSession], Awaitable[tuple[Decision, PendingEdition | None]]]
) -> dict[str, Any] | None:
    """The linted, unsigned badge a decision would give; None when it would give none. Nothing is kept."""

    async def dry_run(session: AsyncSession) -> None:
        _, pending = await record(session)
        raise _RolledBack(pending.linted.document if pending else None)

    try:
        await in_time(world, dry_run)
    except _RolledBack as done:
        return done.document
    raise Broken("A dry run was not rolled back.")


async def record(
    session: AsyncSession, world: Resources, tenant: Tenant, facts: DecisionFacts, *, lease: timedelta = LEASE
) -> tuple[Decision, PendingEdition | None]:
    """The part of the first commit: the decision, and the edition to be signed if a badge follows.

    `lease` is how long nobody else takes the signing over.
    """
    now = world.clock.now()
    issuer_id = tenant.issuer_id
    await require_issuing(session, issuer_id)  # also for what leads to no badge
    before = await _superseded(session, issuer_id, facts)
    renewed = await _renewed(session, issuer_id, facts, before)
    version = await _version(session, issuer_id, facts, before)
    panel = await get_panel(session, issuer_id, facts.panel_id)
    learner = await _learner(session, world, tenant, facts, now)
    await _require_same_award(session, before, "/supersedes", version, learner)
    await _require_same_award(session, renewed, "/renews", version, learner)
    require_sound(facts, version, panel, now)
    require_harmless(facts, before, version)
    if facts.external_id and await find_by_external_id(session, issuer_id, facts.external_id):
        raise ExternalIdTaken(f"There is already a decision with external_id {facts.external_id!r}.")

    details = compose_details(facts)
    decision = _compose_decision(world, tenant, facts, details, version, learner, now)
    session.add(decision)
    await session.flush()
    action = (RENEWALS if renewed else ACTIONS)[before.outcome if before else None, facts.outcome]
    audit(session, issuer_id=issuer_id, actor=tenant.actor, action=RECORDED, object_id=decision.id,
          content=compose_commitment(decision.columns()), at=now)  # fmt: skip
    record_event(
        session, issuer_id, RECORDED, decision.id, at=now,
        data={
            "outcome": decision.outcome, "supersedes": decision.supersedes_id, "renews": decision.renews_id,
            "action": action,
        },
    )  # fmt: skip
    if action == "nothing":
        return decision, None
    if action == "revoke" and before is not None:
        await _revoke(session, world, tenant, before, str(facts.reason), now)
        return decision, None
    reissue = await _reissue(session, facts, action, before, renewed)
    if action == "withdraw" and reissue is not None and before is not None:
        if reissue.is_over(now):
            await _revoke(session, world, tenant, before, str(facts.reason), now)
            return decision, None
        award_facts = await load_award_facts(session, world, decision, learner=learner)
    else:
        await _require_identifiable(session, world, learner)
        award_facts = compose_award_facts(
            decision, details, version=version, panel=panel, learner=learner, base_url=world.base_url
        )
    pending = await prepare(session, world, award_facts, reissue=reissue, actor=tenant.actor, now=now, lease=lease)
    return decision, pending


async def _reissue(
    session: AsyncSession, facts: DecisionFacts, action: Action, before: Decision | None, renewed: Decision | None
) -> Reissue | None:
    """Which badge gets another edition, and why; None for the first edition of a new one."""
    if action == "reissue" and before is not None:
        cause: Cause = "new_date" if facts.reason_code in REDATES else "correction"
        return Reissue(await _newest_award(session, before), cause)
    if renewed is None:
        return None
    stood = await find_edition_of_decision(session, renewed.issuer_id, renewed.id)
    award = await _renewed_award(session, before, renewed)
    return Reissue(award, "withdrawal" if action == "withdraw" else "renewal", stood)


async def _superseded(session: AsyncSession, issuer_id: str, facts: DecisionFacts) -> Decision | None:
    if facts.supersedes_id is None:
        return None
    before = await get_decision(session, issuer_id, facts.supersedes_id)
    if await find_successor(session, issuer_id, before.id) is not None:
        raise DecisionSuperseded("This decision has been superseded before.")
    if before.outcome == "awarded":
        await _newest_award(session, before)
    return before


async def _renewed(
    session: AsyncSession, issuer_id: str, facts: DecisionFacts, before: Decision | None
) -> Decision | None:
    """The decision whose badge is to be extended: the one named, or the one that the corrected decision named."""
    if facts.renews_id is not None:
        renewed = await get_decision(session, issuer_id, facts.renews_id)
        if await find_edition_of_decision(session, issuer_id, renewed.id) is None:
            fault = Fault("/renews", "no badge followed from that decision", "name the decision that awarded it")
            raise DecisionMismatch("There is no badge to extend.", faults=[fault])
    else:
        found = await find_renewed(session, before) if before is not None else None
        if found is None:
            return None
        renewed = found
    await _renewed_award(session, before, renewed)
    return renewed


async def _renewed_award(session: AsyncSession, before: Decision | None, renewed: Decision) -> Award:
    """What a renewal extends: `renewed` is the newest decision of it, or one is that `before` corrects.

    Not each of those has changed the badge: one that withdrew a renewal may have been confirmed since.
    """
    corrected = [] if before is None else await list_corrected(session, before)
    return await _newest_award(session, *corrected, renewed)


async def _newest_award(session: AsyncSession, *decisions: Decision) -> Award:
    """The award whose newest decision is one of these: a badge is changed by way of the newest decision about it.

    Asked again once the learner is locked: until then another request may have renewed or corrected the same.
    """
    for decision in decisions:
        award = await find_award(session, decision.issuer_id, decision.id)
        if award is not None:
            return award
    raise DecisionSuperseded(
        "This decision has been superseded or renewed since.",
        cure="Read the decisions about the learner, and name the newest one of this award.",
    )


async def _version(
    session: AsyncSession, issuer_id: str, facts: DecisionFacts, before: Decision | None
) -> AchievementVersion:
    """The version decided on: a published one; for a correction also the one it corrects, though retired since."""
    if before is not None and facts.version in (None, before.version) and facts.achievement_id == before.achievement_id:
        return await get_version(session, issuer_id, before.achievement_id, before.version)
    if facts.is_of_workflow and facts.version is not None:  # pinned by the submission, though retired since
        return await get_version(session, issuer_id, facts.achievement_id, facts.version)
    return await get_published_version(session, issuer_id, facts.achievement_id, facts.version)


async def _learner(
    session: AsyncSession, world: Resources, tenant: Tenant, facts: DecisionFacts, now: datetime
) -> Learner:
    if facts.learner_id is not None:
        return await lock_current_learner(session, tenant.issuer_id, facts.learner_id)
    return await find_or_create_learner(
        session, world.vault, tenant.issuer_id,
        external_id=facts.recipient_external_id, identities=facts.recipient, actor=tenant.actor, now=now,
    )  # fmt: skip


async def _require_same_award(
    session: AsyncSession, earlier: Decision | None, pointer: str, version: AchievementVersion, learner: Learner
) -> None:
    """A decision about somebody who was merged since concerns the learner they were merged into."""
    if earlier is None:
        return
    decided_on = await get_learner(session, earlier.issuer_id, earlier.learner_id)
    concerned = decided_on.merged_into or decided_on.id
    if (earlier.achievement_id, concerned) != (version.achievement_id, learner.id):
        fault = Fault(pointer, "that decision concerns another learner or achievement")
        what = "A correction names the learner and achievement of what it corrects."
        if pointer == "/renews":
            what = "A renewal names the learner and achievement of what it renews."
        raise DecisionMismatch(what, faults=[fault])


def _compose_decision(
    world: Resources,
    tenant: Tenant,
    facts: DecisionFacts,
    details: Mapping[str, Any],
    version: AchievementVersion,
    learner: Learner,
    now: datetime,
) -> Decision:
    decision_id = new_id()
    plain = json.dumps(details, ensure_ascii=False, sort_keys=True).encode()
    key = open_key(world.vault, learner)
    return Decision(
        issuer_id=tenant.issuer_id,
        id=decision_id,
        external_id=facts.external_id,
        achievement_id=version.achievement_id,
        version=version.version,
        learner_id=learner.id,
        panel_id=facts.panel_id,
        assessors=list(facts.assessors),
        outcome=facts.outcome,
        levels=[[result.criterion, result.level] for result in facts.results],
        decided_at=facts.decided_at,
        supersedes_id=facts.supersedes_id,
        renews_id=facts.renews_id,
        submission_id=facts.submission_id,
        policy_version=facts.policy_version,
        reason_code=facts.reason_code,
        proposal_id=facts.proposal_id,
        sealed_details=key.seal(plain, table="decision", row=decision_id, column="sealed_details"),
        digest=hashlib.sha256(plain).hexdigest(),
        recorded_by=tenant.actor,
        recorded_at=now,
    )


async def _require_identifiable(session: AsyncSession, world: Resources, learner: Learner) -> None:
    if not (await open_identities(session, world.vault, learner)).is_identifiable:
        fault = Fault("/recipient", "neither an e-mail address nor a DID is known")
        raise RecipientNotIdentifiable("The learner has no identity that a badge can carry.", faults=[fault])


async def _revoke(
    session: AsyncSession, world: Resources, tenant: Tenant, before: Decision, reason: str, now: datetime
) -> None:
    award = await _newest_award(session, before)
    credential = await find_credential_of_award(session, before.issuer_id, award.id)
    if credential is not None and credential.state != "failed":
        await revoke(session, world, before.issuer_id, credential.id, reason=reason, actor=tenant.actor, now=now)
