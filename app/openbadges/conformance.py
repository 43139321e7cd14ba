"""Lint before sign: what a strict consumer would refuse is refused here, while it can still be mended.

A table of rules in stages (`BADGE_STAGES`): first the document as it stands (size, contexts, text, the compiled
schema), then, on a document of known shape, what its parts say about each other. Every fault of a stage is reported
at once, with the rule it breaks and a JSON Pointer. What passes is canonicalized, which finds anything that a
signature would not cover, and gets the single-use token without which the signer does not sign.

Sources: Open Badges 3.0 (data model, verification), VCDM 2.0, Bitstring Status List v1.0, and what common verifiers do.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

from app.errors import Fault, InvalidInput
from app.openbadges.datatypes import (
    DATE_TIME_Z_PATTERN,
    EXTENSION_PATTERN,
    IRI_PATTERN,
    OB_CONTEXT,
    URL_PATTERN,
    VC_CONTEXT,
    parse_date_time_z,
)
from app.openbadges.json_schema import achievement_credential_schema
from app.proofs.errors import UnknownContext, UnsafeDocument, WorkBudgetExceeded
from app.proofs.rdfc import CanonicalDocument, canonicalize
from app.proofs.signer import LintToken

Document = dict[str, Any]
Contexts = Mapping[str, dict[str, Any]]
Rule = Callable[[Document], Iterator[Fault]]

MAX_BYTES = 256 * 1024
"""Size of a document as compact JSON in UTF-8."""

MAX_DEPTH = 64
MAX_FAULTS = 100

_IDENTITY_HASH = re.compile(r"sha256\$[0-9a-f]{64}")
_PATTERN_DETAILS = {
    IRI_PATTERN: "is not a well-formed absolute IRI (RFC 3987)",
    URL_PATTERN: "is not a well-formed absolute http(s) URL",
    DATE_TIME_Z_PATTERN: "is not a date and time as YYYY-MM-DDTHH:MM:SSZ",
    EXTENSION_PATTERN: "is neither a value of the enumeration nor `ext:` and a name",
}


@dataclass(frozen=True, slots=True)
class LintFault(Fault):
    """A fault and the name of the rule that found it."""

    rule: str = ""


class LintFailed(InvalidInput):
    """A strict consumer would not accept the document, so it is not signed. `faults` are LintFaults."""

    code = "lint_failed"


@dataclass(frozen=True, slots=True)
class Linted:
    """A document that passed, its canonical form, and the single-use permission to sign it.

    `document` is a copy: changing what was handed to the linter does not change what may be signed.
    """

    document: Document
    canonical: CanonicalDocument
    token: LintToken


def lint(unsecured_document: Document, *, contexts: Contexts, further_contexts: Sequence[str] = ()) -> Linted:
    """Judge an OpenBadgeCredential that is about to be signed.

    `contexts` are the vendored JSON-LD contexts by URL. `further_contexts` are what a proof wants behind those of the document:
    what passes is the document with them, which must say the same as without. Raises LintFailed with a LintFault for every
    place that is wrong.
    """
    linted = lint_by(BADGE_STAGES, unsecured_document, contexts=contexts)
    if not further_contexts:
        return linted
    document = {**linted.document, "@context": [*linted.document["@context"], *further_contexts]}
    canonical = _canonicalize(document, contexts)
    if canonical.sha256 != linted.canonical.sha256:
        raise _lint_failed(
            [LintFault("/@context", "a further context changes what the document says", rule="contexts")]
        )
    return Linted(document, canonical, LintToken.of(document, canonical))


def lint_by(stages: Sequence[Mapping[str, Rule]], unsecured_document: Document, *, contexts: Contexts) -> Linted:
    """Run stages of rules and canonicalize; for every kind of document that is signed here.

    A rule may rely on all earlier stages having passed, which is why they are stages: what follows from one fault is
    not reported as another. Raises LintFailed.
    """
    for rules in stages:
        faults = _judge(unsecured_document, rules)
        if faults:
            raise _lint_failed(faults)
    document = deepcopy(unsecured_document)
    canonical = _canonicalize(document, contexts)
    return Linted(document, canonical, LintToken.of(document, canonical))


def pointer(*steps: str | int) -> str:
    """The JSON Pointer (RFC 6901) of the given steps."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


# Any JSON object.


def check_size(document: Document) -> Iterator[Fault]:
    """At most MAX_DEPTH levels and MAX_BYTES bytes. Comes first, because everything after it walks the document."""
    if any(len(path) > MAX_DEPTH for path, _ in _walk(document, max_depth=MAX_DEPTH)):
        yield Fault("", f"is nested more than {MAX_DEPTH} levels deep")
        return
    size = len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        yield Fault("", f"is {size} bytes of JSON, more than {MAX_BYTES}", "refer to large evidence by URL and digest")


