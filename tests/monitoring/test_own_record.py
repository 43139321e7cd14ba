"""What an assessor sees of how they score: their own, and nothing that gives away what is hidden from them."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.anchoring import codes
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.monitoring.scene import EXACT, ONE_OFF, SEVERE, evaluate, list_flags, put_session, put_validity_paper
from tests.people import open_person
from tests.readings.scene import Scene, open_scene

TWICE = {"second_readings": {"random_percent": 100, "first_of_version": 0, "near_standard": False}}


@pytest.fixture
async def scene(app: FastAPI, partner: Partner) -> AsyncIterator[Scene]:
    async with open_scene(app, partner, TWICE) as opened:
        yield opened


async def record(client: httpx.AsyncClient) -> dict[str, object]:
    answer = await client.get("/v1/me/scoring-record")
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_sessions_count_at_once_and_are_ones_own(scene: Scene, partner: Partner) -> None:
    one, two = (scene.assessors[code].id for code in ("A-01", "A-02"))
    await put_session(scene.world, partner, scene.program, {one: [ONE_OFF, EXACT], two: [EXACT]})
    [mine] = (await record(scene.clients["A-01"]))["records"]  # type: ignore[misc]
    assert (mine["figures"]["ratings"], mine["figures"]["exact"]["value"]) == (4, 0.75)
    [theirs] = (await record(scene.clients["A-02"]))["records"]  # type: ignore[misc]
    assert (theirs["figures"]["ratings"], theirs["figures"]["exact"]["value"]) == (2, 1.0)


async def test_what_comes_from_the_queue_counts_in_the_next_quarter(
    scene: Scene, partner: Partner, clock: FixedClock
) -> None:
    """Else an assessor would see which reading was a validity paper, or was done by two."""
    await put_validity_paper(scene.world, partner, scene.program, scene.assessors["A-01"].id, SEVERE)
    for levels in ({}, {"evidence": "not-evident"}):
        submission = await scene.accept(await scene.enroll(f"Ada {len(levels)} Example"))
        await scene.finish(submission)
        await scene.finish(submission, "second_random", **levels)
    assert [(await record(scene.clients[code]))["records"] for code in ("A-01", "A-02")] == [[], []]
    clock.advance(days=45)
    [mine] = (await record(scene.clients["A-01"]))["records"]  # type: ignore[misc]
    assert (mine["figures"]["ratings"], mine["figures"]["exact"]["value"]) == (2, 0.0)
    # Of the two submissions one waits for a lead's adjudication: nobody is told anything of it.
    assert len(await scene.all_resolutions()) == 1
    lines = [line for client in scene.clients.values() for line in (await record(client))["records"]]  # type: ignore[attr-defined]
    told = [line["beside_others"] for line in lines if line["beside_others"]["submissions"]]
    assert [(each["submissions"], each["exact"]["value"]) for each in told] == [(1, 1.0)] * 2


async def test_a_flag_is_told_when_a_lead_has_decided(scene: Scene, partner: Partner) -> None:
    own = scene.assessors["A-01"].id
    await put_session(scene.world, partner, scene.program, {own: [SEVERE] * 13})
    await evaluate(scene.world, scene.program)
    assert (await record(scene.clients["A-01"]))["flags"] == []
    flag = (await list_flags(scene.world))[0]
    body = {"action": "coach", "reason": "Talked over two anchors."}
    assert (await scene.clients["L-01"].post(f"/v1/flags/{flag.id}/action", json=body)).status_code == 200
    [told] = (await record(scene.clients["A-01"]))["flags"]  # type: ignore[misc]
    assert (told["id"], told["action"], told["reason"]) == (flag.id, "coach", "Talked over two anchors.")
    assert "evidence" not in told
    assert (await record(scene.clients["A-02"]))["flags"] == []


async def test_it_is_for_assessors(app: FastAPI, partner: Partner) -> None:
    _, lead = await open_person(app, partner.issuer_id, "lead", name="Lea Lead")
    _, director = await open_person(app, partner.issuer_id, "director", name="Dee Director")
    answers = [await client.get("/v1/me/scoring-record") for client in (lead, director, partner.client)]
    assert codes(*answers) == [(403, "not_an_assessor"), (403, "forbidden"), (403, "person_required")]
