"""The job at the end of a quarter: work out what equity reports may tell, and freeze it.

A person is told of once, with those whose first decision was recorded in the same period, as things stood one whole quarter
later; so there is time for another attempt, and no two answers differ by the few who came between. Where too few were decided,
they wait for the next quarter.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.demographics.jobs import CLOSE_PERIOD_JOB
from app.demographics.store import find_vocabulary, lock_vocabulary
from app.demographics.tell import open_all_values
from app.demographics.vocabulary import VocabularyBody
from app.events.store import record_event
from app.jobs.queue import enqueue
from app.programs.policy import get_policy
from app.programs.store import Cohort, Program
from app.quarters import quarter_of
from app.readings.trail import SERVICE
from app.reports.equity_people import DecidedPerson, load_decided_people
from app.reports.equity_period import compose_period
from app.reports.equity_store import EquityPeriod
from app.resources import Resources


@dataclass(frozen=True, slots=True)
class _Due:
    """A program with the people of a period that is to be closed. `declared` is what anybody says, by the person's id."""

    program_id: str
    since: datetime | None
    until: datetime
    people: Sequence[DecidedPerson]
    declared: Mapping[str, Mapping[str, str]]
    cohort_names: Mapping[str, str]
    minimum_cell: int


async def close_periods(world: Resources, issuer_id: str) -> None:
    """Close the periods of an issuer's programs that are due, and ask for the next time. Doing it again changes nothing."""
    now = world.clock.now()
    async with world.database.snapshot() as session:
        row = await find_vocabulary(session, issuer_id)
        if row is None or row.closes_at > now:
            return
        vocabulary = VocabularyBody.model_validate(row.content)
        due = await _list_due(session, world, issuer_id, vocabulary, quarter_of(now).starts_at)
    # Beside the event loop and outside any transaction: of many people and dimensions this takes a minute.
    periods = [await asyncio.to_thread(_compose, issuer_id, each, vocabulary, now) for each in due]
    async with world.database.transaction() as session:
        locked = await lock_vocabulary(session, issuer_id)
        if locked is None or locked.closes_at > now:  # another worker was faster
            return
        for period in periods:
            session.add(period)
            _note(session, period, now)
        locked.closes_at = quarter_of(now).ends_at
        enqueue(session, CLOSE_PERIOD_JOB, {"issuer_id": issuer_id}, run_at=locked.closes_at)


async def _list_due(
    session: AsyncSession, world: Resources, issuer_id: str, vocabulary: VocabularyBody, end: datetime
) -> list[_Due]:
    """The programs in which enough people wait, as everything stood at `end`."""
    cohorts = select(Cohort.id, Cohort.name).where(Cohort.issuer_id == issuer_id)
    cohort_names = {id_: name for id_, name in (await session.execute(cohorts)).all()}  # noqa: C416 - rows are no pairs
    declared = await open_all_values(session, world.vault, issuer_id)
    everybody = await load_decided_people(session, issuer_id, end)
    until = quarter_of(end).before().starts_at
    due = []
    for program in await session.scalars(select(Program).where(Program.issuer_id == issuer_id).order_by(Program.id)):
        since = await _find_last(session, program)
        people = [
            each
            for each in everybody
            if each.program_id == program.id
            and (since is None or since <= each.first_decided_at)
            and each.first_decided_at < until
        ]
        policy = await get_policy(session, issuer_id, program.id, program.policy_version)
        if len(people) >= max(vocabulary.minimum_people, policy.minimum_cell):
            due.append(_Due(program.id, since, until, people, declared, cohort_names, policy.minimum_cell))
    return due


async def _find_last(session: AsyncSession, program: Program) -> datetime | None:
    """Until when periods of the program are closed."""
    closed = select(func.max(EquityPeriod.until)).where(
        EquityPeriod.issuer_id == program.issuer_id, EquityPeriod.program_id == program.id
    )
    return await session.scalar(closed)


def _compose(issuer_id: str, due: _Due, vocabulary: VocabularyBody, now: datetime) -> EquityPeriod:
    content = compose_period(due.people, due.declared, due.cohort_names, vocabulary, due.minimum_cell)
    return EquityPeriod(
        issuer_id=issuer_id, program_id=due.program_id, until=due.until, since=due.since, people=len(due.people),
        minimum_cell=due.minimum_cell, content=content.model_dump(mode="json"), closed_at=now,
    )  # fmt: skip


def _note(session: AsyncSession, period: EquityPeriod, now: datetime) -> None:
    content = {"until": period.until, "people": period.people, "content": period.content}
    audit(session, issuer_id=period.issuer_id, actor=SERVICE, action="equity_period.closed",
          object_id=period.program_id, content=content, at=now)  # fmt: skip
    record_event(session, period.issuer_id, "equity_period.closed", period.program_id, at=now,
                 data={"people": period.people})  # fmt: skip
