"""Issuing a credential for an API client, top to bottom.

    draft      the document with what its proof needs: contexts, the status entry; the proofs it has set apart
    lint       first where it can be killed, then here, which gives the permission to sign once
    commit (a) the exact document, sealed under a key of its own, and the job that burns it should this process die
    sign       the lint token is spent; what was signed is verified from its bytes
    commit (b) the exact bytes, the audit, the event

An intent whose process died is never signed again: it is burned, and its status bit set. Whoever asked got no answer, and asks
again.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.idempotency import IdempotencyKey, IdempotencyRecord, RequestInProgress
from app.access.principals import Scope, Tenant
from app.audit.store import audit
from app.clock import whole_second
from app.errors import Conflict, Fault, Gone, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.issuers.sign import json_bytes, sign_document
from app.issuers.store import get_issuer, require_not_left
from app.jobs.queue import enqueue
from app.keys.vault import Vault
from app.openbadges.compose import compose_status_entry
from app.openbadges.conformance import Linted
from app.proofs.cryptosuites import SUITES
from app.proofs.data_integrity import proofs_of
from app.proofs.ecdsa_sd_2023 import select
from app.resources import Resources
from app.statuslists.publish import allocate_index, change_bits, status_list_url
from app.vcapi.errors import (
    ExistingProofRefused,
    IssuerMismatch,
    IssuingFailed,
    MalformedCredential,
    UnknownOption,
)
from app.vcapi.judge import VcApiJudges
from app.vcapi.judging import MAX_PROOFS
from app.vcapi.lint import Contexts, lint_credential, require_known_type, require_no_status_list
from app.vcapi.settings import IssuingKey, IssuingSettings, get_issuing_key, read_settings
from app.vcapi.store import GenericCredential, digest_id, get_generic, settle
from app.vcdm.members import VC_CONTEXT_1
from app.vcdm.values import id_of

BURN_JOB = "burn_generic_credential"
LEASE = timedelta(seconds=60)

DATA_INTEGRITY_CONTEXT = "https://w3id.org/security/data-integrity/v2"
ED25519_CONTEXT = "https://w3id.org/security/suites/ed25519-2020/v1"

_STATUS = "https://www.w3.org/ns/credentials/status#"
STATUS_TERMS = {
    "BitstringStatusListEntry": f"{_STATUS}BitstringStatusListEntry",
    "statusPurpose": f"{_STATUS}statusPurpose",
    "statusListIndex": f"{_STATUS}statusListIndex",
    "statusListCredential": {"@id": f"{_STATUS}statusListCredential", "@type": "@id"},
}
"""For a credential of the Data Model 1.1, whose context has no status entry of this kind: the terms as 2.0 has them."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What was issued: our id of it, and the exact bytes."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is to be signed, and the proofs that it came with."""

    document: dict[str, Any]
    proofs: Sequence[Mapping[str, Any]]
    previous: Sequence[str]
    """The ids of the proofs that the new one covers: none but in a chain."""

    @property
    def covered(self) -> dict[str, Any]:
        """The document as the new proof covers it."""
        return {**self.document, "proof": list(self.proofs)} if self.previous else self.document


@dataclass(frozen=True, slots=True)
class _Intent:
    row_id: str
    draft: _Draft
    linted: Linted
    key: IssuingKey
    created: datetime


async def issue(
    world: Resources,
    judges: VcApiJudges,
    tenant: Tenant,
    credential: Any,
    options: Mapping[str, Any],
    idempotency: IdempotencyKey,
) -> Issued:
    """Sign a credential as the client's settings say.

    Raises MalformedCredential, UnreadableTerms, IssuerMismatch, ExistingProofRefused, GenericNotAllowed, UnknownOption,
    IssuerLeft, IssuerNotReady, NoKeyForCryptosuite, IssuingFailed; RequestInProgress and IdempotencyKeyReused.
    """
    assert tenant.client_id is not None
    is_generic = Scope.VCAPI_GENERIC in tenant.scopes
    async with world.database.reading() as session:
        require_not_left(await get_issuer(session, tenant.issuer_id))
        settings = await read_settings(session, tenant.issuer_id, tenant.client_id)
        key = await get_issuing_key(session, tenant.issuer_id, settings)
    draft = _draft(credential, settings)
    _require_issuer(draft.document, key.did)
    if not is_generic:
        require_known_type(draft.document)
    pointers = await asyncio.to_thread(_mandatory_pointers, draft.document, settings, options)
    await judges.lint(draft.covered, is_generic=is_generic)
    contexts = world.open_contexts if is_generic else world.contexts
    async with world.database.transaction() as session:
        earlier = await idempotency.begin(session)
        if earlier is not None:
            return await _read_earlier(session, world, tenant.issuer_id, earlier)
        # Linting may have waited for its turn: what was read before may have been replaced meanwhile.
        require_not_left(await get_issuer(session, tenant.issuer_id))
        if await get_issuing_key(session, tenant.issuer_id, settings) != key:
            raise Conflict("The issuer's key was replaced meanwhile.", cure="Repeat the request.")
        intent = await _store_intent(session, world, tenant, draft, settings, key, options, contexts)
        await idempotency.finish(session, 201, None, issuer_id=tenant.issuer_id, resource_id=intent.row_id)
    signed = await sign_document(
        replace(world, contexts=contexts),
        intent.linted,
        key_id=key.key_id,
        verification_method=key.method,
        created=intent.created,
        suite=settings.cryptosuite,
        mandatory_pointers=pointers,
        options={"previousProof": _one_or_several(draft.previous)} if draft.previous else {},
    )
    body = _combine(signed, intent.draft)
    async with world.database.transaction() as session:
        await _release(session, world, tenant.issuer_id, intent, body)
    return Issued(intent.row_id, body)


def _draft(credential: Any, settings: IssuingSettings) -> _Draft:
    if not isinstance(credential, dict):
        fault = Fault("/credential", "must be the credential, an object")
        raise MalformedCredential("There is no credential.", faults=[fault])
    document = deepcopy(credential)
    proofs = proofs_of(document)
    document.pop("proof", None)
    if proofs and settings.existing_proof == "refuse":
        fault = Fault("/proof", "is not expected", "leave it out, or let the client's settings add to it")
        raise ExistingProofRefused("The credential has a proof already.", faults=[fault])
    if len(proofs) >= MAX_PROOFS or not all(isinstance(proof, dict) for proof in proofs):
        fault = Fault("/proof", f"must be fewer than {MAX_PROOFS} proofs, each an object")
        raise ExistingProofRefused("The proofs cannot be added to.", faults=[fault])
    previous = [proof.get("id") for proof in proofs] if settings.existing_proof == "chain" else []
    if not all(isinstance(id_, str) for id_ in previous) or len(set(previous)) != len(previous):
        fault = Fault("/proof", "must each have an id of its own", "previousProof names them by it")
        raise ExistingProofRefused("A proof without an id cannot be chained.", faults=[fault])
    complete_contexts(document, settings)
    return _Draft(document, proofs, [str(id_) for id_ in previous])


def complete_contexts(document: dict[str, Any], settings: IssuingSettings) -> None:
    """Append the contexts that define the proof, where the credential's own do not."""
    context = document.get("@context")
    if not isinstance(context, list):
        return
    is_type = SUITES[settings.cryptosuite].is_type
    needed = ED25519_CONTEXT if is_type else DATA_INTEGRITY_CONTEXT
    if (is_type or context[:1] == [VC_CONTEXT_1]) and needed not in context:
        context.append(needed)
    if settings.status_purpose is not None and context[:1] == [VC_CONTEXT_1] and STATUS_TERMS not in context:
        context.append(STATUS_TERMS)


