"""Drift and severity: what makes a flag, what does not, and what a lead makes of it."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from app.assessors.store import Assessor, Certification, find_certification
from app.events.store import Event
from app.identifiers import new_id
from app.jobs.queue import Job
from app.monitoring.store import MonitoringRound
from app.programs.jobs import WATCH_ASSESSORS_JOB
from app.programs.store import Program
from app.resources import Resources
from tests.anchoring import SMALL, Bench, codes, list_jobs, run_due_jobs
from tests.assessing import put_assessor, put_program
from tests.conftest import Partner, open_client
from tests.fakes import FixedClock
from tests.issuing import Document, world_of
from tests.monitoring.scene import EXACT, ONE_OFF, SEVERE, evaluate, list_flags, put_session, put_validity_paper
from tests.people import open_person

ENOUGH = 13
"""Anchors of two criteria: 26 ratings."""


@dataclass
class Panel:
    """A program with one certified assessor and a lead, both signed in."""

    app: FastAPI
    partner: Partner
    program: Program
    assessor: Assessor
    reader: httpx.AsyncClient
    lead: httpx.AsyncClient

    @property
    def world(self) -> Resources:
        return world_of(self.app)

    async def give(self, *levels: Any, **columns: Any) -> str:
        """A closed calibration in which the assessor gave this: its id."""
        return (await put_session(self.world, self.partner, self.program, {self.assessor.id: levels}, **columns)).id

    async def certification(self) -> Certification:
        async with self.world.database.reading() as session:
            found = await find_certification(
                session, self.partner.issuer_id, self.assessor.id, self.partner.achievement_id, 1
            )
        assert found is not None
        return found

    async def flagged(self) -> str:
        """The id of a flag that is open."""
        await self.give(*[SEVERE] * ENOUGH)
        await evaluate(self.world, self.program)
        return (await list_flags(self.world))[0].id


@pytest.fixture
async def panel(app: FastAPI, partner: Partner) -> AsyncIterator[Panel]:
    world = world_of(app)
    program = await put_program(world, partner)
    assessor, _, token = await put_assessor(world, partner, "A-01")
    _, lead = await open_person(app, partner.issuer_id, "lead", name="Lea Lead")
    async with open_client(app, token) as reader, lead:
        yield Panel(app, partner, program, assessor, reader, lead)


async def rules(panel: Panel) -> list[tuple[str, str, str]]:
    await evaluate(panel.world, panel.program)
    return [(flag.rule, flag.level, flag.quarter) for flag in await list_flags(panel.world)]


async def low_agreement(panel: Panel) -> Document:
    """The one flag of this rule, as the lead sees it."""
    flags = (await panel.lead.get("/v1/flags")).json()["items"]
    [found] = [flag for flag in flags if flag["rule"] == "low_agreement"]
    return dict(found)


async def test_low_agreement_makes_a_flag_with_its_evidence(panel: Panel) -> None:
    """8 of 13 anchors half right: 18 of 26 ratings, 69 %, by a recount."""
    session_id = await panel.give(*[ONE_OFF] * 8, *[EXACT] * 5)
    assert await rules(panel) == [("low_agreement", "watch", "2026Q4"), ("severity", "watch", "2026Q4")]
    flag = await low_agreement(panel)
    evidence = flag["evidence"]
    assert evidence["session_ids"] == [session_id]
    assert len(evidence["anchor_ids"]) == ENOUGH
    figures = evidence["figures"]
    assert (figures["ratings"], figures["anchors"]) == (26, 13)
    assert math.isclose(figures["exact"]["value"], 18 / 26)
    assert (round(figures["exact"]["interval"]["low"], 3), round(figures["exact"]["interval"]["high"], 3)) == (
        0.5,
        0.835,
    )
    assert math.isclose(figures["mean_deviation"]["value"], -8 / 26)
    low, high = (figures["mean_deviation"]["interval"][end] for end in ("low", "high"))
    assert -0.5 < low < -8 / 26 < high < 0
    assert figures["spread"] == {"name": "spread", "n": 26, "value": None, "reason": "one_category", "interval": None}
    assert (flag["assessor_id"], flag["state"], flag["action"]) == (panel.assessor.id, "open", None)
    assert (await panel.lead.get(f"/v1/flags/{flag['id']}")).json() == flag
    assert (await panel.lead.get("/v1/flags?state=dismissed")).json()["items"] == []


async def test_good_scores_make_none(panel: Panel) -> None:
    await panel.give(*[ONE_OFF] * 6, *[EXACT] * 7)
    assert await rules(panel) == []


async def test_too_few_ratings_make_none_however_bad(panel: Panel) -> None:
    await panel.give(*[SEVERE] * (ENOUGH - 1))
    assert await rules(panel) == []
    [record] = (await panel.reader.get("/v1/me/scoring-record")).json()["records"]
    assert (record["verdict"], record["verdict_reason"], record["figures"]["ratings"]) == (None, "too_few", 24)
    await panel.give(SEVERE)
    assert [rule for rule, _, _ in await rules(panel)] == ["low_agreement", "severity"]


async def test_many_bad_ratings_propose_to_suspend_and_suspend_nobody(panel: Panel) -> None:
    await panel.give(*[SEVERE] * 38)
    before = await panel.certification()
    assert await rules(panel) == [("low_agreement", "suspend", "2026Q4"), ("severity", "suspend", "2026Q4")]
    after = await panel.certification()
    assert (after.state, after.changes, after.updated_at) == (before.state, before.changes, before.updated_at)


async def test_a_fall_is_measured_from_the_last_quarter_that_says_enough(panel: Panel, clock: FixedClock) -> None:
    first = await panel.give(*[EXACT] * 38)
    clock.advance(days=180)  # a quarter without anything lies between
    second = await panel.give(*[ONE_OFF] * 9, *[EXACT] * 29)
    assert await rules(panel) == [("falling_agreement", "watch", "2027Q2")]
    [flag] = (await panel.lead.get("/v1/flags")).json()["items"]
    evidence = flag["evidence"]
    assert evidence["compared_quarter"] == "2026Q4"
    assert (evidence["compared_with"]["exact"]["value"], evidence["session_ids"]) == (1.0, sorted([first, second]))
    assert math.isclose(evidence["rule_figures"]["value"], -9 / 76)


async def test_what_does_not_count(panel: Panel, partner: Partner) -> None:
    """Practice, scores after a discussion, sessions that are open or were cancelled, and other programs'."""
    bad = [SEVERE] * ENOUGH
    await panel.give(*bad, kind="practice")
    await panel.give(*bad, state="open", closed_at=None, result=None)
    await panel.give(*bad, result=None)
    other = await put_program(panel.world, partner)
    await put_session(panel.world, partner, other, {panel.assessor.id: bad})
    assert await rules(panel) == []
    await panel.give(*bad, kind="qualification")
    assert len(await rules(panel)) == 2


