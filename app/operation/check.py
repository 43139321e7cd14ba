"""Verifying every badge and status list as it is stored: what is served was sound when it was signed, and still is.

A badge: its bytes open, have the digest and the id they were stored with, pass the lint, carry a signature of the issuer's key
over the document that was intended, and their entry's bit in the published list says what the register says. A list: its bytes
have their digest, pass the lint, are signed, and show the bits of the register.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app import strict_json
from app.credentials.fetch import open_body
from app.credentials.profiles import PROFILES, Profile
from app.credentials.represent import read_unsecured
from app.credentials.store import Credential, Edition, Representation
from app.errors import AssayError
from app.issuers.sign import json_bytes, verification_method_of, verify_made
from app.issuers.store import get_issuer
from app.keys.store import list_keys
from app.keys.vault import Unreadable
from app.learners.recipients import open_key
from app.learners.store import Learner
from app.openbadges.compose import compose_status_entry
from app.openbadges.conformance import lint
from app.openbadges.jwt import verify_jws
from app.proofs.data_integrity import proofs_of
from app.proofs.public_key import AnyPublicKey, is_multikey
from app.proofs.verification_method import VerificationMethod
from app.resources import Resources
from app.statuslists.bitstring import decode, get_bit, lint_status_list
from app.statuslists.publish import status_list_url
from app.statuslists.store import StatusList, StatusListPublication

BATCH = 100

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bad:
    """A document that does not pass: where it is served, and every fault found. `edition` is 0 for a list."""

    url: str
    edition: int
    faults: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """`pending` editions are not signed yet, `erased` ones can be opened by nobody any more: neither is judged."""

    badges: int = 0
    lists: int = 0
    pending: int = 0
    erased: int = 0
    burned: int = 0
    bad_badges: list[Bad] = field(default_factory=list)
    bad_lists: list[Bad] = field(default_factory=list)


async def count_editions(world: Resources) -> int:
    """How many editions `check_badges` will walk over."""
    async with world.database.reading() as session:
        return (await session.execute(select(func.count()).select_from(Edition))).scalar_one()


async def check_lists(world: Resources, tally: Tally) -> AsyncIterator[int]:
    """Verify every status list into `tally`, yielding how many were done. Each is read in one snapshot."""
    after = ("", "")
    while True:
        async with world.database.snapshot() as session:
            place = tuple_(StatusList.issuer_id, StatusList.id)
            query = select(StatusList).where(place > after).order_by(StatusList.issuer_id, StatusList.id).limit(1)
            status_list = (await session.scalars(query)).one_or_none()
            if status_list is None:
                return
            after = (status_list.issuer_id, status_list.id)
            faults = tuple([fault async for fault in _list_faults(session, world, status_list)])
        tally.lists += 1
        if faults:
            tally.bad_lists.append(Bad(status_list_url(world.base_url, status_list.id), 0, faults))
        yield 1


async def check_badges(world: Resources, tally: Tally, *, batch: int = BATCH) -> AsyncIterator[int]:
    """Verify every edition into `tally`, yielding how many were done. Each batch is read in one snapshot."""
    after = ("", "")
    while True:
        async with world.database.snapshot() as session:
            rows = await _next_editions(session, after, batch)
            if not rows:
                return
            after = (rows[-1][0].issuer_id, rows[-1][0].id)
            facts = await _gather(session, [edition for edition, _, _ in rows])
        for edition, credential, learner in rows:
            _judge(world, facts, edition, credential, learner, tally)
        yield len(rows)


async def _next_editions(
    session: AsyncSession, after: tuple[str, str], batch: int
) -> Sequence[tuple[Edition, Credential, Learner]]:
    query = (
        select(Edition, Credential, Learner)
        .join(Credential, (Credential.issuer_id == Edition.issuer_id) & (Credential.id == Edition.credential_id))
        .join(Learner, (Learner.issuer_id == Edition.issuer_id) & (Learner.id == Edition.learner_id))
        .where(tuple_(Edition.issuer_id, Edition.id) > after)
        .order_by(Edition.issuer_id, Edition.id)
        .limit(batch)
    )
    return [(edition, credential, learner) for edition, credential, learner in (await session.execute(query)).all()]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What judging a batch needs: by edition id, by issuer id, by list id. A list that does not decode has None."""

    representations: Mapping[str, Sequence[Representation]]
    methods: Mapping[str, Mapping[str, VerificationMethod]]
    keys: Mapping[str, Sequence[AnyPublicKey]]
    bits: Mapping[str, bytes | None]


