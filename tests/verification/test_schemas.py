"""A badge against the JSON Schemas that it names."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from app.verification.checks import judge
from app.verification.gathered import Gathered, Missing
from app.verification.judge import JudgePool
from app.verification.schemas import MAX_SCHEMAS, schemas_needed
from app.verification.verdict import Check, is_valid
from tests.net.tls_site import CertificateAuthority, client_for, serve
from tests.verification.badges import CONTEXTS, NOW, Document, badge, sign
from tests.verification.judging import ISSUER
from tests.verification.test_verify import verifier

URL = "https://schemas.example/badge.json"
CANONICAL = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
NAMED = {"type": "object", "required": ["name"]}
OWN = "1EdTechJsonSchemaValidator2019"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"


def badge_with(*schemas: Document, **members: Any) -> Document:
    contexts = [*badge(ISSUER)["@context"], *([EXTENSIONS] if any(each["type"] == OWN for each in schemas) else [])]
    return sign(badge(ISSUER, credentialSchema=list(schemas), **{"@context": contexts} | members), ISSUER)


def judged(document: Document, schema: Document | Missing | None = None) -> list[Check]:
    found = {} if schema is None else {URL: schema}
    return judge(Gathered(document, {ISSUER.method_id: ISSUER.method}, {}, found), NOW, contexts=CONTEXTS)


def said(checks: list[Check]) -> list[tuple[str, str]]:
    return [(each.code, each.pointer) for each in checks if each.name == "schema"]


@pytest.mark.parametrize("kind", [OWN, "JsonSchema"])
def test_a_badge_fits_its_schema_or_does_not(kind: str) -> None:
    entry = {"id": URL, "type": kind}
    fits = judged(badge_with(entry, name="A name"), schema=NAMED)
    assert said(fits) == [("schema_fits", "/credentialSchema/0")]
    assert is_valid(fits)
    lacks = judged(badge_with(entry), schema=NAMED)
    assert said(lacks) == [("schema_not_met", "/credentialSchema/0")]
    assert not is_valid(lacks)
    assert schemas_needed(badge_with(entry)) == [URL]


@pytest.mark.parametrize(
    "schema",
    [
        Missing("document_unavailable", "Why."),
        {"type": 5},
        {"$ref": "https://schemas.example/other.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/nowhere"},
        {"$schema": "https://schemas.example/unknown"},
        {"pattern": "("},
    ],
    ids=str,
)
def test_a_schema_that_cannot_be_used_is_said_to_be_so(schema: Document | Missing) -> None:
    checks = judged(badge_with({"id": URL, "type": "JsonSchema"}), schema=schema)
    assert said(checks) == [("schema_not_compared", "/credentialSchema/0")]
    assert is_valid(checks)


def test_kinds_that_are_not_known_are_not_checked() -> None:
    document = badge(ISSUER) | {
        "credentialSchema": [{"id": URL, "type": "JsonSchemaCredential"}, {"type": "JsonSchema"}]
    }
    assert [code for code, _ in said(judged(document))] == ["schema_kind_unknown", "schema_kind_unknown"]
    assert schemas_needed(document) == []


def test_only_so_many_schemas_are_looked_at() -> None:
    many = [{"id": f"{URL}{number}", "type": "JsonSchema"} for number in range(MAX_SCHEMAS + 1)]
    assert len(schemas_needed(badge_with(*many))) == MAX_SCHEMAS
    assert said(judged(badge_with(*many)))[-1] == ("schema_not_compared", "/credentialSchema")


def test_the_schema_of_open_badges_is_not_had_where_the_badge_fits_our_types() -> None:
    entry = {"id": CANONICAL, "type": OWN}
    two = badge(ISSUER)["@context"]
    fits = badge(ISSUER, credentialSchema=[entry], **{"@context": two})
    assert schemas_needed(fits) == []
    assert said(judged(fits)) == [("schema_fits", "/credentialSchema/0")]
    wider = badge_with(entry, credentialStatus={"id": URL, "type": "1EdTechRevocationList"})
    assert schemas_needed(wider) == [CANONICAL]
    assert said(judged(wider)) == [("schema_not_compared", "/credentialSchema/0")]


def test_the_published_schema_is_one_that_can_be_used(shared: Path) -> None:
    """What 1EdTech publishes, as if it had been fetched: our badge fits it, one with a wrong member does not."""
    published = json.loads((shared / "data/schema-strict/ob_v3p0_achievementcredential_schema.json").read_text())
    entry = {"id": URL, "type": OWN}
    assert said(judged(badge_with(entry), schema=published)) == [("schema_fits", "/credentialSchema/0")]
    wrong = badge_with(entry, image="https://badges.example/1.png")
    assert said(judged(wrong, schema=published)) == [("schema_not_met", "/credentialSchema/0")]


@pytest.mark.parametrize("value", [None, 5, "x", [], [[]], [None], {"type": "JsonSchema", "id": 5}])
def test_schemas_of_any_shape_are_looked_at(value: object) -> None:
    document = badge(ISSUER) | {"credentialSchema": value}
    schemas_needed(document)
    assert {code for code, _ in said(judged(document))} <= {"schema_kind_unknown"}


def test_a_schema_is_fetched_and_the_answer_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        authority = CertificateAuthority(tmp_path)
        async with serve(authority, "schemas.example") as site, client_for(authority, "schemas.example") as client:
            url = f"https://schemas.example:{site.port}/badge.json"
            site.put_json("/badge.json", NAMED)
            found = await verifier(client).verify(badge_with({"id": url, "type": "JsonSchema"}))
            assert [each.code for each in found.checks if each.outcome == "failed"] == ["schema_not_met"]
            assert [(each.url, each.purpose, each.outcome) for each in found.fetched] == [(url, "schema", "fetched")]

    asyncio.run(story())


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}] * 20},
                                        "b": {"anyOf": [{"$ref": "#/$defs/a"}] * 20}}},
        {"properties": {"name": {"pattern": "^(a+)+$"}}},
    ],
    ids=["itself", "twice itself", "two of each other", "pattern"],
)  # fmt: skip
def test_a_schema_without_end_costs_no_more_than_any_document(schema: Document) -> None:
    """It ends with the process that judges, if not before, and the next badge finds another one."""

    async def story() -> None:
        pool = JudgePool(size=1)
        await pool.start()
        try:
            document = badge_with({"id": URL, "type": "JsonSchema"}, name="a" * 5_000 + "!")
            hostile = Gathered(document, {ISSUER.method_id: ISSUER.method}, {}, {URL: schema})
            started = time.monotonic()
            checks = await pool.judge(hostile, NOW)
            assert time.monotonic() - started < 5
            assert {code for code, _ in said(checks)} <= {"schema_not_compared", "schema_not_met", "schema_fits"}
            sound = Gathered(sign(badge(ISSUER), ISSUER), {ISSUER.method_id: ISSUER.method})
            assert is_valid(await pool.judge(sound, NOW))
        finally:
            await pool.close()

    asyncio.run(story())
