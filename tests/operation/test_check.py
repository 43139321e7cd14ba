"""Every stored badge and list is verified, and a planted fault is named with the badge it is in."""

import hashlib
import json
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.credentials.store import Edition, Representation
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.operation.check import Tally, check_badges, check_lists, count_editions
from app.resources import Resources
from app.settings import Settings
from tests.builders import achievement_body
from tests.conftest import BASE_URL, Partner, publish
from tests.fakes import FixedClock
from tests.issuing import Document, change_status, decided, world_of
from tests.operation.behind import flipped, unguarded


async def check(world: Resources) -> Tally:
    tally = Tally()
    done = sum([n async for n in check_badges(world, tally, batch=2)])
    assert done == await count_editions(world)
    async for _ in check_lists(world, tally):
        pass
    return tally


def bad(tally: Tally) -> list[tuple[str, int]]:
    return [(each.url.removeprefix(BASE_URL), each.edition) for each in [*tally.bad_lists, *tally.bad_badges]]


@pytest.fixture
async def badges(partner: Partner, clock: FixedClock) -> list[Document]:
    """One of each fate: issued, reissued, revoked, suspended, reinstated."""
    made = [await decided(partner, recipient={"email": f"l{n}@schools.example.org"}) for n in range(3)]
    partner.achievement_id = await publish(
        partner.client, achievement_body(settings={"status_purpose": "suspension", "visibility": "unlisted"})
    )
    made += [await decided(partner, recipient={"email": f"l{n}@schools.example.org"}) for n in range(2)]
    clock.advance(days=1)
    correction = {
        "supersedes": made[1]["id"],
        "reason": "A correction.",
        "recipient": {"email": "l1@schools.example.org"},
    }
    await decided(partner, achievement_id=made[1]["achievement_id"], **correction)
    ids = [each["credential"]["id"] for each in made]
    for id_, verbs in ((ids[2], ["revoke"]), (ids[3], ["suspend"]), (ids[4], ["suspend", "reinstate"])):
        for verb in verbs:
            assert (await change_status(partner, id_, verb)).status_code == 200
    return [each["credential"] for each in made]


async def test_all_is_good_after_every_fate(app: FastAPI, badges: list[Document]) -> None:
    tally = await check(world_of(app))
    assert bad(tally) == [], tally
    assert (tally.badges, tally.lists, tally.pending, tally.erased, tally.burned) == (6, 2, 0, 0, 0)


async def test_changed_bytes_are_found_and_the_badge_named(
    app: FastAPI, settings: Settings, badges: list[Document]
) -> None:
    world = world_of(app)
    edition = await _edition(world, badges[0]["id"])
    async with unguarded(settings) as change:
        [(sealed,)] = await change("SELECT sealed_body FROM representation WHERE edition_id = :id", id=edition.id)
        update = "UPDATE representation SET sealed_body = :value WHERE edition_id = :id"
        await change(update, value=flipped(bytes(sealed)), id=edition.id)
        tally = await check(world)
        assert bad(tally) == [(f"/credentials/{badges[0]['id']}", 1)]
        assert "cannot be opened" in tally.bad_badges[0].faults[0]
        assert tally.badges == 6
        await change(update, value=bytes(sealed), id=edition.id)
        assert bad(await check(world)) == []


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("name", "it is not the document that was intended"),
        ("proof", "its proof fails: proof_signature_invalid"),
        ("id", "its id is not the address it is served at"),
        ("credentialStatus", "its status entry is not the one that was drawn for it"),
    ],
)
async def test_a_forgery_by_someone_with_the_keys_of_the_house_is_found(
    app: FastAPI, settings: Settings, badges: list[Document], place: str, fault: str
) -> None:
    """Sealed anew, with the digest made to match: only what was signed and intended tells."""
    world = world_of(app)
    edition = await _edition(world, badges[0]["id"])
    async with world.database.reading() as session:
        learner = await get_learner(session, edition.issuer_id, edition.learner_id)
        stored = (await session.scalars(select(Representation).where(Representation.edition_id == edition.id))).one()
    key = open_key(world.vault, learner)
    where: dict[str, Any] = {"table": "representation", "row": edition.id, "column": "sealed_body"}
    document = json.loads(key.open(stored.sealed_body, **where))
    if place == "proof":
        other = (await _edition(world, badges[2]["id"])).id
        async with world.database.reading() as session:
            another = (await session.scalars(select(Representation).where(Representation.edition_id == other))).one()
            owner = await get_learner(session, edition.issuer_id, (await _edition(world, badges[2]["id"])).learner_id)
        body = open_key(world.vault, owner).open(another.sealed_body, **{**where, "row": other})
        document["proof"][0]["proofValue"] = json.loads(body)["proof"][0]["proofValue"]
    elif place == "credentialStatus":
        document[place]["statusListIndex"] = str(int(document[place]["statusListIndex"]) ^ 1)
    else:
        document[place] = document[place][:-1] + ("0" if document[place][-1] != "0" else "1")
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    async with unguarded(settings) as change:
        await change(
            "UPDATE representation SET sealed_body = :sealed, digest = :digest WHERE edition_id = :id",
            sealed=key.seal(body, **where), digest=hashlib.sha256(body).hexdigest(), id=edition.id,
        )  # fmt: skip
    tally = await check(world)
    assert bad(tally) == [(f"/credentials/{badges[0]['id']}", 1)]
    assert f"eddsa-rdfc-2022: {fault}" in tally.bad_badges[0].faults


