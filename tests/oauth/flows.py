"""A learner's browser, software that registers itself, and the way from one to a token."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from fastapi import FastAPI

from app.access.dependencies import cookie_name
from app.access.sessions import BROWSER_LIFE, begin_session
from app.oauth.scopes import CREDENTIAL_READONLY, CREDENTIAL_UPSERT, LEARNER_SCOPES
from app.people.people import lock_person
from app.resources import Resources
from tests.conftest import BASE_URL, Partner
from tests.people import make_person

VERIFIER = "a-verifier-of-forty-three-characters-or-more"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
CALLBACK = "https://backpack.example.org/callback"
REGISTRATION: dict[str, Any] = {
    "client_name": "Badge Backpack", "client_uri": "https://backpack.example.org",
    "logo_uri": "https://backpack.example.org/logo.png", "tos_uri": "https://backpack.example.org/terms",
    "policy_uri": "https://backpack.example.org/privacy", "software_id": "backpack", "software_version": "2.1.0",
    "redirect_uris": [CALLBACK], "scope": " ".join(LEARNER_SCOPES),
}  # fmt: skip
READ_AND_WRITE = f"{CREDENTIAL_READONLY} {CREDENTIAL_UPSERT}"


@dataclass(frozen=True, slots=True)
class Learner:
    """A learner who has signed in with a browser."""

    browser: httpx.AsyncClient
    learner_id: str
    person_id: str


async def sign_in_learner(
    app: FastAPI, partner: Partner, *, base_url: str = BASE_URL, email: str = "ada.example@schools.example.org"
) -> Learner:
    """The learner with this address, entered if they are not known, with a browser that is signed in as them."""
    world: Resources = app.state.resources
    known = await partner.client.post("/v1/learners", json={"email": email, "name": "Ada Example"})
    assert known.status_code == 201, known.text
    learner_id = known.json()["id"]
    person, _ = await make_person(world, partner.issuer_id, "learner", name="Ada Example", learner_id=learner_id)
    return Learner(await open_browser(app, partner, person.id, base_url=base_url), learner_id, person.id)


async def open_browser(
    app: FastAPI, partner: Partner, person_id: str, *, base_url: str = BASE_URL
) -> httpx.AsyncClient:
    """A browser in which a person has just signed in."""
    world: Resources = app.state.resources
    now = world.clock.now()
    async with world.database.transaction() as session:
        locked = await lock_person(session, partner.issuer_id, person_id)
        _, token = await begin_session(session, locked, kind="browser", name="b", life=BROWSER_LIFE, now=now)
    name = cookie_name(is_https=world.settings.is_https)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=base_url, cookies={name: token}, timeout=60,
        headers={"Accept": "text/html", "Origin": world.base_url},
    )  # fmt: skip


async def register(http: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    """Register software: what it was answered."""
    body = {name: value for name, value in {**REGISTRATION, **changes}.items() if value is not None}
    answer = await http.post("/oauth/register", json=body)
    assert answer.status_code == 201, answer.text
    registered: dict[str, Any] = answer.json()
    return registered


def request_for(client: dict[str, Any], **changes: str | None) -> dict[str, str]:
    """The parameters of an authorization request."""
    sound = {
        "response_type": "code", "client_id": client["client_id"], "redirect_uri": CALLBACK, "scope": READ_AND_WRITE,
        "state": "a state", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip
    return {name: value for name, value in {**sound, **changes}.items() if value is not None}


def query_of(answer: httpx.Response) -> dict[str, str]:
    """What the browser carries to where it is sent."""
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def agree(browser: httpx.AsyncClient, client: dict[str, Any], **changes: str | None) -> dict[str, str]:
    """Consent to a request: what the browser carries back."""
    answer = await browser.post("/oauth/authorize", params=request_for(client, **changes), data={"answer": "allow"})
    return query_of(answer)


async def redeem(
    http: httpx.AsyncClient, client: dict[str, Any], code_: str, /, **changes: str | None
) -> httpx.Response:
    """Ask for a token for a code."""
    sound = {
        "grant_type": "authorization_code", "code": code_, "redirect_uri": CALLBACK, "code_verifier": VERIFIER,
    }  # fmt: skip
    return await ask(http, client, "token", **{**sound, **changes})


async def refresh(http: httpx.AsyncClient, client: dict[str, Any], token: str, **changes: str | None) -> httpx.Response:
    return await ask(http, client, "token", **{"grant_type": "refresh_token", "refresh_token": token, **changes})


async def ask(http: httpx.AsyncClient, client: dict[str, Any], endpoint: str, **form: str | None) -> httpx.Response:
    """Send a form as a client."""
    data = {name: value for name, value in form.items() if value is not None}
    return await http.post(f"/oauth/{endpoint}", data=data, auth=(client["client_id"], client["client_secret"]))


async def tokens_for(
    http: httpx.AsyncClient, learner: Learner, client: dict[str, Any], *, scope: str = READ_AND_WRITE
) -> dict[str, Any]:
    """The token response that this learner's consent leads to."""
    code = (await agree(learner.browser, client, scope=scope))["code"]
    answer = await redeem(http, client, code)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told
