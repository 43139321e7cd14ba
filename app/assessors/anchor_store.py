"""Queries on anchors, the sessions in which they are scored, and the responses."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.assessors.store import Anchor, AnchorResponse, AnchorSession, MasterReading
from app.errors import NotFound


async def get_anchor(session: AsyncSession, issuer_id: str, anchor_id: str) -> Anchor:
    """Raises NotFound, also for an anchor of another issuer."""
    anchor = await session.get(Anchor, (issuer_id, anchor_id))
    if anchor is None:
        raise NotFound("There is no anchor with this id.")
    return anchor


async def lock_anchor(session: AsyncSession, issuer_id: str, anchor_id: str) -> Anchor:
    """As `get_anchor`, with the row locked: whoever changes an anchor reads it under its lock."""
    query = select(Anchor).where(Anchor.issuer_id == issuer_id, Anchor.id == anchor_id)
    anchor = (await session.scalars(query.with_for_update().execution_options(populate_existing=True))).one_or_none()
    if anchor is None:
        raise NotFound("There is no anchor with this id.")
    return anchor


async def find_anchor_by_external_id(session: AsyncSession, issuer_id: str, external_id: str) -> Anchor | None:
    query = select(Anchor).where(Anchor.issuer_id == issuer_id, Anchor.external_id == external_id)
    return (await session.scalars(query)).one_or_none()


async def list_anchors(session: AsyncSession, issuer_id: str, anchor_ids: Collection[str]) -> list[Anchor]:
    """These anchors, those that exist, by id."""
    query = select(Anchor).where(Anchor.issuer_id == issuer_id, Anchor.id.in_(anchor_ids))
    return list((await session.scalars(query.order_by(Anchor.id))).all())


async def list_master_readings(session: AsyncSession, issuer_id: str, anchor_id: str) -> list[MasterReading]:
    """The anchor's master readings, oldest first."""
    query = select(MasterReading).where(MasterReading.issuer_id == issuer_id, MasterReading.anchor_id == anchor_id)
    return list((await session.scalars(query.order_by(MasterReading.read_at, MasterReading.person_id))).all())


async def get_session(session: AsyncSession, issuer_id: str, session_id: str) -> AnchorSession:
    """Raises NotFound, also for a session of another issuer."""
    found = await session.get(AnchorSession, (issuer_id, session_id))
    if found is None:
        raise NotFound("There is no anchor session with this id.")
    return found


async def lock_session(session: AsyncSession, issuer_id: str, session_id: str) -> AnchorSession:
    """As `get_session`, with the row locked: responses are taken one after another, so that the last one is known."""
    query = select(AnchorSession).where(AnchorSession.issuer_id == issuer_id, AnchorSession.id == session_id)
    found = (await session.scalars(query.with_for_update().execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound("There is no anchor session with this id.")
    return found


async def find_open_round(
    session: AsyncSession, issuer_id: str, assessor_id: str, achievement_id: str, version: int, *, other_than: str
) -> AnchorSession | None:
    """A qualification round, other than the one named, that the assessor has not finished."""
    query = select(AnchorSession).where(
        AnchorSession.issuer_id == issuer_id,
        AnchorSession.assessor_id == assessor_id,
        AnchorSession.achievement_id == achievement_id,
        AnchorSession.version == version,
        AnchorSession.kind == "qualification",
        AnchorSession.state == "open",
        AnchorSession.id != other_than,
    )
    return (await session.scalars(query.limit(1))).one_or_none()


async def list_responses(
    session: AsyncSession, issuer_id: str, session_id: str, assessor_id: str | None = None
) -> list[AnchorResponse]:
    """The responses in a session, everybody's or one assessor's, oldest first."""
    query = select(AnchorResponse).where(AnchorResponse.issuer_id == issuer_id, AnchorResponse.session_id == session_id)
    if assessor_id is not None:
        query = query.where(AnchorResponse.assessor_id == assessor_id)
    ordered = query.order_by(AnchorResponse.submitted_at, AnchorResponse.assessor_id, AnchorResponse.anchor_id)
    return list((await session.scalars(ordered)).all())


def anchor_ids_of(anchor_session: AnchorSession) -> list[str]:
    """The anchors of a session, in order."""
    return [anchor_id for each in anchor_session.sets for anchor_id in each]
