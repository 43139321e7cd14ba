"""Panels and their members' codes; assessors, anchors, qualification, calibration and certification."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound

PanelKind = Literal["panel", "external"]
AnchorRole = Literal["practice", "qualification", "calibration", "validity"]
CertificationState = Literal["in_training", "qualifying", "certified", "probation", "suspended", "expired", "revoked"]


class Panel(Table):
    """Who assessed: a `panel` of ours, or an `external` source whose earlier awards are taken over; that has no members.

    The organization is the partner whose panel it is, where that is not the issuer.
    """

    __tablename__ = "panel"
    __table_args__ = (
        UniqueConstraint("issuer_id", "external_id"),
        Index(None, "issuer_id", "updated_at", "id"),
        CheckConstraint("kind IN ('panel', 'external')", name="kind"),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    external_id: Mapped[str | None]
    name: Mapped[str]
    description: Mapped[str | None]
    url: Mapped[str | None]
    members: Mapped[list[str]]
    kind: Mapped[PanelKind] = mapped_column(String(), server_default="panel")
    organization_name: Mapped[str | None]
    organization_url: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


async def get_panel(session: AsyncSession, issuer_id: str, panel_id: str) -> Panel:
    """Raises NotFound, also for a panel of another issuer."""
    panel = await session.get(Panel, (issuer_id, panel_id))
    if panel is None:
        raise NotFound("There is no panel with this id.")
    return panel


async def get_public_panel(session: AsyncSession, panel_id: str) -> Panel:
    """Whichever issuer's. Raises NotFound."""
    panel = (await session.scalars(select(Panel).where(Panel.id == panel_id))).one_or_none()
    if panel is None:
        raise NotFound("There is no panel with this id.")
    return panel


async def list_external_sources(session: AsyncSession, issuer_id: str) -> list[Panel]:
    """The issuer's sources of earlier awards, oldest first."""
    query = select(Panel).where(Panel.issuer_id == issuer_id, Panel.kind == "external")
    return list((await session.scalars(query.order_by(Panel.created_at, Panel.id))).all())


async def find_by_external_id(session: AsyncSession, issuer_id: str, external_id: str) -> Panel | None:
    query = select(Panel).where(Panel.issuer_id == issuer_id, Panel.external_id == external_id)
    return (await session.scalars(query)).one_or_none()


class Assessor(Table):
    """A person who reads. Panels and decisions know them by `code`; `school` is the partner's code of where they work."""

    __tablename__ = "assessor"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "person_id"], ["person.issuer_id", "person.id"]),
        UniqueConstraint("issuer_id", "person_id"),
        UniqueConstraint("issuer_id", "code"),
        Index(None, "issuer_id", "updated_at", "id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str]
    code: Mapped[str]
    school: Mapped[str | None]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Training(Table):
    """A module of the assessors' training that somebody completed. Append-only."""

    __tablename__ = "training"
    __table_args__ = (ForeignKeyConstraint(["issuer_id", "assessor_id"], ["assessor.issuer_id", "assessor.id"]),)

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    assessor_id: Mapped[str] = mapped_column(primary_key=True)
    module: Mapped[str] = mapped_column(primary_key=True)
    completed_at: Mapped[datetime]
    recorded_by: Mapped[str]


class Anchor(Table):
    """A de-identified submission whose true scores are known: `levels` and `rationales` by criterion key, reconciled from at
    least three master readings.

    `content` is the work (`app.assessors.anchor_work` makes it, and of it what a reader sees). `source_submission_id` is where it
    comes from; anchors of one source count as one anchor where nobody may meet it twice in different roles.
    """

    __tablename__ = "anchor"
    __table_args__ = (
        ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
        ),
        ForeignKeyConstraint(["issuer_id", "source_submission_id"], ["submission.issuer_id", "submission.id"]),
        UniqueConstraint("issuer_id", "external_id"),
        CheckConstraint("role IN ('practice', 'qualification', 'calibration', 'validity')", name="role"),
        CheckConstraint("state IN ('draft', 'active', 'retired')", name="state"),
        Index(None, "issuer_id", "updated_at", "id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str | None]
    achievement_id: Mapped[str]
    version: Mapped[int]
    source_submission_id: Mapped[str | None]
    role: Mapped[str]
    state: Mapped[str]
    content: Mapped[dict[str, Any]]
    levels: Mapped[dict[str, Any] | None]
    rationales: Mapped[dict[str, Any] | None]
    exposures: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class MasterReading(Table):
    """A master reader's scores of an anchor. Append-only."""

    __tablename__ = "master_reading"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "anchor_id"], ["anchor.issuer_id", "anchor.id"]),
        ForeignKeyConstraint(["issuer_id", "person_id"], ["person.issuer_id", "person.id"]),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    anchor_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    levels: Mapped[dict[str, Any]]
    read_at: Mapped[datetime]


