"""Achievements, their versions and images."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Select,
    UniqueConstraint,
    func,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import Conflict, NotFound


class VersionNotPublished(Conflict):
    code = "version_not_published"


class Achievement(Table):
    """What stays the same over the versions: identity and issuance settings."""

    __tablename__ = "achievement"
    __table_args__ = (UniqueConstraint("issuer_id", "external_id"), Index(None, "issuer_id", "updated_at", "id"))

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    external_id: Mapped[str | None]
    settings: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AchievementVersion(Table):
    """One version. Once published, `content`, `document` and `content_hash` never change (a trigger refuses it).

    `content` is our API's JSON, `document` the Open Badges 3.0 Achievement that badges embed. `lineage` of the criteria is
    in `content`.
    """

    __tablename__ = "achievement_version"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "achievement_id"], ["achievement.issuer_id", "achievement.id"]),
        ForeignKeyConstraint(["issuer_id", "image_digest"], ["image.issuer_id", "image.digest"]),
        CheckConstraint("state IN ('draft', 'published', 'retired')", name="state"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    achievement_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    content: Mapped[dict[str, Any]]
    document: Mapped[dict[str, Any] | None]
    content_hash: Mapped[str | None]
    image_digest: Mapped[str]
    image_uploaded: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class Translation(Table):
    """A published version names another achievement as the same in another language. Written at publication, append-only.

    It counts in both directions, and while that version is the achievement's newest published one.
    """

    __tablename__ = "achievement_translation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
        ),
        ForeignKeyConstraint(["issuer_id", "translation_id"], ["achievement.issuer_id", "achievement.id"]),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    achievement_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    translation_id: Mapped[str] = mapped_column(primary_key=True)


class Image(Table):
    """A PNG by its SHA-256. What a published version refers to never changes."""

    __tablename__ = "image"

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True, index=True)
    data: Mapped[bytes]
    created_at: Mapped[datetime]


class VectorImage(Table):
    """The sanitized SVG behind a PNG, whose digest it has: of two that look the same to the pixel the first is kept."""

    __tablename__ = "vector_image"
    __table_args__ = (ForeignKeyConstraint(["issuer_id", "digest"], ["image.issuer_id", "image.digest"]),)

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[bytes]
    created_at: Mapped[datetime]


async def get_achievement(session: AsyncSession, issuer_id: str, achievement_id: str) -> Achievement:
    """Raises NotFound, also for an achievement of another issuer."""
    achievement = await session.get(Achievement, (issuer_id, achievement_id))
    if achievement is None:
        raise NotFound("There is no achievement with this id.")
    return achievement


async def find_by_external_id(session: AsyncSession, issuer_id: str, external_id: str) -> Achievement | None:
    query = select(Achievement).where(Achievement.issuer_id == issuer_id, Achievement.external_id == external_id)
    return (await session.scalars(query)).one_or_none()


async def get_version(session: AsyncSession, issuer_id: str, achievement_id: str, version: int) -> AchievementVersion:
    """Raises NotFound."""
    found = await session.get(AchievementVersion, (issuer_id, achievement_id, version))
    if found is None:
        raise NotFound("The achievement has no version with this number.")
    return found


async def lock_version(session: AsyncSession, issuer_id: str, achievement_id: str, version: int) -> AchievementVersion:
    """As `get_version`, with the row locked: whoever changes a version reads it under its lock."""
    query = select(AchievementVersion).where(
        AchievementVersion.issuer_id == issuer_id,
        AchievementVersion.achievement_id == achievement_id,
        AchievementVersion.version == version,
    )
    locked = query.with_for_update().execution_options(populate_existing=True)
    found = (await session.scalars(locked)).one_or_none()
    if found is None:
        raise NotFound("The achievement has no version with this number.")
    return found


async def list_versions(
    session: AsyncSession, issuer_id: str, achievement_ids: Sequence[str]
) -> list[AchievementVersion]:
    """The versions of these achievements, oldest first."""
    query = select(AchievementVersion).where(
        AchievementVersion.issuer_id == issuer_id, AchievementVersion.achievement_id.in_(achievement_ids)
    )
    ordered = query.order_by(AchievementVersion.achievement_id, AchievementVersion.version)
    return list((await session.scalars(ordered)).all())


async def get_published_version(
    session: AsyncSession, issuer_id: str, achievement_id: str, version: int | None = None
) -> AchievementVersion:
    """The named version, or the newest published one. Raises NotFound or VersionNotPublished."""
    if version is not None:
        found = await get_version(session, issuer_id, achievement_id, version)
        if found.state != "published":
            raise VersionNotPublished(f"Version {version} is {found.state}.")
        return found
    await get_achievement(session, issuer_id, achievement_id)
    published = [v for v in await list_versions(session, issuer_id, [achievement_id]) if v.state == "published"]
    if not published:
        raise VersionNotPublished("The achievement has no published version.")
    return published[-1]


async def get_public_versions(session: AsyncSession, achievement_id: str) -> list[AchievementVersion]:
    """The published and retired versions of whichever issuer's achievement, oldest first. Raises NotFound if none."""
    query = select(AchievementVersion).where(
        AchievementVersion.achievement_id == achievement_id, AchievementVersion.state != "draft"
    )
    versions = list((await session.scalars(query.order_by(AchievementVersion.version))).all())
    if not versions:
        raise NotFound("There is no achievement with this id.")
    return versions


