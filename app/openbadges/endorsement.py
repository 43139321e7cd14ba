"""EndorsementCredential: somebody vouches for a Profile, an Achievement or a badge (Open Badges 3.0, "Endorsement").

Also which endorsements a badge may carry inside it. Validators examine every endorsement that a badge embeds as they examine
the badge: one that expires, is revoked or cannot be checked any more takes the badge down with it, years later and through
nobody's fault here. So only an endorsement that cannot turn is embedded; the others are served beside the badge.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator

from app.openbadges.conformance import (
    Contexts,
    Document,
    Linted,
    Rule,
    check_badge_contexts,
    check_endorsements,
    check_issuer,
    check_periods,
    check_size,
    check_status_entry,
    check_text,
    check_unsecured,
    compile_schema,
    lint_by,
    schema_faults,
)
from app.openbadges.datatypes import OB_CONTEXT, VC_CONTEXT, format_date_time_z
from app.openbadges.json_schema import class_schema
from app.openbadges.profile import EndorsementCredential

MAX_EMBEDDED_BYTES = 16 * 1024
"""Size of an endorsement that badges carry: every badge carries all of it."""

_SUITE = "eddsa-rdfc-2022"


@dataclass(frozen=True, slots=True)
class EndorsementFacts:
    """Everything an endorsement says. `endorsed` is the id of a Profile, an Achievement or a credential; `comment` Markdown."""

    id: str
    issuer: Mapping[str, Any]
    endorsed: str
    name: str
    valid_from: datetime
    valid_until: datetime | None = None
    description: str | None = None
    comment: str | None = None
    status_entry: Mapping[str, Any] | None = None


def compose_endorsement(facts: EndorsementFacts) -> dict[str, Any]:
    """The unsecured EndorsementCredential (Open Badges 3.0)."""
    said: dict[str, Any] = {
        "@context": [VC_CONTEXT, OB_CONTEXT],
        "id": facts.id,
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": facts.name,
        "description": facts.description,
        "issuer": dict(facts.issuer),
        "validFrom": format_date_time_z(facts.valid_from),
        "validUntil": format_date_time_z(facts.valid_until) if facts.valid_until else None,
        "credentialSubject": {"id": facts.endorsed, "type": ["EndorsementSubject"]},
        "credentialStatus": dict(facts.status_entry) if facts.status_entry else None,
    }
    if facts.comment is not None:
        said["credentialSubject"]["endorsementComment"] = facts.comment
    return {member: value for member, value in said.items() if value is not None}


def check_endorsement_schema(document: Document) -> Iterator[Any]:
    """The compiled strict schema of EndorsementCredential."""
    yield from schema_faults(_validator(), document)


ENDORSEMENT_STAGES: Sequence[Mapping[str, Rule]] = (
    {"size": check_size},
    {
        "unsecured": check_unsecured,
        "contexts": check_badge_contexts,
        "issuer": check_issuer,
        "text": check_text,
        "schema": check_endorsement_schema,
    },
    {"status_entry": check_status_entry, "periods": check_periods, "endorsements": check_endorsements},
)
"""The rules of an endorsement by name."""


def lint_endorsement(unsecured_document: Document, *, contexts: Contexts) -> Linted:
    """Judge an EndorsementCredential that is about to be signed. Raises LintFailed."""
    return lint_by(ENDORSEMENT_STAGES, unsecured_document, contexts=contexts)


@cache
def endorsement_credential_schema() -> dict[str, Any]:
    """The JSON Schema of EndorsementCredential. One shared dict: do not change it."""
    return class_schema(EndorsementCredential)


@cache
def _validator() -> Draft202012Validator:
    return compile_schema(endorsement_credential_schema())


def find_obstacle(secured: Mapping[str, Any], *, size: int) -> str | None:
    """Why a verified endorsement of `size` bytes must not be put inside badges; None when nothing speaks against it.

    It has to be good for as long as any badge that carries it: without an end, without a status that may change, with nothing
    that a verifier would have to fetch, and in the one form of proof that every Open Badges verifier reads.
    """
    if size > MAX_EMBEDDED_BYTES:
        return f"it is larger than {MAX_EMBEDDED_BYTES} bytes"
    for member, reason in _MAY_TURN.items():
        if member in secured:
            return reason
    for fault in schema_faults(_validator(), dict(secured)):
        return f"{fault.pointer or 'the document'} {fault.detail}"
    if next(check_endorsements(dict(secured)), None) is not None:
        return "it carries endorsements that cannot be embedded"
    [proof, *others] = secured.get("proof") or [{}]
    if others or proof.get("cryptosuite") != _SUITE or proof.get("proofPurpose") != "assertionMethod":
        return f"its proof is not a single {_SUITE} proof for assertions"
    if proof.keys() - _PROOF_MEMBERS:
        return "its proof may expire or is bound to an occasion"
    controller, _, fragment = str(proof.get("verificationMethod")).partition("#")
    if controller != secured["issuer"]["id"] or not fragment.startswith("z6Mk"):
        return "its verification method does not tell the key by itself, so its publisher might take the key away"
    return None


_MAY_TURN = {
    "validUntil": "it has an end",
    "credentialStatus": "it has a status, which may change",
    "refreshService": "it may be replaced",
    "credentialSchema": "a schema would have to be fetched to check it",
    "termsOfUse": "it has terms of use",
}
_PROOF_MEMBERS = {"type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "proofValue"}
