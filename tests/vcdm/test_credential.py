"""The Data Model's own refusals, each beside a credential that differs in nothing else and passes."""

import base64
import hashlib
from typing import Any

import base58
import pytest

from app.contexts import load_contexts, load_resources
from app.errors import InvalidInput
from app.proofs.open_contexts import OpenContexts
from app.proofs.rdfc import canonicalize
from app.vcdm.credential import list_credential_faults
from app.vcdm.related import check_related_resources
from tests.vcdm.documents import DATA_INTEGRITY, EXAMPLES, VC, VC_1, credential, credential_1

CLOSED = load_contexts()
OPEN = OpenContexts(load_contexts(catch_alls=True))
BUNDLED = load_resources()

STATUS = {"type": "BitstringStatusListEntry", "id": "https://issuer.example/lists/1#7"}
NAMES = {"@value": "Abschluss", "@language": "de", "@direction": "ltr"}


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"id": ...},
        {"id": "did:example:credential"},
        {"validFrom": ...},
        {"validFrom": "2026-01-01T00:00:00.5+02:00", "validUntil": "2026-01-01T00:00:00.5+02:00"},
        {"issuer": {"id": "did:example:issuer", "name": "An Academy"}},
        {"type": "VerifiableCredential"},
        {"credentialSubject": [{"id": "did:example:a", "alumniOf": "A"}, {"alumniOf": "B"}]},
        {"name": "A degree", "description": NAMES},
        {"name": [NAMES, {"@value": "Degree", "@language": "en"}]},
        {"issuer": {"id": "did:example:issuer", "name": NAMES}},
        {"credentialStatus": STATUS},
        {"credentialStatus": [STATUS, {"type": "StatusList2021Entry"}]},
        {"credentialSchema": {"id": "https://schema.example/1", "type": "JsonSchema"}},
        {"termsOfUse": {"type": "IssuerPolicy"}, "evidence": [{"type": ["Evidence", "Video"]}]},
        {"refreshService": {"type": "VerifiableCredentialRefreshService2021"}},
        {"@context": [VC, {"alumniOf": "https://schema.org/alumniOf", "ExampleAlumniCredential": "https://e.example/#A"}]},
        {"@context": [VC, {"@vocab": "https://e.example/#"}]},
    ],
)  # fmt: skip
def test_accepted(members: dict[str, Any]) -> None:
    document = credential(**members)
    assert list_credential_faults(document) == []
    canonicalize(document, contexts=OPEN)


