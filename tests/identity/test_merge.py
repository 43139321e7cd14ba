"""Two learners who turn out to be one person, over HTTP."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.credentials.issue import LEASE
from app.operation.check import Tally, check_badges
from app.settings import Settings
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.house.databases import is_in, list_contents, open_owner
from tests.identity.steps import (
    ADA,
    BYRON,
    DID,
    OTHER_DID,
    add,
    change,
    changed,
    learner_of,
    merge,
    merged,
    published,
    require_reissued,
    run_due_jobs,
    says,
    served,
)
from tests.issuing import (
    MeanwhileSigner,
    change_status,
    count_rows,
    decide_directly,
    decided,
    list_all_credentials,
    list_all_editions,
    pointers,
    record,
    require_verifies,
    verify,
    with_signer,
    world_of,
)

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class Two:
    """Ada twice: each with a badge of an achievement of their own and one of the same."""

    def __init__(self, survivor: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
        self.survivor_id, self.other_id = survivor[0]["learner_id"], other[0]["learner_id"]
        self.decisions = [*survivor, *other]
        self.kept = [answer["credential"]["document"] for answer in survivor]
        self.moved = [answer["credential"]["document"] for answer in other]


async def two(partner: Partner, clock: FixedClock, **settings: Any) -> Two:
    first = {"name": "Ada Example", "email": ADA, "external_id": "ada-1"}
    second = {"name": "A. Byron", "email": BYRON, "did": DID, "external_id": "ada-2"}
    answers = []
    for recipients in ((first,), (second,), (first, second)):
        await published(partner, recipient_name=True, **settings)
        answers += [await decided(partner, recipient=recipient) for recipient in recipients]
    clock.advance(days=1)
    return Two([answers[0], answers[2]], [answers[1], answers[3]])


async def test_a_merge_moves_everything_and_reissues_the_badges(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    pair = await two(partner, clock)
    answer = await merged(partner, pair.survivor_id, pair.other_id)
    # What the survivor has stays; the DID they lacked is the other's now, which their own badges then say too.
    assert (answer["id"], answer["name"], answer["email"], answer["did"]) == (pair.survivor_id, "Ada Example", ADA, DID)
    assert answer["external_id"] == "ada-1"
    assert {(each["value"], each["primary"]) for each in answer["identities"]} == {
        (ADA, True),
        (BYRON, False),
        (DID, True),
    }
    assert answer["reissuing"] == 4
    same = [pair.kept[1], pair.moved[1]]
    [duplicate] = answer["duplicates"]
    assert duplicate["achievement_id"] == pair.decisions[1]["achievement_id"]
    assert sorted(duplicate["credential_ids"]) == sorted(badge["id"].rpartition("/")[2] for badge in same)

    await run_due_jobs(app)
    for badge in (*pair.kept, *pair.moved):
        after = await require_reissued(app, partner, badge)
        assert says(after) == {"did": DID, "email": ADA, "name": "Ada Example"}
    register = (await partner.client.get("/v1/credentials")).json()["items"]
    assert {entry["learner_id"] for entry in register} == {pair.survivor_id}
    for decision in pair.decisions:
        known = await partner.client.get(f"/v1/decisions/{decision['id']}")
        assert known.status_code == 200, known.text
        assert known.json()["details"] == decision["details"]

    tally = Tally()
    async for _ in check_badges(world_of(app), tally):
        pass
    assert (tally.badges, tally.bad_badges) == (8, [])


async def test_badges_of_the_survivor_that_say_nothing_else_stay(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    first = await decided(partner, recipient={"email": ADA, "did": DID})
    second = await decided(partner, recipient={"email": BYRON, "did": OTHER_DID})
    clock.advance(days=1)
    answer = await merged(partner, first["learner_id"], second["learner_id"])
    assert answer["reissuing"] == 1
    await run_due_jobs(app)
    assert await served(partner, first["credential"]["document"]) == first["credential"]["document"]
    await require_reissued(app, partner, second["credential"]["document"])


async def test_who_was_merged_is_found_under_the_survivor(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    pair = await two(partner, clock)
    await merged(partner, pair.survivor_id, pair.other_id)
    path = f"/v1/learners/{pair.other_id}"
    for answer in (
        await partner.client.get(path),
        await partner.client.get(f"{path}/export"),
        await partner.client.post(f"{path}/erase"),
        await change(partner, pair.other_id, name="Ada"),
        await add(partner, pair.other_id, kind="did", value=OTHER_DID),
        await partner.client.delete(f"{path}/identities/{'0' * 32}"),
    ):
        assert refusal(answer) == (410, "learner_merged"), answer.text
        assert pair.survivor_id in answer.json()["detail"]
    assert [each["id"] for each in (await partner.client.get("/v1/learners")).json()["items"]] == [pair.survivor_id]
    for external_id in ("ada-1", "ada-2"):
        found = (await partner.client.get(f"/v1/learners?external_id={external_id}")).json()["items"]
        assert [each["id"] for each in found] == [pair.survivor_id]
        taken = await partner.client.post("/v1/learners", json={"external_id": external_id})
        assert refusal(taken) == (409, "external_id_taken")

    recipients = (
        {"email": BYRON}, {"did": DID}, {"external_id": "ada-2"}, {"external_id": "ada-2", "email": ADA},
        {"external_id": "ada-1", "email": BYRON},
    )  # fmt: skip
    for recipient in recipients:
        assert (await decided(partner, recipient=recipient))["learner_id"] == pair.survivor_id
    stranger = await record(partner, recipient={"external_id": "ada-3", "email": BYRON})
    assert refusal(stranger) == (409, "identity_taken")
    body = {"learner_id": pair.other_id, "recipient": None}
    named = await decided(partner, **body)
    assert named["learner_id"] == pair.survivor_id
    assert says(named["credential"]["document"])["email"] == ADA


async def test_a_decision_about_who_was_merged_can_be_corrected(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    pair = await two(partner, clock)
    before = pair.decisions[-1]
    await merged(partner, pair.survivor_id, pair.other_id)
    await run_due_jobs(app)
    clock.advance(days=1)
    correction = {"supersedes": before["id"], "reason": "An error.", "narrative": "Corrected."}
    strange = await record(partner, recipient={"email": "ben@schools.example.org"}, **correction)
    assert refusal(strange) == (422, "decision_mismatch")
    after = await decided(partner, recipient={"email": BYRON}, **correction)
    assert after["credential"]["id"] == before["credential"]["id"]
    assert (after["credential"]["edition"], after["learner_id"]) == (3, pair.survivor_id)
    await require_verifies(world_of(app), after["credential"]["document"])
    # And once more, of the survivor's own decision, by the id of who was merged: it ends the badge.
    clock.advance(days=1)
    ended = await decided(
        partner, learner_id=pair.other_id, recipient=None, supersedes=after["id"], reason="An error.", outcome="not_yet"
    )
    assert ended["credential"]["state"] == "revoked"


async def test_a_badge_of_who_was_merged_can_be_renewed(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    pair = await two(partner, clock, validity_days=365)
    await merged(partner, pair.survivor_id, pair.other_id)
    await run_due_jobs(app)
    clock.advance(days=1)
    renewal = {"renews": pair.decisions[1]["id"], "decided_at": "2026-11-25T12:00:00Z"}
    partner.achievement_id = pair.decisions[1]["achievement_id"]
    strange = await record(partner, recipient={"email": "ben@schools.example.org"}, **renewal)
    assert refusal(strange) == (422, "decision_mismatch")
    after = await decided(partner, recipient={"email": BYRON}, **renewal)
    assert after["credential"]["id"] == pair.decisions[1]["credential"]["id"]
    assert after["credential"]["valid_until"] == "2027-11-25T12:00:00Z"


async def test_merging_again_changes_nothing(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    pair = await two(partner, clock)
    first = await merged(partner, pair.survivor_id, pair.other_id)
    before = await count_rows(world_of(app))
    again = await merged(partner, pair.survivor_id, pair.other_id)
    assert again == {**first, "reissuing": 0}
    assert await count_rows(world_of(app)) == before


@on_sqlite
async def test_a_merge_that_cannot_be_is_refused_and_nothing_is_done(
    app: FastAPI, partner: Partner, stranger: Partner, clock: FixedClock
) -> None:
    pair = await two(partner, clock)
    theirs = (await decided(stranger))["learner_id"]
    erased = (await decided(partner, recipient={"email": "ben@schools.example.org"}))["learner_id"]
    assert (await partner.client.post(f"/v1/learners/{erased}/erase")).status_code == 200
    before = [await learner_of(partner, id_) for id_ in (pair.survivor_id, pair.other_id)]
    events = (await partner.client.get("/v1/events?limit=500")).json()
    for survivor, other, expected in (
        (pair.survivor_id, theirs, (404, "not_found")),
        (theirs, pair.survivor_id, (404, "not_found")),
        (pair.survivor_id, "0" * 32, (404, "not_found")),
        (pair.survivor_id, erased, (410, "gone")),
        (erased, pair.survivor_id, (410, "gone")),
        (pair.survivor_id, pair.survivor_id, (422, "invalid_input")),
    ):
        assert refusal(await merge(partner, survivor, other)) == expected
    into_itself = await merge(partner, pair.survivor_id, pair.survivor_id)
    assert pointers(into_itself) == ["/learner_id"]
    assert [await learner_of(partner, id_) for id_ in (pair.survivor_id, pair.other_id)] == before
    assert (await partner.client.get("/v1/events?limit=500")).json() == events


async def test_a_chain_of_merges_ends_with_the_last(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    addresses = [f"ada.{number}@schools.example.org" for number in range(3)]
    answers = [await decided(partner, recipient={"email": address}) for address in addresses]
    first, second, third = (answer["learner_id"] for answer in answers)
    clock.advance(days=1)
    await merged(partner, second, first)
    assert refusal(await merge(partner, third, first)) == (410, "learner_merged")
    assert refusal(await merge(partner, first, third)) == (410, "learner_merged")
    await run_due_jobs(app)
    clock.advance(days=1)
    assert (await merged(partner, third, second))["reissuing"] == 2
    await run_due_jobs(app)
    for gone in (first, second):
        answer = await partner.client.get(f"/v1/learners/{gone}")
        assert (answer.status_code, third in answer.json()["detail"]) == (410, True)
    for address in addresses:
        assert (await decided(partner, recipient={"email": address}))["learner_id"] == third
    numbers = {credential.id: credential.edition_number for credential in await list_all_credentials(world_of(app))}
    assert [numbers[answer["credential"]["id"]] for answer in answers] == [3, 2, 1]
    # Each edition opens with the key of whom it was made for.
    export = (await partner.client.get(f"/v1/learners/{third}/export")).json()
    assert sorted(len(badge["editions"]) for badge in export["credentials"]) == [1, 1, 1, 1, 2, 3]


async def test_the_survivor_takes_what_they_lack(partner: Partner) -> None:
    made = [
        (await partner.client.post("/v1/learners", json=body)).json()["id"]
        for body in ({"email": ADA}, {"name": "Ada", "external_id": "ada", "email": BYRON})
    ]
    answer = await merged(partner, *made)
    assert (answer["name"], answer["email"], answer["external_id"]) == ("Ada", ADA, "ada")
    assert (answer["reissuing"], answer["duplicates"]) == (0, [])


async def test_the_reason_of_a_status_moves_and_a_suspended_badge_catches_up(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    pair = await two(partner, clock, status_purpose="suspension")
    suspended, revoked = (badge["id"].rpartition("/")[2] for badge in pair.moved)
    assert (await change_status(partner, suspended, "suspend", "A doubt.")).status_code == 200
    assert (await change_status(partner, revoked, "revoke", "A copy.")).status_code == 200
    assert (await merged(partner, pair.survivor_id, pair.other_id))["reissuing"] == 2
    await run_due_jobs(app)
    for id_, reason in ((suspended, "A doubt."), (revoked, "A copy.")):
        assert (await partner.client.get(f"/v1/credentials/{id_}")).json()["status_reason"] == reason
    assert await served(partner, pair.moved[0]) == pair.moved[0]
    assert (await change_status(partner, suspended, "reinstate")).status_code == 200
    await run_due_jobs(app)
    assert says(await require_reissued(app, partner, pair.moved[0]))["email"] == ADA
    assert await served(partner, pair.moved[1]) == pair.moved[1]


async def test_a_merge_while_a_badge_is_being_signed(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """The edition is finished under the key it was begun with, then reissued for the survivor."""
    world = world_of(app)
    survivor_id = (await decided(partner, recipient={"email": ADA}))["learner_id"]
    other_id = (await partner.client.post("/v1/learners", json={"email": BYRON})).json()["id"]
    told = []

    async def meanwhile() -> None:
        told.append(await merged(partner, survivor_id, other_id))

    slow = with_signer(world, MeanwhileSigner(world.signer, meanwhile))
    await decide_directly(slow, partner, recipient={"email": BYRON})
    assert told[0]["reissuing"] == 1
    badge = (await partner.client.get(f"/credentials/{(await list_all_credentials(world))[-1].id}")).json()
    assert says(badge)["email"] == BYRON
    clock.advance(minutes=1)
    await run_due_jobs(app)
    assert says(await require_reissued(app, partner, badge))["email"] == ADA


async def test_a_repeated_request_of_who_was_merged_gets_its_answer(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    survivor_id = (await decided(partner, recipient={"email": ADA}))["learner_id"]
    first = await record(partner, key="k-1", recipient={"email": BYRON})
    made = await partner.client.post(
        "/v1/learners", json={"email": "c@schools.example.org"}, headers={"Idempotency-Key": "k-2"}
    )
    for other in (first.json()["learner_id"], made.json()["id"]):
        await merged(partner, survivor_id, other)
    clock.advance(minutes=1)
    await run_due_jobs(app)
    assert (await record(partner, key="k-1", recipient={"email": BYRON})).json() == first.json()
    again = await partner.client.post(
        "/v1/learners", json={"email": "c@schools.example.org"}, headers={"Idempotency-Key": "k-2"}
    )
    assert again.json() == made.json()


async def test_merges_at_once_end_with_one_learner(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """Crosswise, and with changes, awards, a reinstatement and the job in between: nobody waits for ever, nothing is lost."""
    pair = await two(partner, clock, status_purpose="suspension")
    suspended = pair.moved[0]["id"].rpartition("/")[2]
    assert (await change_status(partner, suspended, "suspend")).status_code == 200
    one, other, *rest = await asyncio.gather(
        merge(partner, pair.survivor_id, pair.other_id),
        merge(partner, pair.other_id, pair.survivor_id),
        change(partner, pair.survivor_id, name="Ada Byron"),
        change(partner, pair.other_id, name="Ada Byron"),
        record(partner, recipient={"email": BYRON}),
        record(partner, learner_id=pair.other_id, recipient=None),
        change_status(partner, suspended, "reinstate"),
        run_due_jobs(app),
    )
    assert sorted([one.status_code, other.status_code]) == [200, 410], (one.text, other.text)
    refused = max(one, other, key=lambda answer: answer.status_code)
    assert refusal(refused) == (410, "learner_merged")
    assert [answer.status_code for answer in rest[:-1] if answer.status_code not in (200, 201, 409, 410)] == []
    [learner] = (await partner.client.get("/v1/learners")).json()["items"]
    await changed(partner, learner["id"], name="Ada Byron")
    for _ in range(3):
        clock.advance(minutes=5)
        await run_due_jobs(app)
    for credential in await list_all_credentials(world_of(app)):
        assert (credential.learner_id, credential.state) == (learner["id"], "issued")
        badge = (await partner.client.get(f"/credentials/{credential.id}")).json()
        assert says(badge)["name"] == "Ada Byron"
        assert says(badge)["email"] == learner["email"]
        await require_verifies(world_of(app), badge)
    assert {edition.state for edition in await list_all_editions(world_of(app))} == {"issued", "superseded"}


async def test_erasing_the_survivor_erases_all(
    app: FastAPI, settings: Settings, partner: Partner, clock: FixedClock
) -> None:
    """Before and after the job: what is sealed under either key, and the answers kept for repeats."""
    await published(partner, recipient_name=True)
    survivor = {"name": "Kanaryone", "email": "kanarytwo@schools.example.org", "external_id": "kanarythree"}
    other = {"name": "Kanaryfour", "did": "did:example:kanaryfive", "external_id": "kanarysix"}
    texts: dict[str, Any] = {"narrative": "kanaryseven", "role": "kanaryeight"}
    canaries = [
        "Kanaryone",
        "kanarytwo",
        "kanarythree",
        "Kanaryfour",
        "kanaryfive",
        "kanarysix",
        "kanaryseven",
        "kanaryeight",
    ]
    first = (await record(partner, key="k-1", recipient=survivor, **texts)).json()
    second = (await record(partner, key="k-2", recipient=other, **texts)).json()
    clock.advance(hours=1)
    await merged(partner, first["learner_id"], second["learner_id"])
    await run_due_jobs(app)
    held = [await served(partner, answer["credential"]["document"]) for answer in (first, second)]
    assert (await change_status(partner, second["credential"]["id"], "revoke", "kanarynine")).status_code == 200

    export = await partner.client.get(f"/v1/learners/{first['learner_id']}/export")
    assert [canary for canary in (*canaries, "kanarynine") if canary not in export.text] == []
    told = export.json()
    assert [each["id"] for each in told["merged"]] == [second["learner_id"]]
    assert [each["learner_id"] for each in (first, second)] == [told["id"], told["merged"][0]["id"]]
    assert {decision["id"] for decision in told["decisions"]} == {first["id"], second["id"]}
    assert sorted(len(badge["editions"]) for badge in told["credentials"]) == [2, 2]

    one = await partner.client.post(f"/v1/learners/{second['learner_id']}/erase")
    assert refusal(one) == (410, "learner_merged")
    assert first["learner_id"] in one.json()["cure"]
    assert (await partner.client.post(f"/v1/learners/{first['learner_id']}/erase")).status_code == 200
    async with open_owner(settings) as owner:
        contents = await list_contents(owner)
    assert {canary: is_in(contents, canary) for canary in canaries if is_in(contents, canary)} == {}
    assert contents["learner_identity"] == []
    assert (await count_rows(world_of(app)))["idempotency_key"] == 0
    assert [row for row in contents["learner"] if any(isinstance(cell, bytes | memoryview) for cell in row)] == []
    for answer in (first, second):
        paths = (
            f"/credentials/{answer['credential']['id']}",
            f"/v1/decisions/{answer['id']}",
            f"/v1/learners/{answer['learner_id']}",
        )
        assert [refusal(await partner.client.get(path)) for path in paths] == [(410, "gone")] * 3
    assert (await verify(world_of(app), held[0])).valid, "the holder's copy goes on verifying"
    erased = [
        e for e in (await partner.client.get("/v1/events?limit=500")).json()["items"] if e["type"] == "learner.erased"
    ]
    assert {event["object_id"] for event in erased} == {first["learner_id"], second["learner_id"]}
    again = await partner.client.post(f"/v1/learners/{second['learner_id']}/erase")
    assert again.status_code == 200
    clock.advance(seconds=(LEASE + timedelta(seconds=2)).total_seconds())
    await run_due_jobs(app)
    back = await decided(partner, recipient=other)
    assert back["learner_id"] not in (first["learner_id"], second["learner_id"])
