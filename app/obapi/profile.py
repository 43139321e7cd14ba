"""A learner's profile (getProfile, putProfile): what software put here, else what the institution knows."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import strict_json
from app.audit.store import audit
from app.errors import Fault, InvalidInput, NotFound
from app.events.store import record_event
from app.issuers.store import get_issuer, require_not_left
from app.keys.vault import Vault
from app.learners.recipients import lock_current_learner, open_identities, open_key
from app.learners.store import get_learner, list_same_person
from app.oauth.tokens import LearnerGrant
from app.obapi.store import KeptProfile, list_kept_profiles
from app.resources import Resources


class NotAProfile(InvalidInput):
    """What was sent is not an Open Badges 3.0 Profile."""

    code = "not_a_profile"


async def compose_profile(session: AsyncSession, world: Resources, grant: LearnerGrant) -> bytes:
    """The Profile as JSON. Raises NotFound where there is neither a profile nor a learner any more."""
    same = await list_same_person(session, grant.issuer_id, grant.learner_id)
    kept = await list_kept_profiles(session, grant.issuer_id, same)
    if kept:
        return await open_profile(session, world.vault, kept[0])
    learner = await get_learner(session, grant.issuer_id, same[0])
    if learner.sealed_key is None:
        raise NotFound("There is no profile.")
    known = await open_identities(session, world.vault, learner)
    profile: dict[str, Any] = {"id": known.did or UUID(learner.id).urn, "type": ["Profile"]}
    profile |= {name: value for name, value in (("name", known.name), ("email", known.email)) if value is not None}
    return json.dumps(profile, ensure_ascii=False).encode()


async def keep_profile(
    session: AsyncSession, world: Resources, grant: LearnerGrant, body: bytes, *, now: datetime
) -> None:
    """Keep a profile to the byte. What badges say of the learner stays what the institution knows.

    Raises NotAProfile, MalformedDocument, IssuerLeft, and Gone for a learner who was erased.
    """
    _require_profile(strict_json.loads(body))
    require_not_left(await get_issuer(session, grant.issuer_id))
    learner = await lock_current_learner(session, grant.issuer_id, grant.learner_id)
    row = await session.get(KeptProfile, (grant.issuer_id, learner.id))
    if row is None:
        row = KeptProfile(issuer_id=grant.issuer_id, learner_id=learner.id)
        session.add(row)
    row.sealed_body = open_key(world.vault, learner).seal(
        body, table="kept_profile", row=learner.id, column="sealed_body"
    )
    row.updated_at = now
    audit(session, issuer_id=grant.issuer_id, actor=grant.actor, action="kept_profile.changed", object_id=learner.id,
          content={}, at=now)  # fmt: skip
    record_event(session, grant.issuer_id, "kept_profile.changed", learner.id, at=now)
    await session.flush()


async def open_profile(session: AsyncSession, vault: Vault, kept: KeptProfile) -> bytes:
    """The profile as it was put here. Raises Gone for a learner who was erased."""
    key = open_key(vault, await get_learner(session, kept.issuer_id, kept.learner_id))
    return key.open(kept.sealed_body, table="kept_profile", row=kept.learner_id, column="sealed_body")


def _require_profile(document: object) -> None:
    faults = []
    if not isinstance(document, dict):
        raise NotAProfile("This is not a Profile.", faults=[Fault("", "is not an object", "send a Profile")])
    if not isinstance(document.get("id"), str) or not document["id"].strip():
        faults.append(Fault("/id", "names nothing", "give the URI of the profile"))
    types = document.get("type")
    if not isinstance(types, list) or "Profile" not in types:
        faults.append(Fault("/type", "does not have Profile", 'write ["Profile"]'))
    faults += [
        Fault(f"/{name}", "must be text", "write it in quotes")
        for name in ("name", "url", "email", "phone", "description", "givenName", "familyName")
        if name in document and not isinstance(document[name], str)
    ]
    if faults:
        raise NotAProfile("This is not an Open Badges 3.0 Profile.", faults=faults)
