"""Twenty things only one learner has: after erasure they are nowhere, and what must go on goes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.access.idempotency import IdempotencyRecord
from app.credentials.store import lock_credential
from app.settings import Settings
from tests.builders import achievement_body, decision_body
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.house.databases import is_in, list_contents, open_owner
from tests.issuing import world_of

DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
CANARIES = [f"canary{number:02d}" for number in range(20)]


def canary_decision(partner: Partner, **changes: Any) -> dict[str, Any]:
    """A decision whose every text about the learner holds a canary of its own."""
    c = CANARIES
    body = decision_body(
        partner.achievement_id, partner.panel_id,
        recipient={"external_id": c[0], "name": c[1], "email": f"{c[2]}@schools.example.org", "did": DID},
        narrative=c[3], role=c[4],
    ) | changes  # fmt: skip
    for result, canary in zip(body["results"], c[5:7], strict=True):
        result["rationale"] = canary
    body["evidence"] = [
        {"url": f"https://evidence.example.org/{c[7]}", "name": c[8], "genre": c[9], "narrative": c[10],
         "description": c[11], "audience": c[12]},
        {"url": f"https://evidence.example.org/{c[13]}", "name": c[14], "narrative": c[15], "description": c[16]},
    ]  # fmt: skip
    return body


@pytest.fixture
async def owner(settings: Settings) -> AsyncIterator[AsyncEngine]:
    async with open_owner(settings) as engine:
        yield engine


class Life:
    """What a learner leaves behind: two editions of a badge, the first answer kept under an Idempotency-Key."""

    def __init__(self, learner_id: str, credential_id: str, document: dict[str, Any]) -> None:
        self.learner_id = learner_id
        self.credential_id = credential_id
        self.document = document


async def live(partner: Partner, clock: FixedClock) -> Life:
    partner.achievement_id = await publish(
        partner.client, achievement_body(settings={"recipient_name": True, "visibility": "public"})
    )
    first = await partner.client.post(
        "/v1/decisions", json=canary_decision(partner), headers={"Idempotency-Key": "the-first"}
    )
    assert first.status_code == 201, first.text
    clock.advance(days=1)
    corrected = canary_decision(partner, supersedes=first.json()["id"], reason=CANARIES[17], narrative=CANARIES[18])
    second = await partner.client.post("/v1/decisions", json=corrected)
    assert second.status_code == 201, second.text
    credential = second.json()["credential"]
    return Life(second.json()["learner_id"], credential["id"], credential["document"])


async def erase(partner: Partner, learner_id: str) -> dict[str, Any]:
    answer = await partner.client.post(f"/v1/learners/{learner_id}/erase")
    assert answer.status_code == 200, answer.text
    erased: dict[str, Any] = answer.json()
    return erased


async def test_no_canary_is_left(
    app: FastAPI, partner: Partner, settings: Settings, owner: AsyncEngine, clock: FixedClock,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    life = await live(partner, clock)
    exported = (await partner.client.get(f"/v1/learners/{life.learner_id}/export")).text
    assert [canary for canary in CANARIES[:19] if canary not in exported] == []
    hashed = next(i["identityHash"] for i in life.document["credentialSubject"]["identifier"] if i["hashed"])

    await erase(partner, life.learner_id)

    contents = await list_contents(owner)
    needles = [*CANARIES, DID, hashed, hashed.removeprefix("sha256$"), life.document["proof"][0]["proofValue"]]
    assert {needle: is_in(contents, needle) for needle in needles if is_in(contents, needle)} == {}
    assert contents["learner_identity"] == []
    if owner.dialect.name == "sqlite":
        await _checkpoint(owner)
        path = Path(settings.database_url.get_secret_value().partition(":///")[2])
        held = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
        assert [needle for needle in needles if needle.encode() in held] == []
    printed = capsys.readouterr()
    assert [needle for needle in needles if needle in printed.out + printed.err] == []


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_the_key_is_gone_from_the_database_file(
    app: FastAPI, partner: Partner, settings: Settings, owner: AsyncEngine, clock: FixedClock
) -> None:
    """Sealed under a key-encryption key that lives on, a learner's key must not stand on in free pages.

    (What PostgreSQL does with its free space is its own; docs/operations.md says what the operator does.)
    """
    life = await live(partner, clock)
    [[sealed]] = [
        [row.sealed_key] for row in (await _rows(owner, "SELECT sealed_key FROM learner WHERE sealed_key IS NOT NULL"))
    ]
    path = Path(settings.database_url.get_secret_value().partition(":///")[2])
    assert bytes(sealed) in b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    await erase(partner, life.learner_id)
    await _checkpoint(owner)
    assert bytes(sealed) not in b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())


async def test_what_must_go_on_goes_on(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    life = await live(partner, clock)
    await erase(partner, life.learner_id)
    for accept in ("application/json", "text/html"):
        served = await partner.client.get(f"/credentials/{life.credential_id}", headers={"Accept": accept})
        assert served.status_code == 410
    for path in (
        f"learners/{life.learner_id}",
        f"learners/{life.learner_id}/export",
        f"credentials/{life.credential_id}",
    ):
        assert (await partner.client.get(f"/v1/{path}")).status_code == 410, path
    register = (await partner.client.get("/v1/credentials")).json()["items"]
    assert [(entry["id"], entry["state"]) for entry in register] == [(life.credential_id, "issued")]
    assert len((await partner.client.get("/v1/decisions")).json()["items"]) == 2
    assert (await partner.client.get("/v1/learners")).json()["items"] == []

    held = {"credential": life.document}
    assert (await partner.client.post("/v1/verify", json=held)).json()["valid"]
    revoked = await partner.client.post(f"/v1/credentials/{life.credential_id}/revoke", json={"reason": "A drill."})
    assert revoked.status_code == 200, revoked.text
    verified = (await partner.client.post("/v1/verify", json=held)).json()
    assert [check["code"] for check in verified["checks"] if check["outcome"] == "failed"] == ["revoked"]


async def test_erasing_again_changes_nothing_and_is_in_the_events(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    life = await live(partner, clock)
    first = await erase(partner, life.learner_id)
    clock.advance(days=1)
    assert await erase(partner, life.learner_id) == first
    events = (await partner.client.get("/v1/events")).json()["items"]
    assert [event["object_id"] for event in events if event["type"] == "learner.erased"] == [life.learner_id]


async def test_an_erased_learner_is_not_found_again(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """The same person may come back: as somebody new."""
    life = await live(partner, clock)
    await erase(partner, life.learner_id)
    again = await partner.client.post("/v1/decisions", json=canary_decision(partner))
    assert again.status_code == 201, again.text
    assert again.json()["learner_id"] != life.learner_id
    kept = await partner.client.post(
        "/v1/decisions", json=canary_decision(partner, recipient={"email": "other@schools.example.org"}),
        headers={"Idempotency-Key": "the-first"},
    )  # fmt: skip
    assert kept.status_code == 201
    about_erased = canary_decision(partner, learner_id=life.learner_id)
    about_erased.pop("recipient")
    refused = await partner.client.post("/v1/decisions", json=about_erased)
    assert (refused.status_code, refused.json()["code"]) == (410, "gone")


async def test_an_erasure_waits_for_the_badge_that_is_being_kept(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    """Who signs a badge holds its row, and then keeps the answer: in the same order the erasure takes them."""
    life = await live(partner, clock)
    world = world_of(app)
    async with world.database.transaction() as session:
        await lock_credential(session, partner.issuer_id, life.credential_id)
        erasing = asyncio.create_task(erase(partner, life.learner_id))
        await asyncio.sleep(0.2)
        of_learner = IdempotencyRecord.learner_id == life.learner_id
        kept = await session.execute(update(IdempotencyRecord).where(of_learner).values(status=201))
        assert kept.rowcount > 0  # type: ignore[attr-defined]
    await erasing
    assert (await partner.client.get(f"/v1/learners/{life.learner_id}")).status_code == 410


async def test_an_export_is_whole(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    life = await live(partner, clock)
    export = (await partner.client.get(f"/v1/learners/{life.learner_id}/export")).json()
    assert export["identities"] == {"email": f"{CANARIES[2]}@schools.example.org", "did": DID, "name": CANARIES[1]}
    assert [decision["outcome"] for decision in export["decisions"]] == ["awarded", "awarded"]
    [badge] = export["credentials"]
    assert [(edition["number"], edition["state"]) for edition in badge["editions"]] == [
        (1, "superseded"),
        (2, "issued"),
    ]
    assert badge["editions"][1]["document"] == life.document
    assert json.dumps(export["events"]).count("credential.") == 2


async def _rows(engine: AsyncEngine, statement: str) -> list[Any]:
    async with engine.begin() as connection:
        return list((await connection.execute(text(statement))).all())


async def _checkpoint(engine: AsyncEngine) -> None:
    """Everything into the database file, the log emptied. Not inside a transaction, which every statement here begins."""
    async with engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
