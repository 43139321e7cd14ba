"""Anchors, leads and assessors for tests: a program whose assessors qualify on two small sets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from app.assessors.store import Anchor, Assessor
from app.identifiers import new_id
from app.jobs.queue import Job
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Program
from app.resources import Resources
from app.worker import open_runner
from tests.assessing import put_program
from tests.conftest import Partner
from tests.issuing import world_of
from tests.people import open_person

Document = dict[str, Any]

MET = {"problem": "demonstrated", "evidence": "demonstrated"}
SHORT = {"problem": "demonstrated", "evidence": "developing"}
LOW = {"problem": "not-evident", "evidence": "not-evident"}

SMALL = ScoringPolicyBody.model_validate({"qualification": {"minimum_ratings": 4, "minimum_sets": 2}})
WORK = {"parts": [{"key": "overview", "text": "The problem and its setting."}]}


async def put_anchor(
    world: Resources, partner: Partner, role: str = "qualification", levels: Mapping[str, str] = MET, **changes: Any
) -> str:
    """An active anchor with these true scores, straight into the register: its id. `changes` are columns."""
    now = world.clock.now()
    columns: Document = {
        "issuer_id": partner.issuer_id, "id": new_id(), "external_id": None, "achievement_id": partner.achievement_id,
        "version": 1, "source_submission_id": None, "role": role, "state": "active", "content": WORK,
        "levels": dict(levels), "rationales": dict.fromkeys(levels, "As the masters agreed."), "exposures": 0,
        "created_at": now, "updated_at": now,
    }  # fmt: skip
    anchor = Anchor(**(columns | changes))
    async with world.database.transaction() as session:
        session.add(anchor)
    return anchor.id


@dataclass
class Bench:
    """A program, a lead, and assessors who were entered through the API and are signed in."""

    app: FastAPI
    partner: Partner
    lead: httpx.AsyncClient
    lead_id: str
    program: Program
    assessors: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def set_up(cls, app: FastAPI, partner: Partner, policy: ScoringPolicyBody = SMALL) -> "Bench":
        lead_id, lead = await open_person(app, partner.issuer_id, "lead", name="Lea Lead")
        program = await put_program(world_of(app), partner, policy)
        return cls(app, partner, lead, lead_id, program)

    @property
    def world(self) -> Resources:
        return world_of(self.app)

    @property
    def program_id(self) -> str:
        return self.program.id

    @property
    def scope(self) -> Document:
        return {"program_id": self.program_id, "achievement_id": self.partner.achievement_id, "version": 1}

    async def enter(self, code: str, *roles: Any) -> str:
        """A new assessor, signed in as `assessors[code]`: their id."""
        person_id, client = await open_person(
            self.app, self.partner.issuer_id, *(roles or ("assessor",)), name=f"Assessor {code}"
        )
        made = await self.lead.post("/v1/assessors", json={"person_id": person_id, "code": code})
        assert made.status_code == 201, made.text
        self.assessors[code], self.ids[code], self.people[code] = client, made.json()["id"], person_id
        return self.ids[code]

    async def one_more_lead(self) -> httpx.AsyncClient:
        return (await open_person(self.app, self.partner.issuer_id, "lead", name="Leo Lead"))[1]

    async def anchors(self, count: int, role: str = "qualification", levels: Mapping[str, str] = MET) -> list[str]:
        return [await put_anchor(self.world, self.partner, role, levels) for _ in range(count)]

    async def open_round(self, code: str, *sets: list[str]) -> httpx.Response:
        """Ask for a round on these sets, or on two new ones of an anchor each."""
        chosen = list(sets) or [await self.anchors(1), await self.anchors(1)]
        body = {**self.scope, "assessor_id": self.ids[code], "sets": chosen}
        return await self.lead.post("/v1/qualification-rounds", json=body)

    async def answer(
        self, code: str, session_id: str, anchor_id: str, levels: Mapping[str, str] = MET
    ) -> httpx.Response:
        path = f"/v1/anchor-sessions/{session_id}/anchors/{anchor_id}/responses"
        return await self.assessors[code].post(path, json={"levels": dict(levels)})

    async def take_round(self, code: str, levels: Mapping[str, str] = MET) -> Document:
        """A round in which everything is scored so, though everything is met: the session as leads see it."""
        opened = await self.open_round(code)
        assert opened.status_code == 201, opened.text
        for [anchor_id] in opened.json()["sets"]:
            given = await self.answer(code, opened.json()["id"], anchor_id, levels)
            assert given.status_code == 201, given.text
        closed: Document = (await self.lead.get(f"/v1/anchor-sessions/{opened.json()['id']}")).json()
        assert closed["state"] == "closed"
        return closed

    async def certification(self, code: str) -> Document:
        """The assessor's one certification with its history."""
        listed = (await self.lead.get("/v1/certifications")).json()["items"]
        [mine] = [each for each in listed if each["assessor_id"] == self.ids[code]]
        found: Document = (await self.lead.get(f"/v1/certifications/{mine['id']}")).json()
        return found

    async def decide(self, code: str, state: str) -> httpx.Response:
        path = f"/v1/certifications/{(await self.certification(code))['id']}/state"
        return await self.lead.post(path, json={"state": state, "reason": "So decided."})

    async def open_calibration(self, anchor_ids: list[str]) -> str:
        opened = await self.lead.post("/v1/calibration-sessions", json={**self.scope, "anchor_ids": anchor_ids})
        assert opened.status_code == 201, opened.text
        return str(opened.json()["id"])

    async def get_assessor(self, code: str) -> Assessor:
        async with self.world.database.reading() as session:
            return await session.get_one(Assessor, (self.partner.issuer_id, self.ids[code]))


async def list_jobs(world: Resources, name: str) -> list[Document]:
    """The payloads of the jobs of this name that wait."""
    async with world.database.reading() as session:
        return list((await session.scalars(select(Job.payload).where(Job.name == name).order_by(Job.run_at))).all())


async def run_due_jobs(world: Resources) -> None:
    """Run what is due until nothing is."""
    runner = open_runner(world)
    while await runner.run_one():
        pass


def codes(*answers: httpx.Response) -> list[tuple[int, str | None]]:
    """Status and problem code of each answer."""
    return [(each.status_code, each.json().get("code")) for each in answers]