def check_unsecured(document: Document) -> Iterator[Fault]:
    """No proof yet: a signature would cover it, and verifiers remove it."""
    if "proof" in document:
        yield Fault("/proof", "an unsecured document has no proof", "leave the proof out")


def check_badge_contexts(document: Document) -> Iterator[Fault]:
    """Exactly VC v2 and OB 3.0.3, in this order: others are not bundled by verifiers, and older ones redefine terms."""
    yield from _check_contexts(document, [VC_CONTEXT, OB_CONTEXT])


def check_list_contexts(document: Document) -> Iterator[Fault]:
    """Exactly VC v2: it defines every term of a status list."""
    yield from _check_contexts(document, [VC_CONTEXT])


def _check_contexts(document: Document, expected: list[str]) -> Iterator[Fault]:
    if document.get("@context") != expected:
        yield Fault("/@context", "must be exactly " + " and ".join(expected))


def check_issuer(document: Document) -> Iterator[Fault]:
    """The issuer is an embedded Profile with an id: the schema of 1EdTech admits a bare URI, its validator does not."""
    issuer = document.get("issuer")
    if not isinstance(issuer, dict):
        yield Fault("/issuer", "must be an embedded Profile")
    elif not isinstance(issuer.get("id"), str):
        yield Fault("/issuer/id", "the issuer must have an id")


def check_text(document: Document) -> Iterator[Fault]:
    """Text has no control characters but LF and TAB, and no lone surrogates.

    Canonicalizers disagree on how the others are escaped, so the same badge would verify here and fail there.
    """
    for path, value in _walk(document, max_depth=MAX_DEPTH):
        if isinstance(value, str) and (character := _find_unsafe_character(value)):
            cure = "end lines with LF" if character == "\r" else "remove it"
            yield Fault(pointer(*path), f"contains the control character U+{ord(character):04X}", cure)


def check_badge_schema(document: Document) -> Iterator[Fault]:
    """The compiled strict schema of AchievementCredential."""
    yield from schema_faults(_badge_validator(), document)


def schema_faults(validator: Draft202012Validator, document: Document) -> Iterator[Fault]:
    """The errors of a compiled schema as faults, one for each place, without repeating what the document says there."""
    reported: set[str] = set()
    for error in validator.iter_errors(document):
        for place in _places(error):
            if place not in reported:
                yield Fault(place, _detail(error))
            reported.add(place)


