"""Signing in by OpenID Connect, against a provider that lies."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import ECKey, OctKey, OKPKey
from sqlalchemy import select

from app.people.oidc import STATE_LIFE
from app.people.store import PersonIdentity
from app.resources import Resources
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.people import make_person
from tests.people.provider import CLIENT_ID, HostileProvider, begin, hostile_provider, register
from tests.people.signing_in import open_browser

ADDRESS = "ada.example@schools.example.org"
JSON = {"Accept": "application/json"}
on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@pytest.fixture
async def provider(app: FastAPI, tmp_path: Path) -> AsyncIterator[HostileProvider]:
    async with hostile_provider(app, tmp_path) as found:
        yield found


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with open_browser(app) as opened:
        yield opened


@pytest.fixture
async def button(partner: Partner, provider: HostileProvider, app: FastAPI) -> str:
    await make_person(app.state.resources, partner.issuer_id, "assessor", name="Ada Example")
    return await register(partner, provider.issuer)


def claims_for(provider: HostileProvider, asked: dict[str, str], clock: FixedClock, **changes: Any) -> dict[str, Any]:
    """What an honest provider would say of Ada."""
    now = int(clock.now().timestamp())
    honest = {"iss": provider.issuer, "sub": "ada-1", "aud": CLIENT_ID, "exp": now + 300, "iat": now,
              "nonce": asked["nonce"], "email": ADDRESS, "email_verified": True}  # fmt: skip
    return {name: value for name, value in (honest | changes).items() if value is not None}


async def come_back(browser: httpx.AsyncClient, asked: dict[str, str], **changes: str) -> httpx.Response:
    return await browser.get("/sign-in/oidc/callback", params={"state": asked["state"], "code": "c"} | changes)


async def sign_in(
    browser: httpx.AsyncClient, button: str, provider: HostileProvider, clock: FixedClock, **changes: Any
) -> httpx.Response:
    asked = await begin(browser, button)
    provider.answer_with(provider.sign(claims_for(provider, asked, clock, **changes)))
    return await come_back(browser, asked)


def code_of(answer: httpx.Response) -> str:
    """The code that a page or a problem names."""
    if answer.headers["content-type"].startswith("text/html"):
        return answer.text.partition("/problems/")[2].partition('"')[0]
    return str(answer.json()["code"])


async def test_somebody_known_by_a_verified_address_signs_in(
    browser: httpx.AsyncClient, button: str, provider: HostileProvider, clock: FixedClock
) -> None:
    page = await browser.get("/sign-in/academy")
    assert "Maple County" in page.text
    assert "form-action 'self' https:;" in page.headers["content-security-policy"]
    asked = await begin(browser, button)
    assert asked["scope"] == "openid email"
    assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/sign-in/oidc/callback"
    provider.answer_with(provider.sign(claims_for(provider, asked, clock)))
    signed_in = await come_back(browser, asked)
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "http://127.0.0.1:8000/home"), signed_in.text
    assert (await browser.get("/v1/me")).json()["email"] == ADDRESS
    [request] = [head for head in provider.site.requests if head.startswith("POST /token")]
    # RFC 6749, section 2.3.1: form-encoded, then joined.
    credentials = base64.b64encode(b"assay%3Aclient:a%20secret%20%26%20more").decode()
    assert f"authorization: Basic {credentials}" in request.replace("Authorization", "authorization")


async def test_the_code_is_redeemed_with_the_verifier(
    browser: httpx.AsyncClient, button: str, provider: HostileProvider, clock: FixedClock
) -> None:
    asked = await begin(browser, button)
    provider.answer_with(provider.sign(claims_for(provider, asked, clock)))
    assert (await come_back(browser, asked)).status_code == 303
    [body] = provider.site.bodies
    form = parse_qs(body.decode())
    digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
    assert asked["code_challenge_method"] == "S256"
    assert (form["code"], form["grant_type"]) == (["c"], ["authorization_code"])
    assert "client_secret" not in form


async def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(
    browser: httpx.AsyncClient, button: str, provider: HostileProvider, clock: FixedClock
) -> None:
    provider.discovery["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    provider.publish()
    assert (await sign_in(browser, button, provider, clock)).status_code == 303
    form = parse_qs(provider.site.bodies[0].decode())
    assert (form["client_id"], form["client_secret"]) == ([CLIENT_ID], ["a secret & more"])
    assert "authorization" not in "".join(provider.site.requests).lower()


LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "of another sign-in"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "another client"},
    "several audiences without azp": {"aud": [CLIENT_ID, "another client"]},
    "another azp": {"aud": [CLIENT_ID, "another client"], "azp": "another client"},
    "another issuer": {"iss": "https://evil.example"},
    "expired": {"exp": 1_700_000_000},
    "no exp": {"exp": None},
    "exp of no kind": {"exp": True},
    "issued long ago": {"iat": 1_700_000_000},
    "issued in future": {"iat": 4_000_000_000},
    "no iat": {"iat": None},
    "no sub": {"sub": None},
    "sub of no kind": {"sub": 7},
    "sub that is no text": {"sub": "\ud800"},
}


@on_sqlite
@pytest.mark.parametrize("lie", LIES)
async def test_a_token_that_is_not_for_us_now_signs_nobody_in(
    browser: httpx.AsyncClient, button: str, provider: HostileProvider, clock: FixedClock, lie: str
) -> None:
    refused = await sign_in(browser, button, provider, clock, **LIES[lie])
    assert (refused.status_code, code_of(refused)) == (403, "oidc_sign_in_refused")
    assert (await browser.get("/v1/me")).status_code == 401
    assert (await sign_in(browser, button, provider, clock)).status_code == 303
    both = await sign_in(browser, button, provider, clock, aud=[CLIENT_ID, "another client"], azp=CLIENT_ID)
    assert both.status_code == 303


Sign = Callable[[HostileProvider, dict[str, Any]], str]

FORGERIES: dict[str, Sign] = {
    "no signature": lambda p, claims: p.unsigned(claims),
    "HS256 with the public key": lambda p, claims: p.sign(claims, alg="HS256", key=p.shared_secret()),
    "another key under the same kid": lambda p, claims: p.sign(claims, alg="ES256", key=p.another_key()),
    "an unknown kid": lambda p, claims: p.sign(claims, kid="rsa-2"),
    "RS512": lambda p, claims: p.sign(claims, alg="RS512"),
    "changed afterwards": lambda p, claims: p.sign(claims)[:-8] + "AAAAAAAA",
    "claims without end": lambda p, _: p.sign_text(b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
    "no token": lambda p, claims: p.unsigned(claims).partition(".")[0],
}


@on_sqlite
@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_signs_nobody_in(
    browser: httpx.AsyncClient, button: str, provider: HostileProvider, clock: FixedClock, forgery: str
) -> None:
    asked = await begin(browser, button)
    provider.answer_with(FORGERIES[forgery](provider, claims_for(provider, asked, clock)))
    refused = await come_back(browser, asked)
    assert (refused.status_code, code_of(refused)) == (403, "oidc_sign_in_refused")
    assert (await browser.get("/v1/me")).status_code == 401


@on_sqlite
async def test_a_shared_secret_among_the_keys_signs_nobody_in(
    browser: httpx.AsyncClient, button: str, provider: HostileProvider, clock: FixedClock
) -> None:
    secret = OctKey.import_key("a secret that the provider publishes by mistake", {"kid": "rsa-1"})
    provider.publish(secret.as_dict(private=True), provider.key.as_dict(private=False))
    asked = await begin(browser, button)
    claims = claims_for(provider, asked, clock)
    provider.answer_with(provider.sign(claims, alg="HS256", key=secret))
    assert code_of(await come_back(browser, asked)) == "oidc_sign_in_refused"


@on_sqlite
@pytest.mark.parametrize("alg", ["PS256", "ES256", "EdDSA"])
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_the_other_algorithms_are_taken(
    browser: httpx.AsyncClient, button: str, provider: HostileProvider, clock: FixedClock, alg: str
) -> None:
    parameters: Any = {"kid": "rsa-1", "use": "sig", "alg": alg}
    keys = {
        "PS256": provider.key,
        "ES256": ECKey.generate_key("P-256", parameters),
        "EdDSA": OKPKey.generate_key("Ed25519", parameters),
    }
    provider.publish({**keys[alg].as_dict(private=False), "kty": keys[alg].key_type})
    asked = await begin(browser, button)
    provider.answer_with(provider.sign(claims_for(provider, asked, clock), alg=alg, key=keys[alg]))
    assert (await come_back(browser, asked)).status_code == 303


async def test_a_state_is_used_once_by_its_browser_in_time(
    app: FastAPI, browser: httpx.AsyncClient, button: str, provider: HostileProvider, clock: FixedClock
) -> None:
    asked = await begin(browser, button)
    provider.answer_with(provider.sign(claims_for(provider, asked, clock)))
    async with open_browser(app) as other:
        await begin(other, button)
        stolen = await come_back(other, asked)
        assert (stolen.status_code, code_of(stolen)) == (403, "oidc_sign_in_other_browser")
    answers = await asyncio.gather(*(come_back(browser, asked) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * 7
    replayed = await come_back(browser, asked)
    assert (replayed.status_code, code_of(replayed)) == (409, "oidc_sign_in_used")
    unknown = await come_back(browser, {"state": "of nobody"})
    assert (unknown.status_code, code_of(unknown)) == (404, "oidc_sign_in_unknown")

    asked = await begin(browser, button)
    clock.advance(seconds=STATE_LIFE.total_seconds() - 1)
    provider.answer_with(provider.sign(claims_for(provider, asked, clock)))
    assert (await come_back(browser, asked)).status_code == 303
    asked = await begin(browser, button)
    clock.advance(seconds=STATE_LIFE.total_seconds())
    provider.answer_with(provider.sign(claims_for(provider, asked, clock)))
    late = await come_back(browser, asked)
    assert (late.status_code, code_of(late)) == (410, "oidc_sign_in_expired")


async def test_afterwards_the_subject_alone_decides(
    app: FastAPI, partner: Partner, browser: httpx.AsyncClient, button: str, provider: HostileProvider,
    clock: FixedClock,
) -> None:  # fmt: skip
    ben, _ = await make_person(app.state.resources, partner.issuer_id, name="Ben Example")
    for changes in (
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": None},
        {"email": "x@example.org"},
        {"email": "\ud800@example.org"},
    ):
        unknown = await sign_in(browser, button, provider, clock, **changes)
        assert (unknown.status_code, code_of(unknown)) == (403, "oidc_person_unknown"), changes
    assert (await sign_in(browser, button, provider, clock)).status_code == 303
    # Known by subject, whatever the address says from now on: nobody's, unverified, or somebody else's.
    for changes in ({"email": None}, {"email_verified": False}, {"email": "ben.example@schools.example.org"}):
        assert (await sign_in(browser, button, provider, clock, **changes)).status_code == 303
        assert (await browser.get("/v1/me")).json()["email"] == ADDRESS
    # The address was given to somebody else there: they do not become Ada.
    successor = await sign_in(browser, button, provider, clock, sub="ada-2")
    assert (successor.status_code, code_of(successor)) == (403, "oidc_person_unknown")
    world: Resources = app.state.resources
    async with world.database.reading() as session:
        tied = (await session.scalars(select(PersonIdentity).where(PersonIdentity.kind == "oidc"))).all()
        assert [each.person_id for each in tied] != [ben.id]
        assert len(tied) == 1
    people = (await partner.client.get("/v1/people")).json()["items"]
    assert len(people) == 3, "nobody is entered by signing in"


async def test_who_is_not_active_is_not_let_in(
    partner: Partner, browser: httpx.AsyncClient, button: str, provider: HostileProvider, clock: FixedClock
) -> None:
    assert (await sign_in(browser, button, provider, clock)).status_code == 303
    ada = (await browser.get("/v1/me")).json()["id"]
    await partner.client.patch(f"/v1/people/{ada}", json={"is_active": False})
    refused = await sign_in(browser, button, provider, clock)
    assert (refused.status_code, code_of(refused)) == (403, "person_inactive")


@on_sqlite
async def test_what_the_provider_refuses_or_mixes_up(
    browser: httpx.AsyncClient, button: str, provider: HostileProvider, clock: FixedClock
) -> None:
    for changes in ({"error": "access_denied"}, {"code": ""}, {"iss": "https://evil.example"}):
        asked = await begin(browser, button)
        provider.answer_with(provider.sign(claims_for(provider, asked, clock)))
        refused = await come_back(browser, asked, **changes)
        assert (refused.status_code, code_of(refused)) == (403, "oidc_sign_in_refused"), changes
    asked = await begin(browser, button)
    provider.site.put("/token", b'{"error": "invalid_grant"}', status="400 Bad Request")
    assert code_of(await come_back(browser, asked)) == "oidc_sign_in_refused"
    asked = await begin(browser, button)
    provider.answer_with(None)
    assert code_of(await come_back(browser, asked)) == "oidc_sign_in_refused"
    asked = await begin(browser, button)
    provider.answer_with(provider.sign(claims_for(provider, asked, clock)))
    assert (await come_back(browser, asked, iss=provider.issuer)).status_code == 303


@on_sqlite
async def test_a_provider_that_is_not_one_is_unavailable(
    browser: httpx.AsyncClient, button: str, provider: HostileProvider
) -> None:
    honest = dict(provider.discovery)
    for changes in (
        {"issuer": "https://evil.example"},
        {"token_endpoint": None},
        {"jwks_uri": "http://localhost/jwks"},
    ):
        provider.discovery = honest | changes
        provider.publish()
        answer = await browser.post(button)
        assert (answer.status_code, code_of(answer)) == (503, "oidc_provider_unavailable"), changes
    for body in (b"[]", b"{", b"<html>"):
        provider.site.put("/.well-known/openid-configuration", body)
        assert code_of(await browser.post(button)) == "oidc_provider_unavailable"


@on_sqlite
async def test_a_provider_is_changed_and_closed(
    partner: Partner, stranger: Partner, browser: httpx.AsyncClient, button: str, provider: HostileProvider,
    clock: FixedClock,
) -> None:  # fmt: skip
    id_ = button.rpartition("/")[2]
    path = f"/v1/oidc-providers/{id_}"
    changed = await partner.client.patch(path, json={"client_secret": "another", "name": "Maple (new)"})
    assert (changed.status_code, changed.json()["name"]) == (200, "Maple (new)")
    assert (await sign_in(browser, button, provider, clock)).status_code == 303
    request = next(head for head in provider.site.requests if head.startswith("POST /token"))
    assert base64.b64encode(b"assay%3Aclient:another").decode() in request
    assert (await browser.post(button.replace("academy", "stranger"), headers=JSON)).status_code == 404
    await partner.client.patch(path, json={"is_active": False})
    assert "Maple" not in (await browser.get("/sign-in/academy")).text
    assert (await browser.post(button, headers=JSON)).status_code == 404
    again = {"name": "M", "provider_issuer": provider.issuer, "client_id": "x", "client_secret": "y"}
    taken = await partner.client.post("/v1/oidc-providers", json=again)
    assert (taken.status_code, taken.json()["code"]) == (409, "oidc_provider_taken")
    for url in ("http://x.example", "https://x.example/?a=b", "https://x.example/#a", "https://me@x.example"):
        refused = await partner.client.post("/v1/oidc-providers", json={**again, "provider_issuer": url})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body"), url
