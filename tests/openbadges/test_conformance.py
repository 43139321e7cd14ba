"""One sound badge, and the same badge with one thing wrong, each refused by the rule and at the place it should be."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from app.openbadges.conformance import (
    BADGE_STAGES,
    MAX_BYTES,
    MAX_DEPTH,
    LintFailed,
    LintFault,
    lint,
)
from app.proofs.errors import LintTokenMisused
from app.proofs.rdfc import canonicalize

Document = dict[str, Any]
Change = Callable[[Document], object]

URI = "https://badges.example.org/achievements/7d1f/v3"
S = "/credentialSubject"
A = "/credentialSubject/achievement"
RD = "/credentialSubject/achievement/resultDescription"


def put(place: str, value: Any) -> Change:
    """Set the member or item at a JSON Pointer; `-` appends."""

    def change(document: Document) -> None:
        holder, last = _holder(document, place)
        if last == "-":
            holder.append(value)
        else:
            holder[int(last) if isinstance(holder, list) else last] = value

    return change


def drop(place: str) -> Change:
    def change(document: Document) -> None:
        holder, last = _holder(document, place)
        del holder[int(last) if isinstance(holder, list) else last]

    return change


def outcome_alone(document: Document) -> None:
    """As an award is that was taken over from a time when nobody kept levels."""
    subject = document["credentialSubject"]
    subject["result"] = [result for result in subject["result"] if "status" in result]


def nested(depth: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


def _holder(document: Document, place: str) -> tuple[Any, str]:
    *steps, last = place.removeprefix("/").split("/")
    holder: Any = document
    for step in steps:
        holder = holder[int(step) if isinstance(holder, list) else step]
    return holder, last


Row = tuple[str, Change, str, str]


def wrong(name: str, rule: str, place: str, value: Any) -> Row:
    return name, put(place, value), rule, place


def missing(name: str, rule: str, place: str) -> Row:
    return name, drop(place), rule, place


FAULTS: list[Row] = [
    # size
    ("a document too large", put("/description", "x" * MAX_BYTES), "size", ""),
    ("a document too deep", lambda badge: badge.update(deep=nested(MAX_DEPTH)), "size", ""),
    # unsecured
    wrong("a proof", "unsecured", "/proof", []),
    # contexts
    missing("no context", "contexts", "/@context"),
    ("one context", drop("/@context/1"), "contexts", "/@context"),
    ("a third context", put("/@context/-", "https://example.org/more"), "contexts", "/@context"),
    ("contexts in the wrong order", lambda badge: badge["@context"].reverse(), "contexts", "/@context"),
    (
        "an older context",
        put("/@context/1", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"),
        "contexts",
        "/@context",
    ),
    ("terms defined in line", put("/@context/1", {"name": "https://example.org/name"}), "contexts", "/@context"),
    # issuer
    wrong("an issuer by reference", "issuer", "/issuer", "did:web:badges.example.org"),
    missing("no issuer", "issuer", "/issuer"),
    missing("an issuer without an id", "issuer", "/issuer/id"),
    # text
    wrong("NUL", "text", "/name", "a\0b"),
    wrong("a vertical tab, as word processors paste", "text", f"{S}/narrative", "a\vb"),
    wrong("CRLF", "text", f"{A}/criteria/narrative", "a\r\nb"),
    wrong("DEL", "text", "/evidence/0/name", "a\x7fb"),
    wrong("a C1 control", "text", f"{A}/tag/1", "a\x85b"),
    wrong("a lone surrogate", "text", f"{RD}/0/name", "a\ud800b"),
    # The schema, the frame.
    missing("no id", "schema", "/id"),
    missing("no type", "schema", "/type"),
    wrong("a type as text", "schema", "/type", "OpenBadgeCredential"),
    ("no badge type", drop("/type/1"), "schema", "/type"),
    ("no credential type", drop("/type/0"), "schema", "/type"),
    ("a type twice", put("/type/-", "VerifiableCredential"), "schema", "/type"),
    ("no subject", drop(S), "schema", S),
    ("two subjects", lambda badge: badge.update(credentialSubject=[badge["credentialSubject"]]), "schema", S),
    wrong("a misspelled member", "schema", "/awardeDate", "2026-04-09T00:00:00Z"),
    ("a member with a slash and a tilde", lambda badge: badge.update({"a/~b": 1}), "schema", "/a~1~0b"),
    wrong("a null", "schema", "/description", None),
    wrong("empty text", "schema", "/name", ""),
    wrong("a language map", "schema", "/name", {"en": "Equitable Practices"}),
    wrong("an empty array", "schema", "/evidence", []),
    ("one evidence, not an array", lambda badge: badge.update(evidence=badge["evidence"][0]), "schema", "/evidence"),
    wrong("evidence of the subject", "schema", f"{S}/evidence", [{"type": ["Evidence"]}]),
    # The schema, primitive types.
    wrong("a relative id", "schema", "/id", "credentials/7e1a"),
    wrong("an id with a space", "schema", "/id", "https://badges.example.org/a b"),
    wrong("an id with a bracket", "schema", "/issuer/id", "did:web:<x>"),
    wrong("an id with half an escape", "schema", f"{A}/id", "https://x.example/%4"),
    wrong("an id with a no-break space", "schema", f"{S}/source/id", "https://x.example/\u00a0"),
    wrong("an image id with a newline", "schema", "/image/id", "https://x.example/a\n"),
    wrong("a URL that is none", "schema", "/issuer/url", "urn:x:y"),
    wrong("a date without time", "schema", "/validFrom", "2026-04-11"),
    wrong("a time without zone", "schema", "/validFrom", "2026-04-11T00:00:00"),
    wrong("a time with an offset", "schema", "/validUntil", "2031-04-11T00:00:00+02:00"),
    wrong("a fraction of a second", "schema", "/awardedDate", "2026-04-09T00:00:00.5Z"),
    wrong("a day that is not", "schema", "/validFrom", "2026-02-30T00:00:00Z"),
    wrong("points as a number", "schema", f"{RD}/0/rubricCriterionLevel/0/points", 1),
    wrong("a value as a number", "schema", f"{S}/result/0/value", 3),
    wrong("credits as text", "schema", f"{A}/creditsAvailable", "1.5"),
    wrong("a digest of nothing", "schema", "/evidence/0/digestMultibase", "uEiA"),
    wrong("a language by name", "schema", f"{A}/inLanguage", "English"),
    # The schema, enumerations.
    wrong("an unknown achievement type", "schema", f"{A}/achievementType", "Micro"),
    wrong("an extension without a name", "schema", f"{A}/achievementType", "ext:"),
    wrong("an extension with a space", "schema", f"{A}/alignment/0/targetType", "ext:a b"),
    wrong("an unknown result type", "schema", f"{RD}/0/resultType", "Rubric"),
    wrong("an extended status", "schema", f"{S}/result/2/status", "ext:Done"),
    wrong("`email` as identity type", "schema", f"{S}/identifier/0/identityType", "email"),
    # The schema, classes.
    wrong("an image by URL", "schema", "/image", "https://x.example/a.png"),
    wrong("an image type as array", "schema", "/image/type", ["Image"]),
    wrong("an image with more", "schema", "/image/name", "x"),
    wrong("an identity type as array", "schema", f"{S}/identifier/0/type", ["IdentityObject"]),
    wrong("`hashed` as text", "schema", f"{S}/identifier/0/hashed", "true"),
    wrong("criteria of nothing", "schema", f"{A}/criteria", {}),
    missing("no criteria", "schema", f"{A}/criteria"),
    missing("no description", "schema", f"{A}/description"),
    missing("an alignment without a URL", "schema", f"{A}/alignment/0/targetUrl"),
    wrong("a profile without its type", "schema", "/issuer/type", ["Organization"]),
    wrong("`alsoKnownAs`, which no context defines", "schema", "/issuer/alsoKnownAs", ["urn:x"]),
    # The schema, status entry.
    (
        "two status entries",
        lambda badge: badge.update(credentialStatus=[badge["credentialStatus"]]),
        "schema",
        "/credentialStatus",
    ),
    wrong("an index as a number", "schema", "/credentialStatus/statusListIndex", 94567),
    wrong("an index with a zero before", "schema", "/credentialStatus/statusListIndex", "094567"),
    wrong("a revocation list of old", "schema", "/credentialStatus/type", "1EdTechRevocationList"),
    missing("no purpose", "schema", "/credentialStatus/statusPurpose"),
    # recipient
    ("nobody", lambda badge: [badge["credentialSubject"].pop(name) for name in ("id", "identifier")], "recipient", S),
    wrong("a hash of another kind", "recipient", f"{S}/identifier/0/identityHash", "md5$" + "0" * 32),
    wrong("an address in place of its hash", "recipient", f"{S}/identifier/0/identityHash", "a@example.com"),
    missing("a hash without salt", "recipient", f"{S}/identifier/0/salt"),
    # result descriptions
    ("a description id twice", put(f"{RD}/1/id", f"{URI}#problem-of-practice"), "result_descriptions", f"{RD}/1/id"),
    (
        "a level id twice",
        put(f"{RD}/0/rubricCriterionLevel/1/id", f"{URI}#problem-of-practice-not-evident"),
        "result_descriptions",
        f"{RD}/0/rubricCriterionLevel/1/id",
    ),
    (
        "a rubric criterion without levels",
        drop(f"{RD}/1/rubricCriterionLevel"),
        "result_descriptions",
        f"{RD}/1/rubricCriterionLevel",
    ),
    (
        "a required level of another criterion",
        put(f"{RD}/0/requiredLevel", f"{URI}#evidence-developing"),
        "result_descriptions",
        f"{RD}/0/requiredLevel",
    ),
    (
        "a required value that is not allowed",
        lambda badge: badge["credentialSubject"]["achievement"]["resultDescription"][2].update(
            allowedValue=["low", "high"], requiredValue="middle"
        ),
        "result_descriptions",
        f"{RD}/2/requiredValue",
    ),
    # results
    ("a result of nothing", drop(f"{S}/result/1/resultDescription"), "results", f"{S}/result/1/resultDescription"),
    (
        "a result of another achievement",
        put(f"{S}/result/1/resultDescription", f"{URI[:-1]}2#evidence"),
        "results",
        f"{S}/result/1/resultDescription",
    ),
    (
        "two results for one criterion",
        lambda badge: put(f"{S}/result/-", deepcopy(badge["credentialSubject"]["result"][1]))(badge),
        "results",
        f"{S}/result/3/resultDescription",
    ),
    (
        "a level of another criterion",
        put(f"{S}/result/0/achievedLevel", f"{URI}#evidence-demonstrated"),
        "results",
        f"{S}/result/0/achievedLevel",
    ),
    ("a criterion without its level", drop(f"{S}/result/1/achievedLevel"), "results", f"{S}/result/1/achievedLevel"),
    (
        "a level below the required one",
        lambda badge: badge["credentialSubject"]["result"][0].update(
            achievedLevel=f"{URI}#problem-of-practice-developing", value="Developing"
        ),
        "results",
        f"{S}/result/0/achievedLevel",
    ),
    wrong("a value that contradicts the level", "results", f"{S}/result/1/value", "Demonstrated"),
    missing("an outcome without status", "results", f"{S}/result/2/status"),
    # mandatory results
    ("no result for a mandatory criterion", drop(f"{S}/result/0"), "mandatory_results", f"{RD}/0"),
    ("no outcome", drop(f"{S}/result/2"), "mandatory_results", f"{RD}/2"),
    # status entry
    wrong(
        "an entry with the id of the list",
        "status_entry",
        "/credentialStatus/id",
        "https://badges.example.org/status-lists/1",
    ),
    wrong(
        "an entry with another index in its id",
        "status_entry",
        "/credentialStatus/id",
        "https://badges.example.org/status-lists/1#1",
    ),
    (
        "an entry of another list",
        put("/credentialStatus/statusListCredential", "https://badges.example.org/status-lists/2"),
        "status_entry",
        "/credentialStatus/id",
    ),
    # periods
    wrong("valid until it begins", "periods", "/validUntil", "2026-04-11T08:30:15Z"),
    wrong("activity that ends first", "periods", f"{S}/activityEndDate", "2025-08-31T23:59:59Z"),
    # endorsements
    wrong("endorsements as JWT", "endorsements", "/endorsementJwt", ["a.b.c"]),
    wrong("endorsements of the issuer as JWT", "endorsements", "/issuer/endorsementJwt", ["a.b.c"]),
]


def test_a_sound_badge_is_linted(badge: Document, contexts: Mapping[str, Document]) -> None:
    linted = lint(badge, contexts=contexts)
    assert linted.document == badge
    assert linted.canonical == canonicalize(badge, contexts=contexts)
    linted.token.redeem(linted.canonical.sha256)


def test_another_strict_badge_is_linted(shared: Path, contexts: Mapping[str, Document]) -> None:
    sample = json.loads((shared / "data/sample-educator-badge.json").read_text())
    assert lint(sample, contexts=contexts).canonical.nquads.count("\n") == 177


def test_there_are_enough_faults_and_every_rule_has_one() -> None:
    assert len(FAULTS) >= 60
    assert {rule for _, _, rule, _ in FAULTS} == {name for stage in BADGE_STAGES for name in stage}


@pytest.mark.parametrize(("change", "rule", "place"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_one_fault_is_refused_where_it_is(
    badge: Document, contexts: Mapping[str, Document], change: Change, rule: str, place: str
) -> None:
    change(badge)
    assert refusals(badge, contexts) == [(rule, place)]


SOUND: list[tuple[str, Change]] = [
    ("no status entry", drop("/credentialStatus")),
    ("both names of the type", put("/type/-", "AchievementCredential")),
    ("a DID alone", drop(f"{S}/identifier")),
    ("an identity alone", drop(f"{S}/id")),
    ("an extension of the achievement types", put(f"{A}/achievementType", "ext:Residency_1.0-a")),
    ("no result for a criterion that is not mandatory", drop(f"{S}/result/1")),
    ("an outcome without any level", outcome_alone),
    ("LF and TAB", put(f"{S}/narrative", "one\n\ttwo")),
    ("an id beyond ASCII", put("/evidence/0/id", "https://例え.example/证据?q=%E8%AF%81#é")),
    ("a URN", put("/id", "urn:uuid:0c1b7a52-6f0d-4b39-8d43-77a1c2e9d4f6")),
    ("a suspension entry", put("/credentialStatus/statusPurpose", "suspension")),
    ("activity of a moment", put(f"{S}/activityEndDate", "2025-09-01T00:00:00Z")),
    ("the points as value", put(f"{S}/result/0/value", "3")),
]


@pytest.mark.parametrize("change", [row[1] for row in SOUND], ids=[row[0] for row in SOUND])
def test_what_is_allowed_is_not_refused(badge: Document, contexts: Mapping[str, Document], change: Change) -> None:
    change(badge)
    assert refusals(badge, contexts) == []


@pytest.mark.parametrize(("value", "refused"), [("low", True), ("high", False), ("top", True), (None, True)])
def test_allowed_and_required_values(
    badge: Document, contexts: Mapping[str, Document], value: str | None, refused: bool
) -> None:
    grade = {
        "id": f"{URI}#grade",
        "type": ["ResultDescription"],
        "name": "Grade",
        "resultType": "LetterGrade",
        "allowedValue": ["low", "high"],
        "requiredValue": "high",
    }
    put(f"{RD}/-", grade)(badge)
    result = {"type": ["Result"], "resultDescription": grade["id"]} | ({"value": value} if value else {})
    put(f"{S}/result/-", result)(badge)
    assert refusals(badge, contexts) == ([("results", f"{S}/result/3/value")] if refused else [])


@pytest.mark.parametrize("at", ["", "/issuer", A])
def test_endorsements_need_a_proof(
    badge: Document, contexts: Mapping[str, Document], endorse: Callable[[str], Document], at: str
) -> None:
    endorsement = endorse(badge["id"])
    put(f"{at}/endorsement", [endorsement])(badge)
    assert refusals(badge, contexts) == []
    del endorsement["proof"]
    assert refusals(badge, contexts) == [("endorsements", f"{at}/endorsement/0")]


def test_a_type_that_no_context_defines_is_refused(badge: Document, contexts: Mapping[str, Document]) -> None:
    put(f"{A}/type/-", "Miracle")(badge)
    assert {rule for rule, _ in refusals(badge, contexts)} == {"terms"}


def test_all_faults_are_told_at_once(badge: Document, contexts: Mapping[str, Document]) -> None:
    put("/proof", [])(badge)
    put("/name", "a\0b")(badge)
    drop("/validFrom")(badge)
    assert refusals(badge, contexts) == [("unsecured", "/proof"), ("text", "/name"), ("schema", "/validFrom")]


def test_faults_do_not_repeat_personal_data(badge: Document, contexts: Mapping[str, Document]) -> None:
    put(f"{S}/identifier/0/identityType", "ada@example.com")(badge)
    put("/issuer/email", ["ada@example.com"])(badge)
    put("/evidence/0/id", "ada@example.com")(badge)
    with pytest.raises(LintFailed) as refused:
        lint(badge, contexts=contexts)
    assert len(refused.value.faults) == 3
    assert "ada@" not in refused.value.detail + "".join(fault.detail + fault.cure for fault in refused.value.faults)


def test_faults_are_limited(badge: Document, contexts: Mapping[str, Document]) -> None:
    put(f"{A}/tag", [""] * 20_000)(badge)
    assert len(refusals(badge, contexts)) == 100


def test_changing_the_input_does_not_change_what_was_linted(badge: Document, contexts: Mapping[str, Document]) -> None:
    linted = lint(badge, contexts=contexts)
    put(f"{S}/narrative", "Something else")(badge)
    assert canonicalize(linted.document, contexts=contexts) == linted.canonical


def test_a_token_is_for_one_document_and_one_signature(badge: Document, contexts: Mapping[str, Document]) -> None:
    first = lint(badge, contexts=contexts)
    put("/name", "Another")(badge)
    second = lint(badge, contexts=contexts)
    with pytest.raises(LintTokenMisused):
        first.token.redeem(second.canonical.sha256)
    second.token.redeem(second.canonical.sha256)
    with pytest.raises(LintTokenMisused):
        second.token.redeem(second.canonical.sha256)


def refusals(document: Document, contexts: Mapping[str, Document]) -> list[tuple[str, str]]:
    """Rule and place of every fault; empty for a document that passes."""
    try:
        lint(document, contexts=contexts)
    except LintFailed as refused:
        return [(fault.rule if isinstance(fault, LintFault) else "", fault.pointer) for fault in refused.faults]
    return []
