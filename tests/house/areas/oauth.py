"""What the house tests need of OAuth 2.0."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from app.access.tokens import hash_secret
from app.identifiers import new_id
from app.oauth.router import REGISTRATION
from app.oauth.scopes import LEARNER_SCOPES
from app.oauth.store import OAuthClient, OAuthConsent
from app.resources import Resources
from tests.conftest import Partner
from tests.house.areas.stories import BASE_URL, Mistakes, Story
from tests.people import app_of, make_person

CALLBACK = REGISTRATION["redirect_uris"][0]
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    world: Resources = app_of(partner.client).state.resources
    me = (await partner.staff.get("/v1/me")).json()
    now = world.clock.now()
    client_id, consent_id = new_id(), new_id()
    async with world.database.transaction() as session:
        session.add(
            OAuthClient(
                id=client_id, secret_hash=hash_secret("x"), registration=REGISTRATION, used_at=now, created_at=now
            )
        )
        await session.flush()
        session.add(
            OAuthConsent(
                issuer_id=partner.issuer_id, id=consent_id, person_id=me["id"], client_id=client_id,
                scopes=sorted(LEARNER_SCOPES), revoked_at=None, created_at=now, updated_at=now,
            )
        )  # fmt: skip
    return {"consent_id": consent_id}


async def examples(story: Story) -> None:
    """Call every operation once."""
    await story.call("fetch_oauth_metadata")
    client = await story.call("register_oauth_client", body=REGISTRATION)
    story.known["oauth_client_id"], story.known["oauth_client_secret"] = client["client_id"], client["client_secret"]
    body = {"name": "Ada Lovelace", "email": "ada.lovelace@schools.example.org"}
    learner = await story.http.post("/v1/learners", json=body, headers={"Authorization": f"Bearer {story.client}"})
    _, story.token = await make_person(
        story.world, story.known["issuer_id"], "learner", name="Ada Lovelace", learner_id=learner.json()["id"]
    )
    story.known["learner_token"] = story.token
    code = await consent(story.http, client, story.token)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    told = await story.call_form("redeem_oauth_token", client, form)
    story.known["oauth_token"] = told["access_token"]
    await story.call_form("introspect_oauth_token", client, {"token": told["access_token"]})
    await story.call_form("revoke_oauth_token", client, {"token": told["refresh_token"]})
    form["code"] = await consent(story.http, client, story.token)
    told = await story.call_form("redeem_oauth_token", client, form)
    story.known["oauth_token"] = told["access_token"]
    consents = await story.call("list_my_consents")
    story.known["consent_id"] = consents["items"][0]["id"]


def asked_by(client: dict[str, Any]) -> dict[str, str]:
    """The parameters of an authorization request."""
    return {
        "response_type": "code", "client_id": client["client_id"], "redirect_uri": CALLBACK, "state": "s",
        "scope": " ".join(LEARNER_SCOPES), "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip


async def consent(http: httpx.AsyncClient, client: dict[str, Any], token: str) -> str:
    """A code that the person with this token consented to."""
    headers = {"Authorization": f"Bearer {token}", "Origin": BASE_URL}
    answer = await http.post("/oauth/authorize", params=asked_by(client), data={"answer": "allow"}, headers=headers)
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
    await made.make("unfit_authorization_request", "GET", "/oauth/authorize", as_person=True, params={"client_id": "x"})
    client = (await made.client.post("/oauth/register", json=REGISTRATION)).json()
    issuer_id = (await made.staff.get("/v1/me")).json()["issuer_id"]
    _, token = await make_person(made.world, issuer_id, "assessor", name="Lin Reader")
    headers = {"Authorization": f"Bearer {token}"}
    await made.make("learner_required", "GET", "/oauth/authorize", params=asked_by(client), headers=headers)
