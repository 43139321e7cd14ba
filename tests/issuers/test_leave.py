"""An issuer leaves, on both databases: nothing new is made for it, and what it has published stays true."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.access.principals import TENANT_SCOPES
from app.credentials.issue import LEASE, REISSUE_JOB
from app.errors import Broken
from app.issuers.dependencies import AFTER_LEAVING
from app.issuers.store import IssuerLeft
from app.jobs.queue import Job
from app.operation.check import Tally, check_badges, check_lists
from app.worker import open_runner
from tests.conftest import Partner, open_client
from tests.fakes import FixedClock
from tests.house.images import sound_png
from tests.house.operations import list_operations
from tests.identity.steps import ADA, BYRON, run_due_jobs, served
from tests.issuing import (
    AbsentSigner,
    change_status,
    decide_directly,
    decided,
    entry_bit,
    list_all_credentials,
    list_all_events,
    record,
    require_verifies,
    verify,
    with_signer,
    world_of,
)

HTML = {"Accept": "text/html"}


def learner(number: int) -> dict[str, str]:
    return {"email": f"learner.{number}@schools.example.org"}


async def leave(operator: httpx.AsyncClient, partner: Partner) -> dict[str, object]:
    answer = await operator.post(f"/v1/issuers/{partner.issuer_id}/leave")
    assert answer.status_code == 200, answer.text
    issuer: dict[str, object] = answer.json()
    return issuer


async def token_for(operator: httpx.AsyncClient, partner: Partner, *scopes: str) -> str:
    path = f"/v1/issuers/{partner.issuer_id}/api-clients"
    made = await operator.post(path, json={"name": "Afterwards", "scopes": [*scopes]})
    assert made.status_code == 201, made.text
    return str(made.json()["token"])


async def test_what_was_published_stays_and_the_tokens_end(
    app: FastAPI, partner: Partner, stranger: Partner, operator: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    badge = (await decided(partner))["credential"]
    addresses = [
        "/issuers/academy", "/issuers/academy/did.json", "/.well-known/jwks.json", f"/achievements/{partner.achievement_id}",
        f"/panels/{partner.panel_id}", f"/credentials/{badge['id']}", f"/credentials/{badge['id']}/badge.png",
        badge["document"]["credentialStatus"]["statusListCredential"],
    ]  # fmt: skip
    before = [(await api.get(address)).content for address in addresses]
    issuer = await leave(operator, partner)
    assert issuer["left_at"] is not None
    assert (await leave(operator, partner)) == issuer  # again changes nothing
    assert [(await api.get(address)).content for address in addresses] == before
    await require_verifies(world_of(app), badge["document"])
    assert "Issues no more here since" in (await api.get("/issuers/academy", headers=HTML)).text
    assert "Issues no more here" not in (await api.get("/issuers/stranger", headers=HTML)).text
    assert (await record(partner)).status_code == 401
    events = [event.type for event in await list_all_events(world_of(app), partner.issuer_id)]
    assert events[-2:] == ["api_client.revoked", "issuer.left"]
    await decided(stranger)


async def test_nothing_is_made_for_it_any_more(app: FastAPI, partner: Partner, operator: httpx.AsyncClient) -> None:
    """Every operation that writes is refused but for those that are named, also those that are yet to come."""
    decision = await decided(partner)
    names = {
        "issuer_id": partner.issuer_id, "achievement_id": partner.achievement_id, "version": "1", "panel_id": partner.panel_id,
        "learner_id": decision["learner_id"], "decision_id": decision["id"], "credential_id": decision["credential"]["id"],
        "client_id": "0" * 32,
    }  # fmt: skip
    await leave(operator, partner)
    events = await list_all_events(world_of(app), partner.issuer_id)
    token = await token_for(operator, partner, *sorted(TENANT_SCOPES))
    writing = [
        each
        for each in list_operations()
        if each.method != "GET"
        and not each.is_public
        and each.path.startswith("/v1/")  # others: tests/obapi, tests/vcapi
    ]
    refused = [each for each in writing if each.id not in AFTER_LEAVING | {"create_issuer"}]
    assert {each.id for each in writing} >= AFTER_LEAVING
    assert len(refused) > 10
    async with open_client(app, token) as client:
        for operation in refused:
            path = operation.path.format(**{**dict.fromkeys(operation.parameters("path"), "0" * 32), **names})
            body = {"content": sound_png(), "headers": {"Content-Type": "image/png"}}
            given = body if "image/png" in operation.body_types else {"json": operation.example}
            for asking in [client, operator] if "issuer_id" in operation.path else [client]:
                answer = await asking.request(operation.method, path, **given)  # type: ignore[arg-type]
                assert (answer.status_code, answer.json()["code"]) == (409, "issuer_left"), (operation.id, answer.text)
        assert (await client.get("/v1/credentials")).status_code == 200
        assert (await client.get(f"/v1/issuers/{partner.issuer_id}/export")).status_code == 200
    later = await list_all_events(world_of(app), partner.issuer_id)
    assert [event.type for event in later[len(events) :]] == ["api_client.created"]


async def test_its_badges_can_still_be_revoked_and_its_learners_erased(
    app: FastAPI, partner: Partner, operator: httpx.AsyncClient
) -> None:
    world = world_of(app)
    first, second = [await decided(partner, recipient=learner(n)) for n in range(2)]
    await leave(operator, partner)
    async with open_client(app, await token_for(operator, partner, "credentials:status", "learners:write")) as client:
        after = Partner(client, partner.staff, partner.issuer_id, partner.achievement_id, partner.panel_id)
        assert (await change_status(after, first["credential"]["id"], "revoke")).status_code == 200
        assert (await client.post(f"/v1/learners/{second['learner_id']}/erase")).status_code == 200
        assert (await client.post("/v1/learners", json=learner(3))).status_code == 409
        assert await entry_bit(client, first["credential"]["document"]) is True
        assert await entry_bit(client, second["credential"]["document"]) is False
    assert not (await verify(world, first["credential"]["document"])).valid
    await require_verifies(world, second["credential"]["document"])
    tally = Tally()
    async for _ in check_lists(world, tally):
        pass
    async for _ in check_badges(world, tally):
        pass
    assert (tally.bad_badges, tally.bad_lists) == ([], [])


async def test_what_was_begun_before_is_finished_and_nothing_is_begun_after(
    app: FastAPI, partner: Partner, operator: httpx.AsyncClient, clock: FixedClock
) -> None:
    world = world_of(app)
    await decided(partner)
    with pytest.raises(Broken):
        await decide_directly(with_signer(world, AbsentSigner(world.signer)), partner, recipient=learner(1))
    await leave(operator, partner)
    # Below the door, where imports and jobs go: the same.
    for outcome in ("awarded", "not_yet"):
        with pytest.raises(IssuerLeft):
            await decide_directly(world, partner, recipient=learner(2), outcome=outcome)
    clock.advance(seconds=LEASE.total_seconds() + 2)
    runner = open_runner(world)
    while await runner.run_one():
        pass
    assert [credential.state for credential in await list_all_credentials(world)] == ["issued", "issued"]


async def test_what_was_to_be_reissued_is_given_up(app: FastAPI, partner: Partner, operator: httpx.AsyncClient) -> None:
    badge = (await decided(partner, recipient={"email": ADA}))["credential"]
    path = f"/v1/learners/{(await partner.client.get('/v1/learners')).json()['items'][0]['id']}"
    assert (await partner.client.patch(path, json={"email": BYRON})).json()["reissuing"] == 1
    await leave(operator, partner)
    await run_due_jobs(app)
    async with world_of(app).database.reading() as session:
        assert list(await session.scalars(select(Job).where(Job.name == REISSUE_JOB))) == []
    assert await served(partner, badge["document"]) == badge["document"]
    await require_verifies(world_of(app), badge["document"])


async def test_only_the_operator_lets_it_leave(
    partner: Partner, stranger: Partner, operator: httpx.AsyncClient
) -> None:
    path = f"/v1/issuers/{partner.issuer_id}/leave"
    assert (await partner.client.post(path)).status_code == 403
    assert (await stranger.client.post(path)).status_code == 403
    assert (await operator.post(f"/v1/issuers/{'0' * 32}/leave")).status_code == 404
    assert (await operator.get(f"/v1/issuers/{partner.issuer_id}")).json()["left_at"] is None
    await decided(partner)


async def test_leaving_while_issuing(app: FastAPI, partner: Partner, operator: httpx.AsyncClient) -> None:
    world = world_of(app)
    await decided(partner)
    *answers, left = await asyncio.gather(
        *(record(partner, recipient=learner(n)) for n in range(8)),
        operator.post(f"/v1/issuers/{partner.issuer_id}/leave"),
    )
    assert left.status_code == 200
    assert {answer.status_code for answer in answers} <= {201, 401, 409}, [answer.text for answer in answers]
    issued = [answer.json()["credential"]["document"] for answer in answers if answer.status_code == 201]
    for document in issued:
        await require_verifies(world, document)
    assert len(await list_all_credentials(world)) == 1 + len(issued)
