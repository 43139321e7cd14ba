"""The issuing story, top to bottom. Nothing else in the house leads to a signed badge.

    prepare     in the caller's transaction, commit (a):
                status entry > compose > lint > award, credential, pending edition with the exact document > recovery job
    complete    after that commit:
                sign in every proof profile (lint tokens are spent) > verify what was signed > commit (b): exact bytes of all,
                edition issued, the edition before superseded and its status bit set, event
    recover     a pending edition whose process died: finished to the same bytes, or burned

The intent is stored before the signature exists, so whatever was signed is known. An edition is worked on under a claim:
two processes never sign the same one, and a finished one is never signed again. Signatures follow from the stored document,
plan, keys and date (`app.keys.signing` makes none that is not deterministic), so finishing later gives what would have been given
before. Which profiles there are is settled with the intent: what cannot be made is skipped then, with a reason.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import get_achievement
from app.audit.store import audit
from app.clock import whole_second
from app.credentials.award import (
    AwardFacts,
    Reissue,
    count_validity,
    regrant,
    require_some_validity,
    shown_identities,
)
from app.credentials.jobs import note_holdings
from app.credentials.profiles import DEFAULT, PROFILES, Planned, read_plan, write_plan
from app.credentials.remind import remind_later
from app.credentials.represent import Made, SignedWith, plan_further, represent
from app.credentials.store import (
    Award,
    Credential,
    Edition,
    Representation,
    claim_edition,
    find_credential_of_award,
    get_edition,
    list_editions,
    lock_credential,
    representation_place,
    settle_edition,
)
from app.errors import AssayError, Broken, Conflict
from app.events.store import record_event
from app.identifiers import new_id
from app.issuers.sign import SelfVerificationFailed, json_bytes
from app.issuers.store import Issuer, get_issuer, require_not_left
from app.jobs.queue import enqueue
from app.keys.store import get_active_key, get_key, list_active_keys
from app.keys.vault import PersonalKey
from app.learners.recipients import Identities, open_identities, open_key
from app.learners.store import get_learner
from app.metrics import BURNED, ISSUED
from app.openbadges.compose import (
    BadgeFacts,
    compose_credential,
    compose_status_entry,
)
from app.openbadges.conformance import Linted, lint
from app.openbadges.identity import compose_identity_objects
from app.openbadges.test_mark import mark_description, mark_name
from app.resources import Resources
from app.statuslists.publish import allocate_index, change_bits, status_list_url

log = structlog.get_logger(__name__)

RECOVERY_JOB = "recover_edition"
REISSUE_JOB = "reissue_badges"
"""Follows a change of what badges say of a learner (`app.identity.reissue`): {issuer_id, learner_id}."""

LEASE = timedelta(seconds=60)
GIVE_UP_AFTER = timedelta(hours=24)


class CredentialRevoked(Conflict):
    code = "credential_revoked"


class CredentialSuspended(Conflict):
    code = "credential_suspended"


class CredentialPending(Conflict):
    code = "credential_pending"


class TooSoon(Exception):  # not an error: the caller waits until `retry_at` and begins again
    """The edition before carries this very second as its validFrom; the next must be later, and not in the future."""

    def __init__(self, retry_at: datetime) -> None:
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class PendingEdition:
    """An edition whose intent is stored, with the permission to sign it once: in the default profile with `key`, and in each of
    `further` with its keys."""

    issuer_id: str
    edition_id: str
    credential_id: str
    claim: str
    linted: Linted
    key: SignedWith
    further: Sequence[tuple[Planned, Sequence[SignedWith]]]
    proof_created: datetime
    learner_key: PersonalKey


Finish = Callable[[AsyncSession], Awaitable[None]]


async def prepare(
    session: AsyncSession,
    world: Resources,
    facts: AwardFacts,
    *,
    reissue: Reissue | None,
    actor: str,
    now: datetime,
    lease: timedelta = LEASE,
) -> PendingEdition:
    """Store the intent to issue: a new credential, or with `reissue` the next edition of an award's credential.

    `lease` is how long the caller's claim to sign it holds. Taking an edition over too early costs the first process its
    work and nothing else: both sign the same bytes, and one of them releases them.

    Raises IssuerLeft, IssuerNotReady, ValidityOver, LintFailed when the badge would not be sound, CredentialRevoked,
    CredentialSuspended or CredentialPending when the credential cannot get another edition, TooSoon within the second of the
    edition before.
    """
    issuer_id = facts.learner.issuer_id
    issuer = await get_issuer(session, issuer_id)
    require_not_left(issuer)
    settings = (await get_achievement(session, issuer_id, facts.version.achievement_id)).settings
    valid_from = whole_second(now)
    granted = count_validity(facts.awarded_date, settings["validity_days"])
    if reissue is None:
        credential, number = await _new_credential(session, facts, settings["visibility"], now), 1
    else:
        credential, served, number = await _next_edition(session, reissue.award, facts, valid_from)
        granted = regrant(granted, reissue.renewed or served, reissue.cause)
    awarded_date, valid_until = granted
    require_some_validity(valid_from, valid_until)
    list_id, index = await allocate_index(session, world, issuer_id, settings["status_purpose"], now)
    key, keys = await get_active_key(session, issuer_id), await list_active_keys(session, issuer_id)
    edition = Edition(
        issuer_id=issuer_id,
        id=new_id(),
        credential_id=credential.id,
        decision_id=facts.decision_id,
        learner_id=facts.learner.id,
        identity_version=facts.learner.identity_version,
        version=facts.version.version,
        number=number,
        state="pending",
        valid_from=valid_from,
        valid_until=valid_until,
        awarded_date=awarded_date,
        status_list_id=list_id,
        status_list_index=index,
        status_purpose=settings["status_purpose"],
        key_id=key.id,
        proof_created=valid_from,
        claimed_by=new_id(),
        claimed_until=now + lease,
        created_at=now,
    )
    shown = shown_identities(await open_identities(session, world.vault, facts.learner), settings)
    linted = lint(_compose(world, issuer, facts, edition, shown), contexts=world.contexts)
    key_ids = {each.algorithm: each.id for each in keys.values()}
    plans = plan_further(world, settings.get("proof_profiles", []), linted.document, key_ids)
    edition.profiles = [write_plan(each) for each in plans]
    learner_key = open_key(world.vault, facts.learner)
    await _store_intent(session, edition, linted, learner_key, actor, now)
    known = {each.id: SignedWith.of(each, issuer.did) for each in keys.values()}
    further = [(each, [known[id_] for id_ in each.key_ids]) for each in plans]
    assert edition.claimed_by is not None
    return PendingEdition(
        issuer_id,
        edition.id,
        credential.id,
        edition.claimed_by,
        linted,
        known[key.id],
        further,
        valid_from,
        learner_key,
    )


async def complete(world: Resources, pending: PendingEdition, *, finish: Finish | None = None) -> None:
    """Sign, check and release a pending edition in all its profiles. `finish` runs in the same transaction (b), for the caller's
    own ends.

    Raises Broken when what was signed does not verify or the claim was lost: then nothing is released here.
    """
    made = await _represent_all(world, pending)
    async with world.database.transaction() as session:
        await _release(session, world, pending, made)
        if finish is not None:
            await finish(session)
    ISSUED.inc()


async def _represent_all(world: Resources, pending: PendingEdition) -> list[Made]:
    """Every representation of the edition, the default one first."""
    document, created = pending.linted.document, pending.proof_created
    default = Planned(PROFILES[DEFAULT], [pending.key.key_id])
    made = [await represent(world, default, document, [pending.key], created=created, first=pending.linted)]
    for planned, keys in pending.further:
        if planned.skipped is None:
            made.append(await represent(world, planned, document, keys, created=created))
    return made


async def recover(world: Resources, issuer_id: str, edition_id: str, *, finish: Finish | None = None) -> bool:
    """Finish a pending edition whose claim has run out, or burn it when it cannot be. False when nothing was to be done.

    Raises CredentialPending while another process is at work on it, which may die as well: ask again later.
    """
    now, claim = world.clock.now(), new_id()
    async with world.database.transaction() as session:
        claimed = await claim_edition(session, issuer_id, edition_id, claim=claim, now=now, until=now + LEASE)
        edition = await get_edition(session, issuer_id, edition_id)
    if not claimed:
        if edition.state == "pending":
            raise CredentialPending("Another process is at work on this badge.")
        return False
    try:
        pending = await _reopen(world, edition, claim)
        await complete(world, pending, finish=finish)
    except CredentialPending:
        raise  # somebody else holds the claim now: the job looks again later
    except AssayError as error:
        log.error("edition_not_recovered", edition=edition_id, code=error.code)
        # A fault on our side may pass (a key that cannot be opened just now); one in the badge or its signature will not.
        may_pass = isinstance(error, Broken) and not isinstance(error, SelfVerificationFailed)
        if may_pass and now - edition.created_at < GIVE_UP_AFTER:
            raise
        await _burn(world, edition, claim)
    return True


def _compose(
    world: Resources, issuer: Issuer, facts: AwardFacts, edition: Edition, identities: Identities
) -> dict[str, Any]:
    """The unsecured document: the version's template filled with the facts."""
    assert facts.version.document is not None
    content = facts.version.content
    name, description = content["name"], content["description"]
    if issuer.is_test:
        name, description = mark_name(name), mark_description(description)
    return compose_credential(
        BadgeFacts(
            id=f"{world.base_url}/credentials/{edition.credential_id}",
            issuer=issuer.profile,
            achievement=facts.version.document,
            name=name,
            description=description,
            # No image of its own: it would be the achievement's, and a statement made twice can be taken out once unnoticed.
            recipient_id=identities.did,
            identity_objects=compose_identity_objects(email=identities.email, name=identities.name, salt=facts.salt),
            results=facts.results,
            evidence=facts.evidence,
            source=facts.source,
            narrative=facts.narrative,
            role=facts.role,
            activity_start=facts.activity_start,
            activity_end=facts.activity_end,
            status_entry=compose_status_entry(
                status_list_id=status_list_url(world.base_url, edition.status_list_id),
                index=edition.status_list_index,
                purpose=edition.status_purpose,
            ),
            valid_from=edition.valid_from,
            valid_until=edition.valid_until,
            awarded_date=edition.awarded_date,
        )
    )


