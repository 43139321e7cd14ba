"""Many requests at once, on both databases."""

import asyncio
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from sqlalchemy import select

from app.credentials.issue import LEASE
from app.learners.store import Learner
from app.worker import open_runner
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.issuing import (
    change_status,
    count_rows,
    decided,
    entry_bit,
    list_all_credentials,
    list_all_editions,
    list_all_events,
    published_bit,
    record,
    require_verifies,
    world_of,
)


def learner(number: int) -> dict[str, str]:
    return {"email": f"learner.{number}@schools.example.org"}


class Reader:
    """A partner's system that follows the events while they are written."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner
        self._stopping = False
        self.positions: list[int] = []
        self.rounds = 0

    async def follow(self) -> None:
        """Poll until nothing has come since `stop` was called."""
        while True:
            stopping = self._stopping
            after = self.positions[-1] if self.positions else 0
            answer = await self._partner.client.get(f"/v1/events?after={after}&limit=3")
            positions = [item["position"] for item in answer.json()["items"]]
            self.positions += positions
            self.rounds += 1
            if stopping and not positions:
                return
            await asyncio.sleep(0)

    def stop(self) -> None:
        self._stopping = True


async def test_sixteen_awards_at_once_are_sixteen_badges(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    reader = Reader(partner)
    following = asyncio.create_task(reader.follow())
    answers = await asyncio.gather(*(record(partner, recipient=learner(n)) for n in range(16)))
    reader.stop()
    await following
    assert [answer.status_code for answer in answers] == [201] * 16, [answer.text for answer in answers]
    documents = [answer.json()["credential"]["document"] for answer in answers]
    entries = {document["credentialStatus"]["id"] for document in documents}
    assert len(entries) == len({document["id"] for document in documents}) == 16
    # One list: a badge alone on its list would be known by it.
    assert len({document["credentialStatus"]["statusListCredential"] for document in documents}) == 1
    assert (await count_rows(world))["status_list"] == 1
    for document in documents:
        await require_verifies(world, document)

    events = await list_all_events(world, partner.issuer_id)
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    assert [event.type for event in events].count("credential.issued") == 16
    for answer in answers:
        decision, credential = answer.json()["id"], answer.json()["credential"]["id"]
        positions = {event.object_id: event.position for event in events}
        assert positions[decision] < positions[credential]
    # Whoever follows the events misses none, though they were committed while it read.
    assert reader.positions == [event.position for event in events]
    assert reader.rounds > len(events) // 3


async def test_one_request_sent_twenty_times_at_once_is_one_decision(app: FastAPI, partner: Partner) -> None:
    answers = await asyncio.gather(*(record(partner, key="k-1") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert len({answer.content for answer in answers}) == 1
    counts = await count_rows(world_of(app))
    assert (counts["decision"], counts["edition"], counts["representation"], counts["drawn"]) == (1, 1, 1, 1)

    other = await record(partner, key="k-1", narrative="Something else.")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await count_rows(world_of(app)) == counts
    await decided(partner, key="k-2", narrative="Something else.")


async def test_status_changes_and_a_reissue_at_once_end_consistently(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    world = world_of(app)
    partner.achievement_id = await publish(
        partner.client, achievement_body(settings={"status_purpose": "suspension", "visibility": "unlisted"})
    )
    first = [await decided(partner, recipient=learner(n)) for n in range(3)]
    clock.advance(days=1)

    async def change(answer: dict[str, Any], number: int) -> list[int]:
        credential_id = answer["credential"]["id"]
        correction = {"supersedes": answer["id"], "reason": "A correction.", "recipient": learner(number)}
        answers = await asyncio.gather(
            change_status(partner, credential_id, "suspend"),
            record(partner, **correction),
            change_status(partner, credential_id, "revoke"),
            record(partner, **correction),
        )
        return [answer.status_code for answer in answers]

    for suspended, corrected, revoked, again in await asyncio.gather(
        *(change(each, n) for n, each in enumerate(first))
    ):
        assert (suspended in (200, 409), corrected in (201, 409), revoked, again in (201, 409)) == (
            True,
            True,
            200,
            True,
        )
        assert (corrected, again) != (201, 201)

    clock.advance(seconds=(LEASE + timedelta(seconds=1)).total_seconds())
    runner = open_runner(world)
    while await runner.run_one():
        pass
    assert [credential.state for credential in await list_all_credentials(world)] == ["revoked"] * 3
    editions = await list_all_editions(world)
    assert {edition.state for edition in editions} <= {"issued", "superseded", "burned"}
    for edition in editions:
        assert await published_bit(world, edition), (edition.number, edition.state)
    for answer in first:
        assert [e.state for e in editions if e.credential_id == answer["credential"]["id"]].count("issued") == 1
        assert await entry_bit(partner.client, answer["credential"]["document"])


async def test_revoking_many_badges_of_one_list_at_once_loses_none(app: FastAPI, partner: Partner) -> None:
    badges = [(await decided(partner, recipient=learner(n)))["credential"] for n in range(8)]
    answers = await asyncio.gather(*(change_status(partner, badge["id"], "revoke") for badge in badges[:7]))
    assert [answer.status_code for answer in answers] == [200] * 7
    bits = [await entry_bit(partner.client, badge["document"]) for badge in badges]
    assert bits == [True] * 7 + [False]


async def test_one_external_id_sent_at_once_is_taken_once(app: FastAPI, partner: Partner) -> None:
    await decided(partner)
    answers = await asyncio.gather(
        *(record(partner, external_id="row-1", recipient=learner(n)) for n in range(8)),
        *(partner.client.post("/v1/learners", json={"external_id": "L-1"}) for _ in range(4)),
    )
    for statuses in ([a.status_code for a in answers[:8]], [a.status_code for a in answers[8:]]):
        assert sorted(statuses) == [201] + [409] * (len(statuses) - 1)
    assert (await count_rows(world_of(app)))["decision"] == 2


async def test_a_new_recipient_named_at_once_is_one_learner(app: FastAPI, partner: Partner) -> None:
    answers = await asyncio.gather(*(record(partner, recipient=learner(1)) for _ in range(6)))
    statuses = [answer.status_code for answer in answers]
    assert 201 in statuses
    assert set(statuses) <= {201, 409}, [answer.text for answer in answers]
    async with world_of(app).database.reading() as session:
        assert len((await session.scalars(select(Learner))).all()) == 1
    assert (await count_rows(world_of(app)))["credential"] == statuses.count(201)
    # Sent again, what lost the race is recorded.
    await decided(partner, recipient=learner(1))
