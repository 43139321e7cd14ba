"""Setting the demonstration's program up: its staff, its anchor bank, its assessors, who qualify and calibrate."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.access.store import Person
from app.assessors.anchor_bodies import AnchorContent
from app.assessors.anchor_store import anchor_ids_of, find_anchor_by_external_id
from app.assessors.anchors import create_anchor, give_master_reading, reconcile_anchor
from app.assessors.assessors import create_assessor
from app.assessors.calibrate import begin_discussion, close_calibration
from app.assessors.respond import answer_anchor
from app.assessors.sessions import Scope, open_calibration, open_qualification
from app.assessors.store import AnchorSession, Assessor, find_assessor_of_person
from app.demo.anchors import anchors, drift
from app.demo.calendar import Calendar
from app.demo.staff import MASTERS, STAFF, StaffMember
from app.people.people import PersonFacts, create_person
from app.programs.cohorts import create_cohort
from app.programs.policy import ScoringPolicyBody
from app.programs.programs import ProgramFacts, create_program
from app.programs.store import Cohort, Program
from app.resources import Resources

ACTOR = "demo"
AGREEMENT = 0.06
"""How often another reader of the demonstration is one level off."""


@dataclass(frozen=True, slots=True)
class Academy:
    """What the school year runs on. `world` has the demonstration's calendar for a clock."""

    world: Resources
    calendar: Calendar
    issuer_id: str
    program_id: str
    cohort_id: str
    achievement_ids: Mapping[str, str]
    pathway_id: str
    stack_id: str
    """What the pathway leads to."""
    members: Mapping[str, Member]
    """The staff by key."""
    assessors: Mapping[str, Assessor]
    """By code."""
    anchors: list[dict[str, Any]] = field(default_factory=anchors)

    def scope(self, achievement: str) -> Scope:
        return Scope(self.program_id, self.achievement_ids[achievement], 1)

    def member_of(self, assessor: Assessor) -> Member:
        return next(each for each in self.members.values() if each.person_id == assessor.person_id)


async def enter_program(
    session: AsyncSession, issuer_id: str, panel_id: str, achievement_ids: Sequence[str], now: datetime
) -> tuple[str, str]:
    """Ids of the program and its cohort, which are made once."""
    found = select(Program).where(Program.issuer_id == issuer_id, Program.external_id == "sila")
    program = (await session.scalars(found)).one_or_none()
    if program is None:
        facts = ProgramFacts(
            external_id="sila",
            name="School Improvement Leadership Academy",
            description="Two micro-credentials for school leaders: equitable practices, and improvement science.",
            panel_id=panel_id,
            achievement_ids=list(achievement_ids),
            policy=ScoringPolicyBody(),
        )
        program = await create_program(session, issuer_id, facts, actor=ACTOR, now=now)
    cohorts = select(Cohort).where(Cohort.issuer_id == issuer_id, Cohort.program_id == program.id)
    cohort = (await session.scalars(cohorts)).one_or_none()
    if cohort is None:
        cohort = await create_cohort(
            session, issuer_id, program.id, external_id="sila-first", name="First cohort", starts_on=None, ends_on=None,
            actor=ACTOR, now=now,
        )  # fmt: skip
    return program.id, cohort.id


async def enter_staff(
    session: AsyncSession, world: Resources, issuer_id: str, now: datetime
) -> tuple[dict[str, Member], dict[str, Assessor]]:
    """The staff as people, and as assessors who has a code."""
    members, assessors = {}, {}
    for each in STAFF:
        person = await _enter_person(session, world, issuer_id, each, now)
        members[each.key] = Member(issuer_id, person.id, frozenset(each.roles))
        if each.code is not None:
            entered = await find_assessor_of_person(session, issuer_id, person.id)
            assessors[each.code] = entered or await create_assessor(
                session, issuer_id, person_id=person.id, code=each.code, school=each.school, actor=ACTOR, now=now
            )
    return members, assessors


async def _enter_person(
    session: AsyncSession, world: Resources, issuer_id: str, staff: StaffMember, now: datetime
) -> Person:
    found = select(Person).where(Person.issuer_id == issuer_id, Person.external_id == staff.key)
    person = (await session.scalars(found)).one_or_none()
    if person is not None:
        return person
    facts = PersonFacts(staff.name, staff.email, external_id=staff.key)
    return await create_person(session, world.vault, issuer_id, facts, roles=staff.roles, actor=ACTOR, now=now)


async def fill_anchor_bank(academy: Academy) -> None:
    """Enter the anchors with three master readings each, and settle their true scores."""
    for anchor in academy.anchors:
        async with academy.world.database.transaction() as session:
            if await find_anchor_by_external_id(session, academy.issuer_id, anchor["external_id"]) is None:
                await _enter_anchor(session, academy, anchor, academy.calendar.pass_by(minutes=20))


