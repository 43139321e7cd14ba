"""What an assessor sees of how they score."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.assessors.store import Assessor
from app.monitoring.beside import compare_with_others
from app.monitoring.bodies import FlagLine, RecordLine, ScoringRecord
from app.monitoring.evidence import BesideOthersOut, FiguresOut
from app.monitoring.figures import Compared, measure, measure_beside_others
from app.monitoring.ratings import Key, Rating, Scope, group_by_key, list_ratings
from app.monitoring.rules import MINIMUM_ANCHORS, MINIMUM_RATINGS, judge
from app.monitoring.store import list_flags_of
from app.quarters import quarter_of


async def compose_record(session: AsyncSession, assessor: Assessor, now: datetime) -> ScoringRecord:
    """Of an assessor, as they may see it: see `ScoringRecord`."""
    scope, until = Scope(assessor_id=assessor.id), quarter_of(now).starts_at
    ratings = await list_ratings(session, assessor.issuer_id, scope, until=now)
    told = group_by_key(each for each in ratings if each.kind != "validity" or each.at < until)
    beside = await compare_with_others(session, assessor.issuer_id, scope, until=until, as_of=until)
    flags = await list_flags_of(session, assessor.issuer_id, assessor.id)
    return ScoringRecord(
        until=until,
        minimum_ratings=MINIMUM_RATINGS,
        minimum_anchors=MINIMUM_ANCHORS,
        records=[_line(key, told.get(key, []), beside.get(key, [])) for key in sorted({*told, *beside})],
        flags=[FlagLine.of(flag) for flag in flags if flag.state != "open"],
    )


def _line(key: Key, ratings: list[Rating], compared: list[Compared]) -> RecordLine:
    _, program_id, achievement_id, version = key
    verdict = judge(ratings)
    return RecordLine(
        program_id=program_id, achievement_id=achievement_id, version=version,
        figures=FiguresOut.of(measure(ratings)), verdict=verdict, verdict_reason=None if verdict else "too_few",
        beside_others=BesideOthersOut.of(measure_beside_others(compared)),
    )  # fmt: skip
