"""Client credentials (RFC 6749, section 4.4): an API client's id and token give a short-lived token."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import Partner, open_client
from tests.fakes import FixedClock
from tests.oauth.flows import Learner, ask, register, sign_in_learner, tokens_for

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


async def make_client(partner: Partner, *scopes: str, **members: Any) -> dict[str, Any]:
    """An API client of the partner, as an OAuth client."""
    made = await partner.client.post(
        f"/v1/issuers/{partner.issuer_id}/api-clients", json={"name": "Nightly sync", "scopes": scopes, **members}
    )
    assert made.status_code == 201, made.text
    return {"client_id": made.json()["id"], "client_secret": made.json()["token"]}


async def token_of(api: httpx.AsyncClient, holder: dict[str, Any], **form: str) -> dict[str, Any]:
    answer = await ask(api, holder, "token", grant_type="client_credentials", **form)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told: dict[str, Any] = answer.json()
    return told


async def test_a_short_token_is_as_good_as_the_clients_own(
    api: httpx.AsyncClient, app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    holder = await make_client(partner, "learners:read", "learners:write")
    told = await token_of(api, holder)
    assert told.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (told["scope"], told["expires_in"]) == ("learners:read learners:write", 3600)
    async with open_client(app, told["access_token"]) as client, open_client(app, holder["client_secret"]) as long:
        key = {"Idempotency-Key": "one"}
        body = {"email": "ada.example@schools.example.org"}
        made = await client.post("/v1/learners", json=body, headers=key)
        assert made.status_code == 201
        # One client, whichever of its tokens it shows: the key is the same.
        again = await long.post("/v1/learners", json=body, headers=key)
        assert (again.json(), again.headers["idempotency-replayed"]) == (made.json(), "true")
        assert (await client.get("/v1/decisions")).status_code == 403
        assert (await client.get("/v1/me")).json()["code"] == "person_required"
        clock.advance(seconds=3600)
        over = await client.get("/v1/learners")
        assert (over.status_code, over.json()["code"]) == (401, "unauthenticated")
        assert (await long.get("/v1/learners")).status_code == 200


async def test_fewer_scopes_and_never_more(api: httpx.AsyncClient, app: FastAPI, partner: Partner) -> None:
    holder = await make_client(partner, "learners:read", "learners:write")
    told = await token_of(api, holder, scope="learners:read")
    assert told["scope"] == "learners:read"
    async with open_client(app, told["access_token"]) as client:
        assert (await client.get("/v1/learners")).status_code == 200
        assert (await client.post("/v1/learners", json={"email": "a@schools.example.org"})).status_code == 403
    for wider in ("decisions:write", "learners:read decisions:write", "platform", "x"):
        answer = await ask(api, holder, "token", grant_type="client_credentials", scope=wider)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


async def test_it_ends_with_the_client_or_when_it_is_revoked(
    api: httpx.AsyncClient, app: FastAPI, partner: Partner
) -> None:
    holder = await make_client(partner, "learners:read")
    first, second = [await token_of(api, holder) for _ in range(2)]
    other = await make_client(partner, "learners:read")
    await ask(api, other, "revoke", token=first["access_token"])
    async with open_client(app, first["access_token"]) as client, open_client(app, second["access_token"]) as later:
        assert (await client.get("/v1/learners")).status_code == 200
        assert (await ask(api, holder, "introspect", token=first["access_token"])).json()["active"]
        assert not (await ask(api, other, "introspect", token=first["access_token"])).json()["active"]
        assert (await ask(api, holder, "revoke", token=first["access_token"])).status_code == 200
        assert (await client.get("/v1/learners")).status_code == 401
        assert not (await ask(api, holder, "introspect", token=first["access_token"])).json()["active"]
        assert (await later.get("/v1/learners")).status_code == 200
        path = f"/v1/issuers/{partner.issuer_id}/api-clients/{holder['client_id']}"
        assert (await partner.client.delete(path)).status_code == 200
        assert (await later.get("/v1/learners")).status_code == 401
    answer = await ask(api, holder, "token", grant_type="client_credentials")
    assert answer.json()["error"] == "invalid_client"


@on_sqlite
async def test_credentials_that_are_not_good(
    api: httpx.AsyncClient, partner: Partner, app: FastAPI, clock: FixedClock
) -> None:
    holder = await make_client(partner, "learners:read", expires_in_days=1)
    other = await make_client(partner, "learners:read")
    learner = await sign_in_learner(app, partner)
    software = await register(api)
    wrongs = [
        {**holder, "client_secret": other["client_secret"]},
        {**holder, "client_secret": holder["client_secret"] + "x"},
        {**holder, "client_secret": holder["client_secret"].split("_", 2)[2]},
        {**holder, "client_id": "0" * 32},
        {"client_id": learner.person_id, "client_secret": holder["client_secret"]},
    ]
    for wrong in wrongs:
        answer = await ask(api, wrong, "token", grant_type="client_credentials")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client"), wrong
    for header in ("Basic !", "Basic", "Bearer x", "Basic /////w==", f"Bearer {holder['client_secret']}"):
        answer = await api.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": header}
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client"), header
    # Each kind of client has its own grants.
    answer = await ask(
        api, holder, "token", grant_type="authorization_code", code="x", redirect_uri="https://x.example"
    )
    assert answer.json()["error"] == "unauthorized_client"
    answer = await ask(api, software, "token", grant_type="client_credentials")
    assert answer.json()["error"] == "unauthorized_client"
    clock.advance(days=1)
    answer = await ask(api, holder, "token", grant_type="client_credentials")
    assert answer.json()["error"] == "invalid_client"
    await learner.browser.aclose()


@on_sqlite
async def test_a_short_token_does_not_outlive_the_client(
    api: httpx.AsyncClient, app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    holder = await make_client(partner, "learners:read", expires_in_days=1)
    clock.advance(days=1, seconds=-60)
    told = await token_of(api, holder)
    async with open_client(app, told["access_token"]) as client:
        assert (await client.get("/v1/learners")).status_code == 200
        clock.advance(seconds=60)
        assert (await client.get("/v1/learners")).status_code == 401


@on_sqlite
async def test_a_learners_token_is_no_token_of_our_own_api(
    api: httpx.AsyncClient, app: FastAPI, partner: Partner
) -> None:
    learner: Learner = await sign_in_learner(app, partner)
    told = await tokens_for(api, learner, await register(api))
    async with open_client(app, told["access_token"]) as client:
        for path in ("/v1/me", "/v1/learners", "/v1/submissions", "/v1/me/consents"):
            assert (await client.get(path)).status_code == 401, path
    await learner.browser.aclose()
