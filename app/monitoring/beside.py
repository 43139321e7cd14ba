"""How assessors read beside others: submissions that two of them read blind, once the scores of record are settled.

Before that nobody is told anything of it: whoever settles them reads blind too.
"""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.monitoring.figures import Compared, positions
from app.monitoring.ratings import Key, Scope, load_scales
from app.readings.pairs import ReadingPair, list_pairs
from app.readings.store import Resolution


async def list_settled_pairs(
    session: AsyncSession,
    issuer_id: str,
    *,
    program_id: str | None = None,
    achievement_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    as_of: datetime,
) -> list[ReadingPair]:
    """The pairs whose submission was resolved by `as_of`, as `list_pairs` gives them."""
    pairs = await list_pairs(
        session, issuer_id, program_id=program_id, achievement_id=achievement_id, since=since, until=until
    )
    if not pairs:
        return []
    query = select(Resolution.submission_id).where(
        Resolution.issuer_id == issuer_id, Resolution.number == 1, Resolution.resolved_at <= as_of
    )
    settled = set((await session.scalars(query)).all())
    return [pair for pair in pairs if pair.submission_id in settled]


async def compare_with_others(
    session: AsyncSession,
    issuer_id: str,
    scope: Scope,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    as_of: datetime,
) -> dict[Key, list[Compared]]:
    """By assessor, program, achievement and version."""
    pairs = await list_settled_pairs(
        session, issuer_id, program_id=scope.program_id, achievement_id=scope.achievement_id, since=since, until=until,
        as_of=as_of,
    )  # fmt: skip
    if scope.version is not None:
        pairs = [pair for pair in pairs if pair.version == scope.version]
    scales = await load_scales(session, issuer_id, {(pair.achievement_id, pair.version) for pair in pairs})
    found: dict[Key, list[Compared]] = defaultdict(list)
    for pair in pairs:
        sides = [(pair.first_assessor_id, pair.first, pair.second), (pair.second_assessor_id, pair.second, pair.first)]
        for assessor_id, mine, theirs in sides:
            if scope.assessor_id in (None, assessor_id):
                key = assessor_id, pair.program_id, pair.achievement_id, pair.version
                levels = positions(mine, theirs, scales[pair.achievement_id, pair.version])
                found[key].append(Compared(pair.submission_id, levels))
    return found