@pytest.mark.parametrize("members", [{}, {"expirationDate": "2027-01-01T00:00:00Z"}, {"id": ...}])
def test_accepted_of_version_1(members: dict[str, Any]) -> None:
    document = credential_1(**members)
    assert list_credential_faults(document) == []
    canonicalize(document, contexts=OPEN)


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"@context": ...}, "/@context"),
        ({"@context": VC}, "/@context"),
        ({"@context": {"@vocab": "https://e.example/#"}}, "/@context"),
        ({"@context": []}, "/@context/0"),
        ({"@context": [EXAMPLES, VC]}, "/@context/0"),
        ({"@context": [DATA_INTEGRITY]}, "/@context/0"),
        ({"@context": [VC, 4]}, "/@context/1"),
        ({"@context": [VC, None]}, "/@context/1"),
        ({"@context": [VC, "examples"]}, "/@context/1"),
        ({"@context": [VC, [EXAMPLES]]}, "/@context/1"),
        ({"type": ...}, "/type"),
        ({"type": []}, "/type"),
        ({"type": ["ExampleAlumniCredential"]}, "/type"),
        ({"type": ["VerifiableCredential", 4]}, "/type"),
        ({"type": {"VerifiableCredential": True}}, "/type"),
        ({"id": None}, "/id"),
        ({"id": ["urn:uuid:1"]}, "/id"),
        ({"id": "seven"}, "/id"),
        ({"id": 7}, "/id"),
        ({"issuer": ...}, "/issuer"),
        ({"issuer": None}, "/issuer"),
        ({"issuer": "an academy"}, "/issuer"),
        ({"issuer": ["did:example:issuer"]}, "/issuer"),
        ({"issuer": {"name": "An Academy"}}, "/issuer/id"),
        ({"issuer": {"id": None}}, "/issuer/id"),
        ({"issuer": {"id": "an academy"}}, "/issuer/id"),
        ({"credentialSubject": ...}, "/credentialSubject"),
        ({"credentialSubject": {}}, "/credentialSubject"),
        ({"credentialSubject": []}, "/credentialSubject"),
        ({"credentialSubject": None}, "/credentialSubject"),
        ({"credentialSubject": "did:example:subject"}, "/credentialSubject"),
        ({"credentialSubject": 4}, "/credentialSubject"),
        ({"credentialSubject": [{"alumniOf": "A"}, {}]}, "/credentialSubject/1"),
        ({"credentialSubject": {"id": "nobody", "alumniOf": "A"}}, "/credentialSubject/id"),
        ({"validFrom": "2026-01-01"}, "/validFrom"),
        ({"validFrom": "2026-01-01T00:00:00"}, "/validFrom"),
        ({"validFrom": 1767225600}, "/validFrom"),
        ({"validUntil": "2026-02-30T00:00:00Z"}, "/validUntil"),
        ({"validUntil": "2025-12-31T23:59:59Z"}, "/validUntil"),
        ({"credentialStatus": {"id": "https://issuer.example/lists/1#7"}}, "/credentialStatus/type"),
        ({"credentialStatus": {**STATUS, "id": "seven"}}, "/credentialStatus/id"),
        ({"credentialStatus": [STATUS, {**STATUS, "id": ["urn:a:1", "urn:a:2"]}]}, "/credentialStatus/1/id"),
        ({"credentialStatus": "https://issuer.example/lists/1#7"}, "/credentialStatus"),
        ({"termsOfUse": {"id": "urn:policy:1"}}, "/termsOfUse/type"),
        ({"evidence": [{"id": "urn:video:1"}]}, "/evidence/0/type"),
        ({"evidence": []}, "/evidence"),
        ({"refreshService": {"id": "https://issuer.example/refresh"}}, "/refreshService/type"),
        ({"refreshService": {"type": "Refresh", "id": "later"}}, "/refreshService/id"),
        ({"credentialSchema": {"id": "https://schema.example/1"}}, "/credentialSchema/type"),
        ({"credentialSchema": {"type": "JsonSchema"}}, "/credentialSchema/id"),
        ({"credentialSchema": {"type": "JsonSchema", "id": "schema"}}, "/credentialSchema/id"),
        ({"name": {"@value": "A", "@language": "en", "url": "x"}}, "/name/url"),
        ({"name": {"@language": "en"}}, "/name"),
        ({"name": 4}, "/name"),
        ({"description": [NAMES, "A degree"]}, "/description/1"),
        ({"issuer": {"id": "did:example:issuer", "description": {"@value": 4}}}, "/issuer/description"),
    ],
)
def test_refused(members: dict[str, Any], pointer: str) -> None:
    assert pointer in [fault.pointer for fault in list_credential_faults(credential(**members))]


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"issuanceDate": ...}, "/issuanceDate"),
        ({"issuanceDate": "yesterday"}, "/issuanceDate"),
        ({"expirationDate": "2025-01-01T00:00:00Z"}, "/expirationDate"),
        ({"refreshService": {"type": "ManualRefreshService2018"}}, "/refreshService/id"),
    ],
)
def test_refused_of_version_1(members: dict[str, Any], pointer: str) -> None:
    assert [fault.pointer for fault in list_credential_faults(credential_1(**members))] == [pointer]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"@context": [VC]}, "unsafe_document"),  # neither the type nor alumniOf is defined
        ({"@context": [VC], "type": "VerifiableCredential"}, "unsafe_document"),
        ({"@context": [VC, EXAMPLES, "https://elsewhere.example/context"]}, "unknown_context"),
        ({"@context": [VC, {"@import": "https://elsewhere.example/context"}]}, "unknown_context"),
        ({"@context": [VC, {"@base": "https://elsewhere.example/"}]}, "unknown_context"),
        ({"@context": [VC, {"@vocab": "#"}]}, "unknown_context"),
        ({"@context": [VC, {"alumniOf": "no IRI", "ExampleAlumniCredential": "https://e.example/#A"}]}, "unknown_context"),
        ({"@context": [VC, EXAMPLES, {"kind": "@type"}]}, "unknown_context"),
        ({"@context": [VC, EXAMPLES, {"a": {"@id": "urn:x:a", "@context": "https://elsewhere.example/c"}}]}, "unknown_context"),
        ({"@context": [VC, EXAMPLES, {"a": {"@id": "urn:x:a", "@container": "@graph"}}]}, "unknown_context"),
        ({"@context": [VC, EXAMPLES, {"VerifiableCredential": "https://e.example/#A"}]}, "unsafe_document"),
        ({"@context": [VC, EXAMPLES, {"name": "https://e.example/#name"}]}, "unsafe_document"),
        ({"@context": [VC, EXAMPLES, {f"t{i}": f"urn:t:{i}" for i in range(501)}]}, "unknown_context"),
        ({"credentialSubject": {"alumniOf": {"@language": "en"}}}, "unsafe_document"),
        ({"credentialSubject": {"alumniOf": {"@value": "A", "@language": "en", "@type": "urn:x"}}}, "unsafe_document"),
        ({"credentialSubject": {"alumniOf": {"@value": "A", "@language": 'en" <urn:x>'}}}, "unsafe_document"),
        ({"credentialSubject": {"@id": "did:example:subject", "alumniOf": "A"}}, "unsafe_document"),
        ({"credentialSubject": {"alumniOf": "A", "@context": {"alumniOf": None}}}, "unknown_context"),
        ({"credentialSubject": {"alumniOf": None}}, "unsafe_document"),
        ({"@graph": [{"id": "urn:x:1", "alumniOf": "A"}]}, "unsafe_document"),
        ({"@included": [{"id": "urn:x:1", "alumniOf": "A"}]}, "unsafe_document"),
    ],
)  # fmt: skip
def test_terms_that_a_signature_would_not_cover(members: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        canonicalize(credential(**members), contexts=OPEN)
    assert refused.value.code == code
    assert refused.value.faults


@pytest.mark.parametrize("context", [[VC, EXAMPLES], [VC, {"@vocab": "https://e.example/#"}]])
def test_badges_get_no_vocabulary_of_their_own(context: list[Any]) -> None:
    document = credential(**{"@context": context})
    canonicalize(document, contexts=OPEN)
    with pytest.raises(InvalidInput, match="not known here"):
        canonicalize(document, contexts=CLOSED)


def test_language_and_direction_are_covered() -> None:
    texts = [
        {"@value": "A", "@language": "en"},
        {"@value": "A", "@language": "fr"},
        {"@value": "A", "@language": "en", "@direction": "rtl"},
        {"@value": "A", "@direction": "rtl"},
        "A",
    ]
    forms = {canonicalize(credential(name=text), contexts=OPEN).nquads for text in texts}
    assert len(forms) == len(texts)
    assert '"A"^^<https://www.w3.org/ns/i18n#en_rtl>' in "".join(forms)
    assert '"A"@fr' in "".join(forms)


def test_a_vocabulary_in_line_leaves_nothing_behind() -> None:
    """The same term means what each document says it means."""
    first, second = (
        credential(**{"@context": [VC, {"alumniOf": iri, "ExampleAlumniCredential": "https://e.example/#A"}]})
        for iri in ("https://e.example/#one", "https://e.example/#two")
    )
    assert "e.example/#one" in canonicalize(first, contexts=OPEN).nquads
    assert "e.example/#two" in canonicalize(second, contexts=OPEN).nquads
    assert "e.example/#one" in canonicalize(first, contexts=OPEN).nquads


def sri(content: bytes, name: str = "sha384") -> str:
    return f"{name}-{base64.b64encode(hashlib.new(name, content).digest()).decode()}"


def multibase(content: bytes) -> str:
    return "z" + base58.b58encode(b"\x12\x20" + hashlib.sha256(content).digest()).decode()


def related(*entries: Any) -> list[str]:
    return [
        fault.pointer for fault in check_related_resources(credential(relatedResource=list(entries)), bundled=BUNDLED)
    ]


def test_related_resources_with_the_right_digests() -> None:
    content = BUNDLED[VC]
    u = "u" + base64.urlsafe_b64encode(b"\x12\x20" + hashlib.sha256(content).digest()).decode().rstrip("=")
    assert related({"id": VC, "digestSRI": sri(content)}) == []
    assert related({"id": VC, "digestSRI": f"{sri(b'older')} {sri(content, 'sha256')}"}) == []
    assert (
        related({"id": VC, "digestMultibase": multibase(content)}, {"id": VC_1, "digestSRI": sri(BUNDLED[VC_1])}) == []
    )
    assert related({"id": VC, "digestMultibase": u}) == []
    assert related({"id": "https://elsewhere.example/image.png", "digestSRI": "sha384-anything"}) == []


def test_related_resources_that_are_refused() -> None:
    content = BUNDLED[VC]
    good = {"id": VC, "digestSRI": sri(content)}
    assert related({"digestSRI": sri(content)}) == ["/relatedResource/0/id"]
    assert related({"id": "context", "digestSRI": sri(content)}) == ["/relatedResource/0/id"]
    assert related({"id": VC}) == ["/relatedResource/0"]
    assert related(good, good) == ["/relatedResource/1/id"]
    assert related("https://elsewhere.example") == ["/relatedResource/0"]
    assert related({"id": VC, "digestSRI": sri(content + b" ")}) == ["/relatedResource/0/digestSRI"]
    assert related({"id": VC, "digestSRI": "md5-AAAA"}) == ["/relatedResource/0/digestSRI"]
    assert related({"id": VC, "digestSRI": 4}) == ["/relatedResource/0/digestSRI"]
    assert related({**good, "digestMultibase": multibase(b"other")}) == ["/relatedResource/0/digestMultibase"]
    assert related({"id": VC, "digestMultibase": "z0OIl"}) == ["/relatedResource/0/digestMultibase"]
