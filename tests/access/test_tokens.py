"""Bearer tokens: who gets in, for how long, with what, and what is kept of them."""

import re
import secrets
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.access.principals import TENANT_SCOPES
from app.access.tokens import format_token, hash_secret, is_secret, new_secret, parse_token
from app.settings import Settings
from tests.conftest import Partner, open_client
from tests.fakes import FixedClock
from tests.house.databases import is_in, list_contents, open_owner
from tests.house.operations import list_operations

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


async def make_client(maker: httpx.AsyncClient, issuer_id: str, *scopes: str, **changes: Any) -> dict[str, Any]:
    body = {"name": "Portal", "scopes": list(scopes), **changes}
    answer = await maker.post(f"/v1/issuers/{issuer_id}/api-clients", json=body)
    assert answer.status_code == 201, answer.text
    client: dict[str, Any] = answer.json()
    return client


async def ask(app: FastAPI, token: str, path: str = "/v1/panels") -> httpx.Response:
    async with open_client(app, token) as client:
        return await client.get(path)


def refused(answer: httpx.Response) -> str:
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), answer.text
    assert answer.headers["www-authenticate"] == 'Bearer realm="assay"'
    return str(answer.json()["detail"])


def test_tokens_have_one_form() -> None:
    secret, client_id = new_secret(), "ab" * 16
    token = format_token(client_id, secret)
    assert parse_token(token) == (client_id, secret)
    assert len(secret) == 43
    for wrong in (
        token.upper(),
        token[:-1],
        f"{token}x",
        token.replace("assay", "obk"),
        f" {token}",
        "assay__",
        "",
        f"{token}\n\n",
    ):
        assert parse_token(wrong) is None, wrong
    assert is_secret(secret, hash_secret(secret))
    assert not is_secret(secret, hash_secret(new_secret()))


