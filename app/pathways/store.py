"""Pathways, their versions, what these name, and what they propose."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from app.db import Table
from app.errors import NotFound

ProposalState = Literal["proposed", "approved", "declined", "lapsed"]


class Pathway(Table):
    """What stays the same over the versions."""

    __tablename__ = "pathway"
    __table_args__ = (UniqueConstraint("issuer_id", "external_id"), Index(None, "issuer_id", "updated_at", "id"))

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    external_id: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PathwayVersion(Table):
    """One version. Once published, `content` and the achievement it leads to never change (a trigger refuses it).

    `content` is our API's JSON: name, description, panel, groups and rule (`app.pathways.rule`).
    """

    __tablename__ = "pathway_version"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "pathway_id"], ["pathway.issuer_id", "pathway.id"]),
        ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "achievement_version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
        ),
        ForeignKeyConstraint(["issuer_id", "panel_id"], ["panel.issuer_id", "panel.id"]),
        CheckConstraint("state IN ('draft', 'published', 'retired')", name="state"),
        Index(None, "issuer_id", "achievement_id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    pathway_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    content: Mapped[dict[str, Any]]
    achievement_id: Mapped[str]
    achievement_version: Mapped[int]
    panel_id: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class PathwayComponent(Table):
    """That the rule of a published version names an achievement. Written at publication, append-only."""

    __tablename__ = "pathway_component"
    __table_args__ = (
        ForeignKeyConstraint(
            ["issuer_id", "pathway_id", "version"],
            ["pathway_version.issuer_id", "pathway_version.pathway_id", "pathway_version.version"],
        ),
        ForeignKeyConstraint(["issuer_id", "achievement_id"], ["achievement.issuer_id", "achievement.id"]),
        Index(None, "issuer_id", "achievement_id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    pathway_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    achievement_id: Mapped[str] = mapped_column(primary_key=True)


class PathwayProposal(Table):
    """That a learner has met a version of a pathway, for an approver to award. One for each learner and version.

    `components` are the ids of the credentials that count. `review_since` is set while the rule is not met any more after the
    award: a task for an approver. `kept_without` are the credentials that an approver let the badge stand without.
    `sealed_reason` is why it was declined or reviewed as it was, under the learner's key.
    """

    __tablename__ = "pathway_proposal"
    __table_args__ = (
        ForeignKeyConstraint(
            ["issuer_id", "pathway_id", "version"],
            ["pathway_version.issuer_id", "pathway_version.pathway_id", "pathway_version.version"],
        ),
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        ForeignKeyConstraint(["issuer_id", "decision_id"], ["decision.issuer_id", "decision.id"]),
        UniqueConstraint(
            "issuer_id", "learner_id", "pathway_id", "version", name="uq_pathway_proposal_learner_version"
        ),
        CheckConstraint("state IN ('proposed', 'approved', 'declined', 'lapsed')", name="state"),
        Index(None, "issuer_id", "updated_at", "id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    pathway_id: Mapped[str]
    version: Mapped[int]
    learner_id: Mapped[str]
    state: Mapped[str]
    components: Mapped[list[str]]
    kept_without: Mapped[list[str]]
    decision_id: Mapped[str | None]
    sealed_reason: Mapped[bytes | None]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    review_since: Mapped[datetime | None]
    updated_at: Mapped[datetime]


async def get_pathway(session: AsyncSession, issuer_id: str, pathway_id: str) -> Pathway:
    """Raises NotFound, also for a pathway of another issuer."""
    pathway = await session.get(Pathway, (issuer_id, pathway_id))
    if pathway is None:
        raise NotFound("There is no pathway with this id.")
    return pathway


async def find_pathway_by_external_id(session: AsyncSession, issuer_id: str, external_id: str) -> Pathway | None:
    query = select(Pathway).where(Pathway.issuer_id == issuer_id, Pathway.external_id == external_id)
    return (await session.scalars(query)).one_or_none()


async def lock_pathways(session: AsyncSession, issuer_id: str) -> None:
    """Lock all pathways of the issuer: two that are published at once could otherwise each be the other's component unseen."""
    query = select(Pathway.id).where(Pathway.issuer_id == issuer_id).order_by(Pathway.id)
    await session.execute(query.with_for_update())


