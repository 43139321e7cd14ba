"""Frameworks, their versions, and the objects in them that an alignment may name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, ForeignKeyConstraint, Index, Select, UniqueConstraint, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound


class Framework(Table):
    """A framework as its newest version has it. `identifier` is the GUID of its CFDocument, `document` that CFDocument."""

    __tablename__ = "framework"
    __table_args__ = (UniqueConstraint("issuer_id", "identifier"), Index(None, "issuer_id", "updated_at", "id"))

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    identifier: Mapped[str]
    version: Mapped[int]
    document: Mapped[dict[str, Any]]
    is_public: Mapped[bool]
    statements: Mapped[int]
    rubrics: Mapped[int]
    last_change_at: Mapped[datetime]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class FrameworkVersion(Table):
    """One version: its CFPackage of CASE 1.1 as bytes of JSON, and their SHA-256. Append-only."""

    __tablename__ = "framework_version"
    __table_args__ = (ForeignKeyConstraint(["issuer_id", "framework_id"], ["framework.issuer_id", "framework.id"]),)

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    framework_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    package: Mapped[bytes]
    digest: Mapped[str]
    created_at: Mapped[datetime]


class FrameworkObject(Table):
    """A statement, rubric, criterion or level by its GUID, as the newest version that has it says it.

    `version` is that version, `position` counts from 1 in the order of its package. What a later version left out stays:
    badges may name it.
    """

    __tablename__ = "framework_object"
    __table_args__ = (
        ForeignKeyConstraint(
            ["issuer_id", "framework_id", "version"],
            ["framework_version.issuer_id", "framework_version.framework_id", "framework_version.version"],
        ),
        Index(None, "issuer_id", "identifier"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    framework_id: Mapped[str] = mapped_column(primary_key=True)
    identifier: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    position: Mapped[int]
    type: Mapped[str]
    text: Mapped[str]
    code: Mapped[str | None]
    label: Mapped[str | None]
    body: Mapped[dict[str, Any]]


def case_url(base_url: str, slug: str) -> str:
    """Where the CASE endpoints of the issuer with this slug are."""
    return f"{base_url}/issuers/{slug}/ims/case/v1p1"


async def get_framework(session: AsyncSession, issuer_id: str, framework_id: str) -> Framework:
    """Raises NotFound, also for a framework of another issuer."""
    framework = await session.get(Framework, (issuer_id, framework_id))
    if framework is None:
        raise NotFound("There is no framework with this id.")
    return framework


async def lock_by_identifier(session: AsyncSession, issuer_id: str, identifier: str) -> Framework | None:
    """The framework with this GUID, its row locked: who imports its next version reads it under its lock."""
    query = select(Framework).where(Framework.issuer_id == issuer_id, Framework.identifier == identifier)
    locked = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(locked)).one_or_none()


async def get_version(session: AsyncSession, framework: Framework, version: int) -> FrameworkVersion:
    """Raises NotFound."""
    found = await session.get(FrameworkVersion, (framework.issuer_id, framework.id, version))
    if found is None:
        raise NotFound("The framework has no version with this number.")
    return found


async def list_objects(session: AsyncSession, framework: Framework) -> list[FrameworkObject]:
    """All objects of a framework, those of earlier versions too."""
    query = select(FrameworkObject).where(
        FrameworkObject.issuer_id == framework.issuer_id, FrameworkObject.framework_id == framework.id
    )
    return list((await session.scalars(query)).all())


async def search_objects(
    session: AsyncSession,
    framework: Framework,
    *,
    type_: str,
    code: str | None,
    text: str | None,
    after: int,
    limit: int,
) -> list[FrameworkObject]:
    """Objects of the newest version with a position greater than `after`, in the order of the package.

    `code` is the whole humanCodingScheme, `text` a part of the text in whatever case.
    """
    query = select(FrameworkObject).where(
        FrameworkObject.issuer_id == framework.issuer_id,
        FrameworkObject.framework_id == framework.id,
        FrameworkObject.version == framework.version,
        FrameworkObject.type == type_,
        FrameworkObject.position > after,
    )
    if code is not None:
        query = query.where(FrameworkObject.code == code)
    if text is not None:
        query = query.where(FrameworkObject.text.icontains(text, autoescape=True))
    return list((await session.scalars(query.order_by(FrameworkObject.position).limit(limit))).all())


async def find_object(
    session: AsyncSession, issuer_id: str, identifier: str, *, types: Sequence[str] = (), public: bool = False
) -> tuple[FrameworkObject, Framework] | None:
    """The object with this GUID and its framework; of several the one whose framework came first.

    `public` leaves private drafts out.
    """
    query = (
        select(FrameworkObject, Framework)
        .join(Framework, _framework_of_object())
        .where(FrameworkObject.issuer_id == issuer_id, FrameworkObject.identifier == identifier)
    )
    if types:
        query = query.where(FrameworkObject.type.in_(types))
    if public:
        query = query.where(Framework.is_public)
    found = (await session.execute(query.order_by(Framework.created_at, Framework.id).limit(1))).one_or_none()
    return (found[0], found[1]) if found else None


def _framework_of_object() -> ColumnElement[bool]:
    return (Framework.issuer_id == FrameworkObject.issuer_id) & (Framework.id == FrameworkObject.framework_id)


async def get_public_framework(session: AsyncSession, issuer_id: str, identifier: str) -> Framework:
    """The framework of this issuer with this GUID. Raises NotFound, also for a private draft."""
    query = _public(issuer_id).where(Framework.identifier == identifier)
    framework: Framework | None = (await session.scalars(query)).one_or_none()
    if framework is None:
        raise NotFound("There is no framework with this identifier.")
    return framework


async def list_public_frameworks(
    session: AsyncSession, issuer_id: str, *, offset: int, limit: int
) -> tuple[list[Framework], int]:
    """The issuer's frameworks but for private drafts, by their GUID, and how many there are."""
    total = await session.scalar(select(func.count()).select_from(_public(issuer_id).subquery()))
    query = _public(issuer_id).order_by(Framework.identifier).offset(offset).limit(limit)
    return list((await session.scalars(query)).all()), total or 0


def _public(issuer_id: str) -> Select[Any]:
    return select(Framework).where(Framework.issuer_id == issuer_id, Framework.is_public)
