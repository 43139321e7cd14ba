"""What the house tests need of readings, sampling, resolution."""

from datetime import timedelta
from typing import cast

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from app.access.store import Person, PersonRole
from app.assessors.store import Assessor, Certification, Panel, find_assessor_of_person, find_certification, get_panel
from app.identifiers import new_id
from app.programs.store import Program, get_program
from app.readings.assign import take
from app.readings.entitled import get_pinned_policy
from app.readings.request import request_reading
from app.readings.store import Reading, Resolution, find_resolution
from app.readings.windows import open_windows
from app.resources import Resources
from app.submissions.store import Submission
from tests.assessing import put_enrollment, put_program, put_submission
from tests.builders import achievement_body, results
from tests.conftest import Partner, publish
from tests.house.areas.stories import Mistakes, Story

_LEVELS = {"problem": "demonstrated", "evidence": "demonstrated"}


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    transport = cast(httpx.ASGITransport, partner.client._transport)
    world = cast(Resources, cast(FastAPI, transport.app).state.resources)
    area = await _Area.open(world, partner, known)
    submission, reading_id = await area.give_staff("Rea Example")
    resolved = known.get("submission_id", submission.id)
    await area.resolve(resolved, reading_id)
    return {"reading_id": reading_id, "program_id": area.program.id, "submission_id": resolved}


async def examples(story: Story) -> None:
    """One good call of every operation."""
    area = await _Area.open(story.world, _partner_of(story.http, story.known), story.known)
    await open_windows(story.world, area.program.issuer_id, area.program.id)
    submission, reading_id = await area.give_staff("Rea Example")
    _, given_back = await area.give_staff("Ben Reader")
    await area.ask("Cleo Reader")
    story.token = story.staff
    for operation in ("claim_reading", "list_readings"):
        await story.call(operation)
    for operation in ("start_reading", "get_reading"):
        await story.call(operation, reading_id=reading_id)
    await story.call("submit_reading", reading_id=reading_id, body={"results": results()})
    await story.call("recuse_reading", reading_id=given_back, body={"reason": "recognizes_work"})
    story.token = story.client
    await area.resolve(submission.id, reading_id)
    await story.call("list_submission_readings", submission_id=submission.id)
    for operation in ("audit_sampling", "get_queue", "fetch_sampling_windows"):
        await story.call(operation, program_id=area.program.id)


async def mistakes(made: Mistakes) -> None:
    """One request for every problem that somebody can make by themselves."""
    panel_id = await made.panel()
    achievement_id = await publish(made.client, achievement_body())
    async with made.world.database.reading() as session:
        issuer_id = (await session.scalars(select(Panel.issuer_id).where(Panel.id == panel_id))).one()
    partner = Partner(made.client, made.staff, issuer_id, achievement_id, panel_id)
    area = await _Area.open(made.world, partner, {})
    await made.make("nothing_to_read", "POST", "/v1/readings/claim", as_person=True)
    submission, reading_id = await area.give_staff("Rea Example")
    path = f"/v1/readings/{reading_id}"
    scores = {"results": results()}
    await made.make("not_resolved", "GET", f"/v1/submissions/{submission.id}/readings")
    await made.make("reading_not_started", "POST", f"{path}/submission", as_person=True, json=scores)
    assert (await made.staff.post(f"{path}/start")).status_code == 200
    wrong = {"results": [{**results()[0], "level": "excellent"}]}
    await made.make("reading_mismatch", "POST", f"{path}/submission", as_person=True, json=wrong)
    assert (await made.staff.post(f"{path}/submission", json=scores)).status_code == 201
    await made.make("reading_submitted", "POST", f"{path}/submission", as_person=True, json=scores)
    _, given_back = await area.give_staff("Ben Reader")
    assert (await made.staff.post(f"/v1/readings/{given_back}/recuse", json={"reason": "other"})).status_code == 200
    await made.make("reading_reassigned", "POST", f"/v1/readings/{given_back}/start", as_person=True)
    for code, state, name in (
        ("reading_expired", "expired", "Cleo Reader"),
        ("reading_cancelled", "cancelled", "Dan Reader"),
    ):
        _, ended = await area.give_staff(name)
        async with made.world.database.transaction() as session:
            (await session.get_one(Reading, (issuer_id, ended))).state = state
        await made.make(code, "POST", f"/v1/readings/{ended}/start", as_person=True)
    submission, close = await area.give_staff("Eve Reader")
    async with made.world.database.transaction() as session:
        person = await session.get_one(Person, (issuer_id, area.assessor.person_id))
        before, person.learner_id = person.learner_id, submission.learner_id
    await made.make("conflict_of_interest", "POST", f"/v1/readings/{close}/start", as_person=True)
    async with made.world.database.transaction() as session:
        (await session.get_one(Person, (issuer_id, area.assessor.person_id))).learner_id = before


