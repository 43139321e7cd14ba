"""Context integrity: the tricks by which a document says one thing as JSON and another as JSON-LD."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.contexts import load_contexts
from app.proofs.errors import UnknownContext, UnsafeDocument, WorkBudgetExceeded
from app.proofs.integrity import find_differences

CONTEXTS = load_contexts()
V1, V2 = "https://www.w3.org/2018/credentials/v1", "https://www.w3.org/ns/credentials/v2"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/"
VOCAB = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"

Document = dict[str, Any]


def badge(*contexts: str, **members: Any) -> Document:
    document: Document = {
        "@context": list(contexts or (V2, f"{OB}context-3.0.3.json")),
        "id": "https://badges.example/credentials/1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": "did:example:issuer", "type": ["Profile"], "name": "An Issuer"},
        "credentialSubject": {
            "id": "did:example:learner",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://badges.example/achievements/1",
                "type": ["Achievement"],
                "name": "An Achievement",
                "description": "What it is for.",
                "creator": {"id": "did:example:creator", "type": ["Profile"], "name": "A Creator"},
                "criteria": {"narrative": "Done."},
                "image": {"id": "https://badges.example/images/1.png", "type": "Image"},
                "tag": ["b", "a"],
                "creditsAvailable": 1.5,
            },
        },
    }
    return document | members


def places(document: Document) -> list[str]:
    return [fault.pointer for fault in find_differences(document, contexts=CONTEXTS)]


@pytest.mark.parametrize(
    "contexts",
    [
        (V2, f"{OB}context-3.0.3.json"),
        (V2, f"{OB}context-3.0.2.json"),
        (V1, f"{OB}context-3.0.3.json"),
        (V1, f"{OB}context-3.0.2.json"),
        (V1, f"{OB}context-3.0.1.json"),
        (V1, f"{OB}context.json"),
    ],
)
def test_a_badge_says_the_same_under_every_context_it_may_have(contexts: tuple[str, ...]) -> None:
    assert places(badge(*contexts)) == []
    unknown = badge(*contexts)
    unknown["credentialSubject"]["favoriteColor"] = "red"
    with pytest.raises(UnsafeDocument):
        places(unknown)


def test_a_whole_badge_says_the_same() -> None:
    path = Path(__file__).with_name("educator_badge.json")
    document = json.loads(path.read_text())
    document.pop("proof", None)
    assert places(document) == []


def _one_for_many(document: Document) -> None:
    document["type"] = document["type"][::-1]
    document["credentialSubject"]["type"] = "AchievementSubject"
    document["credentialSubject"]["achievement"]["tag"] = "a"
    document["evidence"] = [{"id": "urn:evidence:1", "type": ["Evidence"]}]


def _alias(document: Document) -> None:
    document["type"] = ["VerifiableCredential", "AchievementCredential"]


@pytest.mark.parametrize("change", [_one_for_many, _alias])
def test_what_is_only_written_otherwise_is_the_same(change: Callable[[Document], None]) -> None:
    document = badge()
    change(document)
    assert places(document) == []


def _subject(document: Document) -> Document:
    subject: Document = document["credentialSubject"]
    return subject


def _rekey(document: Document) -> None:
    _subject(document)[f"{VOCAB}Achievement"] = _subject(document).pop("achievement")


def _rekey_name(document: Document) -> None:
    _subject(document)["achievement"]["https://schema.org/name"] = _subject(document)["achievement"].pop("name")


def _keyword(name: str, value: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        document[name] = value

    change.__name__ = name
    return change


def _keyword_id(document: Document) -> None:
    document["@id"] = document.pop("id")


def _keyword_type(document: Document) -> None:
    _subject(document)["@type"] = _subject(document).pop("type")


def _value_object(document: Document) -> None:
    _subject(document)["achievement"]["name"] = {"@value": "An Achievement"}


def _list_object(document: Document) -> None:
    _subject(document)["achievement"]["tag"] = {"@list": ["a", "b"]}


def _language(document: Document) -> None:
    _subject(document)["achievement"]["name"] = {"@value": "An Achievement", "@language": "en"}


def _unknown(document: Document) -> None:
    _subject(document)["achievement"]["favoriteColor"] = "red"


def _relative(document: Document) -> None:
    _subject(document)["achievement"]["id"] = "achievements/1"


def _null(document: Document) -> None:
    document["name"] = None


def _nested_arrays(document: Document) -> None:
    _subject(document)["achievement"]["tag"] = [["a"], ["b"]]


def _misplaced(document: Document) -> None:
    document["achievement"] = _subject(document).pop("achievement")


@pytest.mark.parametrize(
    "change",
    [
        _rekey,
        _rekey_name,
        _keyword_id,
        _keyword_type,
        _value_object,
        _list_object,
        _language,
        _unknown,
        _relative,
        _null,
        _nested_arrays,
        _misplaced,
        _keyword("@graph", [{"id": "urn:a", "type": "Evidence"}]),
        _keyword("@included", [{"id": "did:example:learner", "type": "AchievementSubject", "role": "Rector"}]),
        _keyword("@nest", {"name": "Another"}),
        _keyword("@base", "https://badges.example/"),
        _keyword("@reverse", {"credentialSubject": {"id": "urn:a"}}),
        _keyword("@index", "x"),
        _keyword("@vocab", VOCAB),
    ],
)
def test_json_ld_tricks_are_refused(change: Callable[[Document], None]) -> None:
    document = badge()
    change(document)
    with pytest.raises(UnsafeDocument) as refused:
        places(document)
    assert refused.value.faults


@pytest.mark.parametrize(
    "context",
    [
        {"name": "https://schema.org/description"},
        {"id": "@type"},
        {"klass": "@type"},
        {"@base": "https://badges.example/"},
        {"@vocab": VOCAB},
        {"all": {"@id": "@nest"}},
        {"more": "@included"},
        {"@import": f"{OB}context-3.0.3.json"},
        "https://attacker.example/context.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json?x",
        None,
        [],
        5,
    ],
    ids=repr,
)
def test_terms_come_from_the_pinned_contexts_alone(context: Any) -> None:
    outer = badge()
    outer["@context"] = [*outer["@context"], context]
    nested = badge()
    _subject(nested)["achievement"]["@context"] = context
    for document in (outer, nested):
        with pytest.raises(UnknownContext):
            places(document)


def test_contexts_that_clash_cannot_be_read() -> None:
    for clashing in ("context.json", "context-3.0.1.json"):
        with pytest.raises(UnsafeDocument):
            places(badge(V2, f"{OB}{clashing}"))


def test_a_part_with_contexts_of_its_own_is_compared_by_itself() -> None:
    endorsement = {
        "@context": [V2, f"{OB}context-3.0.3.json"],
        "id": "https://badges.example/endorsements/1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "issuer": {"id": "did:example:endorser", "type": ["Profile"], "name": "An Endorser"},
        "validFrom": "2026-11-01T00:00:00Z",
        "credentialSubject": {"id": "https://badges.example/credentials/1", "type": ["EndorsementSubject"]},
    }
    assert places(badge(endorsement=[endorsement])) == []
    with pytest.raises(UnsafeDocument):
        places(badge(endorsement=[endorsement | {"grade": "A"}]))


def test_a_name_that_another_term_stands_for_is_found() -> None:
    """Under the context of 3.0.0 the member `achievement` and the class `Achievement` are one IRI."""
    document = badge(V1, f"{OB}context.json")
    _subject(document)["Achievement"] = {"id": "urn:other", "type": ["Achievement"], "name": "Another"}
    assert places(document) != []


def test_work_is_bounded() -> None:
    with pytest.raises(WorkBudgetExceeded):
        places(badge(evidence=[{"id": f"urn:e:{number}", "type": ["Evidence"]} for number in range(6_000)]))
    deep: Document = {"id": "urn:a", "type": ["Profile"]}
    for _ in range(70):
        deep = {"id": "urn:a", "type": ["Profile"], "parentOrg": deep}
    with pytest.raises(WorkBudgetExceeded):
        places(badge(issuer=deep))


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (0, -0.0), (100, 1e2)])
def test_numbers_that_every_reader_takes_for_the_same_are_the_same(one: float, other: float) -> None:
    for number in (one, other):
        document = badge()
        _subject(document)["creditsEarned"] = number
        assert places(document) == []


@pytest.mark.parametrize("number", [2**53, -(2**53), 1e300, 0.1234567890123456, float("inf")])
def test_numbers_that_readers_may_take_for_another_are_refused(number: float) -> None:
    document = badge()
    _subject(document)["creditsEarned"] = number
    with pytest.raises(UnsafeDocument):
        places(document)


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\udfff\ud800"], ids=repr)
def test_text_that_readers_may_take_for_another_is_refused(text: str) -> None:
    with pytest.raises(UnsafeDocument):
        places(badge(name=text))