async def _store_intent(
    session: AsyncSession, edition: Edition, linted: Linted, learner_key: PersonalKey, actor: str, now: datetime
) -> None:
    unsecured = json_bytes(linted.document)
    edition.unsecured_digest = hashlib.sha256(unsecured).hexdigest()
    edition.sealed_unsecured = learner_key.seal(unsecured, table="edition", row=edition.id, column="sealed_unsecured")
    session.add(edition)
    payload = {"issuer_id": edition.issuer_id, "edition_id": edition.id}
    enqueue(session, RECOVERY_JOB, payload, run_at=now + LEASE + timedelta(seconds=1))
    content = {
        "credential": edition.credential_id,
        "unsecured_digest": edition.unsecured_digest,
        "key": edition.key_id,
    }
    audit(session, issuer_id=edition.issuer_id, actor=actor, action="edition.intended", object_id=edition.id,
          content=content, at=now)  # fmt: skip
    await session.flush()


async def _new_credential(session: AsyncSession, facts: AwardFacts, visibility: str, now: datetime) -> Credential:
    issuer_id, award_id = facts.learner.issuer_id, new_id()
    session.add(
        Award(
            issuer_id=issuer_id,
            id=award_id,
            decision_id=facts.decision_id,
            learner_id=facts.learner.id,
            achievement_id=facts.version.achievement_id,
            version=facts.version.version,
            created_at=now,
        )
    )
    await session.flush()
    credential = Credential(
        issuer_id=issuer_id,
        id=new_id(),
        external_id=facts.external_id,
        award_id=award_id,
        learner_id=facts.learner.id,
        achievement_id=facts.version.achievement_id,
        version=facts.version.version,
        view="detailed",
        visibility=visibility,
        state="pending",
        sealed_reason=None,
        edition_number=0,
        created_at=now,
        updated_at=now,
    )
    session.add(credential)
    await session.flush()
    return credential


