"""Every Open Badges 3.0 member our API takes arrives in the document and on the page, and the document expands whole."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from app.contexts import CONTEXTS_DIRECTORY, load_contexts
from app.openbadges.achievement import Achievement
from app.openbadges.compose import AchievementFacts, compose_achievement
from app.proofs.errors import UnsafeDocument
from app.proofs.rdfc import canonicalize
from tests.builders import achievement_body
from tests.conftest import BASE_URL, Partner, publish
from tests.public.test_pages import Outline

CTID = "ce-4f1b0f8e-2a3d-4a8c-9d3f-0c5f6f1d2e3a"
GUID = "6e0f2a52-0d5e-11ef-9c1a-0242ac120002"
OB = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"

CREATOR = {
    "id": "did:example:center",
    "name": "Center for Assessment",
    "url": "https://center.example.org",
    "description": "Designs performance assessments.",
    "email": "office@center.example.org",
    "phone": "+1 555 0100",
    "image": "https://center.example.org/logo.png",
    "official": "Rosa Diaz",
    "other_identifiers": [{"identifier": "C-9", "identifier_type": "systemId"}],
    "parent_org": {"id": "did:example:university", "name": "State University", "url": "https://u.example.org"},
}
ALIGNMENTS = [
    {"target_name": "A credential", "target_url": f"https://credentialfinder.example/{CTID}", "target_code": CTID,
     "target_type": "ceterms:Credential", "target_framework": "CTDL", "target_description": "As registered."},
    {"target_name": "A competency", "target_url": "https://credentialfinder.example/c", "target_type": "ceasn:Competency"},
    {"target_name": "Anything of CTDL", "target_url": "https://credentialfinder.example/d", "target_code": CTID,
     "target_type": "CTDL"},
    *({"target_name": f"A {kind}", "target_url": f"https://case.example/uri/{GUID}", "target_code": GUID, "target_type": kind}
      for kind in ("CFItem", "CFRubric", "CFRubricCriterion", "CFRubricCriterionLevel")),
    {"target_name": "Of our own kind", "target_url": "https://standards.example/3", "target_code": "PSEL 3",
     "target_type": "ext:Standard"},
    {"target_name": "Of no kind", "target_url": "https://standards.example/4", "target_code": "4"},
]  # fmt: skip


def full_body() -> dict[str, Any]:
    body = achievement_body(
        achievement_type="Certification",
        criteria={"narrative": "*Both* criteria.", "id": "https://center.example.org/criteria"},
        tags=["equity", "leadership"],
        in_language="en-US",
        field_of_study="Education",
        specialization="School leadership",
        human_code="IEP-1",
        credits_available=1.5,
        image_caption="A lantern.",
        creator=CREATOR,
        alignments=ALIGNMENTS,
        other_identifiers=[{"identifier": "17-4", "identifier_type": "sourcedId"}],
    )
    body["rubric"]["criteria"][0]["alignments"] = [ALIGNMENTS[3]]
    return body


async def fetch(api: httpx.AsyncClient, path: str, accept: str = "application/ld+json") -> httpx.Response:
    answer = await api.get(path, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    return answer


async def test_every_member_arrives_in_the_document(partner: Partner, api: httpx.AsyncClient) -> None:
    id_ = await publish(partner.client, full_body())
    document = (await fetch(api, f"/achievements/{id_}/v1")).json()
    contexts = document.pop("@context")
    assert len(contexts) == 2
    Achievement.model_validate(document)
    for member, value in {
        "achievementType": "Certification",
        "criteria": {"id": "https://center.example.org/criteria", "narrative": "*Both* criteria."},
        "tag": ["equity", "leadership"],
        "inLanguage": "en-US",
        "fieldOfStudy": "Education",
        "specialization": "School leadership",
        "humanCode": "IEP-1",
        "creditsAvailable": 1.5,
        "otherIdentifier": [{"type": "IdentifierEntry", "identifier": "17-4", "identifierType": "sourcedId"}],
    }.items():
        assert document[member] == value, member
    assert document["image"]["caption"] == "A lantern."
    assert document["creator"] == {
        "id": "did:example:center",
        "type": ["Profile"],
        "name": "Center for Assessment",
        "url": "https://center.example.org",
        "phone": "+1 555 0100",
        "description": "Designs performance assessments.",
        "image": {"id": "https://center.example.org/logo.png", "type": "Image"},
        "email": "office@center.example.org",
        "otherIdentifier": [{"type": "IdentifierEntry", "identifier": "C-9", "identifierType": "systemId"}],
        "official": "Rosa Diaz",
        "parentOrg": {
            "id": "did:example:university",
            "type": ["Profile"],
            "name": "State University",
            "url": "https://u.example.org",
        },
    }
    assert document["alignment"][0] == {
        "type": ["Alignment"],
        "targetCode": CTID,
        "targetDescription": "As registered.",
        "targetName": "A credential",
        "targetFramework": "CTDL",
        "targetType": "ceterms:Credential",
        "targetUrl": f"https://credentialfinder.example/{CTID}",
    }
    assert [entry.get("targetType") for entry in document["alignment"]] == [a.get("target_type") for a in ALIGNMENTS]
    assert document["resultDescription"][0]["alignment"][0]["targetType"] == "CFItem"


async def test_every_member_arrives_on_the_page(partner: Partner, api: httpx.AsyncClient) -> None:
    id_ = await publish(partner.client, full_body())
    page = (await fetch(api, f"/achievements/{id_}", "text/html")).text
    outline = Outline(page)
    for text in (
        "Certification", "Both criteria.", "equity", "leadership", "Language en-US", "Field of study Education",
        "Specialization School leadership", "Code IEP-1", "Credits 1.5", "sourcedId 17-4", "Center for Assessment",
        "Designs performance assessments.", "Represented by Rosa Diaz", "Part of State University", "systemId C-9",
        "https://center.example.org/criteria", "ceterms:Credential", CTID, "As registered.", "CFRubricCriterionLevel",
        "ext:Standard", "PSEL 3",
    ):  # fmt: skip
        assert text in outline.text, text
    assert "<em>Both</em>" in page
    assert outline.all("img")[0]["alt"] == "A lantern."
    assert "office@" not in page
    assert "555 0100" not in page


async def test_documents_expand_without_a_dropped_term(partner: Partner, api: httpx.AsyncClient) -> None:
    contexts = load_contexts(CONTEXTS_DIRECTORY)
    id_ = await publish(partner.client, full_body())
    for path in (f"/achievements/{id_}", f"/achievements/{id_}/v1"):
        answer = await fetch(api, path)
        quads = canonicalize(answer.json(), contexts=contexts).nquads
        subject = f"<{BASE_URL}/achievements/{id_}/v1>"
        assert f"{subject} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{OB}Achievement> ." in quads
        for text in list_texts({name: value for name, value in answer.json().items() if name != "@context"}):
            assert text in quads, text
    panel = (await fetch(api, f"/panels/{partner.panel_id}")).json()
    issuer = (await fetch(api, "/issuers/academy")).json()
    for document in (panel, issuer):
        assert document["name"] in canonicalize(document, contexts=contexts).nquads


def list_texts(document: Any) -> list[str]:
    """Every text but the names of types and enumerated values, which expand to IRIs."""
    if isinstance(document, Mapping):
        skipped = ("type", "identifierType", "achievementType", "resultType", "targetType")
        return [text for name, value in document.items() if name not in skipped for text in list_texts(value)]
    if isinstance(document, list):
        return [text for value in document for text in list_texts(value)]
    return [document] if isinstance(document, str) else []


def test_a_dropped_term_would_be_noticed() -> None:
    """The counterpart: the check above is one that fails."""
    body = {**full_body(), "rubric": full_body()["rubric"]}
    document = compose_achievement(AchievementFacts(uri="https://b.example/achievements/1", version=1, content=body))
    contexts = load_contexts(CONTEXTS_DIRECTORY)
    standalone = {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        **document,
    }
    canonicalize(standalone, contexts=contexts)
    with pytest.raises(UnsafeDocument):
        canonicalize({**standalone, "hours": 40}, contexts=contexts)


ON_SQLITE = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@ON_SQLITE
@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("ceterms:Credential", CTID, 201),
        ("ceterms:Credential", CTID.upper(), 422),
        ("ceterms:Credential", GUID, 422),
        ("ceasn:Competency", "ce-1", 422),
        ("CTDL", "PSEL 3", 422),
        ("CTDL", None, 201),
        ("CFItem", GUID, 201),
        ("CFItem", "PSEL 3", 422),
        ("CFItem", CTID, 422),
        ("CFRubric", None, 201),
        ("ext:Standard", "PSEL 3", 201),
        (None, "PSEL 3", 201),
        ("Standard", "PSEL 3", 422),
        ("ceterms:Certificate", CTID, 422),
    ],
)
async def test_a_target_code_is_one_of_its_kind(
    partner: Partner, kind: str | None, code: str | None, status: int
) -> None:
    alignment = {"target_name": "T", "target_url": "https://t.example", "target_code": code, "target_type": kind}
    answer = await partner.client.post("/v1/achievements", json=achievement_body(alignments=[alignment]))
    assert answer.status_code == status, answer.text
    if status == 422:
        assert all(entry["pointer"].startswith("/alignments/0") for entry in answer.json()["errors"])


@ON_SQLITE
@pytest.mark.parametrize(
    "change",
    [
        {"email": "nobody"},
        {"image": "logo.png"},
        {"parent_org": {"name": "Without an id"}},
        {"parent_org": {"id": "not an iri", "name": "X"}},
        {"other_identifiers": [{"identifier": "1", "identifier_type": "passport"}]},
        {"url": "javascript:alert(1)"},
        {"motto": "x"},
    ],
)
async def test_a_creator_is_a_sound_profile(partner: Partner, change: dict[str, Any]) -> None:
    sound = await partner.client.post("/v1/achievements", json=achievement_body(creator=CREATOR))
    assert sound.status_code == 201, sound.text
    answer = await partner.client.post("/v1/achievements", json=achievement_body(creator={**CREATOR, **change}))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_body")
    assert answer.json()["errors"][0]["pointer"].startswith(f"/creator/{next(iter(change))}")