async def _gather(session: AsyncSession, editions: Sequence[Edition]) -> _Facts:
    found = await session.scalars(select(Representation).where(Representation.edition_id.in_([e.id for e in editions])))
    representations: dict[str, list[Representation]] = {}
    for each in found.all():
        representations.setdefault(each.edition_id, []).append(each)
    methods = {issuer_id: await _methods(session, issuer_id) for issuer_id in {e.issuer_id for e in editions}}
    keys = {
        issuer_id: [key.public_key for key in await list_keys(session, issuer_id)]
        for issuer_id in {e.issuer_id for e in editions}
    }
    lists = {edition.status_list_id for edition in editions}
    published = select(StatusListPublication).where(StatusListPublication.status_list_id.in_(lists))
    bits = {each.status_list_id: _published_bits(each.body) for each in (await session.scalars(published)).all()}
    return _Facts(representations, methods, keys, bits)


async def _methods(session: AsyncSession, issuer_id: str) -> dict[str, VerificationMethod]:
    """Every key the issuer publishes, by verification method id."""
    issuer = await get_issuer(session, issuer_id)
    methods = [
        verification_method_of(issuer.did, key.public_key_multibase)
        for key in await list_keys(session, issuer_id)
        if is_multikey(key.public_key_multibase)
    ]
    return {method.id: method for method in methods}


def _judge(
    world: Resources, facts: _Facts, edition: Edition, credential: Credential, learner: Learner, tally: Tally
) -> None:
    if edition.state == "pending":
        tally.pending += 1
        return
    faults = list(_status_faults(facts, edition, credential))
    if edition.state == "burned":
        tally.burned += 1
    elif learner.sealed_key is None:
        tally.erased += 1
    else:
        tally.badges += 1
        faults += _edition_faults(world, facts, edition, learner)
    if faults:
        tally.bad_badges.append(Bad(f"{world.base_url}/credentials/{credential.id}", edition.number, tuple(faults)))


def _status_faults(facts: _Facts, edition: Edition, credential: Credential) -> Iterator[str]:
    """The published bit against the register: set for what was superseded, burned, revoked or suspended, else clear."""
    if edition.number == credential.edition_number and edition.state != "issued":
        yield f"the edition that is served is {edition.state}"
    bits = facts.bits.get(edition.status_list_id)
    if bits is None:
        yield "its status list is not published, or cannot be read"
        return
    wanted = edition.state != "issued" or credential.state in ("revoked", "suspended")
    if edition.status_list_index >= len(bits) * 8:
        yield "its index lies outside its status list"
    elif get_bit(bits, edition.status_list_index) != wanted:
        what = "set" if wanted else "clear"
        state = edition.state if edition.state != "issued" else credential.state
        yield f"its status bit is not {what}, though it is {state}"


def _edition_faults(world: Resources, facts: _Facts, edition: Edition, learner: Learner) -> Iterator[str]:
    representations = facts.representations.get(edition.id, [])
    if not representations:
        yield "its signed bytes are missing"
    for each in representations:
        try:
            body = open_body(open_key(world.vault, learner), each)
        except Unreadable:
            yield f"{each.profile}: its bytes cannot be opened: they were changed, or sealed under another key"
            continue
        if hashlib.sha256(body).hexdigest() != each.digest:
            yield f"{each.profile}: its bytes have another digest than was recorded"
        profile = PROFILES.get(each.profile)
        if profile is None:
            yield f"{each.profile}: there is no such profile"
            continue
        yield from (f"{each.profile}: {fault}" for fault in _badge_faults(world, facts, edition, profile, body))
    planned = {each["profile"] for each in edition.profiles if "skipped" not in each}
    for missing in sorted(planned - {each.profile for each in representations}):
        yield f"{missing}: its signed bytes are missing"