async def test_a_bit_that_contradicts_the_register_is_found(
    app: FastAPI, settings: Settings, badges: list[Document]
) -> None:
    world = world_of(app)
    async with unguarded(settings) as change:
        await change("UPDATE credential SET state = 'issued' WHERE id = :id", id=badges[2]["id"])
        tally = await check(world)
        assert bad(tally) == [(f"/credentials/{badges[2]['id']}", 1)]
        assert tally.bad_badges[0].faults == ("its status bit is not clear, though it is issued",)
        await change("UPDATE credential SET state = 'revoked' WHERE id = :id", id=badges[2]["id"])
        await change("UPDATE credential SET state = 'revoked' WHERE id = :id", id=badges[0]["id"])
        assert (await check(world)).bad_badges[0].faults == ("its status bit is not set, though it is revoked",)


async def test_a_changed_list_is_found_and_named(app: FastAPI, settings: Settings, badges: list[Document]) -> None:
    world = world_of(app)
    list_id = (await _edition(world, badges[0]["id"])).status_list_id
    async with unguarded(settings) as change:
        select_bits = "SELECT bits FROM status_list WHERE id = :id"
        [(bits,)] = await change(select_bits, id=list_id)
        update = "UPDATE status_list SET bits = :value WHERE id = :id"
        await change(update, value=flipped(bytes(bits)), id=list_id)
        tally = await check(world)
        assert bad(tally) == [(f"/status-lists/{list_id}", 0)]
        assert tally.bad_lists[0].faults == ("its bits are not those of the register",)
        await change(update, value=bytes(bits), id=list_id)
        assert bad(await check(world)) == []

        publication = "status_list_publication WHERE status_list_id = :id"
        [(body,)] = await change(f"SELECT body FROM {publication}", id=list_id)
        document = json.loads(bytes(body))
        document["credentialSubject"]["ttl"] += 1000
        forged = json.dumps(document, separators=(",", ":")).encode()
        await change(
            "UPDATE status_list_publication SET body = :body, etag = :etag WHERE status_list_id = :id",
            body=forged, etag=hashlib.sha256(forged).hexdigest(), id=list_id,
        )  # fmt: skip
        tally = await check(world)
        assert bad(tally) == [(f"/status-lists/{list_id}", 0)]
        assert tally.bad_lists[0].faults == ("its proof fails: proof_signature_invalid",)


async def test_missing_bytes_are_found_and_those_of_an_erased_learner_are_counted(
    app: FastAPI, settings: Settings, badges: list[Document]
) -> None:
    world = world_of(app)
    gone, erased = await _edition(world, badges[0]["id"]), await _edition(world, badges[1]["id"])
    async with unguarded(settings) as change:
        await change("UPDATE learner SET sealed_key = NULL WHERE id = :id", id=erased.learner_id)
        assert bad(tally := await check(world)) == []
        assert (tally.erased, tally.badges) == (3, 3)
        await change("DELETE FROM representation WHERE edition_id = :id", id=gone.id)
    assert bad(await check(world)) == [(f"/credentials/{badges[0]['id']}", 1)]


async def _edition(world: Resources, credential_id: str) -> Edition:
    async with world.database.reading() as session:
        query = select(Edition).where(Edition.credential_id == credential_id).order_by(Edition.number)
        found = (await session.scalars(query)).first()
    assert found is not None
    return found
