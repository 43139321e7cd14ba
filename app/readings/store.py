"""Readings, the windows of the sampler, and resolutions."""

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound

ReadingKind = Literal["first", "second_random", "second_triggered", "validity", "adjudication", "appeal", "moderation"]
ReadingState = Literal["open", "assigned", "started", "submitted", "recused", "reassigned", "expired", "cancelled"]

LIVE = ("assigned", "started")
"""States in which somebody holds a reading and has not submitted it."""
STANDING = ("open", *LIVE, "submitted")
"""States of readings that count: the others were followed by a new row, or by none."""
LEAD_KINDS = ("adjudication", "appeal", "moderation")
"""Kinds that only a lead reads."""

_HELD = text("state IN ('assigned', 'started', 'submitted')")


class Reading(Table):
    """One assessor's scoring of one submission, or of a validity anchor that looks like one.

    An `open` reading waits for somebody; one that is recused, reassigned or expired is followed by a new row. `assessor_code`
    is how decisions name the assessor. `levels` is a list of [criterion key, level key], `sealed_texts` JSON under the learner's
    key: rationale and feedback by criterion (a validity reading keeps none). `certification_id` is what entitled to it.
    `trigger` is why a second reading was asked for; on a submitted first reading `probationary_assessor`, where it asks for one;
    on a validity reading the id of the reading that it follows.

    Submitted rows never change: the database refuses it.
    """

    __tablename__ = "reading"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),
        ForeignKeyConstraint(["issuer_id", "submission_id"], ["submission.issuer_id", "submission.id"]),
        ForeignKeyConstraint(["issuer_id", "anchor_id"], ["anchor.issuer_id", "anchor.id"]),
        ForeignKeyConstraint(["issuer_id", "assessor_id"], ["assessor.issuer_id", "assessor.id"]),
        # One assessor holds a submission once.
        Index(
            "uq_reading_assessor", "issuer_id", "submission_id", "assessor_id", unique=True,
            sqlite_where=_HELD, postgresql_where=_HELD,
        ),
        CheckConstraint(
            "kind IN ('first', 'second_random', 'second_triggered', 'validity', 'adjudication', 'appeal', 'moderation')",
            name="kind",
        ),
        CheckConstraint(
            "state IN ('open', 'assigned', 'started', 'submitted', 'recused', 'reassigned', 'expired', 'cancelled')",
            name="state",
        ),
        CheckConstraint("(submission_id IS NULL) <> (anchor_id IS NULL)", name="subject"),
        Index(None, "issuer_id", "assessor_id", "state"),
        Index(None, "issuer_id", "state", "created_at"),
        Index(None, "issuer_id", "submission_id"),
    )  # fmt: skip

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    program_id: Mapped[str]
    submission_id: Mapped[str | None]
    anchor_id: Mapped[str | None]
    kind: Mapped[str]
    trigger: Mapped[str | None]
    state: Mapped[str]
    assessor_id: Mapped[str | None]
    assessor_code: Mapped[str | None]
    certification_id: Mapped[str | None]
    levels: Mapped[list[list[str]] | None]
    sealed_texts: Mapped[bytes | None]
    digest: Mapped[str | None]
    end_reason: Mapped[str | None]
    created_at: Mapped[datetime]
    assigned_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class SamplingWindow(Table):
    """A time in which the sampler uses one seed. `seed_hash` (SHA-256, hex) is public from `published_at` on, before the window
    begins; the seed is sealed until the window is over, then `seed` (hex) is public too. `rate` is in percent."""

    __tablename__ = "sampling_window"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),
        UniqueConstraint("issuer_id", "program_id", "starts_at"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    program_id: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    rate: Mapped[int]
    seed_hash: Mapped[str]
    sealed_key: Mapped[bytes]
    sealed_seed: Mapped[bytes]
    seed: Mapped[str | None]
    published_at: Mapped[datetime]
    revealed_at: Mapped[datetime | None]


class Resolution(Table):
    """How readings became the scores of record. Append-only.

    `number` counts the resolutions of a submission: 1 is that of the scoring, further ones are of what was
    returned, of appeals and of moderation.
    `method` is how (see `app.readings.resolve`), `reading_ids` are the readings it rests on, the one of record first; `levels`
    include the banked criteria.
    """

    __tablename__ = "resolution"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "submission_id"], ["submission.issuer_id", "submission.id"]),
        CheckConstraint(
            "method IN ('single_reading', 'exact', 'adjacent_same_decision', 'expert_judgment')", name="method"
        ),
        CheckConstraint("recommendation IN ('awarded', 'not_yet')", name="recommendation"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    submission_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    method: Mapped[str]
    reading_ids: Mapped[list[str]]
    levels: Mapped[list[list[str]]]
    recommendation: Mapped[str]
    resolved_at: Mapped[datetime]


async def get_reading(session: AsyncSession, issuer_id: str, reading_id: str) -> Reading:
    """Raises NotFound, also for a reading of another issuer."""
    reading = await session.get(Reading, (issuer_id, reading_id))
    if reading is None:
        raise NotFound("There is no reading with this id.")
    return reading


async def lock_reading(session: AsyncSession, issuer_id: str, reading_id: str) -> Reading:
    """As `get_reading`, with the row locked. Where it has a submission, that is locked before."""
    query = select(Reading).where(Reading.issuer_id == issuer_id, Reading.id == reading_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    reading = (await session.scalars(locked)).one_or_none()
    if reading is None:
        raise NotFound("There is no reading with this id.")
    return reading


async def list_readings(session: AsyncSession, issuer_id: str, submission_id: str) -> list[Reading]:
    """All readings of a submission, oldest first."""
    query = select(Reading).where(Reading.issuer_id == issuer_id, Reading.submission_id == submission_id)
    fresh = query.order_by(Reading.created_at, Reading.id).execution_options(populate_existing=True)
    return list((await session.scalars(fresh)).all())


async def list_windows(session: AsyncSession, program_id: str) -> list[SamplingWindow]:
    """The windows of a program, oldest first."""
    query = select(SamplingWindow).where(SamplingWindow.program_id == program_id)
    return list((await session.scalars(query.order_by(SamplingWindow.starts_at))).all())


async def find_resolution(session: AsyncSession, issuer_id: str, submission_id: str) -> Resolution | None:
    """The newest resolution of a submission."""
    query = select(Resolution).where(Resolution.issuer_id == issuer_id, Resolution.submission_id == submission_id)
    return (await session.scalars(query.order_by(Resolution.number.desc()).limit(1))).one_or_none()


async def list_resolutions(session: AsyncSession, issuer_id: str, submission_id: str) -> list[Resolution]:
    """The resolutions of a submission, in order."""
    query = select(Resolution).where(Resolution.issuer_id == issuer_id, Resolution.submission_id == submission_id)
    return list((await session.scalars(query.order_by(Resolution.number))).all())
