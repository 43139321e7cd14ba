"""The endorsements that an issuer's new badges carry inside them: of its Profile, or of a version of an achievement.

Which these are the issuer chooses (`app.endorsements`); here is what composing a badge needs to know of it.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table


class CarriedEndorsement(Table):
    """`body` is the secured endorsement. Without an achievement it is of the Profile."""

    __tablename__ = "carried_endorsement"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "endorsement_id"], ["endorsement.issuer_id", "endorsement.id"]),
        ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
        ),
        Index(None, "issuer_id", "achievement_id", "version"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    endorsement_id: Mapped[str] = mapped_column(primary_key=True)
    achievement_id: Mapped[str | None]
    version: Mapped[int | None]
    body: Mapped[str]


async def list_carried(
    session: AsyncSession, issuer_id: str, achievement_id: str | None = None, version: int | None = None
) -> list[dict[str, Any]]:
    """The endorsements of this version, in the order of their ids; of the Profile where none is named."""
    query = select(CarriedEndorsement.body).where(
        CarriedEndorsement.issuer_id == issuer_id,
        CarriedEndorsement.achievement_id.is_not_distinct_from(achievement_id),
        CarriedEndorsement.version.is_not_distinct_from(version),
    )
    bodies = (await session.scalars(query.order_by(CarriedEndorsement.endorsement_id))).all()
    return [json.loads(body) for body in bodies]


async def drop_carried(session: AsyncSession, issuer_id: str, endorsement_id: str) -> None:
    """New badges carry it no more."""
    mine = (CarriedEndorsement.issuer_id == issuer_id, CarriedEndorsement.endorsement_id == endorsement_id)
    await session.execute(delete(CarriedEndorsement).where(*mine))


def with_endorsements(document: Mapping[str, Any], endorsements: list[dict[str, Any]]) -> dict[str, Any]:
    """A Profile or an Achievement that carries these endorsements."""
    return {**document, "endorsement": endorsements} if endorsements else dict(document)
