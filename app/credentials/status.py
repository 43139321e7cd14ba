"""Revoke (final), suspend, reinstate. Each returns once the new status list is part of the transaction.

Open Badges 3.0 allows one status entry, so its purpose decides what can be shown: a badge issued for `suspension` can be
suspended, reinstated and revoked (its bit then stays set for good); one issued for `revocation` can only be revoked.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.credentials.issue import REISSUE_JOB, CredentialPending, CredentialRevoked
from app.credentials.jobs import note_holdings
from app.credentials.store import Credential, get_credential, get_current_edition, list_editions, lock_credential
from app.errors import Conflict
from app.events.store import record_event
from app.jobs.queue import enqueue
from app.learners.recipients import open_key
from app.learners.store import get_learner, lock_learner
from app.resources import Resources
from app.statuslists.publish import change_bits


class SuspensionUnavailable(Conflict):
    code = "suspension_unavailable"


class CredentialFailed(Conflict):
    code = "credential_failed"


class CredentialNotSuspended(Conflict):
    code = "credential_not_suspended"


async def revoke(
    session: AsyncSession,
    world: Resources,
    issuer_id: str,
    credential_id: str,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> Credential:
    """End a badge for good. Revoking it again changes nothing."""
    credential = await _locked(session, issuer_id, credential_id)
    if credential.state != "revoked":
        await _change(session, world, credential, "revoked", True, reason, actor, now)
    return credential


async def suspend(
    session: AsyncSession,
    world: Resources,
    issuer_id: str,
    credential_id: str,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> Credential:
    """Put a badge on hold. Raises SuspensionUnavailable or CredentialRevoked."""
    credential = await _locked(session, issuer_id, credential_id)
    _require_not_revoked(credential)
    await _require_settled(session, credential)
    edition = await get_current_edition(session, credential)
    if edition.status_purpose != "suspension":
        raise SuspensionUnavailable("The badge was issued with a status entry for revocation.")
    if credential.state != "suspended":
        await _change(session, world, credential, "suspended", True, reason, actor, now)
    return credential


async def reinstate(
    session: AsyncSession,
    world: Resources,
    issuer_id: str,
    credential_id: str,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> Credential:
    """Lift a suspension. What the badge says of its learner then catches up, if it changed meanwhile.

    Raises CredentialNotSuspended or CredentialRevoked.
    """
    # Locked first, so that a change of identity has either ended and is seen here, or will see a badge reinstated.
    learner_id = (await get_credential(session, issuer_id, credential_id)).learner_id
    await lock_learner(session, issuer_id, learner_id)
    credential = await _locked(session, issuer_id, credential_id)
    _require_not_revoked(credential)
    if credential.state != "suspended":
        raise CredentialNotSuspended("The credential is not suspended.")
    await _change(session, world, credential, "issued", False, reason, actor, now)
    learner = await get_learner(session, issuer_id, credential.learner_id)
    if (await get_current_edition(session, credential)).identity_version < learner.identity_version:
        enqueue(session, REISSUE_JOB, {"issuer_id": issuer_id, "learner_id": learner.id}, run_at=now)
    return credential


async def _locked(session: AsyncSession, issuer_id: str, credential_id: str) -> Credential:
    credential = await lock_credential(session, issuer_id, credential_id)
    if credential.state == "failed":
        raise CredentialFailed("The badge was never issued: it could not be signed soundly.")
    if credential.edition_number == 0:
        raise CredentialPending("The credential has not been issued yet.")
    return credential


async def _require_settled(session: AsyncSession, credential: Credential) -> None:
    """A hold concerns the edition people have; while the next one is being signed, that is not decided."""
    if (await list_editions(session, credential.issuer_id, credential.id))[-1].state == "pending":
        raise CredentialPending("The next edition of the badge is being signed.")


def _require_not_revoked(credential: Credential) -> None:
    if credential.state == "revoked":
        raise CredentialRevoked("The credential is revoked, which is final.")


async def _change(
    session: AsyncSession,
    world: Resources,
    credential: Credential,
    state: str,
    bit: bool,
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    edition = await get_current_edition(session, credential)
    await change_bits(
        session, world, credential.issuer_id, edition.status_list_id, {edition.status_list_index: bit}, now
    )
    what = "reinstated" if state == "issued" else state
    learner = await get_learner(session, credential.issuer_id, credential.learner_id)
    # Of an erased learner a badge can still be revoked; why is personal data, and there is no key to seal it under.
    credential.sealed_reason = learner.sealed_key and open_key(world.vault, learner).seal(
        reason.encode(), table="credential", row=credential.id, column="sealed_reason"
    )
    credential.state, credential.updated_at = state, now
    audit(session, issuer_id=credential.issuer_id, actor=actor, action=f"credential.{what}", object_id=credential.id,
          content={"edition": edition.id}, at=now)  # fmt: skip
    record_event(session, credential.issuer_id, f"credential.{what}", credential.id, at=now)
    note_holdings(session, credential, at=now)
