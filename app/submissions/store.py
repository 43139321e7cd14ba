"""Submissions and what belongs to them: teams, artifacts, screenings."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound

SubmissionState = Literal[
    "draft",
    "submitted",
    "returned_incomplete",
    "accepted",
    "scoring",
    "resolved",
    "decided",
    "withdrawn",
    "on_hold",
    "void",
]

CONDITION_CODES: Mapping[str, str] = {
    "too_little": "There is too little evidence to score.",
    "too_much": "There is more evidence than the task allows.",
    "missing_part": "A required part is missing.",
    "unopenable": "A file cannot be opened, or a link leads nowhere.",
    "not_playable": "A recording has no picture or no sound.",
    "identifies_students": "Students can be identified.",
    "identifies_learner": "The work tells who its author is.",
    "wrong_task": "The work answers another task.",
    "not_own_work": "There is doubt whose work it is.",
    "other": "Another reason, told in the note.",
}
"""Why work cannot be scored as it is. A condition code is no level."""


class Team(Table):
    """Learners of a program who worked on one task together."""

    __tablename__ = "team"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),
        Index(None, "issuer_id", "program_id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    program_id: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class TeamMember(Table):
    __tablename__ = "team_member"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "team_id"], ["team.issuer_id", "team.id"]),
        ForeignKeyConstraint(["issuer_id", "enrollment_id"], ["enrollment.issuer_id", "enrollment.id"]),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    team_id: Mapped[str] = mapped_column(primary_key=True)
    enrollment_id: Mapped[str] = mapped_column(primary_key=True)
    joined_at: Mapped[datetime]


class Submission(Table):
    """One attempt at an achievement version.

    `sealed_statement` is JSON under the learner's key: the text of each part of the task by its key, the impact claim, the local
    context as it was at submission, the attestations. `banked` is a list of [criterion key, level key, decision id] of criteria
    that an earlier attempt met; `met` is the same of this one, written by its decision. `sealed_return` is why an approver
    returned it to scoring, under the learner's key. `policy_version` is pinned at submission. `held_from` is the state before a
    hold.
    `screening_due_at` is the turnaround clock of the screening.
    """

    __tablename__ = "submission"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "enrollment_id"], ["enrollment.issuer_id", "enrollment.id"]),
        ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
        ),
        ForeignKeyConstraint(["issuer_id", "team_id"], ["team.issuer_id", "team.id"]),
        UniqueConstraint("issuer_id", "external_id"),
        UniqueConstraint("issuer_id", "enrollment_id", "achievement_id", "attempt"),
        CheckConstraint(
            "state IN ('draft', 'submitted', 'returned_incomplete', 'accepted', 'scoring', 'resolved', 'decided', "
            "'withdrawn', 'on_hold', 'void')",
            name="state",
        ),
        Index(None, "issuer_id", "updated_at", "id"),
        Index(None, "issuer_id", "learner_id"),
        Index(None, "issuer_id", "program_id", "state"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    external_id: Mapped[str | None]
    enrollment_id: Mapped[str]
    program_id: Mapped[str]
    learner_id: Mapped[str]
    achievement_id: Mapped[str]
    version: Mapped[int]
    attempt: Mapped[int]
    team_id: Mapped[str | None]
    variant: Mapped[str | None]
    state: Mapped[str]
    held_from: Mapped[str | None]
    policy_version: Mapped[int | None]
    banked: Mapped[list[list[str]]]
    met: Mapped[list[list[str]]] = mapped_column(default=list)
    sealed_statement: Mapped[bytes]
    sealed_return: Mapped[bytes | None]
    screening_due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class Artifact(Table):
    """A file or URL of a submission. Its name, description and URL are sealed under the learner's key; so is the file, in pieces.

    `digest` is `sha256:` and the hex of the file in the clear. `consent` is whether it may be named in the badge. A `shared` one
    also belongs to the other members' submissions of the team.
    """

    __tablename__ = "artifact"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "submission_id"], ["submission.issuer_id", "submission.id"]),
        CheckConstraint("kind IN ('file', 'url')", name="kind"),
        Index(None, "issuer_id", "submission_id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    submission_id: Mapped[str]
    part: Mapped[str]
    kind: Mapped[str]
    genre: Mapped[str | None]
    sealed_details: Mapped[bytes]
    media_type: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    pieces: Mapped[int | None]
    digest: Mapped[str | None]
    consent: Mapped[bool]
    shared: Mapped[bool]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Screening(Table):
    """What came of a screening. Append-only. The note is sealed under the learner's key."""

    __tablename__ = "screening"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "submission_id"], ["submission.issuer_id", "submission.id"]),
        CheckConstraint("outcome IN ('accepted', 'returned_incomplete', 'on_hold')", name="outcome"),
        Index(None, "issuer_id", "submission_id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    submission_id: Mapped[str]
    outcome: Mapped[str]
    condition_codes: Mapped[list[str]]
    sealed_note: Mapped[bytes | None]
    screened_by: Mapped[str]
    screened_at: Mapped[datetime]


async def get_submission(session: AsyncSession, issuer_id: str, submission_id: str) -> Submission:
    """Raises NotFound, also for a submission of another issuer."""
    submission = await session.get(Submission, (issuer_id, submission_id))
    if submission is None:
        raise NotFound("There is no submission with this id.")
    return submission


async def lock_submission(session: AsyncSession, issuer_id: str, submission_id: str) -> Submission:
    """As `get_submission`, with the row locked: the first lock of whatever changes a submission or its readings."""
    query = select(Submission).where(Submission.issuer_id == issuer_id, Submission.id == submission_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    submission = (await session.scalars(locked)).one_or_none()
    if submission is None:
        raise NotFound("There is no submission with this id.")
    return submission


async def list_artifacts(session: AsyncSession, issuer_id: str, submission_id: str) -> list[Artifact]:
    """The submission's own artifacts that were not removed, oldest first."""
    query = select(Artifact).where(
        Artifact.issuer_id == issuer_id, Artifact.submission_id == submission_id, Artifact.removed_at.is_(None)
    )
    return list((await session.scalars(query.order_by(Artifact.created_at, Artifact.id))).all())
