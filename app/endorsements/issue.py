"""Giving an endorsement: composed, linted, signed and stored in one transaction; and revoking it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Tenant
from app.audit.store import audit
from app.clock import whole_second
from app.endorsements.embed import NotEmbeddable, put_inside_badges
from app.endorsements.endorsed import Endorsed, find_endorsed
from app.endorsements.seal import lock_key, seal_body
from app.endorsements.store import Endorsement, lock_endorsement
from app.errors import Conflict, Fault, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.issuers.carried import drop_carried
from app.issuers.sign_now import sign_now
from app.issuers.store import Issuer, get_issuer, require_issuing
from app.openbadges.compose import compose_status_entry
from app.openbadges.endorsement import EndorsementFacts, compose_endorsement, lint_endorsement
from app.openbadges.test_mark import mark_description, mark_name
from app.resources import Resources
from app.statuslists.publish import allocate_index, change_bits, status_list_url


class EndorsementNotRevocable(Conflict):
    """It was given without a status entry, or it is somebody else's."""

    code = "endorsement_not_revocable"


class EndorsementOver(InvalidInput):
    """It would end before it begins."""

    code = "endorsement_over"


@dataclass(frozen=True, slots=True)
class NewEndorsement:
    """What the issuer says. Without `revocable` it has no status entry, and stands for good."""

    endorsed: str
    name: str
    comment: str | None
    description: str | None
    valid_until: datetime | None
    revocable: bool
    embed: bool


async def issue_endorsement(
    session: AsyncSession, world: Resources, tenant: Tenant, said: NewEndorsement, now: datetime
) -> Endorsement:
    """Sign and publish an endorsement.

    Raises NotFound for a thing of this service that is not there, EndorsementOver, NotEmbeddable, LintFailed, IssuerNotReady, and
    Gone when it is about the badge of an erased learner.
    """
    await require_issuing(session, tenant.issuer_id)
    issuer = await get_issuer(session, tenant.issuer_id)
    endorsed = await find_endorsed(session, world, issuer.id, said.endorsed)
    if said.embed and said.revocable:
        # Before an index is drawn for it.
        raise NotEmbeddable("Badges carry only what cannot turn: an endorsement that can be revoked can.",
                            faults=[Fault("/revocable", "must be false where `embed` is true")])  # fmt: skip
    if said.valid_until is not None and said.valid_until <= whole_second(now):
        raise EndorsementOver("The endorsement would be over before it begins.",
                              faults=[Fault("/valid_until", "must lie in the future")])  # fmt: skip
    key = await lock_key(session, world.vault, issuer.id, endorsed.learner_id)
    place = await allocate_index(session, world, issuer.id, "revocation", now) if said.revocable else None
    endorsement_id = new_id()
    unsecured = compose_endorsement(_facts(world, issuer, endorsed, said, endorsement_id, place, now))
    signed = await sign_now(session, world, issuer, lint_endorsement(unsecured, contexts=world.contexts), now=now)
    endorsement = Endorsement(
        issuer_id=issuer.id, id=endorsement_id, origin="issued", state="standing",
        kind=endorsed.kind, endorsed=endorsed.id, endorser=issuer.did, achievement_id=endorsed.achievement_id,
        version=endorsed.version, credential_id=endorsed.credential_id, learner_id=endorsed.learner_id, embed=False,
        digest=signed.digest, valid_from=whole_second(now), valid_until=said.valid_until,
        status_list_id=place and place[0], status_list_index=place and place[1], key_id=signed.key_id,
        created_at=now, updated_at=now,
    )  # fmt: skip
    seal_body(endorsement, signed.body, key)
    session.add(endorsement)
    await session.flush()
    if said.embed:
        await put_inside_badges(session, endorsement)
    audit(session, issuer_id=issuer.id, actor=tenant.actor, action="endorsement.issued", object_id=endorsement.id,
          content={"digest": signed.digest, "endorsed": endorsed.id, "embed": said.embed}, at=now)  # fmt: skip
    record_event(session, issuer.id, "endorsement.issued", endorsement.id, at=now)
    return endorsement


async def revoke_endorsement(
    session: AsyncSession, world: Resources, tenant: Tenant, endorsement_id: str, now: datetime
) -> Endorsement:
    """End an endorsement that the issuer gave, for good. Revoking it again changes nothing. Raises EndorsementNotRevocable."""
    endorsement = await lock_endorsement(session, tenant.issuer_id, endorsement_id)
    if endorsement.state == "revoked":
        return endorsement
    if endorsement.status_list_id is None or endorsement.status_list_index is None:
        raise EndorsementNotRevocable("The endorsement has no status entry of ours that could say so.")
    bits = {endorsement.status_list_index: True}
    await change_bits(session, world, tenant.issuer_id, endorsement.status_list_id, bits, now)
    endorsement.state, endorsement.updated_at = "revoked", now
    note(session, endorsement, "revoked", actor=tenant.actor, now=now)
    return endorsement


async def withdraw_endorsement(
    session: AsyncSession, tenant: Tenant, endorsement_id: str, now: datetime
) -> Endorsement:
    """Show it no more, and put it inside no more badges. Doing it again changes nothing; one that was revoked stays so.

    What was signed stays signed: badges that carry it already keep it.
    """
    endorsement = await lock_endorsement(session, tenant.issuer_id, endorsement_id)
    if endorsement.state in ("withdrawn", "revoked"):
        return endorsement
    endorsement.state, endorsement.embed, endorsement.updated_at = "withdrawn", False, now
    await drop_carried(session, tenant.issuer_id, endorsement.id)
    note(session, endorsement, "withdrawn", actor=tenant.actor, now=now)
    return endorsement


def note(session: AsyncSession, endorsement: Endorsement, what: str, *, actor: str, now: datetime) -> None:
    """In the audit trail and among the events."""
    action = f"endorsement.{what}"
    audit(session, issuer_id=endorsement.issuer_id, actor=actor, action=action, object_id=endorsement.id,
          content={"digest": endorsement.digest, "embed": endorsement.embed}, at=now)  # fmt: skip
    record_event(session, endorsement.issuer_id, action, endorsement.id, at=now)


def _facts(
    world: Resources, issuer: Issuer, endorsed: Endorsed, said: NewEndorsement, endorsement_id: str,
    place: tuple[str, int] | None, now: datetime,
) -> EndorsementFacts:  # fmt: skip
    name, description = said.name, said.description
    if issuer.is_test:
        name, description = mark_name(name), mark_description(description)
    entry = place and compose_status_entry(
        status_list_id=status_list_url(world.base_url, place[0]), index=place[1], purpose="revocation"
    )
    return EndorsementFacts(
        id=f"{world.base_url}/endorsements/{endorsement_id}", issuer=issuer.profile, endorsed=endorsed.id, name=name,
        description=description, comment=said.comment, valid_from=whole_second(now), valid_until=said.valid_until,
        status_entry=entry,
    )  # fmt: skip