def pick_version(versions: Sequence[AchievementVersion], version: int) -> AchievementVersion:
    """The one of an achievement's public versions with this number. Raises NotFound."""
    found = next((each for each in versions if each.version == version), None)
    if found is None:
        raise NotFound("The achievement has no published version with this number.")
    return found


async def list_public_versions(session: AsyncSession, issuer_id: str) -> list[AchievementVersion]:
    """The published and retired versions of all the issuer's achievements, each achievement's oldest first."""
    query = select(AchievementVersion).where(
        AchievementVersion.issuer_id == issuer_id, AchievementVersion.state != "draft"
    )
    ordered = query.order_by(AchievementVersion.achievement_id, AchievementVersion.version)
    return list((await session.scalars(ordered)).all())


async def list_live_translations(
    session: AsyncSession, issuer_id: str, achievement_id: str, named: Collection[str] = ()
) -> list[AchievementVersion]:
    """The newest published version of every translation of an achievement, by language.

    Links are followed in both directions and over several steps, so that whoever names one translation names all.
    `named` are links of the achievement that are not stored yet.
    """
    links = await _live_links(session, issuer_id)
    links += [(achievement_id, other) for other in named]
    family, rest = {achievement_id}, {achievement_id}
    while rest:
        reached = {b if a in rest else a for a, b in links if a in rest or b in rest}
        rest = reached - family
        family |= rest
    newest = _newest_published(issuer_id).where(AchievementVersion.achievement_id.in_(family - {achievement_id}))
    query = select(AchievementVersion).where(
        AchievementVersion.issuer_id == issuer_id,
        tuple_(AchievementVersion.achievement_id, AchievementVersion.version).in_(newest),
    )
    versions = (await session.scalars(query)).all()
    return sorted(versions, key=lambda version: (version.content.get("in_language") or "", version.achievement_id))


async def _live_links(session: AsyncSession, issuer_id: str) -> list[tuple[str, str]]:
    query = select(Translation.achievement_id, Translation.translation_id).where(
        Translation.issuer_id == issuer_id,
        tuple_(Translation.achievement_id, Translation.version).in_(_newest_published(issuer_id)),
    )
    return [(row.achievement_id, row.translation_id) for row in await session.execute(query)]


def _newest_published(issuer_id: str) -> Select[str, int]:
    return (
        select(AchievementVersion.achievement_id, func.max(AchievementVersion.version))
        .where(AchievementVersion.issuer_id == issuer_id, AchievementVersion.state == "published")
        .group_by(AchievementVersion.achievement_id)
    )


async def list_current_versions(session: AsyncSession, issuer_id: str) -> list[AchievementVersion]:
    """The newest published version of each of the issuer's achievements, by name."""
    query = select(AchievementVersion).where(
        AchievementVersion.issuer_id == issuer_id, AchievementVersion.state == "published"
    )
    versions = (await session.scalars(query.order_by(AchievementVersion.version))).all()
    newest = {version.achievement_id: version for version in versions}
    return sorted(newest.values(), key=lambda version: str(version.content["name"]))


async def get_image(session: AsyncSession, digest: str) -> bytes:
    """The PNG with this SHA-256. Raises NotFound."""
    image = (await session.scalars(select(Image).where(Image.digest == digest).limit(1))).one_or_none()
    if image is None:
        raise NotFound("There is no image with this digest.")
    return image.data


async def save_image(session: AsyncSession, issuer_id: str, digest: str, data: bytes, now: datetime) -> None:
    """Store a PNG unless this issuer has it already."""
    if await session.get(Image, (issuer_id, digest)) is None:
        session.add(Image(issuer_id=issuer_id, digest=digest, data=data, created_at=now))
        await session.flush()


async def find_vector_image(session: AsyncSession, issuer_id: str, digest: str) -> bytes | None:
    """The SVG behind the PNG with this SHA-256."""
    found = await session.get(VectorImage, (issuer_id, digest))
    return found.data if found else None


async def save_vector_image(session: AsyncSession, issuer_id: str, digest: str, svg: bytes, now: datetime) -> None:
    """Store the SVG behind a stored PNG unless it has one already."""
    if await session.get(VectorImage, (issuer_id, digest)) is None:
        session.add(VectorImage(issuer_id=issuer_id, digest=digest, data=svg, created_at=now))
        await session.flush()
