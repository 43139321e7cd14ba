"""Quality reports: the frozen ones, and what was last computed of windows that are not over."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Text, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table

_VERSION = (
    ["issuer_id", "achievement_id", "version"],
    ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
)


class FrozenQualityReport(Table):
    """The report of the window with this label, which is over. Append-only.

    `body` is what is served, byte for byte (UTF-8), `digest` its SHA-256 (hex), `seed` that of its resampled intervals.
    """

    __tablename__ = "frozen_quality_report"
    __table_args__ = (ForeignKeyConstraint(*_VERSION),)

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    achievement_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    digest: Mapped[str]
    seed: Mapped[int] = mapped_column(BigInteger)
    computed_at: Mapped[datetime]


class OpenQualityReport(Table):
    """What was last computed of the window under way. `basis` is the SHA-256 (hex) of the facts it was computed from."""

    __tablename__ = "open_quality_report"
    __table_args__ = (ForeignKeyConstraint(*_VERSION),)

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    achievement_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    basis: Mapped[str]
    seed: Mapped[int] = mapped_column(BigInteger)
    computed_at: Mapped[datetime]


async def find_frozen(
    session: AsyncSession, issuer_id: str, achievement_id: str, version: int, window: str
) -> FrozenQualityReport | None:
    return await session.get(FrozenQualityReport, (issuer_id, achievement_id, version, window))


async def find_open(
    session: AsyncSession, issuer_id: str, achievement_id: str, version: int, window: str
) -> OpenQualityReport | None:
    return await session.get(OpenQualityReport, (issuer_id, achievement_id, version, window))


async def list_digests(session: AsyncSession, issuer_id: str, achievement_id: str, version: int) -> dict[str, str]:
    """Digest by window, of the frozen reports of a version."""
    query = select(FrozenQualityReport.label, FrozenQualityReport.digest).where(
        FrozenQualityReport.issuer_id == issuer_id,
        FrozenQualityReport.achievement_id == achievement_id,
        FrozenQualityReport.version == version,
    )
    return dict((await session.execute(query)).all())


async def list_frozen(session: AsyncSession, issuer_id: str, windows: Collection[str]) -> set[tuple[str, int, str]]:
    """Achievement, version and window of the issuer's frozen reports of these windows."""
    query = select(FrozenQualityReport.achievement_id, FrozenQualityReport.version, FrozenQualityReport.label).where(
        FrozenQualityReport.issuer_id == issuer_id, FrozenQualityReport.label.in_(windows)
    )
    return {(achievement, version, window) for achievement, version, window in (await session.execute(query)).all()}


async def forget_open(session: AsyncSession, issuer_id: str, achievement_id: str, version: int, window: str) -> None:
    """What was computed of a window that is frozen now."""
    await session.execute(
        delete(OpenQualityReport).where(
            OpenQualityReport.issuer_id == issuer_id,
            OpenQualityReport.achievement_id == achievement_id,
            OpenQualityReport.version == version,
            OpenQualityReport.label == window,
        )
    )
