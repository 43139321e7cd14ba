"""The export of an issuer, on both databases: everything of it, to the byte, of one moment, and nothing of anybody else."""

import asyncio
import base64
import hashlib
import json
import re
from collections import Counter
from contextlib import aclosing
from datetime import datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import LargeBinary
from starlette.types import Message

from app.access.tokens import hash_secret, parse_token
from app.audit.store import link_digest
from app.handover.export import KINDS, count_records, export_issuer
from app.handover.lines import NotAnExport, read_records
from app.handover.response import CHUNK, BoundedStream
from app.handover.router import AT_ONCE, _places
from app.keys.store import list_keys
from app.keys.vault import Unreadable
from app.settings import Settings
from app.statuslists.bitstring import decode
from app.tables import metadata
from tests.conftest import Partner, open_client
from tests.fakes import FixedClock
from tests.frameworks.packages import whole_package
from tests.house.databases import execute, open_owner
from tests.issuing import change_status, decided, record, require_verifies, world_of
from tests.privacy.test_erasure import CANARIES, live

Record = dict[str, Any]

LEFT_OUT = {
    "installation": "the base URL is in the manifest",
    "job": "work in hand, of all issuers",
    "idempotency_key": "answers to repeated requests, kept for a day",
    "event_counter": "the position of the newest event",
    "audit_chain": "the link of the newest entry",
    "audit_link": "in audit_entry",
    "status_list_order": "which index is drawn next is nobody's business",
    "status_list_publication": "in status_list",
    "framework_object": "an index of what is in framework_version",
    "sign_in_link": "good for minutes, and only its hash is here",
    "oidc_sign_in": "good for minutes, and only its hash is here",
    "vcapi_challenge": "good for minutes",
    "person_session": "only hashes, good at this service alone",
    "client_token": "good for an hour, and only its hash is here",
    "oauth_client": "software that registered itself, for all issuers",
    "oauth_authorization": "only hashes, good at this service alone",
    "oauth_token": "only hashes, good at this service alone",
}
"""The tables that are no records of their own, and why."""

OPEN_HASHES = ("content_hash", "seed_hash", "status_list_index")
"""A seed's hash is published on purpose, before the seed."""

ROOMS_OF_ASSESSMENT = (
    "people",
    "programs",
    "submissions",
    "assessors",
    "readings",
    "appeals",
    "misconduct",
    "pathways",
    "quality",
    "monitoring",
    "demographics",
    "reports",
    "recognition",
    "vcapi",
)
IN_ASSESSMENT = {kind.name for kind in KINDS if kind.table.__module__.split(".")[1] in ROOMS_OF_ASSESSMENT} - {"panel"}
"""The records of a judgment made here."""


