"""A learner at work on a submission: what the tests of submissions begin with."""

from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from app.learners.store import Learner
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Enrollment, Program, ProgramAchievement
from app.resources import Resources
from app.submissions.decided import mark_decided
from app.submissions.store import Submission, lock_submission
from app.worker import open_runner
from tests.assessing import put_enrollment, put_program
from tests.conftest import Partner
from tests.people import open_person

ATTESTED = {"own_work": True, "ai_use": "none", "student_privacy": True, "permissions": True}
STATEMENT: dict[str, Any] = {
    "parts": {"overview": "The problem and its setting.", "reflection": "What I would do otherwise."},
    "attestations": ATTESTED,
}
URL = {"part": "artifacts", "name": "Equity audit", "url": "https://evidence.example.org/17"}
FILE = {"part": "artifacts", "name": "Lesson plan"}
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"
AS_PDF = {"Content-Type": "application/pdf"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A learner who is enrolled: signed in as `client`."""

    world: Resources
    program: Program
    enrollment: Enrollment
    learner: Learner
    client: httpx.AsyncClient
    achievement_id: str

    async def begin(self, **changes: Any) -> httpx.Response:
        body = {"enrollment_id": self.enrollment.id, "achievement_id": self.achievement_id, **changes}
        return await self.client.post("/v1/submissions", json=body)

    async def draft(self, **changes: Any) -> str:
        """The path of a new draft."""
        return f"/v1/submissions/{good(await self.begin(**changes))['id']}"

    async def ready(self, statement: dict[str, Any] = STATEMENT, **changes: Any) -> str:
        """The path of a draft that can be handed in."""
        path = await self.draft(**changes)
        good(await self.client.put(f"{path}/statement", json=statement))
        if not (await self.client.get(path)).json()["artifacts"]:
            good(await self.client.post(f"{path}/artifacts", json=URL))
        return path

    async def submitted(self, **changes: Any) -> str:
        """The path of a submission that waits for its screening."""
        path = await self.ready(**changes)
        good(await self.client.post(f"{path}/submit"))
        return path

    async def upload(self, path: str, content: bytes = PDF, media_type: str = "application/pdf") -> str:
        """The path of a new artifact with this file."""
        artifact = good(await self.client.post(f"{path}/artifacts", json=FILE))
        artifact_path = f"{path}/artifacts/{artifact['id']}"
        good(await self.client.put(f"{artifact_path}/file", content=content, headers={"Content-Type": media_type}))
        return artifact_path

    async def decide(self, path: str, outcome: str, **met: str) -> None:
        """As who decides would leave it."""
        async with self.world.database.transaction() as session:
            submission = await lock_submission(session, self.program.issuer_id, path.rpartition("/")[2])
            mark_decided(
                session, submission, outcome=outcome,  # type: ignore[arg-type]
                decision_id="d" * 32, met=met, now=self.world.clock.now(),
            )  # fmt: skip

    async def row(self, path: str) -> Submission:
        async with self.world.database.reading() as session:
            return await session.get_one(Submission, (self.program.issuer_id, path.split("/")[3]))

    async def put(self, path: str, **columns: Any) -> None:
        """Set columns of the submission, as rooms above do."""
        async with self.world.database.transaction() as session:
            row = await session.get_one(Submission, (self.program.issuer_id, path.split("/")[3]))
            for name, value in columns.items():
                setattr(row, name, value)

    async def mate(self, app: FastAPI, name: str) -> "Attempt":
        """Somebody else who is enrolled in the program."""
        enrollment, learner = await put_enrollment(self.world, self.program, name=name)
        _, client = await open_person(app, self.program.issuer_id, "learner", name=name, learner_id=learner.id)
        return Attempt(self.world, self.program, enrollment, learner, client, self.achievement_id)


async def enroll(
    app: FastAPI, partner: Partner, policy: ScoringPolicyBody | None = None, *, name: str = "Ada Example"
) -> Attempt:
    """A learner, enrolled in a new program."""
    world: Resources = app.state.resources
    program = await put_program(world, partner, policy)
    enrollment, learner = await put_enrollment(world, program, name=name)
    _, client = await open_person(app, partner.issuer_id, "learner", name=name, learner_id=learner.id)
    return Attempt(world, program, enrollment, learner, client, partner.achievement_id)


async def add_to_program(world: Resources, program: Program, achievement_id: str) -> None:
    async with world.database.transaction() as session:
        session.add(
            ProgramAchievement(issuer_id=program.issuer_id, program_id=program.id, achievement_id=achievement_id)
        )


def good(answer: httpx.Response) -> Any:
    """Its body; it must be one of success."""
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    return answer.status_code, answer.json()["code"]


def pointers(answer: httpx.Response) -> set[str]:
    return {error["pointer"] for error in answer.json()["errors"]}


async def run_jobs(world: Resources) -> None:
    runner = open_runner(world)
    while await runner.run_one():
        pass