class AnchorExposure(Table):
    """That an assessor has met an anchor, and in which role. Append-only: they never meet it in another."""

    __tablename__ = "anchor_exposure"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "anchor_id"], ["anchor.issuer_id", "anchor.id"]),
        ForeignKeyConstraint(["issuer_id", "assessor_id"], ["assessor.issuer_id", "assessor.id"]),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    assessor_id: Mapped[str] = mapped_column(primary_key=True)
    anchor_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    met_at: Mapped[datetime]


class AnchorSession(Table):
    """Anchors to be scored: by one assessor to practice or qualify (`assessor_id`), or by all to calibrate.

    `sets` is a list of lists of anchor ids. `policy_version` is that of the program's scoring policy it is judged by, pinned when
    it was opened. `result` is what a closed session came to; null where it was cancelled.
    """

    __tablename__ = "anchor_session"
    __table_args__ = (
        ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
        ),
        ForeignKeyConstraint(["issuer_id", "program_id"], ["program.issuer_id", "program.id"]),
        ForeignKeyConstraint(["issuer_id", "assessor_id"], ["assessor.issuer_id", "assessor.id"]),
        CheckConstraint("kind IN ('practice', 'qualification', 'calibration')", name="kind"),
        CheckConstraint("state IN ('open', 'discussing', 'closed')", name="state"),
        Index(None, "issuer_id", "updated_at", "id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    program_id: Mapped[str]
    achievement_id: Mapped[str]
    version: Mapped[int]
    assessor_id: Mapped[str | None]
    round: Mapped[int | None]
    sets: Mapped[list[list[str]]]
    policy_version: Mapped[int]
    state: Mapped[str]
    result: Mapped[dict[str, Any] | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class AnchorResponse(Table):
    """An assessor's scores of an anchor in a session; `phase` is `before` or, in a calibration, `after` the discussion.
    Append-only."""

    __tablename__ = "anchor_response"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "session_id"], ["anchor_session.issuer_id", "anchor_session.id"]),
        ForeignKeyConstraint(["issuer_id", "anchor_id"], ["anchor.issuer_id", "anchor.id"]),
        ForeignKeyConstraint(["issuer_id", "assessor_id"], ["assessor.issuer_id", "assessor.id"]),
        CheckConstraint("phase IN ('before', 'after')", name="phase"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(primary_key=True)
    anchor_id: Mapped[str] = mapped_column(primary_key=True)
    assessor_id: Mapped[str] = mapped_column(primary_key=True)
    phase: Mapped[str] = mapped_column(primary_key=True)
    levels: Mapped[dict[str, Any]]
    submitted_at: Mapped[datetime]


class Certification(Table):
    """Where an assessor stands with an achievement version. `decision_id` is that of the badge for it, if one was issued.

    `qualification_id` is the round that was passed last. `rounds_used` counts those since then, or since a lead allowed more,
    `changes` the rows of `certification_change`.

    `state` is what was recorded last: past `valid_until` a certified assessor is expired, whatever it says
    (`app.assessors.certification.state_at`).
    """

    __tablename__ = "certification"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "assessor_id"], ["assessor.issuer_id", "assessor.id"]),
        ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
        ),
        ForeignKeyConstraint(["issuer_id", "decision_id"], ["decision.issuer_id", "decision.id"]),
        ForeignKeyConstraint(["issuer_id", "qualification_id"], ["anchor_session.issuer_id", "anchor_session.id"]),
        UniqueConstraint("issuer_id", "assessor_id", "achievement_id", "version"),
        CheckConstraint(
            "state IN ('in_training', 'qualifying', 'certified', 'probation', 'suspended', 'expired', 'revoked')",
            name="state",
        ),
        Index(None, "issuer_id", "updated_at", "id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    assessor_id: Mapped[str]
    achievement_id: Mapped[str]
    version: Mapped[int]
    state: Mapped[str]
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    calibrated_at: Mapped[datetime | None]
    qualification_id: Mapped[str | None]
    rounds_used: Mapped[int] = mapped_column(default=0)
    changes: Mapped[int] = mapped_column(default=0)
    decision_id: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CertificationChange(Table):
    """A change of a certification's state, or a note on it. Append-only. `number` orders those of one certification."""

    __tablename__ = "certification_change"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "certification_id"], ["certification.issuer_id", "certification.id"]),
        UniqueConstraint("issuer_id", "certification_id", "number"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    certification_id: Mapped[str]
    number: Mapped[int]
    state: Mapped[str]
    reason: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


async def get_assessor(session: AsyncSession, issuer_id: str, assessor_id: str) -> Assessor:
    """Raises NotFound, also for an assessor of another issuer."""
    assessor = await session.get(Assessor, (issuer_id, assessor_id))
    if assessor is None:
        raise NotFound("There is no assessor with this id.")
    return assessor


async def find_assessor_of_person(session: AsyncSession, issuer_id: str, person_id: str) -> Assessor | None:
    query = select(Assessor).where(Assessor.issuer_id == issuer_id, Assessor.person_id == person_id)
    return (await session.scalars(query)).one_or_none()


async def find_certification(
    session: AsyncSession, issuer_id: str, assessor_id: str, achievement_id: str, version: int
) -> Certification | None:
    query = select(Certification).where(
        Certification.issuer_id == issuer_id,
        Certification.assessor_id == assessor_id,
        Certification.achievement_id == achievement_id,
        Certification.version == version,
    )
    return (await session.scalars(query)).one_or_none()


async def get_certification(session: AsyncSession, issuer_id: str, certification_id: str) -> Certification:
    """Raises NotFound, also for one of another issuer."""
    found = await session.get(Certification, (issuer_id, certification_id))
    if found is None:
        raise NotFound("There is no certification with this id.")
    return found


async def lock_certification(session: AsyncSession, issuer_id: str, certification_id: str) -> Certification:
    """As `get_certification`, with the row locked: whoever changes a certification reads it under its lock."""
    query = select(Certification).where(Certification.issuer_id == issuer_id, Certification.id == certification_id)
    found = (await session.scalars(query.with_for_update().execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound("There is no certification with this id.")
    return found


async def list_certifications(
    session: AsyncSession, issuer_id: str, achievement_id: str, version: int
) -> list[Certification]:
    """Everybody's for this version of the achievement, oldest first."""
    query = select(Certification).where(
        Certification.issuer_id == issuer_id,
        Certification.achievement_id == achievement_id,
        Certification.version == version,
    )
    return list((await session.scalars(query.order_by(Certification.created_at, Certification.id))).all())


async def list_changes(session: AsyncSession, issuer_id: str, certification_id: str) -> list[CertificationChange]:
    """What became of a certification, oldest first."""
    query = select(CertificationChange).where(
        CertificationChange.issuer_id == issuer_id, CertificationChange.certification_id == certification_id
    )
    return list((await session.scalars(query.order_by(CertificationChange.number))).all())


async def lock_assessor(session: AsyncSession, issuer_id: str, assessor_id: str) -> Assessor:
    """As `get_assessor`, with the row locked: what an assessor meets is written under it, so that it is written once."""
    query = select(Assessor).where(Assessor.issuer_id == issuer_id, Assessor.id == assessor_id)
    found = (await session.scalars(query.with_for_update().execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound("There is no assessor with this id.")
    return found


async def list_trainings(session: AsyncSession, issuer_id: str, assessor_id: str) -> list[Training]:
    """The modules that the assessor completed, by name."""
    query = select(Training).where(Training.issuer_id == issuer_id, Training.assessor_id == assessor_id)
    return list((await session.scalars(query.order_by(Training.module))).all())
