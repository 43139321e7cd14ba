"""Windows of the sampler, and the audit that recomputes them."""

import hashlib
import hmac
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from app.programs.jobs import OPEN_WINDOWS_JOB
from app.readings.store import list_windows
from tests.assessing import put_resolution
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.readings.scene import Scene, open_scene

HALF = {"second_readings": {"random_percent": 50, "first_of_version": 0, "near_standard": False}}


async def published(scene: Scene, api: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await api.get(f"/programs/{scene.program.id}/sampling-windows")
    assert answer.status_code == 200, answer.text
    windows: list[dict[str, Any]] = answer.json()["windows"]
    return windows


async def audited(scene: Scene, query: str = "") -> dict[str, Any]:
    answer = await scene.partner.client.get(f"/v1/programs/{scene.program.id}/sampling-audit{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_the_commitment_stands_before_the_window_and_the_seed_is_revealed_after_it(
    app: FastAPI, partner: Partner, api: httpx.AsyncClient, clock: FixedClock
) -> None:
    async with open_scene(app, partner, HALF) as scene:
        first, second = await published(scene, api)
        assert first["published_at"] < first["from"] < first["to"] == second["from"]
        assert (first["seed"], second["seed"], first["rate_percent"]) == (None, None, 50)
        await scene.run(OPEN_WINDOWS_JOB, program_id=scene.program.id)
        assert await published(scene, api) == [first, second]
        clock.advance(days=90, minutes=1)
        await scene.run()
        ended, current, coming = await published(scene, api)
        assert hashlib.sha256(bytes.fromhex(ended["seed"])).hexdigest() == first["seed_sha256"]
        assert (current, coming["seed"], coming["from"]) == (second, None, second["to"])
        clock.advance(days=90)
        await scene.run()
        assert [each["seed"] is None for each in await published(scene, api)] == [False, False, True, True]


async def test_the_seed_is_sealed_until_then(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    async with open_scene(app, partner, HALF) as scene:
        async with scene.world.database.reading() as session:
            window = (await list_windows(session, scene.program.id))[0]
        clock.advance(days=91)
        await scene.run()
        async with scene.world.database.reading() as session:
            revealed = (await list_windows(session, scene.program.id))[0]
        assert revealed.seed is not None
        assert bytes.fromhex(revealed.seed) not in window.sealed_seed


async def test_an_outsider_finds_the_sample_that_was_drawn(
    app: FastAPI, partner: Partner, api: httpx.AsyncClient, clock: FixedClock
) -> None:
    async with open_scene(app, partner, HALF) as scene:
        submissions = [await scene.accept(await scene.enroll(f"Ada{n} Example")) for n in range(8)]
        drawn = [any(each.kind == "second_random" for each in await scene.readings(sub)) for sub in submissions]
        clock.advance(days=91)
        await scene.run()
        window = (await published(scene, api))[0]
        seed = bytes.fromhex(window["seed"])

        def is_hit(id_: str) -> bool:
            mac = hmac.new(seed, id_.encode(), hashlib.sha256).digest()
            return int.from_bytes(mac[:8], "big") * 100 < window["rate_percent"] * 2**64

        assert drawn == [is_hit(each.id) for each in submissions]
        found = (await audited(scene))["windows"][0]
        assert (found["accepted"], found["expected"], found["selected"]) == (8, 4.0, sum(drawn))
        assert found["keeps_commitment"] is True
        ended = (clock.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert len((await audited(scene))["windows"]) == 3
        assert len((await audited(scene, f"?since={ended}"))["windows"]) == 2 + (window["to"] > ended)


async def test_what_no_window_covers_is_read_twice_and_the_audit_says_so(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    never = {"second_readings": {"random_percent": 0, "first_of_version": 0, "near_standard": False}}
    async with open_scene(app, partner, never) as scene:
        submission = await scene.accept(accepted_at=clock.now() - timedelta(days=1))
        triggers = [each.trigger for each in await scene.readings(submission) if each.kind != "first"]
        assert triggers == ["no_window"]
        outside = (await audited(scene))["windows"][-1]
        assert (outside["window_id"], outside["accepted"], outside["selected"]) == (None, 1, 1)


async def test_the_audit_shows_no_misses_and_finds_a_planted_one(app: FastAPI, partner: Partner) -> None:
    always = {"second_readings": {"random_percent": 100}}
    async with open_scene(app, partner, always) as scene:
        good = await scene.accept(await scene.enroll("Ada Example"))
        await scene.finish(good, "first")
        await scene.finish(good, "second_random")
        planted = await scene.accept(await scene.enroll("Ben Example"))
        code, reading_id = await scene.holder(planted)
        whole = await audited(scene)
        assert (whole["misses"], whole["windows"][0]["second_read"]) == (0, 1)
        await scene.clients[code].post(f"/v1/readings/{reading_id}/start")
        async with scene.world.database.transaction() as session:
            await session.execute(
                text("UPDATE reading SET state = 'cancelled' WHERE submission_id = :id AND kind = 'second_random'"),
                {"id": planted.id},
            )
        assert (await audited(scene))["windows"][0]["misses"] == [planted.id]
        levels = {"problem": "demonstrated", "evidence": "demonstrated"}
        await put_resolution(scene.world, planted, levels, "awarded", [reading_id])
        found = await audited(scene)
        assert (found["misses"], found["windows"][0]["misses"]) == (1, [planted.id])


async def test_a_trigger_that_was_passed_over_is_found(app: FastAPI, partner: Partner) -> None:
    policy = {"second_readings": {"random_percent": 0, "first_of_version": 0, "near_standard": False}}
    async with open_scene(app, partner, policy) as scene:
        submission = await scene.accept()
        await scene.finish(submission)
        assert (await audited(scene))["misses"] == 0
        await scene.set(submission, attempt=2)
        assert (await audited(scene))["windows"][0]["misses"] == [submission.id]


async def test_a_seed_that_was_exchanged_is_found(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, HALF) as scene:
        assert all(each["keeps_commitment"] for each in (await audited(scene))["windows"])
        async with scene.world.database.transaction() as session:
            await session.execute(text("UPDATE sampling_window SET seed_hash = 'changed'"))
        assert not any(each["keeps_commitment"] for each in (await audited(scene))["windows"])


async def test_the_queue_counts_by_state_and_what_is_late(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        path = f"/v1/programs/{scene.program.id}/queue"
        assert (await partner.client.get(path)).json() == {
            "submissions": {"accepted": 1}, "readings": {"assigned": 1}, "overdue_screenings": 0, "overdue_readings": 0,
        }  # fmt: skip
        clock.advance(days=5)
        assert (await partner.client.get(path)).json()["overdue_readings"] == 1
        await scene.run()
        assert (await partner.client.get(path)).json()["overdue_readings"] == 0
        await scene.finish(submission)
        assert (await partner.client.get(path)).json()["readings"] == {}


async def test_a_program_that_there_is_not(api: httpx.AsyncClient) -> None:
    assert (await api.get(f"/programs/{'0' * 32}/sampling-windows")).status_code == 404
