"""Badges that say something else of their learner than is known now are signed anew."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import get_achievement
from app.clock import whole_second
from app.credentials.award import Reissue, shown_identities
from app.credentials.in_time import in_time
from app.credentials.issue import REISSUE_JOB, CredentialPending, PendingEdition, complete, prepare
from app.credentials.store import (
    Award,
    Credential,
    Edition,
    find_edition_of_decision,
    list_credentials_of_learner,
    list_standing_editions,
    lock_credential,
)
from app.errors import AssayError
from app.jobs.queue import enqueue
from app.keys.vault import Vault
from app.learners.recipients import Identities, open_identities, open_key
from app.learners.store import Learner, get_learner, lock_learner
from app.openbadges.identity import says_of_recipient
from app.resources import Resources
from app.scoring.award import load_award_facts
from app.scoring.store import REDATES, Decision, find_renewed, get_decision

log = structlog.get_logger(__name__)

ACTOR = REISSUE_JOB


async def reissue_badges(world: Resources, issuer_id: str, learner_id: str) -> int:
    """Reissue what says something else of the learner: how many badges. Done again, or twice at once, it does nothing more.

    A badge that cannot be reissued now holds up no other. Raises the last such error: the job is then tried again later.
    """
    async with world.database.reading() as session:
        learner = await get_learner(session, issuer_id, learner_id)
        outdated = await list_outdated(session, world.vault, learner, now=world.clock.now())
    count, failed = 0, None
    for credential in outdated:
        try:
            count += await _reissue(world, issuer_id, learner_id, credential.id)
        except AssayError as error:
            log.warning("badge_not_reissued", credential=credential.id, code=error.code)
            failed = error
    if failed is not None:
        raise failed
    return count


async def ask_for_reissue(session: AsyncSession, vault: Vault, learner: Learner, *, changed: bool, at: datetime) -> int:
    """After a change of the locked learner: the next identity version, and the job if badges need it. How many do now.

    Badges that were behind before, say because an award added an identity, catch up too; so naming what is known already
    brings them up to date. Suspended ones are behind the next version, and by that catch up when they are reinstated.
    """
    outdated = await list_outdated(session, vault, learner, now=at)
    if changed or outdated:
        learner.identity_version += 1
    reissuing = sum(credential.state != "suspended" for credential in outdated)
    if reissuing:
        enqueue(session, REISSUE_JOB, {"issuer_id": learner.issuer_id, "learner_id": learner.id}, run_at=at)
    return reissuing


async def list_outdated(session: AsyncSession, vault: Vault, learner: Learner, *, now: datetime) -> list[Credential]:
    """The badges, issued, suspended or being signed, that say something else of the learner than their next edition would.

    Revoked, failed and expired ones stay as they are.
    """
    if learner.sealed_key is None:
        return []
    credentials = await list_credentials_of_learner(session, learner.issuer_id, learner.id)
    standing = {each.id: each for each in credentials if each.state in ("pending", "issued", "suspended")}
    identities = await open_identities(session, vault, learner)
    outdated = {
        edition.credential_id
        for edition in await list_standing_editions(session, learner.issuer_id, list(standing))
        if not _is_expired(edition, now)
        and not await _says(session, vault, standing[edition.credential_id], edition, identities)
    }
    return [credential for credential in standing.values() if credential.id in outdated]


def _is_expired(edition: Edition, now: datetime) -> bool:
    """Another edition would end before it begins."""
    return edition.valid_until is not None and edition.valid_until <= whole_second(now)


async def _says(
    session: AsyncSession, vault: Vault, credential: Credential, edition: Edition, identities: Identities
) -> bool:
    """Whether the edition says of its learner what the next one would."""
    sealed_for = await get_learner(session, edition.issuer_id, edition.learner_id)
    unsecured = open_key(vault, sealed_for).open_json(
        edition.sealed_unsecured, table="edition", row=edition.id, column="sealed_unsecured"
    )
    settings: Mapping[str, Any] = (
        await get_achievement(session, credential.issuer_id, credential.achievement_id)
    ).settings
    shown = shown_identities(identities, settings)
    subject = unsecured["credentialSubject"]
    return says_of_recipient(subject, did=shown.did, email=shown.email, name=shown.name)


async def _reissue(world: Resources, issuer_id: str, learner_id: str, credential_id: str) -> bool:
    work = partial(_prepare_next, world=world, issuer_id=issuer_id, learner_id=learner_id, credential_id=credential_id)
    pending = await in_time(world, work)
    if pending is None:
        return False
    await complete(world, pending)
    return True


async def _prepare_next(
    session: AsyncSession, *, world: Resources, issuer_id: str, learner_id: str, credential_id: str
) -> PendingEdition | None:
    """The next edition's intent; None when the badge has become another's business or needs none any more.

    The learner is locked first: what the edition says is then what its `identity_version` stands for.
    """
    learner = await lock_learner(session, issuer_id, learner_id)
    credential = await lock_credential(session, issuer_id, credential_id)
    if (
        learner.sealed_key is None
        or credential.learner_id != learner.id
        or credential.state not in ("pending", "issued")
    ):
        return None
    editions = await list_standing_editions(session, issuer_id, [credential.id])
    if any(edition.state == "pending" for edition in editions):
        raise CredentialPending("The edition before is still being signed.")
    [served] = editions
    now = world.clock.now()
    if served.identity_version >= learner.identity_version or _is_expired(served, now):
        return None
    identities = await open_identities(session, world.vault, learner)
    if await _says(session, world.vault, credential, served, identities):
        return None
    award = await session.get_one(Award, (issuer_id, credential.award_id))
    decision = await get_decision(session, issuer_id, award.decision_id)
    facts = await load_award_facts(session, world, decision, learner=learner)
    reissue = await _next(session, award, decision, served)
    if reissue.is_over(now):
        return None
    return await prepare(session, world, facts, reissue=reissue, actor=ACTOR, now=now)


async def _next(session: AsyncSession, award: Award, decision: Decision, served: Edition) -> Reissue:
    """Identity; but where the edition of a later decision was given up, this one is that edition too and takes its dates."""
    if decision.id == served.decision_id:
        return Reissue(award, "identity")
    renewed = await find_renewed(session, decision)
    if renewed is None:
        return Reissue(award, "new_date" if decision.reason_code in REDATES else "correction")
    stood = await find_edition_of_decision(session, renewed.issuer_id, renewed.id)
    return Reissue(award, "renewal" if decision.outcome == "awarded" else "withdrawal", stood)
