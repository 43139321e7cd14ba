"""Pairs of blind, independent readings of one submission: what agreement between readers is measured on.

A pair is the first reading and a second one, both submitted, neither reader having seen the other. Adjudications, appeals,
moderations and validity papers are no part of it. A pair counts once the submission is resolved, and in the window in which it
was: before that nobody is told anything of it, for whoever settles it reads blind too. `random` pairs come from the provable
sample and stand for all submissions of their time; `triggered` ones were asked for because of something (near the standard, a
repeated attempt) and stand for no others.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import read_rows
from app.readings.store import Reading, Resolution
from app.submissions.store import Submission

PairKind = Literal["random", "triggered"]

_KINDS: Mapping[str, PairKind] = {"second_random": "random", "second_triggered": "triggered"}


@dataclass(frozen=True, slots=True)
class ReadingPair:
    """`first` and `second` are level keys by criterion key, of the criteria that both read (banked ones are not read again).

    `settled_at` is when the submission was first resolved with both of them: it puts the pair into a window.
    """

    submission_id: str
    program_id: str
    achievement_id: str
    version: int
    kind: PairKind
    trigger: str | None
    first: Mapping[str, str]
    second: Mapping[str, str]
    first_assessor_id: str
    second_assessor_id: str
    settled_at: datetime


@dataclass(frozen=True, slots=True)
class _Read:
    """The columns of a submitted reading that pairs are made of."""

    submission_id: str
    program_id: str
    achievement_id: str
    version: int
    kind: str
    trigger: str | None
    levels: list[list[str]]
    assessor_id: str
    submitted_at: datetime


async def list_pairs(
    session: AsyncSession,
    issuer_id: str,
    *,
    program_id: str | None = None,
    achievement_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[ReadingPair]:
    """The pairs of an issuer, or of one program or achievement, settled from `since` on and before `until`, in that order."""
    readings: dict[str, list[_Read]] = defaultdict(list)
    read_twice = select(Reading.submission_id).where(
        Reading.issuer_id == issuer_id, Reading.state == "submitted", Reading.kind.in_(_KINDS)
    )
    query = (
        select(
            Reading.submission_id, Reading.program_id, Submission.achievement_id, Submission.version, Reading.kind,
            Reading.trigger, Reading.levels, Reading.assessor_id, Reading.submitted_at,
        )
        .join(Submission, (Submission.issuer_id == Reading.issuer_id) & (Submission.id == Reading.submission_id))
        .where(
            Reading.issuer_id == issuer_id, Reading.state == "submitted", Reading.kind.in_(("first", *_KINDS)),
            Reading.submission_id.in_(read_twice),
        )
        .order_by(Reading.submitted_at, Reading.id)
    )  # fmt: skip
    # Only what was resolved in the window can have settled a pair in it: years of pairs are not looked at again.
    settling = select(Resolution.submission_id).where(Resolution.issuer_id == issuer_id)
    if since is not None:
        settling = settling.where(Resolution.resolved_at >= since)
    if until is not None:
        settling = settling.where(Resolution.resolved_at < until)
    if since is not None or until is not None:
        read_twice = read_twice.where(Reading.submission_id.in_(settling))
        query = query.where(Reading.submission_id.in_(settling))
    if program_id is not None:
        query = query.where(Submission.program_id == program_id)
    if achievement_id is not None:
        query = query.where(Submission.achievement_id == achievement_id)
    for row in await read_rows(session, query):
        read = _Read(*row)
        readings[read.submission_id].append(read)
    resolutions = await _load_resolutions(session, issuer_id, read_twice)
    pairs = [_pair(found, resolutions[id_]) for id_, found in readings.items() if id_ in resolutions]
    within = [
        pair
        for pair in pairs
        if pair is not None
        and (since is None or pair.settled_at >= since)
        and (until is None or pair.settled_at < until)
    ]
    return sorted(within, key=lambda pair: (pair.settled_at, pair.submission_id))


async def _load_resolutions(
    session: AsyncSession, issuer_id: str, read_twice: Select[str | None]
) -> dict[str, list[datetime]]:
    """By submission when it was resolved, oldest first: again, where an approver returned it to the readers."""
    query = select(Resolution.submission_id, Resolution.resolved_at).where(
        Resolution.issuer_id == issuer_id, Resolution.submission_id.in_(read_twice)
    )
    found: dict[str, list[datetime]] = defaultdict(list)
    for submission_id, resolved_at in (await session.execute(query.order_by(Resolution.number))).all():
        found[submission_id].append(resolved_at)
    return found


def _pair(readings: list[_Read], resolutions: Sequence[datetime]) -> ReadingPair | None:
    """Of the submitted readings of one submission, oldest first, and the moments it was resolved."""
    first = next((each for each in readings if each.kind == "first"), None)
    second = next((each for each in readings if each.kind in _KINDS), None)
    if first is None or second is None:
        return None
    completed_at = max(first.submitted_at, second.submitted_at)
    settled_at = next((moment for moment in resolutions if moment >= completed_at), None)
    if settled_at is None:
        return None
    levels = dict(first.levels), dict(second.levels)
    shared = levels[0].keys() & levels[1].keys()
    return ReadingPair(
        submission_id=first.submission_id,
        program_id=first.program_id,
        achievement_id=first.achievement_id,
        version=first.version,
        kind=_KINDS[second.kind],
        trigger=second.trigger,
        first={key: levels[0][key] for key in levels[0] if key in shared},
        second={key: levels[1][key] for key in levels[0] if key in shared},
        first_assessor_id=first.assessor_id,
        second_assessor_id=second.assessor_id,
        settled_at=settled_at,
    )
