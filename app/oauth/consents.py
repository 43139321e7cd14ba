"""Verbs that end what a person let a client do."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import get_person
from app.audit.store import audit
from app.errors import NotFound
from app.events.store import record_event
from app.oauth.store import OAuthAuthorization, OAuthConsent, OAuthToken, list_consents, lock_consent
from app.people.people import lock_person
from app.resources import Resources


async def revoke_authorization(
    session: AsyncSession, authorization: OAuthAuthorization, *, why: str, actor: str, now: datetime
) -> None:
    """End a code and all that came of it. Doing it again changes nothing."""
    if authorization.revoked_at is None:
        authorization.revoked_at = now
        audit(session, issuer_id=authorization.issuer_id, actor=actor, action="oauth_authorization.revoked",
              object_id=authorization.id, content={"why": why}, at=now)  # fmt: skip
        await session.flush()


async def revoke_consent(session: AsyncSession, found: OAuthConsent, *, actor: str, now: datetime) -> None:
    """End a consent, which is locked, and all its tokens at once. Doing it again changes nothing."""
    if found.revoked_at is not None:
        return
    found.revoked_at = found.updated_at = now
    query = select(OAuthAuthorization).where(
        OAuthAuthorization.issuer_id == found.issuer_id, OAuthAuthorization.consent_id == found.id
    )
    for each in (await session.scalars(query.order_by(OAuthAuthorization.id).with_for_update())).all():
        await revoke_authorization(session, each, why="consent_revoked", actor=actor, now=now)
    audit(session, issuer_id=found.issuer_id, actor=actor, action="oauth_consent.revoked", object_id=found.id,
          content={}, at=now)  # fmt: skip
    record_event(session, found.issuer_id, "oauth_consent.revoked", found.id, at=now)


async def revoke_own_consent(
    session: AsyncSession, issuer_id: str, person_id: str, consent_id: str, *, actor: str, now: datetime
) -> OAuthConsent:
    """As `revoke_consent`, of one's own. Raises NotFound."""
    found = await session.get(OAuthConsent, (issuer_id, consent_id))
    if found is None or found.person_id != person_id:
        raise NotFound("You have no consent with this id.")
    await lock_person(session, issuer_id, person_id)
    locked = await lock_consent(session, issuer_id, person_id, found.client_id)
    assert locked is not None
    await revoke_consent(session, locked, actor=actor, now=now)
    return locked


async def end_grants(world: Resources, payload: Mapping[str, Any]) -> None:
    """Job: somebody was signed out everywhere at `until`. What they consented to by then ends.

    Of who was erased nothing is kept.
    """
    now = world.clock.now()
    issuer_id, person_id = payload["issuer_id"], payload["person_id"]
    async with world.database.transaction() as session:
        person = await lock_person(session, issuer_id, person_id)
        for each in await list_consents(session, issuer_id, [person_id]):
            if each.updated_at <= datetime.fromisoformat(payload["until"]):
                await revoke_consent(session, each, actor=f"person:{person_id}", now=now)
        await session.flush()
        if person.sealed_key is None:
            await forget_grants(session, issuer_id, [person_id])


async def forget_grants(session: AsyncSession, issuer_id: str, person_ids: Sequence[str]) -> None:
    """Delete all consents of these people, and what came of them."""
    mine = (OAuthAuthorization.issuer_id == issuer_id, OAuthAuthorization.person_id.in_(person_ids))
    authorizations = select(OAuthAuthorization.id).where(*mine)
    await session.execute(delete(OAuthToken).where(OAuthToken.authorization_id.in_(authorizations)))
    await session.execute(delete(OAuthAuthorization).where(*mine))
    consents = (OAuthConsent.issuer_id == issuer_id, OAuthConsent.person_id.in_(person_ids))
    await session.execute(delete(OAuthConsent).where(*consents))


async def is_good(session: AsyncSession, authorization: OAuthAuthorization) -> bool:
    """Whether an authorization still stands, and who gave it is a learner who may sign in."""
    person = await get_person(session, authorization.issuer_id, authorization.person_id)
    return authorization.revoked_at is None and person.is_active and person.learner_id is not None
