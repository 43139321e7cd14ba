"""Rotating an issuer's key, on both databases. tests/interop/test_rotation.py shows the badges to other people's verifiers."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.audit.store import AuditEntry
from app.credentials.issue import LEASE
from app.db import Database
from app.errors import Broken
from app.issuers.rotate import REPUBLISH_JOB, rotate_key
from app.jobs.queue import Job
from app.keys.store import SigningKey, get_active_key, list_keys
from app.resources import Resources
from app.settings import Settings
from app.statuslists.publish import republish
from app.worker import open_runner
from tests.builders import achievement_body
from tests.conftest import Partner, make_issuer, open_client, publish
from tests.fakes import FixedClock
from tests.issuing import (
    AbsentSigner,
    change_status,
    decide_directly,
    decided,
    entry_bit,
    list_all_credentials,
    list_all_editions,
    list_all_events,
    record,
    refusing,
    require_verifies,
    with_signer,
    world_of,
)

Document = dict[str, Any]


@pytest.fixture
def public_url() -> str:
    """An https address, where issuers are did:web."""
    return "https://badges.example.org"


def learner(number: int) -> dict[str, str]:
    return {"email": f"learner.{number}@schools.example.org"}


async def rotate(partner: Partner, **headers: str) -> httpx.Response:
    return await partner.client.post(f"/v1/issuers/{partner.issuer_id}/keys", headers=headers)


async def rotated(partner: Partner) -> Document:
    answer = await rotate(partner)
    assert answer.status_code == 201, answer.text
    key: Document = answer.json()
    return key


async def listed(partner: Partner, query: str = "") -> list[Document]:
    answer = await partner.client.get(f"/v1/issuers/{partner.issuer_id}/keys{query}")
    assert answer.status_code == 200, answer.text
    # A rotation changes two keys in the same moment, so the order of the answer is open.
    return sorted(answer.json()["items"], key=lambda key: key["created_at"])


async def did_document(partner: Partner) -> Document:
    document: Document = (await partner.client.get("/issuers/academy/did.json")).json()
    return document


async def keys_of(world: Resources, issuer_id: str) -> list[SigningKey]:
    async with world.database.reading() as session:
        return await list_keys(session, issuer_id)


def signed_with(document: Document) -> str:
    [proof] = document["proof"]
    method: str = proof["verificationMethod"]
    return method


async def list_document(partner: Partner, badge: Document) -> Document:
    document: Document = (await partner.client.get(badge["credentialStatus"]["statusListCredential"])).json()
    return document


async def run_jobs(world: Resources) -> None:
    runner = open_runner(world)
    while await runner.run_one():
        pass


async def test_the_new_key_signs_and_the_old_one_stays_and_verifies(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    [first] = await listed(partner)
    assert (first["state"], first["algorithm"], first["retired_at"]) == ("active", "Ed25519", None)
    before = (await decided(partner, recipient=learner(1)))["credential"]["document"]
    clock.advance(hours=30)
    second = await rotated(partner)
    after = (await decided(partner, recipient=learner(2)))["credential"]["document"]

    assert (signed_with(before), signed_with(after)) == (first["verification_method"], second["verification_method"])
    for badge in (before, after):
        await require_verifies(world_of(app), badge)
    retired, active = await listed(partner)
    assert active == second
    assert retired == {**first, "state": "retired", "retired_at": second["created_at"]}

    methods = [retired["verification_method"], active["verification_method"]]
    document = await did_document(partner)
    assert document["assertionMethod"] == [method["id"] for method in document["verificationMethod"]] == methods
    assert document["authentication"] == [active["verification_method"]], "a retired key shows the issuer no more"
    jwks = (await partner.client.get("/.well-known/jwks.json")).json()
    assert [key["kid"] for key in jwks["keys"]] == [retired["url"], active["url"]]
    page = (await partner.client.get("/issuers/academy", headers={"Accept": "text/html"})).text
    assert "Signing key, retired since" in page
    assert "Signing key, in use since" in page
    assert all(method in page for method in methods)


async def test_a_rotation_is_an_event_and_an_audit_entry(app: FastAPI, partner: Partner) -> None:
    [first] = await listed(partner)
    second = await rotated(partner)
    event = (await list_all_events(world_of(app), partner.issuer_id))[-1]
    assert (event.type, event.object_id, event.data) == ("key.rotated", second["id"], {"retired": first["id"]})
    async with world_of(app).database.reading() as session:
        [entry] = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "key.rotated"))).all()
    assert (entry.object_id, entry.issuer_id) == (second["id"], partner.issuer_id)
    assert entry.actor.startswith("client:")


async def test_listing_goes_by_the_last_change(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    [first] = await listed(partner)
    made = []
    for _ in range(3):
        clock.advance(days=1)
        made.append(await rotated(partner))
    assert [key["state"] for key in await listed(partner)] == ["retired"] * 3 + ["active"]
    since = made[1]["created_at"]
    # The first rotation's key was retired then, so it changed then; the key before it had done with change.
    assert {key["id"] for key in await listed(partner, f"?updated_since={since}")} == {key["id"] for key in made}
    path = f"/v1/issuers/{partner.issuer_id}/keys?limit=3"
    page = (await partner.client.get(path)).json()
    rest = (await partner.client.get(f"{path}&cursor={page['next_cursor']}")).json()
    assert {key["id"] for key in page["items"] + rest["items"]} == {first["id"], *(key["id"] for key in made)}
    assert rest["next_cursor"] is None


async def test_repeated_with_its_idempotency_key_it_rotates_once(app: FastAPI, partner: Partner) -> None:
    answers = [await rotate(partner, **{"Idempotency-Key": "r-1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert len(await listed(partner)) == 2
    await rotate(partner, **{"Idempotency-Key": "r-2"})
    assert len(await listed(partner)) == 3


async def test_the_operator_and_a_client_with_the_scope_may_rotate(
    app: FastAPI, partner: Partner, operator: httpx.AsyncClient
) -> None:
    path = f"/v1/issuers/{partner.issuer_id}"
    assert (await operator.post(f"{path}/keys")).status_code == 201
    assert (await operator.get(f"{path}/keys")).status_code == 200
    for scope, status in (("keys:manage", 201), ("issuer:write", 403)):
        made = await operator.post(f"{path}/api-clients", json={"name": "One", "scopes": [scope]})
        async with open_client(app, made.json()["token"]) as client:
            assert (await client.post(f"{path}/keys")).status_code == status
    assert (await operator.post(f"/v1/issuers/{'0' * 32}/keys")).status_code == 404


# Bad moments


async def test_a_badge_begun_with_the_old_key_is_finished_with_it(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    world = world_of(app)
    [first] = await listed(partner)
    await decided(partner)  # opens the status list, so that what cannot be signed below is the badge
    with pytest.raises(Broken):
        await decide_directly(with_signer(world, AbsentSigner(world.signer)), partner, recipient=learner(1))
    await rotated(partner)
    await rotated(partner)
    clock.advance(seconds=(LEASE + timedelta(seconds=2)).total_seconds())
    await run_jobs(world)
    _, credential = await list_all_credentials(world)
    assert credential.state == "issued"
    badge = (await partner.client.get(f"/v1/credentials/{credential.id}")).json()["document"]
    assert signed_with(badge) == first["verification_method"]
    await require_verifies(world, badge)


async def test_status_lists_are_signed_anew_with_what_they_say(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    badges = [(await decided(partner, recipient=learner(n)))["credential"] for n in range(2)]
    held = await publish(partner.client, achievement_body(settings={"status_purpose": "suspension"}))
    badges.append((await decided(partner, recipient=learner(3), achievement_id=held))["credential"])
    await change_status(partner, badges[1]["id"], "revoke")
    await change_status(partner, badges[2]["id"], "suspend")
    documents = [badge["document"] for badge in badges]
    before = [await list_document(partner, document) for document in documents]

    second = await rotated(partner)
    # Until the job has run nothing is amiss: the old key verifies.
    await require_verifies(world, documents[0])
    await run_jobs(world)
    after = [await list_document(partner, document) for document in documents]
    assert {signed_with(each) for each in after} == {second["verification_method"]}
    assert not {signed_with(each) for each in before} & {signed_with(each) for each in after}
    assert [each["credentialSubject"] for each in after] == [each["credentialSubject"] for each in before]
    assert [await entry_bit(partner.client, document) for document in documents] == [False, True, True]
    await require_verifies(world, documents[0])
    # A second run of the job, as after a crash, finds nothing to do.
    assert await republish(world, partner.issuer_id) == 0


async def test_two_at_once_follow_each_other(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    for crowd in (2, 6):
        before = len(await keys_of(world, partner.issuer_id))
        answers = await asyncio.gather(*(rotate(partner) for _ in range(crowd)))
        assert {answer.status_code for answer in answers} <= {201, 409}, [answer.text for answer in answers]
        made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
        assert made
        keys = await keys_of(world, partner.issuer_id)
        assert len(keys) == before + len(made)
        [active] = [key for key in keys if key.state == "active"]
        assert active.id in made
        assert all(key.retired_at is not None for key in keys if key is not active)
        rotations = [e for e in await list_all_events(world, partner.issuer_id) if e.type == "key.rotated"]
        # One chain: nothing was retired twice, and what each retired is what the one before made.
        assert [e.data["retired"] for e in rotations[1:]] == [e.object_id for e in rotations[:-1]]
        assert len((await did_document(partner))["assertionMethod"]) == len(keys)
    await decided(partner)


async def test_two_at_once_with_one_idempotency_key_are_one(app: FastAPI, partner: Partner) -> None:
    answers = await asyncio.gather(*(rotate(partner, **{"Idempotency-Key": "r-1"}) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.text for answer in answers}) == 1
    assert len(await listed(partner)) == 2


async def test_rotating_while_badges_are_issued_and_revoked(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    world = world_of(app)
    early = [(await decided(partner, recipient=learner(n)))["credential"] for n in range(3)]
    answers = await asyncio.gather(
        *(record(partner, recipient=learner(10 + n)) for n in range(6)),
        *(rotate(partner) for _ in range(3)),
        *(change_status(partner, badge["id"], "revoke") for badge in early),
    )
    assert [answer.status_code for answer in answers[:6]] == [201] * 6, [answer.text for answer in answers[:6]]
    assert [answer.status_code for answer in answers[9:]] == [200] * 3
    clock.advance(seconds=1)
    await run_jobs(world)
    for answer in answers[:6]:
        await require_verifies(world, answer.json()["credential"]["document"])
    assert [await entry_bit(partner.client, badge["document"]) for badge in early] == [True] * 3
    async with world.database.reading() as session:
        active = await get_active_key(session, partner.issuer_id)
    current = await list_document(partner, early[0]["document"])
    assert signed_with(current).endswith(f"#{active.public_key_multibase}")
    assert {edition.state for edition in await list_all_editions(world)} == {"issued"}


async def test_a_rotation_that_cannot_be_stored_changes_nothing(
    app: FastAPI, partner: Partner, settings: Settings
) -> None:
    world = world_of(app)
    before = await listed(partner)
    for table in ("signing_key", "job", "audit_entry", "event"):
        async with refusing(settings, table):
            with pytest.raises(Exception, match="refused by a test"):
                async with world.database.transaction() as session:
                    await rotate_key(session, world, partner.issuer_id, actor="test", now=world.clock.now())
        assert await listed(partner) == before, table
        async with world.database.reading() as session:
            assert not (await session.scalars(select(Job).where(Job.name == REPUBLISH_JOB))).all()
    await decided(partner)
    await rotated(partner)


async def test_the_database_admits_one_active_key_of_an_algorithm(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    with pytest.raises(IntegrityError):
        await _add_key(world.database, world, partner.issuer_id, "Ed25519")
    # Another algorithm is no second key of the first: room for it is there. What signs is Ed25519.
    await _add_key(world.database, world, partner.issuer_id, "P-256")
    async with world.database.reading() as session:
        assert (await get_active_key(session, partner.issuer_id)).algorithm == "Ed25519"
        assert (await get_active_key(session, partner.issuer_id, algorithm="P-256")).algorithm == "P-256"
    await decided(partner)
    await rotated(partner)
    assert [key["algorithm"] for key in await listed(partner) if key["state"] == "active"].count("Ed25519") == 1


async def _add_key(database: Database, world: Resources, issuer_id: str, algorithm: str) -> None:
    key_id = f"{len(algorithm):032x}"
    public_key, sealed = world.vault.new_signing_key(issuer_id, key_id, algorithm=algorithm)
    async with database.transaction() as session:
        session.add(
            SigningKey(
                issuer_id=issuer_id, id=key_id, algorithm=algorithm, public_key_multibase=public_key,
                sealed_private_key=sealed, state="active", created_at=world.clock.now(), retired_at=None,
            )
        )  # fmt: skip


async def test_another_issuer_is_not_touched(app: FastAPI, partner: Partner, operator: httpx.AsyncClient) -> None:
    async with open_client(app, await make_issuer(operator, "other")) as client:
        path = f"/v1/issuers/{client.headers['x-test-issuer']}/keys"
        before = (await client.get(path)).json()
        await rotated(partner)
        assert (await client.get(path)).json() == before
        assert len(json.loads((await client.get("/issuers/other/did.json")).text)["assertionMethod"]) == 1
