"""An Open Badges 2.0 BadgeClass becomes a draft that can be published and issued, with its picture if that is sound."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.access.principals import Scope
from app.achievements.badge_class import prepare_draft
from app.achievements.versions import UploadedImage
from app.net.client import OutboundClient
from app.openbadges.badge_class import InvalidBadgeClass
from app.openbadges.badge_image import normalize_png
from tests.builders import badge_class
from tests.conftest import Partner, open_client
from tests.house.images import sound_png
from tests.issuing import count_rows, decided, pointers, require_verifies, world_of
from tests.net.tls_site import CertificateAuthority, FakeResolver, Site, client_for, serve
from tests.public.test_pages import Outline

PATH = "/v1/achievements/import-badge-class"
HOST = "old.example.com"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><rect width="50" height="100" fill="#d00"/></svg>'

MET = [{"criterion": "criteria", "level": "met", "rationale": "The robot finds its way."}]

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def data_uri(picture: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(picture).decode()}"


def embedded(**changes: Any) -> dict[str, Any]:
    """A BadgeClass with its picture inside."""
    return badge_class(image={"id": data_uri(sound_png()), "caption": "A robot."}, **changes)


async def post(partner: Partner, document: Any, query: str = "", **headers: str) -> httpx.Response:
    return await partner.client.post(PATH + query, json=document, headers=headers)


async def imported(partner: Partner, document: Any) -> dict[str, Any]:
    answer = await post(partner, document)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def noted(answer: dict[str, Any]) -> list[str]:
    return [notice["pointer"] for notice in answer["notices"]]


# From a BadgeClass to a badge


async def test_a_badge_of_an_imported_badge_class_verifies(
    app: FastAPI, partner: Partner, api: httpx.AsyncClient
) -> None:
    answer = await imported(partner, embedded())
    (version,) = answer["versions"]
    assert (version["state"], noted(answer)) == ("draft", [""])
    assert version["content"]["achievement_type"] == "Badge"
    assert version["content"]["creator"]["name"] == "The robot club"
    assert version["image_url"].endswith(f"/{hashlib.sha256(normalize_png(sound_png())).hexdigest()}.png")
    published = await partner.client.post(f"/v1/achievements/{answer['id']}/versions/1/publish")
    assert published.status_code == 200, published.text

    badge = (await decided(partner, achievement_id=answer["id"], results=MET))["credential"]["document"]
    await require_verifies(world_of(app), badge)
    achievement = badge["credentialSubject"]["achievement"]
    assert achievement["otherIdentifier"] == [
        {"type": "IdentifierEntry", "identifier": badge_class()["id"], "identifierType": "identifier"}
    ]
    assert achievement["inLanguage"] == "en-US"
    assert achievement["image"]["caption"] == "A robot."
    page = await api.get(f"/achievements/{answer['id']}", headers={"Accept": "text/html"})
    assert badge_class()["id"] in page.text
    assert "<strong>one</strong>" in page.text


async def test_the_least_there_can_be_can_be_published(partner: Partner) -> None:
    least = {"type": "BadgeClass", "name": "N", "description": "D", "criteria": "https://old.example.com/c"}
    answer = await imported(partner, least)
    assert noted(answer) == ["", "/criteria", "/id"]
    assert answer["versions"][0]["content"]["rubric"]["criteria"][0]["name"] == "Meets the criteria"
    published = await partner.client.post(f"/v1/achievements/{answer['id']}/versions/1/publish")
    assert published.status_code == 200, published.text


async def test_a_repeated_import_makes_one_draft(app: FastAPI, partner: Partner) -> None:
    key = {"Idempotency-Key": "import-17"}
    first = await post(partner, embedded(), "?external_id=class-17", **key)
    before = await count_rows(world_of(app))
    again = await post(partner, embedded(), "?external_id=class-17", **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    other_body = await post(partner, embedded(name="Another"), "?external_id=class-17", **key)
    assert (other_body.status_code, other_body.json()["code"]) == (422, "idempotency_key_reused")
    taken = await post(partner, embedded(), "?external_id=class-17")
    assert (taken.status_code, taken.json()["code"]) == (409, "external_id_taken")
    assert await count_rows(world_of(app)) == before
    found = await partner.client.get("/v1/achievements?external_id=class-17")
    assert [item["id"] for item in found.json()["items"]] == [first.json()["id"]]


@on_sqlite
async def test_the_issuer_itself_is_not_its_creator(partner: Partner) -> None:
    issuer = {"id": "https://old.example.com/issuers/9", "name": "The academy"}
    ours = await imported(partner, embedded(issuer=issuer))
    assert "creator" not in ours["versions"][0]["content"]
    assert noted(ours) == ["", "/issuer"]
    theirs = await imported(partner, embedded(issuer={**issuer, "name": "The other academy"}))
    assert theirs["versions"][0]["content"]["creator"]["name"] == "The other academy"


@on_sqlite
async def test_a_narrative_full_of_scripts_stays_text(partner: Partner, api: httpx.AsyncClient) -> None:
    attack = (
        "<script>alert(1)</script> <img src=x onerror=alert(1)> [a](javascript:alert(1)) "
        '![b](https://evil.example/b.png "x") <a href="data:text/html,x">c</a> **bold**'
    )
    answer = await imported(partner, embedded(criteria={"narrative": attack}, description=attack, name=attack[:100]))
    await partner.client.post(f"/v1/achievements/{answer['id']}/versions/1/publish")
    page = (await api.get(f"/achievements/{answer['id']}", headers={"Accept": "text/html"})).text
    outline = Outline(page)
    assert outline.all("script") == []
    assert [link["href"] for link in outline.all("a") if not link["href"].startswith(("/", "http", "#"))] == []
    assert [picture for picture in outline.all("img") if "onerror" in picture or "evil" in picture["src"]] == []
    assert "&lt;script&gt;alert(1)" in page
    assert "<strong>bold</strong>" in page


# What is refused


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({**badge_class(), "type": "Assertion"}, "/type"),
        ({"type": ["Achievement"], "name": "N"}, "/type"),
        ({}, "/type"),
        (badge_class(name=None), "/name"),
        (badge_class(criteria=None), "/criteria"),
        (badge_class(name="a" * 301), "/name"),
        (badge_class(name="two\nlines"), "/name"),
        (badge_class(name="a\x0bb"), "/name"),
        (badge_class(description="a" * 10_001), "/description"),
        (badge_class(criteria={"narrative": "a" * 10_001}), "/criteria/narrative"),
        (badge_class(criteria="https://a.example/" + "a" * 2_000), "/criteria"),
        (badge_class(tags=["a"] * 51), "/tags"),
        (badge_class(tags=["", "a" * 301]), "/tags/1"),
        (badge_class(alignment=[{}, {"targetName": "A", "targetUrl": "ftp://a.example"}]), "/alignment/1/targetUrl"),
        (badge_class(issuer={"id": "no iri", "name": "A"}), "/issuer/id"),
        (badge_class(issuer={"id": "urn:x:1", "name": "A", "email": "nobody"}), "/issuer/email"),
        (badge_class(issuer={"id": "urn:x:1", "name": "A", "url": "javascript:alert(1)"}), "/issuer/url"),
        (badge_class(image={"id": "data:,", "caption": "a" * 301}), "/image/caption"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
@on_sqlite
async def test_what_does_not_fit_is_refused_at_its_place_in_the_badge_class(
    app: FastAPI, partner: Partner, document: dict[str, Any], place: str
) -> None:
    before = await count_rows(world_of(app))
    answer = await post(partner, document)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_badge_class"), answer.text
    assert set(pointers(answer)) == {place}
    assert all(error["detail"] and error["cure"] for error in answer.json()["errors"])
    assert await count_rows(world_of(app)) == before


@on_sqlite
async def test_what_just_fits_is_imported(partner: Partner) -> None:
    """The pair of the test above."""
    fitting = embedded(name="a" * 300, description="b" * 10_000, criteria={"narrative": "c" * 10_000}, tags=["t"] * 50)
    content = (await imported(partner, fitting))["versions"][0]["content"]
    assert [len(content["name"]), len(content["description"]), len(content["tags"])] == [300, 10_000, 50]


@on_sqlite
async def test_bodies_that_are_no_object_or_no_json_are_refused(partner: Partner) -> None:
    for document in ([badge_class()], "BadgeClass", 1, None):
        answer = await post(partner, document)
        assert (answer.status_code, answer.json()["code"], pointers(answer)) == (422, "invalid_body", [""]), answer.text
    json_type = {"Content-Type": "application/json"}
    deep = json.dumps(badge_class())[:-1].encode() + b', "x": ' + b"[" * 70 + b"]" * 70 + b"}"
    answer = await partner.client.post(PATH, content=deep, headers=json_type)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    giant = await post(partner, badge_class(image="data:image/png;base64," + "A" * (1 << 20)))
    assert (giant.status_code, giant.json()["code"], pointers(giant)) == (413, "body_too_large", [""])
    assert "picture" in giant.json()["errors"][0]["cure"]
    assert (await post(partner, embedded(), "?dry_run=true")).status_code == 422
    assert (await post(partner, embedded(), "?external_id=a%40b")).status_code == 422


# Its picture


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def site(authority: CertificateAuthority) -> AsyncIterator[Site]:
    async with serve(authority, HOST) as site:
        yield site


@pytest.fixture
async def outbound(authority: CertificateAuthority) -> AsyncIterator[OutboundClient]:
    async with client_for(authority, HOST) as client:
        yield client


async def test_a_picture_is_fetched(app: FastAPI, partner: Partner, site: Site, outbound: OutboundClient) -> None:
    app.state.resources = replace(world_of(app), outbound=outbound)
    site.put("/image", sound_png(), headers=["Content-Type: application/octet-stream"])
    site.put("/image.svg", SVG, headers=["Content-Type: image/svg+xml"])
    for path, png in (
        ("/image", normalize_png(sound_png())),
        ("/image.svg", UploadedImage.of(SVG, "image/svg+xml").png),
    ):
        answer = await imported(
            partner, badge_class(image={"id": f"https://{HOST}:{site.port}{path}", "caption": "A."})
        )
        assert noted(answer) == [""], path
        assert answer["versions"][0]["content"]["image_caption"] == "A."
        assert answer["versions"][0]["image_url"].endswith(f"/{hashlib.sha256(png).hexdigest()}.png")
    assert all("authorization" not in request.lower() for request in site.requests)


async def test_a_picture_that_cannot_be_had_is_told_and_the_draft_keeps_a_drawn_one(
    app: FastAPI, partner: Partner, site: Site, outbound: OutboundClient
) -> None:
    app.state.resources = replace(world_of(app), outbound=outbound)
    site.put("/gone", b"", status="404 Not Found")
    site.put("/moved", b"", status="302 Found", headers=["Location: /image"])
    site.put("/image", sound_png())
    site.put("/html", b"<!DOCTYPE html><title>x</title>")
    site.put("/large", sound_png() + bytes(2 << 20))
    site.put("/jpeg", b"\xff\xd8\xff\xe0" + bytes(100))
    site.put("/bomb.svg", b'<!DOCTYPE svg [<!ENTITY a "a">]>' + SVG)
    paths = ["gone", "moved", "html", "large", "jpeg", "bomb.svg"]
    uris = [f"https://{HOST}:{site.port}/{path}" for path in paths]
    uris += ["https://127.0.0.1/", "http://old.example.com/i", "https://other.example/", "file:///etc/passwd", "i.png",
             "https://[::1", "https://" + "a" * 5000]  # fmt: skip
    uris += [data_uri(sound_png()[:60]), "data:image/png;base64,*", "data:", data_uri(b"GIF89a"), data_uri(b"")]
    for uri in uris:
        answer = await imported(partner, badge_class(image={"id": uri, "caption": "A robot."}))
        assert noted(answer) == ["", "/image"], uri[:60]
        assert "image_caption" not in answer["versions"][0]["content"]
        picture = await partner.client.get(answer["versions"][0]["image_url"])
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    sound = await imported(
        partner, badge_class(image={"id": f"https://{HOST}:{site.port}/image", "caption": "A robot."})
    )
    assert noted(sound) == [""]


@on_sqlite
async def test_an_embedded_svg_is_sanitized_and_kept(partner: Partner, api: httpx.AsyncClient) -> None:
    hostile = SVG.replace(b"<rect", b"<script>alert(1)</script><rect")
    answer = await imported(partner, badge_class(image=data_uri(hostile, "image/svg+xml")))
    assert noted(answer) == [""]
    published = await partner.client.post(f"/v1/achievements/{answer['id']}/versions/1/publish")
    assert published.status_code == 200
    decision = await decided(partner, achievement_id=answer["id"], results=MET)
    baked = await api.get(f"/credentials/{decision['credential']['id']}/badge.svg")
    assert baked.status_code == 200
    assert "#d00" in baked.text
    assert "<script" not in baked.text
    assert "alert" not in baked.text


@on_sqlite
async def test_nothing_is_fetched_for_who_may_not(
    app: FastAPI, partner: Partner, operator: httpx.AsyncClient, authority: CertificateAuthority
) -> None:
    made = await operator.post(
        f"/v1/issuers/{partner.issuer_id}/api-clients",
        json={"name": "reader", "scopes": [Scope.ACHIEVEMENTS_READ.value]},
    )
    resolver = FakeResolver({})
    async with client_for(authority, resolver=resolver) as outbound:
        app.state.resources = replace(world_of(app), outbound=outbound)
        async with open_client(app, made.json()["token"]) as reader:
            refused = await reader.post(PATH, json=badge_class())
        assert (refused.status_code, resolver.asked) == (403, [])
        await imported(partner, badge_class())
        assert resolver.asked == [HOST]


# Anything at all


def mutated() -> st.SearchStrategy[dict[str, Any]]:
    leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(
        ["a" * 301, "a\x0bb", "\x00", "https://a.example/x", "data:image/png;base64,iVBORw0KGgo=", "data:image/svg+xml,<svg",
         "did:example:1", "urn:x", "en_US", "\u202e", "\U0001f4a5"]
    )  # fmt: skip
    names = ["id", "name", "narrative", "caption", "targetName", "targetUrl", "targetCode", "email", "url", "type"]
    values = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner), max_leaves=8
    )
    return st.dictionaries(st.sampled_from([*badge_class(), "extensions:x"]), values)


@hypothesis_settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=200)
@given(mutated())
def test_anything_is_prepared_or_refused(changes: dict[str, Any]) -> None:
    """Without a network: what is not a data URI is an address that no name server knows."""

    async def prepare() -> None:
        outbound = OutboundClient(resolver=FakeResolver({}))
        try:
            await prepare_draft(outbound, {**badge_class(image=None), **changes})
        except InvalidBadgeClass as error:
            places = [fault for fault in error.faults if fault.detail and fault.cure]
            if not places or len(places) != len(error.faults):
                raise AssertionError(error.faults) from None
        finally:
            await outbound.close()

    asyncio.run(prepare())
