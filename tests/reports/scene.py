"""A program in which everything happens that a report must not stumble over, day by day."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import BaseModel

from app.learners.store import Learner
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Enrollment, Program
from app.reports import agreement, decisions, double_reading, funnel, headline, pass_rate, turnaround
from app.reports.filters import Filters, get_reported
from app.resources import Resources
from app.submissions.store import Submission
from tests.assessing import put_assessor, put_program, put_submission
from tests.builders import decision_body, results
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.people import open_person
from tests.scoring.judging import MET, SHORT, Case, put_read

FORMULA = "=cmd|' /C calc'!A0"
"""Name of a cohort, and what a spreadsheet must not run."""
GROW = {"evidence": "Measure the change against a baseline."}
MEASURES: Mapping[str, Callable[..., Awaitable[BaseModel]]] = {
    "headline": headline.measure,
    "funnel": funnel.measure,
    "pass-rate": pass_rate.measure,
    "turnaround": turnaround.measure,
    "double-reading": double_reading.measure,
    "decisions": decisions.measure,
    "agreement": agreement.measure,
}
RETURNED = {"outcome": "returned_incomplete", "condition_codes": ["missing_part"], "note": "Part 2 is missing."}


@dataclass
class Scene:
    """`moments` are those after each thing that happened, in order; `enrollments` by the name of who is enrolled."""

    app: FastAPI
    partner: Partner
    clock: FixedClock
    program: Program
    assessor: Any
    approver: httpx.AsyncClient
    cohorts: dict[str, str] = field(default_factory=dict)
    enrollments: dict[str, dict[str, Any]] = field(default_factory=dict)
    moments: list[datetime] = field(default_factory=list)

    @property
    def world(self) -> Resources:
        world: Resources = self.app.state.resources
        return world

    @property
    def path(self) -> str:
        return f"/v1/programs/{self.program.id}/reports"

    async def report(self, name: str, **query: Any) -> dict[str, Any]:
        answer = await self.partner.client.get(f"{self.path}/{name}", params=query)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def measure(self, name: str, **query: Any) -> dict[str, Any]:
        """A report, as it would be told if nobody had to be protected."""
        filters = Filters(query.pop("as_of", self.clock.now()), **query, looks_back=True)
        async with self.world.database.snapshot() as session:
            reported = await get_reported(session, self.partner.issuer_id, self.program.id, filters)
            reported = replace(reported, minimum_cell=1)
            vault = [self.world.vault] if name == "double-reading" else []
            body: BaseModel = await MEASURES[name](session, *vault, reported)
        return body.model_dump(mode="json")

    def pass_a_day(self) -> None:
        self.moments.append(self.clock.now())
        self.clock.advance(days=1)

    def pass_into_next_month(self) -> str:
        """Its first moment."""
        there = (self.clock.now().replace(day=1) + timedelta(days=31)).replace(day=1, hour=0, minute=0, second=0)
        self.clock.advance(seconds=(there - self.clock.now()).total_seconds() + 3600)
        return there.isoformat().replace("+00:00", "Z")

    async def post(self, path: str, body: Any = None, client: httpx.AsyncClient | None = None) -> dict[str, Any]:
        answer = await (client or self.partner.client).post(path, json=body)
        assert answer.status_code in (200, 201), (path, answer.text)
        document: dict[str, Any] = answer.json()
        return document

    async def enroll(self, name: str, cohort: str | None = None, state: str = "enrolled") -> None:
        recipient = {"name": f"{name} Example", "email": f"{name.lower()}@schools.example.org"}
        body = {"program_id": self.program.id, "recipient": recipient, "state": state}
        if cohort is not None:
            body["cohort_id"] = self.cohorts[cohort]
        self.enrollments[name] = await self.post("/v1/enrollments", body)

    async def move(self, name: str, state: str) -> None:
        await self.post(f"/v1/enrollments/{self.enrollments[name]['id']}/state", {"state": state})

    async def hand_in(self, name: str, **columns: Any) -> Submission:
        """Work that was accepted, unless `columns` say otherwise."""
        enrollment, learner = await self.find(name)
        return await put_submission(self.world, self.partner, enrollment, learner, **columns)

    async def judge(self, name: str, levels: dict[str, str], **columns: Any) -> tuple[Case, dict[str, Any]]:
        """An attempt handed in now, read a day later, decided another day later."""
        submission = await self.hand_in(name, **columns)
        self.pass_a_day()
        enrollment, learner = await self.find(name)
        case = Case(self.app, self.world, self.partner, self.program, enrollment, learner, self.assessor, submission,
                    self.approver)  # fmt: skip
        await put_read(case, levels, feedback=GROW)
        self.pass_a_day()
        return case, await case.decided("awarded" if levels == MET else "not_yet")

    async def record(self, name: str, **changes: Any) -> dict[str, Any]:
        """A partner's decision, about somebody enrolled or not."""
        body = decision_body(self.partner.achievement_id, self.partner.panel_id)
        body |= {"recipient": {"email": f"{name.lower()}@schools.example.org", "name": f"{name} Example"}}
        body |= {"decided_at": self.clock.now().isoformat()}
        return await self.post("/v1/decisions", body | changes)

    async def screen(self, submission: Submission, body: dict[str, Any]) -> None:
        await self.post(f"/v1/submissions/{submission.id}/screenings", body, self.partner.staff)

    async def appeal(self, case: Case, decision_id: str, levels: dict[str, str], outcome: str) -> None:
        appeal = await self.post("/v1/appeals", {"decision_id": decision_id, "grounds": "The baseline is on page 2."})
        self.pass_a_day()
        lead, _, _ = await put_assessor(self.world, self.partner, f"L-{case.submission.id[:6]}")
        await put_read(case, levels, kind="appeal", assessor=lead, method="expert_judgment", feedback=GROW)
        _, another = await open_person(self.app, self.partner.issuer_id, "approver", name=f"New {appeal['id'][:6]}")
        self.pass_a_day()
        await self.post(f"/v1/appeals/{appeal['id']}/decision", {"outcome": outcome, "answer": "Read again."}, another)

    async def find(self, name: str) -> tuple[Enrollment, Learner]:
        known = self.enrollments[name]
        async with self.world.database.reading() as session:
            return (
                await session.get_one(Enrollment, (self.partner.issuer_id, known["id"])),
                await session.get_one(Learner, (self.partner.issuer_id, known["learner_id"])),
            )