def _badge_faults(world: Resources, facts: _Facts, edition: Edition, profile: Profile, body: bytes) -> Iterator[str]:
    try:
        if not profile.is_jwt:
            strict_json.loads(body)
        document = read_unsecured(profile, body)
    except (AssayError, ValueError, KeyError, TypeError, AttributeError):
        yield "its bytes are no badge" if profile.is_jwt else "its bytes are not a JSON object"
        return
    if document.get("id") != f"{world.base_url}/credentials/{edition.credential_id}":
        yield "its id is not the address it is served at"
    entry = compose_status_entry(
        status_list_id=status_list_url(world.base_url, edition.status_list_id),
        index=edition.status_list_index,
        purpose=edition.status_purpose,
    )
    if document.get("credentialStatus") != entry:
        yield "its status entry is not the one that was drawn for it"
    if hashlib.sha256(json_bytes(document)).hexdigest() != edition.unsecured_digest:
        yield "it is not the document that was intended"
    try:
        lint(document, contexts=world.contexts)
    except AssayError as error:
        yield _told("it does not pass the lint", error)
    if profile.is_jwt:
        if not any(verify_jws(body.decode("ascii", "replace"), key) for key in facts.keys[edition.issuer_id]):
            yield "no key of its issuer has signed it"
    elif (secured := _find_document(body)) is not None:
        yield from _proof_faults(world, secured, facts.methods[edition.issuer_id])


async def _list_faults(session: AsyncSession, world: Resources, status_list: StatusList) -> AsyncIterator[str]:
    publication = await session.get(StatusListPublication, (status_list.issuer_id, status_list.id))
    if publication is None:
        yield "it is not published"
        return
    if hashlib.sha256(publication.body).hexdigest() != publication.etag:
        yield "its bytes have another digest than was recorded"
    if publication.version != status_list.version:
        yield f"version {publication.version} is published, but the register is at {status_list.version}"
    document = _find_document(publication.body)
    if document is None:
        yield "its bytes are not a JSON object"
        return
    issuer = await get_issuer(session, status_list.issuer_id)
    for member, wanted in (("id", status_list_url(world.base_url, status_list.id)), ("issuer", issuer.did)):
        if document.get(member) != wanted:
            yield f"its {member} is not {wanted}"
    if _published_bits(publication.body) != status_list.bits:
        yield "its bits are not those of the register"
    try:
        lint_status_list({name: value for name, value in document.items() if name != "proof"}, contexts=world.contexts)
    except AssayError as error:
        yield _told("it does not pass the lint", error)
    for fault in _proof_faults(world, document, await _methods(session, status_list.issuer_id)):
        yield fault


def _proof_faults(world: Resources, document: Document, methods: Mapping[str, VerificationMethod]) -> Iterator[str]:
    proofs = proofs_of(document)
    if not proofs:
        yield "it has no proof"
    for proof in proofs:
        method = methods.get(proof.get("verificationMethod", "")) if isinstance(proof, dict) else None
        if method is None:
            yield "its proof names no key of its issuer"
            continue
        try:
            problems = verify_made(document, proof, method, contexts=world.contexts, now=world.clock.now())
        except AssayError as error:
            yield _told("its proof cannot be read", error)
            continue
        yield from (f"its proof fails: {problem.code}" for problem in problems)


def _published_bits(body: bytes) -> bytes | None:
    document = _find_document(body)
    try:
        return decode(document["credentialSubject"]["encodedList"]) if document else None
    except (AssayError, KeyError, TypeError):
        return None


def _find_document(body: bytes) -> Document | None:
    try:
        strict_json.loads(body)
        document = json.loads(body)
    except (AssayError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _told(what: str, error: AssayError) -> str:
    places = ", ".join(f"{fault.pointer} {fault.detail}" for fault in error.faults[:3])
    return f"{what}: {places or error.detail}"
