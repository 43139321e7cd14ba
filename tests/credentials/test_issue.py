"""The issuing story: two commits, what happens when either fails, and what the recovery makes of what is left."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from app.credentials.issue import GIVE_UP_AFTER, LEASE, CredentialPending, recover
from app.credentials.jobs import HOLDINGS_JOB
from app.errors import Broken, Conflict
from app.issuers.jobs import FREEZE_QUALITY_JOB
from app.issuers.sign import SelfVerificationFailed
from app.jobs.embedded import EmbeddedRunner, Handler
from app.keys.store import get_active_key
from app.openbadges.datatypes import parse_date_time_z
from app.proofs.errors import LintTokenMisused
from app.proofs.signer import LintToken, SigningRequest
from app.resources import Resources
from app.settings import Settings
from app.worker import handlers
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.issuing import (
    AbsentSigner,
    CountingSigner,
    MeanwhileSigner,
    WrongSigner,
    change_status,
    count_rows,
    decide_directly,
    decided,
    entry_bit,
    execute_as_owner,
    list_all_credentials,
    list_all_editions,
    list_all_events,
    published_bit,
    record,
    refusing,
    require_verifies,
    with_signer,
    world_of,
)

AFTER_LEASE = LEASE + timedelta(seconds=1)


async def run_recovery_jobs(world: Resources, clock: FixedClock) -> int:
    """Let the lease run out, then run what is due: how many jobs that was."""
    clock.advance(seconds=AFTER_LEASE.total_seconds())
    return await run_due_jobs(world)


async def run_due_jobs(world: Resources) -> int:
    """How many there were, but for those that look whether a badge counts for a pathway, or for reports to freeze."""
    ran = []

    def noted(name: str, handler: Handler) -> Handler:
        async def handle(payload: Mapping[str, Any]) -> None:
            ran.append(name)
            await handler(payload)

        return handle

    noting = {name: noted(name, handler) for name, handler in handlers(world).items()}
    runner = EmbeddedRunner(world.database, world.clock, noting)
    while await runner.run_one():
        pass
    return sum(name not in (HOLDINGS_JOB, FREEZE_QUALITY_JOB) for name in ran)


async def left_pending(app: FastAPI, partner: Partner, settings: Settings) -> None:
    """A decision whose second commit was refused."""
    async with refusing(settings, "representation"):
        answer = await record(partner)
    assert answer.status_code >= 400, answer.text
    assert [edition.state for edition in await list_all_editions(world_of(app))] == ["pending"]


async def require_finished(app: FastAPI, partner: Partner) -> None:
    """There is exactly one badge, it is served and it verifies."""
    [credential] = await list_all_credentials(world_of(app))
    [edition] = await list_all_editions(world_of(app))
    assert (credential.state, credential.edition_number, edition.state) == ("issued", 1, "issued")
    assert (edition.claimed_by, edition.claimed_until) == (None, None)
    counts = await count_rows(world_of(app))
    assert (counts["decision"], counts["award"], counts["representation"], counts["drawn"]) == (1, 1, 1, 1)
    served = await partner.client.get(f"/credentials/{credential.id}")
    assert served.status_code == 200
    await require_verifies(world_of(app), served.json())
    types = [event.type for event in await list_all_events(world_of(app), partner.issuer_id)]
    assert types.count("credential.issued") == 1


# The second commit


async def test_a_failed_second_commit_releases_nothing_and_is_made_up_for(
    app: FastAPI, partner: Partner, settings: Settings, clock: FixedClock
) -> None:
    world = world_of(app)
    await left_pending(app, partner, settings)
    [credential] = await list_all_credentials(world)
    assert (await partner.client.get(f"/credentials/{credential.id}")).status_code == 404
    shown = (await partner.client.get(f"/v1/credentials/{credential.id}")).json()
    assert (shown["state"], shown["edition"], shown["document"]) == ("pending", 0, None)
    for verb in ("revoke", "suspend", "reinstate"):
        refused = await change_status(partner, credential.id, verb)
        assert (refused.status_code, refused.json()["code"]) == (409, "credential_pending")
    types = [event.type for event in await list_all_events(world, partner.issuer_id)]
    assert "decision.recorded" in types
    assert "credential.issued" not in types

    assert await run_due_jobs(world) == 0
    assert await run_recovery_jobs(world, clock) == 1
    await require_finished(app, partner)
    assert await run_recovery_jobs(world, clock) == 0
    await require_finished(app, partner)


async def test_a_recovered_badge_has_the_bytes_that_were_intended(
    app: FastAPI, partner: Partner, settings: Settings, clock: FixedClock
) -> None:
    """The proof's date and the document are those of the first attempt, however much later it is finished."""
    await left_pending(app, partner, settings)
    clock.advance(hours=5)
    assert await run_due_jobs(world_of(app)) == 1
    [edition] = await list_all_editions(world_of(app))
    document = (await partner.client.get(f"/credentials/{edition.credential_id}")).json()
    assert document["validFrom"] == "2026-11-23T13:00:00Z"
    assert document["proof"][0]["created"] == "2026-11-23T13:00:00Z"
    assert edition.issued_at == clock.now()


