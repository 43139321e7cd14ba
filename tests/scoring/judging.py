"""What the tests of decisions, appeals and moderation share: submissions that were read, put straight into the register."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from app.assessors.store import Assessor
from app.identifiers import new_id
from app.learners.recipients import open_key
from app.learners.store import Learner, get_learner
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Enrollment, Program
from app.readings.store import Reading, ReadingKind, Resolution, find_resolution, list_readings
from app.readings.texts import Texts, seal_texts
from app.resources import Resources
from app.submissions.store import Artifact, Submission
from tests.assessing import put_assessor, put_enrollment, put_program, put_submission
from tests.conftest import Partner
from tests.issuing import Document, world_of
from tests.people import open_person

MET = {"problem": "demonstrated", "evidence": "demonstrated"}
SHORT = {"problem": "demonstrated", "evidence": "developing"}


@dataclass(slots=True)
class Case:
    """A submission that was read by `A-01`, and an approver. `approve` decides as the levels of record say."""

    app: FastAPI
    world: Resources
    partner: Partner
    program: Program
    enrollment: Enrollment
    learner: Learner
    assessor: Assessor
    submission: Submission
    approver: httpx.AsyncClient

    @property
    def path(self) -> str:
        return f"/v1/submissions/{self.submission.id}"

    async def decide(self, outcome: str = "awarded", **more: Any) -> httpx.Response:
        return await self.approver.post(f"{self.path}/decision", json={"outcome": outcome, **more})

    async def decided(self, outcome: str = "awarded", **more: Any) -> Document:
        answer = await self.decide(outcome, **more)
        assert answer.status_code == 201, answer.text
        document: Document = answer.json()
        return document


async def open_case(
    app: FastAPI,
    partner: Partner,
    levels: Mapping[str, str] = MET,
    *,
    policy: ScoringPolicyBody | None = None,
    name: str = "Ada Example",
    **columns: Any,
) -> Case:
    """A submission, read and resolved at `levels`; `columns` are the submission's."""
    world = world_of(app)
    program = await put_program(world, partner, policy)
    enrollment, learner = await put_enrollment(world, program, name=name)
    assessor, _, _ = await put_assessor(world, partner, f"A-{name[:3]}")
    submission = await put_submission(world, partner, enrollment, learner, **columns)
    _, approver = await open_person(app, partner.issuer_id, "approver", name=f"Approver {name}")
    case = Case(app, world, partner, program, enrollment, learner, assessor, submission, approver)
    await put_read(case, levels)
    return case


async def another_case(case: Case, levels: Mapping[str, str] = MET, **columns: Any) -> Case:
    """A later attempt of the same learner."""
    submission = await put_submission(
        case.world, case.partner, case.enrollment, case.learner, **({"attempt": 2} | columns)
    )
    later = Case(case.app, case.world, case.partner, case.program, case.enrollment, case.learner, case.assessor,
                 submission, case.approver)  # fmt: skip
    await put_read(later, levels)
    return later


async def put_read(
    case: Case,
    levels: Mapping[str, str],
    *,
    kind: ReadingKind = "first",
    assessor: Assessor | None = None,
    method: str = "single_reading",
    feedback: Mapping[str, str] | None = None,
) -> Resolution:
    """A submitted reading, and the resolution that rests on it: as the readings' room would leave them."""
    reading = await put_reading(case, levels, kind=kind, assessor=assessor, feedback=feedback)
    return await put_resolved(case, [reading.id], levels, method)


async def put_reading(
    case: Case,
    levels: Mapping[str, str],
    *,
    kind: ReadingKind = "first",
    assessor: Assessor | None = None,
    feedback: Mapping[str, str] | None = None,
) -> Reading:
    """A submitted reading: the one of this kind that nobody has begun, or a new one."""
    reader, now = assessor or case.assessor, case.world.clock.now()
    async with case.world.database.transaction() as session:
        reading = await _find_open(session, case, kind)
        if reading is None:
            reading = Reading(
                issuer_id=case.partner.issuer_id, id=new_id(), program_id=case.program.id,
                submission_id=case.submission.id, kind=kind, trigger=None, created_at=now, updated_at=now, state="open",
            )  # fmt: skip
            session.add(reading)
            await session.flush()
        reading.assessor_id, reading.assessor_code = reader.id, reader.code
        reading.levels = [list(each) for each in levels.items()]
        said = feedback or {}
        texts: dict[str, Texts] = {
            key: {"rationale": f"Why {key} is at {level}.", "feedback": said.get(key)} for key, level in levels.items()
        }
        await seal_texts(session, case.world.vault, reading, case.submission, texts)
        reading.assigned_at = reading.started_at = reading.submitted_at = reading.updated_at = now
        reading.state = "submitted"
    return reading


async def _find_open(session: AsyncSession, case: Case, kind: str) -> Reading | None:
    found = await list_readings(session, case.partner.issuer_id, case.submission.id)
    return next((each for each in found if each.kind == kind and each.state in ("open", "assigned")), None)


async def put_resolved(
    case: Case, reading_ids: list[str], levels: Mapping[str, str], method: str = "single_reading"
) -> Resolution:
    """The next resolution of the submission; a first one leaves it resolved."""
    now = case.world.clock.now()
    async with case.world.database.transaction() as session:
        before = await find_resolution(session, case.partner.issuer_id, case.submission.id)
        resolution = Resolution(
            issuer_id=case.partner.issuer_id, submission_id=case.submission.id,
            number=1 if before is None else before.number + 1, method=method, reading_ids=reading_ids,
            levels=[list(each) for each in levels.items()],
            recommendation="awarded" if set(levels.values()) == {"demonstrated"} else "not_yet", resolved_at=now,
        )  # fmt: skip
        session.add(resolution)
        found = await session.get_one(Submission, (case.partner.issuer_id, case.submission.id))
        if found.state != "decided":
            found.state, found.resolved_at = "resolved", now
    return resolution


async def put_artifact(case: Case, name: str, *, consent: bool, url: str | None = None) -> Artifact:
    now, id_ = case.world.clock.now(), new_id()
    details = {"name": name, "description": f"What {name} shows.", "url": url}
    async with case.world.database.transaction() as session:
        learner = await get_learner(session, case.partner.issuer_id, case.learner.id)
        sealed = open_key(case.world.vault, learner).seal(
            json.dumps(details).encode(), table="artifact", row=id_, column="sealed_details"
        )
        artifact = Artifact(
            issuer_id=case.partner.issuer_id, id=id_, submission_id=case.submission.id, part="artifacts",
            kind="url" if url else "file", genre="Performance task", sealed_details=sealed,
            media_type="application/pdf", size=10, pieces=1, digest="sha256:" + "cd" * 32, consent=consent, shared=False,
            created_at=now, removed_at=None,
        )  # fmt: skip
        session.add(artifact)
    return artifact


async def find_submission(case: Case) -> Submission:
    async with case.world.database.reading() as session:
        return await session.get_one(Submission, (case.partner.issuer_id, case.submission.id))
