"""Submissions and what belongs to them: teams, artifacts, screenings."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound
from app.learners.store import Learner, list_same_person

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

ConditionCode = Literal[
    "too_little",
    "too_much",
    "missing_part",
    "unopenable",
    "not_playable",
    "identifies_students",
    "identifies_learner",
    "wrong_task",
    "not_own_work",
    "other",
]

CONDITION_CODES: Mapping[ConditionCode, str] = {
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

EDITABLE = ("draft", "returned_incomplete")
"""States in which the learner works on the submission."""


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
    that an earlier attempt met; `met` are those that this one met, in the same form, and `outcome` what was decided of it (both
    written by `app.submissions.decided`). `policy_version` is pinned at submission, and `evidence` are the ids of the artifacts
    it rests on, also those that team mates shared. `held_from` is the state before a hold; one that a screening put is
    `held_by_screening`, and a screening ends it. `screening_due_at` is the turnaround clock of the screening. `sealed_return` is
    why an approver returned it to scoring, under the learner's key.

    `support_offered_at` is when, after too many attempts, support was offered (`sealed_support` tells of it, under the
    learner's key); an attempt begun after that is `supported`.
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
        CheckConstraint("outcome IN ('awarded', 'not_yet')", name="outcome"),
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
    held_by_screening: Mapped[bool] = mapped_column(default=False)
    policy_version: Mapped[int | None]
    banked: Mapped[list[list[str]]]
    evidence: Mapped[list[str] | None]
    outcome: Mapped[str | None]
    met: Mapped[list[list[str]] | None]
    supported: Mapped[bool] = mapped_column(default=False)
    support_offered_at: Mapped[datetime | None]
    sealed_support: Mapped[bytes | None]
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

    A file's pieces lie in the evidence store under `upload` (`app.submissions.evidence`); an attempt that goes on from an earlier
    one may name the same upload. `digest` is `sha256:` and the hex of the file in the clear. Without a digest the file has not
    come yet. `consent` is whether it may be named in the badge. A `shared` one
    also belongs to the other members' submissions of the team.
    """

    __tablename__ = "artifact"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "submission_id"], ["submission.issuer_id", "submission.id"]),
        CheckConstraint("kind IN ('file', 'url')", name="kind"),
        Index(None, "issuer_id", "submission_id"),
        Index(None, "issuer_id", "upload"),
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
    upload: Mapped[str | None]
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


async def get_artifact(session: AsyncSession, submission: Submission, artifact_id: str) -> Artifact:
    """An artifact of this submission that was not removed. Raises NotFound."""
    artifact = await session.get(Artifact, (submission.issuer_id, artifact_id), populate_existing=True)
    if artifact is None or artifact.submission_id != submission.id or artifact.removed_at is not None:
        raise NotFound("The submission has no artifact with this id.")
    return artifact


async def list_shared(session: AsyncSession, submission: Submission) -> list[Artifact]:
    """What team mates share from their own submissions of the same achievement, oldest first."""
    if submission.team_id is None:
        return []
    query = (
        select(Artifact)
        .join(Submission, (Submission.issuer_id == Artifact.issuer_id) & (Submission.id == Artifact.submission_id))
        .where(
            *_of_team(submission),
            Submission.id != submission.id,
            Submission.state.not_in(("withdrawn", "void")),
            Artifact.shared,
            Artifact.removed_at.is_(None),
        )
    )
    return list((await session.scalars(query.order_by(Artifact.created_at, Artifact.id))).all())


async def list_by_id(session: AsyncSession, issuer_id: str, artifact_ids: Sequence[str]) -> list[Artifact]:
    """These artifacts, oldest first."""
    query = select(Artifact).where(Artifact.issuer_id == issuer_id, Artifact.id.in_(artifact_ids))
    return list((await session.scalars(query.order_by(Artifact.created_at, Artifact.id))).all())


async def list_team_submissions(session: AsyncSession, submission: Submission) -> list[Submission]:
    """The submissions of team mates for the same achievement, whatever their state."""
    if submission.team_id is None:
        return []
    query = select(Submission).where(*_of_team(submission), Submission.id != submission.id)
    return list((await session.scalars(query.order_by(Submission.id))).all())


async def lock_with_team(session: AsyncSession, issuer_id: str, submission_id: str) -> Submission:
    """As `lock_submission`, together with what team mates submit for the same achievement, in the order of their ids."""
    submission = await get_submission(session, issuer_id, submission_id)
    if submission.team_id is not None:
        query = select(Submission).where(*_of_team(submission)).order_by(Submission.id).with_for_update()
        await session.scalars(query.execution_options(populate_existing=True))
    return await lock_submission(session, issuer_id, submission_id)


