"""Enrollments and affiliations, over HTTP on both engines."""

import asyncio
from typing import Any, get_args

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.jobs.queue import Job
from app.programs.enrollments import TRANSITIONS
from app.programs.store import EnrollmentState, list_affiliations
from app.settings import Settings
from tests.conftest import Partner
from tests.house.databases import is_in, list_contents, open_owner
from tests.issuing import world_of
from tests.people import open_person
from tests.programs.test_programs import create, refusal

ADA = {"name": "Ada Example", "email": "ada.example@schools.example.org"}
GOAL, PROBLEM, ROLE, SCHOOL = "kanarygoal", "kanaryproblem", "kanaryrole", "kanaryschool"


async def enroll(partner: Partner, program: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made = await partner.client.post("/v1/enrollments", json=body_of(program, **changes))
    assert made.status_code == 201, made.text
    return dict(made.json())


def body_of(program: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "program_id": program["id"],
        "recipient": ADA,
        "goal": GOAL,
        "problem_of_practice": PROBLEM,
        "context": {"role": ROLE, "school_type": "Middle school", "grade_band": "6-8"},
        **changes,
    }


async def move(partner: Partner, enrollment: dict[str, Any], state: str) -> httpx.Response:
    return await partner.client.post(f"/v1/enrollments/{enrollment['id']}/state", json={"state": state})


async def list_rechecks(app: FastAPI) -> list[str]:
    async with world_of(app).database.reading() as session:
        jobs = (await session.scalars(select(Job).where(Job.name == "recheck_conflicts"))).all()
    return sorted(job.payload["learner_id"] for job in jobs)


async def test_somebody_is_enrolled_and_found_again(partner: Partner, settings: Settings) -> None:
    program = await create(partner)
    cohort = (await partner.client.post(f"/v1/programs/{program['id']}/cohorts", json={"name": "Fall"})).json()
    body = body_of(program, cohort_id=cohort["id"], external_id="e-1", school="MD-1")
    key = {"Idempotency-Key": "e-1"}
    made = await partner.client.post("/v1/enrollments", json=body, headers=key)
    assert made.status_code == 201, made.text
    enrollment = made.json()
    assert (enrollment["goal"], enrollment["problem_of_practice"]) == (GOAL, PROBLEM)
    assert enrollment["context"] == {"role": ROLE, "school_type": "Middle school", "grade_band": "6-8"}
    assert enrollment["achievements"] == program["achievements"]
    replayed = await partner.client.post("/v1/enrollments", json=body, headers=key)
    assert replayed.json() == enrollment
    for path in (
        "/v1/enrollments?external_id=e-1",
        "/v1/enrollments?state=enrolled",
        f"/v1/programs/{program['id']}/enrollments",
        f"/v1/cohorts/{cohort['id']}/enrollments?state=enrolled",
    ):
        assert (await partner.client.get(path)).json()["items"] == [enrollment], path
    assert (await partner.client.get("/v1/enrollments?state=active")).json()["items"] == []
    assert refusal(await partner.client.get("/v1/enrollments?state=asleep")) == (422, "invalid_body")
    assert refusal(await partner.client.post("/v1/enrollments", json=body_of(program))) == (409, "already_enrolled")
    other = await create(partner, name="Another")
    assert (await enroll(partner, other))["learner_id"] == enrollment["learner_id"]
    wrong = body_of(other, recipient={"external_id": "x"}, cohort_id=cohort["id"])
    assert refusal(await partner.client.post("/v1/enrollments", json=wrong)) == (422, "cohort_mismatch")
    taken = body_of(other, recipient={"external_id": "x"}, external_id="e-1")
    assert refusal(await partner.client.post("/v1/enrollments", json=taken)) == (409, "external_id_taken")
    async with open_owner(settings) as engine:
        contents = await list_contents(engine)
    assert [text for text in (GOAL, PROBLEM, ROLE) if is_in(contents, text)] == []


async def test_one_person_is_enrolled_once_however_many_ask(partner: Partner) -> None:
    program = await create(partner)
    body = body_of(program)
    answers = await asyncio.gather(*(partner.client.post("/v1/enrollments", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_enrolled"}
    assert len((await partner.client.get("/v1/enrollments")).json()["items"]) == 1


@pytest.mark.parametrize("before", get_args(EnrollmentState))
async def test_states_follow_the_table(partner: Partner, before: str) -> None:
    ways = {
        "invited": [], "enrolled": ["enrolled"], "active": ["enrolled", "active"], "withdrawn": ["withdrawn"],
        "lapsed": ["lapsed"], "completed": ["enrolled", "active", "completed"],
    }  # fmt: skip
    program = await create(partner)
    for number, state in enumerate(sorted(set(get_args(EnrollmentState)) - {"invited"})):
        enrollment = await enroll(partner, program, recipient={"external_id": f"l-{number}"}, state="invited")
        for step in ways[before]:
            assert (await move(partner, enrollment, step)).status_code == 200
        answer = await move(partner, enrollment, state)
        if state in TRANSITIONS[before]:
            assert (answer.status_code, answer.json()["state"]) == (200, state)
        else:
            assert refusal(answer) == (409, "enrollment_state")
            assert (await partner.client.get(f"/v1/enrollments/{enrollment['id']}")).json()["state"] == before


async def test_of_two_changes_of_state_at_once_one_is_made(partner: Partner) -> None:
    enrollment = await enroll(partner, await create(partner))
    answers = await asyncio.gather(*(move(partner, enrollment, "active") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


async def test_learners_see_and_change_their_own_only(app: FastAPI, partner: Partner) -> None:
    program = await create(partner)
    own = await enroll(partner, program, state="invited")
    others = await enroll(partner, program, recipient={"external_id": "somebody-else"})
    _, ada = await open_person(app, partner.issuer_id, "learner", name="Ada E", learner_id=own["learner_id"])
    async with ada:
        assert [each["id"] for each in (await ada.get("/v1/enrollments")).json()["items"]] == [own["id"]]
        of_program = await ada.get(f"/v1/programs/{program['id']}/enrollments")
        assert [each["id"] for each in of_program.json()["items"]] == [own["id"]]
        path, other = f"/v1/enrollments/{own['id']}", f"/v1/enrollments/{others['id']}"
        assert refusal(await ada.get(other)) == (404, "not_found")
        assert refusal(await ada.patch(other, json={"goal": "Mine"})) == (404, "not_found")
        assert refusal(await ada.post(f"{other}/state", json={"state": "withdrawn"})) == (404, "not_found")
        changed = await ada.patch(path, json={"goal": "Another", "context": {"grade_band": None}})
        assert (changed.json()["goal"], changed.json()["problem_of_practice"]) == ("Another", PROBLEM)
        assert changed.json()["context"] == {"role": ROLE, "school_type": "Middle school", "grade_band": None}
        assert refusal(await ada.patch(path, json={"school": "MD-2"})) == (403, "forbidden")
        assert refusal(await ada.post(f"{path}/state", json={"state": "lapsed"})) == (403, "forbidden")
        assert (await ada.post(f"{path}/state", json={"state": "enrolled"})).json()["state"] == "enrolled"
        assert refusal(await ada.post(f"{path}/state", json={"state": "active"})) == (403, "forbidden")
        assert (await ada.post(f"{path}/state", json={"state": "withdrawn"})).json()["state"] == "withdrawn"
        assert refusal(await ada.post("/v1/enrollments", json=body_of(program))) == (403, "forbidden")


async def test_who_reads_learns_nothing_of_who_is_enrolled(app: FastAPI, partner: Partner) -> None:
    program = await create(partner)
    own = await enroll(partner, program)
    _, reader = await open_person(app, partner.issuer_id, "assessor", "lead", name="Rea Der")
    async with reader:
        for path in ("/v1/enrollments", f"/v1/enrollments/{own['id']}", f"/v1/programs/{program['id']}/enrollments"):
            assert refusal(await reader.get(path)) == (403, "forbidden"), path


async def test_another_school_has_conflicts_looked_over_again(app: FastAPI, partner: Partner) -> None:
    enrollment = await enroll(partner, await create(partner), school="MD-1")
    path = f"/v1/enrollments/{enrollment['id']}"
    assert (await partner.client.patch(path, json={"school": "MD-1", "goal": None})).json()["goal"] is None
    assert await list_rechecks(app) == []
    assert (await partner.client.patch(path, json={"school": "MD-2"})).json()["school"] == "MD-2"
    assert await list_rechecks(app) == [enrollment["learner_id"]]


async def test_affiliations_are_declared_and_end(app: FastAPI, partner: Partner) -> None:
    enrollment = await enroll(partner, await create(partner))
    person_id, coach = await open_person(app, partner.issuer_id, "assessor", name="Co Ach")
    await coach.aclose()
    body = {"learner_id": enrollment["learner_id"], "person_id": person_id, "kind": "coach"}
    made = await partner.client.post("/v1/affiliations", json=body)
    assert made.status_code == 201, made.text
    assert await list_rechecks(app) == [enrollment["learner_id"]]
    assert refusal(await partner.client.post("/v1/affiliations", json=body)) == (409, "affiliation_declared")
    listing = f"/v1/learners/{enrollment['learner_id']}/affiliations"
    assert (await partner.client.get(listing)).json()["items"] == [made.json()]
    end = f"/v1/affiliations/{made.json()['id']}/end"
    answers = await asyncio.gather(*(partner.client.post(end) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"affiliation_ended"}
    assert (await partner.client.get(listing)).json()["items"] == []


async def test_a_merged_learner_keeps_enrollments_and_affiliations(app: FastAPI, partner: Partner) -> None:
    program = await create(partner)
    enrollment = await enroll(partner, program)
    person_id, coach = await open_person(app, partner.issuer_id, "assessor", name="Co Ach")
    await coach.aclose()
    body = {"learner_id": enrollment["learner_id"], "person_id": person_id, "kind": "supervisor"}
    assert (await partner.client.post("/v1/affiliations", json=body)).status_code == 201
    survivor = (await partner.client.post("/v1/learners", json={"external_id": "survivor"})).json()["id"]
    order = {"learner_id": enrollment["learner_id"]}
    merged = await partner.client.post(f"/v1/learners/{survivor}/merge", json=order)
    assert merged.status_code == 200, merged.text
    async with world_of(app).database.reading() as session:
        for learner_id in (survivor, enrollment["learner_id"]):
            found = await list_affiliations(session, partner.issuer_id, learner_id)
            assert [each.person_id for each in found] == [person_id]
    assert (await partner.client.get(f"/v1/enrollments/{enrollment['id']}")).json()["goal"] == GOAL
    twice = body_of(program, recipient={"external_id": "survivor"})
    assert refusal(await partner.client.post("/v1/enrollments", json=twice)) == (409, "already_enrolled")
    _, ada = await open_person(app, partner.issuer_id, "learner", name="Ada E", learner_id=survivor)
    async with ada:
        assert [each["id"] for each in (await ada.get("/v1/enrollments")).json()["items"]] == [enrollment["id"]]
        assert (await ada.get(f"/v1/enrollments/{enrollment['id']}")).status_code == 200
    told = (await partner.client.get(f"/v1/learners/{survivor}/export")).json()
    assert [each["goal"] for each in told["enrollments"]] == [GOAL]
    assert [each["kind"] for each in told["affiliations"]] == ["supervisor"]


async def test_an_erased_learner_leaves_an_empty_enrollment(partner: Partner, settings: Settings) -> None:
    enrollment = await enroll(partner, await create(partner), school=SCHOOL)
    path = f"/v1/enrollments/{enrollment['id']}"
    assert (await partner.client.post(f"/v1/learners/{enrollment['learner_id']}/erase")).status_code == 200
    left = (await partner.client.get(path)).json()
    assert (left["goal"], left["school"], left["context"]["role"]) == (None, None, None)
    assert refusal(await partner.client.patch(path, json={"goal": "New"})) == (410, "gone")
    async with open_owner(settings) as engine:
        assert not is_in(await list_contents(engine), SCHOOL)