async def _enter_anchor(session: AsyncSession, academy: Academy, anchor: Mapping[str, Any], now: datetime) -> None:
    entered = await create_anchor(
        session, academy.issuer_id, external_id=anchor["external_id"],
        achievement_id=academy.achievement_ids[anchor["achievement"]], version=1, role=anchor["role"],
        content=AnchorContent.model_validate(anchor["content"]).model_dump(mode="json"), source_submission_id=None,
        consent=True, actor=ACTOR, now=now,
    )  # fmt: skip
    for key, levels in zip(MASTERS, anchor["masters"], strict=True):
        await give_master_reading(session, academy.members[key], entered.id, levels=levels, now=now)
    await reconcile_anchor(
        session, academy.members[MASTERS[0]], entered.id, levels=anchor["levels"], rationales=anchor["rationales"],
        now=now,
    )  # fmt: skip


async def qualify(academy: Academy, sets: Sequence[str]) -> None:
    """A round on these sets of anchors for every assessor and achievement; all pass."""
    lead = academy.members[MASTERS[1]]
    for achievement in academy.achievement_ids:
        for assessor in academy.assessors.values():
            rng = random.Random(f"{assessor.code}/{achievement}/{sets}")  # noqa: S311 - the same everywhere
            async with academy.world.database.transaction() as session:
                if await _has_qualified(session, academy, assessor, achievement, sets):
                    continue
                ids = [await _ids_of_set(session, academy, achievement, each) for each in sets]
                now = academy.calendar.pass_by(minutes=90)
                opened = await open_qualification(
                    session, lead, academy.scope(achievement), assessor_id=assessor.id, sets=[list(each) for each in ids],
                    now=now,
                )  # fmt: skip
                await _answer(session, academy, assessor, opened.session, dict(_pairs(ids)), rng)


async def calibrate(academy: Academy, set_: str) -> None:
    """A session for each achievement: all score the same anchors, talk about them, and score them again."""
    lead = academy.members[MASTERS[2]]
    for achievement in academy.achievement_ids:
        async with academy.world.database.transaction() as session:
            if await _has_calibrated(session, academy, achievement):
                continue
            ids = await _ids_of_set(session, academy, achievement, set_)
            now = academy.calendar.pass_by(hours=1)
            opened = await open_calibration(
                session, lead, academy.scope(achievement), anchor_ids=list(ids), now=now
            )  # fmt: skip
            for rate in (AGREEMENT, 0):  # before the discussion, and after it
                for assessor in academy.assessors.values():
                    rng = random.Random(f"{assessor.code}/{achievement}/{set_}")  # noqa: S311
                    await _answer(session, academy, assessor, opened.session, ids, rng, rate=rate)
                if rate:
                    await begin_discussion(session, lead, opened.session.id, now=academy.calendar.pass_by(minutes=40))
            await close_calibration(session, lead, opened.session.id, now=academy.calendar.pass_by(minutes=40))


async def _answer(
    session: AsyncSession,
    academy: Academy,
    assessor: Assessor,
    found: AnchorSession,
    truths: Mapping[str, Mapping[str, str]],
    rng: random.Random,
    *,
    rate: float = AGREEMENT,
) -> None:
    for anchor_id, levels in truths.items():
        now = academy.calendar.pass_by(minutes=1)
        await answer_anchor(session, assessor, found.id, anchor_id, levels=drift(levels, rng, rate), now=now)


async def _ids_of_set(
    session: AsyncSession, academy: Academy, achievement: str, set_: str
) -> dict[str, Mapping[str, str]]:
    """Id -> true levels of the anchors of a set."""
    truths = {}
    for anchor in academy.anchors:
        if (anchor["achievement"], anchor["set"]) == (achievement, set_):
            found = await find_anchor_by_external_id(session, academy.issuer_id, anchor["external_id"])
            assert found is not None
            truths[found.id] = anchor["levels"]
    return truths


def _pairs(sets: Sequence[Mapping[str, Mapping[str, str]]]) -> list[tuple[str, Mapping[str, str]]]:
    return [pair for each in sets for pair in each.items()]


async def _has_qualified(
    session: AsyncSession, academy: Academy, assessor: Assessor, achievement: str, sets: Sequence[str]
) -> bool:
    """Whether the assessor has answered the first of these sets."""
    ids = await _ids_of_set(session, academy, achievement, sets[0])
    rounds = select(AnchorSession).where(
        AnchorSession.issuer_id == academy.issuer_id,
        AnchorSession.kind == "qualification",
        AnchorSession.assessor_id == assessor.id,
        AnchorSession.achievement_id == academy.achievement_ids[achievement],
    )
    return any(ids.keys() & set(anchor_ids_of(found)) for found in (await session.scalars(rounds)).all())


async def _has_calibrated(session: AsyncSession, academy: Academy, achievement: str) -> bool:
    query = select(AnchorSession.id).where(
        AnchorSession.issuer_id == academy.issuer_id,
        AnchorSession.kind == "calibration",
        AnchorSession.achievement_id == academy.achievement_ids[achievement],
    )
    return (await session.scalars(query)).first() is not None
