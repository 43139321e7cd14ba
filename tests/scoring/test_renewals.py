"""Recertification: a decision that renews another extends its badge; the reminder that comes before the end."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from app.learners.store import lock_learner
from app.worker import open_runner
from tests.builders import achievement_body, results
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.issuing import (
    Document,
    change_status,
    count_rows,
    decided,
    failures,
    list_all_credentials,
    list_all_editions,
    list_all_events,
    pointers,
    record,
    require_verifies,
    verify,
    world_of,
)

AWARDED = "2026-11-23T12:00:00Z"  # an hour before the clock's beginning
END = "2027-03-03T12:00:00Z"


async def certified(partner: Partner, **settings: Any) -> Document:
    """An award that is valid for a hundred days."""
    body = achievement_body(settings={"validity_days": 100, **settings})
    partner.achievement_id = await publish(partner.client, body)
    answer = await decided(partner, decided_at=AWARDED)
    assert answer["credential"]["valid_until"] == END
    return answer


def badge_of(answer: Document) -> Document:
    document: Document = answer["credential"]["document"]
    return document


async def test_a_renewal_extends_the_badge_under_its_id(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    world = world_of(app)
    first = await certified(partner)
    clock.advance(days=90)
    second = await decided(partner, renews=first["id"], decided_at="2027-02-01T09:00:00Z", narrative="Still so.")

    before, after = badge_of(first), badge_of(second)
    assert (after["id"], after["awardedDate"]) == (before["id"], before["awardedDate"])
    assert (before["validUntil"], after["validUntil"]) == (END, "2027-05-12T09:00:00Z")
    assert after["validFrom"] > before["validFrom"]
    assert after["credentialSubject"]["narrative"] == "Still so."
    assert failures(await verify(world, before)) == ["revoked"]
    clock.advance(days=60)
    await require_verifies(world, after)
    assert (await partner.client.get(after["id"])).json() == after
    assert len(await list_all_credentials(world)) == 1
    stored = (await partner.client.get(f"/v1/decisions/{second['id']}")).json()
    assert (stored["renews"], stored["supersedes"]) == (first["id"], None)


async def test_expiry_is_shown_and_verified_and_can_still_be_renewed(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    first = await certified(partner)
    html = {"Accept": "text/html"}
    url = badge_of(first)["id"]
    assert "Expired" not in (await partner.client.get(url, headers=html)).text
    clock.advance(days=101)
    assert failures(await verify(world_of(app), badge_of(first))) == ["expired"]
    assert "Expired" in (await partner.client.get(url, headers=html)).text

    second = await decided(partner, renews=first["id"], decided_at="2027-03-04T09:00:00Z")
    await require_verifies(world_of(app), badge_of(second))
    assert "Expired" not in (await partner.client.get(url, headers=html)).text


async def test_a_renewal_takes_nothing_away(partner: Partner, clock: FixedClock) -> None:
    """A validity period that became shorter meanwhile does not shorten what was granted."""
    first = await certified(partner)
    settings = {"validity_days": 30}
    changed = await partner.client.put(f"/v1/achievements/{partner.achievement_id}/settings", json=settings)
    assert changed.status_code == 200, changed.text
    clock.advance(days=10)
    second = await decided(partner, renews=first["id"], decided_at="2026-12-01T09:00:00Z")
    assert badge_of(second)["validUntil"] == END


async def test_not_yet_leaves_the_badge_and_may_be_tried_again(partner: Partner, clock: FixedClock) -> None:
    first = await certified(partner)
    clock.advance(days=80)
    failed = {"outcome": "not_yet", "results": results("developing")}
    for _ in range(2):
        answer = await decided(partner, renews=first["id"], decided_at="2027-02-01T09:00:00Z", **failed)
        assert answer["credential"] is None
    kept = (await partner.client.get(f"/v1/credentials/{first['credential']['id']}")).json()
    assert (kept["document"], kept["state"]) == (badge_of(first), "issued")
    corrected = await decided(
        partner, supersedes=answer["id"], reason="The third source was overlooked.", decided_at="2027-02-02T09:00:00Z"
    )
    assert badge_of(corrected)["id"] == badge_of(first)["id"]
    assert badge_of(corrected)["validUntil"] == "2027-05-13T09:00:00Z"


async def test_a_withdrawn_renewal_leaves_the_badge_as_it_was_granted(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    world = world_of(app)
    first = await certified(partner)
    clock.advance(days=80)
    second = await decided(partner, renews=first["id"], decided_at="2027-02-01T09:00:00Z", narrative="Still so.")
    clock.advance(days=1)
    third = await decided(partner, supersedes=second["id"], outcome="not_yet", reason="Another learner's work.")
    assert badge_of(third)["id"] == badge_of(first)["id"]
    assert badge_of(third)["validUntil"] == END
    assert "narrative" not in badge_of(third)["credentialSubject"]
    assert failures(await verify(world, badge_of(second))) == ["revoked"]
    await require_verifies(world, badge_of(third))

    clock.advance(days=1)
    fourth = await decided(partner, renews=third["id"], decided_at="2027-02-12T09:00:00Z")
    assert badge_of(fourth)["validUntil"] == "2027-05-23T09:00:00Z"
    assert [edition.number for edition in await list_all_editions(world)] == [1, 2, 3, 4]


async def test_a_renewal_that_is_withdrawn_after_the_first_end_ends_the_badge(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    first = await certified(partner)
    clock.advance(days=80)
    second = await decided(partner, renews=first["id"], decided_at="2027-02-01T09:00:00Z")
    clock.advance(days=60)
    third = await decided(partner, supersedes=second["id"], outcome="not_yet", reason="Another learner's work.")
    assert (third["credential"]["id"], third["credential"]["state"]) == (first["credential"]["id"], "revoked")
    assert failures(await verify(world_of(app), badge_of(second))) == ["revoked"]


async def test_a_corrected_renewal_counts_from_its_correction(partner: Partner, clock: FixedClock) -> None:
    first = await certified(partner)
    clock.advance(days=90)
    second = await decided(partner, renews=first["id"], decided_at="2027-02-01T09:00:00Z")
    clock.advance(days=1)
    third = await decided(
        partner, supersedes=second["id"], reason="The date was wrong.", decided_at="2027-01-10T09:00:00Z"
    )
    assert badge_of(third)["validUntil"] == "2027-04-20T09:00:00Z"
    assert badge_of(third)["awardedDate"] == AWARDED


async def test_what_is_not_the_newest_decision_is_refused(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    first = await certified(partner)
    clock.advance(days=80)
    second = await decided(partner, renews=first["id"], decided_at="2027-02-01T09:00:00Z")
    counts = await count_rows(world_of(app))
    for changes in ({"renews": first["id"]}, {"supersedes": first["id"], "reason": "A slip."}):
        refused = await record(partner, decided_at="2027-02-02T09:00:00Z", **changes)
        assert (refused.status_code, refused.json()["code"]) == (409, "decision_superseded")
    assert await count_rows(world_of(app)) == counts
    clock.advance(days=1)
    third = await decided(partner, renews=second["id"], decided_at="2027-02-03T09:00:00Z")
    assert third["credential"]["edition"] == 3


async def test_what_cannot_be_renewed_is_refused(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    first = await certified(partner)
    never = await decided(partner, outcome="not_yet", results=results("developing"), decided_at=AWARDED)
    clock.advance(days=1)
    counts = await count_rows(world_of(app))
    no_badge = await record(partner, renews=never["id"])
    assert (no_badge.status_code, no_badge.json()["code"], pointers(no_badge)) == (
        422,
        "decision_mismatch",
        ["/renews"],
    )
    other = await record(partner, renews=first["id"], recipient={"email": "else@schools.example.org"})
    assert (other.status_code, other.json()["code"], pointers(other)) == (422, "decision_mismatch", ["/renews"])
    both = await record(partner, renews=first["id"], supersedes=first["id"], reason="Both.")
    assert (both.status_code, both.json()["code"]) == (422, "invalid_body")
    unknown = await record(partner, renews="0" * 32)
    assert unknown.status_code == 404
    assert (await change_status(partner, first["credential"]["id"], "revoke")).status_code == 200
    counts = await count_rows(world_of(app))
    revoked = await record(partner, renews=first["id"])
    assert (revoked.status_code, revoked.json()["code"]) == (409, "credential_revoked")
    assert await count_rows(world_of(app)) == counts


async def test_a_withdrawal_that_was_confirmed_can_still_be_corrected(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    first = await certified(partner)
    clock.advance(days=90)
    extending = {"decided_at": "2027-02-01T09:00:00Z"}
    renewed = await decided(partner, renews=first["id"], **extending)
    clock.advance(days=1)
    withdrawn = await decided(partner, supersedes=renewed["id"], reason="Not so.", outcome="not_yet")
    assert badge_of(withdrawn)["validUntil"] == END
    clock.advance(days=1)
    confirmed = await decided(partner, supersedes=withdrawn["id"], reason="Looked at again.", outcome="not_yet")
    clock.advance(days=1)
    after = badge_of(await decided(partner, supersedes=confirmed["id"], reason="It was so.", **extending))
    assert (after["id"], after["awardedDate"]) == (badge_of(first)["id"], AWARDED)
    assert after["validUntil"] == "2027-05-12T09:00:00Z"
    await require_verifies(world_of(app), after)


@pytest.mark.parametrize("outcome", ["awarded", "not_yet"])
async def test_who_corrects_what_is_renewed_at_the_same_moment_is_told_so(
    app: FastAPI, partner: Partner, clock: FixedClock, outcome: str
) -> None:
    world = world_of(app)
    first = await certified(partner)
    clock.advance(days=90)
    async with world.database.transaction() as session:  # both have looked at the award, and wait for its learner
        await lock_learner(session, partner.issuer_id, first["learner_id"])
        renewing = asyncio.create_task(record(partner, renews=first["id"], decided_at="2027-02-01T09:00:00Z"))
        await asyncio.sleep(0.2)
        correcting = asyncio.create_task(record(partner, supersedes=first["id"], reason="A slip.", outcome=outcome))
        await asyncio.sleep(0.2)
    assert (await renewing).status_code == 201
    refused = await correcting
    assert (refused.status_code, refused.json()["code"]) == (409, "decision_superseded")
    assert len(await list_all_editions(world)) == 2


async def test_a_badge_that_would_have_ended_by_now_is_refused(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    first = await certified(partner)
    clock.advance(days=101)
    counts = await count_rows(world_of(app))
    other = {"recipient": {"email": "else@schools.example.org"}}
    for changes in (other, {"renews": first["id"]}, {"supersedes": first["id"], "reason": "A slip."}):
        refused = await record(partner, decided_at=AWARDED, **changes)
        assert (refused.status_code, refused.json()["code"]) == (422, "validity_over"), changes
        assert pointers(refused) == ["/decided_at"]
    assert await count_rows(world_of(app)) == counts
    await decided(partner, decided_at="2026-11-25T12:00:00Z", **other)


# The reminder


async def run_jobs(app: FastAPI) -> None:
    runner = open_runner(world_of(app))
    while await runner.run_one():
        pass


async def reminders(app: FastAPI, partner: Partner) -> list[Document]:
    events = await list_all_events(world_of(app), partner.issuer_id)
    return [event.data for event in events if event.type == "credential.expiring"]


async def test_a_reminder_comes_in_time_and_once(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    first = await certified(partner, renewal_reminder_days=30)
    clock.advance(days=69)
    await run_jobs(app)
    assert await reminders(app, partner) == []
    clock.advance(days=2)
    await run_jobs(app)
    assert await reminders(app, partner) == [{"valid_until": "2027-03-03T12:00:00+00:00"}]

    await decided(partner, renews=first["id"], decided_at="2027-02-02T12:00:00Z")
    await run_jobs(app)
    clock.advance(days=71)
    await run_jobs(app)
    assert [each["valid_until"][:10] for each in await reminders(app, partner)] == ["2027-03-03", "2027-05-13"]


@pytest.mark.parametrize("end", ["renewed", "revoked", "erased"])
async def test_nobody_is_reminded_of_what_is_settled(
    app: FastAPI, partner: Partner, clock: FixedClock, end: str
) -> None:
    first = await certified(partner, renewal_reminder_days=30)
    clock.advance(days=30)
    if end == "renewed":
        await decided(partner, renews=first["id"], decided_at="2026-12-20T12:00:00Z")
    elif end == "revoked":
        assert (await change_status(partner, first["credential"]["id"], "revoke")).status_code == 200
    else:
        erased = await partner.client.post(f"/v1/learners/{first['learner_id']}/erase")
        assert erased.status_code == 200
    clock.advance(days=45)
    await run_jobs(app)
    assert await reminders(app, partner) == []


async def test_a_reminder_lies_within_the_validity(partner: Partner) -> None:
    for settings in ({"renewal_reminder_days": 30}, {"renewal_reminder_days": 30, "validity_days": 30}):
        refused = await partner.client.post("/v1/achievements", json=achievement_body(settings=settings))
        assert (refused.status_code, pointers(refused)) == (422, ["/settings"])
