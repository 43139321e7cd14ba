"""Revoke, suspend, reinstate over HTTP."""

import httpx
import pytest
from fastapi import FastAPI

from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.issuing import (
    change_status,
    count_rows,
    decided,
    entry_bit,
    failures,
    list_all_events,
    require_verifies,
    verify,
    world_of,
)

REASON = "The portfolio of Ada Example was copied."


async def make_suspendable(partner: Partner) -> None:
    settings = {"status_purpose": "suspension", "visibility": "unlisted"}
    partner.achievement_id = await publish(partner.client, achievement_body(settings=settings))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code") or answer.json()["state"]


async def test_a_revocation_is_final(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    badge = (await decided(partner))["credential"]
    clock.advance(hours=1)
    assert code(await change_status(partner, badge["id"], "revoke", REASON)) == (200, "revoked")
    assert failures(await verify(world_of(app), badge["document"])) == ["revoked"]
    stored = (await partner.client.get(f"/v1/credentials/{badge['id']}")).json()
    assert (stored["state"], stored["status_reason"]) == ("revoked", REASON)
    assert stored["updated_at"] == "2026-11-23T14:00:00Z"
    assert stored["document"] == badge["document"]

    # Revoking it again is fine and changes nothing: not the reason, not the list, no event.
    before = await count_rows(world_of(app))
    published = (await partner.client.get(badge["document"]["credentialStatus"]["statusListCredential"])).content
    assert code(await change_status(partner, badge["id"], "revoke", "Another reason.")) == (200, "revoked")
    for verb in ("suspend", "reinstate"):
        assert code(await change_status(partner, badge["id"], verb)) == (409, "credential_revoked")
    assert (await partner.client.get(f"/v1/credentials/{badge['id']}")).json() == stored
    assert await count_rows(world_of(app)) == before
    again = await partner.client.get(badge["document"]["credentialStatus"]["statusListCredential"])
    assert again.content == published


async def test_a_badge_with_a_revocation_entry_cannot_be_suspended(app: FastAPI, partner: Partner) -> None:
    badge = (await decided(partner))["credential"]
    before = await count_rows(world_of(app))
    assert code(await change_status(partner, badge["id"], "suspend")) == (409, "suspension_unavailable")
    assert code(await change_status(partner, badge["id"], "reinstate")) == (409, "credential_not_suspended")
    assert await count_rows(world_of(app)) == before
    await require_verifies(world_of(app), badge["document"])


async def test_a_badge_with_a_suspension_entry_is_suspended_reinstated_and_revoked(
    app: FastAPI, partner: Partner
) -> None:
    world = world_of(app)
    await make_suspendable(partner)
    badge = (await decided(partner))["credential"]
    assert code(await change_status(partner, badge["id"], "reinstate")) == (409, "credential_not_suspended")
    for _ in range(2):
        assert code(await change_status(partner, badge["id"], "suspend")) == (200, "suspended")
        assert failures(await verify(world, badge["document"])) == ["suspended"]
        assert code(await change_status(partner, badge["id"], "suspend")) == (200, "suspended")
        assert code(await change_status(partner, badge["id"], "reinstate")) == (200, "issued")
        await require_verifies(world, badge["document"])
    # Revoked while suspended: the bit stays as it is, and now for good.
    await change_status(partner, badge["id"], "suspend")
    assert code(await change_status(partner, badge["id"], "revoke")) == (200, "revoked")
    assert await entry_bit(partner.client, badge["document"])
    for verb in ("reinstate", "suspend"):
        assert code(await change_status(partner, badge["id"], verb)) == (409, "credential_revoked")
    assert await entry_bit(partner.client, badge["document"])
    types = [event.type for event in await list_all_events(world, partner.issuer_id)]
    tail = [kind.removeprefix("credential.") for kind in types[types.index("credential.issued") :]]
    assert tail == ["issued", *["suspended", "reinstated"] * 2, "suspended", "revoked"]


@pytest.mark.parametrize("verb", ["revoke", "suspend"])
async def test_the_reason_is_never_public(app: FastAPI, partner: Partner, verb: str) -> None:
    await make_suspendable(partner)
    badge = (await decided(partner))["credential"]
    changed = await change_status(partner, badge["id"], verb, REASON)
    assert changed.status_code == 200
    listing = await partner.client.get("/v1/credentials")
    events = await partner.client.get("/v1/events?limit=500")
    anonymous = {"Authorization": ""}
    public = [
        await partner.client.get(badge["url"], headers=anonymous),
        await partner.client.get(badge["url"], headers=anonymous | {"Accept": "text/html"}),
        await partner.client.get(badge["document"]["credentialStatus"]["statusListCredential"], headers=anonymous),
        await partner.client.post("/v1/verify", json={"credential": badge["document"]}, headers=anonymous),
    ]
    for answer in (listing, events, *public):
        assert answer.status_code == 200, answer.text
        assert "copied" not in answer.text
    assert f"{verb.removesuffix('e')}ed" in public[1].text.casefold()
    kept = await partner.client.get(f"/v1/credentials/{badge['id']}")
    assert kept.json()["status_reason"] == REASON


async def test_a_status_change_needs_a_reason_and_a_badge_of_ones_own(
    app: FastAPI, partner: Partner, stranger: Partner
) -> None:
    badge = (await decided(partner))["credential"]
    url = f"/v1/credentials/{badge['id']}/revoke"
    for body in ({}, {"reason": ""}, {"reason": REASON, "force": True}):
        assert (await partner.client.post(url, json=body)).status_code == 422, body
    assert (await stranger.client.post(url, json={"reason": REASON})).status_code == 404
    await require_verifies(world_of(app), badge["document"])
