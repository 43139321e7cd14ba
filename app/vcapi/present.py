"""Presentations of our own: signed with the issuer's key, for authentication, and not kept."""

import hashlib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from app.access.principals import Scope, Tenant
from app.audit.store import audit
from app.clock import whole_second
from app.errors import Fault
from app.identifiers import new_id
from app.issuers.sign import json_bytes, sign_document
from app.issuers.store import get_issuer, require_not_left
from app.proofs.cryptosuites import SUITES
from app.resources import Resources
from app.vcapi.errors import IssuerMismatch, MalformedPresentation
from app.vcapi.issue import complete_contexts
from app.vcapi.judge import VcApiJudges
from app.vcapi.judging import AUTHENTICATION
from app.vcapi.lint import lint_presentation, require_secured
from app.vcapi.settings import get_issuing_key, read_settings
from app.vcdm.values import id_of

SELECTIVE_INSTEAD = "ecdsa-rdfc-2019"
"""A presentation discloses all it has."""


async def present(
    world: Resources, judges: VcApiJudges, tenant: Tenant, presentation: Any, options: Mapping[str, Any]
) -> bytes:
    """The signed presentation, with the challenge and domain of `options`.

    Raises MalformedPresentation, UnreadableTerms, IssuerMismatch when it is another holder's,
    GenericNotAllowed, IssuerLeft, IssuerNotReady, NoKeyForCryptosuite.
    """
    assert tenant.client_id is not None
    is_generic = Scope.VCAPI_GENERIC in tenant.scopes
    async with world.database.reading() as session:
        require_not_left(await get_issuer(session, tenant.issuer_id))
        settings = await read_settings(session, tenant.issuer_id, tenant.client_id)
        if SUITES[settings.cryptosuite].is_selective:
            settings = replace(settings, cryptosuite=SELECTIVE_INSTEAD)
        key = await get_issuing_key(session, tenant.issuer_id, settings)
    if not isinstance(presentation, dict) or "proof" in presentation:
        fault = Fault("/presentation", "must be the presentation, an object without a proof")
        raise MalformedPresentation("There is no unsigned presentation.", faults=[fault])
    document = deepcopy(presentation)
    complete_contexts(document, replace(settings, status_purpose=None))
    if "holder" in document and id_of(document["holder"]) != key.did:
        fault = Fault("/holder", f"must be {key.did}, or left out")
        raise IssuerMismatch("The presentation is not one of this client's issuer.", faults=[fault])
    if not is_generic:
        require_secured(document)
    await judges.lint(document, is_generic=is_generic, is_presentation=True)
    contexts = world.open_contexts if is_generic else world.contexts
    linted = lint_presentation(document, contexts=contexts, bundled={})
    now, object_id = world.clock.now(), new_id()
    async with world.database.transaction() as session:
        audit(session, issuer_id=tenant.issuer_id, actor=tenant.actor, action="presentation.intended",
              object_id=object_id, content={"unsecured_digest": _digest(json_bytes(document))}, at=now)  # fmt: skip
    body = await sign_document(
        replace(world, contexts=contexts),
        linted,
        key_id=key.key_id,
        verification_method=key.method,
        created=whole_second(now),
        suite=settings.cryptosuite,
        purpose=AUTHENTICATION,
        options={name: options[name] for name in ("challenge", "domain") if name in options},
    )
    async with world.database.transaction() as session:
        audit(session, issuer_id=tenant.issuer_id, actor="signer", action="key.used", object_id=key.key_id,
              content={"document": _digest(body)}, at=world.clock.now())  # fmt: skip
    return body


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
