"""ClrCredential: badges of one person, each with its own proof, bundled and signed as a whole (1EdTech CLR Standard 2.0).

The record adds what ties the badges together (`association`) and whether something was left out (`partial`). It changes nothing
about them: taken out of it each verifies as before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal

from jsonschema_rs import Draft202012Validator
from pydantic import Field

from app.errors import Fault
from app.openbadges.achievement import Achievement
from app.openbadges.conformance import (
    Contexts,
    Document,
    Linted,
    Rule,
    check_endorsements,
    check_issuer,
    check_periods,
    check_status_entry,
    check_text,
    check_unsecured,
    compile_schema,
    compute_size,
    lint_by,
    schema_faults,
)
from app.openbadges.credential import AchievementCredential, IdentityObject
from app.openbadges.datatypes import OB_CONTEXT, VC_CONTEXT, Iri, MustName, StrictClass, Text, format_date_time_z
from app.openbadges.json_schema import class_schema
from app.openbadges.profile import VerifiableCredential

CLR_CONTEXT = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
CONTEXTS = [VC_CONTEXT, CLR_CONTEXT, OB_CONTEXT]

MAX_BYTES = 255 * 1024
"""Size of a record as compact JSON in UTF-8. With its proof it stays below the 256 KiB that common verifiers take."""

MAX_BADGES = 24
"""Badges of one record: what is issued here, and what is verified of anybody's. Each is canonicalized by itself."""

ClrContexts = tuple[
    Literal["https://www.w3.org/ns/credentials/v2"],
    Literal["https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"],
    Literal["https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
]


class Association(StrictClass):
    """How two achievements belong together, by their ids."""

    type: Literal["Association"]
    association_type: Literal[
        "exactMatchOf", "isChildOf", "isParentOf", "isPartOf", "isPeerOf", "isRelatedTo", "precedes", "replacedBy"
    ]
    source_id: Iri
    target_id: Iri


class ClrSubject(StrictClass):
    """The learner, their badges, and achievements that associations name and no badge is of."""

    id: Iri | None = None
    type: Annotated[list[Text], MustName("ClrSubject")]
    identifier: Annotated[list[IdentityObject], Field(min_length=1)] | None = None
    achievement: Annotated[list[Achievement], Field(min_length=1)] | None = None
    association: Annotated[list[Association], Field(min_length=1)] | None = None
    verifiable_credential: Annotated[list[AchievementCredential], Field(min_length=1)]


class ClrCredential(VerifiableCredential):
    """A learner record. `partial` where the publisher knows of more than it holds."""

    context: Annotated[ClrContexts, Field(alias="@context")]  # type: ignore[assignment]
    type: Annotated[list[Text], MustName("VerifiableCredential", "ClrCredential")]
    name: Text
    description: Text | None = None
    partial: bool | None = None
    credential_subject: ClrSubject


@dataclass(frozen=True, slots=True)
class ClrFacts:
    """Everything a record says. `badges` are secured; `parents` are pairs of achievement ids: whole and part."""

    id: str
    issuer: Mapping[str, Any]
    name: str
    description: str | None
    subject_id: str | None
    identity_objects: Sequence[Mapping[str, Any]]
    badges: Sequence[Mapping[str, Any]]
    achievements: Sequence[Mapping[str, Any]]
    parents: Sequence[tuple[str, str]]
    partial: bool
    status_entry: Mapping[str, Any]
    valid_from: datetime


def compose_clr(facts: ClrFacts) -> dict[str, Any]:
    """The unsecured ClrCredential."""
    subject = {
        "id": facts.subject_id,
        "type": ["ClrSubject"],
        "identifier": [dict(each) for each in facts.identity_objects],
        "achievement": [dict(each) for each in facts.achievements],
        "association": [_association(whole, part) for whole, part in facts.parents],
        "verifiableCredential": [dict(each) for each in facts.badges],
    }
    said = {
        "@context": CONTEXTS,
        "id": facts.id,
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": facts.name,
        "description": facts.description,
        "issuer": dict(facts.issuer),
        "validFrom": format_date_time_z(facts.valid_from),
        "partial": facts.partial,
        "credentialSubject": _present(subject),
        "credentialStatus": dict(facts.status_entry),
    }
    return _present(said)


def lint_clr(unsecured_document: Document, *, contexts: Contexts) -> Linted:
    """Judge a ClrCredential that is about to be signed. Raises LintFailed."""
    return lint_by(CLR_STAGES, unsecured_document, contexts=contexts)


def check_clr_size(document: Document) -> Iterator[Fault]:
    """At most MAX_BYTES. How deep a badge may be, its own lint has said."""
    size = compute_size(document)
    if size > MAX_BYTES:
        yield Fault("", f"is {size} bytes of JSON, more than {MAX_BYTES}", "choose fewer badges")


def check_clr_contexts(document: Document) -> Iterator[Fault]:
    """Exactly VC v2, CLR 2.0.1 and OB 3.0.3, in this order."""
    if document.get("@context") != CONTEXTS:
        yield Fault("/@context", "must be exactly " + " and ".join(CONTEXTS))


def check_clr_schema(document: Document) -> Iterator[Fault]:
    """The compiled strict schema of ClrCredential."""
    yield from schema_faults(_validator(), document)


def check_badges(document: Document) -> Iterator[Fault]:
    """Every badge carries its own proof, and none is there twice."""
    seen: set[str] = set()
    for place, badge in enumerate(document["credentialSubject"]["verifiableCredential"]):
        at = f"/credentialSubject/verifiableCredential/{place}"
        if "proof" not in badge:
            yield Fault(at, "a badge without a proof makes the record invalid")
        if badge["id"] in seen:
            yield Fault(f"{at}/id", "the badge is there already")
        seen.add(badge["id"])


def check_learner(document: Document) -> Iterator[Fault]:
    """The record says whose it is."""
    if not {"id", "identifier"} & document["credentialSubject"].keys():
        yield Fault("/credentialSubject", "the learner has neither an id nor an identifier")


def check_associations(document: Document) -> Iterator[Fault]:
    """Both ends of an association are achievements that the record shows."""
    subject = document["credentialSubject"]
    shown = {each["id"] for each in subject.get("achievement", ())}
    shown |= {each["credentialSubject"]["achievement"]["id"] for each in subject["verifiableCredential"]}
    for place, association in enumerate(subject.get("association", ())):
        for member in ("sourceId", "targetId"):
            if association[member] not in shown:
                at = f"/credentialSubject/association/{place}/{member}"
                yield Fault(at, "is not the id of an achievement in this record")


CLR_STAGES: Sequence[Mapping[str, Rule]] = (
    {"size": check_clr_size},
    {
        "unsecured": check_unsecured,
        "contexts": check_clr_contexts,
        "issuer": check_issuer,
        "text": check_text,
        "schema": check_clr_schema,
    },
    {
        "badges": check_badges,
        "learner": check_learner,
        "associations": check_associations,
        "status_entry": check_status_entry,
        "periods": check_periods,
        "endorsements": check_endorsements,
    },
)
"""The rules of a record by name."""


@cache
def clr_credential_schema() -> dict[str, Any]:
    """The JSON Schema of ClrCredential. One shared dict: do not change it."""
    return class_schema(ClrCredential)


@cache
def _validator() -> Draft202012Validator:
    return compile_schema(clr_credential_schema())


def _association(whole: str, part: str) -> dict[str, Any]:
    return {"type": "Association", "associationType": "isParentOf", "sourceId": whole, "targetId": part}


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None and value != []}
