"""One reading from its assignment to its submission, and everything that refuses or ends it."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.access.store import Person
from app.assessors.jobs import RECHECK_ASSESSOR_JOB
from app.assessors.store import Assessor, Certification
from app.identifiers import new_id
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.programs.jobs import RECHECK_CONFLICTS_JOB
from app.programs.store import Affiliation
from app.readings.store import Reading, get_reading
from app.readings.texts import open_texts
from app.submissions.jobs import CANCEL_READINGS_JOB, OPEN_READINGS_JOB
from app.submissions.store import Submission, Team, TeamMember
from tests.builders import results
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.people import open_person
from tests.readings.scene import Scene, open_scene
from tests.submissions.attempts import PDF, STATEMENT, Attempt


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body.get("code")) == (status, code), answer.text
    return body


async def end(scene: Scene, submission: Submission) -> str:
    """How its first reading ended, and that there is a new one, of somebody else."""
    readings = await scene.readings(submission)
    (ended,) = [each for each in readings if each.end_reason is not None]
    (later,) = [each for each in readings if each.end_reason is None]
    assert later.state == "assigned"
    assert later.assessor_id != ended.assessor_id
    return f"{ended.state} {ended.end_reason}"


async def test_a_reading_from_assignment_to_resolution(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        client = scene.clients[code]
        queue = (await client.get("/v1/readings")).json()["items"]
        assert [(each["id"], each["state"]) for each in queue] == [(reading_id, "assigned")]
        before = (await client.get(f"/v1/readings/{reading_id}")).json()
        assert before["work"] is None
        assert [each["key"] for each in before["rubric"]["criteria"]] == ["problem", "evidence"]
        started = await client.post(f"/v1/readings/{reading_id}/start")
        assert started.json()["work"]["parts"][0]["text"] == "The problem and its setting."
        assert (await client.post(f"/v1/readings/{reading_id}/start")).json() == started.json()
        assert (await client.get(f"/v1/readings/{reading_id}")).json() == started.json()
        assert await scene.state(submission) == "scoring"
        key = {"Idempotency-Key": "once"}
        path = f"/v1/readings/{reading_id}/submission"
        submitted = await client.post(path, json={"results": results()}, headers=key)
        assert submitted.status_code == 201, submitted.text
        assert submitted.json()["results"] == [
            {"criterion": "problem", "level": "demonstrated"},
            {"criterion": "evidence", "level": "demonstrated"},
        ]
        assert (await client.post(path, json={"results": results()}, headers=key)).json() == submitted.json()
        refused(await client.post(path, json={"results": results()}), 409, "reading_submitted")
        refused(await client.post(f"/v1/readings/{reading_id}/start"), 409, "reading_submitted")
        refused(
            await client.post(f"/v1/readings/{reading_id}/recuse", json={"reason": "other"}), 409, "reading_submitted"
        )
        assert await scene.state(submission) == "resolved"
        (resolution,) = await scene.resolutions(submission)
        assert (resolution.method, resolution.reading_ids) == ("single_reading", [reading_id])
        assert (resolution.recommendation, dict(resolution.levels)["problem"]) == ("awarded", "demonstrated")


async def test_nothing_is_read_before_it_was_screened(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept(state="submitted", accepted_at=None)
        assert await scene.readings(submission) == []
        for client in scene.clients.values():
            refused(await client.post("/v1/readings/claim"), 404, "nothing_to_read")
        accepted = await partner.staff.post(f"/v1/submissions/{submission.id}/screenings", json={"outcome": "accepted"})
        assert accepted.status_code == 201, accepted.text
        await scene.run()
        assert [each.state for each in await scene.readings(submission)] == ["assigned"]


async def test_files_are_downloaded_by_who_reads_from_the_start_on(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, lead=False) as scene:
        enrollment, learner = await scene.enroll()
        _, own = await open_person(app, partner.issuer_id, "learner", name="Ada Herself", learner_id=learner.id)
        async with own:
            ada = Attempt(scene.world, scene.program, enrollment, learner, own, partner.achievement_id)
            path = await ada.draft()
            file_id = (await ada.upload(path)).rpartition("/")[2]
            assert (await own.put(f"{path}/statement", json=STATEMENT)).status_code == 200
            assert (await own.post(f"{path}/submit")).status_code == 200
        assert (await partner.staff.post(f"{path}/screenings", json={"outcome": "accepted"})).status_code == 201
        await scene.run()
        code, reading_id = await scene.holder(await ada.row(path))
        file = f"/v1/readings/{reading_id}/artifacts/{file_id}"
        refused(await scene.clients[code].get(file), 404, "not_found")
        assert (await scene.clients[code].post(f"/v1/readings/{reading_id}/start")).status_code == 200
        downloaded = await scene.clients[code].get(file)
        assert (downloaded.status_code, downloaded.content) == (200, PDF)
        assert "Lesson" not in downloaded.headers["content-disposition"]
        refused(await scene.clients[code].get(f"/v1/readings/{reading_id}/artifacts/{new_id()}"), 404, "not_found")
        for client in (scene.clients["A-02" if code == "A-01" else "A-01"], partner.staff):
            refused(await client.get(file), 404, "not_found")


async def test_no_machine_reads_before_people_do(app: FastAPI, partner: Partner) -> None:
    """A partner's system with every scope there is reads nothing: not even what an assessor left to it."""
    async with open_scene(app, partner) as scene:
        code, reading_id = await scene.holder(await scene.accept())
        path = f"/v1/readings/{reading_id}"
        for method, door, body in (
            ("POST", "/v1/readings/claim", None),
            ("GET", "/v1/readings", None),
            ("GET", path, None),
            ("POST", f"{path}/start", None),
            ("POST", f"{path}/submission", {"results": results()}),
        ):
            refused(await partner.client.request(method, door, json=body), 403, "person_required")
        assert (await scene.read(code, reading_id)).status_code == 201


