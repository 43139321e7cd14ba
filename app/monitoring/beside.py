"""How assessors read beside others: submissions that two of them read blind, once the scores of record are settled."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.monitoring.figures import Compared, positions
from app.monitoring.ratings import Key, Scope, load_scales
from app.readings.pairs import list_pairs


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
    pairs = await list_pairs(
        session, issuer_id, program_id=scope.program_id, achievement_id=scope.achievement_id, since=since, until=until
    )
    pairs = [pair for pair in pairs if pair.settled_at <= as_of and scope.version in (None, pair.version)]
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
