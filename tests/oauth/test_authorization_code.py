"""Authorization code with PKCE: every rule, and what is refused."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from app.oauth.register import MOST_UNUSED
from app.oauth.scopes import CREDENTIAL_READONLY, CREDENTIAL_UPSERT, LEARNER_SCOPES, OFFLINE_ACCESS, PROFILE_UPDATE
from app.oauth.store import OAuthAuthorization, OAuthClient, OAuthConsent, OAuthToken
from app.resources import Resources
from tests.conftest import BASE_URL, Partner
from tests.fakes import FixedClock
from tests.house.logs import capture_log
from tests.oauth.flows import (
    CALLBACK,
    READ_AND_WRITE,
    REGISTRATION,
    VERIFIER,
    Learner,
    agree,
    ask,
    open_browser,
    query_of,
    redeem,
    refresh,
    register,
    request_for,
    sign_in_learner,
    tokens_for,
)
from tests.people import make_person
from tests.people.signing_in import ask_for_link, run_jobs
from tests.people.signing_in import open_browser as open_anonymous_browser

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
OFFLINE = f"{READ_AND_WRITE} {OFFLINE_ACCESS}"


@pytest.fixture
async def learner(app: FastAPI, partner: Partner) -> AsyncIterator[Learner]:
    found = await sign_in_learner(app, partner)
    async with found.browser:
        yield found


@pytest.fixture
async def client(api: httpx.AsyncClient) -> dict[str, Any]:
    return await register(api)


async def is_active(api: httpx.AsyncClient, client: dict[str, Any], token: str) -> bool:
    answer = await ask(api, client, "introspect", token=token)
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["active"])


async def test_a_learner_lets_software_at_their_badges(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any]
) -> None:
    asked = request_for(client, scope=OFFLINE)
    page = await learner.browser.get("/oauth/authorize", params=asked)
    assert page.status_code == 200
    for words in ("Badge Backpack", "backpack.example.org", "Ada Example", "See all your badges", "you are not there"):
        assert words in page.text
    assert LEARNER_SCOPES[PROFILE_UPDATE] not in page.text
    carried = await agree(learner.browser, client, scope=OFFLINE)
    assert carried.keys() == {"code", "scope", "state", "iss"}
    assert (carried["scope"], carried["state"], carried["iss"]) == (OFFLINE, "a state", BASE_URL)
    answer = await redeem(api, client, carried["code"], scope=OFFLINE)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told.keys() == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 3600, OFFLINE)
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")


async def test_consent_cannot_be_framed_or_forged(
    app: FastAPI, learner: Learner, client: dict[str, Any], partner: Partner
) -> None:
    page = await learner.browser.get("/oauth/authorize", params=request_for(client))
    assert page.headers["x-frame-options"] == "DENY"
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https:" in policy
    assert page.headers["cache-control"] == "no-store"
    for origin in ("https://evil.example", "null", ""):
        forged = await learner.browser.post(
            "/oauth/authorize", params=request_for(client), data={"answer": "allow"}, headers={"Origin": origin}
        )
        assert forged.status_code == 403, forged.text
    listed = await learner.browser.get("/v1/me/consents")
    assert listed.json() == {"items": []}


@on_sqlite
async def test_what_the_software_says_of_itself_is_text(api: httpx.AsyncClient, learner: Learner) -> None:
    client = await register(api, client_name="<script>alert(1)</script>")
    page = await learner.browser.get("/oauth/authorize", params=request_for(client, state='"><b>'))
    assert "&lt;script&gt;" in page.text
    assert "<script" not in page.text
    assert '"><b>' not in page.text


async def test_a_learner_may_refuse(learner: Learner, client: dict[str, Any]) -> None:
    for answer in ({"answer": "refuse"}, {}):
        refused = await learner.browser.post("/oauth/authorize", params=request_for(client), data=answer)
        assert refused.headers["location"].startswith(CALLBACK + "?")
        carried = query_of(refused)
        assert (carried["error"], carried["state"], carried["iss"]) == ("access_denied", "a state", BASE_URL)
        assert "code" not in carried


@on_sqlite
@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "0" * 32},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": CALLBACK + "/more"},
        {"redirect_uri": CALLBACK + "?x=1"},
    ],
    ids=str,
)
async def test_nobody_is_sent_where_nobody_registered(
    learner: Learner, client: dict[str, Any], changes: dict[str, str | None]
) -> None:
    asked = request_for(client, **changes)
    for answer in (
        await learner.browser.get("/oauth/authorize", params=asked),
        await learner.browser.post("/oauth/authorize", params=asked, data={"answer": "allow"}),
    ):
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "/problems/unfit_authorization_request" in answer.text


@on_sqlite
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"state": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unauthorized_client"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": "achievements:write"}, "invalid_scope"),
        ({"scope": PROFILE_UPDATE}, "invalid_scope"),
    ],
    ids=str,
)
async def test_requests_that_do_not_fit_go_back_with_an_error(
    api: httpx.AsyncClient, learner: Learner, changes: dict[str, str | None], error: str
) -> None:
    client = await register(api, scope=READ_AND_WRITE)
    await agree(learner.browser, client)
    answer = await learner.browser.get("/oauth/authorize", params=request_for(client, **changes))
    assert answer.headers["location"].startswith(CALLBACK + "?")
    carried = query_of(answer)
    assert carried["error"] == error
    assert carried["iss"] == BASE_URL
    assert carried.get("state") == request_for(client, **changes).get("state")


async def test_nobody_is_sent_to_software_that_nobody_let_in(
    app: FastAPI, api: httpx.AsyncClient, learner: Learner, client: dict[str, Any], partner: Partner
) -> None:
    asked = request_for(client, response_type="x")
    other, _ = await make_person(app.state.resources, partner.issuer_id, "learner", name="Lin Example")
    await agree(learner.browser, client)
    async with open_anonymous_browser(app) as stranger, await open_browser(app, partner, other.id) as beside:
        for browser in (stranger, beside):
            held = await browser.get("/oauth/authorize", params=asked)
            assert (held.status_code, "location" in held.headers) == (400, False), held.text
            assert "/problems/unfit_authorization_request" in held.text
            assert f'<a href="{CALLBACK}?error=unsupported_response_type' in held.text
            assert "Go to backpack.example.org" in held.text
    as_system = await api.get("/oauth/authorize", params=asked, headers={"Accept": "application/json"})
    assert (as_system.status_code, as_system.json()["code"]) == (400, "unfit_authorization_request")
    assert (await learner.browser.get("/oauth/authorize", params=asked)).status_code == 302
    [consent] = (await learner.browser.get("/v1/me/consents")).json()["items"]
    await learner.browser.delete(f"/v1/me/consents/{consent['id']}")
    assert (await learner.browser.get("/oauth/authorize", params=asked)).status_code == 400


@pytest.mark.parametrize("named", ["\0", "0" * 32 + "\0", "0" * 32 + "\n", "é"], ids=ascii)
async def test_no_client_has_an_id_like_that(api: httpx.AsyncClient, named: str) -> None:
    asked = await api.get("/oauth/authorize", params={"client_id": named})
    assert (asked.status_code, asked.json()["code"]) == (400, "unfit_authorization_request")
    nobody = {"client_id": named, "client_secret": "x"}
    for endpoint in ("token", "revoke", "introspect"):
        answer = await ask(api, nobody, endpoint, grant_type="client_credentials", token="x")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client"), answer.text


@on_sqlite
async def test_a_parameter_given_twice_is_refused(learner: Learner, client: dict[str, Any]) -> None:
    twice = [*request_for(client).items(), ("redirect_uri", "https://evil.example")]
    answer = await learner.browser.get("/oauth/authorize", params=twice)
    assert answer.status_code == 400


@on_sqlite
async def test_a_fragment_is_never_the_carrier(learner: Learner, client: dict[str, Any]) -> None:
    assert "code" in await agree(learner.browser, client, response_mode="fragment")


async def test_who_has_to_sign_in_comes_back(app: FastAPI, partner: Partner, api: httpx.AsyncClient) -> None:
    client = await register(api)
    learner = await sign_in_learner(app, partner)
    async with open_anonymous_browser(app) as browser:
        sent = await browser.get("/oauth/authorize", params=request_for(client))
        assert (sent.status_code, sent.headers["location"]) == (303, f"{BASE_URL}/sign-in")
        [link] = await ask_for_link(app, browser, "ada.example@schools.example.org")
        back = await browser.post(link)
        assert back.headers["location"].startswith(f"{BASE_URL}/oauth/authorize?response_type=code")
        page = await browser.get(back.headers["location"])
        assert "Badge Backpack" in page.text
        # Once: whoever signs in again is not led anywhere.
        [_, link] = await ask_for_link(app, browser, "ada.example@schools.example.org")
        assert (await browser.post(link)).headers["location"] == f"{BASE_URL}/home"
    await learner.browser.aclose()


@on_sqlite
async def test_nobody_is_led_elsewhere_after_signing_in(app: FastAPI, partner: Partner) -> None:
    learner = await sign_in_learner(app, partner)
    for way in (
        "https://evil.example",
        "//evil.example",
        "/oauth/authorize",
        "/oauth/authorize?x=\r\nX: y",
        "/sign-out?",
    ):
        async with open_anonymous_browser(app) as browser:
            links = await ask_for_link(app, browser, "ada.example@schools.example.org")
            browser.cookies.set("assay_return", f'"{way}"' if "\r" in way else way, domain="127.0.0.1")
            assert (await browser.post(links[-1])).headers["location"] == f"{BASE_URL}/home"
    await learner.browser.aclose()


@on_sqlite
async def test_only_a_learner_consents(app: FastAPI, partner: Partner, client: dict[str, Any]) -> None:
    person, token = await make_person(app.state.resources, partner.issuer_id, "assessor", name="Lin Example")
    async with await open_browser(app, partner, person.id) as browser:
        for answer in (
            await browser.get("/oauth/authorize", params=request_for(client)),
            await browser.post("/oauth/authorize", params=request_for(client), data={"answer": "allow"}),
        ):
            assert (answer.status_code, "learner_required" in answer.text) == (403, True), answer.text
    headers = {"Accept": "application/json", "Authorization": partner.client.headers["authorization"]}
    as_system = await partner.client.get("/oauth/authorize", params=request_for(client), headers=headers)
    assert as_system.json()["code"] == "person_required"
    assert token


async def test_who_consented_before_is_not_asked_again(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any]
) -> None:
    await agree(learner.browser, client)
    again = await learner.browser.get("/oauth/authorize", params=request_for(client, scope=CREDENTIAL_READONLY))
    assert "code" in query_of(again)
    more = await learner.browser.get("/oauth/authorize", params=request_for(client, scope=OFFLINE))
    assert more.status_code == 200
    other = await register(api)
    assert (await learner.browser.get("/oauth/authorize", params=request_for(other))).status_code == 200


async def test_a_code_is_taken_once_and_a_second_time_ends_all(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any]
) -> None:
    code = (await agree(learner.browser, client, scope=OFFLINE))["code"]
    told = (await redeem(api, client, code)).json()
    assert await is_active(api, client, told["access_token"])
    again = await redeem(api, client, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not await is_active(api, client, told["access_token"])
    assert (await refresh(api, client, told["refresh_token"])).json()["error"] == "invalid_grant"


async def test_of_two_at_once_with_a_code_one_gets_a_token(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any]
) -> None:
    code = (await agree(learner.browser, client))["code"]
    answers = await asyncio.gather(*(redeem(api, client, code) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    [told] = [answer.json() for answer in answers if answer.status_code == 200]
    assert not await is_active(api, client, told["access_token"])


async def test_of_two_at_once_with_a_refresh_token_one_gets_the_next(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any]
) -> None:
    told = await tokens_for(api, learner, client, scope=OFFLINE)
    answers = await asyncio.gather(*(refresh(api, client, told["refresh_token"]) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


@on_sqlite
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": VERIFIER + "x"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://backpack.example.org/other"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"code": "assay_" + "0" * 32 + "_" + "A" * 43}, "invalid_grant"),
        ({"code": "nonsense"}, "invalid_grant"),
        ({"scope": OFFLINE}, "invalid_scope"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
    ],
    ids=str,
)
async def test_codes_are_not_redeemed_otherwise(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any], changes: dict[str, str | None], error: str
) -> None:
    code = (await agree(learner.browser, client))["code"]
    answer = await redeem(api, client, code, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert (await redeem(api, client, code)).status_code == 200  # its pair, and a mistake does not use the code up


@on_sqlite
async def test_a_code_is_for_the_client_that_asked(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any]
) -> None:
    code = (await agree(learner.browser, client))["code"]
    other = await register(api)
    assert (await redeem(api, other, code)).json()["error"] == "invalid_grant"
    for wrong in (
        {**client, "client_secret": "x"},
        {**client, "client_id": "0" * 32},
        {**client, "client_secret": other["client_secret"]},
    ):
        answer = await redeem(api, wrong, code)
        # OB 3.0: 400, where RFC 6749 would say 401.
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    in_the_form = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    answer = await api.post("/oauth/token", data={**in_the_form, "grant_type": "authorization_code", "code": code})
    assert answer.json()["error"] == "invalid_client"
    assert (await redeem(api, client, code)).status_code == 200


async def test_codes_and_tokens_run_out(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any], clock: FixedClock
) -> None:
    late, early = [(await agree(learner.browser, client, scope=OFFLINE))["code"] for _ in range(2)]
    clock.advance(seconds=599)
    told = (await redeem(api, client, early)).json()
    clock.advance(seconds=1)
    assert (await redeem(api, client, late)).json()["error"] == "invalid_grant"
    clock.advance(seconds=3598)
    assert await is_active(api, client, told["access_token"])
    clock.advance(seconds=1)
    assert not await is_active(api, client, told["access_token"])
    clock.advance(days=89)
    told = (await refresh(api, client, told["refresh_token"])).json()
    clock.advance(days=90)
    assert (await refresh(api, client, told["refresh_token"])).json()["error"] == "invalid_grant"


async def test_refreshing_gives_new_tokens_and_ends_the_old_refresh_token(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any]
) -> None:
    first = await tokens_for(api, learner, client, scope=OFFLINE)
    less = await refresh(api, client, first["refresh_token"], scope=CREDENTIAL_READONLY)
    second = less.json()
    assert second["scope"] == CREDENTIAL_READONLY
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    # The next is still for all of it (RFC 6749, section 6).
    third = (await refresh(api, client, second["refresh_token"])).json()
    assert third["scope"] == OFFLINE
    more = await refresh(api, client, third["refresh_token"], scope=f"{OFFLINE} {PROFILE_UPDATE}")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")
    # The first comes again: somebody has stolen it, or the others.
    assert (await refresh(api, client, first["refresh_token"])).json()["error"] == "invalid_grant"
    for token in (first["access_token"], second["access_token"], third["access_token"], third["refresh_token"]):
        assert not await is_active(api, client, token)


async def test_who_consents_and_comes_again_at_once_stands_in_nobodys_way(
    learner: Learner, client: dict[str, Any]
) -> None:
    await agree(learner.browser, client)
    asked = request_for(client)
    browser = learner.browser
    answers = await asyncio.gather(
        *(browser.get("/oauth/authorize", params=asked) for _ in range(12)),
        *(browser.post("/oauth/authorize", params=asked, data={"answer": "allow"}) for _ in range(12)),
    )
    assert [answer.status_code for answer in answers] == [302] * 24
    assert len({query_of(answer)["code"] for answer in answers}) == 24


@on_sqlite
async def test_without_offline_access_there_is_no_refresh_token(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any]
) -> None:
    assert "refresh_token" not in await tokens_for(api, learner, client)
    other = await register(api)
    told = await tokens_for(api, learner, client, scope=OFFLINE)
    assert (await refresh(api, other, told["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await refresh(api, client, told["access_token"])).json()["error"] == "invalid_grant"
    narrow = await register(api, grant_types=["authorization_code"])
    told = await tokens_for(api, learner, narrow, scope=OFFLINE)
    assert (await refresh(api, narrow, told.get("refresh_token", "x"))).json()["error"] == "unauthorized_client"


async def test_software_revokes_its_tokens(api: httpx.AsyncClient, learner: Learner, client: dict[str, Any]) -> None:
    told, other = [await tokens_for(api, learner, client, scope=OFFLINE) for _ in range(2)]
    stranger = await register(api)
    foreign = await ask(api, stranger, "revoke", token=told["access_token"], token_type_hint="access_token")
    assert foreign.status_code == 200
    assert await is_active(api, client, told["access_token"])
    gone = await ask(api, client, "revoke", token=told["access_token"], token_type_hint="access_token")
    assert (gone.status_code, gone.headers["cache-control"]) == (200, "no-store")
    assert not await is_active(api, client, told["access_token"])
    assert await is_active(api, client, told["refresh_token"])
    await ask(api, client, "revoke", token=other["refresh_token"], token_type_hint="access_token")  # a wrong hint
    assert not await is_active(api, client, other["access_token"])
    assert (await ask(api, client, "revoke", token="nonsense")).status_code == 200
    assert (await ask(api, client, "revoke")).json()["error"] == "invalid_request"
    nobody = {**client, "client_secret": "x"}
    assert (await ask(api, nobody, "revoke", token=told["refresh_token"])).json()["error"] == "invalid_client"


async def test_introspection_is_for_the_client_and_the_operator(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any], operator: httpx.AsyncClient, partner: Partner
) -> None:
    told = await tokens_for(api, learner, client, scope=CREDENTIAL_READONLY)
    answer = (await ask(api, client, "introspect", token=told["access_token"])).json()
    assert answer["exp"] - answer["iat"] == 3600
    assert (answer["scope"], answer["client_id"]) == (CREDENTIAL_READONLY, client["client_id"])
    assert (answer["sub"], answer["iss"]) == (learner.person_id, BASE_URL)
    assert not await is_active(api, await register(api), told["access_token"])
    for token, sees in (
        (operator.headers["authorization"][7:], True),
        (partner.client.headers["authorization"][7:], False),
    ):
        holder = {"client_id": token.split("_")[1], "client_secret": token}
        assert await is_active(api, holder, told["access_token"]) is sees
    nobody = {**client, "client_secret": "x"}
    assert (await ask(api, nobody, "introspect", token=told["access_token"])).json()["error"] == "invalid_client"
    assert (await ask(api, client, "introspect")).json()["error"] == "invalid_request"


async def test_a_person_sees_and_ends_what_they_consented_to(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any], app: FastAPI, partner: Partner
) -> None:
    told = await tokens_for(api, learner, client, scope=OFFLINE)
    [consent] = (await learner.browser.get("/v1/me/consents")).json()["items"]
    assert (consent["client_name"], consent["scopes"]) == ("Badge Backpack", sorted(OFFLINE.split()))
    person, _ = await make_person(app.state.resources, partner.issuer_id, "assessor", name="Lin Example")
    async with await open_browser(app, partner, person.id) as other:
        assert (await other.get("/v1/me/consents")).json() == {"items": []}
        assert (await other.delete(f"/v1/me/consents/{consent['id']}")).status_code == 404
    assert await is_active(api, client, told["access_token"])
    code = (await agree(learner.browser, client))["code"]
    revoked = await learner.browser.delete(f"/v1/me/consents/{consent['id']}")
    assert revoked.json()["revoked_at"]
    for token in (told["access_token"], told["refresh_token"]):
        assert not await is_active(api, client, token)
    assert (await redeem(api, client, code)).json()["error"] == "invalid_grant"
    assert (await refresh(api, client, told["refresh_token"])).json()["error"] == "invalid_grant"
    page = await learner.browser.get("/oauth/authorize", params=request_for(client, scope=CREDENTIAL_UPSERT))
    assert page.status_code == 200  # asked anew
    await agree(learner.browser, client, scope=CREDENTIAL_UPSERT)
    [anew] = (await learner.browser.get("/v1/me/consents")).json()["items"]
    assert (anew["scopes"], anew["revoked_at"]) == ([CREDENTIAL_UPSERT], None)


async def test_who_may_not_sign_in_has_let_nobody_in(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any], partner: Partner, app: FastAPI, clock: FixedClock
) -> None:
    told = await tokens_for(api, learner, client, scope=OFFLINE)
    person = f"/v1/people/{learner.person_id}"
    assert (await partner.client.patch(person, json={"is_active": False})).status_code == 200
    assert not await is_active(api, client, told["access_token"])
    assert (await refresh(api, client, told["refresh_token"])).json()["error"] == "invalid_grant"
    await run_jobs(app)
    # It does not come back to life with the person.
    assert (await partner.client.patch(person, json={"is_active": True})).status_code == 200
    assert not await is_active(api, client, told["access_token"])


async def test_signing_out_everywhere_ends_it_and_a_later_consent_stays(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any], partner: Partner, app: FastAPI, clock: FixedClock
) -> None:
    told = await tokens_for(api, learner, client)
    assert (await learner.browser.delete("/v1/me/sessions")).status_code == 200
    clock.advance(seconds=1)
    other = await register(api)
    async with await open_browser(app, partner, learner.person_id) as browser:
        code = (await agree(browser, other))["code"]
        later = (await redeem(api, other, code)).json()
        await run_jobs(app)
    assert not await is_active(api, client, told["access_token"])
    assert await is_active(api, other, later["access_token"])


async def test_of_who_was_erased_nothing_is_kept(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any], partner: Partner, app: FastAPI
) -> None:
    told = await tokens_for(api, learner, client, scope=OFFLINE)
    export = (await partner.client.get(f"/v1/learners/{learner.learner_id}/export")).json()
    [consent] = export["person"]["consents"]
    assert (consent["client_name"], consent["revoked_at"]) == ("Badge Backpack", None)
    assert (await partner.client.post(f"/v1/learners/{learner.learner_id}/erase")).status_code == 200
    assert not await is_active(api, client, told["access_token"])
    world: Resources = app.state.resources
    async with world.database.reading() as session:
        for table in (OAuthConsent, OAuthAuthorization, OAuthToken):
            assert (await session.execute(select(func.count()).select_from(table))).scalar_one() == 0


@on_sqlite
async def test_no_secret_gets_into_the_log(
    api: httpx.AsyncClient, learner: Learner, capsys: pytest.CaptureFixture[str]
) -> None:
    with capture_log(capsys, "debug", "json") as log:
        client = await register(api)
        carried = await agree(learner.browser, client, scope=OFFLINE)
        told = (await redeem(api, client, carried["code"])).json()
        later = (await refresh(api, client, told["refresh_token"])).json()
        for token in (later["access_token"], told["refresh_token"]):
            await ask(api, client, "introspect", token=token)
            await ask(api, client, "revoke", token=token)
        logged = log()
    assert '"route": "/oauth/token"' in logged
    tokens = (carried["code"], *(each[name] for each in (told, later) for name in ("access_token", "refresh_token")))
    for secret in (client["client_secret"], VERIFIER, *(token.split("_", 2)[2] for token in tokens)):
        assert secret not in logged


# -- registration


async def test_a_registration_is_answered_whole(api: httpx.AsyncClient) -> None:
    answer = await api.post("/oauth/register", json={**REGISTRATION, "contacts": ["help@backpack.example.org"], "x": 1})
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    told = answer.json()
    assert REGISTRATION.items() <= told.items()
    assert told["grant_types"] == ["authorization_code", "refresh_token"]
    assert told["response_types"] == ["code"]
    assert told["token_endpoint_auth_method"] == "client_secret_basic"
    assert told["contacts"] == ["help@backpack.example.org"]
    assert re.fullmatch(r"[0-9a-f]{32}", told["client_id"])
    assert len(told["client_secret"]) == 43
    assert isinstance(told["client_id_issued_at"], int)
    assert told["client_secret_expires_at"] == 0
    assert "x" not in told


@on_sqlite
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        *(({name: None}, "invalid_client_metadata") for name in REGISTRATION if name != "redirect_uris"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://backpack.example.org/callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://backpack.example.org/callback#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://backpack.example.org@evil.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["backpack://callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://other.example.org/callback"]}, "invalid_client_metadata"),
        ({"logo_uri": "http://backpack.example.org/logo.png"}, "invalid_client_metadata"),
        ({"policy_uri": "https://elsewhere.example.org/privacy"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "none"}, "invalid_client_metadata"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": ["refresh_token"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"scope": "platform"}, "invalid_client_metadata"),
        ({"scope": "learners:read"}, "invalid_client_metadata"),
    ],
    ids=str,
)
async def test_registrations_that_do_not_fit(api: httpx.AsyncClient, changes: dict[str, Any], error: str) -> None:
    body = {name: value for name, value in {**REGISTRATION, **changes}.items() if value is not None}
    answer = await api.post("/oauth/register", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, error), answer.text
    assert answer.json()["error_description"]


@on_sqlite
async def test_what_is_not_json_or_a_form_is_told_as_an_oauth_error(api: httpx.AsyncClient) -> None:
    text = {"Content-Type": "text/plain"}
    answers = [
        await api.post("/oauth/register", content=b"{", headers={"Content-Type": "application/json"}),
        await api.post("/oauth/register", content=b"x", headers=text),
        await api.post("/oauth/token", json={"grant_type": "client_credentials"}),
        await api.post("/oauth/token", content=b"x", headers=text),
        await api.post("/oauth/token", data={"grant_type": "x" * 20_000}),
        await api.post("/oauth/token"),
    ]
    for answer in answers:
        assert answer.status_code == 400, answer.text
        assert answer.json().keys() <= {"error", "error_description"}
    assert (await api.get("/oauth/token")).status_code == 405


async def test_registrations_that_nobody_uses_are_forgotten(
    api: httpx.AsyncClient, learner: Learner, clock: FixedClock, app: FastAPI
) -> None:
    used, unused = await register(api), await register(api)
    told = await tokens_for(api, learner, used)
    clock.advance(days=89)
    late = await register(api)
    assert not await is_active(api, unused, "x")  # known
    clock.advance(days=1)
    await register(api)
    assert (await ask(api, unused, "introspect", token="x")).json()["error"] == "invalid_client"
    assert not await is_active(api, used, told["access_token"])  # run out, but known
    world: Resources = app.state.resources
    now = clock.now()
    async with world.database.transaction() as session:
        session.add_all(
            OAuthClient(id=f"{n:032x}", secret_hash=b"", registration=REGISTRATION, used_at=None, created_at=now)
            for n in range(MOST_UNUSED)
        )
    newest = await register(api)  # and is not refused: the oldest give way
    assert (await ask(api, late, "introspect", token="x")).json()["error"] == "invalid_client"
    for known in (used, newest):
        assert not await is_active(api, known, "x")
    async with world.database.reading() as session:
        unused_ones = select(func.count()).select_from(OAuthClient).where(OAuthClient.used_at.is_(None))
        assert (await session.execute(unused_ones)).scalar_one() == MOST_UNUSED


async def test_software_stays_used_when_its_only_learner_is_erased(
    api: httpx.AsyncClient, learner: Learner, client: dict[str, Any], partner: Partner, clock: FixedClock
) -> None:
    await agree(learner.browser, client)
    assert (await partner.client.post(f"/v1/learners/{learner.learner_id}/erase")).status_code == 200
    clock.advance(days=90)
    await register(api)
    assert not await is_active(api, client, "x")  # known


@on_sqlite
async def test_the_metadata_is_that_of_the_server(api: httpx.AsyncClient) -> None:
    found = (await api.get("/.well-known/oauth-authorization-server")).json()
    assert found["issuer"] == BASE_URL
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert set(LEARNER_SCOPES) <= set(found["scopes_supported"])
    for name in ("token", "registration", "revocation", "introspection"):
        answer = await api.post(found[f"{name}_endpoint"])
        assert answer.status_code == 400, name
    assert (await api.get(found["authorization_endpoint"])).status_code == 400
    assert (await api.get(found["jwks_uri"])).status_code == 200
