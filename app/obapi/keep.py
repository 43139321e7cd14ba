"""The verb that puts a badge beside a learner's own (upsertCredential)."""

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.credentials.fetch import fetch_body
from app.credentials.store import list_credentials_of_learner
from app.errors import Forbidden, InvalidInput, Unavailable
from app.events.store import record_event
from app.identifiers import new_id
from app.issuers.store import get_issuer, require_not_left
from app.keys.vault import Vault
from app.learners.recipients import lock_current_learner, open_key
from app.learners.store import Learner, get_learner, list_same_person
from app.oauth.tokens import LearnerGrant
from app.obapi.badge import Badge, same_json
from app.obapi.store import KeptBadge, list_kept
from app.resources import Resources
from app.verification.members import normalize_id
from app.verification.verdict import is_of_newer
from app.verification.verify import Verifier

MOST_KEPT = 1_000
MOST_AHEAD = timedelta(days=1)


class OlderBadge(InvalidInput):
    """A newer version of the badge is here."""

    code = "older_badge"


class BadgeAhead(InvalidInput):
    """The badge is of a time so far ahead that no later version could ever replace it."""

    code = "badge_ahead"


class UnverifiedBadge(InvalidInput):
    """The badge does not verify, and the version that is here does, or other software put it here."""

    code = "unverified_badge"


class NotOurBadge(InvalidInput):
    """The badge says that it was issued here to this learner, and differs from the one that was."""

    code = "not_our_badge"


class TooManyBadges(Forbidden):
    """So many badges were put here for the learner that no more are taken."""

    code = "too_many_kept_badges"


Verdict = tuple[bool | None, list[str]]


async def verify_kept(verifier: Verifier, badge: Badge) -> Verdict:
    """Whether the badge verifies today, and the codes of what failed. None where it cannot be told; so it is with `refreshed`,
    where the issuer serves a newer version: that one was verified, and this one will be kept.
    """
    document = dict(badge.document)
    if badge.is_jws:
        # A compact JWS is verified as what it is, in the envelope that VCDM 2.0, section 4.13.1 has for it.
        data = f"data:application/vc+jwt,{badge.body.decode()}"
        contexts = ["https://www.w3.org/ns/credentials/v2"]
        document = {"@context": contexts, "id": data, "type": "EnvelopedVerifiableCredential"}
    try:
        verification = await verifier.verify(document)
    except Unavailable:
        return None, []
    if is_of_newer(verification.checks):
        return None, ["refreshed"]
    failed = [each for each in verification.checks if each.outcome == "failed"]
    reasons = list(dict.fromkeys(each.code for each in failed))
    is_read = all(each.fault != "verifier" for each in failed) and not (badge.is_jws and "not_an_open_badge" in reasons)
    return (verification.valid if is_read else None), reasons


async def keep_badge(
    session: AsyncSession, world: Resources, grant: LearnerGrant, badge: Badge, verdict: Verdict, *, now: datetime
) -> Literal["created", "replaced"]:
    """Keep a badge for a learner. One that was issued here stands already.

    Raises OlderBadge, UnverifiedBadge, BadgeAhead, NotOurBadge, TooManyBadges, IssuerLeft, and Gone for a learner who was
    erased.
    """
    require_not_left(await get_issuer(session, grant.issuer_id))
    learner = await lock_current_learner(session, grant.issuer_id, grant.learner_id)
    key = open_key(world.vault, learner)
    if await _stands(session, world, learner, badge):
        return "replaced"
    if badge.valid_from > now + MOST_AHEAD:
        raise BadgeAhead("The badge's validFrom is more than a day ahead.")
    same = await list_same_person(session, grant.issuer_id, learner.id)
    kept = await list_kept(session, grant.issuer_id, same)
    found = None
    for each in kept:
        if await _identity(session, world.vault, each) == badge.identity:
            found = each
    if found is not None and not await _gives_way(session, world.vault, found, grant, badge, verdict):
        return "replaced"
    if found is None and len(kept) >= MOST_KEPT:
        raise TooManyBadges(f"{MOST_KEPT} badges are kept for this learner, and no more are taken.")
    id_ = found.id if found is not None else new_id()
    row = found or KeptBadge(issuer_id=grant.issuer_id, id=id_, created_at=now)
    row.learner_id, row.client_id, row.format = learner.id, grant.client_id, "jws" if badge.is_jws else "json"
    row.sealed_identity = key.seal_json(badge.identity, table="kept_badge", row=id_, column="sealed_identity")
    row.sealed_body = key.seal(badge.body, table="kept_badge", row=id_, column="sealed_body")
    row.valid_from, row.updated_at = badge.valid_from, now
    row.valid, row.reasons = verdict
    row.verified_at = now
    session.add(row)
    what: Literal["created", "replaced"] = "created" if found is None else "replaced"
    audit(session, issuer_id=grant.issuer_id, actor=grant.actor, action=f"kept_badge.{what}", object_id=id_,
          content={"learner": learner.id, "valid": row.valid}, at=now)  # fmt: skip
    record_event(session, grant.issuer_id, f"kept_badge.{what}", id_, at=now)
    await session.flush()
    return what


async def _gives_way(
    session: AsyncSession, vault: Vault, found: KeptBadge, grant: LearnerGrant, badge: Badge, verdict: Verdict
) -> bool:
    """Whether a version takes the place of the one that was found; it need not where that is the same to the byte.

    Whoever names an issuer and an id can claim to have the newest version. What other software put here, and what
    verified, gives way only to what the issuer signed. Raises OlderBadge, UnverifiedBadge.
    """
    is_sound, is_anothers = verdict[0] is True, found.client_id != grant.client_id
    # What nobody signed does not keep out what was.
    if found.valid_from > badge.valid_from and not (is_sound and is_anothers and not found.valid):
        raise OlderBadge("A newer version of this badge is kept here.")
    if is_sound or not (is_anothers or found.valid):
        return True
    if await open_kept(session, vault, found) == badge.body:
        return False
    raise UnverifiedBadge("The badge does not verify, and cannot replace the version that is kept here.")


async def _stands(session: AsyncSession, world: Resources, learner: Learner, badge: Badge) -> bool:
    """Whether this is a badge of this service that the learner has, or was before its newest edition. Raises NotOurBadge."""
    here = f"{world.base_url}/credentials/"
    named = normalize_id(badge.id)
    if not named.startswith(here):
        return False
    for credential in await list_credentials_of_learner(session, learner.issuer_id, learner.id):
        if credential.id == named.removeprefix(here) and credential.edition_number > 0:
            edition, body, _ = await fetch_body(session, world.vault, credential)
            is_older = badge.valid_from < edition.valid_from
            # In another proof format it has other bytes: what it says of its achievement is the same.
            is_same = same_json(body, badge.body) or (badge.is_jws and badge.valid_from == edition.valid_from)
            if not is_older and not is_same:
                raise NotOurBadge("The badge is not the one that was issued here.")
            return True
    return False


async def _identity(session: AsyncSession, vault: Vault, kept: KeptBadge) -> list[str]:
    key = open_key(vault, await get_learner(session, kept.issuer_id, kept.learner_id))
    identity: list[str] = key.open_json(kept.sealed_identity, table="kept_badge", row=kept.id, column="sealed_identity")
    return identity


async def open_kept(session: AsyncSession, vault: Vault, kept: KeptBadge) -> bytes:
    """The badge as it was put here. Raises Gone for a learner who was erased."""
    key = open_key(vault, await get_learner(session, kept.issuer_id, kept.learner_id))
    return key.open(kept.sealed_body, table="kept_badge", row=kept.id, column="sealed_body")