def _require_issuer(document: Mapping[str, Any], did: str) -> None:
    if id_of(document.get("issuer")) != did:
        fault = Fault("/issuer", f"must be {did}, or an object with it as its id")
        raise IssuerMismatch("The credential is not one of this client's issuer.", faults=[fault])


def _mandatory_pointers(
    document: Mapping[str, Any], settings: IssuingSettings, options: Mapping[str, Any]
) -> Sequence[str]:
    """What a selective proof always discloses. Raises UnknownOption where the proof is none, MalformedCredential."""
    asked: Sequence[str] | None = options.get("mandatoryPointers")
    if not SUITES[settings.cryptosuite].is_selective:
        if asked is not None:
            fault = Fault("/options/mandatoryPointers", "has a meaning with ecdsa-sd-2023 only")
            raise UnknownOption("The client's cryptosuite discloses everything.", faults=[fault])
        return ()
    pointers = settings.mandatory_pointers if asked is None else asked
    try:
        if pointers:
            select(document, pointers)
    except InvalidInput as error:
        faults = error.faults or [Fault("/options/mandatoryPointers", error.detail)]
        raise MalformedCredential("A mandatory pointer leads nowhere.", faults=faults) from error
    return pointers


async def _store_intent(
    session: AsyncSession,
    world: Resources,
    tenant: Tenant,
    draft: _Draft,
    settings: IssuingSettings,
    key: IssuingKey,
    options: Mapping[str, Any],
    contexts: Contexts,
) -> _Intent:
    """Commit (a) of the caller's transaction: nothing is signed of which there is no record."""
    assert tenant.client_id is not None
    issuer_id, row_id, now = tenant.issuer_id, new_id(), world.clock.now()
    list_id, index = None, None
    if settings.status_purpose is not None:
        list_id, index = await allocate_index(session, world, issuer_id, settings.status_purpose, now)
        entry = compose_status_entry(
            status_list_id=status_list_url(world.base_url, list_id), index=index, purpose=settings.status_purpose
        )
        draft = replace(draft, document=_with_status(draft.document, entry))
    is_generic = Scope.VCAPI_GENERIC in tenant.scopes
    bundled: Mapping[str, bytes] = {}  # the judge has compared the digests; nothing of the document has changed since
    linted = lint_credential(draft.covered, contexts=contexts, bundled=bundled, is_generic=is_generic)
    if key.did == (await get_issuer(session, issuer_id)).did:
        require_no_status_list(linted)
    unsecured = json_bytes(linted.document)
    sealed_key = world.vault.new_personal_key(issuer_id, row_id)
    name = options.get("credentialId") or draft.document.get("id")
    row = GenericCredential(
        issuer_id=issuer_id,
        id=row_id,
        client_id=tenant.client_id,
        state="pending",
        id_digest=digest_id(tenant.client_id, name) if name else None,
        sealed_key=sealed_key,
        sealed_document=_seal(world, issuer_id, row_id, sealed_key, unsecured),
        digest=hashlib.sha256(unsecured).hexdigest(),
        key_id=key.key_id,
        status_list_id=list_id,
        status_list_index=index,
        status_purpose=settings.status_purpose,
        is_status_set=False,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    payload = {"issuer_id": issuer_id, "credential_id": row_id}
    enqueue(session, BURN_JOB, payload, run_at=now + LEASE)
    audit(session, issuer_id=issuer_id, actor=tenant.actor, action="generic_credential.intended", object_id=row_id,
          content={"unsecured_digest": row.digest, "key": key.key_id}, at=now)  # fmt: skip
    await session.flush()
    return _Intent(row_id, draft, linted, key, whole_second(now))


def _with_status(document: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's own entries stay. Of version 1.1 the entry has no term that is not said in STATUS_TERMS."""
    own = document.get("credentialStatus", [])
    entries = [*(own if isinstance(own, list) else [own]), dict(entry)]
    return {**document, "credentialStatus": _one_or_several(entries)}


async def _release(session: AsyncSession, world: Resources, issuer_id: str, intent: _Intent, body: bytes) -> None:
    now = world.clock.now()
    if not await settle(session, issuer_id, intent.row_id, state="issued", now=now):
        raise IssuingFailed("The credential took too long to be signed, and was given up.", cure="Repeat the request.")
    row = await get_generic(session, issuer_id, intent.row_id)
    assert row.sealed_key is not None
    row.sealed_document = _seal(world, issuer_id, row.id, row.sealed_key, body)
    row.digest = hashlib.sha256(body).hexdigest()
    audit(session, issuer_id=issuer_id, actor="signer", action="generic_credential.issued", object_id=row.id,
          content={"digest": row.digest, "key": row.key_id}, at=now)  # fmt: skip
    audit(session, issuer_id=issuer_id, actor="signer", action="key.used", object_id=row.key_id,
          content={"document": row.digest}, at=now)  # fmt: skip
    record_event(session, issuer_id, "generic_credential.issued", row.id, at=now)


def _combine(signed: bytes, draft: _Draft) -> bytes:
    """As it is handed out: the proofs it came with before ours, and one proof as an object (VC Data Integrity 1.0 §2.1)."""
    document = json.loads(signed)
    proofs = document["proof"] if draft.previous else [*draft.proofs, *document["proof"]]
    return json_bytes({**document, "proof": _one_or_several(proofs)})


def _one_or_several(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else list(values)


async def _read_earlier(session: AsyncSession, world: Resources, issuer_id: str, earlier: IdempotencyRecord) -> Issued:
    """What the first request with this Idempotency-Key was answered."""
    row = await get_generic(session, issuer_id, earlier.resource_id or "")
    if row.state == "pending":
        raise RequestInProgress("The first request with this Idempotency-Key has not finished.")
    if row.state == "burned":
        raise IssuingFailed("The credential could not be signed.", cure="Repeat the request with a fresh key.")
    return Issued(row.id, open_document(world.vault, row))


def open_document(vault: Vault, row: GenericCredential) -> bytes:
    """The exact bytes of an issued credential. Raises Gone when it was deleted."""
    if row.sealed_key is None or row.sealed_document is None:
        raise Gone("The credential was deleted.")
    key = vault.open_personal_key(row.sealed_key, issuer_id=row.issuer_id, owner_id=row.id)
    return key.open(row.sealed_document, table="generic_credential", row=row.id, column="sealed_document")


def _seal(world: Resources, issuer_id: str, row_id: str, sealed_key: bytes, document: bytes) -> bytes:
    key = world.vault.open_personal_key(sealed_key, issuer_id=issuer_id, owner_id=row_id)
    return key.seal(document, table="generic_credential", row=row_id, column="sealed_document")


async def burn(world: Resources, issuer_id: str, credential_id: str) -> None:
    """Give up an intent whose process died. Should a signature of it exist somewhere, its status bit says so."""
    now = world.clock.now()
    async with world.database.transaction() as session:
        if not await settle(session, issuer_id, credential_id, state="burned", now=now):
            return
        row = await get_generic(session, issuer_id, credential_id)
        row.sealed_document = row.id_digest = None
        if row.status_list_id is not None and row.status_list_index is not None:
            await change_bits(session, world, issuer_id, row.status_list_id, {row.status_list_index: True}, now)
        audit(session, issuer_id=issuer_id, actor="signer", action="generic_credential.burned", object_id=row.id,
              content={}, at=now)  # fmt: skip
        record_event(session, issuer_id, "generic_credential.burned", row.id, at=now)
