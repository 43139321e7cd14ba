"""Programs, their policies and cohorts, who is enrolled, and who is affiliated with whom."""

from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import InvalidInput, NotFound
from app.learners.store import list_same_person

EnrollmentState = Literal["invited", "enrolled", "active", "completed", "withdrawn", "lapsed"]
AffiliationKind = Literal["coach", "supervisor", "evaluator", "co_author", "family", "other"]


class AchievementNotInProgram(InvalidInput):
    """The achievement cannot be earned in the program."""

    code = "achievement_not_in_program"


class Program(Table):
    """What educators enroll in. `panel_id` is the panel whose members read, and whom its badges name as their source.

    `policy_version` is the version of the scoring policy in force.
    """

    __tablename__ = "program"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "panel_id"], ["panel.issuer_id", "panel.id"]),
        UniqueConstraint("issuer_id", "external_id"),
        Index(None, "issuer_id", "updated_at", "id"),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    external_id: Mapped[str | None]
    name: Mapped[str]
    description: Mapped[str | None]
    panel_id: Mapped[str]
    policy_version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ProgramAchievement(Table):
    """That an achievement can be earned in a program."""

    __tablename__ = "program_achievement"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),
        ForeignKeyConstraint(["issuer_id", "achievement_id"], ["achievement.issuer_id", "achievement.id"]),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    program_id: Mapped[str] = mapped_column(primary_key=True)
    achievement_id: Mapped[str] = mapped_column(primary_key=True)


class ScoringPolicy(Table):
    """One version of a program's policy: the body of `app.programs.policy.ScoringPolicyBody`. Append-only."""

    __tablename__ = "scoring_policy"
    __table_args__ = (ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),)

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    program_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]
    digest: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class Cohort(Table):
    """A group that goes through a program together."""

    __tablename__ = "cohort"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),
        UniqueConstraint("issuer_id", "external_id"),
        Index(None, "issuer_id", "program_id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str | None]
    program_id: Mapped[str]
    name: Mapped[str]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Enrollment(Table):
    """A learner in a program. Goal and local context are sealed under the learner's key.

    `school` is the partner's code of where the learner works: who has the same does not read their work.
    """

    __tablename__ = "enrollment"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),
        ForeignKeyConstraint(["issuer_id", "cohort_id"], ["cohort.issuer_id", "cohort.id"]),
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        UniqueConstraint("issuer_id", "external_id"),
        UniqueConstraint("issuer_id", "program_id", "learner_id"),
        CheckConstraint("state IN ('invited', 'enrolled', 'active', 'completed', 'withdrawn', 'lapsed')", name="state"),
        Index(None, "issuer_id", "updated_at", "id"),
        Index(None, "issuer_id", "learner_id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str | None]
    program_id: Mapped[str]
    cohort_id: Mapped[str | None]
    learner_id: Mapped[str]
    school: Mapped[str | None]
    state: Mapped[str]
    sealed_context: Mapped[bytes]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Affiliation(Table):
    """That a person stands too close to a learner to judge their work, for as long as `ended_at` is null."""

    __tablename__ = "affiliation"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        ForeignKeyConstraint(["issuer_id", "person_id"], ["person.issuer_id", "person.id"]),
        CheckConstraint("kind IN ('coach', 'supervisor', 'evaluator', 'co_author', 'family', 'other')", name="kind"),
        Index(None, "issuer_id", "learner_id"),
        Index(None, "issuer_id", "person_id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    learner_id: Mapped[str]
    person_id: Mapped[str]
    kind: Mapped[str]
    declared_by: Mapped[str]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


async def get_program(session: AsyncSession, issuer_id: str, program_id: str) -> Program:
    """Raises NotFound, also for a program of another issuer."""
    program = await session.get(Program, (issuer_id, program_id))
    if program is None:
        raise NotFound("There is no program with this id.")
    return program


async def get_enrollment(session: AsyncSession, issuer_id: str, enrollment_id: str) -> Enrollment:
    """Raises NotFound, also for an enrollment of another issuer."""
    enrollment = await session.get(Enrollment, (issuer_id, enrollment_id))
    if enrollment is None:
        raise NotFound("There is no enrollment with this id.")
    return enrollment


async def list_program_achievements(session: AsyncSession, issuer_id: str, program_id: str) -> list[str]:
    """Ids of the achievements that can be earned in the program."""
    query = select(ProgramAchievement.achievement_id).where(
        ProgramAchievement.issuer_id == issuer_id, ProgramAchievement.program_id == program_id
    )
    return list((await session.scalars(query.order_by(ProgramAchievement.achievement_id))).all())


async def lock_program(session: AsyncSession, issuer_id: str, program_id: str) -> Program:
    """As `get_program`, with the row locked: whoever changes it or adds a version of its policy."""
    query = select(Program).where(Program.issuer_id == issuer_id, Program.id == program_id)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    program = (await session.scalars(locked)).one_or_none()
    if program is None:
        raise NotFound("There is no program with this id.")
    return program


async def get_cohort(session: AsyncSession, issuer_id: str, cohort_id: str) -> Cohort:
    """Raises NotFound, also for a cohort of another issuer."""
    cohort = await session.get(Cohort, (issuer_id, cohort_id))
    if cohort is None:
        raise NotFound("There is no cohort with this id.")
    return cohort


async def lock_enrollment(session: AsyncSession, issuer_id: str, enrollment_id: str) -> Enrollment:
    """As `get_enrollment`, with the row locked: whoever changes its state or its texts."""
    query = select(Enrollment).where(Enrollment.issuer_id == issuer_id, Enrollment.id == enrollment_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    enrollment = (await session.scalars(locked)).one_or_none()
    if enrollment is None:
        raise NotFound("There is no enrollment with this id.")
    return enrollment


async def list_enrollments_of_learners(
    session: AsyncSession, issuer_id: str, learner_ids: list[str]
) -> list[Enrollment]:
    """All enrollments of these learners, oldest first."""
    query = select(Enrollment).where(Enrollment.issuer_id == issuer_id, Enrollment.learner_id.in_(learner_ids))
    return list((await session.scalars(query.order_by(Enrollment.created_at, Enrollment.id))).all())


async def is_external_id_taken(
    session: AsyncSession, table: type[Program | Cohort | Enrollment], issuer_id: str, external_id: str
) -> bool:
    """Whether another of the issuer's programs, cohorts or enrollments has it."""
    query = select(table.id).where(table.issuer_id == issuer_id, table.external_id == external_id)
    return (await session.scalars(query)).one_or_none() is not None


async def list_affiliations(session: AsyncSession, issuer_id: str, learner_id: str) -> list[Affiliation]:
    """Who is affiliated with the learner today, or with somebody who turned out to be the same person."""
    person = await list_same_person(session, issuer_id, learner_id)
    query = select(Affiliation).where(
        Affiliation.issuer_id == issuer_id, Affiliation.learner_id.in_(person), Affiliation.ended_at.is_(None)
    )
    return list((await session.scalars(query.order_by(Affiliation.created_at, Affiliation.id))).all())


async def list_all_affiliations(session: AsyncSession, issuer_id: str, learner_ids: list[str]) -> list[Affiliation]:
    """As `list_affiliations` of these very learners, with those that have ended."""
    query = select(Affiliation).where(Affiliation.issuer_id == issuer_id, Affiliation.learner_id.in_(learner_ids))
    return list((await session.scalars(query.order_by(Affiliation.created_at, Affiliation.id))).all())
