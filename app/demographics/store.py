"""What issuers ask learners about themselves, and what those said."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table


class DemographicVocabulary(Table):
    """`content` is the body of `app.demographics.vocabulary.VocabularyBody`. `closes_at` is when the quarter ends at which the
    next equity figures are worked out."""

    __tablename__ = "demographic_vocabulary"

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    content: Mapped[dict[str, Any]]
    closes_at: Mapped[datetime]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class DemographicDeclaration(Table):
    """What a learner says of themselves: `sealed_values` is JSON under the learner's key, a value by dimension. Withdrawing
    deletes the row."""

    __tablename__ = "demographic_declaration"
    __table_args__ = (ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),)

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    learner_id: Mapped[str] = mapped_column(primary_key=True)
    sealed_values: Mapped[bytes]
    declared_at: Mapped[datetime]


async def find_vocabulary(session: AsyncSession, issuer_id: str) -> DemographicVocabulary | None:
    return await session.get(DemographicVocabulary, issuer_id, populate_existing=True)


async def lock_vocabulary(session: AsyncSession, issuer_id: str) -> DemographicVocabulary | None:
    """As `find_vocabulary`, with the row locked: whoever changes it or closes a period."""
    query = select(DemographicVocabulary).where(DemographicVocabulary.issuer_id == issuer_id)
    return (await session.scalars(query.with_for_update().execution_options(populate_existing=True))).one_or_none()


async def list_declarations(
    session: AsyncSession, issuer_id: str, learner_ids: Sequence[str]
) -> list[DemographicDeclaration]:
    """What these learners say, oldest first: of one person the last is what they say now."""
    query = select(DemographicDeclaration).where(
        DemographicDeclaration.issuer_id == issuer_id, DemographicDeclaration.learner_id.in_(learner_ids)
    )
    ordered = query.order_by(DemographicDeclaration.declared_at, DemographicDeclaration.learner_id)
    return list((await session.scalars(ordered)).all())


async def delete_declarations(session: AsyncSession, issuer_id: str, learner_ids: Sequence[str]) -> None:
    """Nothing is left of what these learners said."""
    theirs = (DemographicDeclaration.issuer_id == issuer_id, DemographicDeclaration.learner_id.in_(learner_ids))
    await session.execute(delete(DemographicDeclaration).where(*theirs))
