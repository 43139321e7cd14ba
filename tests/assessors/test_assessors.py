"""Assessors: people who read, where they work, what they have learned."""

import pytest
from fastapi import FastAPI

from app.assessors.certification import NotCertified, require_certified
from app.assessors.jobs import RECHECK_ASSESSOR_JOB
from tests.anchoring import SMALL, Bench, codes, list_jobs
from tests.conftest import Partner
from tests.issuing import list_all_events, world_of
from tests.people import open_person


async def test_an_assessor_is_a_person_with_the_role(app: FastAPI, partner: Partner) -> None:
    learner_id, _ = await open_person(app, partner.issuer_id, "learner", name="Lee Learner")
    person_id, _ = await open_person(app, partner.issuer_id, "assessor", name="Ann Assessor")
    body = {"person_id": person_id, "code": "A-01", "school": "school-12"}
    refused = await partner.client.post("/v1/assessors", json={**body, "person_id": learner_id})
    nobody = await partner.client.post("/v1/assessors", json={**body, "person_id": "0" * 32})
    assert codes(refused, nobody) == [(422, "person_lacks_role"), (404, "not_found")]

    made = await partner.client.post("/v1/assessors", json=body)
    assert made.status_code == 201, made.text
    assert (await partner.client.get(f"/v1/assessors/{made.json()['id']}")).json() == made.json()
    assert (await partner.client.get("/v1/assessors")).json()["items"] == [made.json()]
    assert (made.json()["code"], made.json()["school"], made.json()["is_active"]) == ("A-01", "school-12", True)


async def test_a_person_and_a_code_are_taken_once(app: FastAPI, partner: Partner) -> None:
    bench = await Bench.set_up(app, partner)
    await bench.enter("A-01")
    other, _ = await open_person(app, partner.issuer_id, "lead", name="Other Lead")
    same_code = await partner.client.post("/v1/assessors", json={"person_id": other, "code": "A-01"})
    same_person = {"person_id": bench.people["A-01"], "code": "A-02"}
    twice = await partner.client.post("/v1/assessors", json=same_person)
    assert codes(same_code, twice) == [(409, "assessor_taken")] * 2
    assert (await partner.client.post("/v1/assessors", json={"person_id": other, "code": "A-02"})).status_code == 201


async def test_a_change_has_their_readings_looked_at_anew(app: FastAPI, partner: Partner) -> None:
    bench = await Bench.set_up(app, partner)
    assessor_id = await bench.enter("A-01")
    path, world = f"/v1/assessors/{assessor_id}", world_of(app)
    moved = await partner.client.patch(path, json={"school": "school-31"})
    again = await partner.client.patch(path, json={"school": "school-31"})
    assert (moved.json()["school"], again.status_code) == ("school-31", 200)
    payload = {"issuer_id": partner.issuer_id, "assessor_id": assessor_id}
    assert await list_jobs(world, RECHECK_ASSESSOR_JOB) == [payload]

    stopped = await partner.client.patch(path, json={"is_active": False})
    assert (stopped.json()["school"], stopped.json()["is_active"]) == ("school-31", False)
    assert await list_jobs(world, RECHECK_ASSESSOR_JOB) == [payload] * 2
    assert (await partner.client.patch(path, json={})).status_code == 422
    assert (await partner.client.patch(path, json={"school": None})).json()["school"] is None


async def test_who_is_not_active_does_nothing(app: FastAPI, partner: Partner) -> None:
    bench = await Bench.set_up(app, partner)
    await bench.enter("A-01")
    await bench.take_round("A-01")
    mine = "/v1/me/anchor-sessions"
    assert (await bench.assessors["A-01"].get(mine)).status_code == 200
    assessor = await bench.get_assessor("A-01")
    now = bench.world.clock.now()
    async with bench.world.database.reading() as session:
        await require_certified(session, assessor, partner.achievement_id, 1, now)
    await partner.client.patch(f"/v1/assessors/{bench.ids['A-01']}", json={"is_active": False})
    assert codes(await bench.assessors["A-01"].get(mine)) == [(403, "not_an_assessor")]
    assert codes(await bench.lead.get(mine)) == [(403, "not_an_assessor")]
    assert codes(await bench.open_round("A-01")) == [(409, "certification_state")]
    async with bench.world.database.reading() as session:
        with pytest.raises(NotCertified):
            await require_certified(session, await bench.get_assessor("A-01"), partner.achievement_id, 1, now)


async def test_training_comes_before_a_round(app: FastAPI, partner: Partner) -> None:
    asks = {"training_modules": ["bias-and-fairness", "rubric"]}
    policy = SMALL.model_copy(update={"qualification": SMALL.qualification.model_copy(update=asks)})
    bench = await Bench.set_up(app, partner, policy)
    path = f"/v1/assessors/{await bench.enter('A-01')}/trainings"
    done = {"module": "rubric", "completed_at": "2026-11-20T16:00:00Z"}
    assert (await partner.client.post(path, json=done)).status_code == 201
    refused = await bench.open_round("A-01")
    assert codes(refused) == [(409, "training_incomplete")]
    assert "bias-and-fairness" in refused.json()["detail"]
    assert "rubric" not in refused.json()["detail"]

    again = await partner.client.post(path, json=done)
    early = await partner.client.post(path, json={"module": "more", "completed_at": "2026-11-24T16:00:00Z"})
    assert codes(again, early) == [(409, "training_recorded"), (422, "training_in_future")]
    trained = await partner.client.post(path, json={**done, "module": "bias-and-fairness"})
    assert [each["module"] for each in trained.json()["trainings"]] == ["bias-and-fairness", "rubric"]
    assert (await bench.open_round("A-01")).status_code == 201


async def test_changes_are_told_as_events(app: FastAPI, partner: Partner) -> None:
    bench = await Bench.set_up(app, partner)
    await bench.enter("A-01")
    await bench.take_round("A-01")
    types = [each.type for each in await list_all_events(bench.world, partner.issuer_id)]
    wanted = ["assessor.created", "anchor_session.opened", "anchor_session.answered", "anchor_session.closed",
              "certification.changed"]  # fmt: skip
    assert [each for each in wanted if each not in types] == []
