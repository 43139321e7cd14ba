"""Verbs on issuers: create one with its key and DID, change its Profile."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.errors import Conflict
from app.events.store import EventCounter, record_event
from app.identifiers import new_id
from app.issuers.did_document import did_web, has_own_domain
from app.issuers.jobs import FREEZE_QUALITY_JOB
from app.issuers.own_domain import require_own_did
from app.issuers.store import Issuer, find_issuer_by_slug
from app.jobs.queue import enqueue
from app.keys.store import ED25519, SigningKey
from app.openbadges.compose import compose_profile
from app.openbadges.test_mark import mark_description, mark_name
from app.resources import Resources


class SlugTaken(Conflict):
    code = "slug_taken"


async def create_issuer(
    session: AsyncSession,
    world: Resources,
    *,
    slug: str,
    profile: Mapping[str, Any],
    is_test: bool = False,
    did: str | None = None,
    actor: str,
    now: datetime,
) -> Issuer:
    """A new issuer with an Ed25519 key. `profile` holds the members of `compose_profile` but `id`.

    `is_test` marks it, its badges and its pages as tests, for good. With a `did` of its own domain its key signs once it is
    found published there (`app.issuers.rotate`). Raises SlugTaken, DidNotAllowed, DidTaken.
    """
    if await find_issuer_by_slug(session, slug) is not None:
        raise SlugTaken(f"There is already an issuer {slug!r}.")
    issuer_id, key_id = new_id(), new_id()
    public_key, sealed = world.vault.new_signing_key(issuer_id, key_id)
    if did is not None:
        await require_own_did(session, world, did, slug)
    else:
        did = did_web(world.base_url, slug) if world.settings.is_https else f"did:key:{public_key}"
    waits = has_own_domain(did, world.base_url, slug)
    issuer = Issuer(
        id=issuer_id,
        slug=slug,
        did=did,
        profile=_compose_own_profile(did, profile, url=profile_url(world.base_url, slug), is_test=is_test),
        is_test=is_test,
        created_at=now,
        updated_at=now,
    )
    session.add(issuer)
    await session.flush()
    key = SigningKey(
        issuer_id=issuer_id,
        id=key_id,
        algorithm=ED25519,
        public_key_multibase=public_key,
        sealed_private_key=sealed,
        state="pending" if waits else "active",
        created_at=now,
        activated_at=None if waits else now,
    )
    session.add_all([key, EventCounter(issuer_id=issuer_id, position=0)])
    audit(session, issuer_id=issuer_id, actor=actor, action="issuer.created", object_id=issuer_id,
          content={"did": did, "profile": issuer.profile, "key": public_key, "is_test": is_test}, at=now)  # fmt: skip
    audit(session, issuer_id=issuer_id, actor=actor, action="key.created", object_id=key_id,
          content={"public_key": public_key}, at=now)  # fmt: skip
    enqueue(session, FREEZE_QUALITY_JOB, {"issuer_id": issuer_id}, run_at=now)
    await session.flush()
    record_event(session, issuer_id, "issuer.created", issuer_id, at=now)
    return issuer


def change_profile(
    session: AsyncSession, issuer: Issuer, *, profile: Mapping[str, Any], base_url: str, actor: str, now: datetime
) -> None:
    """Replace the Profile but for its DID. Badges already issued keep the Profile they were signed with."""
    url = profile_url(base_url, issuer.slug)
    issuer.profile = _compose_own_profile(issuer.did, profile, url=url, is_test=issuer.is_test)
    issuer.updated_at = now
    audit(session, issuer_id=issuer.id, actor=actor, action="issuer.changed", object_id=issuer.id,
          content={"profile": issuer.profile}, at=now)  # fmt: skip
    record_event(session, issuer.id, "issuer.changed", issuer.id, at=now)


def profile_url(base_url: str, slug: str) -> str:
    """Where the issuer's Profile is published."""
    return f"{base_url}/issuers/{slug}"


def _compose_own_profile(did: str, profile: Mapping[str, Any], *, url: str, is_test: bool) -> dict[str, Any]:
    """The Profile that badges carry. That of a test issuer says so, whatever name it is given."""
    members = {"url": url, **profile}
    if is_test:
        members["name"] = mark_name(members["name"])
        members["description"] = mark_description(members.get("description"))
    return compose_profile(id=did, **members)
