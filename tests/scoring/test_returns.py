"""Why an approver returned a submission to scoring: told to staff, kept from who reads blind, and the learner's in the end."""

from fastapi import FastAPI

from app.assessors.store import Panel
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.handover.test_export import exported
from tests.house.databases import is_in, list_contents, open_owner
from tests.people import open_person
from tests.readings.scene import open_scene
from tests.readings.test_reading import refused

REASON = "kanaryreturn: the level of the evidence is not what the rationale says"
SHORT = {"problem": "demonstrated", "evidence": "developing"}


async def test_why_it_was_returned_is_told_to_staff_and_to_no_blind_reader(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    async with open_scene(app, partner) as scene:
        await scene.add_assessor("L-02", lead=True)
        submission = await scene.accept()
        path = f"/v1/submissions/{submission.id}"
        first = await scene.finish(submission, **SHORT)
        _, approver = await open_person(app, partner.issuer_id, "approver", name="Approver Example")
        _, director = await open_person(app, partner.issuer_id, "director", name="Director Example")
        _, lead = await open_person(app, partner.issuer_id, "lead", name="Lead Example")
        async with approver, director, lead:
            assert (await director.get(f"{path}/return")).json() == {"submission_id": submission.id, "reason": None}
            assert (await approver.get(f"{path}/recommendation")).json()["return_reason"] is None
            assert (await approver.post(f"{path}/return", json={"reason": REASON})).status_code == 201
            for client in (approver, director, lead):
                told = await client.get(f"{path}/return")
                assert (told.status_code, told.json()) == (200, {"submission_id": submission.id, "reason": REASON})

            code, reading_id = await scene.holder(submission, "adjudication")
            for other in ("L-01", "L-02"):
                refused(await scene.clients[other].get(f"{path}/return"), 403, "reader_stays_blind")
            for other in ("A-01", "A-02"):
                refused(await scene.clients[other].get(f"{path}/return"), 403, "forbidden")
            reader = scene.clients[code]
            assert (await reader.post(f"/v1/readings/{reading_id}/start")).status_code == 200
            for route in (f"/v1/readings/{reading_id}", "/v1/readings", f"{path}/work", f"{path}/readings", path):
                assert "kanaryreturn" not in (await reader.get(route)).text, route
            refused(await partner.client.get(f"{path}/return"), 403, "person_required")

            assert (await scene.submit(code, reading_id, **SHORT)).status_code == 201
            refused(await reader.get(f"{path}/return"), 403, "reader_stays_blind")
            assert (await approver.get(f"{path}/recommendation")).json()["return_reason"] == REASON
            body = {"outcome": "not_yet", "feedback": {"evidence": "Measure it against a baseline."}}
            assert (await approver.post(f"{path}/decision", json=body)).status_code == 201
        assert (await reader.get(f"{path}/return")).json()["reason"] == REASON
        spare = next(each for each in ("L-01", "L-02") if each != code)
        refused(await scene.clients[spare].get(f"{path}/return"), 403, "reader_stays_blind")
        assert first.startswith("A-")


async def test_a_lead_off_the_panel_who_held_it_stays_blind(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        path = f"/v1/submissions/{submission.id}"
        await scene.finish(submission, **SHORT)
        assert (await partner.staff.post(f"{path}/return", json={"reason": REASON})).status_code == 201
        code, _ = await scene.holder(submission, "adjudication")
        async with scene.world.database.transaction() as session:
            panel = await session.get_one(Panel, (partner.issuer_id, partner.panel_id))
            panel.members = [each for each in panel.members if each != code]
        refused(await scene.clients[code].get(f"{path}/return"), 403, "reader_stays_blind")


async def test_it_is_sealed_exported_after_the_decision_and_erased(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        path, learner = f"/v1/submissions/{submission.id}", f"/v1/learners/{submission.learner_id}"
        await scene.finish(submission, **SHORT)
        assert (await partner.staff.post(f"{path}/return", json={"reason": REASON})).status_code == 201
        async with open_owner(scene.world.settings) as engine:
            assert not is_in(await list_contents(engine), REASON)
        assert "kanaryreturn" in str(await exported(partner))
        [before] = (await partner.client.get(f"{learner}/export")).json()["submissions"]
        assert before["return_reason"] is None, "while it is read"
        await scene.finish(submission, "adjudication", **SHORT)
        body = {"outcome": "not_yet", "feedback": {"evidence": "Measure it against a baseline."}}
        assert (await partner.staff.post(f"{path}/decision", json=body)).status_code == 201
        [after] = (await partner.client.get(f"{learner}/export")).json()["submissions"]
        assert after["return_reason"] == REASON
        assert (await partner.client.post(f"{learner}/erase")).status_code == 200
        refused(await partner.staff.get(f"{path}/return"), 410, "gone")
        assert "kanaryreturn" not in str(await exported(partner))
