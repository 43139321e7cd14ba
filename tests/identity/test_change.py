"""A learner's change of name, e-mail address or DID, over HTTP, and the badges that follow it."""

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.credentials.issue import REISSUE_JOB
from app.jobs.queue import Job
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
    published,
    require_reissued,
    run_due_jobs,
    says,
    served,
)
from tests.issuing import (
    Document,
    change_status,
    decided,
    failures,
    list_all_editions,
    list_all_events,
    pointers,
    record,
    require_verifies,
    verify,
    world_of,
)

PERSON = {"name": "Ada Example", "email": ADA, "did": DID}

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def awarded(partner: Partner, clock: FixedClock, **settings: object) -> tuple[str, Document]:
    """A learner with a badge a day old that says all there is: learner id, badge."""
    await published(partner, recipient_name=True, validity_days=365, **settings)
    answer = await decided(partner, recipient=PERSON, narrative="One change.", role="Principal")
    clock.advance(days=1)
    return answer["learner_id"], answer["credential"]["document"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "Ada Byron"}, {"name": "Ada Byron"}),
        ({"email": BYRON}, {"email": BYRON}),
        ({"did": OTHER_DID}, {"did": OTHER_DID}),
        (
            {"name": "Ada Byron", "email": BYRON, "did": OTHER_DID},
            {"name": "Ada Byron", "email": BYRON, "did": OTHER_DID},
        ),
        ({"did": None}, {"did": None}),
        ({"email": ADA.upper()}, {"email": ADA.upper()}),
    ],
    ids=["name", "email", "did", "all", "without a DID", "spelled differently"],
)
async def test_a_change_reissues_the_badge_under_its_id(
    app: FastAPI, partner: Partner, clock: FixedClock, changes: Document, told: Document
) -> None:
    learner_id, before = await awarded(partner, clock)
    assert says(before) == PERSON
    answer = await changed(partner, learner_id, **changes)
    assert answer["reissuing"] == 1
    assert {kind: answer[kind] for kind in changes} == changes
    assert await served(partner, before) == before
    await require_verifies(world_of(app), before)

    await run_due_jobs(app)
    after = await require_reissued(app, partner, before)
    assert says(after) == {**PERSON, **told}
    [first, second] = await list_all_editions(world_of(app))
    assert (first.state, second.state, second.identity_version) == ("superseded", "issued", 2)
    kinds = [event.type for event in await list_all_events(world_of(app), partner.issuer_id)]
    assert kinds[-2:] == ["learner.changed", "credential.reissued"]
    register = (await partner.client.get(before["id"].replace("/credentials/", "/v1/credentials/"))).json()
    assert (register["edition"], register["document"], register["learner_id"]) == (2, after, learner_id)