async def get_pathway_version(session: AsyncSession, issuer_id: str, pathway_id: str, version: int) -> PathwayVersion:
    """Raises NotFound."""
    found = await session.get(PathwayVersion, (issuer_id, pathway_id, version))
    if found is None:
        raise NotFound("The pathway has no version with this number.")
    return found


async def lock_pathway_version(session: AsyncSession, issuer_id: str, pathway_id: str, version: int) -> PathwayVersion:
    """As `get_pathway_version`, with the row locked."""
    query = select(PathwayVersion).where(
        PathwayVersion.issuer_id == issuer_id,
        PathwayVersion.pathway_id == pathway_id,
        PathwayVersion.version == version,
    )
    locked = query.with_for_update().execution_options(populate_existing=True)
    found = (await session.scalars(locked)).one_or_none()
    if found is None:
        raise NotFound("The pathway has no version with this number.")
    return found


async def list_pathway_versions(
    session: AsyncSession, issuer_id: str, pathway_ids: Collection[str]
) -> list[PathwayVersion]:
    """The versions of these pathways, oldest first."""
    query = select(PathwayVersion).where(
        PathwayVersion.issuer_id == issuer_id, PathwayVersion.pathway_id.in_(pathway_ids)
    )
    return list((await session.scalars(query.order_by(PathwayVersion.pathway_id, PathwayVersion.version))).all())


async def list_in_force(session: AsyncSession, issuer_id: str) -> list[PathwayVersion]:
    """Of each pathway the newest published version: the one that proposes."""
    later = aliased(PathwayVersion)
    is_followed = (
        select(later.version)
        .where(
            later.issuer_id == PathwayVersion.issuer_id,
            later.pathway_id == PathwayVersion.pathway_id,
            later.state == "published",
            later.version > PathwayVersion.version,
        )
        .exists()
    )
    query = select(PathwayVersion).where(
        PathwayVersion.issuer_id == issuer_id, PathwayVersion.state == "published", ~is_followed
    )
    return list((await session.scalars(query.order_by(PathwayVersion.pathway_id))).all())


async def list_concerned(session: AsyncSession, issuer_id: str, achievement_id: str) -> list[PathwayVersion]:
    """The versions, published or retired, whose rule names the achievement or that lead to it."""
    named = (
        select(PathwayComponent.achievement_id)
        .where(
            PathwayComponent.issuer_id == PathwayVersion.issuer_id,
            PathwayComponent.pathway_id == PathwayVersion.pathway_id,
            PathwayComponent.version == PathwayVersion.version,
            PathwayComponent.achievement_id == achievement_id,
        )
        .exists()
    )
    query = select(PathwayVersion).where(
        PathwayVersion.issuer_id == issuer_id,
        PathwayVersion.state != "draft",
        or_(named, PathwayVersion.achievement_id == achievement_id),
    )
    return list((await session.scalars(query.order_by(PathwayVersion.pathway_id, PathwayVersion.version))).all())


async def get_proposal(session: AsyncSession, issuer_id: str, proposal_id: str) -> PathwayProposal:
    """Raises NotFound, also for a proposal of another issuer."""
    proposal = await session.get(PathwayProposal, (issuer_id, proposal_id))
    if proposal is None:
        raise NotFound("There is no proposal with this id.")
    return proposal


async def lock_proposal(session: AsyncSession, issuer_id: str, proposal_id: str) -> PathwayProposal:
    """As `get_proposal`, with the row locked. The learner is locked before."""
    query = select(PathwayProposal).where(PathwayProposal.issuer_id == issuer_id, PathwayProposal.id == proposal_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    proposal = (await session.scalars(locked)).one_or_none()
    if proposal is None:
        raise NotFound("There is no proposal with this id.")
    return proposal


async def list_proposals_of_learners(
    session: AsyncSession, issuer_id: str, learner_ids: Collection[str]
) -> list[PathwayProposal]:
    """All proposals of these learners, oldest first."""
    query = select(PathwayProposal).where(
        PathwayProposal.issuer_id == issuer_id, PathwayProposal.learner_id.in_(learner_ids)
    )
    return list((await session.scalars(query.order_by(PathwayProposal.proposed_at, PathwayProposal.id))).all())
