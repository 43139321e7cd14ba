"""What was issued: fetched and deleted by the client that had it issued, and its status set."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Principal, Scope, Tenant
from app.audit.store import audit
from app.errors import Fault, Gone
from app.events.store import record_event
from app.resources import Resources
from app.statuslists.publish import change_bits
from app.vcapi.errors import StatusFinal, StatusNotOffered
from app.vcapi.issue import open_document
from app.vcapi.store import GenericCredential, lock_of_client

STATUS_ENTRY = "BitstringStatusListEntry"


async def find_stored(
    session: AsyncSession, world: Resources, principal: Principal | None, credential_id: str
) -> bytes | None:
    """The exact bytes of a generic credential by our id of it; None for whoever is not the client that had it issued.

    Raises Gone when the client has deleted it.
    """
    if principal is None or principal.issuer_id is None or Scope.VCAPI_ISSUE not in principal.scopes:
        return None
    row = await session.get(GenericCredential, (principal.issuer_id, credential_id))
    if row is None or row.client_id != principal.id or row.state in ("pending", "burned"):
        return None
    return open_document(world.vault, row)


async def delete_stored(session: AsyncSession, tenant: Tenant, credential_id: str, *, now: datetime) -> None:
    """Destroy the key that a credential is sealed under: whoever holds it still does. Its status can be set no more.

    Raises NotFound, and Gone when it was deleted before.
    """
    [row] = await _lock(session, tenant, credential_id, by_our_id=True)
    row.state, row.updated_at = "deleted", now
    row.sealed_key = row.sealed_document = row.id_digest = None
    audit(session, issuer_id=row.issuer_id, actor=tenant.actor, action="generic_credential.deleted", object_id=row.id,
          content={}, at=now)  # fmt: skip
    record_event(session, row.issuer_id, "generic_credential.deleted", row.id, at=now)


async def set_status(
    session: AsyncSession, world: Resources, tenant: Tenant, name: str, *, type_: str, purpose: str, is_set: bool,
    now: datetime,
) -> None:  # fmt: skip
    """Set or clear the status of the credentials that `name` is the `id` of, or our id. Setting it again changes nothing.

    Raises NotFound, Gone, StatusNotOffered, and StatusFinal when a revocation was to be taken back.
    """
    rows = [row for row in await _lock(session, tenant, name) if (type_, purpose) == (STATUS_ENTRY, row.status_purpose)]
    if not rows:
        fault = Fault("/credentialStatus", "is no status that was added to this credential here")
        raise StatusNotOffered(f"The credential has no {STATUS_ENTRY} of ours for this purpose.", faults=[fault])
    if purpose == "revocation" and not is_set and any(row.is_status_set for row in rows):
        raise StatusFinal("The credential is revoked, which is final.", faults=[Fault("/status", "cannot be cleared")])
    for row in rows:
        if row.is_status_set != is_set:
            await _change(session, world, row, is_set=is_set, actor=tenant.actor, now=now)


async def _change(
    session: AsyncSession, world: Resources, row: GenericCredential, *, is_set: bool, actor: str, now: datetime
) -> None:
    assert row.status_list_id is not None
    assert row.status_list_index is not None
    row.is_status_set, row.updated_at = is_set, now
    await session.flush()
    await change_bits(session, world, row.issuer_id, row.status_list_id, {row.status_list_index: is_set}, now)
    audit(session, issuer_id=row.issuer_id, actor=actor, action="generic_credential.status_changed",
          object_id=row.id, content={"purpose": row.status_purpose, "set": is_set}, at=now)  # fmt: skip
    record_event(session, row.issuer_id, "generic_credential.status_changed", row.id, at=now)


async def _lock(
    session: AsyncSession, tenant: Tenant, name: str, *, by_our_id: bool = False
) -> list[GenericCredential]:
    assert tenant.client_id is not None
    rows = await lock_of_client(session, tenant.issuer_id, tenant.client_id, name, by_our_id=by_our_id)
    if any(row.state == "deleted" for row in rows):
        raise Gone("The credential was deleted.")
    return rows
