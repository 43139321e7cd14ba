"""From handing in to the screening, holds and withdrawal."""

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.access.store import Person, PersonRole
from app.jobs.queue import Job
from app.programs.store import Program, ScoringPolicy
from app.submissions.jobs import CANCEL_READINGS_JOB, OPEN_READINGS_JOB
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.people import open_person
from tests.submissions.attempts import PDF, STATEMENT, URL, Attempt, enroll, good, refused

RETURNED = {"outcome": "returned_incomplete", "condition_codes": ["identifies_students"], "note": "Page 3 names two."}
ACCEPTED = {"outcome": "accepted"}
HELD = {"outcome": "on_hold", "condition_codes": ["not_own_work"]}


async def jobs(ada: Attempt) -> list[tuple[str, dict[str, Any]]]:
    async with ada.world.database.reading() as session:
        found = (await session.scalars(select(Job).where(Job.name.in_((OPEN_READINGS_JOB, CANCEL_READINGS_JOB))))).all()
        return [(job.name, dict(job.payload)) for job in found]


async def test_what_was_handed_in_is_frozen(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.ready()
    artifact = f"{path}/artifacts/{good(await ada.client.get(path))['artifacts'][0]['id']}"
    submitted = good(await ada.client.post(f"{path}/submit"))
    assert (submitted["state"], submitted["policy_version"]) == ("submitted", 1)
    assert submitted["screening_due_at"] == "2026-11-24T13:00:00Z"
    assert submitted["statement"]["context"] == {
        "role": "Principal",
        "school_type": "Middle school",
        "grade_band": "6-8",
    }
    frozen = (409, "submission_frozen")
    assert refused(await ada.client.put(f"{path}/statement", json=STATEMENT)) == frozen
    assert refused(await ada.client.post(f"{path}/artifacts", json=URL)) == frozen
    assert refused(await ada.client.patch(artifact, json={"name": "Another"})) == frozen
    assert refused(await ada.client.delete(artifact)) == frozen
    assert refused(await ada.client.post(f"{path}/submit")) == frozen
    assert good(await ada.client.patch(artifact, json={"consent": True}))["consent"] is True
    await ada.decide(path, "not_yet")
    assert refused(await ada.client.patch(artifact, json={"consent": False})) == frozen


async def test_the_policy_of_the_moment_is_pinned(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.submitted()
    async with ada.world.database.transaction() as session:
        key = (ada.program.issuer_id, ada.program.id)
        first = await session.get_one(ScoringPolicy, (*key, 1))
        columns = {column.name: getattr(first, column.name) for column in ScoringPolicy.__table__.columns}
        session.add(ScoringPolicy(**{**columns, "version": 2}))
        (await session.get_one(Program, key)).policy_version = 2
    good(await partner.staff.post(f"{path}/screenings", json=RETURNED))
    assert good(await ada.client.post(f"{path}/submit"))["policy_version"] == 1, (
        "work that was returned keeps its policy"
    )
    ben = await ada.mate(app, "Ben Example")
    assert good(await ben.client.get(await ben.submitted()))["policy_version"] == 2


async def test_accepted_work_is_given_to_readers(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.submitted()
    assert await jobs(ada) == []
    screening = good(await partner.staff.post(f"{path}/screenings", json=ACCEPTED))
    assert (screening["outcome"], screening["condition_codes"], screening["note"]) == ("accepted", [], None)
    assert good(await ada.client.get(path))["state"] == "accepted"
    payload = {"issuer_id": partner.issuer_id, "submission_id": path.rpartition("/")[2]}
    assert await jobs(ada) == [(OPEN_READINGS_JOB, payload)]
    assert refused(await partner.staff.post(f"{path}/screenings", json=ACCEPTED)) == (409, "not_to_be_screened")


async def test_returned_work_is_mended_at_the_same_attempt(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.submitted()
    missing = await partner.staff.post(f"{path}/screenings", json={"outcome": "returned_incomplete"})
    assert refused(missing) == (422, "condition_code_missing")
    good(await partner.staff.post(f"{path}/screenings", json=RETURNED))
    returned = good(await ada.client.get(path))
    assert (returned["state"], returned["attempt"], returned["screening_due_at"]) == ("returned_incomplete", 1, None)
    assert returned["screenings"][0]["condition_codes"] == ["identifies_students"]
    assert returned["screenings"][0]["note"] == "Page 3 names two."
    assert "screened_by" not in returned["screenings"][0]
    good(await ada.client.post(f"{path}/artifacts", json=URL))
    again = good(await ada.client.post(f"{path}/submit"))
    assert (again["state"], again["attempt"], len(again["artifacts"])) == ("submitted", 1, 2)
    assert (await ada.row(path)).evidence == [artifact["id"] for artifact in again["artifacts"]]
    assert refused(await ada.client.post(f"{path}/screenings", json=ACCEPTED)) == (403, "forbidden")
    good(await partner.staff.post(f"{path}/screenings", json=ACCEPTED))


async def test_only_people_screen_and_nobody_their_own_work(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.submitted()
    assert refused(await partner.client.post(f"{path}/screenings", json=ACCEPTED)) == (403, "person_required")
    async with ada.world.database.transaction() as session:
        [person] = await session.scalars(select(Person).where(Person.learner_id == ada.learner.id))
        columns = {"issuer_id": partner.issuer_id, "person_id": person.id, "role": "lead"}
        session.add(PersonRole(**columns, granted_by="test", granted_at=ada.world.clock.now()))
    for there in ("screenings", "release"):
        assert refused(await ada.client.post(f"{path}/{there}", json=ACCEPTED)) == (403, "screener_is_learner")
    _, lead = await open_person(app, partner.issuer_id, "lead", name="Lee Lead")
    assert (await lead.post(f"{path}/screenings", json=ACCEPTED)).status_code == 201
    unknown = {"outcome": "returned_incomplete", "condition_codes": ["level_0"]}
    assert refused(await lead.post(f"{path}/screenings", json=unknown)) == (422, "invalid_body")


@pytest.mark.parametrize(
    ("state", "cancelled", "opened"), [("submitted", 0, 0), ("accepted", 1, 1), ("scoring", 1, 1), ("resolved", 0, 0)]
)
async def test_a_hold_ends_where_it_began(
    app: FastAPI, partner: Partner, state: str, cancelled: int, opened: int
) -> None:
    ada = await enroll(app, partner)
    path = await ada.submitted()
    await ada.put(path, state=state)
    good(await partner.staff.post(f"{path}/screenings", json=HELD))
    assert good(await ada.client.get(path))["state"] == "on_hold"
    again = await partner.staff.post(f"{path}/screenings", json=HELD)
    assert refused(again) == (409, "not_to_be_screened")
    good(await partner.staff.post(f"{path}/release"))
    assert (await ada.row(path)).state == state
    assert (await ada.row(path)).held_from is None
    names = [name for name, _ in await jobs(ada)]
    assert (names.count(CANCEL_READINGS_JOB), names.count(OPEN_READINGS_JOB)) == (cancelled, opened)
    assert refused(await partner.staff.post(f"{path}/release")) == (409, "not_on_hold")


async def test_a_hold_of_unscreened_work_may_end_with_its_screening(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.submitted()
    good(await partner.staff.post(f"{path}/screenings", json=HELD))
    good(await partner.staff.post(f"{path}/screenings", json=ACCEPTED))
    assert (await ada.row(path)).held_by_screening is False
    good(await partner.staff.post(f"{path}/screenings", json=HELD))
    assert refused(await partner.staff.post(f"{path}/screenings", json=ACCEPTED)) == (409, "not_to_be_screened")


async def test_a_hold_of_somebody_else_is_not_ended_by_a_screening_nor_by_withdrawing(
    app: FastAPI, partner: Partner
) -> None:
    ada = await enroll(app, partner)
    path = await ada.submitted()
    await ada.put(path, state="on_hold", held_from="submitted")
    assert refused(await partner.staff.post(f"{path}/release")) == (409, "not_on_hold")
    assert refused(await partner.staff.post(f"{path}/screenings", json=ACCEPTED)) == (409, "not_to_be_screened")
    assert refused(await ada.client.post(f"{path}/withdraw")) == (409, "submission_held")


async def test_work_is_withdrawn_until_somebody_reads_it(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    ada = await enroll(app, partner)
    for outcome in (None, RETURNED, ACCEPTED, HELD):
        path = await ada.submitted()
        if outcome:
            good(await partner.staff.post(f"{path}/screenings", json=outcome))
        assert good(await ada.client.post(f"{path}/withdraw"))["state"] == "withdrawn"
        assert good(await ada.client.post(f"{path}/withdraw"))["state"] == "withdrawn", "again changes nothing"
        assert refused(await partner.staff.post(f"{path}/screenings", json=ACCEPTED)) == (409, "not_to_be_screened")
    assert [name for name, _ in await jobs(ada)].count(CANCEL_READINGS_JOB) == 1
    for state in ("scoring", "resolved", "decided", "void"):
        path = await ada.submitted()
        await ada.put(path, state=state)
        assert refused(await ada.client.post(f"{path}/withdraw")) == (409, "reading_started")
        await ada.put(path, state="withdrawn")


async def test_nobody_outside_can_tell_resolved_work_from_work_being_scored(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.submitted()
    good(await partner.staff.post(f"{path}/screenings", json=ACCEPTED))
    shown = []
    for state in ("scoring", "resolved"):
        await ada.put(path, state=state, resolved_at=ada.world.clock.now() if state == "resolved" else None)
        shown.append((await ada.client.get(path)).json())
        listed = good(await partner.client.get("/v1/submissions?state=scoring"))["items"]
        assert [item["id"] for item in listed] == [path.rpartition("/")[2]]
    assert shown[0] == shown[1]
    assert shown[0]["state"] == "scoring"
    assert refused(await ada.client.get("/v1/submissions?state=resolved")) == (422, "invalid_body")


async def test_who_screens_sees_the_work_as_a_reader_does(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    _, lead = await open_person(app, partner.issuer_id, "lead", name="Lee Lead")
    path = await ada.draft()
    good(await ada.client.put(f"{path}/statement", json=STATEMENT))
    artifact = await ada.upload(path)
    file = f"{path}/work/artifacts/{artifact.rpartition('/')[2]}/file"
    for there in (f"{path}/work", file):
        assert refused(await lead.get(there)) == (409, "not_to_be_screened"), "nobody looks into a draft"
    assert good(await lead.get("/v1/screenings/waiting"))["items"] == []
    good(await ada.client.post(f"{path}/submit"))
    [task] = good(await lead.get("/v1/screenings/waiting"))["items"]
    assert task["submission_id"] == path.rpartition("/")[2]
    assert "learner_id" not in task
    work = await lead.get(f"{path}/work")
    assert [part["text"] for part in good(work)["parts"]] == list(STATEMENT["parts"].values())
    assert [each["name"] for each in work.json()["artifacts"]] == ["Artifacts 1"]
    assert not any(secret in work.text for secret in (ada.learner.id, "Ada", "Lesson plan", "2026"))
    answer = await lead.get(file)
    assert (answer.content, "Lesson" in answer.headers["content-disposition"]) == (PDF, False)
    assert refused(await lead.get(f"{path}/work/artifacts/{'0' * 32}/file")) == (404, "not_found")
    assert refused(await ada.client.get(f"{path}/work")) == (403, "forbidden")
    assert refused(await partner.client.get(f"{path}/work")) == (403, "person_required")
