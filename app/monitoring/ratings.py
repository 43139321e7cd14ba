"""What assessors gave where the true score is known: their ratings of anchors.

Of a session count the scores before its discussion, once it is closed and unless it was cancelled; practice is for learning and
does not count. Validity papers count when they are submitted.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion
from app.assessors.store import Anchor, AnchorResponse, AnchorSession
from app.readings.store import Reading

Key = tuple[str, str, str, int]
"""Assessor, program, achievement, version: what is looked at by itself."""


Scales = Mapping[tuple[str, int], Mapping[str, Sequence[str]]]
"""The level keys of each criterion, lowest first, by achievement and version."""


@dataclass(frozen=True, slots=True)
class Rating:
    """One criterion of an anchor: the level that was given and the true one, as positions from the lowest on.

    `kind` is qualification, calibration or validity, `met_in` the id of the session or of the validity reading, `at` when it
    came to count.
    """

    assessor_id: str
    program_id: str
    achievement_id: str
    version: int
    kind: str
    met_in: str
    anchor_id: str
    criterion: str
    given: int
    true: int
    at: datetime

    @property
    def key(self) -> Key:
        return self.assessor_id, self.program_id, self.achievement_id, self.version


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose ratings: those of a program, an assessor, an achievement, a version; None is all of them."""

    program_id: str | None = None
    assessor_id: str | None = None
    achievement_id: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class _Scored:
    """The levels an assessor gave an anchor."""

    assessor_id: str
    program_id: str
    kind: str
    met_in: str
    anchor_id: str
    levels: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class _Truth:
    achievement_id: str
    version: int
    levels: Mapping[str, str]


async def list_ratings(session: AsyncSession, issuer_id: str, scope: Scope, *, until: datetime) -> list[Rating]:
    """The ratings that count at `until`, oldest first."""
    scored = [
        *await _of_sessions(session, issuer_id, scope, until),
        *await _of_validity_papers(session, issuer_id, scope, until),
    ]
    truths = await _truths(session, issuer_id, scope)
    scales = await load_scales(session, issuer_id, {(each.achievement_id, each.version) for each in truths.values()})
    found = [
        rating for each in scored if (truth := truths.get(each.anchor_id)) for rating in _rate(each, truth, scales)
    ]
    return sorted(found, key=lambda rating: (rating.at, rating.met_in, rating.anchor_id, rating.criterion))


def group_by_key(ratings: Iterable[Rating]) -> dict[Key, list[Rating]]:
    """In the order they come in."""
    grouped: dict[Key, list[Rating]] = defaultdict(list)
    for rating in ratings:
        grouped[rating.key].append(rating)
    return grouped


async def _of_sessions(session: AsyncSession, issuer_id: str, scope: Scope, until: datetime) -> list[_Scored]:
    query = (
        select(
            AnchorResponse.assessor_id, AnchorSession.program_id, AnchorSession.kind, AnchorSession.id,
            AnchorResponse.anchor_id, AnchorResponse.levels, AnchorSession.closed_at,
        )
        .join(
            AnchorSession,
            (AnchorSession.issuer_id == AnchorResponse.issuer_id) & (AnchorSession.id == AnchorResponse.session_id),
        )
        .where(
            AnchorResponse.issuer_id == issuer_id, AnchorResponse.phase == "before",
            AnchorSession.kind.in_(("qualification", "calibration")), AnchorSession.state == "closed",
            AnchorSession.closed_at <= until, AnchorSession.result.is_not(None),
        )
    )  # fmt: skip
    of_scope = _conditions(scope, AnchorSession.program_id, AnchorResponse.assessor_id)
    return [_Scored(*row) for row in (await session.execute(query.where(*of_scope))).all()]


async def _of_validity_papers(session: AsyncSession, issuer_id: str, scope: Scope, until: datetime) -> list[_Scored]:
    query = select(
        Reading.assessor_id, Reading.program_id, Reading.kind, Reading.id, Reading.anchor_id, Reading.levels,
        Reading.submitted_at,
    ).where(
        Reading.issuer_id == issuer_id, Reading.kind == "validity", Reading.state == "submitted",
        Reading.submitted_at <= until,
    )  # fmt: skip
    query = query.where(*_conditions(scope, Reading.program_id, Reading.assessor_id))
    return [
        _Scored(assessor_id, program_id, kind, id_, anchor_id, dict(levels or ()), submitted_at)
        for assessor_id, program_id, kind, id_, anchor_id, levels, submitted_at in (await session.execute(query)).all()
        if assessor_id and anchor_id and submitted_at  # as every one that was submitted has
    ]


def _conditions(scope: Scope, program_id: Any, assessor_id: Any) -> list[ColumnElement[bool]]:
    wanted = ((program_id, scope.program_id), (assessor_id, scope.assessor_id))
    return [column == value for column, value in wanted if value is not None]


async def _truths(session: AsyncSession, issuer_id: str, scope: Scope) -> dict[str, _Truth]:
    """By anchor."""
    query = select(Anchor.id, Anchor.achievement_id, Anchor.version, Anchor.levels).where(
        Anchor.issuer_id == issuer_id, Anchor.levels.is_not(None), Anchor.role != "practice"
    )
    if scope.achievement_id is not None:
        query = query.where(Anchor.achievement_id == scope.achievement_id)
    if scope.version is not None:
        query = query.where(Anchor.version == scope.version)
    return {id_: _Truth(*truth) for id_, *truth in (await session.execute(query)).all()}


async def load_scales(session: AsyncSession, issuer_id: str, versions: set[tuple[str, int]]) -> Scales:
    query = select(AchievementVersion.achievement_id, AchievementVersion.version, AchievementVersion.content).where(
        AchievementVersion.issuer_id == issuer_id, AchievementVersion.achievement_id.in_({each for each, _ in versions})
    )
    return {
        (achievement_id, version): {
            each["key"]: [level["key"] for level in each["levels"]] for each in content["rubric"]["criteria"]
        }
        for achievement_id, version, content in (await session.execute(query)).all()
        if (achievement_id, version) in versions
    }


def _rate(scored: _Scored, truth: _Truth, scales: Scales) -> list[Rating]:
    scale = scales[truth.achievement_id, truth.version]
    return [
        Rating(
            assessor_id=scored.assessor_id, program_id=scored.program_id, achievement_id=truth.achievement_id,
            version=truth.version, kind=scored.kind, met_in=scored.met_in, anchor_id=scored.anchor_id,
            criterion=criterion, given=scale[criterion].index(level), true=scale[criterion].index(truth.levels[criterion]),
            at=scored.at,
        )
        for criterion, level in scored.levels.items()
    ]  # fmt: skip