async def _next_edition(
    session: AsyncSession, award: Award, facts: AwardFacts, valid_from: datetime
) -> tuple[Credential, Edition | None, int]:
    """The award's credential, locked, the edition it serves (None when the first failed), and the number of the next one."""
    credential = await lock_credential(session, award.issuer_id, (await _credential_id(session, award)))
    if credential.state == "revoked":
        raise CredentialRevoked("The credential is revoked, which is final.")
    if credential.state == "suspended":
        raise CredentialSuspended("The credential is suspended; reinstate it before it is reissued.")
    editions = await list_editions(session, award.issuer_id, credential.id)
    if editions[-1].state == "pending":
        raise CredentialPending("The edition before is still being signed.")
    if valid_from <= editions[-1].valid_from:
        raise TooSoon(editions[-1].valid_from + timedelta(seconds=1))
    award.decision_id = facts.decision_id
    award.version = facts.version.version
    served = next((edition for edition in editions if edition.number == credential.edition_number), None)
    return credential, served, editions[-1].number + 1


async def _credential_id(session: AsyncSession, award: Award) -> str:
    credential = await find_credential_of_award(session, award.issuer_id, award.id)
    if credential is None:
        raise Broken("An award has no credential.")
    return credential.id


async def _release(session: AsyncSession, world: Resources, pending: PendingEdition, made: Sequence[Made]) -> None:
    now = world.clock.now()
    credential = await lock_credential(session, pending.issuer_id, pending.credential_id)
    settled = await settle_edition(
        session, pending.issuer_id, pending.edition_id, claim=pending.claim, state="issued", now=now
    )
    if not settled:
        raise CredentialPending("Another process has taken over the signing of this badge.")
    if credential.state == "revoked":
        raise CredentialRevoked("The credential was revoked while its new edition was being signed.")
    if credential.state == "suspended":
        raise CredentialSuspended("The credential was suspended while its new edition was being signed.")
    digests = {each.profile: hashlib.sha256(each.body).hexdigest() for each in made}
    session.add_all(
        Representation(
            issuer_id=pending.issuer_id,
            edition_id=pending.edition_id,
            profile=each.profile,
            media_type=each.media_type,
            sealed_body=pending.learner_key.seal(each.body, **representation_place(pending.edition_id, each.profile)),
            digest=digests[each.profile],
        )
        for each in made
    )
    await _supersede_earlier(session, world, credential, now)
    edition = await session.get_one(Edition, (pending.issuer_id, pending.edition_id), populate_existing=True)
    what = "issued" if edition.number == 1 else "reissued"
    credential.edition_number = edition.number
    credential.version = edition.version
    credential.state = "issued"
    credential.updated_at = now
    audit(session, issuer_id=pending.issuer_id, actor="signer", action=f"credential.{what}", object_id=credential.id,
          content={"edition": edition.id, "digest": digests[DEFAULT], "key": pending.key.key_id}, at=now)  # fmt: skip
    _note_use(session, pending, digests, now)
    record_event(
        session, pending.issuer_id, f"credential.{what}", credential.id, at=now, data={"edition": edition.number}
    )
    settings = (await get_achievement(session, pending.issuer_id, credential.achievement_id)).settings
    remind_later(session, edition, settings.get("renewal_reminder_days"), now)
    note_holdings(session, credential, at=now)
    if edition.valid_until is not None:
        note_holdings(session, credential, at=edition.valid_until)


