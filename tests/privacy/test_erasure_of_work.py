"""A learner is erased while their work is being judged: whatever state it is in, everybody else's work goes on."""

import pytest
from fastapi import FastAPI

from app.operation.audit_trail import verify_audit_trail
from app.submissions.store import Submission
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.handover.test_export import exported
from tests.house.operations import list_operations
from tests.people import open_person
from tests.readings.scene import Scene, open_scene

ALL = {"problem": "demonstrated", "evidence": "demonstrated"}
CLOSED = ("submitted", "cancelled", "recused", "reassigned", "expired")
LISTS = sorted(each.path for each in list_operations() if each.method == "GET" and "{" not in each.path)


async def bring(scene: Scene, submission: Submission, state: str) -> None:
    """The submission, which an assessor holds a reading of, to a state."""
    partner, path = scene.partner, f"/v1/submissions/{submission.id}"
    code, reading_id = await scene.holder(submission)
    if state == "started":
        assert (await scene.clients[code].post(f"/v1/readings/{reading_id}/start")).status_code == 200
    if state in ("resolved", "returned", "appealed"):
        assert (await scene.read(code, reading_id, **ALL)).status_code == 201
    if state == "returned":
        assert (await partner.staff.post(f"{path}/return", json={"reason": "Thin."})).status_code == 201
    if state == "appealed":
        decision = (await partner.staff.post(f"{path}/decision", json={"outcome": "awarded"})).json()["id"]
        body = {"decision_id": decision, "grounds": "Too low."}
        assert (await partner.client.post("/v1/appeals", json=body)).status_code == 201
    if state == "accused":
        panel = [(await open_person(scene.app, partner.issuer_id, "lead", name=f"Le Ad {n}"))[0] for n in "ABC"]
        body = {"submission_id": submission.id, "notice": "Copied.", "panel": panel}
        assert (await partner.staff.post("/v1/misconduct-cases", json=body)).status_code == 201


@pytest.mark.parametrize("state", ["assigned", "started", "resolved", "returned", "appealed", "accused"])
async def test_everything_goes_on(app: FastAPI, partner: Partner, clock: FixedClock, state: str) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        await bring(scene, submission, state)
        erased = await partner.client.post(f"/v1/learners/{submission.learner_id}/erase")
        assert erased.status_code == 200, erased.text
        await scene.run()
        live = [each for each in await scene.readings(submission) if each.state not in CLOSED]
        assert [(each.kind, each.state) for each in live] == []
        clock.advance(days=90)
        await scene.run()
        faults = []
        for path in [*LISTS, f"/v1/programs/{scene.program.id}/sampling-audit", f"/v1/submissions/{submission.id}"]:
            for client in (partner.client, partner.staff, scene.clients["A-01"]):
                answer = await client.get(path)
                if answer.status_code >= 500:
                    faults.append((path, answer.text[:200]))
        assert faults == []
        assert await exported(partner)
        async with scene.world.database.snapshot() as session:
            assert (await verify_audit_trail(session)).faults == []
