"""Submissions that two assessors read, put straight into the register."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.assessors.store import Assessor
from app.identifiers import new_id
from app.learners.store import Learner
from app.programs.store import Enrollment, Program
from app.readings.store import Reading, Resolution
from app.resources import Resources
from app.submissions.store import Submission
from tests.assessing import put_submission
from tests.conftest import Partner

LEVELS = ("not-evident", "developing", "demonstrated")


def scores(problem: int, evidence: int) -> dict[str, str]:
    """By position."""
    return {"problem": LEVELS[problem], "evidence": LEVELS[evidence]}


async def put_pair(
    world: Resources,
    partner: Partner,
    who: tuple[Enrollment, Learner],
    readers: tuple[Assessor, Assessor],
    given: tuple[Mapping[str, str], Mapping[str, str]],
    *,
    kind: str = "second_random",
    attempt: int = 1,
    resolved: bool = True,
    version: int = 1,
) -> Submission:
    """A submission with a first and a second reading."""
    now = world.clock.now()
    submission = await put_submission(world, partner, *who, attempt=attempt, version=version, state="resolved")
    readings = [
        _reading(partner, submission, kind_, reader, levels, now)
        for kind_, reader, levels in zip(("first", kind), readers, given, strict=True)
    ]
    rows: list[Any] = [*readings]
    if resolved:
        rows.append(
            Resolution(
                issuer_id=partner.issuer_id, submission_id=submission.id, number=1, method="exact",
                reading_ids=[each.id for each in readings], levels=[list(each) for each in given[0].items()],
                recommendation="awarded", resolved_at=now,
            )
        )  # fmt: skip
    async with world.database.transaction() as session:
        session.add_all(rows)
    return submission


def _reading(
    partner: Partner, submission: Submission, kind: str, reader: Assessor, levels: Mapping[str, str], now: datetime
) -> Reading:
    return Reading(
        issuer_id=partner.issuer_id, id=new_id(), program_id=submission.program_id, submission_id=submission.id, kind=kind,
        trigger=None, state="submitted", assessor_id=reader.id, assessor_code=reader.code,
        levels=[list(each) for each in levels.items()], created_at=now, assigned_at=now, started_at=now,
        submitted_at=now, updated_at=now,
    )  # fmt: skip


def reports_of(program: Program) -> str:
    return f"/v1/programs/{program.id}/reports"