def compile_schema(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator that asserts formats, fetches nothing and does not quote personal data in its messages."""
    return Draft202012Validator(schema, validate_formats=True, offline=True, mask="this")


@cache
def _badge_validator() -> Draft202012Validator:
    return compile_schema(achievement_credential_schema())


# Documents of known shape.


def check_recipient(document: Document) -> Iterator[Fault]:
    """The subject has an id or an identity object; a hashed identity is a salted SHA-256."""
    subject = document["credentialSubject"]
    if "id" not in subject and "identifier" not in subject:
        yield Fault("/credentialSubject", "the recipient has neither an id nor an identifier")
    for place, identity_object in enumerate(subject.get("identifier", [])):
        at = f"/credentialSubject/identifier/{place}"
        if not identity_object["hashed"]:
            continue
        if not _IDENTITY_HASH.fullmatch(identity_object["identityHash"]):
            yield Fault(f"{at}/identityHash", "is not `sha256$` and 64 lower-case hex digits")
        if "salt" not in identity_object:
            yield Fault(f"{at}/salt", "a hashed identity without a salt is easily guessed", "hash it with a fresh salt")


def check_result_descriptions(document: Document) -> Iterator[Fault]:
    """Within the achievement every description and level has an id of its own, and requirements are reachable."""
    at = "/credentialSubject/achievement/resultDescription"
    seen: set[str] = set()
    for place, description in enumerate(_descriptions(document)):
        levels = description.get("rubricCriterionLevel", [])
        places = [(f"{at}/{place}/id", description)]
        places += [(f"{at}/{place}/rubricCriterionLevel/{row}/id", level) for row, level in enumerate(levels)]
        for where, thing in places:
            if thing["id"] in seen:
                yield Fault(where, "another description or level has this id")
            seen.add(thing["id"])
        if description["resultType"] == "RubricCriterionLevel" and not levels:
            yield Fault(f"{at}/{place}/rubricCriterionLevel", "a description of this type lists its levels")
        if "requiredLevel" in description and description["requiredLevel"] not in [level["id"] for level in levels]:
            yield Fault(f"{at}/{place}/requiredLevel", "is not one of the levels of this description")
        if "requiredValue" in description and description["requiredValue"] not in description.get(
            "allowedValue", [description["requiredValue"]]
        ):
            yield Fault(f"{at}/{place}/requiredValue", "is not one of the allowed values")


def check_results(document: Document) -> Iterator[Fault]:
    """Results refer to descriptions of this achievement, say what those ask for and reach what they require."""
    descriptions = {description["id"]: description for description in _descriptions(document)}
    answered: set[str] = set()
    for place, result in enumerate(document["credentialSubject"].get("result", [])):
        at = f"/credentialSubject/result/{place}"
        reference = result.get("resultDescription")
        description = descriptions.get(reference)
        if description is None:
            yield Fault(f"{at}/resultDescription", "is not a result description of this achievement")
            continue
        if reference in answered:
            yield Fault(f"{at}/resultDescription", "another result is for the same description")
        answered.add(reference)
        yield from _check_status_result(at, result, description)
        yield from _check_level(at, result, description)
        yield from _check_value(at, result, description)


def check_mandatory_results(document: Document) -> Iterator[Fault]:
    """Every Status has a result, and every description that requires something.

    A badge that tells no level and no value at all says the outcome alone: an award taken over from a time when nobody kept
    levels. One that tells some tells all that are required.
    """
    answered = {result.get("resultDescription") for result in document["credentialSubject"].get("result", [])}
    descriptions = _descriptions(document)
    tells_more = any(d["id"] in answered and d["resultType"] != "Status" for d in descriptions)
    for place, description in enumerate(descriptions):
        requires = "requiredLevel" in description or "requiredValue" in description
        is_mandatory = description["resultType"] == "Status" or (requires and tells_more)
        if is_mandatory and description["id"] not in answered:
            yield Fault(f"/credentialSubject/achievement/resultDescription/{place}", "is mandatory and has no result")


def check_status_entry(document: Document) -> Iterator[Fault]:
    """The id of the status entry is the list's URL with the index as fragment, so never the list's own."""
    entry = document.get("credentialStatus")
    if entry is None:
        return
    status_list = entry["statusListCredential"]
    if entry["id"] == status_list:
        yield Fault("/credentialStatus/id", "must not be the URL of the status list itself")
    elif entry["id"] != f"{status_list}#{entry['statusListIndex']}":
        yield Fault("/credentialStatus/id", "must be the URL of the status list, `#` and the index")


def check_periods(document: Document) -> Iterator[Fault]:
    """Validity ends after it begins; activity does not end before it began."""
    subject = document["credentialSubject"]
    if "validUntil" in document and _moment(document, "validUntil") <= _moment(document, "validFrom"):
        yield Fault("/validUntil", "must be after validFrom")
    if not {"activityStartDate", "activityEndDate"} <= subject.keys():
        return
    if _moment(subject, "activityEndDate") < _moment(subject, "activityStartDate"):
        yield Fault("/credentialSubject/activityEndDate", "must not be before activityStartDate")


def check_endorsements(document: Document) -> Iterator[Fault]:
    """Embedded endorsements carry a proof, and none is a JWT.

    `endorsementJwt` was added to the OB 3.0.3 context in place: verifiers with an older copy of it would compute other
    N-Quads, and the badge would fail there.
    """
    for path, value in _walk(document, max_depth=MAX_DEPTH):
        if not path:
            continue
        if path[-1] == "endorsementJwt":
            yield Fault(pointer(*path), "is not understood by every verifier", "embed the endorsement with its proof")
        elif len(path) > 1 and path[-2] == "endorsement" and isinstance(value, dict) and "proof" not in value:
            yield Fault(pointer(*path), "an endorsement without a proof makes the badge invalid")


BADGE_STAGES: Sequence[Mapping[str, Rule]] = (
    {"size": check_size},
    {
        "unsecured": check_unsecured,
        "contexts": check_badge_contexts,
        "issuer": check_issuer,
        "text": check_text,
        "schema": check_badge_schema,
    },
    {"result_descriptions": check_result_descriptions},
    {
        "recipient": check_recipient,
        "results": check_results,
        "mandatory_results": check_mandatory_results,
        "status_entry": check_status_entry,
        "periods": check_periods,
        "endorsements": check_endorsements,
    },
)
"""The rules of a badge by name. Canonicalization reports as rule `terms`."""


def _check_status_result(at: str, result: Document, description: Document) -> Iterator[Fault]:
    if description["resultType"] == "Status" and "status" not in result:
        yield Fault(f"{at}/status", "a result of type Status has a status")


def _check_level(at: str, result: Document, description: Document) -> Iterator[Fault]:
    levels = description.get("rubricCriterionLevel", [])
    order = [level["id"] for level in levels]
    achieved = result.get("achievedLevel")
    if achieved is None:
        if "requiredLevel" in description or description["resultType"] == "RubricCriterionLevel":
            yield Fault(f"{at}/achievedLevel", "the description asks for a level")
        return
    if achieved not in order:
        yield Fault(f"{at}/achievedLevel", "is not one of the levels of its result description")
        return
    if _is_below(achieved, description.get("requiredLevel"), order):
        yield Fault(f"{at}/achievedLevel", "is below the required level")
    level = levels[order.index(achieved)]
    if "value" in result and result["value"] not in (level["name"], level.get("level"), level.get("points")):
        yield Fault(f"{at}/value", "contradicts the achieved level")


def _check_value(at: str, result: Document, description: Document) -> Iterator[Fault]:
    allowed = description.get("allowedValue")
    required = description.get("requiredValue")
    value = result.get("value")
    if value is None:
        if required is not None:
            yield Fault(f"{at}/value", "the description requires a value")
    elif allowed is not None and value not in allowed:
        yield Fault(f"{at}/value", "is not one of the allowed values of its result description")
    elif allowed is not None and _is_below(value, required, allowed):
        yield Fault(f"{at}/value", "is below the required value")


def _is_below(achieved: str, required: str | None, order: Sequence[str]) -> bool:
    return required in order and order.index(achieved) < order.index(required)


def _descriptions(document: Document) -> list[Document]:
    descriptions: list[Document] = document["credentialSubject"]["achievement"].get("resultDescription", [])
    return descriptions


def _moment(holder: Document, member: str) -> datetime:
    return parse_date_time_z(holder[member])


def _judge(document: Document, rules: Mapping[str, Rule]) -> list[LintFault]:
    """The faults of the rules in their order, a place that one rule faulted being passed over by the later ones."""
    found: list[LintFault] = []
    faulted: set[str] = set()
    for name, rule in rules.items():
        mine = [LintFault(fault.pointer, fault.detail, fault.cure, rule=name) for fault in rule(document)]
        found += [fault for fault in mine if not _is_within(fault.pointer, faulted)]
        faulted |= {fault.pointer for fault in mine}
    return found


def _is_within(place: str, faulted: set[str]) -> bool:
    steps = place.split("/")
    return any("/".join(steps[:length]) in faulted for length in range(1, len(steps) + 1))


def _lint_failed(faults: Sequence[LintFault]) -> LintFailed:
    return LintFailed("The document is not fit to be signed.", faults=faults[:MAX_FAULTS])


def _canonicalize(document: Document, contexts: Contexts) -> CanonicalDocument:
    try:
        return canonicalize(document, contexts=contexts)
    except (UnsafeDocument, UnknownContext, WorkBudgetExceeded) as error:
        faults = error.faults or (Fault("", error.detail, error.cure),)
        named = [LintFault(fault.pointer, fault.detail, fault.cure, rule="terms") for fault in faults]
        raise _lint_failed(named) from error


def _walk(document: Document, *, max_depth: int) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value with its path, in document order and without recursion; nothing below `max_depth` + 1 levels."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    while pending:
        path, value = pending.pop()
        yield path, value
        if len(path) > max_depth:
            continue
        if isinstance(value, dict):
            pending += [((*path, name), member) for name, member in reversed(value.items())]
        elif isinstance(value, list):
            pending += [((*path, place), item) for place, item in reversed(list(enumerate(value)))]


def _find_unsafe_character(text: str) -> str | None:
    if text.isprintable():
        return None
    return next((c for c in text if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cs")), None)


def _places(error: ValidationError) -> list[str]:
    kind = error.kind
    at = pointer(*error.instance_path)
    if isinstance(kind, ValidationErrorKind.AdditionalProperties):
        return [at + pointer(name) for name in kind.unexpected]
    if isinstance(kind, ValidationErrorKind.Required):
        return [at + pointer(kind.property)]
    return [at]


def _detail(error: ValidationError) -> str:
    kind = error.kind
    if isinstance(kind, ValidationErrorKind.AdditionalProperties):
        return "is not a member of this class"
    if isinstance(kind, ValidationErrorKind.Required):
        return "is missing"
    if isinstance(kind, ValidationErrorKind.Pattern):
        return _PATTERN_DETAILS.get(kind.pattern, f"does not match {kind.pattern}")
    return error.message
