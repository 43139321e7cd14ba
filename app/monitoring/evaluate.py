"""The jobs that apply the rules: every night, and after each calibration session."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.assessors.certification import READING_STATES, state_at
from app.assessors.store import AnchorSession, Certification
from app.identifiers import new_id
from app.issuers.store import get_issuer
from app.jobs.queue import enqueue
from app.monitoring.beside import compare_with_others
from app.monitoring.decide import note_flag
from app.monitoring.figures import Compared, measure_beside_others
from app.monitoring.ratings import Key, Scope, group_by_key, list_ratings
from app.monitoring.rules import Fired, apply_rules
from app.monitoring.store import MonitoringRound, RaterFlag
from app.programs.jobs import WATCH_ASSESSORS_JOB
from app.programs.store import Program
from app.quarters import quarter_of
from app.resources import Resources

EVERY = timedelta(days=1)
YEAR = timedelta(days=365)
"""How far back a flag looks beside other readers."""
SERVICE = "service:monitoring"
"""The actor where nobody but the service does it."""


async def watch_assessors(world: Resources, issuer_id: str, program_id: str) -> None:
    """The handler of WATCH_ASSESSORS_JOB: evaluate, and again a day later, until the issuer leaves.

    A second job for the same night does nothing, so that nights never double.
    """
    now = world.clock.now()
    async with world.database.transaction() as session:
        round_ = await _lock_round(session, issuer_id, program_id, now)
        if round_.next_at is not None and round_.next_at > now:
            return
        await _evaluate(session, issuer_id, program_id, now)
        if (await get_issuer(session, issuer_id)).left_at is None:
            round_.next_at = now + EVERY
            payload = {"issuer_id": issuer_id, "program_id": program_id}
            enqueue(session, WATCH_ASSESSORS_JOB, payload, run_at=round_.next_at)
        round_.evaluated_at = now


async def evaluate_assessors(world: Resources, issuer_id: str, program_id: str) -> None:
    """The handler of EVALUATE_ASSESSORS_JOB. Doing it again changes nothing."""
    now = world.clock.now()
    async with world.database.transaction() as session:
        round_ = await _lock_round(session, issuer_id, program_id, now)
        await _evaluate(session, issuer_id, program_id, now)
        round_.evaluated_at = now


async def _lock_round(session: AsyncSession, issuer_id: str, program_id: str, now: datetime) -> MonitoringRound:
    """The program's round, a new one if there is none; the program is locked, so that rounds are one after another."""
    locked = select(Program.id).where(Program.issuer_id == issuer_id, Program.id == program_id).with_for_update()
    (await session.execute(locked)).one()
    found = await session.get(MonitoringRound, (issuer_id, program_id))
    if found is None:
        found = MonitoringRound(issuer_id=issuer_id, program_id=program_id, evaluated_at=now, next_at=None)
        session.add(found)
    return found


async def _evaluate(session: AsyncSession, issuer_id: str, program_id: str, now: datetime) -> None:
    """Raise the flags that are missing, of this quarter and of the one before: a rating may have come on its last day."""
    scope = Scope(program_id)
    ratings = group_by_key(await list_ratings(session, issuer_id, scope, until=now))
    standing = await _standing_since(session, issuer_id, now)
    beside = await compare_with_others(session, issuer_id, scope, since=now - YEAR, as_of=now)
    raised = await _list_raised(session, issuer_id, program_id)
    this = quarter_of(now)
    for key, found in ratings.items():
        since = standing.get((key[0], *key[2:]))
        if since is None:
            continue
        current = [rating for rating in found if rating.at >= since]
        for quarter in (this.before().label, this.label):
            for fired in apply_rules(current, quarter):
                if (key, fired.rule, fired.level, quarter) not in raised:
                    _raise(session, issuer_id, key, quarter, fired, beside.get(key, []), now)


async def _standing_since(session: AsyncSession, issuer_id: str, now: datetime) -> dict[tuple[str, str, int], datetime]:
    """Since when what an assessor gave speaks about them, for those who may read now, by assessor, achievement and version.

    That is the end of the round they qualified in last: what was before has led to training and a new round already.
    """
    query = (
        select(Certification, AnchorSession.closed_at)
        .outerjoin(
            AnchorSession,
            (AnchorSession.issuer_id == Certification.issuer_id) & (AnchorSession.id == Certification.qualification_id),
        )
        .where(Certification.issuer_id == issuer_id, Certification.state.in_(READING_STATES))
    )
    return {
        (found.assessor_id, found.achievement_id, found.version): closed_at or found.created_at
        for found, closed_at in (await session.execute(query)).all()
        if state_at(found, now) in READING_STATES
    }


async def _list_raised(session: AsyncSession, issuer_id: str, program_id: str) -> set[tuple[Key, str, str, str]]:
    query = select(
        RaterFlag.assessor_id, RaterFlag.achievement_id, RaterFlag.version, RaterFlag.rule, RaterFlag.level,
        RaterFlag.quarter,
    ).where(RaterFlag.issuer_id == issuer_id, RaterFlag.program_id == program_id)  # fmt: skip
    return {
        ((assessor_id, program_id, achievement_id, version), rule, level, quarter)
        for assessor_id, achievement_id, version, rule, level, quarter in (await session.execute(query)).all()
    }


def _raise(
    session: AsyncSession,
    issuer_id: str,
    key: Key,
    quarter: str,
    fired: Fired,
    beside: Sequence[Compared],
    now: datetime,
) -> None:
    assessor_id, program_id, achievement_id, version = key
    evidence = fired.compose_evidence(measure_beside_others(beside))
    flag = RaterFlag(
        issuer_id=issuer_id, id=new_id(), assessor_id=assessor_id, program_id=program_id, achievement_id=achievement_id,
        version=version, rule=fired.rule, level=fired.level, quarter=quarter, evidence=evidence.model_dump(mode="json"),
        state="open", action=None, reason=None, decided_by=None, raised_at=now, decided_at=None, updated_at=now,
    )  # fmt: skip
    session.add(flag)
    note_flag(session, flag, "raised", actor=SERVICE, now=now)
