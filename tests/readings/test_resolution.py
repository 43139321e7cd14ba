"""Second readings, why they are asked for, and how readings become the scores of record."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.assessors.store import Certification
from app.events.store import list_events
from app.jobs.queue import Job
from app.readings.assign import assign_open
from app.readings.request import request_reading
from app.readings.scores import compare, is_near_standard
from app.submissions.jobs import CANCEL_READINGS_JOB, OPEN_READINGS_JOB
from app.submissions.store import Submission, lock_submission
from tests.builders import achievement_body
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.people import open_person
from tests.readings.scene import Scene, open_scene

RUBRIC = achievement_body()["rubric"]
DOUBLE: dict[str, Any] = {"second_readings": {"random_percent": 100}}
LOW, MIDDLE, HIGH = "not-evident", "developing", "demonstrated"


def levels(problem: str, evidence: str) -> dict[str, str]:
    return {"problem": problem, "evidence": evidence}


@pytest.mark.parametrize(
    ("first", "second", "agreement"),
    [
        ((HIGH, HIGH), (HIGH, HIGH), "exact"),
        ((LOW, MIDDLE), (MIDDLE, MIDDLE), "adjacent_same_decision"),
        ((HIGH, HIGH), (HIGH, MIDDLE), "apart"),
        ((LOW, LOW), (LOW, HIGH), "apart"),
    ],
    ids=["same", "adjacent", "adjacent, another decision", "two levels, same decision"],
)
def test_how_two_readings_agree(first: tuple[str, str], second: tuple[str, str], agreement: str) -> None:
    assert compare(RUBRIC, levels(*first), levels(*second)) == agreement
    assert compare(RUBRIC, levels(*second), levels(*first)) == agreement


def test_near_the_standard() -> None:
    """At most two short of five, or at most one above the bar."""
    scale = [{"key": key} for key in ("1", "2", "3")]
    criteria = [{"key": f"c{n}", "passing_level": "2", "levels": scale} for n in range(5)]
    rubric = {"criteria": criteria, "decision_rule": {"type": "all"}}

    def near(text: str) -> bool:
        return is_near_standard(rubric, {f"c{n}": level for n, level in enumerate(text)})

    assert [near(each) for each in ("22222", "32222", "33222")] == [True, True, False]
    assert [near(each) for each in ("12222", "11333", "11122")] == [True, True, False]


@pytest.mark.parametrize(
    ("policy", "columns", "kind", "trigger"),
    [
        ({"random_percent": 100}, {}, "second_random", None),
        ({"random_percent": 0}, {}, "second_triggered", "first_of_version"),
        ({"random_percent": 0, "first_of_version": 0}, {"attempt": 2}, "second_triggered", "repeated_attempt"),
        ({"random_percent": 0, "first_of_version": 0}, {"attempt": 1}, None, None),
    ],
    ids=["sample", "first of version", "second attempt", "nothing"],
)
async def test_what_asks_for_a_second_reading_at_once(
    app: FastAPI,
    partner: Partner,
    policy: dict[str, Any],
    columns: dict[str, Any],
    kind: str | None,
    trigger: str | None,
) -> None:
    async with open_scene(app, partner, {"second_readings": policy}) as scene:
        submission = await scene.accept(**columns)
        seconds = [each for each in await scene.readings(submission) if each.kind != "first"]
        assert [(each.kind, each.trigger) for each in seconds] == ([(kind, trigger)] if kind else [])


async def test_only_the_first_of_a_version_are_all_read_twice(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    async with open_scene(app, partner, {"second_readings": {"random_percent": 0, "first_of_version": 2}}) as scene:
        counts = []
        for name in ("Ada", "Ben", "Cleo"):
            clock.advance(minutes=1)
            counts.append(len(await scene.readings(await scene.accept(await scene.enroll(f"{name} Example")))))
        assert counts == [2, 2, 1]


@pytest.mark.parametrize(
    ("second_readings", "level", "is_read_twice"),
    [({}, HIGH, True), ({"near_standard": False}, HIGH, False)],
    ids=["near the standard", "policy without"],
)
async def test_what_the_first_reading_says_may_ask_for_a_second(
    app: FastAPI, partner: Partner, second_readings: dict[str, Any], level: str, is_read_twice: bool
) -> None:
    policy = {"second_readings": {"random_percent": 0, "first_of_version": 0, **second_readings}}
    async with open_scene(app, partner, policy) as scene:
        submission = await scene.accept()
        first = await scene.finish(submission, problem=level)
        triggers = [each.trigger for each in await scene.readings(submission) if each.kind == "second_triggered"]
        assert triggers == (["near_standard"] if is_read_twice else [])
        assert await scene.state(submission) == ("scoring" if is_read_twice else "resolved")
        if is_read_twice:
            assert await scene.finish(submission, "second_triggered", problem=level) != first
            assert [each.method for each in await scene.resolutions(submission)] == ["exact"]


async def test_every_reading_by_somebody_on_probation_is_read_twice(app: FastAPI, partner: Partner) -> None:
    policy = {"second_readings": {"random_percent": 0, "first_of_version": 0, "near_standard": False}}
    async with open_scene(app, partner, policy) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        await scene.clients[code].post(f"/v1/readings/{reading_id}/start")
        async with scene.world.database.transaction() as session:
            query = select(Certification).where(Certification.assessor_id == scene.assessors[code].id)
            (await session.scalars(query)).one().state = "probation"
        assert (await scene.submit(code, reading_id)).status_code == 201
        triggers = [each.trigger for each in await scene.readings(submission) if each.kind == "second_triggered"]
        assert triggers == ["probationary_assessor"]


async def resolve(scene: Scene, first: dict[str, str], second: dict[str, str]) -> Submission:
    submission = await scene.accept()
    await scene.finish(submission, "second_random", **second)
    assert await scene.state(submission) == "scoring"
    await scene.finish(submission, "first", **first)
    return submission


@pytest.mark.parametrize(
    ("first", "second", "method"),
    [
        (levels(LOW, HIGH), levels(LOW, HIGH), "exact"),
        (levels(MIDDLE, HIGH), levels(LOW, HIGH), "adjacent_same_decision"),
    ],
    ids=["exact", "adjacent"],
)
async def test_the_first_of_two_that_agree_stands(
    app: FastAPI, partner: Partner, first: dict[str, str], second: dict[str, str], method: str
) -> None:
    async with open_scene(app, partner, DOUBLE) as scene:
        submission = await resolve(scene, first, second)
        (resolution,) = await scene.resolutions(submission)
        kinds = {each.id: each.kind for each in await scene.readings(submission)}
        assert (resolution.method, dict(resolution.levels)) == (method, first)
        assert [kinds[id_] for id_ in resolution.reading_ids] == ["first", "second_random"]
        assert resolution.recommendation == "not_yet"
        async with scene.world.database.reading() as session:
            events = await list_events(session, partner.issuer_id, after=0, limit=500)
        (event,) = [each for each in events if each.type == "submission.resolved"]
        assert (event.object_id, event.data) == (submission.id, {})


async def test_two_that_disagree_are_adjudicated_by_a_lead_whose_scores_stand(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, DOUBLE, lead=False) as scene:
        submission = await resolve(scene, levels(HIGH, HIGH), levels(MIDDLE, HIGH))
        assert await scene.state(submission) == "scoring"
        waiting = [each for each in await scene.readings(submission) if each.kind == "adjudication"]
        assert [each.state for each in waiting] == ["open"]
        await scene.add_assessor("A-03")
        assert (await scene.clients["A-03"].post("/v1/readings/claim")).json()["code"] == "nothing_to_read"
        await scene.add_assessor("L-01", lead=True)
        claimed = (await scene.clients["L-01"].post("/v1/readings/claim")).json()
        started = (await scene.clients["L-01"].post(f"/v1/readings/{claimed['id']}/start")).json()
        assert started["results"] is None
        assert (await scene.submit("L-01", claimed["id"], problem=LOW, evidence=LOW)).status_code == 201
        (resolution,) = await scene.resolutions(submission)
        assert (resolution.method, dict(resolution.levels)) == ("expert_judgment", levels(LOW, LOW))
        assert (resolution.reading_ids[0], len(resolution.reading_ids)) == (claimed["id"], 3)
        assert await scene.state(submission) == "resolved"


async def return_it(scene: Scene, submission: Submission) -> None:
    _, approver = await open_person(
        scene.app, scene.partner.issuer_id, "approver", name=f"Ap Prover {len(await scene.readings(submission))}"
    )
    async with approver:
        path = f"/v1/submissions/{submission.id}/return"
        assert (await approver.post(path, json={"reason": "The rationale is thin."})).status_code == 201


async def test_what_the_approver_returned_is_adjudicated_and_resolved_once_more(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    """Also when it was adjudicated before: the newest adjudication stands."""
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        await scene.finish(submission, **levels(HIGH, HIGH))
        for number, (level, code) in enumerate([(LOW, "L-01"), (MIDDLE, "L-02")], start=2):
            clock.advance(hours=1)
            if code == "L-02":
                await scene.add_assessor(code, lead=True)
            await return_it(scene, submission)
            assert await scene.finish(submission, "adjudication", **levels(level, HIGH)) == code
            assert await scene.state(submission) == "resolved"
            newest = (await scene.resolutions(submission))[-1]
            assert (newest.number, newest.method) == (number, "expert_judgment")
            assert dict(newest.levels) == levels(level, HIGH)


async def test_a_hold_does_not_let_a_returned_submission_pass_without_its_adjudication(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        await scene.finish(submission, **levels(HIGH, HIGH))
        await return_it(scene, submission)
        clock.advance(hours=1)
        await scene.set(submission, state="on_hold", held_from="scoring")
        await scene.run(CANCEL_READINGS_JOB, submission_id=submission.id)
        await scene.set(submission, state="scoring", held_from=None)
        clock.advance(hours=1)
        await scene.add_assessor("L-02", lead=True)
        for _ in range(2):  # once more changes nothing
            await scene.run(OPEN_READINGS_JOB, submission_id=submission.id)
        assert await scene.state(submission) == "scoring"
        assert [
            (each.trigger, each.state) for each in await scene.readings(submission) if each.kind == "adjudication"
        ] == [("returned", "cancelled"), ("returned", "assigned")]


async def test_two_readings_submitted_at_once_resolve_once(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, DOUBLE) as scene:
        submission = await scene.accept()
        held = [await scene.holder(submission, kind) for kind in ("first", "second_random")]
        for code, reading_id in held:
            await scene.clients[code].post(f"/v1/readings/{reading_id}/start")
        answers = await asyncio.gather(*(scene.submit(code, reading_id) for code, reading_id in held))
        assert [each.status_code for each in answers] == [201, 201]
        assert [(each.number, each.method) for each in await scene.resolutions(submission)] == [(1, "exact")]
        assert await scene.state(submission) == "resolved"


@pytest.mark.parametrize("kind", ["appeal", "moderation"])
async def test_a_reading_afterwards_is_a_further_resolution(app: FastAPI, partner: Partner, kind: Any) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        first = await scene.finish(submission)
        await scene.set(submission, state="decided")
        now = scene.world.clock.now()
        async with scene.world.database.transaction() as session:
            locked = await lock_submission(session, submission.issuer_id, submission.id)
            await request_reading(session, locked, kind=kind, now=now)
            await assign_open(session, scene.world, locked, now)
        code = (await scene.holder(submission, kind))[0]
        assert (code, code != first) == ("L-01", True)
        await scene.finish(submission, kind, problem=MIDDLE)
        numbers = [(each.number, each.method, each.recommendation) for each in await scene.resolutions(submission)]
        assert numbers == [(1, "single_reading", "awarded"), (2, "expert_judgment", "not_yet")]
        assert await scene.state(submission) == "decided"
        async with scene.world.database.reading() as session:
            events = await list_events(session, partner.issuer_id, after=0, limit=500)
        (event,) = [each for each in events if each.type == "reading.resolved"]
        assert event.data == {"submission_id": submission.id, "number": 2}


async def test_until_resolution_nobody_is_shown_readings(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, DOUBLE) as scene:
        submission = await scene.accept()
        path = f"/v1/submissions/{submission.id}/readings"
        before = await partner.client.get(path)
        await scene.finish(submission, "first")
        after = await partner.client.get(path)
        for answer in (before, after):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_resolved")
        assert {**before.json(), "request_id": ""} == {**after.json(), "request_id": ""}
        await scene.finish(submission, "second_random")
        shown = (await partner.client.get(path)).json()
        assert [each["kind"] for each in shown["readings"]] == ["first", "second_random"] or [
            each["kind"] for each in shown["readings"]
        ] == ["second_random", "first"]
        assert shown["resolutions"][0]["method"] == "exact"


async def test_a_second_reading_that_ends_without_being_read_is_asked_for_again(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    async with open_scene(app, partner, DOUBLE) as scene:
        submission = await scene.accept()
        await scene.finish(submission, "first")
        clock.advance(days=5)
        await scene.run()
        await scene.run(OPEN_READINGS_JOB, submission_id=submission.id)
        await scene.finish(submission, "second_random")
        states = sorted((each.kind, each.state) for each in await scene.readings(submission))
        assert states == [("first", "submitted"), ("second_random", "expired"), ("second_random", "submitted")]
        async with scene.world.database.reading() as session:
            jobs = (await session.scalars(select(Job.name).where(Job.last_error.is_not(None)))).all()
        assert jobs == []


@pytest.mark.parametrize(
    ("policy", "columns", "kind", "second"),
    [
        ({"first_of_version": 0}, {"attempt": 2}, "second_triggered", {}),
        ({"first_of_version": 0}, {}, "second_triggered", {}),
        ({"first_of_version": 1, "near_standard": False}, {}, "second_triggered", {}),
        ({"random_percent": 100}, {}, "second_random", {}),
        ({"random_percent": 100}, {}, "second_random", {"problem": LOW, "evidence": LOW}),
    ],
    ids=["retake", "near the standard", "first of a version", "sample", "readings apart"],
)
async def test_nothing_is_decided_before_all_readings_that_are_due(
    app: FastAPI, partner: Partner, policy: dict[str, Any], columns: dict[str, Any], kind: str, second: dict[str, str]
) -> None:
    _, approver = await open_person(app, partner.issuer_id, "approver", name="Approver Example")
    async with approver, open_scene(app, partner, {"second_readings": {"random_percent": 0, **policy}}) as scene:
        submission = await scene.accept(**columns)

        async def decide() -> tuple[int, str | None]:
            answer = await approver.post(f"/v1/submissions/{submission.id}/decision", json={"outcome": "awarded"})
            return answer.status_code, answer.json().get("code")

        assert await decide() == (409, "submission_not_resolved")
        refused = (409, "reading_open")
        first = await scene.finish(submission)
        assert await decide() == refused
        assert await scene.finish(submission, kind, **second) != first
        if second:
            assert await decide() == refused
            assert await scene.finish(submission, "adjudication") == "L-01"
        assert await decide() == (201, None)


@pytest.mark.parametrize("kind", ["appeal", "moderation"])
async def test_who_read_before_does_not_read_an_appeal(app: FastAPI, partner: Partner, kind: Any) -> None:
    """The only lead has read the submission already: it waits for another one."""
    async with open_scene(app, partner, DOUBLE, lead=False) as scene:
        submission = await resolve(scene, levels(HIGH, HIGH), levels(MIDDLE, HIGH))
        await scene.add_assessor("L-01", lead=True)
        await scene.run(OPEN_READINGS_JOB, submission_id=submission.id)
        assert await scene.finish(submission, "adjudication") == "L-01"
        await scene.set(submission, state="decided")
        now = scene.world.clock.now()
        async with scene.world.database.transaction() as session:
            locked = await lock_submission(session, submission.issuer_id, submission.id)
            await request_reading(session, locked, kind=kind, now=now)
            await assign_open(session, scene.world, locked, now)
        for client in scene.clients.values():
            assert (await client.post("/v1/readings/claim")).json()["code"] == "nothing_to_read"
        await scene.add_assessor("L-02", lead=True)
        assert (await scene.clients["L-02"].post("/v1/readings/claim")).status_code == 200
