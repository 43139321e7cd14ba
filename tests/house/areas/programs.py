"""What the house tests need of programs, cohorts, enrollments."""

from typing import Any

import httpx

from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.house.areas.stories import Mistakes, Story
from tests.people import app_of, find_session_of, make_person


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    client, found = partner.client, dict(known)
    if "program_id" not in found:
        body = {"name": "Academy", "panel_id": partner.panel_id, "achievement_ids": [partner.achievement_id]}
        found["program_id"] = await _made(client, "/v1/programs", body)
    if "person_id" not in found:
        found["person_id"] = await _put_person(partner, "Matrix Person")
    found["cohort_id"] = await _made(client, f"/v1/programs/{found['program_id']}/cohorts", {"name": "Fall 2026"})
    body = {"program_id": found["program_id"], "cohort_id": found["cohort_id"], "recipient": {"external_id": "matrix"}}
    enrollment_id = await _made(client, "/v1/enrollments", body)
    found.setdefault("enrollment_id", enrollment_id)
    body = {"learner_id": found["learner_id"], "person_id": found["person_id"], "kind": "evaluator"}
    found["affiliation_id"] = await _made(client, "/v1/affiliations", body)
    return found


async def _made(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> str:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _put_person(partner: Partner, name: str) -> str:
    person, _ = await make_person(app_of(partner.client).state.resources, partner.issuer_id, "approver", name=name)
    return person.id


async def examples(story: Story) -> None:
    """One good call of every operation."""
    known, kept = story.known, story.token
    story.token = story.client
    program = await story.call(
        "create_program",
        body={"external_id": "leadership", "name": "Leadership Academy", "panel_id": known["panel_id"],
              "achievement_ids": [known["achievement_id"]]},
    )  # fmt: skip
    of_program = {"program_id": program["id"]}
    await story.call("list_programs")
    await story.call("get_program", **of_program)
    await story.call("change_program", body={"description": "For leaders in their first three years."}, **of_program)
    await story.call("create_policy_version", body={"second_readings": {"random_percent": 25}}, **of_program)
    await story.call("list_policy_versions", **of_program)
    await story.call("get_policy_version", version="2", **of_program)
    await story.call(
        "simulate_policies", body={"achievement_id": known["achievement_id"], "accuracy": 0.85}, **of_program
    )
    days = {"starts_on": "2026-09-01", "ends_on": "2027-06-15"}
    cohort = await story.call("create_cohort", body={"name": "Fall 2026", **days}, **of_program)
    of_cohort = {"cohort_id": cohort["id"]}
    await story.call("list_cohorts", **of_program)
    await story.call("get_cohort", **of_cohort)
    await story.call("change_cohort", body={"ends_on": "2027-06-30"}, **of_cohort)
    recipient = {"name": "Lin Example", "email": "lin.example@schools.example.org"}
    context = {"role": "Assistant principal", "school_type": "Middle school", "grade_band": "6-8"}
    enrollment = await story.call(
        "create_enrollment",
        body={**of_program, **of_cohort, "recipient": recipient, "school": "MD-0417", "context": context,
              "goal": "Fewer referrals out of class.", "problem_of_practice": "Who is sent out, and why?"},
    )  # fmt: skip
    of_enrollment = {"enrollment_id": enrollment["id"]}
    await story.call("list_enrollments")
    await story.call("list_enrollments_of_program", **of_program)
    await story.call("list_enrollments_of_cohort", **of_cohort)
    await story.call("get_enrollment", **of_enrollment)
    await story.call("change_enrollment", body={"goal": "Half as many referrals by June."}, **of_enrollment)
    await story.call("change_enrollment_state", body={"state": "active"}, **of_enrollment)
    person, _ = await make_person(story.world, known["issuer_id"], "assessor", name="Coach Example")
    of_learner = {"learner_id": enrollment["learner_id"]}
    body = {**of_learner, "person_id": person.id, "kind": "coach"}
    affiliation = await story.call("declare_affiliation", body=body)
    await story.call("list_affiliations", **of_learner)
    await story.call("end_affiliation", affiliation_id=affiliation["id"])
    story.token = kept


async def mistakes(made: Mistakes) -> None:
    """One request for every problem that somebody can make by themselves."""
    client, programs = made.client, "/v1/programs"
    external = await _made(client, "/v1/panels", {"name": "The platform before", "kind": "external"})
    achievements = [await publish(client, achievement_body())]
    body = {"name": "Leadership Academy", "panel_id": await made.panel(), "achievement_ids": achievements}
    await made.make("panel_cannot_read", "POST", programs, json={**body, "panel_id": external})
    path = f"{programs}/{await _made(client, programs, body)}"
    await made.make("policy_unchanged", "POST", f"{path}/policies", json={})
    days = {"starts_on": "2026-09-01", "ends_on": "2026-06-15"}
    await made.make("cohort_mismatch", "POST", f"{path}/cohorts", json={"name": "Fall 2026", **days})
    enrolling = {"program_id": path.rpartition("/")[2], "recipient": {"external_id": "fellow-99"}}
    enrolled = await client.post("/v1/enrollments", json=enrolling)
    await made.make("already_enrolled", "POST", "/v1/enrollments", json=enrolling)
    state = f"/v1/enrollments/{enrolled.json()['id']}/state"
    await made.make("enrollment_state", "POST", state, json={"state": "completed"})
    person = (await find_session_of(made.world, made.staff)).person_id
    affiliation = {"learner_id": enrolled.json()["learner_id"], "person_id": person, "kind": "coach"}
    end = f"/v1/affiliations/{await _made(client, '/v1/affiliations', affiliation)}/end"
    await made.make("affiliation_declared", "POST", "/v1/affiliations", json=affiliation)
    assert (await client.post(end)).status_code == 200
    await made.make("affiliation_ended", "POST", end)
