"""What somebody has earned: the credentials that stand, which are issued and neither suspended, revoked nor expired."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion
from app.credentials.store import Credential, Edition
from app.events.store import Event
from app.learners.store import Learner

_ENDED = {"credential.revoked": True, "credential.suspended": True, "credential.reinstated": False}


@dataclass(frozen=True, slots=True)
class Held:
    """A credential that stands, of a version of an achievement."""

    credential_id: str
    learner_id: str
    achievement_id: str
    version: int
    visibility: str


async def list_standing(
    session: AsyncSession, issuer_id: str, learner_ids: Collection[str], now: datetime
) -> list[Held]:
    """What these learners hold now, oldest first."""
    query = (
        select(
            Credential.id, Credential.learner_id, Credential.achievement_id, Edition.version, Credential.visibility
        )
        .join(
            Edition,
            (Edition.issuer_id == Credential.issuer_id)
            & (Edition.credential_id == Credential.id)
            & (Edition.number == Credential.edition_number),
        )
        .where(
            Credential.issuer_id == issuer_id,
            Credential.learner_id.in_(learner_ids),
            Credential.state == "issued",
            or_(Edition.valid_until.is_(None), Edition.valid_until > now),
        )
        .order_by(Credential.created_at, Credential.id)
    )  # fmt: skip
    return [Held(*row) for row in (await session.execute(query)).all()]


async def list_standing_at(
    session: AsyncSession, issuer_id: str, achievement_ids: Collection[str], at: datetime
) -> list[Held]:
    """What anybody held of these achievements at a moment, told from editions and events."""
    query = (
        select(
            Credential.id, Credential.learner_id, Credential.achievement_id, Edition.version, Credential.visibility,
            Edition.valid_until,
        )
        .join(Edition, (Edition.issuer_id == Credential.issuer_id) & (Edition.credential_id == Credential.id))
        .where(
            Credential.issuer_id == issuer_id, Credential.achievement_id.in_(achievement_ids), Edition.issued_at <= at
        )
        .order_by(Edition.number)
    )  # fmt: skip
    served = {row[0]: row for row in (await session.execute(query)).all()}
    changes = select(Event.object_id, Event.type).where(
        Event.issuer_id == issuer_id, Event.type.in_(_ENDED), Event.occurred_at <= at
    )
    ended = {id_: _ENDED[type_] for id_, type_ in (await session.execute(changes.order_by(Event.position))).all()}
    return [
        Held(*row[:5])
        for row in served.values()
        if not ended.get(row[0], False) and (row.valid_until is None or row.valid_until > at)
    ]


def by_achievement(held: Iterable[Held]) -> dict[str, set[int]]:
    """Achievement id -> versions held."""
    found: dict[str, set[int]] = defaultdict(set)
    for each in held:
        found[each.achievement_id].add(each.version)
    return dict(found)


async def load_names(session: AsyncSession, issuer_id: str, achievement_ids: Collection[str]) -> dict[str, str]:
    """Achievement id -> the name of its newest published version."""
    query = select(AchievementVersion.achievement_id, AchievementVersion.content).where(
        AchievementVersion.issuer_id == issuer_id,
        AchievementVersion.achievement_id.in_(achievement_ids),
        AchievementVersion.state != "draft",
    )
    rows = (await session.execute(query.order_by(AchievementVersion.version))).all()
    return {id_: str(content["name"]) for id_, content in rows}


async def load_survivors(session: AsyncSession, issuer_id: str) -> dict[str, str]:
    """Id of a merged learner -> who they were merged into."""
    query = select(Learner.id, Learner.merged_into).where(
        Learner.issuer_id == issuer_id, Learner.merged_into.is_not(None)
    )
    return {id_: str(into) for id_, into in (await session.execute(query)).all()}
