"""The job that reissues badges: killed anywhere, run twice, run by two at once, and in the way of others."""

import asyncio
import os
import signal
import sys
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.credentials.issue import LEASE, REISSUE_JOB, CredentialPending
from app.identity.reissue import reissue_badges
from app.jobs.queue import Job
from app.resources import Resources
from app.settings import Settings
from app.worker import open_runner
from tests.conftest import PROJECT, Partner
from tests.fakes import FixedClock
from tests.identity.steps import ADA, BYRON, DID, changed, published, require_reissued, run_due_jobs, says, served
from tests.issuing import (
    Document,
    MeanwhileSigner,
    WrongSigner,
    change_status,
    count_rows,
    decide_directly,
    decided,
    list_all_credentials,
    list_all_editions,
    list_all_events,
    record,
    require_verifies,
    with_signer,
    world_of,
)


async def three_badges(partner: Partner, clock: FixedClock) -> tuple[str, list[Document]]:
    """A learner with three badges a day old: learner id, badges."""
    answers = [await decided(partner, recipient={"email": ADA}) for _ in range(3)]
    clock.advance(days=1)
    return answers[0]["learner_id"], [answer["credential"]["document"] for answer in answers]


async def require_one_more_edition_each(app: FastAPI, partner: Partner, badges: list[Document]) -> None:
    for badge in badges:
        assert says(await require_reissued(app, partner, badge))["email"] == BYRON
    states = [(edition.number, edition.state) for edition in await list_all_editions(world_of(app))]
    assert sorted(states) == [(1, "superseded")] * len(badges) + [(2, "issued")] * len(badges)
    events = await list_all_events(world_of(app), partner.issuer_id)
    assert [event.type for event in events].count("credential.reissued") == len(badges)
    assert (await count_rows(world_of(app)))["drawn"] == 2 * len(badges)


async def list_jobs(world: Resources) -> list[Job]:
    async with world.database.reading() as session:
        return list((await session.scalars(select(Job).where(Job.name == REISSUE_JOB))).all())


async def work_until_the_signature(settings: Settings, clock: FixedClock, last: int) -> tuple[int | None, str]:
    """Run the due jobs in a process that is killed at its `last` signature: exit status and output."""
    assert settings.key_encryption_key is not None
    environment = {
        "PATH": os.defpath,
        "HOME": str(settings.data_directory),
        "ASSAY_DATABASE_URL": settings.database_url.get_secret_value(),
        "ASSAY_KEY_ENCRYPTION_KEY": settings.key_encryption_key.get_secret_value(),
        "ASSAY_PUBLIC_URL": settings.public_url,
        "ASSAY_DATA_DIRECTORY": str(settings.data_directory),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.identity.dying_job", clock.now().isoformat(), str(last),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=PROJECT, env=environment,
    )  # fmt: skip
    output, errors = await process.communicate()
    return process.returncode, (output + errors).decode()


async def test_a_job_that_is_killed_again_and_again_ends_right(
    app: FastAPI, settings: Settings, partner: Partner, clock: FixedClock
) -> None:
    """A badge takes two signatures, its own and the status list's: each kind of death is among these."""
    learner_id, badges = await three_badges(partner, clock)
    assert (await changed(partner, learner_id, email=BYRON))["reissuing"] == 3
    for last in (1, 2, 3, 4):
        status, told = await work_until_the_signature(settings, clock, last)
        assert status == -signal.SIGKILL, told
        for badge in badges:
            await require_verifies(world_of(app), await served(partner, badge))
        clock.advance(seconds=(LEASE + timedelta(seconds=2)).total_seconds())
    for _ in range(3):  # a job that was postponed meanwhile is due again
        await run_due_jobs(app)
        clock.advance(minutes=5)
    await require_one_more_edition_each(app, partner, badges)
    assert await list_jobs(world_of(app)) == []


