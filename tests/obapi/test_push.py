"""Pushing a badge to another host: from one service of ours to another, over TLS, and to hosts that misbehave."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.main import create_app
from app.migration import migrate
from app.oauth.scopes import CREDENTIAL_UPSERT, OFFLINE_ACCESS
from app.oauth.store import OAuthToken
from app.obapi.store import BadgeHost
from app.resources import Resources
from tests.builders import decision_body
from tests.conftest import KEY, Partner, _make_operator, make_issuer, open_client
from tests.fakes import FixedClock
from tests.net.tls_site import CertificateAuthority, Site, serve
from tests.oauth.flows import Learner, open_browser, sign_in_learner
from tests.obapi.test_host import IMS, issue
from tests.people.provider import trust
from tests.people.signing_in import run_jobs
from tests.serving import loopback_settings, served

HOME = "https://academy.example.org"
BACK = f"{HOME}/badge-hosts/callback"
on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@pytest.fixture
def public_url() -> str:
    """Software registers with https addresses only."""
    return HOME


@pytest.fixture
async def learner(app: FastAPI, partner: Partner) -> AsyncIterator[Learner]:
    found = await sign_in_learner(app, partner, base_url=HOME)
    async with found.browser:
        yield found


@dataclass(frozen=True, slots=True)
class Host:
    """Another service, and the browser of the learner who has an account there."""

    url: str
    browser: httpx.AsyncClient
    app: FastAPI
    partner: Partner


@asynccontextmanager
async def open_host(authority: CertificateAuthority, directory: Path) -> AsyncIterator[Host]:
    settings = loopback_settings(directory, KEY, origin="https://localhost")
    settings = settings.model_copy(update={"run_jobs": False})
    await migrate(settings)
    inside = create_app(settings)
    async with (
        inside.router.lifespan_context(inside),
        open_client(inside, await _make_operator(inside)) as operator,
        open_client(inside, await make_issuer(operator, "host")) as client,
    ):
        partner = await Partner.settle(inside, client)
        there = await sign_in_learner(inside, partner, base_url=settings.public_url)
        tls = ssl.create_default_context(cafile=str(authority.ca_file))
        with served(settings, tls=authority.issue("localhost")) as url:
            async with httpx.AsyncClient(
                base_url=url, cookies=there.browser.cookies, headers=there.browser.headers, timeout=60, verify=tls
            ) as browser:
                yield Host(url, browser, inside, partner)
        await there.browser.aclose()
        await partner.staff.aclose()


@pytest.fixture
async def host(app: FastAPI, tmp_path: Path) -> AsyncIterator[Host]:
    authority = CertificateAuthority(tmp_path)
    await trust(app, authority)
    directory = tmp_path / "host"
    directory.mkdir()
    async with open_host(authority, directory) as found:
        yield found


async def connect(learner: Learner, host: Host, answer: str = "allow") -> tuple[str, httpx.Response]:
    """The learner connects the host: its id, and the answer to their coming back."""
    asked = await learner.browser.post("/v1/me/badge-hosts", json={"url": host.url})
    assert asked.status_code == 201, asked.text
    assert asked.json()["state"] == "asked"
    sent = await host.browser.post(asked.json()["authorize_url"], data={"answer": answer})
    assert sent.status_code == 302, sent.text
    assert sent.headers["location"].startswith(BACK)
    return asked.json()["id"], await learner.browser.get(sent.headers["location"])


async def push(learner: Learner, host_id: str, credential_id: str) -> httpx.Response:
    return await learner.browser.post(
        f"/v1/me/badge-hosts/{host_id}/pushes", json={"credential_id": credential_id},
        headers={"Accept": "application/json"},
    )  # fmt: skip


async def kept_at(host: Host) -> list[Any]:
    """What the host keeps, as its issuer's export tells."""
    export = await host.partner.client.get(f"/v1/issuers/{host.partner.issuer_id}/export")
    records = [json.loads(line) for line in export.text.splitlines()]
    return [json.loads(record["body"]) for record in records if record["type"] == "kept_badge"]