async def open_scene(app: FastAPI, partner: Partner, clock: FixedClock, *, minimum_cell: int = 5) -> Scene:
    """The program, with two cohorts and nobody in it."""
    world: Resources = app.state.resources
    program = await put_program(world, partner, ScoringPolicyBody(minimum_cell=minimum_cell))
    assessor, _, _ = await put_assessor(world, partner, "A-11")
    _, approver = await open_person(app, partner.issuer_id, "approver", name="Approver Example")
    scene = Scene(app, partner, clock, program, assessor, approver)
    for key, name in (("first", FORMULA), ("second", "Second cohort")):
        made = await scene.post(f"/v1/programs/{program.id}/cohorts", {"name": name})
        scene.cohorts[key] = made["id"]
    return scene


async def play(scene: Scene) -> None:
    """Thirteen people in two cohorts and none, and what becomes of them."""
    for name in ("Ada", "Ben", "Cleo", "Dan", "Eve"):
        await scene.enroll(name, "first")
    for name in ("Fay", "Gus", "Ida", "Ada2", "Jo", "Lee"):
        await scene.enroll(name, "second")
    await scene.enroll("Kim", state="invited")
    await scene.enroll("Max", state="invited")
    scene.pass_a_day()

    _, short = await scene.judge("Ada", SHORT)
    await scene.judge("Ada", MET, attempt=2, banked=[["problem", "demonstrated", short["id"]]])
    await scene.judge("Ben", MET)
    _, revoked = await scene.judge("Eve", MET)
    scene.pass_a_day()
    await scene.post(f"/v1/credentials/{revoked['credential']['id']}/revoke", {"reason": "Issued in error."})
    case, refused = await scene.judge("Fay", SHORT)
    scene.pass_a_day()
    await scene.appeal(case, refused["id"], MET, "changed")
    scene.pass_a_day()

    await _record_elsewhere(scene)
    await _stop_midway(scene)


async def _record_elsewhere(scene: Scene) -> None:
    """Decisions without a submission: an earlier award, a partner's not-yet and award, one that is corrected twice."""
    external = await scene.post("/v1/panels", {"name": "Old platform", "kind": "external"})
    earlier = {"assessment": {"panel_id": external["id"], "assessors": []}, "results": [], "evidence": []}
    await scene.record("Gus", decided_at="2025-05-01T10:00:00Z", **earlier)
    await scene.record("Hal", decided_at="2025-06-01T10:00:00Z", **earlier)  # is not enrolled
    await scene.record("Ida", outcome="not_yet", results=results(evidence="developing"), evidence=[])
    scene.pass_a_day()
    first = await scene.record("Ida")
    await scene.record("Ada2")
    await scene.record("Jo")
    scene.pass_a_day()
    await scene.record(
        "Ida", supersedes=first["id"], reason="Another day.", reason_code="clerical_error",
        decided_at="2026-11-30T10:00:00Z",
    )  # fmt: skip
    scene.pass_a_day()
    ada, other = (scene.enrollments[name]["learner_id"] for name in ("Ada", "Ada2"))
    await scene.post(f"/v1/learners/{ada}/merge", {"learner_id": other})
    scene.pass_a_day()
    await scene.post(f"/v1/learners/{scene.enrollments['Jo']['learner_id']}/erase")
    scene.pass_a_day()


async def _stop_midway(scene: Scene) -> None:
    """Returned and withdrawn, held, waiting, withdrawn from the program; an invitation that is accepted, one that is not."""
    now = scene.clock.now()
    waiting: dict[str, Any] = {"state": "submitted", "accepted_at": None, "screening_due_at": now}
    returned = await scene.hand_in("Cleo", **waiting)
    held = await scene.hand_in("Dan", **waiting)
    scene.pass_a_day()
    await scene.screen(returned, RETURNED)
    await scene.screen(held, {"outcome": "on_hold", "condition_codes": ["not_own_work"], "note": None})
    scene.pass_a_day()
    await scene.post(f"/v1/submissions/{returned.id}/withdraw")
    await scene.move("Lee", "withdrawn")
    await scene.move("Kim", "enrolled")
    await scene.move("Max", "lapsed")
    scene.pass_a_day()
    await scene.hand_in("Kim", **waiting)
    await scene.post(f"/v1/submissions/{held.id}/release", client=scene.partner.staff)
    scene.pass_a_day()
