"""Which attempt may begin, and with what."""

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.access.store import Person, PersonRole
from app.identifiers import new_id
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Enrollment
from app.submissions.store import Submission
from tests.assessing import put_program
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.people import open_person
from tests.submissions.attempts import (
    STATEMENT,
    URL,
    Attempt,
    add_to_program,
    enroll,
    good,
    pointers,
    refused,
)

TASK: dict[str, Any] = {
    "summary": "Change a practice.",
    "parts": [
        {"key": "context", "kind": "overview", "name": "Context", "prompt": "Where?"},
        {"key": "work", "kind": "artifact", "name": "Work", "prompt": "What?"},
        {"key": "impact", "kind": "impact", "name": "Impact", "prompt": "What changed?"},
        {"key": "reflection", "kind": "reflection", "name": "Reflection", "prompt": "What was learned?"},
    ],
    "variants": [{"key": "rural", "name": "Rural", "prompt": "In a small school."}],
}


async def test_an_attempt_begins_as_a_draft_of_ones_own(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    draft = good(await ada.begin(external_id="work-1"))
    assert (draft["state"], draft["attempt"], draft["version"], draft["learner_id"]) == ("draft", 1, 1, ada.learner.id)
    assert (draft["banked"], draft["artifacts"], draft["support"]) == ([], [], False)
    assert good(await partner.client.get("/v1/submissions?external_id=work-1"))["items"][0]["id"] == draft["id"]
    assert refused(await ada.begin(external_id="work-1")) == (409, "external_id_taken")


async def test_a_learner_reaches_their_own_work_alone(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    ben = await ada.mate(app, "Ben Example")
    path = await ada.submitted()
    artifact = good(await ada.client.get(path))["artifacts"][0]["id"]
    for method, there, body in (
        ("GET", path, None),
        ("PUT", f"{path}/statement", STATEMENT),
        ("POST", f"{path}/submit", None),
        ("POST", f"{path}/withdraw", None),
        ("POST", f"{path}/artifacts", URL),
        ("PATCH", f"{path}/artifacts/{artifact}", {"consent": True}),
        ("DELETE", f"{path}/artifacts/{artifact}", None),
        ("GET", f"{path}/artifacts/{artifact}/file", None),
    ):
        assert refused(await ben.client.request(method, there, json=body)) == (404, "not_found"), (method, there)
    refusal = await ben.client.put(
        f"{path}/artifacts/{artifact}/file", content=b"x", headers={"Content-Type": "text/plain"}
    )
    assert refused(refusal) == (404, "not_found")
    theirs = {"enrollment_id": ada.enrollment.id, "achievement_id": ada.achievement_id}
    assert refused(await ben.client.post("/v1/submissions", json=theirs)) == (404, "not_found")
    assert good(await ben.client.get("/v1/submissions"))["items"] == []
    assert len(good(await ada.client.get("/v1/submissions?state=submitted"))["items"]) == 1
    assert good(await ada.client.get("/v1/submissions?state=draft"))["items"] == []
    assert good(await partner.client.get(path))["statement"]["parts"] == STATEMENT["parts"]
    assert good(await ada.client.post(f"{path}/withdraw"))["state"] == "withdrawn"
    _, assessor = await open_person(app, partner.issuer_id, "assessor", "lead", name="Lee Example")
    assert refused(await assessor.get(path)) == (403, "forbidden")


async def test_who_was_merged_reaches_their_work_as_the_survivor(app: FastAPI, partner: Partner) -> None:
    """The work stays where it was; whoever signs in reaches it, may not screen it, and does not earn the award twice."""
    ada = await enroll(app, partner)
    path, team = await ada.submitted(), {"name": "Us", "program_id": ada.program.id}
    made = good(await partner.client.post("/v1/teams", json=team | {"enrollment_ids": [ada.enrollment.id]}))
    survivor = good(await partner.client.post("/v1/learners", json={"external_id": "survivor"}))["id"]
    good(await partner.client.post(f"/v1/learners/{survivor}/merge", json={"learner_id": ada.learner.id}))
    assert [each["learner_id"] for each in good(await ada.client.get("/v1/submissions"))["items"]] == [ada.learner.id]
    assert good(await ada.client.get(path))["state"] == "submitted"
    assert [each["id"] for each in good(await ada.client.get("/v1/teams"))["items"]] == [made["id"]]
    assert (await ada.client.get(f"/v1/teams/{made['id']}")).status_code == 200
    async with ada.world.database.transaction() as session:
        person = (await session.scalars(select(Person).where(Person.learner_id == survivor))).one()
        session.add(PersonRole(issuer_id=person.issuer_id, person_id=person.id, role="lead", granted_by="test",
                               granted_at=ada.world.clock.now()))  # fmt: skip
    accepted = {"outcome": "accepted", "condition_codes": []}
    assert refused(await ada.client.post(f"{path}/screenings", json=accepted)) == (403, "screener_is_learner")
    await ada.decide(path, "awarded", problem="demonstrated", evidence="demonstrated")
    other = await put_program(ada.world, partner)
    there = {"program_id": other.id, "learner_id": survivor, "state": "enrolled"}
    enrolled = good(await partner.client.post("/v1/enrollments", json=there))
    again = await ada.begin(enrollment_id=enrolled["id"])
    assert refused(again) == (409, "already_awarded")


@pytest.mark.parametrize("state", ["invited", "completed", "withdrawn", "lapsed"])
async def test_only_who_is_enrolled_may_begin(app: FastAPI, partner: Partner, state: str) -> None:
    ada = await enroll(app, partner)
    await set_enrollment(ada, state)
    assert refused(await ada.begin()) == (409, "enrollment_not_active")
    await set_enrollment(ada, "enrolled")
    assert (await ada.begin()).status_code == 201


async def test_only_achievements_of_the_program_are_attempted(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    other = await publish(partner.client, achievement_body(name="Another"))
    assert refused(await ada.begin(achievement_id=other)) == (422, "achievement_not_in_program")
    await add_to_program(ada.world, ada.program, other)
    assert (await ada.begin(achievement_id=other)).status_code == 201
    draft = await partner.client.post("/v1/achievements", json=achievement_body(name="A draft"))
    assert refused(await ada.begin(achievement_id=draft.json()["id"])) == (409, "version_not_published")


async def test_one_attempt_at_a_time(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.draft()
    assert refused(await ada.begin()) == (409, "attempt_open")
    good(await ada.client.post(f"{path}/withdraw"))
    assert good(await ada.begin())["attempt"] == 2


async def test_after_a_not_yet_the_next_attempt_goes_on_and_banks_what_was_met(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    first = await ada.submitted()
    file_gone = good(await ada.client.get(first))["artifacts"][0]
    await ada.decide(first, "not_yet", problem="demonstrated")
    second = good(await ada.begin())
    assert second["attempt"] == 2
    assert second["banked"] == [{"criterion": "problem", "level": "demonstrated", "decision_id": "d" * 32}]
    assert second["statement"]["parts"] == STATEMENT["parts"]
    assert second["statement"]["attestations"]["own_work"] is False, "it is attested anew"
    [carried] = second["artifacts"]
    assert carried["id"] != file_gone["id"]
    assert {name: carried[name] for name in ("name", "url", "part")} == URL
    path = f"/v1/submissions/{second['id']}"
    assert pointers(await ada.client.post(f"{path}/submit")) == {
        f"/statement/attestations/{name}" for name in ("own_work", "student_privacy", "permissions", "ai_use")
    }
    good(await ada.client.put(f"{path}/statement", json=STATEMENT))
    assert good(await ada.client.post(f"{path}/submit"))["banked"] == second["banked"]
    await ada.decide(path, "not_yet", problem="demonstrated", evidence="demonstrated")
    met = (await ada.row(path)).met
    assert met == [["problem", "demonstrated", "d" * 32], ["evidence", "demonstrated", "d" * 32]]


async def test_nothing_is_banked_where_the_policy_says_so(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner, ScoringPolicyBody(bank_met_criteria=False))
    await ada.decide(await ada.submitted(), "not_yet", problem="demonstrated")
    second = good(await ada.begin())
    assert (second["banked"], second["statement"]["parts"]) == ([], STATEMENT["parts"])


async def test_nothing_is_banked_of_a_void_attempt(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.submitted()
    await ada.decide(path, "not_yet", problem="demonstrated")
    async with ada.world.database.transaction() as session:
        (await session.get_one(Submission, (partner.issuer_id, path.rpartition("/")[2]))).state = "void"
    second = good(await ada.begin())
    assert (second["attempt"], second["banked"], second["artifacts"]) == (2, [], [])


async def test_nothing_is_banked_across_versions(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    await ada.decide(await ada.submitted(), "not_yet", problem="demonstrated")
    versions = f"/v1/achievements/{ada.achievement_id}/versions"
    good(await partner.client.post(versions, json=achievement_body()))
    good(await partner.client.post(f"{versions}/2/publish"))
    second = good(await ada.begin())
    assert (second["version"], second["attempt"], second["banked"], second["artifacts"]) == (2, 2, [], [])


async def test_after_an_award_there_is_no_further_attempt(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.submitted()
    await ada.decide(path, "awarded", problem="demonstrated", evidence="demonstrated")
    assert refused(await ada.begin()) == (409, "already_awarded")
    await ada.decide(path, "not_yet")  # amended: the award does not stand any more
    assert (await ada.begin()).status_code == 201


async def test_an_award_counts_in_every_program(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    other = await put_program(ada.world, partner)
    async with ada.world.database.transaction() as session:
        columns = {column.name: getattr(ada.enrollment, column.name) for column in Enrollment.__table__.columns}
        session.add(Enrollment(**{**columns, "id": new_id(), "program_id": other.id}))
    async with ada.world.database.reading() as session:
        [there] = (await session.scalars(select(Enrollment).where(Enrollment.program_id == other.id))).all()
    first = await ada.submitted()
    await ada.decide(first, "awarded")
    assert refused(await ada.begin(enrollment_id=there.id)) == (409, "already_awarded")
    await ada.decide(first, "not_yet")
    assert (await ada.begin(enrollment_id=there.id)).status_code == 201


async def test_after_so_many_not_yets_support_comes_first_and_nobody_is_shut_out(
    app: FastAPI, partner: Partner
) -> None:
    ada = await enroll(app, partner, ScoringPolicyBody(attempts_before_support=2))
    first = await ada.submitted()
    assert refused(await partner.client.post(f"{first}/support", json={"note": "Too early."})) == (
        409,
        "support_not_due",
    )
    await ada.decide(first, "not_yet")
    second = await ada.ready()
    good(await ada.client.post(f"{second}/submit"))
    await ada.decide(second, "not_yet")
    assert refused(await ada.begin()) == (409, "support_not_offered")
    offer = {"note": "A coach goes through the feedback."}
    assert refused(await ada.client.post(f"{second}/support", json=offer)) == (403, "not_for_learners")
    offered = good(await partner.client.post(f"{second}/support", json=offer))
    assert offered["support_offered_at"] == "2026-11-23T13:00:00Z"
    third = good(await ada.begin())
    assert (third["attempt"], third["support"]) == (3, True)
    types = [event["type"] for event in (await partner.client.get("/v1/events?limit=500")).json()["items"]]
    assert types.count("submission.support_offered") == 1


async def test_a_variant_is_one_of_the_task_and_has_its_rubric(app: FastAPI, partner: Partner) -> None:
    ada = await with_task(app, partner)
    answer = await ada.begin(variant="urban")
    assert (refused(answer), pointers(answer)) == ((422, "unknown_variant"), {"/variant"})
    assert good(await ada.begin(variant="rural"))["variant"] == "rural"


async def test_everything_the_task_asks_for_must_be_there(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    ada = await with_task(app, partner)
    path = await ada.draft()
    answer = await ada.client.post(f"{path}/submit")
    assert refused(answer) == (422, "submission_incomplete")
    attestations = {
        f"/statement/attestations/{each}" for each in ("own_work", "ai_use", "student_privacy", "permissions")
    }
    parts = {"/statement/parts/context", "/statement/parts/reflection", "/statement/impact", "/artifacts"}
    assert pointers(answer) == attestations | parts
    statement = {
        "parts": {"context": "A school.", "reflection": "Much."},
        "impact": {"indicator": "Referrals", "baseline": "61 %", "follow_up": "38 %", "n": 40},
        "attestations": {"own_work": True, "ai_use": "none", "student_privacy": True, "permissions": True},
    }
    wrong = await ada.client.put(f"{path}/statement", json={"parts": {"overview": "x", "context": "A school."}})
    assert (refused(wrong), pointers(wrong)) == ((422, "unknown_part"), {"/parts/overview"})
    good(await ada.client.put(f"{path}/statement", json=statement))
    good(await ada.client.post(f"{path}/artifacts", json={**URL, "part": "work", "genre": "video"}))
    assert pointers(await ada.client.post(f"{path}/submit")) == {"/artifacts"}, "two videos are wanted"
    clock.advance(seconds=1)
    good(await ada.client.post(f"{path}/artifacts", json={"part": "work", "name": "Second", "genre": "Video"}))
    answer = await ada.client.post(f"{path}/submit")
    assert pointers(answer) == {"/artifacts/1"}, "its file has not come"
    there = good(await ada.client.get(path))["artifacts"][1]["id"]
    good(await ada.client.put(f"{path}/artifacts/{there}/file", content=b"x", headers={"Content-Type": "text/plain"}))
    assert good(await ada.client.post(f"{path}/submit"))["state"] == "submitted"


async def test_an_artifact_belongs_to_a_part_of_the_task(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.draft()
    answer = await ada.client.post(f"{path}/artifacts", json={**URL, "part": "appendix"})
    assert (refused(answer), pointers(answer)) == ((422, "unknown_part"), {"/part"})
    for url in ("ftp://example.org/x", "javascript:alert(1)", "evidence"):
        assert refused(await ada.client.post(f"{path}/artifacts", json={**URL, "url": url})) == (422, "invalid_body")
    for _ in range(30):
        good(await ada.client.post(f"{path}/artifacts", json=URL))
    assert refused(await ada.client.post(f"{path}/artifacts", json=URL)) == (409, "too_many_artifacts")


async def test_a_repeated_request_begins_one_attempt(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    body = {"enrollment_id": ada.enrollment.id, "achievement_id": ada.achievement_id}
    answers = [
        await ada.client.post("/v1/submissions", json=body, headers={"Idempotency-Key": "s-1"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


async def with_task(app: FastAPI, partner: Partner) -> Attempt:
    """A learner whose achievement has a task of its own, which wants two videos."""
    wanted = [{"key": "videos", "name": "Videos", "genre": "Video", "minimum": 2}]
    body = achievement_body(name="With a task", performance_task=TASK, required_evidence=wanted)
    own = await publish(partner.client, body)
    ada = await enroll(app, partner)
    await add_to_program(ada.world, ada.program, own)
    return Attempt(ada.world, ada.program, ada.enrollment, ada.learner, ada.client, own)


async def set_enrollment(ada: Attempt, state: str) -> None:
    async with ada.world.database.transaction() as session:
        row = await session.get_one(Enrollment, (ada.enrollment.issuer_id, ada.enrollment.id))
        row.state = state
