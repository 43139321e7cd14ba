"""Who may not read any more is rid of what they hold at once: nobody waits for them to try."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.access.store import Person, PersonRole
from app.assessors.store import Assessor, Certification
from app.identifiers import new_id
from app.readings.store import Reading
from tests.anchoring import put_anchor
from tests.conftest import Partner
from tests.readings.scene import Scene, open_scene
from tests.readings.test_reading import end, refused

CHANGES: Mapping[str, tuple[str, str, dict[str, Any] | None, str]] = {
    "deactivated": ("PATCH", "/v1/people/{person}", {"is_active": False}, "inactive"),
    "erased": ("POST", "/v1/people/{person}/erase", None, "inactive"),
    "role taken": ("PUT", "/v1/people/{person}/roles", {"roles": ["approver"]}, "no_longer_reader"),
    "off the panel": ("PUT", "/v1/panels/{panel}/members", {"members": ["{others}"]}, "no_longer_reader"),
    "suspended": ("POST", "/v1/certifications/{certification}/state", {"state": "suspended", "reason": "Drift."},
                  "not_certified"),
    "revoked": ("POST", "/v1/certifications/{certification}/state", {"state": "revoked", "reason": "Drift."},
                "not_certified"),
}  # fmt: skip
"""What is changed: the request, and why a reading is reassigned then."""


async def change(scene: Scene, code: str, what: str) -> str:
    """Change it for the assessor with this code: the reason that is expected."""
    method, path, body, reason = CHANGES[what]
    assessor = scene.assessors[code]
    async with scene.world.database.reading() as session:
        mine = select(Certification.id).where(Certification.assessor_id == assessor.id)
        certification = (await session.scalars(mine)).one()
    known = {"person": assessor.person_id, "panel": scene.partner.panel_id, "certification": certification}
    if what == "off the panel":
        body = {"members": [other for other in scene.assessors if other != code]}
    answer: httpx.Response = await scene.partner.staff.request(method, path.format(**known), json=body)
    assert answer.status_code in (200, 201), answer.text
    return reason


@pytest.mark.parametrize("what", CHANGES)
async def test_who_may_not_read_any_more_is_rid_of_what_they_hold(app: FastAPI, partner: Partner, what: str) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        assert (await scene.clients[code].post(f"/v1/readings/{reading_id}/start")).status_code == 200
        reason = await change(scene, code, what)
        await scene.run()
        assert await end(scene, submission) == f"reassigned {reason}"
        if what in ("off the panel", "suspended", "revoked"):  # the others are signed out, or no assessors any more
            refused(await scene.submit(code, reading_id), 409, "reading_reassigned")
        await scene.finish(submission)
        assert await scene.state(submission) == "resolved"


async def test_another_panel_reads_for_the_program(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code, _ = await scene.holder(submission)
        other = next(each for each in scene.assessors if each != code)
        made = await partner.client.post("/v1/panels", json={"name": "The new panel", "members": [other]})
        path = f"/v1/programs/{scene.program.id}"
        changed = await partner.client.patch(path, json={"panel_id": made.json()["id"]})
        assert changed.status_code == 200, changed.text
        await scene.run()
        assert await end(scene, submission) == "reassigned no_longer_reader"
        assert (await scene.holder(submission))[0] == other


async def test_who_may_still_read_keeps_what_they_hold(app: FastAPI, partner: Partner) -> None:
    """Another role, another member, a probation: nothing that ends a reading."""
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        person = f"/v1/people/{scene.assessors[code].person_id}"
        members = f"/v1/panels/{partner.panel_id}/members"
        one = {"roles": ["assessor", "approver"]}
        assert (await partner.staff.put(f"{person}/roles", json=one)).status_code == 200
        assert (await partner.staff.put(f"{person}/roles", json={"roles": ["assessor"]})).status_code == 200
        assert (await partner.staff.patch(person, json={"name": "Another Name"})).status_code == 200
        assert (await partner.staff.put(members, json={"members": [code, "L-01"]})).status_code == 200
        async with scene.world.database.reading() as session:
            mine = select(Certification.id).where(Certification.assessor_id == scene.assessors[code].id)
            certification = (await session.scalars(mine)).one()
        body = {"state": "probation", "reason": "Let us look closer."}
        decided = await partner.staff.post(f"/v1/certifications/{certification}/state", json=body)
        assert decided.status_code in (200, 201), decided.text
        await scene.run()
        assert [(each.id, each.state) for each in await scene.readings(submission)] == [(reading_id, "assigned")]


async def test_an_adjudication_of_a_lead_who_is_one_no_more(app: FastAPI, partner: Partner) -> None:
    """They may still read as an assessor, and not this."""
    async with open_scene(app, partner, {"second_readings": {"random_percent": 100}}) as scene:
        await scene.add_assessor("L-02", lead=True)
        submission = await scene.accept()
        await scene.finish(submission, "first", problem="demonstrated", evidence="demonstrated")
        await scene.finish(submission, "second_random", problem="developing", evidence="developing")
        code, reading_id = await scene.holder(submission, "adjudication")
        path = f"/v1/people/{scene.assessors[code].person_id}/roles"
        assert (await partner.staff.put(path, json={"roles": ["assessor"]})).status_code == 200
        await scene.run()
        other, other_id = await scene.holder(submission, "adjudication")
        assert code.startswith("L-") == other.startswith("L-")
        assert (other != code, other_id != reading_id) == (True, True)


async def test_a_validity_paper_ends_with_nobody_in_their_place(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        assessor, now = scene.assessors["A-01"], scene.world.clock.now()
        anchor_id = await put_anchor(scene.world, partner, "validity")
        paper = Reading(
            issuer_id=partner.issuer_id, id=new_id(), program_id=scene.program.id, submission_id=None, anchor_id=anchor_id,
            kind="validity", state="assigned", assessor_id=assessor.id, assessor_code="A-01", assigned_at=now,
            created_at=now, updated_at=now,
        )  # fmt: skip
        await scene.put(paper)
        await change(scene, "A-01", "deactivated")
        await scene.run()
        async with scene.world.database.reading() as session:
            readings = (await session.scalars(select(Reading).where(Reading.anchor_id == anchor_id))).all()
            person = await session.get_one(Person, (partner.issuer_id, assessor.person_id))
            kept = (await session.scalars(select(PersonRole.role).where(PersonRole.person_id == person.id))).all()
            entered = await session.get_one(Assessor, (partner.issuer_id, assessor.id))
        assert [(each.state, each.end_reason) for each in readings] == [("reassigned", "inactive")]
        assert (person.is_active, list(kept), entered.is_active) == (False, ["assessor"], True)
