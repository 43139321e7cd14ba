"""End to end over HTTP, with an OAuth client that knows nothing of us: Authlib's, on requests."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio.to_thread
import httpx
import jsonschema
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from fastapi import FastAPI

from app.oauth.scopes import LEARNER_SCOPES
from app.settings import Settings
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.oauth.flows import CALLBACK, REGISTRATION, Learner, sign_in_learner
from tests.oauth.test_client_credentials import make_client
from tests.obapi.test_host import IMS, foreign, issue
from tests.serving import free_port, served

URL = f"http://127.0.0.1:{free_port()}"
EVERYTHING = " ".join(LEARNER_SCOPES)


@pytest.fixture
def public_url() -> str:
    return URL


@pytest.fixture
def server(settings: Settings) -> Iterator[str]:
    """The service on the database of this test, listening."""
    with served(settings.model_copy(update={"run_jobs": False, "log_level": "warning"})) as url:
        yield url


@pytest.fixture
async def learner(app: FastAPI, partner: Partner, server: str, clock: FixedClock) -> AsyncIterator[Learner]:
    """With a browser that goes to the server, too."""
    clock.moment = datetime.now(UTC)  # the server's clock is the real one
    found = await sign_in_learner(app, partner, base_url=URL)
    async with httpx.AsyncClient(
        base_url=URL, cookies=found.browser.cookies, headers=found.browser.headers, timeout=60
    ) as browser:
        yield Learner(browser, found.learner_id, found.person_id)
    await found.browser.aclose()


async def test_a_wallet_finds_its_way(
    server: str, learner: Learner, partner: Partner, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The library insists on https, of which there is none on loopback.
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    issued = await issue(partner, learner)
    async with httpx.AsyncClient(base_url=server, timeout=60) as http:
        description = (await http.get(f"{IMS}/discovery")).json()
        scheme = description["components"]["securitySchemes"]["OAuth2ACG"]
        registered = (await http.post(scheme["x-imssf-registrationUrl"], json=REGISTRATION)).json()
    flow = scheme["flows"]["authorizationCode"]
    library = OAuth2Session(
        registered["client_id"], registered["client_secret"], scope=EVERYTHING, redirect_uri=CALLBACK,
        code_challenge_method="S256", token_endpoint=flow["tokenUrl"],
    )  # fmt: skip
    verifier = "0123456789-0123456789-0123456789-0123456789"
    url, state = library.create_authorization_url(flow["authorizationUrl"], code_verifier=verifier)
    page = await learner.browser.get(url)
    assert (page.status_code, "Badge Backpack" in page.text) == (200, True)
    back = await learner.browser.post(url, data={"answer": "allow"})
    assert back.status_code == 302
    location = back.headers["location"]
    assert parse_qs(urlsplit(location).query)["scope"] == [EVERYTHING]
    # Everything further is the library's, which is synchronous.
    await anyio.to_thread.run_sync(_go_on, library, flow, location, state, verifier, issued["document"], shared)


def _go_on(
    library: OAuth2Session, flow: Any, location: str, state: str, verifier: str, issued: dict[str, Any], shared: Path
) -> None:
    first = library.fetch_token(
        flow["tokenUrl"], authorization_response=location, state=state, code_verifier=verifier, scope=EVERYTHING
    )
    assert (first["token_type"], first["scope"]) == ("Bearer", EVERYTHING)
    listed = library.get(URL + IMS + "/credentials")
    assert listed.json() == {"credential": [issued]}
    schema = (shared / "data/schema-strict/ob_v3p0_getopenbadgecredentialsresponse_schema.json").read_text()
    jsonschema.validate(listed.json(), json.loads(schema))
    badge = foreign()
    put = library.post(URL + IMS + "/credentials", json=badge)
    assert (put.status_code, put.json()) == (201, badge)
    assert library.get(URL + IMS + "/credentials").headers["X-Total-Count"] == "2"
    assert library.get(URL + IMS + "/profile").json()["name"] == "Ada Example"
    second = dict(library.refresh_token(flow["refreshUrl"]))
    assert second["access_token"] != first["access_token"]
    assert library.get(URL + IMS + "/credentials").status_code == 200
    told = library.introspect_token(f"{URL}/oauth/introspect", token=second["access_token"])
    assert told.json()["active"] is True
    revoked = library.revoke_token(
        f"{URL}/oauth/revoke", token=second["refresh_token"], token_type_hint="refresh_token"
    )
    assert revoked.status_code == 200
    assert library.get(URL + IMS + "/credentials").status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        library.refresh_token(flow["refreshUrl"], refresh_token=second["refresh_token"])


async def test_a_partner_gets_a_token_by_its_credentials(
    server: str, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    holder = await make_client(partner, "learners:read", "events:read")

    def go() -> None:
        with OAuth2Session(holder["client_id"], holder["client_secret"], scope="learners:read") as library:
            library.fetch_token(f"{URL}/oauth/token", grant_type="client_credentials")
            assert library.get(f"{URL}/v1/learners").status_code == 200
            assert library.get(f"{URL}/v1/events").status_code == 403
        with OAuth2Session(holder["client_id"], "wrong") as library, pytest.raises(OAuthError, match="invalid_client"):
            library.fetch_token(f"{URL}/oauth/token", grant_type="client_credentials")

    await anyio.to_thread.run_sync(go)
