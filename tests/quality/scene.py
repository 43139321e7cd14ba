"""Work that was read, put straight into the register: many submissions of one learner, an attempt each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import FastAPI

from app.assessors.store import Assessor
from app.identifiers import new_id
from app.learners.store import Learner
from app.programs.store import Enrollment, Program
from app.quality.bodies import QualityReport, QualityStatistic
from app.readings.store import Reading, Resolution
from app.resources import Resources
from app.submissions.store import Submission
from app.worker import open_runner
from tests.assessing import put_assessor, put_enrollment, put_program
from tests.builders import achievement_body
from tests.conftest import Partner
from tests.issuing import world_of

LEVELS = ("not-evident", "developing", "demonstrated")
AGREE = ((2, 2), (2, 2))
"""Two pairs of positions, of `problem` and of `evidence`: both readers saw both criteria met."""


@dataclass(slots=True)
class Scene:
    app: FastAPI
    partner: Partner
    world: Resources
    program: Program
    enrollment: Enrollment
    learner: Learner
    readers: Sequence[Assessor]
    submission_ids: list[str] = field(default_factory=list)

    async def put(
        self, *scores: Sequence[tuple[int, int]], kind: str = "second_random", version: int = 1,
        at: datetime | None = None, keys: Sequence[str] = ("problem", "evidence"),
        banked: Mapping[str, str] | None = None, first_at: datetime | None = None, resolved: bool = True,
    ) -> None:  # fmt: skip
        """A submission for each of `scores`: pairs of positions in the order of `keys`, read at one moment, or at first earlier,
        `first_at`; resolved then, or waiting for an adjudicator.

        Without a second position in any pair (-1) it is read once.
        """
        moment = at or self.world.clock.now()
        moments = first_at or moment, moment
        async with self.world.database.transaction() as session:
            for each in scores:
                self.submission_ids.append(new_id())
                is_double = all(second >= 0 for _, second in each)
                kinds = ("first", kind) if is_double else ("first",)
                submission = self._submission(version, moment, banked or {})
                readings = [
                    self._reading(position, kinds[position], dict(zip(keys, each, strict=True)), moments[position])
                    for position in range(len(kinds))
                ]
                session.add(submission)
                await session.flush()
                session.add_all([*readings, *([self._resolution(readings, moment)] if resolved else [])])

    def _submission(self, version: int, moment: datetime, banked: Mapping[str, str]) -> Submission:
        columns: dict[str, Any] = {
            "issuer_id": self.partner.issuer_id, "id": self.submission_ids[-1], "external_id": None,
            "enrollment_id": self.enrollment.id, "program_id": self.program.id, "learner_id": self.learner.id,
            "achievement_id": self.partner.achievement_id, "version": version, "attempt": 1 + len(self.submission_ids),
            "team_id": None, "variant": None, "state": "resolved", "held_from": None, "policy_version": 1,
            "banked": [[criterion, level, new_id()] for criterion, level in banked.items()], "sealed_statement": b"",
            "screening_due_at": None, "created_at": moment, "submitted_at": moment, "accepted_at": moment,
            "resolved_at": moment, "updated_at": moment,
        }  # fmt: skip
        return Submission(**columns)

    def _reading(self, position: int, kind: str, scores: Mapping[str, tuple[int, int]], moment: datetime) -> Reading:
        reader = self.readers[position]
        return Reading(
            issuer_id=self.partner.issuer_id, id=new_id(), program_id=self.program.id,
            submission_id=self.submission_ids[-1], kind=kind, trigger=None, state="submitted", assessor_id=reader.id,
            assessor_code=reader.code, levels=[[key, LEVELS[pair[position]]] for key, pair in scores.items()],
            created_at=moment, assigned_at=moment, started_at=moment, submitted_at=moment, updated_at=moment,
        )  # fmt: skip

    def _resolution(self, readings: Sequence[Reading], moment: datetime) -> Resolution:
        return Resolution(
            issuer_id=self.partner.issuer_id, submission_id=self.submission_ids[-1], number=1, method="exact",
            reading_ids=[each.id for each in readings], levels=readings[0].levels, recommendation="awarded",
            resolved_at=moment,
        )  # fmt: skip

    async def publish_next(self, version: int, body: Mapping[str, Any] | None = None) -> None:
        """Another version of the partner's achievement, with the rubric of `body`, or the same."""
        path = f"/v1/achievements/{self.partner.achievement_id}/versions"
        made = await self.partner.client.post(path, json=body or achievement_body())
        assert made.status_code == 201, made.text
        published = await self.partner.client.post(f"{path}/{version}/publish")
        assert published.status_code == 200, published.text

    @property
    def path(self) -> str:
        return f"/achievements/{self.partner.achievement_id}"

    async def run_jobs(self) -> None:
        runner = open_runner(self.world)
        while await runner.run_one():
            pass

    async def fetch(self, label: str = "2026Q4", version: int = 1) -> QualityReport:
        answer = await self.partner.client.get(f"{self.path}/v{version}/quality/{label}", headers=NO_TOKEN)
        assert answer.status_code == 200, answer.text
        return QualityReport.model_validate_json(answer.content)


NO_TOKEN = {"Authorization": ""}


async def open_scene(app: FastAPI, partner: Partner) -> Scene:
    world = world_of(app)
    program = await put_program(world, partner)
    enrollment, learner = await put_enrollment(world, program)
    readers = [(await put_assessor(world, partner, code))[0] for code in ("A-01", "A-02")]
    return Scene(app, partner, world, program, enrollment, learner, readers)


def named(statistics: Sequence[QualityStatistic], name: str) -> QualityStatistic:
    return next(each for each in statistics if each.name == name)