async def test_validity_papers_count(panel: Panel, partner: Partner) -> None:
    papers = [
        await put_validity_paper(panel.world, partner, panel.program, panel.assessor.id, SEVERE) for _ in range(ENOUGH)
    ]
    assert [rule for rule, _, _ in await rules(panel)] == ["low_agreement", "severity"]
    flag = await low_agreement(panel)
    assert flag["evidence"]["validity_reading_ids"] == sorted(paper.id for paper in papers)
    assert flag["evidence"]["session_ids"] == []


@pytest.mark.parametrize("state", ["in_training", "suspended", "revoked"])
async def test_who_may_not_read_is_not_flagged(panel: Panel, state: str) -> None:
    await panel.give(*[SEVERE] * ENOUGH)
    await _change_certification(panel, state=state)
    assert await rules(panel) == []
    await _change_certification(panel, state="probation")
    assert len(await rules(panel)) == 2


async def test_what_was_before_the_last_qualification_is_over(panel: Panel, clock: FixedClock) -> None:
    await panel.give(*[SEVERE] * ENOUGH)
    clock.advance(days=1)
    passed = await panel.give(EXACT, kind="qualification", assessor_id=panel.assessor.id)
    await _change_certification(panel, qualification_id=passed)
    assert await rules(panel) == []


async def _change_certification(panel: Panel, **columns: Any) -> None:
    async with panel.world.database.transaction() as session:
        found = await session.get_one(Certification, (panel.partner.issuer_id, (await panel.certification()).id))
        for name, value in columns.items():
            setattr(found, name, value)


