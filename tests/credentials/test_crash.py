"""A process that really dies (SIGKILL) while it issues a badge, and what the next one makes of it."""

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.credentials.issue import LEASE
from app.resources import Resources
from app.settings import Settings
from app.worker import open_runner
from tests.builders import decision_body
from tests.conftest import PROJECT, Partner
from tests.fakes import FixedClock
from tests.issuing import (
    Document,
    count_rows,
    decided,
    entry_bit,
    list_all_editions,
    list_all_events,
    require_verifies,
    world_of,
)

KEY = "the-same-key"


async def die(
    settings: Settings,
    client: httpx.AsyncClient,
    clock: FixedClock,
    failpoint: str,
    body: Document,
    path: str = "/v1/decisions",
) -> None:
    """Post `body` as this client in a process of its own, which is killed at `failpoint`."""
    order = {
        "moment": clock.now().isoformat(),
        "token": client.headers["Authorization"].removeprefix("Bearer "),
        "path": path,
        "body": body,
        "key": KEY,
        "failpoint": failpoint,
    }
    assert settings.key_encryption_key is not None
    environment = {
        "PATH": os.defpath,
        "HOME": str(settings.data_directory),
        "ASSAY_DATABASE_URL": settings.database_url.get_secret_value(),
        "ASSAY_KEY_ENCRYPTION_KEY": settings.key_encryption_key.get_secret_value(),
        "ASSAY_PUBLIC_URL": settings.public_url,
        "ASSAY_DATA_DIRECTORY": str(settings.data_directory),
    }
    if settings.database_role is not None:
        environment["ASSAY_DATABASE_ROLE"] = settings.database_role
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.credentials.dying_process",
        stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=PROJECT, env=environment,
    )  # fmt: skip
    _, errors = await process.communicate(json.dumps(order).encode())
    assert process.returncode == -signal.SIGKILL, errors.decode()


async def post(partner: Partner, body: Document) -> Document:
    answer = await partner.client.post("/v1/decisions", json=body, headers={"Idempotency-Key": KEY})
    assert answer.status_code == 201, answer.text
    document: Document = answer.json()
    return document


async def open_status_list(partner: Partner) -> None:
    """Issue one badge, so that the next signature is that of the next badge."""
    await decided(partner, recipient={"email": "first@schools.example.org"})


async def require_one_more(app: FastAPI, partner: Partner, badge: Document) -> None:
    """Exactly one decision, award, credential and edition beside those of the badge that opened the list."""
    world = world_of(app)
    counts = await count_rows(world)
    assert {name: counts[name] for name in ("decision", "award", "credential", "edition", "representation", "drawn")} == {
        "decision": 2, "award": 2, "credential": 2, "edition": 2, "representation": 2, "drawn": 2,
    }  # fmt: skip
    assert [edition.state for edition in await list_all_editions(world)] == ["issued", "issued"]
    await require_verifies(world, badge)
    assert not await entry_bit(partner.client, badge)
    events = await list_all_events(world, partner.issuer_id)
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    assert [event.type for event in events].count("credential.issued") == 2


async def run_jobs(world: Resources, clock: FixedClock) -> None:
    clock.advance(seconds=(LEASE + timedelta(seconds=1)).total_seconds())
    runner = open_runner(world)
    while await runner.run_one():
        pass


def body_of(partner: Partner, **changes: Any) -> Document:
    return decision_body(partner.achievement_id, partner.panel_id, **changes)


@pytest.mark.parametrize("failpoint", ["before signing", "after signing"])
async def test_the_same_request_finishes_what_a_dead_process_began(
    app: FastAPI, settings: Settings, partner: Partner, clock: FixedClock, failpoint: str
) -> None:
    await open_status_list(partner)
    await die(settings, partner.client, clock, failpoint, body_of(partner))
    [_, edition] = await list_all_editions(world_of(app))
    assert edition.state == "pending"
    assert (await partner.client.get(f"/credentials/{edition.credential_id}")).status_code == 404

    clock.advance(seconds=(LEASE + timedelta(seconds=1)).total_seconds())
    answer = await post(partner, body_of(partner))
    assert answer["credential"]["document"]["id"].endswith(edition.credential_id)
    assert answer["credential"]["document"]["validFrom"] == "2026-11-23T13:00:00Z"
    assert await post(partner, body_of(partner)) == answer
    await run_jobs(world_of(app), clock)
    await require_one_more(app, partner, answer["credential"]["document"])


async def test_the_job_finishes_it_when_nobody_asks_again(
    app: FastAPI, settings: Settings, partner: Partner, clock: FixedClock
) -> None:
    await open_status_list(partner)
    await die(settings, partner.client, clock, "after signing", body_of(partner))
    await run_jobs(world_of(app), clock)
    [_, edition] = await list_all_editions(world_of(app))
    badge = (await partner.client.get(f"/credentials/{edition.credential_id}")).json()
    await require_one_more(app, partner, badge)
    # Who asks after all gets the same badge.
    assert (await post(partner, body_of(partner)))["credential"]["document"] == badge
    await require_one_more(app, partner, badge)


async def test_a_death_in_the_first_commit_leaves_nothing(
    app: FastAPI, settings: Settings, partner: Partner, clock: FixedClock
) -> None:
    """The first badge of an issuer opens its status list, which is signed within the first commit."""
    before = await count_rows(world_of(app))
    await die(settings, partner.client, clock, "before signing", body_of(partner))
    assert await count_rows(world_of(app)) == before
    answer = await post(partner, body_of(partner))
    await require_verifies(world_of(app), answer["credential"]["document"])
    counts = await count_rows(world_of(app))
    assert (counts["decision"], counts["edition"], counts["status_list"], counts["drawn"]) == (1, 1, 1, 1)


async def test_a_reissue_whose_process_died_is_finished_too(
    app: FastAPI, settings: Settings, partner: Partner, clock: FixedClock
) -> None:
    """Until then the edition before is served and stays good; then it is marked."""
    first = await decided(partner)
    clock.advance(days=1)
    body = body_of(partner, supersedes=first["id"], reason="A correction.")
    await die(settings, partner.client, clock, "after signing", body)
    badge = first["credential"]["document"]
    assert (await partner.client.get(badge["id"])).json() == badge
    await require_verifies(world_of(app), badge)

    clock.advance(seconds=(LEASE + timedelta(seconds=1)).total_seconds())
    answer = await post(partner, body)
    assert answer["credential"]["edition"] == 2
    await require_verifies(world_of(app), answer["credential"]["document"])
    assert await entry_bit(partner.client, badge)
    assert [edition.state for edition in await list_all_editions(world_of(app))] == ["superseded", "issued"]
