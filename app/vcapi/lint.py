"""May this document be signed? PURE.

A client with the scope `vcapi:generic` signs any credential of the Data Model, with vocabularies of its own. One without it signs
Open Badges, endorsements and CLR records, each of which has to be what our own are: one kind, its contexts, its schema.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from app.errors import Fault
from app.openbadges.clr import CLR_STAGES
from app.openbadges.conformance import BADGE_STAGES, Linted, LintFailed, LintFault, check_size, check_text, lint_by
from app.openbadges.endorsement import ENDORSEMENT_STAGES
from app.proofs.data_integrity import proofs_of
from app.vcapi.errors import GenericNotAllowed, MalformedCredential, MalformedPresentation, UnreadableTerms
from app.vcdm.credential import CREDENTIAL_RULES
from app.vcdm.members import Rule
from app.vcdm.presentation import PRESENTATION_RULES, is_enveloped
from app.vcdm.related import check_related_resources
from app.vcdm.values import entries_of, texts_of

Document = dict[str, Any]
Contexts = Mapping[str, dict[str, Any]]

Stages = Sequence[Mapping[str, Rule]]

_CREDENTIAL = "VerifiableCredential"
_BADGE_TYPES = frozenset({"OpenBadgeCredential", "AchievementCredential"})
_KINDS: Mapping[frozenset[str], Stages] = {
    **{frozenset(types): BADGE_STAGES for types in (_BADGE_TYPES, *({each} for each in _BADGE_TYPES))},
    frozenset({"EndorsementCredential"}): ENDORSEMENT_STAGES,
    frozenset({"ClrCredential"}): CLR_STAGES,
}
"""The rules of a kind by the types that say it, beside VerifiableCredential and with nothing beside them."""

_STATUS_LISTS = frozenset(
    name + end
    for name in ("BitstringStatusList", "StatusList2021", "RevocationList2020", "RevocationList2021")
    for end in ("", "Credential")
)
_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def require_known_type(document: Document) -> Stages:
    """For who may not sign credentials of any kind: VerifiableCredential and one known kind, whose rules are returned.

    Raises GenericNotAllowed.
    """
    types = texts_of(document.get("type"))
    stages = _KINDS.get(frozenset(types) - {_CREDENTIAL})
    if stages is None or _CREDENTIAL not in types:
        known = sorted(name for kind in _KINDS for name in kind if len(kind) == 1)
        raise GenericNotAllowed(
            f"The client may issue credentials of exactly the types {_CREDENTIAL} and one of {', '.join(known)}.",
            cure="The scope vcapi:generic allows credentials of any kind.",
        )
    return stages


def require_no_status_list(linted: Linted) -> None:
    """For who signs with the issuer's own DID: a list of theirs would speak for, or against, all that the issuer has issued.

    However it is said: as a type's name, or as what a context makes of another name. Raises GenericNotAllowed.
    """
    document = linted.document
    subjects = [each for _, each in entries_of(document.get("credentialSubject"), "") if isinstance(each, dict)]
    named = {name for each in (document, *subjects) for name in texts_of(each.get("type"))}
    meant = {
        re.split("[/#:]", quad.object.value)[-1]
        for quad in linted.canonical.statements
        if quad.predicate.value == _RDF_TYPE
    }
    if _STATUS_LISTS.intersection(named | meant):
        raise GenericNotAllowed(
            "Status lists of the issuer's own DID are made by this service alone.",
            cure="Let the client's settings add status entries, or issue lists with did_method `key`.",
        )


def require_secured(presentation: Document) -> None:
    """For who may not sign credentials of any kind: the proof of a presentation would make one without a proof of its own the
    word of its holder (VCDM 2.0 §4.13.4). Raises GenericNotAllowed."""
    faults = [
        Fault(at, "has neither a proof nor an envelope")
        for at, entry in entries_of(presentation.get("verifiableCredential", []), "/verifiableCredential")
        if not (isinstance(entry, dict) and (is_enveloped(entry) or _has_proof(entry)))
    ]
    if faults:
        raise GenericNotAllowed(
            "The presentation would make claims in the issuer's name.",
            faults=faults,
            cure="Have the credentials issued first; the scope vcapi:generic allows them as they are.",
        )


def _has_proof(credential: Document) -> bool:
    return any(isinstance(proof, dict) and proof for proof in proofs_of(credential))


def lint_credential(
    document: Document, *, contexts: Contexts, bundled: Mapping[str, bytes], is_generic: bool
) -> Linted:
    """`document` with the permission to sign it once. It may carry the proofs that a further one of a chain covers.

    `contexts` are open for credentials of any kind (`is_generic`). Raises MalformedCredential, UnreadableTerms, and
    GenericNotAllowed as `require_known_type`.
    """
    stages = _stages(CREDENTIAL_RULES, bundled) if is_generic else require_known_type(document)
    try:
        return lint_by(stages, document, contexts=contexts)
    except LintFailed as error:
        raise _refusal(error, MalformedCredential) from error


def lint_presentation(document: Document, *, contexts: Contexts, bundled: Mapping[str, bytes]) -> Linted:
    """As `lint_credential`. Raises MalformedPresentation, UnreadableTerms."""
    try:
        return lint_by(_stages(PRESENTATION_RULES, bundled), document, contexts=contexts)
    except LintFailed as error:
        raise _refusal(error, MalformedPresentation) from error


def _stages(rules: Mapping[str, Rule], bundled: Mapping[str, bytes]) -> Stages:
    related: Rule = partial(check_related_resources, bundled=bundled)
    return {"size": check_size}, {"text": check_text, **rules, "related_resources": related}


def _refusal(
    error: LintFailed, malformed: type[MalformedCredential | MalformedPresentation]
) -> MalformedCredential | MalformedPresentation | UnreadableTerms:
    if all(isinstance(fault, LintFault) and fault.rule == "terms" for fault in error.faults):
        return UnreadableTerms("A part of the document would not be covered by its signature.", faults=error.faults)
    return malformed("The document does not follow the Data Model.", faults=error.faults)
