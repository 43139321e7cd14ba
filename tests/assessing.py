"""An assessment under way, put straight into the register: for tests of a room that stands above others."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.access.store import Person
from app.assessors.store import Assessor, Certification
from app.identifiers import new_id
from app.learners.recipients import Identities, create_learner, open_key
from app.learners.store import Learner
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Enrollment, Program, ProgramAchievement, ScoringPolicy
from app.readings.store import Resolution
from app.resources import Resources
from app.submissions.store import Submission
from tests.conftest import Partner
from tests.people import make_person


async def put_program(world: Resources, partner: Partner, policy: ScoringPolicyBody | None = None) -> Program:
    """A program with the partner's panel and achievement, and version 1 of its policy."""
    now = world.clock.now()
    content = (policy or ScoringPolicyBody()).model_dump(mode="json")
    program = Program(
        issuer_id=partner.issuer_id, id=new_id(), external_id=None, name="Leadership Academy", description=None,
        panel_id=partner.panel_id, policy_version=1, created_at=now, updated_at=now,
    )  # fmt: skip
    async with world.database.transaction() as session:
        session.add(program)
        await session.flush()
        session.add(ProgramAchievement(issuer_id=program.issuer_id, program_id=program.id,
                                       achievement_id=partner.achievement_id))  # fmt: skip
        session.add(ScoringPolicy(issuer_id=program.issuer_id, program_id=program.id, version=1, content=content,
                                  digest="0" * 64, created_by="test", created_at=now))  # fmt: skip
    return program


async def put_enrollment(
    world: Resources, program: Program, *, name: str = "Ada Example", school: str | None = None
) -> tuple[Enrollment, Learner]:
    """A new learner, enrolled. The name makes the e-mail address: choose different ones."""
    now = world.clock.now()
    email = f"{name.lower().replace(' ', '.')}@schools.example.org"
    async with world.database.transaction() as session:
        learner = await create_learner(
            session, world.vault, program.issuer_id, external_id=None, identities=Identities(name=name, email=email),
            actor="test", now=now,
        )  # fmt: skip
        id_ = new_id()
        context = {"goal": "Fewer referrals", "role": "Principal", "school_type": "Middle school", "grade_band": "6-8"}
        sealed = open_key(world.vault, learner).seal(
            json.dumps(context).encode(), table="enrollment", row=id_, column="sealed_context"
        )
        enrollment = Enrollment(
            issuer_id=program.issuer_id, id=id_, external_id=None, program_id=program.id, cohort_id=None,
            learner_id=learner.id, school=school, state="active", sealed_context=sealed, created_at=now, updated_at=now,
        )  # fmt: skip
        session.add(enrollment)
    return enrollment, learner


async def put_submission(
    world: Resources, partner: Partner, enrollment: Enrollment, learner: Learner, **changes: Any
) -> Submission:
    """An accepted submission; `changes` are columns."""
    now = world.clock.now()
    id_ = new_id()
    statement = {
        "parts": {"overview": "The problem and its setting.", "reflection": "What I would do otherwise."},
        "impact": None,
        "context": {"role": "Principal", "school_type": "Middle school", "grade_band": "6-8"},
        "attestations": {"own_work": True, "ai_use": "none", "student_privacy": True},
    }
    sealed = open_key(world.vault, learner).seal(
        json.dumps(statement).encode(), table="submission", row=id_, column="sealed_statement"
    )
    columns: dict[str, Any] = {
        "issuer_id": partner.issuer_id, "id": id_, "external_id": None, "enrollment_id": enrollment.id,
        "program_id": enrollment.program_id, "learner_id": learner.id, "achievement_id": partner.achievement_id,
        "version": 1, "attempt": 1, "team_id": None, "variant": None, "state": "accepted", "held_from": None,
        "policy_version": 1, "banked": [], "sealed_statement": sealed, "screening_due_at": None, "created_at": now,
        "submitted_at": now, "accepted_at": now, "resolved_at": None, "decided_at": None, "updated_at": now,
    }  # fmt: skip
    submission = Submission(**(columns | changes))
    async with world.database.transaction() as session:
        session.add(submission)
    return submission


async def put_assessor(
    world: Resources,
    partner: Partner,
    code: str,
    *,
    school: str | None = None,
    days: int = 365,
    state: str = "certified",
) -> tuple[Assessor, Person, str]:
    """An assessor, certified for version 1 of the partner's achievement for so many days: assessor, person and token."""
    now = world.clock.now()
    person, token = await make_person(world, partner.issuer_id, "assessor", name=f"Assessor {code}")
    assessor = Assessor(
        issuer_id=partner.issuer_id, id=new_id(), person_id=person.id, code=code, school=school, is_active=True,
        created_at=now, updated_at=now,
    )  # fmt: skip
    async with world.database.transaction() as session:
        session.add(assessor)
        await session.flush()
        session.add(
            Certification(
                issuer_id=partner.issuer_id, id=new_id(), assessor_id=assessor.id, achievement_id=partner.achievement_id,
                version=1, state=state, valid_from=now, valid_until=now + timedelta(days=days), calibrated_at=now,
                decision_id=None, created_at=now, updated_at=now,
            )
        )  # fmt: skip
    return assessor, person, token


async def put_resolution(
    world: Resources, submission: Submission, levels: Mapping[str, str], recommendation: str, reading_ids: list[str]
) -> Resolution:
    """The scores of record, and the submission resolved."""
    now = world.clock.now()
    resolution = Resolution(
        issuer_id=submission.issuer_id, submission_id=submission.id, number=1, method="single_reading",
        reading_ids=reading_ids, levels=[[criterion, level] for criterion, level in levels.items()],
        recommendation=recommendation, resolved_at=now,
    )  # fmt: skip
    async with world.database.transaction() as session:
        session.add(resolution)
        found = await session.get_one(Submission, (submission.issuer_id, submission.id))
        found.state, found.resolved_at = "resolved", now
    return resolution
