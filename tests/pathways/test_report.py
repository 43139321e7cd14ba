"""The report of pathways, against a slow recount of progress person by person."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

from fastapi import FastAPI

from app.reports.filters import Filters, get_reported
from app.reports.pathways import measure
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.issuing import Document
from tests.pathways.stacks import (
    act,
    all_of,
    change_badge,
    earn,
    group,
    list_proposals,
    pathway_body,
    publish_components,
    publish_pathway,
    run_jobs,
    stack_body,
)


async def open_program(partner: Partner, achievement_ids: list[str]) -> str:
    body = {"name": "Academy", "panel_id": partner.panel_id, "achievement_ids": achievement_ids}
    made = await partner.client.post("/v1/programs", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def enroll(partner: Partner, program_id: str, email: str, **more: Any) -> str:
    body = {"program_id": program_id, "recipient": {"name": "Somebody", "email": email}, **more}
    made = await partner.client.post("/v1/enrollments", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["learner_id"])


async def report(partner: Partner, program_id: str, **query: Any) -> Document:
    answer = await partner.client.get(f"/v1/programs/{program_id}/reports/pathways", params=query)
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    return found


def stages(standing: Document) -> dict[str, int]:
    return {each["stage"]: each["people"] for each in standing["stages"] if each["people"]}


async def test_people_by_stage_and_what_they_lack(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    reading, writing, counting = await publish_components(partner, "Reading", "Writing", "Counting")
    program_id = await open_program(partner, [reading, writing, counting])
    emails = [f"person.{number}@schools.example.org" for number in range(6)]
    learners = [await enroll(partner, program_id, email) for email in emails]
    awarded = await publish(partner.client, stack_body())
    rule = {"all": [{"at_least": 2, "of": [{"group": "literacy"}]}, {"achievement_id": counting}]}
    groups = {"literacy": group("Literacy", [reading, writing])}
    pathway_id = await publish_pathway(partner, pathway_body(partner, awarded, rule, groups=groups))
    clock.advance(hours=1)
    for email in emails[:5]:
        await earn(app, partner, reading, email)
    for email in emails[:4]:
        await earn(app, partner, writing, email)
    for email in emails[:3]:
        await earn(app, partner, counting, email)
    first, second, third = await list_proposals(partner)
    assert (await act(partner.staff, first, "approve")).status_code == 201
    assert (await act(partner.staff, second, "decline", reason="Not now.")).status_code == 200
    await run_jobs(app)
    body = await report(partner, program_id)
    assert body["enrolled"] == 6
    [standing] = body["pathways"]
    told = Counter()
    for learner_id in learners:
        progress = await partner.client.get(f"/v1/pathways/{pathway_id}/progress/{learner_id}")
        told[progress.json()["stage"]] += 1
    assert stages(standing) == told == {"awarded": 1, "met": 1, "proposed": 1, "part": 2, "not_begun": 1}
    assert [(each["label"], each["people"]) for each in standing["blockers"]] == [
        ("Counting", 2), ("2 from Literacy", 1),
    ]  # fmt: skip
    headline = (await partner.client.get(f"/v1/programs/{program_id}/reports/headline")).json()
    assert headline["other_credentials"] == {"Pathway": 1}  # the pathway's own achievement is not the program's
    rate = standing["awarded"]
    assert (rate["numerator"], rate["denominator"], rate["interval"]["method"]) == (1, 6, "wilson")
    assert "Literacy leader: 1 hold the badge, 1 are proposed for it, 1 have met it otherwise" in body["sentence"]
    assert "2 are part of the way; most of these lack Counting (2)" in body["sentence"]
    table = await report_csv(partner, program_id)
    assert f",{pathway_id},1,Literacy leader,stage,part,2\r\n" in table
    assert f",{pathway_id},1,Literacy leader,blocker,Counting,2\r\n" in table
    assert third["state"] == "proposed"


async def report_csv(partner: Partner, program_id: str) -> str:
    answer = await partner.client.get(f"/v1/programs/{program_id}/reports/pathways", params={"format": "csv"})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_moment_in_the_past_is_told_as_it_was(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    reading, writing = await publish_components(partner, "Reading", "Writing")
    program_id = await open_program(partner, [reading, writing])
    email = "person.0@schools.example.org"
    await enroll(partner, program_id, email)
    awarded = await publish(partner.client, stack_body())
    await publish_pathway(partner, pathway_body(partner, awarded, all_of(reading, writing)))
    moments: list[tuple[datetime, str]] = []

    async def note(stage: str) -> None:
        moments.append((clock.now(), stage))
        [standing] = (await report(partner, program_id))["pathways"]
        assert stages(standing) == {stage: 1}
        clock.advance(hours=1)

    await note("not_begun")
    first = await earn(app, partner, reading, email)
    await note("part")
    await earn(app, partner, writing, email)
    await note("proposed")
    [proposal] = await list_proposals(partner)
    assert (await act(partner.staff, proposal, "approve")).status_code == 201
    await run_jobs(app)
    await note("awarded")
    badge = (await partner.client.get("/v1/credentials", params={"limit": 200})).json()["items"][-1]
    assert badge["achievement_id"] == awarded
    await change_badge(app, partner, badge["id"], "revoke")
    await note("met")
    await change_badge(app, partner, first["id"], "revoke")
    await note("part")
    for moment, stage in moments:
        [standing] = (await tell_all(app, partner, program_id, moment))["pathways"]
        assert stages(standing) == {stage: 1}, moment
    # Nobody is told of one person at a moment of their choice.
    told = await report(partner, program_id, as_of=moments[0][0].isoformat())
    assert told["suppressed"]["members"] == ["pathways"]


async def tell_all(app: FastAPI, partner: Partner, program_id: str, as_of: datetime) -> Document:
    """The report of a moment, as it would be told if nobody had to be protected."""
    async with app.state.resources.database.snapshot() as session:
        reported = await get_reported(session, partner.issuer_id, program_id, Filters(as_of, looks_back=True))
        return (await measure(session, replace(reported, minimum_cell=1))).model_dump(mode="json")


async def test_programs_without_pathways_and_pathways_of_others(app: FastAPI, partner: Partner) -> None:
    reading, writing = await publish_components(partner, "Reading", "Writing")
    one, other = await open_program(partner, [reading]), await open_program(partner, [writing])
    assert (await report(partner, one))["pathways"] == []
    assert "no pathway in force" in (await report(partner, one))["sentence"]
    stack, bundle = [await publish(partner.client, stack_body(name)) for name in ("Stack", "Bundle")]
    pathway_id = await publish_pathway(partner, pathway_body(partner, stack, all_of(reading), name="Stack"))
    await publish_pathway(partner, pathway_body(partner, bundle, all_of(stack), name="Bundle"))
    assert [each["name"] for each in (await report(partner, one))["pathways"]] == ["Bundle", "Stack"]
    assert (await report(partner, other))["pathways"] == []
    [empty, _] = (await report(partner, one))["pathways"]
    assert (empty["awarded"]["value"], empty["awarded"]["reason"]) == (None, "no_data")
    await partner.client.post(f"/v1/pathways/{pathway_id}/versions/1/retire")
    assert (await report(partner, one))["pathways"] == []


async def test_a_small_cohort_is_not_told(app: FastAPI, partner: Partner) -> None:
    [reading] = await publish_components(partner, "Reading")
    program_id = await open_program(partner, [reading])
    cohort = await partner.client.post(f"/v1/programs/{program_id}/cohorts", json={"name": "Few"})
    cohort_id = cohort.json()["id"]
    await enroll(partner, program_id, "person.0@schools.example.org", cohort_id=cohort_id)
    stack = await publish(partner.client, stack_body())
    await publish_pathway(partner, pathway_body(partner, stack, all_of(reading)))
    body = await report(partner, program_id, cohort_id=cohort_id)
    assert body["suppressed"]["members"] == ["pathways"]
    assert {each["people"] for each in body["pathways"][0]["stages"]} == {None}
    assert body["pathways"][0]["blockers"] is None
    assert (await report(partner, program_id))["suppressed"] is None


async def test_merged_people_are_one(app: FastAPI, partner: Partner) -> None:
    reading, writing = await publish_components(partner, "Reading", "Writing")
    program_id = await open_program(partner, [reading, writing])
    stack = await publish(partner.client, stack_body())
    await publish_pathway(partner, pathway_body(partner, stack, all_of(reading, writing)))
    emails = ["person.0@schools.example.org", "person.1@schools.example.org"]
    first, second = [await enroll(partner, program_id, email) for email in emails]
    for email, component in zip(emails, (reading, writing), strict=True):
        await earn(app, partner, component, email)
    [standing] = (await report(partner, program_id))["pathways"]
    assert stages(standing) == {"part": 2}
    merged = await partner.client.post(f"/v1/learners/{first}/merge", json={"learner_id": second})
    assert merged.status_code == 200, merged.text
    await run_jobs(app)
    body = await report(partner, program_id)
    assert (body["enrolled"], stages(body["pathways"][0])) == (1, {"proposed": 1})