async def exported(partner: Partner) -> list[Record]:
    answer = await partner.client.get(f"/v1/issuers/{partner.issuer_id}/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["cache-control"] == "no-store"
    return list(read_records(answer.content.splitlines(keepends=True)))


def of_type(records: list[Record], type_: str) -> list[Record]:
    return [record for record in records if record["type"] == type_]


def learner(number: int) -> dict[str, str]:
    return {"email": f"learner.{number}@schools.example.org"}


async def test_it_has_everything_of_the_issuer_and_nothing_of_others(
    app: FastAPI, partner: Partner, stranger: Partner, clock: FixedClock
) -> None:
    await live(partner, clock)
    await decided(stranger, recipient={"name": "Kanaryname", "email": "kanarymail@schools.example.org"})
    records = await exported(partner)
    text = json.dumps(records)
    assert [canary for canary in CANARIES[:19] if canary not in text] == []
    for foreign in (stranger.issuer_id, stranger.achievement_id, stranger.panel_id, "Kanaryname", "kanarymail"):
        assert foreign not in text
    assert "kanarymail" in json.dumps(await exported(stranger))

    manifest, *rest = records
    assert (manifest["type"], manifest["format"]) == ("manifest", "assay-issuer-export/1")
    assert (manifest["issuer_id"], manifest["slug"]) == (partner.issuer_id, "academy")
    names = [kind.name for kind in KINDS]
    told = [record["type"] for record in rest]
    assert told == sorted(told, key=["did_document", *names].index)
    # What a learner, a badge and an achievement have is there; nothing here has an SVG, a translation or a framework.
    nothing = {"vector_image", "achievement_translation", "framework", "framework_version"}
    nothing |= {"oauth_consent", "kept_badge", "kept_profile", "badge_host"}  # tests/obapi has those
    nothing |= {"endorsement", "carried_endorsement", "clr", "clr_badge"}  # tests/endorsements and tests/clr have those
    assert {*names} - {*told} - IN_ASSESSMENT == nothing
    async with world_of(app).database.snapshot() as session:
        assert await count_records(session, partner.issuer_id) == len(rest)


async def test_badges_and_status_lists_are_there_to_the_byte(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    badges = [(await decided(partner, recipient=learner(n)))["credential"] for n in range(3)]
    await change_status(partner, badges[1]["id"], "revoke", "It was not theirs: naïve 😀.")
    first = await decided(partner, recipient=learner(9))
    clock.advance(seconds=5)
    await decided(partner, recipient=learner(9), supersedes=first["id"], reason="A level was wrong.")
    records = await exported(partner)
    signed = {each["edition_id"]: each for each in of_type(records, "representation")}
    editions = of_type(records, "edition")
    assert len(editions) == len(signed) == 5
    assert Counter(each["state"] for each in editions) == {"issued": 4, "superseded": 1}
    for credential in of_type(records, "credential"):
        served = await partner.client.get(f"/credentials/{credential['id']}")
        [edition] = [
            each for each in editions
            if (each["credential_id"], each["number"]) == (credential["id"], credential["edition_number"])
        ]  # fmt: skip
        body = signed[edition["id"]]["body"].encode()
        assert body == served.content
        assert hashlib.sha256(body).hexdigest() == signed[edition["id"]]["digest"]
        assert json.loads(body)["id"] == credential["url"]
        if credential["state"] == "issued":
            await require_verifies(world_of(app), json.loads(body))
    reasons = {each["id"]: each["status_reason"] for each in of_type(records, "credential")}
    assert reasons[badges[1]["id"]] == "It was not theirs: naïve 😀."
    for status_list in of_type(records, "status_list"):
        assert (await partner.client.get(status_list["url"])).content == status_list["body"].encode()
    [did_document] = of_type(records, "did_document")
    assert (await partner.client.get("/issuers/academy/did.json")).json() == did_document["document"]
    for image in of_type(records, "image"):
        assert hashlib.sha256(base64.b64decode(image["data"])).hexdigest() == image["digest"]


async def test_frameworks_are_there_to_the_byte(partner: Partner) -> None:
    framework = (await partner.client.post("/v1/frameworks", json=whole_package())).json()
    records = await exported(partner)
    [stored], [version] = of_type(records, "framework"), of_type(records, "framework_version")
    assert (stored["id"], version["framework_id"]) == (framework["id"], framework["id"])
    body = version["package"].encode()
    assert body == (await partner.client.get(f"/v1/frameworks/{framework['id']}/versions/1")).content
    assert hashlib.sha256(body).hexdigest() == version["digest"]


async def test_the_audit_chain_can_be_computed_anew(partner: Partner) -> None:
    await decided(partner)
    records = await exported(partner)
    entries = sorted(of_type(records, "audit_entry"), key=lambda entry: entry["link"]["position"])
    assert entries[-1]["action"] == "issuer.exported"
    digest = ""
    for position, entry in enumerate(entries, start=1):
        entry["recorded_at"] = datetime.fromisoformat(entry["recorded_at"])
        entry["issuer_id"] = partner.issuer_id
        assert (entry["link"]["position"], entry["link"]["previous"]) == (position, digest)
        digest = link_digest(partner.issuer_id, position, digest, entry)
        assert entry["link"]["digest"] == digest


async def test_nothing_secret_is_in_it(app: FastAPI, partner: Partner, settings: Settings, clock: FixedClock) -> None:
    await live(partner, clock)
    answer = (await partner.client.get(f"/v1/issuers/{partner.issuer_id}/export")).content
    world = world_of(app)
    parsed = parse_token(partner.client.headers["authorization"].removeprefix("Bearer "))
    assert parsed is not None
    secret = parsed[1]
    hidden = [secret.encode(), hash_secret(secret)]
    async with world.database.reading() as session:
        for key in await list_keys(session, partner.issuer_id):
            private = world.vault.open_signing_key(key.sealed_private_key, key.issuer_id, key.id)
            hidden += [private.private_bytes_raw(), key.sealed_private_key]
    async with open_owner(settings) as owner:
        for table, column in (
            ("learner", "sealed_key"),
            ("learner_identity", "blind_index"),
            ("decision", "sealed_details"),
        ):
            rows = await execute(owner, f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
            hidden += [bytes(value) for (value,) in rows]
    assert len(hidden) >= 9
    for value in hidden:
        forms = (value, value.hex().encode(), base64.b64encode(value), base64.urlsafe_b64encode(value).rstrip(b"="))
        assert not any(form in answer for form in forms)
    # All that is secret is bytes, which are left out unless they are asked for.
    for table in metadata.tables.values():
        for column in table.columns:
            if re.search("sealed|hash$|index$|private", column.name) and column.name not in OPEN_HASHES:
                assert isinstance(column.type, LargeBinary), (table.name, column.name)


def test_every_table_is_accounted_for() -> None:
    assert {kind.name for kind in KINDS} | LEFT_OUT.keys() == metadata.tables.keys()
    assert {kind.name for kind in KINDS} & LEFT_OUT.keys() == set()


async def test_of_an_erased_learner_there_are_ids_only(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    life = await live(partner, clock)
    whole = await exported(partner)
    assert (await partner.client.post(f"/v1/learners/{life.learner_id}/erase")).status_code == 200
    rest = await exported(partner)
    assert [canary for canary in CANARIES if canary in json.dumps(rest)] == []
    [person] = [each for each in of_type(rest, "learner") if each["id"] == life.learner_id]
    assert person["erased"]
    assert of_type(rest, "learner_identity") == []
    assert [each["details"] for each in of_type(rest, "decision")] == [None] * len(of_type(whole, "decision"))
    assert [each["body"] for each in of_type(rest, "representation")] == [None] * len(of_type(whole, "representation"))
    kept = ("id", "state", "edition_number", "achievement_id")
    assert [[c[name] for name in kept] for c in of_type(rest, "credential")] == [
        [c[name] for name in kept] for c in of_type(whole, "credential")
    ]


async def test_exporting_while_issuing(app: FastAPI, partner: Partner) -> None:
    """Each export is of one moment: what its records say of each other is true, and every badge in it is whole."""
    numbers = iter(range(10_000))
    done = asyncio.Event()

    async def issue() -> int:
        count = 0
        while not done.is_set():
            issued = (await decided(partner, recipient=learner(next(numbers))))["credential"]
            if count % 2:
                assert (await change_status(partner, issued["id"], "revoke")).status_code == 200
            count += 1
        return count

    issuing = [asyncio.create_task(issue()) for _ in range(3)]
    exports = []
    for _ in range(5):
        exports.append(await exported(partner))
        await asyncio.sleep(0.1)
    done.set()
    assert sum(await asyncio.gather(*issuing)) > 10
    sizes = [len(of_type(each, "representation")) for each in exports]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    for records in exports:
        require_one_moment(records)
    last = await exported(partner)
    bodies = {each["edition_id"]: each["body"] for each in of_type(last, "representation")}
    for records in exports:
        for signed in of_type(records, "representation"):
            assert signed["body"] == bodies[signed["edition_id"]]
            assert hashlib.sha256(signed["body"].encode()).hexdigest() == signed["digest"]
    good = {each["url"] for each in of_type(last, "credential") if each["state"] == "issued"}
    documents = [json.loads(body) for body in bodies.values()]
    for document in [each for each in documents if each["id"] in good][:5]:
        await require_verifies(world_of(app), document)


def require_one_moment(records: list[Record]) -> None:
    events = Counter(each["event_type"] for each in of_type(records, "event"))
    states = Counter(each["state"] for each in of_type(records, "credential"))
    editions = Counter(each["state"] for each in of_type(records, "edition"))
    assert events["decision.recorded"] == len(of_type(records, "decision")) == len(of_type(records, "award"))
    assert events["credential.issued"] == editions["issued"] == len(of_type(records, "representation"))
    assert events["credential.revoked"] == states["revoked"]
    assert states["pending"] == editions["pending"]
    positions = [each["position"] for each in of_type(records, "event")]
    assert positions == list(range(1, len(positions) + 1))
    revoked = {each["id"] for each in of_type(records, "credential") if each["state"] == "revoked"}
    assert len(revoked) == sum(status_bits(each) for each in of_type(records, "status_list"))


def status_bits(status_list: Record) -> int:
    bits = decode(json.loads(status_list["body"])["credentialSubject"]["encodedList"])
    return int.from_bytes(bits, "big").bit_count()


# Whole or not


async def test_a_cut_or_changed_export_is_noticed(partner: Partner) -> None:
    await decided(partner)
    answer = (await partner.client.get(f"/v1/issuers/{partner.issuer_id}/export")).content
    lines = answer.splitlines(keepends=True)
    assert len(list(read_records(lines))) == len(lines) - 1
    end = json.loads(lines[-1])
    assert (end["type"], end["records"]) == ("end", len(lines) - 2)
    # As anybody can check it without us.
    assert hashlib.sha256(b"".join(lines[:-1])).hexdigest() == end["sha256"]
    wrong = [
        [],
        lines[:-1],
        lines[1:],
        lines[:5] + lines[6:],
        [*lines[:5], lines[6], lines[5], *lines[7:]],
        [*lines[:5], lines[5].replace(b'"created_at":"2026', b'"created_at":"2025'), *lines[6:]],
        [*lines, lines[-1]],
        [*lines[:-1], lines[-1][:-20]],
        [*lines[:-1], b"7\n"],
    ]
    for each in wrong:
        with pytest.raises(NotAnExport):
            list(read_records(each))


async def test_a_row_that_cannot_be_opened_leaves_no_end(app: FastAPI, partner: Partner, settings: Settings) -> None:
    await decided(partner)
    world = world_of(app)
    lines: list[bytes] = []
    async with open_owner(settings) as owner:
        await execute(owner, "UPDATE learner_identity SET sealed_value = blind_index WHERE blind_index IS NOT NULL")
    async with world.database.snapshot() as session:

        async def collect() -> None:
            async with aclosing(export_issuer(session, world, partner.issuer_id)) as export:
                while True:
                    lines.append(await anext(export))

        with pytest.raises(Unreadable):
            await collect()
    assert len(lines) > 5
    with pytest.raises(NotAnExport):
        list(read_records(lines))


# Who, and how long


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_it_is_the_issuers_own_business(
    app: FastAPI, partner: Partner, stranger: Partner, operator: httpx.AsyncClient
) -> None:
    path = f"/v1/issuers/{partner.issuer_id}/export"
    assert (await operator.get(path)).status_code == 403
    assert (await stranger.client.get(path)).status_code == 404
    for scopes, status in ((["issuer:export"], 200), (["issuer:read", "learners:read", "clients:manage"], 403)):
        made = await operator.post(
            f"/v1/issuers/{partner.issuer_id}/api-clients", json={"name": "One", "scopes": scopes}
        )
        async with open_client(app, made.json()["token"]) as client:
            assert (await client.get(path)).status_code == status


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_few_are_made_at_once(partner: Partner) -> None:
    for _ in range(AT_ONCE):
        await _places.acquire()
    try:
        busy = await partner.client.get(f"/v1/issuers/{partner.issuer_id}/export")
        assert (busy.status_code, busy.json()["code"]) == (503, "unavailable")
    finally:
        for _ in range(AT_ONCE):
            _places.release()
    await exported(partner)


class Content:
    """Chunks without end, and whether they were let go."""

    def __init__(self) -> None:
        self.let_go = False

    async def chunks(self) -> Any:
        try:
            while True:
                yield b"x" * CHUNK
                await asyncio.sleep(0)
        finally:
            self.let_go = True


async def send_to(response: BoundedStream, *, patience: float) -> list[Message]:
    """Send to a reader who takes `patience` seconds for each message after the head: what they got."""
    got: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if got:
            await asyncio.sleep(patience)
        got.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "asgi": {"spec_version": "2.3"}}
    async with asyncio.timeout(5):
        await response(scope, receive, send)
    return got


async def test_a_reader_who_stalls_is_left() -> None:
    content = Content()
    got = await send_to(BoundedStream(content.chunks(), stall_seconds=0.05, longest_seconds=60), patience=30)
    assert ([message["type"] for message in got], content.let_go) == (["http.response.start"], True)


async def test_a_reader_who_dawdles_is_left_after_a_while() -> None:
    content = Content()
    got = await send_to(BoundedStream(content.chunks(), stall_seconds=60, longest_seconds=0.2), patience=0.01)
    assert len(got) > 2
    assert all(message.get("more_body", True) for message in got)  # nobody was told that this is all
    assert content.let_go


async def test_a_reader_who_keeps_up_gets_everything(partner: Partner) -> None:
    """The pair of the two tests above."""

    async def three() -> Any:
        for _ in range(3):
            yield b"x" * CHUNK

    got = await send_to(BoundedStream(three(), stall_seconds=60, longest_seconds=60), patience=0.01)
    assert not got[-1]["more_body"]
    assert sum(len(message.get("body", b"")) for message in got) == 3 * CHUNK


async def test_after_a_failed_decision_the_export_is_whole(partner: Partner) -> None:
    """What was refused left nothing."""
    before = len(await exported(partner))
    assert (await record(partner, outcome="awarded", results=[])).status_code == 422
    assert len(await exported(partner)) == before + 1  # the audit entry of the export before