async def test_a_reissue_waits_for_the_edition_that_is_still_being_signed(
    app: FastAPI, partner: Partner, settings: Settings, clock: FixedClock
) -> None:
    await left_pending(app, partner, settings)
    [edition] = await list_all_editions(world_of(app))
    refused = await record(partner, supersedes=edition.decision_id, reason="A correction.")
    assert (refused.status_code, refused.json()["code"]) == (409, "credential_pending")
    assert refused.headers["Retry-After"]
    refused = await record(partner, outcome="not_yet", supersedes=edition.decision_id, reason="A correction.")
    assert (refused.status_code, refused.json()["code"]) == (409, "credential_pending")
    await run_recovery_jobs(world_of(app), clock)
    await decided(partner, supersedes=edition.decision_id, reason="A correction.")


# The first commit


async def test_a_failed_first_commit_leaves_nothing(app: FastAPI, partner: Partner, settings: Settings) -> None:
    before = await count_rows(world_of(app))
    for table in ("edition", "job", "event"):
        async with refusing(settings, table):
            answer = await record(partner, key="k-1")
        assert answer.status_code >= 400
        assert await count_rows(world_of(app)) == before, table
    await decided(partner, key="k-1")


# Signers


async def test_the_recovery_job_does_not_give_up_while_the_signer_is_away(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    world = world_of(app)
    away = await _pending_for_want_of_a_signer(world, partner)
    clock.advance(seconds=AFTER_LEASE.total_seconds())
    for _ in range(12):
        await run_due_jobs(away)
        clock.advance(seconds=30)
        assert (await list_all_editions(world))[-1].state == "pending"
    clock.advance(hours=1)
    await run_due_jobs(world)
    await _require_last_is_issued(world, partner)


async def test_what_cannot_be_signed_for_a_day_is_burned(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    world = world_of(app)
    await _pending_for_want_of_a_signer(world, partner)
    # The badge's signature fails, that of the status list which marks it does not.
    clock.advance(seconds=GIVE_UP_AFTER.total_seconds())
    once_away = with_signer(world, AbsentSigner(world.signer, times=1))
    await run_due_jobs(once_away)
    await _require_last_is_burned(world, partner)
    # A new decision in its place gives a new edition, with a place of its own in the list.
    edition = (await list_all_editions(world))[-1]
    answer = await decided(partner, supersedes=edition.decision_id, reason="It was never issued.")
    assert (answer["credential"]["state"], answer["credential"]["edition"]) == ("issued", 2)
    await require_verifies(world, answer["credential"]["document"])
    assert await published_bit(world, edition)


async def test_a_wrong_signature_is_never_released(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    world = world_of(app)
    await decided(partner, recipient={"email": "first@schools.example.org"})
    with pytest.raises(SelfVerificationFailed):
        await decide_directly(with_signer(world, WrongSigner(world.signer)), partner)
    edition = (await list_all_editions(world))[-1]
    assert edition.state == "pending"
    assert (await partner.client.get(f"/credentials/{edition.credential_id}")).status_code == 404
    assert (await count_rows(world))["representation"] == 1
    await run_recovery_jobs(world, clock)
    await _require_last_is_issued(world, partner)


async def test_a_signature_that_is_wrong_again_burns_the_edition(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    world = world_of(app)
    await decided(partner, recipient={"email": "first@schools.example.org"})
    with pytest.raises(SelfVerificationFailed):
        await decide_directly(with_signer(world, WrongSigner(world.signer)), partner)
    await run_recovery_jobs(with_signer(world, WrongSigner(world.signer, times=1)), clock)
    await _require_last_is_burned(world, partner)


async def test_a_status_list_with_a_wrong_signature_is_never_published(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    """Not even to burn an edition: every badge on the list would stop verifying."""
    world = world_of(app)
    first = await decided(partner, recipient={"email": "first@schools.example.org"})
    wrong = with_signer(world, WrongSigner(world.signer))
    with pytest.raises(SelfVerificationFailed):
        await decide_directly(wrong, partner)
    await run_recovery_jobs(wrong, clock)
    assert (await list_all_editions(world))[-1].state == "pending"
    await require_verifies(world, first["credential"]["document"])
    clock.advance(hours=2)
    await run_due_jobs(world)
    await _require_last_is_issued(world, partner)


async def _pending_for_want_of_a_signer(world: Resources, partner: Partner) -> Resources:
    """A badge that is intended and not signed; the world whose signer is away. Another badge opened the status list."""
    await decided(partner, recipient={"email": "first@schools.example.org"})
    away = with_signer(world, AbsentSigner(world.signer))
    with pytest.raises(Broken):
        await decide_directly(away, partner)
    assert [edition.state for edition in await list_all_editions(world)] == ["issued", "pending"]
    return away


async def _require_last_is_issued(world: Resources, partner: Partner) -> None:
    [_, edition] = await list_all_editions(world)
    assert edition.state == "issued"
    served = await partner.client.get(f"/credentials/{edition.credential_id}")
    await require_verifies(world, served.json())


async def _require_last_is_burned(world: Resources, partner: Partner) -> None:
    [_, edition] = await list_all_editions(world)
    assert edition.state == "burned"
    assert await published_bit(world, edition)
    [_, credential] = await list_all_credentials(world)
    assert (credential.state, credential.edition_number) == ("failed", 0)
    assert (await partner.client.get(f"/credentials/{credential.id}")).status_code == 404
    last = (await list_all_events(world, partner.issuer_id))[-1]
    assert (last.type, last.object_id) == ("credential.failed", credential.id)
    assert (await count_rows(world))["representation"] == 1


async def test_the_vault_signs_once_per_linting_and_only_what_was_linted(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    async with world.database.reading() as session:
        key = await get_active_key(session, partner.issuer_id)
    token = LintToken(b"d" * 32)
    linted = SigningRequest(token, key.id, b"c" * 32 + b"d" * 32)
    with pytest.raises(LintTokenMisused, match="not the document"):
        await world.signer.sign([SigningRequest(token, key.id, b"c" * 32 + b"e" * 32)])
    [signature] = await world.signer.sign([linted])
    assert len(signature.value) == 64
    with pytest.raises(LintTokenMisused, match="spent"):
        await world.signer.sign([linted])


# Linting


async def test_what_fails_the_lint_is_not_signed(app: FastAPI, partner: Partner, settings: Settings) -> None:
    world = world_of(app)
    await decided(partner, recipient={"email": "first@schools.example.org"})
    document = (await partner.client.get(f"/v1/achievements/{partner.achievement_id}")).json()["versions"][0][
        "document"
    ]
    await execute_as_owner(
        settings,
        "DROP TRIGGER achievement_version_frozen" + ("" if settings.is_sqlite else " ON achievement_version"),
    )
    await execute_as_owner(
        settings,
        "UPDATE achievement_version SET document = :document",
        document=json.dumps({**document, "grade": "A+"}),
    )
    before = await count_rows(world)
    counting = CountingSigner(world.signer)
    app.state.resources = with_signer(world, counting)
    refused = await record(partner)
    assert (refused.status_code, refused.json()["code"]) == (422, "lint_failed")
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/credentialSubject/achievement/grade"]
    assert counting.signed == 0
    assert await count_rows(world) == before


# Claims


async def test_a_claim_is_not_taken_over_while_it_lives(
    app: FastAPI, partner: Partner, settings: Settings, clock: FixedClock
) -> None:
    world = world_of(app)
    await left_pending(app, partner, settings)
    [before] = await list_all_editions(world)
    clock.advance(seconds=LEASE.total_seconds())
    with pytest.raises(CredentialPending):
        await recover(world, partner.issuer_id, before.id)
    [edition] = await list_all_editions(world)
    assert (edition.state, edition.claimed_by) == ("pending", before.claimed_by)

    clock.advance(seconds=1)
    assert await recover(world, partner.issuer_id, before.id)
    await require_finished(app, partner)
    assert not await recover(world, partner.issuer_id, before.id)


async def test_who_lost_the_claim_releases_nothing(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """A signature that takes longer than the lease: the job has finished the badge meanwhile."""
    world = world_of(app)
    await decided(partner, recipient={"email": "first@schools.example.org"})

    async def meanwhile() -> None:
        await run_recovery_jobs(world, clock)

    with pytest.raises(CredentialPending):
        await decide_directly(with_signer(world, MeanwhileSigner(world.signer, meanwhile)), partner)
    await _require_last_is_issued(world, partner)
    assert (await count_rows(world))["representation"] == 2


async def test_two_recoveries_at_once_give_one_badge(
    app: FastAPI, partner: Partner, settings: Settings, clock: FixedClock
) -> None:
    world = world_of(app)
    await left_pending(app, partner, settings)
    [edition] = await list_all_editions(world)
    clock.advance(seconds=AFTER_LEASE.total_seconds())
    outcomes = await asyncio.gather(
        *(recover(world, partner.issuer_id, edition.id) for _ in range(4)), return_exceptions=True
    )
    assert [outcome for outcome in outcomes if outcome is True] == [True]
    assert all(outcome in (True, False) or isinstance(outcome, CredentialPending) for outcome in outcomes)
    await require_finished(app, partner)


async def test_a_revocation_during_a_reissue_prevails(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """The caller was told that the badge is revoked: a new edition must not make it good again."""
    world = world_of(app)
    partner.achievement_id = await publish(
        partner.client, achievement_body(settings={"status_purpose": "suspension", "visibility": "unlisted"})
    )
    first = await decided(partner)
    clock.advance(days=1)

    async def meanwhile() -> None:
        assert (await change_status(partner, first["credential"]["id"], "revoke")).status_code == 200

    slow = with_signer(world, MeanwhileSigner(world.signer, meanwhile))
    with pytest.raises(Conflict):
        await decide_directly(slow, partner, supersedes=first["id"], reason="A correction.")
    await run_recovery_jobs(world, clock)
    [credential] = await list_all_credentials(world)
    assert (credential.state, credential.edition_number, credential.version) == ("revoked", 1, 1)
    earlier, later = await list_all_editions(world)
    assert (earlier.state, later.state) == ("issued", "burned")
    assert await published_bit(world, later)
    assert await entry_bit(partner.client, first["credential"]["document"])


async def test_a_hold_waits_for_the_reissue_under_way(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """A hold concerns the edition people have: while the next is being signed the caller is asked to come again."""
    world = world_of(app)
    partner.achievement_id = await publish(
        partner.client, achievement_body(settings={"status_purpose": "suspension", "visibility": "unlisted"})
    )
    first = await decided(partner)
    clock.advance(days=1)

    async def meanwhile() -> None:
        early = await change_status(partner, first["credential"]["id"], "suspend")
        assert (early.status_code, early.json()["code"]) == (409, "credential_pending")
        assert early.headers["retry-after"]

    slow = with_signer(world, MeanwhileSigner(world.signer, meanwhile))
    await decide_directly(slow, partner, supersedes=first["id"], reason="A correction.")
    assert (await change_status(partner, first["credential"]["id"], "suspend")).status_code == 200
    earlier, later = await list_all_editions(world)
    assert (earlier.state, later.state) == ("superseded", "issued")
    assert await published_bit(world, later)


# Dates


@pytest.mark.parametrize("fraction", [0, 750_000])
async def test_valid_from_is_a_whole_second_and_later_with_each_edition(
    app: FastAPI, partner: Partner, clock: FixedClock, fraction: int
) -> None:
    clock.moment = datetime(2026, 11, 23, 14, 0, 0, fraction, tzinfo=UTC)
    answer = await decided(partner)
    moments = [parse_date_time_z(answer["credential"]["document"]["validFrom"])]
    assert moments == [datetime(2026, 11, 23, 14, tzinfo=UTC)]
    for _ in range(2):
        answer = await decided(partner, supersedes=answer["id"], reason="At once again.")
        document = answer["credential"]["document"]
        moments.append(parse_date_time_z(document["validFrom"]))
        assert moments[-1] <= clock.now()
        assert parse_date_time_z(document["proof"][0]["created"]) <= clock.now()
    assert [moment - moments[0] for moment in moments] == [timedelta(seconds=n) for n in range(3)]