async def test_what_is_written_is_sealed_under_the_learners_key(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        await scene.finish(submission)
        (reading,) = await scene.readings(submission)
        assert reading.sealed_texts is not None
        assert b"sources" not in reading.sealed_texts
        async with scene.world.database.reading() as session:
            learner = await get_learner(session, submission.issuer_id, submission.learner_id)
        texts = open_texts(open_key(scene.world.vault, learner), reading)
        assert texts["problem"]["rationale"] == "Three data sources agree on the problem."


async def test_a_submitted_reading_never_changes(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        await scene.finish(submission)
        with pytest.raises(DBAPIError, match="never changes"):
            async with scene.world.database.transaction() as session:
                await session.execute(text("UPDATE reading SET levels = '[]'"))


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ([results()[0]], "/results"),
        ([*results(), results()[0]], "/results/0/criterion"),
        ([*results(), {**results()[0], "criterion": "reflection"}], "/results/2/criterion"),
        ([{**results()[0], "level": "distinguished"}, results()[1]], "/results/0/level"),
    ],
    ids=["missing", "twice", "of another version", "level of another version"],
)
async def test_scores_must_fit_the_criteria(
    app: FastAPI, partner: Partner, sent: list[dict[str, str]], pointer: str
) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        client = scene.clients[code]
        await client.post(f"/v1/readings/{reading_id}/start")
        answer = await client.post(f"/v1/readings/{reading_id}/submission", json={"results": sent})
        assert pointer in [each["pointer"] for each in refused(answer, 422, "reading_mismatch")["errors"]]
        assert (await scene.submit(code, reading_id)).status_code == 201