async def test_a_change_reissues_every_badge_and_no_one_elses(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    badges = []
    for validity_days in (None, 365):
        await published(partner, validity_days=validity_days)
        answer = await decided(partner, recipient={"email": ADA})
        badges.append(answer["credential"]["document"])
    others = (await decided(partner, recipient={"email": "ben@schools.example.org"}))["credential"]["document"]
    retired = await partner.client.post(f"/v1/achievements/{partner.achievement_id}/versions/1/retire")
    assert retired.status_code == 200, "a retired version goes on standing in the badges it was awarded with"
    clock.advance(days=1)
    assert (await changed(partner, answer["learner_id"], email=BYRON))["reissuing"] == 2
    await run_due_jobs(app)
    for badge in badges:
        assert says(await require_reissued(app, partner, badge))["email"] == BYRON
    assert await served(partner, others) == others


async def test_what_no_badge_says_reissues_none(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    answer = await decided(partner, recipient=PERSON)
    clock.advance(days=1)
    told = await changed(partner, answer["learner_id"], name="Ada Byron", external_id="fellow-17")
    assert (told["name"], told["external_id"], told["reissuing"]) == ("Ada Byron", "fellow-17", 0)
    await run_due_jobs(app)
    await require_verifies(world_of(app), answer["credential"]["document"])
    # The pair: what the badge does say is another matter, and the change before is no obstacle.
    assert (await changed(partner, answer["learner_id"], email=BYRON))["reissuing"] == 1
    await run_due_jobs(app)
    assert (await list_all_editions(world_of(app)))[-1].identity_version == 3


async def test_a_change_there_and_back_reissues_nothing(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    learner_id, badge = await awarded(partner, clock)
    await changed(partner, learner_id, name="Ada Byron")
    assert (await changed(partner, learner_id, name=PERSON["name"]))["reissuing"] == 0
    await run_due_jobs(app)
    assert await served(partner, badge) == badge
    assert (await changed(partner, learner_id, **PERSON))["reissuing"] == 0
    await run_due_jobs(app)
    [edition] = await list_all_editions(world_of(app))
    assert edition.number == 1


async def test_two_changes_before_the_job_runs_are_one_reissue(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    learner_id, badge = await awarded(partner, clock)
    await changed(partner, learner_id, name="Ada Byron")
    await changed(partner, learner_id, email=BYRON)
    await run_due_jobs(app)
    assert says(await require_reissued(app, partner, badge)) == {"did": DID, "name": "Ada Byron", "email": BYRON}
    assert len(await list_all_editions(world_of(app))) == 2


async def test_a_change_within_the_second_of_issuing_waits_for_the_next(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    answer = await decided(partner, recipient={"email": ADA})
    await changed(partner, answer["learner_id"], email=BYRON)
    await run_due_jobs(app)
    after = await require_reissued(app, partner, answer["credential"]["document"])
    assert after["validFrom"] == "2026-11-23T13:00:01Z"


async def test_an_award_that_adds_an_identity_leaves_earlier_badges_until_it_is_named(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    first = await decided(partner, recipient={"email": ADA})
    badge = first["credential"]["document"]
    clock.advance(days=1)
    second = await decided(partner, recipient={"email": ADA, "did": DID})
    assert says(second["credential"]["document"]) == {"did": DID, "email": ADA}
    await run_due_jobs(app)
    assert await served(partner, badge) == badge
    assert (await changed(partner, first["learner_id"], did=DID))["reissuing"] == 1
    await run_due_jobs(app)
    assert says(await require_reissued(app, partner, badge)) == {"did": DID, "email": ADA}


async def test_a_suspended_badge_catches_up_when_it_is_reinstated(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    learner_id, badge = await awarded(partner, clock, status_purpose="suspension")
    credential_id = badge["id"].rpartition("/")[2]
    assert (await change_status(partner, credential_id, "suspend")).status_code == 200
    assert (await changed(partner, learner_id, email=BYRON))["reissuing"] == 0
    await run_due_jobs(app)
    assert await served(partner, badge) == badge
    assert failures(await verify(world_of(app), badge)) == ["suspended"]

    assert (await change_status(partner, credential_id, "reinstate")).status_code == 200
    await run_due_jobs(app)
    assert says(await require_reissued(app, partner, badge))["email"] == BYRON
    # Reinstated once more, with nothing to catch up with.
    for verb in ("suspend", "reinstate"):
        assert (await change_status(partner, credential_id, verb)).status_code == 200
    await run_due_jobs(app)
    assert len(await list_all_editions(world_of(app))) == 2


async def test_a_revoked_badge_stays_as_it_is(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    learner_id, badge = await awarded(partner, clock)
    assert (await change_status(partner, badge["id"].rpartition("/")[2], "revoke")).status_code == 200
    assert (await changed(partner, learner_id, email=BYRON))["reissuing"] == 0
    await run_due_jobs(app)
    assert await served(partner, badge) == badge
    assert failures(await verify(world_of(app), badge)) == ["revoked"]


async def test_an_expired_badge_stays_as_it_is(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """A later edition with the same `validUntil` would end before it begins."""
    learner_id, badge = await awarded(partner, clock)
    clock.advance(days=200)
    assert (await changed(partner, learner_id, email=BYRON))["reissuing"] == 0
    await run_due_jobs(app)
    assert await served(partner, badge) == badge


async def test_a_badge_that_expires_before_the_job_runs_stays_too(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    learner_id, badge = await awarded(partner, clock)
    assert (await changed(partner, learner_id, email=BYRON))["reissuing"] == 1
    clock.advance(days=200)
    await run_due_jobs(app)
    assert await served(partner, badge) == badge
    async with world_of(app).database.reading() as session:
        jobs = (await session.scalars(select(Job.name))).all()
    assert REISSUE_JOB not in jobs


async def test_a_renewed_badge_keeps_what_it_was_extended_to(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """And a renewal withdrawn after a change goes back to the end before, with the identity of now."""
    await published(partner, validity_days=365)
    first = await decided(partner, recipient={"email": ADA})
    clock.advance(days=1)
    await changed(partner, first["learner_id"], did=DID)
    await run_due_jobs(app)
    clock.advance(days=1)
    second = await decided(
        partner, recipient={"email": ADA}, renews=first["id"], decided_at="2026-11-25T12:00:00Z", narrative="Still so."
    )
    clock.advance(days=1)
    await changed(partner, first["learner_id"], email=BYRON)
    await run_due_jobs(app)
    after = await require_reissued(app, partner, second["credential"]["document"])
    assert (after["awardedDate"], after["validUntil"]) == ("2026-04-09T14:00:00Z", "2027-11-25T12:00:00Z")
    clock.advance(days=1)
    withdrawn = await decided(
        partner, recipient={"email": ADA}, supersedes=second["id"], reason="An error.", outcome="not_yet"
    )
    back = withdrawn["credential"]["document"]
    assert back["validUntil"] == first["credential"]["document"]["validUntil"]
    assert says(back) == {"did": DID, "email": BYRON}
    clock.advance(days=1)
    await changed(partner, first["learner_id"], email=ADA)
    await run_due_jobs(app)
    assert says(await require_reissued(app, partner, back))["email"] == ADA


async def test_a_correction_after_a_change_corrects_the_reissued_badge(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    await published(partner)
    first = await decided(partner, recipient={"email": ADA})
    clock.advance(days=1)
    await changed(partner, first["learner_id"], email=BYRON)
    await run_due_jobs(app)
    reissued = await served(partner, first["credential"]["document"])
    clock.advance(days=1)
    # The recipient may be named by the address of then: it is still theirs.
    corrected = await decided(
        partner, recipient={"email": ADA}, supersedes=first["id"], reason="An error.", narrative="Corrected."
    )
    assert corrected["credential"]["edition"] == 3
    assert says(corrected["credential"]["document"])["email"] == BYRON
    assert failures(await verify(world_of(app), reissued)) == ["revoked"]
    clock.advance(days=1)
    await changed(partner, first["learner_id"], email=ADA)
    await run_due_jobs(app)
    after = await require_reissued(app, partner, corrected["credential"]["document"])
    assert after["credentialSubject"]["narrative"] == "Corrected."


async def test_the_address_before_still_finds_the_learner_until_it_is_removed(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    answer = await decided(partner, recipient={"email": ADA})
    learner_id = answer["learner_id"]
    told = await changed(partner, learner_id, email=BYRON)
    known = {each["value"]: each for each in told["identities"]}
    assert {value: each["primary"] for value, each in known.items()} == {ADA: False, BYRON: True}
    for address in (ADA, BYRON.upper()):
        again = await decided(partner, recipient={"email": address})
        assert again["learner_id"] == learner_id
        assert says(again["credential"]["document"])["email"] == BYRON

    path = f"/v1/learners/{learner_id}/identities"
    primary = await partner.client.delete(f"{path}/{known[BYRON]['id']}")
    assert refusal(primary) == (409, "identity_is_primary")
    assert f"/v1/learners/{learner_id}" in primary.json()["cure"]
    removed = await partner.client.delete(f"{path}/{known[ADA]['id']}")
    assert removed.status_code == 200, removed.text
    assert [each["value"] for each in removed.json()["identities"]] == [BYRON]
    assert (await partner.client.delete(f"{path}/{known[ADA]['id']}")).status_code == 404
    assert (await decided(partner, recipient={"email": ADA}))["learner_id"] != learner_id


async def test_another_identity_finds_the_learner_and_stands_in_no_badge(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    learner_id, badge = await awarded(partner, clock)
    unknown = await record(partner, recipient={"did": DID, "email": BYRON})
    assert refusal(unknown) == (409, "identity_taken")
    assert f"/v1/learners/{learner_id}/identities" in unknown.json()["cure"]

    answer = await add(partner, learner_id, kind="email", value=BYRON)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["email"], answer.json()["reissuing"]) == (ADA, 0)
    award = await decided(partner, recipient={"did": DID, "email": BYRON})
    assert (award["learner_id"], says(award["credential"]["document"])["email"]) == (learner_id, ADA)
    assert (await add(partner, learner_id, kind="email", value=BYRON.upper())).json()["identities"] == answer.json()[
        "identities"
    ]
    await run_due_jobs(app)
    assert await served(partner, badge) == badge

    clock.advance(days=1)
    primary = await add(partner, learner_id, kind="email", value=BYRON, primary=True)
    assert (primary.json()["email"], primary.json()["reissuing"]) == (BYRON, 2)
    await run_due_jobs(app)
    assert says(await require_reissued(app, partner, badge))["email"] == BYRON


async def test_the_first_of_a_kind_is_primary(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    answer = await decided(partner, recipient={"email": ADA})
    clock.advance(days=1)
    told = (await add(partner, answer["learner_id"], kind="did", value=DID)).json()
    assert (told["did"], told["reissuing"]) == (DID, 1)
    await run_due_jobs(app)
    assert says(await require_reissued(app, partner, answer["credential"]["document"])) == {"did": DID, "email": ADA}


async def test_adding_an_identity_twice_with_one_key_answers_alike(partner: Partner) -> None:
    learner_id = (await decided(partner, recipient={"email": ADA}))["learner_id"]
    body, key = {"kind": "email", "value": BYRON}, {"Idempotency-Key": "i-1"}
    first, again = [
        await partner.client.post(f"/v1/learners/{learner_id}/identities", json=body, headers=key) for _ in range(2)
    ]
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"


@on_sqlite
async def test_a_change_that_cannot_be_is_refused_and_nothing_is_done(
    app: FastAPI, partner: Partner, stranger: Partner, clock: FixedClock
) -> None:
    learner_id, badge = await awarded(partner, clock)
    ben = (await decided(partner, recipient={"email": BYRON, "external_id": "ben"}))["learner_id"]
    path, before = f"/v1/learners/{learner_id}", await learner_of(partner, learner_id)
    events = (await partner.client.get("/v1/events?limit=500")).json()
    for answer, expected in (
        (await change(partner, learner_id, email=BYRON), (409, "identity_taken")),
        (await change(partner, learner_id, name="Ada Byron", email=BYRON.upper()), (409, "identity_taken")),
        (await change(partner, learner_id, external_id="ben"), (409, "external_id_taken")),
        (await change(partner, learner_id, email=None, did=None), (422, "recipient_not_identifiable")),
        (await add(partner, learner_id, kind="email", value=BYRON), (409, "identity_taken")),
        (await change(partner, learner_id), (422, "invalid_body")),
        (await change(partner, learner_id, phone="1"), (422, "invalid_body")),
        (await change(partner, learner_id, email="nobody"), (422, "invalid_body")),
        (await change(partner, learner_id, did=""), (422, "invalid_body")),
        (await partner.client.patch(path, json=[]), (422, "invalid_body")),
        (await change(stranger, learner_id, name="Eve"), (404, "not_found")),
        (await add(stranger, learner_id, kind="did", value=OTHER_DID), (404, "not_found")),
        (await change(partner, "0" * 32, name="Eve"), (404, "not_found")),
    ):
        assert refusal(answer) == expected, answer.text
    for body, pointer in (
        ({"kind": "email", "value": DID}, "/value"),
        ({"kind": "did", "value": ADA}, "/value"),
        ({"kind": "name", "value": "Ada"}, "/kind"),
        ({"kind": "did", "value": OTHER_DID, "primary": "yes"}, "/primary"),
    ):
        answer = await add(partner, learner_id, **body)
        assert (answer.status_code, pointers(answer)) == (422, [pointer]), answer.text
        assert ADA not in answer.text
    taken = await change(partner, learner_id, email=BYRON)
    assert ben in taken.json()["detail"]
    assert "merge" in taken.json()["cure"]
    assert await learner_of(partner, learner_id) == before
    assert (await partner.client.get("/v1/events?limit=500")).json() == events
    await run_due_jobs(app)
    assert await served(partner, badge) == badge


@on_sqlite
async def test_a_learner_without_badges_may_lose_what_is_not_the_last(partner: Partner) -> None:
    made = (await partner.client.post("/v1/learners", json={"name": "Ada", "external_id": "a"})).json()["id"]
    assert (await changed(partner, made, name=None))["name"] is None
    assert refusal(await change(partner, made, external_id=None)) == (422, "recipient_not_identifiable")
    assert (await changed(partner, made, external_id="b"))["external_id"] == "b"
    assert (await changed(partner, made, email=ADA, external_id=None))["identities"][0]["value"] == ADA


async def test_an_erased_learner_cannot_be_changed(partner: Partner) -> None:
    learner_id = (await decided(partner))["learner_id"]
    assert (await partner.client.post(f"/v1/learners/{learner_id}/erase")).status_code == 200
    for answer in (
        await change(partner, learner_id, name="Ada"),
        await add(partner, learner_id, kind="email", value=BYRON),
        await partner.client.delete(f"/v1/learners/{learner_id}/identities/{'0' * 32}"),
    ):
        assert refusal(answer) == (410, "gone")


async def test_no_identity_is_ever_in_the_clear(
    app: FastAPI, settings: Settings, partner: Partner, clock: FixedClock
) -> None:
    """Not the one before, not the one now, not another; only ids and kinds are told."""
    canaries = [
        "Kanaryone",
        "kanarytwo",
        "did:example:kanarythree",
        "Kanaryfour",
        "kanaryfive",
        "did:example:kanarysix",
    ]
    name, email, did, new_name, new_email, new_did = canaries
    await published(partner, recipient_name=True)
    recipient = {"name": name, "email": f"{email}@schools.example.org", "did": did}
    learner_id = (await decided(partner, recipient=recipient))["learner_id"]
    clock.advance(days=1)
    await changed(partner, learner_id, name=new_name, email=f"{new_email}@schools.example.org", did=new_did)
    await run_due_jobs(app)
    told = await learner_of(partner, learner_id)
    assert {each["value"] for each in told["identities"]} >= {did, new_did}
    async with open_owner(settings) as owner:
        contents = await list_contents(owner)
    assert is_in(contents, learner_id)
    assert {canary: is_in(contents, canary) for canary in canaries if is_in(contents, canary)} == {}
    events = (await partner.client.get("/v1/events?limit=500")).json()["items"]
    assert next(e for e in events if e["type"] == "learner.changed")["data"] == {"changed": ["name", "email", "did"]}
