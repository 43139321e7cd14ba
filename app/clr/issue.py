"""Bundling, signing and revoking learner records."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.clock import whole_second
from app.clr.choose import Choice, LeftOut, Ties, choose_badges, find_ties
from app.clr.store import LearnerRecord, RecordedBadge, lock_record
from app.errors import Conflict, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.issuers.sign_now import sign_now
from app.issuers.store import Issuer, get_issuer, require_issuing
from app.keys.vault import PersonalKey
from app.learners.recipients import Identities, RecipientNotIdentifiable, open_identities, open_key
from app.learners.store import get_learner, lock_learner, require_not_merged
from app.openbadges.clr import MAX_BADGES, ClrFacts, compose_clr, lint_clr
from app.openbadges.compose import compose_status_entry
from app.openbadges.conformance import Linted, LintFailed
from app.openbadges.identity import compose_identity_objects
from app.openbadges.test_mark import mark_description, mark_name
from app.resources import Resources
from app.statuslists.publish import allocate_index, change_bits, status_list_url


class NothingToBundle(Conflict):
    """None of the badges stands. The detail says why each is left out."""

    code = "nothing_to_bundle"


class ClrTooLarge(InvalidInput):
    """More than MAX_BADGES, or together larger than verifiers take."""

    code = "clr_too_large"


@dataclass(frozen=True, slots=True)
class NewRecord:
    """What to bundle: `credential_ids` None means all that stand."""

    name: str | None
    description: str | None
    credential_ids: Sequence[str] | None
    visibility: Literal["private", "unlisted"]
    recipient_name: bool
    goals: bool


async def issue_record(
    session: AsyncSession,
    world: Resources,
    issuer_id: str,
    learner_id: str,
    wanted: NewRecord,
    *,
    actor: str,
    now: datetime,
) -> tuple[LearnerRecord, list[LeftOut]]:
    """Bundle a learner's badges: the record, and what was left out of it.

    Raises NotFound, LearnerMerged, Gone for an erased learner, RecipientNotIdentifiable, NothingToBundle, ClrTooLarge,
    IssuerNotReady.
    """
    await require_issuing(session, issuer_id)
    learner = require_not_merged(await lock_learner(session, issuer_id, learner_id))
    key, identities = open_key(world.vault, learner), await open_identities(session, world.vault, learner)
    if not identities.is_identifiable:
        raise RecipientNotIdentifiable(
            "The learner has neither an e-mail address nor a DID that the record could name."
        )
    choice = await choose_badges(
        session, world.vault, issuer_id, learner_id, wanted.credential_ids,
        with_private=wanted.visibility == "private", now=now,
    )  # fmt: skip
    _require_fit(choice)
    ties = await find_ties(session, issuer_id, choice.chosen, with_goals=wanted.goals)
    issuer = await get_issuer(session, issuer_id)
    clr_id = new_id()
    place = await allocate_index(session, world, issuer_id, "revocation", now)
    facts = _facts(world, issuer, identities, wanted, choice, ties, clr_id, place, now)
    signed = await sign_now(session, world, issuer, _lint(world, issuer, facts), now=now)
    record = LearnerRecord(
        issuer_id=issuer_id, id=clr_id, learner_id=learner.id, state="issued", visibility=wanted.visibility,
        partial=choice.partial, sealed_body=seal_record(key, clr_id, signed.body), digest=signed.digest,
        valid_from=whole_second(now), status_list_id=place[0], status_list_index=place[1], key_id=signed.key_id,
        created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(record)
    await session.flush()
    session.add_all(
        RecordedBadge(
            issuer_id=issuer_id, clr_id=clr_id, number=number, credential_id=each.credential.id,
            edition_id=each.edition.id,
        )
        for number, each in enumerate(choice.chosen, 1)
    )  # fmt: skip
    await session.flush()
    audit(session, issuer_id=issuer_id, actor=actor, action="clr.issued", object_id=clr_id,
          content={"digest": signed.digest, "editions": [each.edition.id for each in choice.chosen]}, at=now)  # fmt: skip
    record_event(session, issuer_id, "clr.issued", clr_id, at=now)
    return record, choice.left_out


async def revoke_record(
    session: AsyncSession, world: Resources, issuer_id: str, clr_id: str, *, actor: str, now: datetime
) -> LearnerRecord:
    """End a record for good; the badges in it are not touched. Revoking it again changes nothing."""
    record = await lock_record(session, issuer_id, clr_id)
    if record.state == "revoked":
        return record
    await change_bits(session, world, issuer_id, record.status_list_id, {record.status_list_index: True}, now)
    record.state, record.updated_at = "revoked", now
    audit(session, issuer_id=issuer_id, actor=actor, action="clr.revoked", object_id=clr_id, content={}, at=now)
    record_event(session, issuer_id, "clr.revoked", clr_id, at=now)
    return record


def seal_record(key: PersonalKey, clr_id: str, body: bytes) -> bytes:
    return key.seal(body, table="clr", row=clr_id, column="sealed_body")


def open_record(key: PersonalKey, record: LearnerRecord) -> bytes:
    """The exact bytes that were signed."""
    return key.open(record.sealed_body, table="clr", row=record.id, column="sealed_body")


async def fetch_record(session: AsyncSession, world: Resources, record: LearnerRecord) -> bytes:
    """As `open_record`. Raises Gone when the learner was erased."""
    learner = await get_learner(session, record.issuer_id, record.learner_id)
    return open_record(open_key(world.vault, learner), record)


def _require_fit(choice: Choice) -> None:
    if not choice.chosen:
        told = ", ".join(f"{each.credential_id} is {each.reason}" for each in choice.left_out[:5])
        raise NothingToBundle(f"No badge stands that could be bundled{': ' + told if told else ''}.")
    if len(choice.chosen) > MAX_BADGES:
        raise ClrTooLarge(f"There are {len(choice.chosen)} badges, more than {MAX_BADGES}.")


def _facts(
    world: Resources, issuer: Issuer, identities: Identities, wanted: NewRecord, choice: Choice, ties: Ties,
    clr_id: str, place: tuple[str, int], now: datetime,
) -> ClrFacts:  # fmt: skip
    name, description = wanted.name or f"Learner record: {issuer.profile['name']}", wanted.description
    if issuer.is_test:
        name, description = mark_name(name), mark_description(description)
    shown_name = identities.name if wanted.recipient_name else None
    return ClrFacts(
        id=f"{world.base_url}/clr/{clr_id}",
        issuer=issuer.profile,
        name=name,
        description=description,
        subject_id=identities.did,
        identity_objects=compose_identity_objects(email=identities.email, name=shown_name, salt=secrets.token_hex(16)),
        badges=[each.document for each in choice.chosen],
        achievements=ties.achievements,
        parents=ties.parents,
        partial=choice.partial,
        status_entry=compose_status_entry(
            status_list_id=status_list_url(world.base_url, place[0]), index=place[1], purpose="revocation"
        ),
        valid_from=whole_second(now),
    )


def _lint(world: Resources, issuer: Issuer, facts: ClrFacts) -> Linted:
    """With the issuer's whole Profile; where badges from before say something else of it, with what never changes.

    Raises ClrTooLarge where the badges do not fit into one record.
    """
    try:
        return lint_clr(compose_clr(facts), contexts=world.contexts)
    except LintFailed:
        bare = {name: issuer.profile[name] for name in ("id", "type")}
    try:
        return lint_clr(compose_clr(replace(facts, issuer=bare)), contexts=world.contexts)
    except LintFailed as error:
        raise ClrTooLarge("The badges do not go into one record.", faults=error.faults) from error
