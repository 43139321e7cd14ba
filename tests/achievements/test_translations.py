"""One achievement in several languages: `related` of what is frozen, and of what the unversioned URL answers today."""

from typing import Any

import httpx
import pytest

from app.contexts import CONTEXTS_DIRECTORY, load_contexts
from app.proofs.rdfc import canonicalize
from tests.builders import achievement_body, decision_body
from tests.conftest import BASE_URL, Partner, publish

JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html"}


async def fetch(api: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await api.get(f"/achievements/{path}", headers=JSON)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def related(document: dict[str, Any]) -> list[tuple[str | None, str]]:
    return [(entry.get("inLanguage"), entry["id"]) for entry in document.get("related", ())]


def uri(achievement_id: str, version: int = 1) -> str:
    return f"{BASE_URL}/achievements/{achievement_id}/v{version}"


async def publish_next(client: httpx.AsyncClient, achievement_id: str, number: int, **changes: Any) -> httpx.Response:
    drafted = await client.post(f"/v1/achievements/{achievement_id}/versions", json=achievement_body(**changes))
    assert drafted.status_code == 201, drafted.text
    return await client.post(f"/v1/achievements/{achievement_id}/versions/{number}/publish")


async def test_both_list_each_other_and_the_older_document_stays(partner: Partner, api: httpx.AsyncClient) -> None:
    english = await publish(partner.client, achievement_body(in_language="en"))
    before = await fetch(api, f"{english}/v1")
    french = await publish(partner.client, achievement_body(in_language="fr", translations=[english]))

    assert related(await fetch(api, f"{french}/v1")) == [("en", uri(english))]
    assert related(await fetch(api, french)) == [("en", uri(english))]
    assert await fetch(api, f"{english}/v1") == before
    assert related(before) == []
    assert related(await fetch(api, english)) == [("fr", uri(french))]
    [entry] = (await fetch(api, english))["related"]
    assert entry == {"id": uri(french), "type": ["Related"], "inLanguage": "fr", "version": "1"}


async def test_the_next_version_freezes_the_links_there_are(partner: Partner, api: httpx.AsyncClient) -> None:
    """English names nobody; its second version knows of the others all the same, and of its own first."""
    english = await publish(partner.client, achievement_body(in_language="en"))
    french = await publish(partner.client, achievement_body(in_language="fr", translations=[english]))
    spanish = await publish(partner.client, achievement_body(in_language="es", translations=[french]))
    assert related(await fetch(api, spanish)) == [("en", uri(english)), ("fr", uri(french))]

    assert (await publish_next(partner.client, english, 2, in_language="en")).status_code == 200
    expected = [(None, uri(english)), ("es", uri(spanish)), ("fr", uri(french))]
    assert related(await fetch(api, f"{english}/v2")) == expected
    assert related(await fetch(api, english)) == expected
    assert related(await fetch(api, french)) == [("en", uri(english)), ("en", uri(english, 2)), ("es", uri(spanish))]


async def test_badges_carry_the_frozen_links(partner: Partner) -> None:
    english = await publish(partner.client, achievement_body(in_language="en"))
    french = await publish(partner.client, achievement_body(in_language="fr", translations=[english]))
    answer = await partner.client.post("/v1/decisions", json=decision_body(french, partner.panel_id))
    badge = answer.json()["credential"]["document"]
    assert related(badge["credentialSubject"]["achievement"]) == [("en", uri(english))]


async def test_what_is_no_longer_live_is_not_listed(partner: Partner, api: httpx.AsyncClient) -> None:
    english = await publish(partner.client, achievement_body(in_language="en"))
    french = await publish(partner.client, achievement_body(in_language="fr", translations=[english]))
    assert related(await fetch(api, english)) == [("fr", uri(french))]
    retired = await partner.client.post(f"/v1/achievements/{french}/versions/1/retire")
    assert retired.status_code == 200
    assert related(await fetch(api, english)) == []


async def test_a_link_ends_with_the_version_that_made_it(partner: Partner, api: httpx.AsyncClient) -> None:
    english = await publish(partner.client, achievement_body(in_language="en"))
    french = await publish(partner.client, achievement_body(in_language="fr", translations=[english]))
    assert (await publish_next(partner.client, french, 2, in_language="fr")).status_code == 200
    assert related(await fetch(api, english)) == []
    assert related(await fetch(api, f"{french}/v1")) == [("en", uri(english))]


async def test_a_translation_may_be_named_before_it_is_published(partner: Partner, api: httpx.AsyncClient) -> None:
    draft = await partner.client.post("/v1/achievements", json=achievement_body(in_language="fr"))
    french = draft.json()["id"]
    english = await publish(partner.client, achievement_body(in_language="en", translations=[french]))
    assert related(await fetch(api, english)) == []
    assert (await partner.client.post(f"/v1/achievements/{french}/versions/1/publish")).status_code == 200
    assert related(await fetch(api, english)) == [("fr", uri(french))]
    assert related(await fetch(api, f"{french}/v1")) == [("en", uri(english))]


@pytest.mark.parametrize("language", ["en", None])
async def test_a_translation_is_in_another_language(partner: Partner, language: str | None) -> None:
    named = achievement_body() if language is None else achievement_body(in_language=language)
    other = await publish(partner.client, named)
    body = achievement_body(in_language="en", translations=[other])
    created = await partner.client.post("/v1/achievements", json=body)
    refused = await partner.client.post(f"/v1/achievements/{created.json()['id']}/versions/1/publish")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_achievement")
    assert [entry["pointer"] for entry in refused.json()["errors"]] == ["/translations/0"]


async def test_translations_are_other_achievements_of_the_issuer(partner: Partner, stranger: Partner) -> None:
    for named, status in (
        ([partner.achievement_id], 201),
        ([stranger.achievement_id], 404),
        (["0" * 32], 404),
        ([partner.achievement_id] * 2, 422),
        (["fr"], 422),
    ):
        answer = await partner.client.post(
            "/v1/achievements", json=achievement_body(in_language="en", translations=named)
        )
        assert answer.status_code == status, (named, answer.text)
    no_language = await partner.client.post(
        "/v1/achievements", json=achievement_body(translations=[partner.achievement_id])
    )
    assert no_language.status_code == 422
    itself = await partner.client.post(
        f"/v1/achievements/{partner.achievement_id}/versions",
        json=achievement_body(in_language="en", translations=[partner.achievement_id]),
    )
    assert (itself.status_code, itself.json()["errors"][0]["pointer"]) == (422, "/translations/0")


async def test_pages_lead_from_language_to_language(partner: Partner, api: httpx.AsyncClient) -> None:
    english = await publish(partner.client, achievement_body(in_language="en"))
    name = "Des pratiques équitables"
    french = await publish(partner.client, achievement_body(in_language="fr", name=name, translations=[english]))
    page = (await api.get(f"/achievements/{english}", headers=HTML)).text
    assert f'<a href="{uri(french)}" hreflang="fr" lang="fr"><bdi>{name}</bdi></a> (fr)' in page
    assert f'<h1 dir="auto" lang="fr">{name}</h1>' in (await api.get(f"/achievements/{french}/v1", headers=HTML)).text
    assert "In other languages" not in (await api.get(f"/achievements/{partner.achievement_id}", headers=HTML)).text


async def test_what_is_answered_expands_without_loss(partner: Partner, api: httpx.AsyncClient) -> None:
    english = await publish(partner.client, achievement_body(in_language="en"))
    french = await publish(partner.client, achievement_body(in_language="fr", translations=[english]))
    quads = canonicalize(await fetch(api, english), contexts=load_contexts(CONTEXTS_DIRECTORY)).nquads
    assert f"<{uri(english)}> <https://purl.imsglobal.org/spec/vc/ob/vocab.html#related> <{uri(french)}>" in quads
