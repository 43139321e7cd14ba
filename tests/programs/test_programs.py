"""Programs, their policies and cohorts, over HTTP on both engines."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from app.jobs.queue import Job
from app.programs.policy import ScoringPolicyBody, get_policy
from app.settings import Settings
from tests.builders import achievement_body, panel_body
from tests.conftest import Partner
from tests.house.databases import open_owner
from tests.issuing import world_of


def program_body(partner: Partner, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Leadership Academy",
        "panel_id": partner.panel_id,
        "achievement_ids": [partner.achievement_id],
        **changes,
    }


async def create(partner: Partner, **changes: Any) -> dict[str, Any]:
    made = await partner.client.post("/v1/programs", json=program_body(partner, **changes))
    assert made.status_code == 201, made.text
    return dict(made.json())


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_program_is_set_up_with_its_policy_and_asks_for_its_first_windows(
    app: FastAPI, partner: Partner
) -> None:
    program = await create(partner, external_id="sila", policy={"turnaround": {"reading_days": 7}})
    assert (await partner.client.get(f"/v1/programs/{program['id']}")).json() == program
    listed = await partner.client.get("/v1/programs?external_id=sila")
    assert listed.json()["items"] == [program]
    world = world_of(app)
    async with world.database.reading() as session:
        policy = await get_policy(session, partner.issuer_id, program["id"], program["policy_version"])
        jobs = (await session.scalars(select(Job).where(Job.name == "open_sampling_windows"))).all()
    assert (policy.turnaround.reading_days, policy.qualification) == (7, ScoringPolicyBody().qualification)
    assert [job.payload for job in jobs] == [{"issuer_id": partner.issuer_id, "program_id": program["id"]}]
    again = await partner.client.post("/v1/programs", json=program_body(partner, external_id="sila"))
    assert refusal(again) == (409, "external_id_taken")


async def test_a_program_needs_a_panel_that_reads_and_published_achievements(partner: Partner) -> None:
    external = await partner.client.post("/v1/panels", json={"name": "Old platform", "kind": "external"})
    draft = await partner.client.post("/v1/achievements", json=achievement_body())
    body = program_body(partner, panel_id=external.json()["id"])
    assert refusal(await partner.client.post("/v1/programs", json=body)) == (422, "panel_cannot_read")
    body = program_body(partner, achievement_ids=[draft.json()["id"]])
    assert refusal(await partner.client.post("/v1/programs", json=body)) == (409, "version_not_published")
    assert (await partner.client.get("/v1/programs")).json()["items"] == []
    program = await create(partner)
    for change, expected in (
        ({"panel_id": external.json()["id"]}, (422, "panel_cannot_read")),
        ({"achievement_ids": [draft.json()["id"]]}, (409, "version_not_published")),
        ({"name": None}, (422, "invalid_body")),
        ({"panel_id": None}, (422, "invalid_body")),
        ({"achievement_ids": []}, (422, "invalid_body")),
        ({}, (422, "invalid_body")),
    ):
        assert refusal(await partner.client.patch(f"/v1/programs/{program['id']}", json=change)) == expected, change
    assert (await partner.client.get(f"/v1/programs/{program['id']}")).json() == program


async def test_a_program_changes(partner: Partner) -> None:
    program = await create(partner, description="For leaders.")
    panel = await partner.client.post("/v1/panels", json=panel_body(name="Another"))
    created = await partner.client.post("/v1/achievements", json=achievement_body(name="Improvement Science"))
    other = created.json()["id"]
    assert (await partner.client.post(f"/v1/achievements/{other}/versions/1/publish")).status_code == 200
    change = {"name": "Academy", "description": None, "panel_id": panel.json()["id"], "achievement_ids": [other, other]}
    changed = await partner.client.patch(f"/v1/programs/{program['id']}", json=change)
    assert changed.status_code == 200, changed.text
    out = changed.json()
    assert (out["name"], out["description"], out["panel_id"]) == ("Academy", None, panel.json()["id"])
    assert [each["id"] for each in out["achievements"]] == [other]


async def test_the_rubric_is_public_before_anybody_enrolls_and_is_the_one_assessors_use(
    partner: Partner, api: httpx.AsyncClient
) -> None:
    [offered] = (await create(partner))["achievements"]
    version = await partner.client.get(f"/v1/achievements/{partner.achievement_id}/versions/1")
    rubric = version.json()["content"]["rubric"] if "content" in version.json() else version.json()["rubric"]
    document = (await api.get(offered["url"], headers={"Accept": "application/ld+json"})).json()
    page = (await api.get(offered["url"], headers={"Accept": "text/html"})).text
    shown = re.sub(r"\s+", " ", page)
    results = [each for each in document["resultDescription"] if each["resultType"] == "RubricCriterionLevel"]
    assert [each["name"] for each in results] == [criterion["name"] for criterion in rubric["criteria"]]
    for result, criterion in zip(results, rubric["criteria"], strict=True):
        assert criterion["name"] in shown
        told = [(level["name"], level["description"]) for level in result["rubricCriterionLevel"]]
        assert told == [(level["name"], level["description"]) for level in criterion["levels"]]
        for level in criterion["levels"]:
            assert level["name"] in shown, level
            assert level["description"] in shown, level


async def test_policies_are_versions_that_say_what_changed(partner: Partner) -> None:
    program = await create(partner)
    path = f"/v1/programs/{program['id']}/policies"
    body = {"second_readings": {"random_percent": 25}, "turnaround": {"reading_days": 7}}
    second = await partner.client.post(path, json=body, headers={"Idempotency-Key": "p-2"})
    assert second.status_code == 201, second.text
    assert second.json()["version"] == 2
    assert second.json()["changes"] == [
        {"pointer": "/second_readings/random_percent", "before": 20, "after": 25},
        {"pointer": "/turnaround/reading_days", "before": 5, "after": 7},
    ]
    replayed = await partner.client.post(path, json=body, headers={"Idempotency-Key": "p-2"})
    assert replayed.json() == second.json()
    assert refusal(await partner.client.post(path, json=body)) == (409, "policy_unchanged")
    assert refusal(await partner.client.post(path, json={"turnaround": {"reading_days": 0}})) == (422, "invalid_body")
    assert (await partner.client.get(f"/v1/programs/{program['id']}")).json()["policy_version"] == 2
    listed = (await partner.client.get(path)).json()["items"]
    assert [each["version"] for each in listed] == [1, 2]
    assert listed[0]["changes"] == []
    assert (await partner.client.get(f"{path}/2")).json() == second.json()
    assert listed[0]["digest"] != listed[1]["digest"]
    back = await partner.client.post(path, json={})
    assert back.json()["digest"] == listed[0]["digest"]
    assert refusal(await partner.client.get(f"{path}/4")) == (404, "not_found")


async def test_policies_sent_at_once_become_versions_one_after_another(partner: Partner) -> None:
    program = await create(partner)
    path = f"/v1/programs/{program['id']}/policies"
    bodies = [{"turnaround": {"reading_days": days}} for days in range(6, 11)]
    answers = await asyncio.gather(*(partner.client.post(path, json=body) for body in bodies))
    assert [answer.status_code for answer in answers] == [201] * 5
    assert sorted(answer.json()["version"] for answer in answers) == [2, 3, 4, 5, 6]
    assert (await partner.client.get(f"/v1/programs/{program['id']}")).json()["policy_version"] == 6


async def test_a_version_of_a_policy_never_changes(partner: Partner, settings: Settings) -> None:
    await create(partner)
    async with open_owner(settings) as engine:
        for statement in ("UPDATE scoring_policy SET digest = 'x'", "DELETE FROM scoring_policy"):
            with pytest.raises(DatabaseError, match="append-only"):
                async with engine.begin() as connection:
                    await connection.execute(text(statement))


async def test_cohorts(partner: Partner) -> None:
    program = await create(partner)
    path = f"/v1/programs/{program['id']}/cohorts"
    body = {"name": "Fall 2026", "external_id": "fall", "starts_on": "2026-09-01", "ends_on": "2027-06-15"}
    made = await partner.client.post(path, json=body)
    assert made.status_code == 201, made.text
    cohort = f"/v1/cohorts/{made.json()['id']}"
    assert (await partner.client.get(path)).json()["items"] == [made.json()]
    assert refusal(await partner.client.post(path, json=body)) == (409, "external_id_taken")
    backwards = {"name": "Never", "starts_on": "2026-09-01", "ends_on": "2026-08-31"}
    assert refusal(await partner.client.post(path, json=backwards)) == (422, "cohort_mismatch")
    changed = await partner.client.patch(cohort, json={"name": "Autumn", "ends_on": None})
    assert (changed.json()["name"], changed.json()["ends_on"]) == ("Autumn", None)
    assert (await partner.client.get(cohort)).json() == changed.json()
    for change, code in (
        ({"ends_on": "2026-08-31"}, "cohort_mismatch"),
        ({"ends_on": 1788220800}, "invalid_body"),
        ({"ends_on": "2026-02-30"}, "invalid_body"),
        ({"name": None}, "invalid_body"),
    ):
        assert refusal(await partner.client.patch(cohort, json=change)) == (422, code), change
    assert (await partner.client.get(cohort)).json() == changed.json()