async def test_a_badge_goes_to_another_host(
    learner: Learner, host: Host, partner: Partner, app: FastAPI, clock: FixedClock
) -> None:
    issued = await issue(partner, learner)
    host_id, back = await connect(learner, host)
    assert (back.status_code, back.headers["location"]) == (303, f"{HOME}/home"), back.text
    [listed] = (await learner.browser.get("/v1/me/badge-hosts")).json()["items"]
    assert (listed["id"], listed["state"], listed["name"]) == (host_id, "connected", "Assay")
    assert listed["url"] == f"{host.url}{IMS}"
    pushed = await push(learner, host_id, issued["id"])
    assert (pushed.status_code, pushed.json()["outcome"]) == (200, "created"), pushed.text
    assert await kept_at(host) == [issued["document"]]
    assert (await push(learner, host_id, issued["id"])).json()["outcome"] == "replaced"
    # The token there runs out: the next push refreshes it.
    world: Resources = host.app.state.resources
    async with world.database.transaction() as session:
        for token in (await session.scalars(select(OAuthToken).where(OAuthToken.kind == "access"))).all():
            token.revoked_at = world.clock.now()
    assert (await push(learner, host_id, issued["id"])).json()["outcome"] == "replaced"
    # The learner ends it there: it cannot be refreshed any more.
    [consent] = (await host.browser.get("/v1/me/consents")).json()["items"]
    assert consent["client_name"] == "Assay"
    assert sorted(consent["scopes"]) == sorted([CREDENTIAL_UPSERT, OFFLINE_ACCESS])
    await host.browser.delete(f"/v1/me/consents/{consent['id']}")
    refused = await push(learner, host_id, issued["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "badge_host_refused")
    export = (await partner.client.get(f"/v1/learners/{learner.learner_id}/export")).json()
    assert [each["url"] for each in export["person"]["badge_hosts"]] == [f"{host.url}{IMS}"]
    gone = await learner.browser.delete(f"/v1/me/badge-hosts/{host_id}")
    assert gone.status_code == 200
    assert (await learner.browser.get("/v1/me/badge-hosts")).json() == {"items": []}


@on_sqlite
async def test_a_learner_may_refuse_there(learner: Learner, host: Host, partner: Partner) -> None:
    issued = await issue(partner, learner)
    host_id, back = await connect(learner, host, "refuse")
    assert (back.status_code, "badge_host_refused" in back.text) == (409, True)
    refused = await push(learner, host_id, issued["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "badge_host_not_connected")


# -- hosts made by hand


@pytest.fixture
async def site(app: FastAPI, tmp_path: Path) -> AsyncIterator[Site]:
    authority = CertificateAuthority(tmp_path)
    await trust(app, authority)
    async with serve(authority, "localhost") as found:
        describe(found)
        register_at(found)
        yield found


def describe(site: Site, **changes: Any) -> str:
    """Publish a service description: the host's URL."""
    base = f"https://localhost:{site.port}"
    flow = {
        "authorizationUrl": f"{base}/authorize", "tokenUrl": f"{base}/token", "refreshUrl": f"{base}/token",
        "scopes": {CREDENTIAL_UPSERT: "x"},
    }  # fmt: skip
    flow |= {name: changes[name] for name in changes if name in flow}
    scheme = {
        "x-imssf-registrationUrl": changes.get("register", f"{base}/register"),
        "flows": {"authorizationCode": flow},
    }
    document = {"info": {"title": "By hand"}, "components": {"securitySchemes": {"OAuth2ACG": scheme}}}
    site.put_json(f"{IMS}/discovery", document)
    return base


def register_at(site: Site, status: str = "201 Created", **told: Any) -> None:
    body = json.dumps({"client_id": "c", "client_secret": "kanarysecret", **told}).encode()
    site.put("/register", body, status=status, headers=["Content-Type: application/json"])


async def begin(learner: Learner, site: Site) -> tuple[str, dict[str, str]]:
    asked = await learner.browser.post("/v1/me/badge-hosts", json={"url": f"https://localhost:{site.port}/"})
    assert asked.status_code == 201, asked.text
    query = parse_qs(urlsplit(asked.json()["authorize_url"]).query)
    return asked.json()["id"], {name: values[0] for name, values in query.items()}


async def test_what_a_host_gives_out_is_sealed_and_goes(
    learner: Learner, site: Site, partner: Partner, app: FastAPI
) -> None:
    issued = await issue(partner, learner)
    site.put_json("/token", {"access_token": "kanarytoken", "token_type": "bearer", "refresh_token": "kanaryrefresh"})
    host_id, asked = await begin(learner, site)
    assert asked["code_challenge_method"] == "S256"
    assert (asked["scope"], asked["redirect_uri"], asked["client_id"]) == (CREDENTIAL_UPSERT, BACK, "c")
    registration = json.loads(site.bodies[0])
    assert registration["redirect_uris"] == [BACK]
    assert registration["scope"] == CREDENTIAL_UPSERT
    assert (await learner.browser.get(BACK, params={"state": asked["state"], "code": "x"})).status_code == 303
    form = parse_qs(site.bodies[1].decode())
    assert form.keys() == {"grant_type", "code", "redirect_uri", "code_verifier", "scope"}
    site.put(f"{IMS}/credentials", b"{}", status="201 Created", headers=["Content-Type: application/json"])
    assert (await push(learner, host_id, issued["id"])).status_code == 200
    assert "authorization: bearer kanarytoken" in site.requests[-1].lower()
    assert json.loads(site.bodies[-1]) == issued["document"]
    world: Resources = app.state.resources
    async with world.database.reading() as session:
        [row] = (await session.scalars(select(BadgeHost))).all()
        assert b"kanary" not in row.sealed_connection
    export = await partner.client.get(f"/v1/issuers/{partner.issuer_id}/export")
    assert "kanary" not in export.text
    assert (await partner.client.post(f"/v1/people/{learner.person_id}/erase")).status_code == 200
    await run_jobs(app)
    async with world.database.reading() as session:
        assert (await session.scalars(select(BadgeHost))).all() == []


async def test_a_state_is_the_persons_own_and_taken_once(
    learner: Learner, site: Site, app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    site.put_json("/token", {"access_token": "t", "token_type": "Bearer"})
    host_id, asked = await begin(learner, site)
    other = (await partner.client.post("/v1/people", json={"name": "Lin", "email": "lin@schools.example.org"})).json()
    answer = {"state": asked["state"], "code": "x"}
    async with await open_browser(app, partner, other["id"], base_url=HOME) as browser:
        assert (await browser.get(BACK, params=answer)).status_code == 404
        assert (await browser.delete(f"/v1/me/badge-hosts/{host_id}")).status_code == 404
    assert (await learner.browser.get(BACK, params={**answer, "state": "x"})).status_code == 404
    assert (await learner.browser.get(BACK)).status_code == 404
    answers = await asyncio.gather(*(learner.browser.get(BACK, params=answer) for _ in range(3)))
    assert sorted(each.status_code for each in answers) == [303, 404, 404]
    _, late = await begin(learner, site)
    clock.advance(minutes=30)
    assert (await learner.browser.get(BACK, params={"state": late["state"], "code": "x"})).status_code == 404


@on_sqlite
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"authorizationUrl": "http://localhost/authorize"}, "badge_host_unfit"),
        ({"authorizationUrl": "javascript:alert(1)"}, "badge_host_unfit"),
        ({"authorizationUrl": "https://["}, "badge_host_unfit"),
        ({"tokenUrl": "http://localhost/token"}, "badge_host_unfit"),
        ({"tokenUrl": 5}, "badge_host_unfit"),
        ({"register": "http://localhost/register"}, "badge_host_unfit"),
        ({"register": None}, "badge_host_unfit"),
        ({"scopes": {}}, "badge_host_unfit"),
        ({"scopes": []}, "badge_host_unfit"),
        ({"register": "https://127.0.0.2/register"}, "badge_host_unavailable"),
    ],
    ids=str,
)
async def test_descriptions_that_do_not_fit(learner: Learner, site: Site, changes: dict[str, Any], code: str) -> None:
    url = describe(site, **changes)
    refused = await learner.browser.post("/v1/me/badge-hosts", json={"url": url})
    assert refused.json()["code"] == code, refused.text
    describe(site)
    assert (await learner.browser.post("/v1/me/badge-hosts", json={"url": url})).status_code == 201


@on_sqlite
async def test_hosts_that_misbehave(learner: Learner, site: Site, partner: Partner) -> None:
    base = f"https://localhost:{site.port}"

    async def refused(url: str = base) -> str:
        answer = await learner.browser.post("/v1/me/badge-hosts", json={"url": url})
        return str(answer.json()["code"])

    for body in (b"", b"[]", b"{}", b'{"info": 5}', b'{"info": {"title": "x"}, "components": []}', b"\xff"):
        site.put(f"{IMS}/discovery", body)
        assert await refused() == "badge_host_unfit", body
    assert await refused("https://10.0.0.1") == "fetch_refused"
    assert await refused("http://localhost") == "fetch_refused"
    site.put(f"/elsewhere{IMS}/discovery", b"", status="404 Not Found")
    assert await refused(f"{base}/elsewhere") == "badge_host_unavailable"
    describe(site)
    register_at(site, client_secret=None)
    assert await refused() == "badge_host_unavailable"
    register_at(site, "400 Bad Request")
    assert await refused() == "badge_host_refused"
    register_at(site)
    issued = await issue(partner, learner)
    for told in (
        {}, {"access_token": 5, "token_type": "Bearer"}, {"access_token": "t", "token_type": "mac"},
        {"access_token": "tøken", "token_type": "Bearer"}, {"access_token": "", "token_type": "Bearer"},
    ):  # fmt: skip
        site.put_json("/token", told)
        _, asked = await begin(learner, site)
        answer = await learner.browser.get(BACK, params={"state": asked["state"], "code": "x"})
        assert (answer.status_code, "badge_host_unavailable" in answer.text) == (503, True)
    site.put_json("/token", {"access_token": "t", "token_type": "Bearer"})
    host_id, asked = await begin(learner, site)
    assert (await learner.browser.get(BACK, params={"state": asked["state"], "code": "x"})).status_code == 303
    for status in ("400 Bad Request", "401 Unauthorized", "302 Found", "500 Internal Server Error"):
        site.put(f"{IMS}/credentials", b"{}", status=status, headers=["Location: https://10.0.0.1/"])
        pushed = await push(learner, host_id, issued["id"])
        assert (pushed.status_code, pushed.json()["code"]) == (409, "badge_host_refused"), status
    assert (await push(learner, host_id, "0" * 32)).status_code == 404


@on_sqlite
async def test_only_ones_own_badges_are_pushed(learner: Learner, site: Site, partner: Partner) -> None:
    site.put_json("/token", {"access_token": "t", "token_type": "Bearer"})
    host_id, asked = await begin(learner, site)
    await learner.browser.get(BACK, params={"state": asked["state"], "code": "x"})
    body = decision_body(partner.achievement_id, partner.panel_id)
    body["recipient"] = {"email": "somebody.else@schools.example.org"}
    others = (await partner.client.post("/v1/decisions", json=body)).json()["credential"]["id"]
    assert (await push(learner, host_id, others)).status_code == 404
    as_system = await partner.client.post("/v1/me/badge-hosts", json={"url": "https://x.example"})
    assert as_system.json()["code"] == "person_required"
    as_staff = await partner.staff.post("/v1/me/badge-hosts", json={"url": "https://x.example"})
    assert as_staff.json()["code"] == "learner_required"


@on_sqlite
async def test_connecting_is_done_once_per_key(learner: Learner, site: Site) -> None:
    body, key = {"url": f"https://localhost:{site.port}"}, {"Idempotency-Key": f"k-{time.time_ns()}"}
    first = await learner.browser.post("/v1/me/badge-hosts", json=body, headers=key)
    again = await learner.browser.post("/v1/me/badge-hosts", json=body, headers=key)
    assert first.status_code == again.status_code == 201
    assert again.json() == {**first.json(), "authorize_url": None}
    assert len((await learner.browser.get("/v1/me/badge-hosts")).json()["items"]) == 1