async def test_a_token_ends_when_it_expires(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    token = (await make_client(partner.client, partner.issuer_id, "assessors:read", expires_in_days=30))["token"]
    clock.advance(days=30, seconds=-1)
    assert (await ask(app, token)).status_code == 200
    clock.advance(seconds=1)
    assert "expired" in refused(await ask(app, token))


async def test_a_token_ends_when_it_is_revoked(app: FastAPI, partner: Partner) -> None:
    client = await make_client(partner.client, partner.issuer_id, "assessors:read")
    assert (await ask(app, client["token"])).status_code == 200
    path = f"/v1/issuers/{partner.issuer_id}/api-clients/{client['id']}"
    revoked = await partner.client.delete(path)
    assert revoked.status_code == 200
    assert revoked.json()["revoked_at"] is not None
    assert "revoked" in refused(await ask(app, client["token"]))
    assert (await partner.client.delete(path)).json()["revoked_at"] == revoked.json()["revoked_at"]


@on_sqlite
async def test_any_changed_bit_is_refused(app: FastAPI, partner: Partner) -> None:
    token = (await make_client(partner.client, partner.issuer_id, "assessors:read"))["token"]
    async with open_client(app) as client:
        for position in range(len(token)):
            changed = token.encode()
            changed = changed[:position] + bytes([changed[position] ^ 1]) + changed[position + 1 :]
            answer = await client.get("/v1/panels", headers={"Authorization": b"Bearer " + changed})
            refused(answer)
        # The last character of 43 carries four bits of the secret and two of nothing: these are different texts, too.
        last = [c for c in "AEIMQUYcgkosw048BCDF" if c != token[-1]]
        for character in last:
            refused(await client.get("/v1/panels", headers={"Authorization": f"Bearer {token[:-1]}{character}"}))
    assert (await ask(app, token)).status_code == 200


async def test_unknown_client_and_wrong_secret_are_told_alike(app: FastAPI, partner: Partner) -> None:
    client = await make_client(partner.client, partner.issuer_id, "assessors:read")
    answers = [
        await ask(app, format_token(client["id"], new_secret())),
        await ask(app, format_token(secrets.token_hex(16), new_secret())),
        await ask(app, "nonsense"),
    ]
    assert {refused(answer) for answer in answers} == {"The token is not known."}
    shown = [{**answer.json(), "request_id": ""} for answer in answers]
    assert shown[0] == shown[1] == shown[2]
    # A revoked client's wrong secret does not tell that there was such a client, either.
    await partner.client.delete(f"/v1/issuers/{partner.issuer_id}/api-clients/{client['id']}")
    assert refused(await ask(app, format_token(client["id"], new_secret()))) == "The token is not known."


@on_sqlite
async def test_every_operation_wants_its_scope(app: FastAPI, partner: Partner) -> None:
    """With every scope but one some operations are refused; over all scopes, every operation is refused once."""
    ids = {"issuer_id": partner.issuer_id, "achievement_id": partner.achievement_id, "panel_id": partner.panel_id}
    known = {**ids, "version": "1", "profile": "eddsa-rdfc-2022"}
    for_others = {"create_issuer", "list_issuers", "leave_issuer", "verify_issuer"}  # the platform
    for_others |= {"get_demographic_vocabulary"}  # every token of the issuer
    operations = [o for o in list_operations() if not o.is_public and not o.is_for_people and o.id not in for_others]
    wanted: dict[str, list[str]] = {}
    for scope in sorted(s.value for s in TENANT_SCOPES):
        most = sorted(s.value for s in TENANT_SCOPES if s.value != scope)
        token = (await make_client(partner.client, partner.issuer_id, *most))["token"]
        async with open_client(app, token) as client:
            for operation in operations:
                if operation.method != "GET" and operation.id in wanted:
                    continue
                path = re.sub(r"\{(\w+)\}", lambda name: known.get(name[1], "0" * 32), operation.path)
                # A body that no operation takes: what would be permitted ends with 422.
                answer = await client.request(
                    operation.method, path, json={"surplus": 1} if operation.body_types else None
                )
                if answer.status_code == 403:
                    assert answer.json()["detail"] == f"The token lacks the scope {scope}."
                    wanted.setdefault(operation.id, []).append(scope)
    assert {o.id for o in operations} - wanted.keys() == set()
    assert {id_: scopes for id_, scopes in wanted.items() if len(scopes) > 1} == {}
    writes = {o.id for o in operations if o.method != "GET"} - {
        "simulate_policies",
        "derive_credential",
    }  # which store nothing
    assert [id_ for id_, [scope] in wanted.items() if id_ in writes and scope.endswith(":read")] == []


@on_sqlite
async def test_what_people_do_no_client_does(partner: Partner) -> None:
    """A partner's system holds every scope there is, and still is no assessor, lead or approver."""
    for operation in (each for each in list_operations() if each.is_for_people):
        path = re.sub(r"\{\w+\}", "0" * 32, operation.path)
        answer = await partner.client.request(operation.method, path, json=operation.example)
        assert (answer.status_code, answer.json()["code"]) == (403, "person_required"), operation.id


async def test_a_client_hands_on_only_what_it_holds(
    app: FastAPI, partner: Partner, operator: httpx.AsyncClient
) -> None:
    path = f"/v1/issuers/{partner.issuer_id}/api-clients"
    small = await make_client(partner.client, partner.issuer_id, "clients:manage", "assessors:read")
    async with open_client(app, small["token"]) as client:
        answer = await client.post(path, json={"name": "More", "scopes": ["assessors:read", "decisions:write"]})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert (await client.post(path, json={"name": "Same", "scopes": ["assessors:read"]})).status_code == 201
    for maker in (partner.client, operator):
        answer = await maker.post(path, json={"name": "Platform", "scopes": ["platform"]})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_body")
    assert (await make_client(operator, partner.issuer_id, "decisions:write"))["scopes"] == ["decisions:write"]


async def test_last_use_is_shown_to_the_minute(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    client = await make_client(partner.client, partner.issuer_id, "assessors:read")
    path = f"/v1/issuers/{partner.issuer_id}/api-clients"

    async def last_used() -> str | None:
        items = (await partner.client.get(path)).json()["items"]
        [found] = [item["last_used_at"] for item in items if item["id"] == client["id"]]
        return str(found) if found else None

    assert await last_used() is None
    first = clock.now()
    await ask(app, client["token"])
    assert await last_used() == first.isoformat().replace("+00:00", "Z")
    clock.advance(seconds=60)
    await ask(app, client["token"])
    assert await last_used() == first.isoformat().replace("+00:00", "Z")
    clock.advance(seconds=1)
    await ask(app, client["token"])
    assert await last_used() == clock.now().isoformat().replace("+00:00", "Z")
    refused(await ask(app, format_token(client["id"], new_secret())))
    assert await last_used() == clock.now().isoformat().replace("+00:00", "Z")


async def test_only_the_hash_of_a_secret_is_kept(settings: Settings, partner: Partner) -> None:
    path = f"/v1/issuers/{partner.issuer_id}/api-clients"
    answer = await partner.client.post(
        path, json={"name": "Portal", "scopes": ["issuer:read"]}, headers={"Idempotency-Key": "k-1"}
    )
    client_id, secret = parse_token(answer.json()["token"]) or ("", "")
    async with open_owner(settings) as owner:
        contents = await list_contents(owner)
    assert is_in(contents, secret) == []
    assert is_in(contents, client_id) != []
    [stored] = [row for row in contents["api_client"] if client_id in row]
    assert hash_secret(secret) in [bytes(cell) for cell in stored if isinstance(cell, bytes | memoryview)]


async def test_no_answer_but_the_first_shows_a_secret(partner: Partner) -> None:
    client = await make_client(partner.client, partner.issuer_id, "issuer:read")
    listed = await partner.client.get(f"/v1/issuers/{partner.issuer_id}/api-clients")
    secret = client["token"].split("_", 2)[2]
    assert client["id"] in listed.text
    assert secret not in listed.text
    assert "hash" not in listed.text