def _note_use(session: AsyncSession, pending: PendingEdition, digests: dict[str, str], now: datetime) -> None:
    """Which keys signed what."""
    used = [(pending.key.key_id, DEFAULT)]
    used += [(key.key_id, planned.profile.name) for planned, keys in pending.further for key in keys]
    for key_id, profile in used:
        audit(session, issuer_id=pending.issuer_id, actor="signer", action="key.used", object_id=key_id,
              content={"document": digests[profile]}, at=now)  # fmt: skip


async def _supersede_earlier(session: AsyncSession, world: Resources, credential: Credential, now: datetime) -> None:
    """Whoever holds an earlier edition must see that it is no longer the one: its bit is set and stays set."""
    for edition in await list_editions(session, credential.issuer_id, credential.id):
        if edition.number == credential.edition_number and edition.state == "issued":
            edition.state = "superseded"
            await change_bits(
                session, world, edition.issuer_id, edition.status_list_id, {edition.status_list_index: True}, now
            )


async def _reopen(world: Resources, edition: Edition, claim: str) -> PendingEdition:
    """The pending edition as `prepare` left it, from what it stored. Linted anew, so there is a token to spend."""
    async with world.database.reading() as session:
        learner = await get_learner(session, edition.issuer_id, edition.learner_id)
        issuer = await get_issuer(session, edition.issuer_id)
        plans = [read_plan(each) for each in edition.profiles]
        key_ids = {edition.key_id, *(id_ for each in plans for id_ in each.key_ids)}
        keys = {id_: SignedWith.of(await get_key(session, id_), issuer.did) for id_ in key_ids}
    learner_key = open_key(world.vault, learner)
    unsecured = learner_key.open(edition.sealed_unsecured, table="edition", row=edition.id, column="sealed_unsecured")
    linted = lint(json.loads(unsecured), contexts=world.contexts)
    further = [(each, [keys[id_] for id_ in each.key_ids]) for each in plans]
    return PendingEdition(
        edition.issuer_id, edition.id, edition.credential_id, claim, linted, keys[edition.key_id], further,
        edition.proof_created, learner_key,
    )  # fmt: skip


async def _burn(world: Resources, edition: Edition, claim: str) -> None:
    """Give an edition up for good: should a signature of it exist somewhere, its status bit says so."""
    now = world.clock.now()
    async with world.database.transaction() as session:
        credential = await lock_credential(session, edition.issuer_id, edition.credential_id)
        if not await settle_edition(session, edition.issuer_id, edition.id, claim=claim, state="burned", now=now):
            return
        if credential.edition_number == 0:
            credential.state = "failed"
        credential.updated_at = now
        await change_bits(
            session, world, edition.issuer_id, edition.status_list_id, {edition.status_list_index: True}, now
        )
        audit(session, issuer_id=edition.issuer_id, actor="signer", action="edition.burned", object_id=edition.id,
              content={}, at=now)  # fmt: skip
        what = "failed" if edition.number == 1 else "reissue_failed"
        record_event(
            session, edition.issuer_id, f"credential.{what}", credential.id, at=now, data={"edition": edition.number}
        )
    BURNED.inc()