def _of_team(submission: Submission) -> tuple[ColumnElement[bool], ...]:
    return (
        Submission.issuer_id == submission.issuer_id,
        Submission.team_id == submission.team_id,
        Submission.achievement_id == submission.achievement_id,
    )


async def list_attempts(
    session: AsyncSession, issuer_id: str, enrollment_id: str, achievement_id: str
) -> list[Submission]:
    """All attempts at an achievement in one enrollment, first to last."""
    query = select(Submission).where(
        Submission.issuer_id == issuer_id,
        Submission.enrollment_id == enrollment_id,
        Submission.achievement_id == achievement_id,
    )
    return list((await session.scalars(query.order_by(Submission.attempt))).all())


async def find_awarded(
    session: AsyncSession, issuer_id: str, learner_id: str, achievement_id: str
) -> Submission | None:
    """A submission of the learner, in whichever program, for which the achievement is awarded."""
    query = select(Submission).where(
        Submission.issuer_id == issuer_id,
        Submission.learner_id.in_(await list_same_person(session, issuer_id, learner_id)),
        Submission.achievement_id == achievement_id,
        Submission.state == "decided",
        Submission.outcome == "awarded",
    )
    return (await session.scalars(query.order_by(Submission.id).limit(1))).one_or_none()


async def find_by_external_id(session: AsyncSession, issuer_id: str, external_id: str) -> Submission | None:
    query = select(Submission).where(Submission.issuer_id == issuer_id, Submission.external_id == external_id)
    return (await session.scalars(query)).one_or_none()


async def list_screenings(session: AsyncSession, issuer_id: str, submission_id: str) -> list[Screening]:
    """The screenings of a submission, oldest first."""
    query = select(Screening).where(Screening.issuer_id == issuer_id, Screening.submission_id == submission_id)
    return list((await session.scalars(query.order_by(Screening.screened_at, Screening.id))).all())


async def list_submissions_of_learners(
    session: AsyncSession, issuer_id: str, learner_ids: Sequence[str]
) -> list[Submission]:
    """All submissions of these learners, in the order they were begun."""
    query = select(Submission).where(Submission.issuer_id == issuer_id, Submission.learner_id.in_(learner_ids))
    return list((await session.scalars(query.order_by(Submission.created_at, Submission.id))).all())


async def get_team(session: AsyncSession, issuer_id: str, team_id: str) -> Team:
    """Raises NotFound, also for a team of another issuer."""
    team = await session.get(Team, (issuer_id, team_id))
    if team is None:
        raise NotFound("There is no team with this id.")
    return team


async def list_members(session: AsyncSession, issuer_id: str, team_ids: Sequence[str]) -> list[TeamMember]:
    """Who is in these teams."""
    query = select(TeamMember).where(TeamMember.issuer_id == issuer_id, TeamMember.team_id.in_(team_ids))
    ordered = query.order_by(TeamMember.team_id, TeamMember.joined_at, TeamMember.enrollment_id)
    return list((await session.scalars(ordered)).all())


async def is_upload_in_use(session: AsyncSession, issuer_id: str, upload: str) -> bool:
    """Whether an artifact rests on the upload, of a learner who was not erased."""
    query = (
        select(Artifact.id)
        .join(Submission, (Submission.issuer_id == Artifact.issuer_id) & (Submission.id == Artifact.submission_id))
        .join(Learner, (Learner.issuer_id == Submission.issuer_id) & (Learner.id == Submission.learner_id))
        .where(
            Artifact.issuer_id == issuer_id,
            Artifact.upload == upload,
            Artifact.removed_at.is_(None),
            Learner.sealed_key.is_not(None),
        )
    )
    return (await session.scalars(query.limit(1))).first() is not None


async def list_uploads(session: AsyncSession, issuer_id: str, learner_ids: Sequence[str]) -> list[str]:
    """Every upload that an artifact of these learners rests on."""
    query = (
        select(Artifact.upload)
        .join(Submission, (Submission.issuer_id == Artifact.issuer_id) & (Submission.id == Artifact.submission_id))
        .where(Artifact.issuer_id == issuer_id, Submission.learner_id.in_(learner_ids), Artifact.upload.is_not(None))
    )
    found = (await session.scalars(query.distinct().order_by(Artifact.upload))).all()
    return [upload for upload in found if upload is not None]