async def test_the_same_rule_and_quarter_raises_once(panel: Panel, clock: FixedClock) -> None:
    flag_id = await panel.flagged()
    assert len(await rules(panel)) == 2
    assert (await panel.lead.post(f"/v1/flags/{flag_id}/dismissal", json={"reason": "Known."})).status_code == 200
    await panel.give(*[SEVERE] * 3)
    clock.advance(days=60)  # in the next quarter: the one before is looked at still
    assert len(await rules(panel)) == 2


async def test_a_graver_level_raises_again(panel: Panel) -> None:
    await panel.flagged()
    await panel.give(*[SEVERE] * 25)
    assert [level for _, level, _ in await rules(panel)] == ["watch", "suspend", "watch", "suspend"]


async def test_rounds_at_once_raise_once(panel: Panel) -> None:
    await panel.give(*[SEVERE] * ENOUGH)
    await asyncio.gather(*(evaluate(panel.world, panel.program) for _ in range(4)))
    assert len(await rules(panel)) == 2


async def test_a_calibration_that_closes_is_looked_at(app: FastAPI, partner: Partner) -> None:
    """Through the doors, from the first score to the flag; the assessor's state is the calibration's business."""
    bench = await Bench.set_up(app, partner, SMALL)
    await bench.enter("A-01")
    await bench.take_round("A-01")
    anchors = await bench.anchors(ENOUGH, "calibration")
    session_id = await bench.open_calibration(anchors)
    for anchor_id in anchors:
        assert (await bench.answer("A-01", session_id, anchor_id, SEVERE)).status_code == 201
    for verb in ("discuss", "close"):
        assert (await bench.lead.post(f"/v1/calibration-sessions/{session_id}/{verb}")).status_code == 200
    await run_due_jobs(bench.world)
    flags = (await bench.lead.get("/v1/flags")).json()["items"]
    assert {(each["rule"], each["level"]) for each in flags} == {("low_agreement", "watch"), ("severity", "watch")}
    assert flags[0]["evidence"]["figures"]["ratings"] == 2 * ENOUGH + 4  # the round's two anchors too


async def test_every_night_and_never_twice(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    world = world_of(app)
    body = {"name": "Academy", "panel_id": partner.panel_id, "achievement_ids": [partner.achievement_id]}
    made = await partner.client.post("/v1/programs", json=body)
    assert made.status_code == 201, made.text
    payload = {"issuer_id": partner.issuer_id, "program_id": made.json()["id"]}
    async with world.database.transaction() as session:
        session.add(Job(id=new_id(), name=WATCH_ASSESSORS_JOB, payload=payload, run_at=clock.now()))
    for _ in range(3):
        await run_due_jobs(world)
        assert await list_jobs(world, WATCH_ASSESSORS_JOB) == [payload]
        async with world.database.reading() as session:
            [round_] = (await session.scalars(select(MonitoringRound))).all()
        assert (round_.evaluated_at, round_.next_at) == (clock.now(), clock.now() + timedelta(days=1))
        clock.advance(days=1)


async def test_a_flag_is_dismissed_with_a_reason(panel: Panel) -> None:
    flag_id = await panel.flagged()
    answer = await panel.lead.post(f"/v1/flags/{flag_id}/dismissal", json={"reason": "The anchors were at fault."})
    assert answer.status_code == 200, answer.text
    dismissed = answer.json()
    assert (dismissed["state"], dismissed["action"], dismissed["reason"]) == (
        "dismissed",
        None,
        "The anchors were at fault.",
    )
    again = [
        await panel.lead.post(f"/v1/flags/{flag_id}/dismissal", json={"reason": "Once more."}),
        await panel.lead.post(f"/v1/flags/{flag_id}/action", json={"action": "suspend", "reason": "After all."}),
    ]
    assert codes(*again) == [(409, "flag_decided")] * 2
    assert (await panel.certification()).state == "certified"


@pytest.mark.parametrize(
    ("action", "state"), [("coach", "certified"), ("probation", "probation"), ("suspend", "suspended")]
)
async def test_a_lead_acts_and_the_certification_follows(panel: Panel, action: str, state: str) -> None:
    flag_id = await panel.flagged()
    body = {"action": action, "reason": "Severe on the criterion evidence."}
    answer = await panel.lead.post(f"/v1/flags/{flag_id}/action", json=body)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["action"]) == ("acted", action)
    certification = await panel.certification()
    assert certification.state == state
    found = (await panel.lead.get(f"/v1/certifications/{certification.id}")).json()
    reasons = [change["reason"] for change in found["history"]]
    assert reasons == ([] if action == "coach" else ["Severe on the criterion evidence."])


