"""Invented people with decisions and declarations, put straight into the register: for tests of equity reports."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.appeals.store import Appeal
from app.demographics.store import DemographicDeclaration
from app.identifiers import new_id
from app.learners.store import Learner
from app.programs.store import Cohort, Enrollment, Program
from app.resources import Resources
from app.scoring.store import Decision
from app.submissions.store import Submission
from tests.conftest import Partner

VOCABULARY: dict[str, Any] = {
    "dimensions": [
        {"key": "gender", "label": "Gender", "values": [
            {"key": "woman", "label": "Woman"}, {"key": "man", "label": "Man"},
            {"key": "non-binary", "label": "Non-binary"}]},
        {"key": "school-type", "label": "School", "values": [
            {"key": "elementary", "label": "Elementary"}, {"key": "secondary", "label": "Middle or high"}]},
    ],
    "tables": [["gender", "school-type"]],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Invented:
    """A person as the test knows them."""

    learner_id: str
    gender: str
    school: str
    cohort_id: str | None
    first: bool
    eventual: bool
    appealed: bool
    days: int


async def put_people(
    world: Resources, partner: Partner, program: Program, size: int, *, seed: int, decided_at: datetime
) -> list[Invented]:
    """Skewed: mostly women, a few non-binary, a few who say nothing; men are awarded less often at the first attempt."""
    draw = random.Random(seed)
    people: list[Invented] = []
    async with world.database.transaction() as session:
        cohorts = [
            Cohort(issuer_id=partner.issuer_id, id=new_id(), external_id=None, program_id=program.id, name=name,
                   starts_on=None, ends_on=None, created_at=decided_at, updated_at=decided_at)
            for name in ("Fall", "Spring")
        ]  # fmt: skip
        session.add_all(cohorts)
        await session.flush()
        for number in range(size):
            gender = draw.choices(["woman", "man", "non-binary", "undisclosed"], [62, 30, 3, 5])[0]
            school = draw.choices(["elementary", "secondary"], [60, 40])[0]
            first = draw.random() < (0.45 if gender == "man" else 0.7)
            person = Invented(
                new_id(), gender, school, draw.choice(cohorts).id, first, first or draw.random() < 0.6,
                draw.random() < 0.04, draw.choice((5, 10, 20, 40, 70)),
            )  # fmt: skip
            people.append(person)
            for row in _rows(world, partner, program, person, decided_at + timedelta(minutes=number)):
                session.add(row)
                await session.flush()
    return people


def _rows(world: Resources, partner: Partner, program: Program, person: Invented, at: datetime) -> Sequence[Any]:
    issuer_id, enrollment_id = partner.issuer_id, new_id()
    key = world.vault.new_personal_key(issuer_id, person.learner_id)
    opened = world.vault.open_personal_key(key, issuer_id=issuer_id, owner_id=person.learner_id)
    of_learner = {"issuer_id": issuer_id, "learner_id": person.learner_id}
    rows: list[Any] = [
        Learner(issuer_id=issuer_id, id=person.learner_id, sealed_key=key, created_at=at, updated_at=at),
        Enrollment(**of_learner, id=enrollment_id, external_id=None, program_id=program.id, cohort_id=person.cohort_id,
                   school=None, state="active", sealed_context=b"", created_at=at, updated_at=at),
    ]  # fmt: skip
    said = {"school-type": person.school} | ({"gender": person.gender} if person.gender != "undisclosed" else {})
    sealed = opened.seal(
        json.dumps(said).encode(), table="demographic_declaration", row=person.learner_id, column="sealed_values"
    )
    rows.append(DemographicDeclaration(**of_learner, sealed_values=sealed, declared_at=at))
    decision_ids = []
    for attempt, outcome in enumerate(("awarded",) if person.first else ("not_yet", "awarded"), 1):
        if attempt == 2 and not person.eventual:
            continue
        submission_id, decision_id = new_id(), new_id()
        decision_ids.append((submission_id, decision_id))
        decided_at = at + timedelta(days=attempt - 1)
        rows.append(
            Submission(
                **of_learner, id=submission_id, enrollment_id=enrollment_id, program_id=program.id,
                achievement_id=partner.achievement_id, version=1, attempt=attempt, state="decided", outcome=outcome,
                policy_version=1, banked=[], sealed_statement=b"", created_at=at,
                submitted_at=at - timedelta(days=person.days), accepted_at=at, decided_at=decided_at, updated_at=at,
            )
        )  # fmt: skip
        rows.append(
            Decision(
                **of_learner, id=decision_id, external_id=None, achievement_id=partner.achievement_id, version=1,
                panel_id=partner.panel_id, assessors=[], outcome=outcome, levels=[], decided_at=decided_at,
                supersedes_id=None, renews_id=None, submission_id=submission_id, policy_version=1, reason_code=None,
                sealed_details=b"", digest="0" * 64, recorded_by="test", recorded_at=decided_at,
            )
        )  # fmt: skip
    if person.appealed:
        rows.append(
            Appeal(
                **of_learner, id=new_id(), decision_id=decision_ids[0][1], submission_id=decision_ids[0][0],
                reading_id=None, state="filed", sealed_texts=b"", filed_at=at,
                answer_due_at=at, updated_at=at,
            )
        )  # fmt: skip
    return rows
