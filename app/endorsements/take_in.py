"""Taking in what somebody else says of the issuer's own: verified first, then kept, then accepted or not.

Verifying touches the world and takes its time: it is done before the transaction, which only writes down what was found.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Tenant
from app.endorsements.embed import put_inside_badges
from app.endorsements.endorsed import find_endorsed
from app.endorsements.issue import note
from app.endorsements.seal import lock_key, seal_body
from app.endorsements.store import Endorsement, find_by_digest, lock_endorsement
from app.errors import Conflict, Fault, InvalidInput, Unavailable
from app.identifiers import new_id
from app.issuers.sign import json_bytes
from app.proofs.verification_method import find_moment
from app.resources import Resources
from app.verification.verdict import is_of_newer
from app.verification.verify import Verifier

MAX_BYTES = 64 * 1024


class NotAnEndorsement(InvalidInput):
    """It is not an EndorsementCredential that says what it endorses, or is larger than MAX_BYTES."""

    code = "not_an_endorsement"


class EndorsementNotVerified(InvalidInput):
    """It is not valid: its proof, its issuer, its dates or its status. Or its issuer has replaced it.

    The faults name the checks.
    """

    code = "endorsement_not_verified"


class EndorsementNotOurs(InvalidInput):
    """It endorses something that is not this issuer's."""

    code = "endorsement_not_ours"


class EndorsementKnown(Conflict):
    code = "endorsement_known"


class EndorsementNotOpen(Conflict):
    """Only one that was received or stands can be accepted."""

    code = "endorsement_not_open"


@dataclass(frozen=True, slots=True)
class VerifiedEndorsement:
    """An endorsement that verified, as it will be kept."""

    body: bytes
    endorser: str
    endorsed: str
    valid_from: datetime
    valid_until: datetime | None


async def examine_endorsement(verifier: Verifier, document: Mapping[str, Any]) -> VerifiedEndorsement:
    """Verify an endorsement with an embedded proof.

    Raises NotAnEndorsement, EndorsementNotVerified, and Unavailable where what is needed to verify it could not be had.
    """
    endorsed = _require_endorsement(document)
    body = json_bytes(document)
    if len(body) > MAX_BYTES:
        raise NotAnEndorsement(f"The endorsement is larger than {MAX_BYTES} bytes.")
    found = (await verifier.examine(document)).verification
    if is_of_newer(found.checks):
        raise EndorsementNotVerified(
            "Its issuer has a newer version of the endorsement, which is what was verified.",
            cure="Hand in the newer version, from the address of its refresh service.",
            faults=[Fault("/credential/refreshService", "refreshed: leads to a newer version")],
        )
    failed = [each for each in found.checks if each.outcome == "failed"]
    if failed and all(each.fault == "network" for each in failed):
        raise Unavailable(failed[0].detail, cure="Try again later.")
    if not found.valid:
        faults = [Fault(f"/credential{each.pointer or ''}", f"{each.code}: {each.detail}") for each in failed]
        raise EndorsementNotVerified("The endorsement does not verify.", faults=faults)
    valid_from = find_moment(document.get("validFrom"))
    if valid_from is None or found.issuer is None:
        raise NotAnEndorsement("The endorsement does not say who endorses, or from when.")
    return VerifiedEndorsement(body, found.issuer.id, endorsed, valid_from, find_moment(document.get("validUntil")))


async def take_in(
    session: AsyncSession, world: Resources, tenant: Tenant, found: VerifiedEndorsement, now: datetime
) -> Endorsement:
    """Keep it, to be accepted. Raises EndorsementNotOurs, EndorsementKnown, NotFound, and Gone for an erased learner's badge."""
    endorsed = await find_endorsed(session, world, tenant.issuer_id, found.endorsed)
    if endorsed.kind == "other":
        raise EndorsementNotOurs(
            "It endorses something that is not yours.",
            faults=[Fault("/credential/credentialSubject/id", "is not the id of your Profile, achievements or badges")],
        )
    digest = hashlib.sha256(found.body).hexdigest()
    known = await find_by_digest(session, tenant.issuer_id, digest)
    if known is not None:
        raise _known(known)
    key = await lock_key(session, world.vault, tenant.issuer_id, endorsed.learner_id)
    endorsement = Endorsement(
        issuer_id=tenant.issuer_id, id=new_id(), origin="imported", state="received",
        kind=endorsed.kind, endorsed=endorsed.id, endorser=found.endorser, achievement_id=endorsed.achievement_id,
        version=endorsed.version, credential_id=endorsed.credential_id, learner_id=endorsed.learner_id, embed=False,
        digest=digest, valid_from=found.valid_from, valid_until=found.valid_until,
        status_list_id=None, status_list_index=None, key_id=None, created_at=now, updated_at=now,
    )  # fmt: skip
    seal_body(endorsement, found.body, key)
    session.add(endorsement)
    try:
        await session.flush()
    except IntegrityError:
        raise EndorsementKnown("The endorsement is being taken in by another request.") from None
    note(session, endorsement, "received", actor=tenant.actor, now=now)
    return endorsement


async def accept_endorsement(
    session: AsyncSession, tenant: Tenant, endorsement_id: str, *, embed: bool, now: datetime
) -> Endorsement:
    """Show it from now on; with `embed` new badges carry it, too. Raises EndorsementNotOpen, NotEmbeddable.

    One that stands already may be put inside badges this way; to take it out, withdraw it.
    """
    endorsement = await lock_endorsement(session, tenant.issuer_id, endorsement_id)
    if endorsement.state not in ("received", "standing"):
        raise EndorsementNotOpen(f"The endorsement is {endorsement.state}.")
    if endorsement.state == "standing" and endorsement.embed >= embed:
        return endorsement
    if embed:
        await put_inside_badges(session, endorsement)
    endorsement.state, endorsement.updated_at = "standing", now
    note(session, endorsement, "accepted", actor=tenant.actor, now=now)
    return endorsement


def _require_endorsement(document: Mapping[str, Any]) -> str:
    """The id of what it endorses."""
    types, subject = document.get("type"), document.get("credentialSubject")
    names = types if isinstance(types, list) else [types]
    endorsed = subject.get("id") if isinstance(subject, dict) else None
    if "EndorsementCredential" not in names or not isinstance(endorsed, str) or not endorsed:
        raise NotAnEndorsement(
            "It is not an EndorsementCredential with one subject that has an id.",
            cure="A badge goes to POST /v1/verify; what is endorsed is `credentialSubject.id`.",
        )
    return endorsed


def _known(endorsement: Endorsement) -> EndorsementKnown:
    return EndorsementKnown(f"The endorsement was taken in already: {endorsement.id}.")