async def test_an_action_that_cannot_be_leaves_the_flag_open(panel: Panel) -> None:
    flag_id = await panel.flagged()
    await _change_certification(panel, state="revoked")
    answer = await panel.lead.post(f"/v1/flags/{flag_id}/action", json={"action": "suspend", "reason": "Severe."})
    assert codes(answer) == [(409, "certification_state")]
    assert {flag.state for flag in await list_flags(panel.world)} == {"open"}


async def test_of_two_leads_at_once_one_decides(panel: Panel) -> None:
    flag_id = await panel.flagged()
    _, other = await open_person(panel.app, panel.partner.issuer_id, "lead", name="Lou Lead")
    body = {"action": "probation", "reason": "Severe."}
    answers = await asyncio.gather(
        panel.lead.post(f"/v1/flags/{flag_id}/action", json=body),
        other.post(f"/v1/flags/{flag_id}/dismissal", json={"reason": "Not so."}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    [refused] = [answer for answer in answers if answer.status_code == 409]
    assert refused.json()["code"] == "flag_decided"
    is_acted = answers[0].status_code == 200
    assert (await panel.certification()).state == ("probation" if is_acted else "certified")


async def test_nobody_decides_about_their_own_flag(panel: Panel) -> None:
    flag_id = await panel.flagged()
    person_id, own = await open_person(panel.app, panel.partner.issuer_id, "lead", "assessor", name="Own Lead")
    async with panel.world.database.transaction() as session:
        found = await session.get_one(Assessor, (panel.partner.issuer_id, panel.assessor.id))
        found.person_id = person_id
    tried = [
        await own.post(f"/v1/flags/{flag_id}/dismissal", json={"reason": "I was right."}),
        await own.post(f"/v1/flags/{flag_id}/action", json={"action": "coach", "reason": "I talked to myself."}),
    ]
    assert codes(*tried) == [(403, "own_flag")] * 2
    # The evidence names the validity papers: who reads must not know which of their readings they were.
    assert codes(await own.get(f"/v1/flags/{flag_id}")) == [(403, "own_flag")]
    assert (await own.get("/v1/flags")).json()["items"] == []
    assert flag_id in [each["id"] for each in (await panel.lead.get("/v1/flags")).json()["items"]]
    assert (await panel.lead.post(f"/v1/flags/{flag_id}/dismissal", json={"reason": "So it was."})).status_code == 200


async def test_flags_are_for_leads(panel: Panel, stranger: Partner) -> None:
    flag_id = await panel.flagged()
    _, director = await open_person(panel.app, panel.partner.issuer_id, "director", name="Dee Director")
    for client in (panel.reader, director):
        assert (
            codes(await client.get("/v1/flags"), await client.get(f"/v1/flags/{flag_id}")) == [(403, "forbidden")] * 2
        )
    assert codes(await panel.partner.client.get("/v1/flags")) == [(403, "person_required")]
    assert codes(await stranger.staff.get(f"/v1/flags/{flag_id}")) == [(404, "not_found")]


async def test_events_of_flags_name_nobody(panel: Panel) -> None:
    flag_id = await panel.flagged()
    await panel.lead.post(f"/v1/flags/{flag_id}/dismissal", json={"reason": "The anchors were at fault."})
    async with panel.world.database.reading() as session:
        events = (await session.scalars(select(Event).where(Event.type.like("flag.%")).order_by(Event.position))).all()
        count = (await session.execute(select(func.count()).select_from(Event))).scalar_one()
    assert count > 0
    assert [event.type for event in events] == ["flag.raised", "flag.raised", "flag.dismissed"]
    assert {tuple(event.data or {}) for event in events} == {("program_id",)}
    assert panel.assessor.id not in str([event.data for event in events])