async def test_two_workers_at_once_make_one_edition_each(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    world = world_of(app)
    learner_id, badges = await three_badges(partner, clock)
    await changed(partner, learner_id, email=BYRON)
    done = await asyncio.gather(
        *(reissue_badges(world, partner.issuer_id, learner_id) for _ in range(4)), return_exceptions=True
    )
    assert all(isinstance(each, int | CredentialPending) for each in done), done
    await run_due_jobs(app)
    assert await reissue_badges(world, partner.issuer_id, learner_id) == 0
    await require_one_more_edition_each(app, partner, badges)


async def test_changes_at_once_end_with_badges_that_say_the_last(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    """With a worker at the same time, and awards to the same learner."""
    learner_id, _ = await three_badges(partner, clock)
    addresses = [BYRON, *(f"ada.{number}@schools.example.org" for number in range(4))]
    await asyncio.gather(
        *(changed(partner, learner_id, email=address) for address in addresses),
        *(decided(partner, recipient={"email": ADA}) for _ in range(2)),
        run_due_jobs(app),
    )
    clock.advance(minutes=5)
    await changed(partner, learner_id, email=BYRON)
    for _ in range(3):
        await run_due_jobs(app)
        clock.advance(minutes=5)
    credentials = await list_all_credentials(world_of(app))
    assert len(credentials) == 5
    for credential in credentials:
        badge = (await partner.client.get(f"/credentials/{credential.id}")).json()
        assert says(badge)["email"] == BYRON
        await require_verifies(world_of(app), badge)
    assert {edition.state for edition in await list_all_editions(world_of(app))} == {"issued", "superseded"}


async def test_a_change_while_a_badge_is_being_signed_waits_for_it(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    world = world_of(app)
    await decided(
        partner, recipient={"email": "first@schools.example.org"}
    )  # opens the status list, which is signed too
    learner_id = (await partner.client.post("/v1/learners", json={"email": ADA})).json()["id"]
    told: list[Document] = []

    async def meanwhile() -> None:
        told.append(await changed(partner, learner_id, email=BYRON))
        await run_due_jobs(app)

    slow = with_signer(world, MeanwhileSigner(world.signer, meanwhile))
    await decide_directly(slow, partner, recipient={"email": ADA})
    assert told[0]["reissuing"] == 1
    [job] = await list_jobs(world)
    assert job.last_error == "CredentialPending"
    credential = (await list_all_credentials(world))[-1]
    first = (await partner.client.get(f"/credentials/{credential.id}")).json()
    assert says(first)["email"] == ADA

    clock.advance(minutes=1)
    await run_due_jobs(app)
    assert says(await require_reissued(app, partner, first))["email"] == BYRON
    assert await list_jobs(world) == []


async def test_a_badge_revoked_while_it_is_reissued_stays_revoked(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    world = world_of(app)
    answer = await decided(partner, recipient={"email": ADA})
    clock.advance(days=1)
    await changed(partner, answer["learner_id"], email=BYRON)

    async def meanwhile() -> None:
        assert (await change_status(partner, answer["credential"]["id"], "revoke")).status_code == 200

    runner = open_runner(with_signer(world, MeanwhileSigner(world.signer, meanwhile)))
    while await runner.run_one():
        pass
    for _ in range(3):
        clock.advance(minutes=5)
        await run_due_jobs(app)
    [credential] = await list_all_credentials(world)
    assert (credential.state, credential.edition_number) == ("revoked", 1)
    assert [edition.state for edition in await list_all_editions(world)] == ["issued", "burned"]
    assert await list_jobs(world) == []


async def test_an_edition_that_was_given_up_is_made_again(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """One badge cannot be signed soundly for a while: the others are not held up, and a repeated request is answered."""
    world = world_of(app)
    first = await record(partner, key="k-1", recipient={"email": ADA})
    badges = [first.json()["credential"]["document"]]
    badges.append((await decided(partner, recipient={"email": ADA}))["credential"]["document"])
    clock.advance(hours=1)
    await changed(partner, first.json()["learner_id"], email=BYRON)
    wrong = open_runner(with_signer(world, WrongSigner(world.signer, times=1)))
    while await wrong.run_one():
        pass
    assert sorted(e.state for e in await list_all_editions(world)) == ["issued", "issued", "pending", "superseded"]
    clock.advance(seconds=(LEASE + timedelta(seconds=2)).total_seconds())
    wrong = open_runner(with_signer(world, WrongSigner(world.signer, times=1)))
    while await wrong.run_one():
        pass
    again = await record(partner, key="k-1", recipient={"email": ADA})
    assert (again.status_code, again.json()) == (201, first.json())
    for _ in range(3):
        clock.advance(minutes=5)
        await run_due_jobs(app)
    for badge in badges:
        assert says(await require_reissued(app, partner, badge))["email"] == BYRON
    assert await list_jobs(world) == []


@pytest.mark.parametrize(
    ("reason_code", "awarded", "until"),
    [
        ("clerical_error", "2026-10-01T12:00:00Z", "2027-10-01T12:00:00Z"),
        ("other", "2026-04-09T14:00:00Z", "2027-04-09T14:00:00Z"),
    ],
)
async def test_a_correction_given_up_is_made_good_by_the_reissue(
    app: FastAPI, partner: Partner, clock: FixedClock, reason_code: str, awarded: str, until: str
) -> None:
    """The newest decision stands, so the next edition is that of the correction, with the date that it would have had."""
    world = world_of(app)
    await published(partner, validity_days=365)
    first = await decided(partner, recipient={"email": ADA}, narrative="As it was.")
    clock.advance(days=1)
    correction = {"supersedes": first["id"], "reason": "An error.", "reason_code": reason_code}
    correction["decided_at"] = "2026-10-01T12:00:00Z"
    app.state.resources = with_signer(world, WrongSigner(world.signer, times=2))
    failed = await record(partner, recipient={"email": ADA}, narrative="Corrected.", **correction)
    assert failed.status_code == 500, failed.text
    clock.advance(seconds=(LEASE + timedelta(seconds=2)).total_seconds())
    await run_due_jobs(app)
    app.state.resources = world
    assert [edition.state for edition in await list_all_editions(world)] == ["issued", "burned"]

    await changed(partner, first["learner_id"], email=BYRON)
    await run_due_jobs(app)
    after = await served(partner, first["credential"]["document"])
    await require_verifies(world, after)
    assert says(after)["email"] == BYRON
    assert after["credentialSubject"]["narrative"] == "Corrected."
    assert (after["awardedDate"], after["validUntil"]) == (awarded, until)


async def test_the_job_of_an_erased_learner_does_nothing(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    learner_id, _ = await three_badges(partner, clock)
    await changed(partner, learner_id, email=BYRON)
    assert (await partner.client.post(f"/v1/learners/{learner_id}/erase")).status_code == 200
    await run_due_jobs(app)
    assert [edition.number for edition in await list_all_editions(world_of(app))] == [1, 1, 1]
    assert await list_jobs(world_of(app)) == []


async def test_a_suspended_badge_catches_up_with_what_was_named_meanwhile(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    """Also with a DID that an award had added before somebody named it."""
    await published(partner, status_purpose="suspension")
    first = await decided(partner, recipient={"email": ADA})
    badge, credential_id = first["credential"]["document"], first["credential"]["id"]
    assert (await change_status(partner, credential_id, "suspend")).status_code == 200
    await record(partner, recipient={"email": ADA, "did": DID})
    assert (await changed(partner, first["learner_id"], did=DID))["reissuing"] == 0
    clock.advance(seconds=5)
    await run_due_jobs(app)
    assert await served(partner, badge) == badge
    assert (await change_status(partner, credential_id, "reinstate")).status_code == 200
    await run_due_jobs(app)
    assert says(await require_reissued(app, partner, badge)) == {"did": DID, "email": ADA}