def _partner_of(client: httpx.AsyncClient, known: dict[str, str]) -> Partner:
    return Partner(client, client, known["issuer_id"], known["achievement_id"], known["panel_id"])


class _Area:
    """A program in which the person who has every role is a certified assessor."""

    def __init__(self, world: Resources, partner: Partner, program: Program, assessor: Assessor) -> None:
        self.world = world
        self.partner = partner
        self.program = program
        self.assessor = assessor

    @classmethod
    async def open(cls, world: Resources, partner: Partner, known: dict[str, str]) -> "_Area":
        """In the program of `known`, if there is one."""
        if "program_id" in known:
            async with world.database.reading() as session:
                program = await get_program(session, partner.issuer_id, known["program_id"])
        else:
            program = await put_program(world, partner)
        return cls(world, partner, program, await cls._enter_staff(world, partner, program))

    @staticmethod
    async def _enter_staff(world: Resources, partner: Partner, program: Program) -> Assessor:
        now = world.clock.now()
        whose = {"issuer_id": partner.issuer_id}
        async with world.database.transaction() as session:
            approvers = select(PersonRole.person_id).where(
                PersonRole.issuer_id == partner.issuer_id, PersonRole.role == "approver"
            )
            person_id = (await session.scalars(approvers.order_by(PersonRole.granted_at))).first()
            assert person_id is not None
            assessor = await find_assessor_of_person(session, partner.issuer_id, person_id)
            if assessor is None:
                assessor = Assessor(
                    **whose, id=new_id(), person_id=person_id, code="S-01", school=None, is_active=True,
                    created_at=now, updated_at=now,
                )  # fmt: skip
                session.add(assessor)
                await session.flush()
            achievement = partner.achievement_id, 1
            certification = await find_certification(session, partner.issuer_id, assessor.id, *achievement)
            if certification is not None and certification.state == "in_training":
                certification.state, certification.valid_from, certification.calibrated_at = "certified", now, now
                certification.valid_until = now + timedelta(days=365)
            elif certification is None:
                session.add(
                    Certification(
                        **whose, id=new_id(), assessor_id=assessor.id, achievement_id=achievement[0], version=1,
                        state="certified", valid_from=now, valid_until=now + timedelta(days=365), calibrated_at=now,
                        decision_id=None, created_at=now, updated_at=now,
                    )
                )  # fmt: skip
            panel = await get_panel(session, partner.issuer_id, program.panel_id)
            panel.members = [*dict.fromkeys([*panel.members, assessor.code])]
        return assessor

    async def ask(self, name: str) -> Submission:
        """A submission that waits for its first reader."""
        enrollment, learner = await put_enrollment(self.world, self.program, name=name)
        submission = await put_submission(self.world, self.partner, enrollment, learner)
        async with self.world.database.transaction() as session:
            await request_reading(session, submission, kind="first", now=self.world.clock.now())
        return submission

    async def give_staff(self, name: str) -> tuple[Submission, str]:
        """A submission, and the id of its first reading, which the staff is to do."""
        submission = await self.ask(name)
        now = self.world.clock.now()
        async with self.world.database.transaction() as session:
            query = select(Reading).where(Reading.submission_id == submission.id)
            reading = (await session.scalars(query)).one()
            achievement = submission.achievement_id, submission.version
            certification = await find_certification(session, submission.issuer_id, self.assessor.id, *achievement)
            assert certification is not None
            policy = await get_pinned_policy(session, submission)
            await take(session, self.world, reading, self.assessor, certification, policy=policy, actor="test", now=now)
        return submission, reading.id

    async def resolve(self, submission_id: str, reading_id: str) -> None:
        """The scores of record, where there are none."""
        async with self.world.database.transaction() as session:
            if await find_resolution(session, self.program.issuer_id, submission_id) is None:
                session.add(
                    Resolution(
                        issuer_id=self.program.issuer_id, submission_id=submission_id, number=1,
                        method="single_reading", reading_ids=[reading_id],
                        levels=[[criterion, level] for criterion, level in _LEVELS.items()], recommendation="awarded",
                        resolved_at=self.world.clock.now(),
                    )
                )  # fmt: skip
