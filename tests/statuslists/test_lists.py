"""Status lists in the database and as they are served."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import httpx
import pytest
from fastapi import FastAPI

from app.errors import Broken
from app.main import create_app
from app.settings import Settings
from app.statuslists.bitstring import LIST_LENGTH, decode
from app.statuslists.publish import allocate_index, change_bits
from app.statuslists.store import StatusList, StatusPurpose, add_list, draw_index, get_publication
from tests.builders import achievement_body
from tests.conftest import Partner, make_issuer, open_client, publish
from tests.fakes import FixedClock
from tests.issuing import (
    change_status,
    decided,
    entry_bit,
    list_all_editions,
    published_bit,
    require_verifies,
    world_of,
)


@pytest.fixture
async def issuer_id(operator: httpx.AsyncClient) -> str:
    return (await make_issuer(operator, "academy")).partition("|")[0]


# Drawing


async def _draw_all(app: FastAPI, issuer_id: str, length: int) -> list[int]:
    """Every index of a new short list, in the order they are drawn."""
    world = world_of(app)
    async with world.database.transaction() as session:
        status_list = await add_list(session, issuer_id, "revocation", world.clock.now(), length=length)
        drawn = [await draw_index(session, issuer_id, "revocation") for _ in range(length)]
        assert await draw_index(session, issuer_id, "revocation") is None
    assert {each[0] for each in drawn if each} == {status_list.id}
    return [each[1] for each in drawn if each]


async def test_draws_are_a_permutation_that_tells_nothing_of_the_order(app: FastAPI, issuer_id: str) -> None:
    length = 512
    first, second = [await _draw_all(app, issuer_id, length) for _ in range(2)]
    assert sorted(first) == sorted(second) == list(range(length))
    for order in (first, second):
        steps = [after - before for before, after in pairwise(order)]
        # A counter, forwards, backwards or in strides, has one or two different steps; about half of all go up in a deck
        # that was shuffled (binomial: these bounds are 8 standard deviations away).
        assert len(set(steps)) > length // 4
        assert 165 < sum(step > 0 for step in steps) < 347
    assert first != second
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 20


async def test_draws_in_parallel_never_meet(app: FastAPI, issuer_id: str) -> None:
    world = world_of(app)
    async with world.database.transaction() as session:
        await add_list(session, issuer_id, "suspension", world.clock.now(), length=64)

    async def draw() -> list[tuple[str, int] | None]:
        drawn = []
        for _ in range(9):
            async with world.database.transaction() as session:
                drawn.append(await draw_index(session, issuer_id, "suspension"))
        return drawn

    drawn = [each for some in await asyncio.gather(*(draw() for _ in range(8))) for each in some]
    assert sorted(each[1] for each in drawn if each) == list(range(64))
    assert drawn.count(None) == 8


async def test_a_draw_that_is_rolled_back_is_not_lost(app: FastAPI, issuer_id: str) -> None:
    world = world_of(app)
    async with world.database.transaction() as session:
        await add_list(session, issuer_id, "revocation", world.clock.now(), length=8)

    async with world.database.transaction() as session:
        await draw_index(session, issuer_id, "revocation")
        await session.rollback()
    async with world.database.transaction() as session:
        drawn = [await draw_index(session, issuer_id, "revocation") for _ in range(9)]
    assert (len({each for each in drawn if each}), drawn[-1]) == (8, None)


async def test_a_full_list_is_followed_by_a_new_one(app: FastAPI, issuer_id: str) -> None:
    world = world_of(app)
    now = world.clock.now()
    async with world.database.transaction() as session:
        short = await add_list(session, issuer_id, "revocation", now, length=8)
        drawn = [await allocate_index(session, world, issuer_id, "revocation", now) for _ in range(9)]
    assert [each[0] for each in drawn[:8]] == [short.id] * 8
    list_id, index = drawn[8]
    assert list_id != short.id
    assert 0 <= index < LIST_LENGTH
    # The new one is published before any badge names it, and belongs to its purpose only.
    async with world.database.transaction() as session:
        document = json.loads((await get_publication(session, list_id)).body)
        assert not any(decode(document["credentialSubject"]["encodedList"]))
        other_list, _ = await allocate_index(session, world, issuer_id, "suspension", now)
        again, _ = await allocate_index(session, world, issuer_id, "revocation", now)
    assert other_list not in (list_id, short.id)
    assert again == list_id


# Bits


@pytest.mark.parametrize(("purpose", "may_return"), [("revocation", False), ("suspension", True)])
async def test_only_a_suspension_returns_to_0(
    app: FastAPI, issuer_id: str, purpose: StatusPurpose, may_return: bool
) -> None:
    world = world_of(app)
    now = world.clock.now()

    async def change(bits: dict[int, bool]) -> None:
        async with world.database.transaction() as session:
            await change_bits(session, world, issuer_id, list_id, bits, now)

    async with world.database.transaction() as session:
        list_id, index = await allocate_index(session, world, issuer_id, purpose, now)
    await change({index: True})
    other = (index + 1) % LIST_LENGTH
    if may_return:
        await change({other: True, index: False})
    else:
        with pytest.raises(Broken, match="cannot be taken back"):
            await change({other: True, index: False})
    async with world.database.reading() as session:
        bits = (await session.get_one(StatusList, (issuer_id, list_id))).bits
        published = json.loads((await get_publication(session, list_id)).body)
    expected = {other} if may_return else {index}
    assert {n for n in (index, other) if bits[n // 8] & 0x80 >> n % 8} == expected
    assert decode(published["credentialSubject"]["encodedList"]) == bits


async def test_versions_follow_each_other_and_only_changes_make_one(app: FastAPI, issuer_id: str) -> None:
    world = world_of(app)
    now = world.clock.now()
    async with world.database.transaction() as session:
        list_id, index = await allocate_index(session, world, issuer_id, "revocation", now)
    versions = []
    for bits in ({index: False}, {index: True}, {index: True}, {(index + 1) % LIST_LENGTH: True}):
        async with world.database.transaction() as session:
            await change_bits(session, world, issuer_id, list_id, bits, now)
            publication = await get_publication(session, list_id)
            status_list = await session.get_one(StatusList, (issuer_id, list_id))
            assert publication.version == status_list.version
            versions.append(publication.version)
    assert versions == [1, 2, 2, 3]


# As served


async def test_a_list_is_served_with_validators_and_says_how_long_it_may_be_kept(
    app: FastAPI, partner: Partner
) -> None:
    answer = await decided(partner)
    url = answer["credential"]["document"]["credentialStatus"]["statusListCredential"]
    first = await partner.client.get(url, headers={"Origin": "https://wallet.example"})
    document = first.json()
    assert document["id"] == url
    assert document["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert document["credentialSubject"]["ttl"] == 300 * 1000
    assert len(decode(document["credentialSubject"]["encodedList"])) * 8 >= 131_072
    assert first.headers["Access-Control-Allow-Origin"] == "*"

    etag = first.headers["ETag"]
    assert etag.startswith('"')
    for known in (etag, f'W/{etag}, "other"', "*"):
        again = await partner.client.get(url, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
        assert again.headers["Cache-Control"] == "public, max-age=300"
    await change_status(partner, answer["credential"]["id"], "revoke")
    changed = await partner.client.get(url, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag
    assert changed.json()["credentialSubject"]["encodedList"] != document["credentialSubject"]["encodedList"]


MEDIA_TYPES = {
    "application/vc": "application/vc",
    "application/vc+ld+json": "application/vc+ld+json",
    "application/ld+json;q=0.9, application/json;q=0.1": "application/ld+json",
    "*/*": "application/json",
}


async def test_the_media_type_of_a_list_is_the_one_asked_for(
    app: FastAPI, operator: httpx.AsyncClient, issuer_id: str
) -> None:
    world = world_of(app)
    async with world.database.transaction() as session:
        list_id, _ = await allocate_index(session, world, issuer_id, "revocation", world.clock.now())
    for accept, media_type in MEDIA_TYPES.items():
        answer = await operator.get(f"/status-lists/{list_id}", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
        assert "Accept" in answer.headers["Vary"]
    page = await operator.get(f"/status-lists/{list_id}", headers={"Accept": "text/html,application/xhtml+xml"})
    assert (page.status_code, page.json()["code"]) == (406, "not_acceptable")
    assert (await operator.get(f"/status-lists/{'0' * 32}")).status_code == 404


async def test_each_purpose_has_its_own_list(app: FastAPI, partner: Partner) -> None:
    revocable = await decided(partner)
    settings = {"status_purpose": "suspension", "visibility": "unlisted"}
    partner.achievement_id = await publish(partner.client, achievement_body(settings=settings))
    suspendable = await decided(partner)
    urls = []
    for answer, purpose in ((revocable, "revocation"), (suspendable, "suspension")):
        entry = answer["credential"]["document"]["credentialStatus"]
        urls.append(entry["statusListCredential"])
        subject = (await partner.client.get(urls[-1])).json()["credentialSubject"]
        assert subject["statusPurpose"] == entry["statusPurpose"] == purpose
    assert urls[0] != urls[1]


@asynccontextmanager
async def second_instance(settings: Settings, clock: FixedClock) -> AsyncIterator[FastAPI]:
    application = create_app(settings.model_copy(update={"run_jobs": False}), clock=clock)
    async with application.router.lifespan_context(application):
        yield application


async def test_a_status_change_that_was_answered_is_visible_on_every_instance(
    app: FastAPI, settings: Settings, clock: FixedClock, partner: Partner
) -> None:
    answer = await decided(partner)
    badge = answer["credential"]
    async with second_instance(settings, clock) as other, open_client(other) as reader:
        assert (await reader.get(badge["url"])).json() == badge["document"]
        assert not await entry_bit(reader, badge["document"])
        assert (await change_status(partner, badge["id"], "revoke")).status_code == 200
        assert await entry_bit(reader, badge["document"])
        # And the other way round: what the second instance answers, the first one shows.
        token = partner.client.headers["Authorization"].removeprefix("Bearer ")
        async with open_client(other, token) as elsewhere:
            partner_elsewhere = Partner(
                elsewhere, partner.staff, partner.issuer_id, partner.achievement_id, partner.panel_id
            )
            second = (await decided(partner_elsewhere))["credential"]
            assert (await partner.client.get(second["url"])).json() == second["document"]
            assert (await change_status(partner_elsewhere, second["id"], "revoke")).status_code == 200
        assert await entry_bit(partner.client, second["document"])
    editions = await list_all_editions(world_of(app))
    assert len({(edition.status_list_id, edition.status_list_index) for edition in editions}) == 2
    assert [await published_bit(world_of(app), edition) for edition in editions] == [True, True]


async def test_a_list_stays_good_however_old_it_is(app: FastAPI, clock: FixedClock, partner: Partner) -> None:
    """Nobody signs a list anew when nothing changes, so it must not run out."""
    badge = (await decided(partner))["credential"]["document"]
    clock.advance(days=400)
    await require_verifies(world_of(app), badge)
