"""May this document be signed? PURE.

A client with the scope `vcapi:generic` signs any credential of the Data Model, with vocabularies of its own. One without it signs
Open Badges, which have to be what our own are, and the other credentials of Open Badges and CLR, in their contexts.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from app.openbadges.conformance import BADGE_STAGES, Linted, LintFailed, LintFault, check_size, check_text, lint_by
from app.vcapi.errors import GenericNotAllowed, MalformedCredential, MalformedPresentation, UnreadableTerms
from app.vcdm.credential import CREDENTIAL_RULES
from app.vcdm.members import Rule
from app.vcdm.presentation import PRESENTATION_RULES
from app.vcdm.related import check_related_resources
from app.vcdm.values import texts_of

Document = dict[str, Any]
Contexts = Mapping[str, dict[str, Any]]

BADGE_TYPES = frozenset({"OpenBadgeCredential", "AchievementCredential"})
KNOWN_TYPES = BADGE_TYPES | {"EndorsementCredential", "ClrCredential"}


def require_known_type(document: Document) -> None:
    """For who may not sign credentials of any kind. Raises GenericNotAllowed."""
    if not KNOWN_TYPES.intersection(texts_of(document.get("type"))):
        raise GenericNotAllowed(
            f"The client may issue credentials of the types {', '.join(sorted(KNOWN_TYPES))} only.",
            cure="The scope vcapi:generic allows credentials of any kind.",
        )


def lint_credential(
    document: Document, *, contexts: Contexts, bundled: Mapping[str, bytes], is_generic: bool
) -> Linted:
    """`document` with the permission to sign it once. It may carry the proofs that a further one of a chain covers.

    `contexts` are open for credentials of any kind (`is_generic`). Raises MalformedCredential, UnreadableTerms.
    """
    is_badge = not is_generic and BADGE_TYPES.intersection(texts_of(document.get("type")))
    stages = BADGE_STAGES if is_badge else _stages(CREDENTIAL_RULES, bundled)
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


def _stages(rules: Mapping[str, Rule], bundled: Mapping[str, bytes]) -> Sequence[Mapping[str, Rule]]:
    related: Rule = partial(check_related_resources, bundled=bundled)
    return {"size": check_size}, {"text": check_text, **rules, "related_resources": related}


def _refusal(
    error: LintFailed, malformed: type[MalformedCredential | MalformedPresentation]
) -> MalformedCredential | MalformedPresentation | UnreadableTerms:
    if all(isinstance(fault, LintFault) and fault.rule == "terms" for fault in error.faults):
        return UnreadableTerms("A part of the document would not be covered by its signature.", faults=error.faults)
    return malformed("The document does not follow the Data Model.", faults=error.faults)