async def test_what_is_banked_is_not_read_again(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept(banked=[["problem", "demonstrated", new_id()]])
        code, reading_id = await scene.holder(submission)
        client = scene.clients[code]
        started = await client.post(f"/v1/readings/{reading_id}/start")
        assert started.json()["work"]["unread"] == ["evidence"]
        refused(await scene.submit(code, reading_id), 422, "reading_mismatch")
        answer = await client.post(f"/v1/readings/{reading_id}/submission", json={"results": results()[1:]})
        assert answer.status_code == 201, answer.text
        (resolution,) = await scene.resolutions(submission)
        assert dict(resolution.levels) == {"problem": "demonstrated", "evidence": "demonstrated"}


async def test_a_reading_is_submitted_after_it_was_started(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        code, reading_id = await scene.holder(await scene.accept())
        refused(await scene.submit(code, reading_id), 409, "reading_not_started")
        assert (await scene.read(code, reading_id)).status_code == 201


async def test_somebody_elses_reading_does_not_exist(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        code, reading_id = await scene.holder(await scene.accept())
        other = scene.clients["A-02" if code == "A-01" else "A-01"]
        nothing = new_id()
        for method, path in (("GET", ""), ("POST", "/start")):
            theirs = await other.request(method, f"/v1/readings/{reading_id}{path}")
            unknown = await other.request(method, f"/v1/readings/{nothing}{path}")
            refused(theirs, 404, "not_found")
            assert {**theirs.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
        refused(await partner.client.get("/v1/readings"), 403, "person_required")


async def test_certification_that_ran_out_since_the_assignment(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        assert (await scene.clients[code].post(f"/v1/readings/{reading_id}/start")).status_code == 200
        async with scene.world.database.transaction() as session:
            query = select(Certification).where(Certification.assessor_id == scene.assessors[code].id)
            certification = (await session.scalars(query)).one()
            certification.valid_until = clock.now()
        refused(await scene.submit(code, reading_id), 409, "not_certified")
        assert await end(scene, submission) == "reassigned not_certified"
        refused(await scene.submit(code, reading_id), 409, "reading_reassigned")
        refused(await scene.clients[code].post("/v1/readings/claim"), 409, "not_certified")
        await scene.finish(submission)
        assert await scene.state(submission) == "resolved"


async def test_calibration_that_is_overdue_since_the_assignment(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        assert (await scene.clients[code].post(f"/v1/readings/{reading_id}/start")).status_code == 200
        async with scene.world.database.transaction() as session:
            query = select(Certification).where(Certification.assessor_id == scene.assessors[code].id)
            (await session.scalars(query)).one().calibrated_at = clock.now() - timedelta(days=181)
        refused(await scene.submit(code, reading_id), 409, "calibration_overdue")
        assert await end(scene, submission) == "reassigned calibration_overdue"


async def test_one_moment_before_it_runs_out_it_counts(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    async with open_scene(app, partner, lead=False) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        async with scene.world.database.transaction() as session:
            query = select(Certification).where(Certification.assessor_id == scene.assessors[code].id)
            (await session.scalars(query)).one().valid_until = clock.now()
        clock.advance(microseconds=-1)
        assert (await scene.read(code, reading_id)).status_code == 201


async def test_who_has_not_calibrated_for_too_long_gets_nothing(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    async with open_scene(app, partner) as scene:
        clock.advance(days=61)
        submission = await scene.accept()
        assert [each.state for each in await scene.readings(submission)] == ["open"]
        refused(await scene.clients["A-01"].post("/v1/readings/claim"), 404, "nothing_to_read")
        async with scene.world.database.transaction() as session:
            query = select(Certification).where(Certification.assessor_id == scene.assessors["A-01"].id)
            (await session.scalars(query)).one().calibrated_at = clock.now()
        assert (await scene.clients["A-01"].post("/v1/readings/claim")).status_code == 200


async def test_an_affiliation_declared_after_the_assignment(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        assert (await scene.clients[code].post(f"/v1/readings/{reading_id}/start")).status_code == 200
        await scene.put(
            Affiliation(
                issuer_id=partner.issuer_id, id=new_id(), learner_id=submission.learner_id,
                person_id=scene.assessors[code].person_id, kind="coach", declared_by="test",
                created_at=scene.world.clock.now(), ended_at=None,
            )
        )  # fmt: skip
        refused(await scene.clients[code].get(f"/v1/readings/{reading_id}"), 409, "conflict_of_interest")
        refused(await scene.submit(code, reading_id), 409, "conflict_of_interest")
        assert await end(scene, submission) == "reassigned conflict_of_interest"


@pytest.mark.parametrize("by", ["learner", "assessor"])
async def test_conflicts_are_looked_for_again(app: FastAPI, partner: Partner, by: str) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept(await scene.enroll(school="Oak Street"))
        code, _ = await scene.holder(submission)
        job, ids = {
            "learner": (RECHECK_CONFLICTS_JOB, {"learner_id": submission.learner_id}),
            "assessor": (RECHECK_ASSESSOR_JOB, {"assessor_id": scene.assessors[code].id}),
        }[by]
        await scene.run(job, **ids)
        assert [each.state for each in await scene.readings(submission)] == ["assigned"]
        async with scene.world.database.transaction() as session:
            moved = await session.get_one(Assessor, (partner.issuer_id, scene.assessors[code].id))
            moved.school = "oak street "
        await scene.run(job, **ids)
        await scene.run(job, **ids)
        assert await end(scene, submission) == "reassigned conflict_of_interest"
        assert len(await scene.readings(submission)) == 2


async def test_nobody_reads_their_own_work_nor_a_team_mates(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, lead=False) as scene:
        (ada, ada_learner), (ben, ben_learner) = await scene.enroll("Ada Example"), await scene.enroll("Ben Example")
        await scene.add_assessor("A-03")
        async with scene.world.database.transaction() as session:
            for code, learner in (("A-01", ada_learner), ("A-02", ben_learner)):
                person = await session.get_one(Person, (partner.issuer_id, scene.assessors[code].person_id))
                person.learner_id = learner.id
            now = scene.world.clock.now()
            team = Team(issuer_id=partner.issuer_id, id=new_id(), program_id=scene.program.id, name="Team",
                        created_at=now, updated_at=now)  # fmt: skip
            session.add(team)
            await session.flush()
            session.add_all(
                TeamMember(issuer_id=partner.issuer_id, team_id=team.id, enrollment_id=each.id, joined_at=now)
                for each in (ada, ben)
            )
        own = await scene.accept((ada, ada_learner), team_id=team.id)
        assert (await scene.holder(own))[0] == "A-03"


async def test_a_lease_that_is_over(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        await scene.clients[code].post(f"/v1/readings/{reading_id}/start")
        clock.advance(days=5, microseconds=-1)
        await scene.run()
        assert len(await scene.readings(submission)) == 1
        clock.advance(microseconds=1)
        refused(await scene.submit(code, reading_id), 409, "reading_expired")
        await scene.run()
        assert await end(scene, submission) == "expired overdue"
        refused(await scene.submit(code, reading_id), 409, "reading_expired")


@pytest.mark.parametrize("state", ["withdrawn", "on_hold", "void"])
async def test_work_that_is_gone_while_it_is_read(app: FastAPI, partner: Partner, state: str) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        await scene.clients[code].post(f"/v1/readings/{reading_id}/start")
        await scene.set(submission, state=state)
        refused(await scene.submit(code, reading_id), 409, "reading_cancelled")
        refused(await scene.clients[code].get(f"/v1/readings/{reading_id}"), 409, "reading_cancelled")
        await scene.run(CANCEL_READINGS_JOB, submission_id=submission.id)
        assert [each.state for each in await scene.readings(submission)] == ["cancelled"]
        refused(await scene.submit(code, reading_id), 409, "reading_cancelled")
        assert (await scene.clients[code].get("/v1/readings")).json()["items"] == []


async def test_a_hold_that_ends_lets_the_work_be_read(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        await scene.set(submission, state="on_hold")
        await scene.run(CANCEL_READINGS_JOB, submission_id=submission.id)
        await scene.set(submission, state="accepted")
        await scene.run(OPEN_READINGS_JOB, submission_id=submission.id)
        await scene.finish(submission)
        assert await scene.state(submission) == "resolved"


async def test_a_recused_assessor_is_not_asked_again(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, lead=False) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        client = scene.clients[code]
        given_back = await client.post(f"/v1/readings/{reading_id}/recuse", json={"reason": "recognizes_work"})
        assert (given_back.status_code, given_back.json()["state"]) == (200, "recused")
        assert await end(scene, submission) == "recused recognizes_work"
        other, other_id = await scene.holder(submission)
        await scene.clients[other].post(f"/v1/readings/{other_id}/recuse", json={"reason": "no_time"})
        assert sorted(each.state for each in await scene.readings(submission)) == ["open", "recused", "recused"]
        refused(await client.post("/v1/readings/claim"), 404, "nothing_to_read")
        refused(await client.post(f"/v1/readings/{reading_id}/start"), 409, "reading_reassigned")
        await scene.add_assessor("A-03")
        assert (await scene.clients["A-03"].post("/v1/readings/claim")).status_code == 200


async def test_who_has_less_to_do_is_asked_first(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, lead=False) as scene:
        holders = []
        for name in ("Ada", "Ben", "Cleo", "Dan"):
            submission = await scene.accept(await scene.enroll(f"{name} Example"))
            holders.append((await scene.holder(submission))[0])
            scene.world.clock.advance(minutes=1)  # type: ignore[attr-defined]
        assert holders == ["A-01", "A-02", "A-01", "A-02"]


async def test_opening_twice_asks_once(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, {"second_readings": {"random_percent": 0}}) as scene:
        submission = await scene.accept()
        await scene.run(OPEN_READINGS_JOB, submission_id=submission.id)
        assert sorted(each.kind for each in await scene.readings(submission)) == ["first", "second_triggered"]


async def test_two_assessors_claim_one_submission(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    async with open_scene(app, partner, lead=False) as scene:
        async with scene.world.database.transaction() as session:
            for assessor in scene.assessors.values():
                (await session.get_one(Assessor, (partner.issuer_id, assessor.id))).is_active = False
        submission = await scene.accept()
        async with scene.world.database.transaction() as session:
            for assessor in scene.assessors.values():
                (await session.get_one(Assessor, (partner.issuer_id, assessor.id))).is_active = True
        answers = await asyncio.gather(*(client.post("/v1/readings/claim") for client in scene.clients.values()))
        assert sorted(each.status_code for each in answers) == [200, 404]
        assert [each.state for each in await scene.readings(submission)] == ["assigned"]


async def test_a_claim_and_a_recusal_at_once(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, lead=False) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        other = "A-02" if code == "A-01" else "A-01"
        given_back, claimed = await asyncio.gather(
            scene.clients[code].post(f"/v1/readings/{reading_id}/recuse", json={"reason": "other"}),
            scene.clients[other].post("/v1/readings/claim"),
        )
        assert given_back.status_code == 200
        assert claimed.status_code in (200, 404)
        live = [each for each in await scene.readings(submission) if each.state in ("open", "assigned")]
        assert [(each.state, each.assessor_code) for each in live] == [("assigned", other)]


async def test_one_submission_at_once_and_again(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        await scene.clients[code].post(f"/v1/readings/{reading_id}/start")
        answers = await asyncio.gather(*(scene.submit(code, reading_id) for _ in range(2)))
        assert sorted(each.status_code for each in answers) == [201, 409]
        assert len(await scene.resolutions(submission)) == 1


async def test_a_person_with_the_role_who_is_no_assessor(app: FastAPI, partner: Partner) -> None:
    _, client = await open_person(app, partner.issuer_id, "assessor", name="Nova Example")
    async with client:
        refused(await client.post("/v1/readings/claim"), 403, "forbidden")
        assert (await client.get("/v1/readings")).json()["items"] == []


async def test_another_issuers_reading_is_nobodys(app: FastAPI, partner: Partner, stranger: Partner) -> None:
    async with open_scene(app, partner) as scene:
        _, reading_id = await scene.holder(await scene.accept())
        refused(await stranger.staff.get(f"/v1/readings/{reading_id}"), 404, "not_found")
        async with scene.world.database.reading() as session:
            found: Reading = await get_reading(session, partner.issuer_id, reading_id)
        assert found.state == "assigned"
