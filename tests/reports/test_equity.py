"""Equity figures: worked out once for each person, frozen when a quarter ends, and true as far as they are told."""

import asyncio
import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.programs.store import Program
from app.reports.close_period import close_periods
from app.reports.equity_period import PeriodContent
from app.reports.equity_store import EquityPeriod
from app.resources import Resources
from app.worker import open_runner
from tests.assessing import put_program
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.issuing import world_of
from tests.people import open_person
from tests.reports.equity_scene import VOCABULARY, Invented, put_people

FIRST, SECOND = datetime(2026, 11, 23, 12, tzinfo=UTC), datetime(2027, 2, 10, 12, tzinfo=UTC)
TRAITS: dict[str, Callable[[Invented], bool]] = {
    "first_attempt": lambda person: person.first,
    "eventual": lambda person: person.eventual,
    "appealed": lambda person: person.appealed,
}


@dataclass
class Scene:
    world: Resources
    partner: Partner
    program: Program
    clock: FixedClock

    @property
    def path(self) -> str:
        return f"/v1/programs/{self.program.id}/reports"

    async def put(self, size: int, seed: int, at: datetime) -> list[Invented]:
        return await put_people(self.world, self.partner, self.program, size, seed=seed, decided_at=at)

    async def run_at(self, year: int, month: int, day: int) -> None:
        """Everything that is due by then is done."""
        self.clock.moment = datetime(year, month, day, 1, tzinfo=UTC)
        runner = open_runner(self.world)
        while await runner.run_one():
            pass

    async def ask(self, **query: Any) -> dict[str, Any]:
        answer = await self.partner.client.get(f"{self.path}/equity", params=query)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def periods(self) -> list[EquityPeriod]:
        async with self.world.database.reading() as session:
            return list((await session.scalars(select(EquityPeriod).order_by(EquityPeriod.until))).all())


@pytest.fixture
async def scene(app: FastAPI, partner: Partner, clock: FixedClock) -> Scene:
    world = world_of(app)
    put = await partner.client.put("/v1/demographics/vocabulary", json=VOCABULARY)
    assert put.status_code == 200, put.text
    return Scene(world, partner, await put_program(world, partner), clock)


def _of(people: Sequence[Invented], **values: str) -> list[Invented]:
    return [each for each in people if all(getattr(each, name) == value for name, value in values.items())]


async def test_figures_are_true_frozen_and_of_each_person_once(scene: Scene) -> None:
    early = await scene.put(90, 1, FIRST)
    empty = await scene.ask(by="gender")
    assert (empty["population"], empty["groups"]) == (None, [])
    await scene.run_at(2027, 1, 1)  # the quarter has ended, but not the one after it
    assert await scene.periods() == []
    late = await scene.put(70, 2, SECOND)
    await scene.run_at(2027, 4, 1)
    first = await scene.ask(by="gender")
    assert first["population"]["people"] == 90
    _recount(first, early, "gender")
    told = {group["value"]: group["n"] for group in first["groups"]}
    assert told["woman"]
    assert told["non-binary"] is None  # there are some, and too few
    assert 0 < len(_of(early, gender="non-binary")) < 10

    await scene.run_at(2027, 7, 1)
    second = await scene.ask(by="gender")
    assert second["population"]["people"] == 70
    _recount(second, late, "gender")
    before = await scene.ask(by="gender", as_of="2027-06-30T00:00:00Z")
    assert before["population"] == first["population"]
    assert before["groups"] == first["groups"]
    await scene.run_at(2027, 10, 1)  # nobody new: nothing to close
    assert [each.people for each in await scene.periods()] == [90, 70]


def _recount(report: dict[str, Any], people: Sequence[Invented], attribute: str) -> None:
    """Every group that is told, counted one by one."""
    told = [group for group in report["groups"] if group["n"] is not None]
    assert told
    for group in told:
        inside = _of(people, **{attribute: group["value"]})
        outside = [each for each in people if each not in inside]
        assert group["n"] == len(inside) >= 10
        for trait, holds in TRAITS.items():
            rate, count = group[trait], sum(holds(each) for each in inside)
            assert rate["denominator"] == len(inside)
            assert rate["at_least"] <= count <= rate["at_most"]
            assert (rate["value"] is None) == (rate["reason"] == "blurred") == (rate["at_least"] < rate["at_most"])
            compared = group[f"{trait}_compared"]
            if compared["reason"] is None:
                others = sum(holds(each) for each in outside)
                assert compared["difference"] == pytest.approx(count / len(inside) - others / len(outside))
                assert compared["interval"]["low"] < compared["difference"] < compared["interval"]["high"]
        days = sorted(each.days for each in inside)
        median = (days[(len(days) - 1) // 2] + days[len(days) // 2]) / 2
        assert group["median_days"]["at_least"] < median
        assert group["median_days"]["at_most"] is None or days[(len(days) - 1) // 2] <= group["median_days"]["at_most"]


async def test_filters_combine_what_the_vocabulary_combines(scene: Scene) -> None:
    people = await scene.put(160, 5, FIRST)
    await scene.run_at(2027, 4, 1)
    women = _of(people, gender="woman")
    report = await scene.ask(by="school-type", where="gender:woman")
    _recount(report, women, "school")
    assert report["where"] == ["gender:woman"]
    assert sum(group["n"] is not None for group in report["groups"]) == 2
    for query, pointer in (
        ({"by": "shoe-size"}, "/query/by"),
        ({"by": "gender", "where": "gender:woman"}, "/query/where"),
        ({"by": "gender", "where": "school-type:castle"}, "/query/where"),
        ({"by": "gender", "where": "school-type"}, "/query/where"),
        ({"by": "cohort", "where": "gender:woman"}, "/query/where"),
        ({"by": "gender", "as_of": "2031-01-01T00:00:00Z"}, "/query/as_of"),
    ):
        refused = await scene.partner.client.get(f"{scene.path}/equity", params=query)
        assert (refused.status_code, refused.json()["code"]) == (422, "unfit_filters"), query
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    table = await scene.partner.client.get(f"{scene.path}/equity", params={"by": "gender", "format": "csv"})
    lines = list(csv.DictReader(io.StringIO(table.text)))
    assert {line["measure"] for line in lines} == set(TRAITS)
    assert {line["group"] for line in lines} >= {"Woman", "Man", "Not told"}


async def test_what_is_stored_holds_nothing_about_a_few(scene: Scene) -> None:
    """The register itself, not only what is answered: blocks of ten or more, and counts that leave open none and all."""
    await scene.put(90, 1, FIRST)
    await scene.put(70, 2, SECOND)
    await scene.run_at(2027, 4, 1)
    await scene.run_at(2027, 7, 1)
    periods = await scene.periods()
    assert len(periods) == 2
    for period in periods:
        content = PeriodContent.model_validate(period.content)
        for table in content.tables:
            assert sum(block.n for block in table.blocks) == period.people
            for block in table.blocks:
                assert block.n >= 10
                assert all(high > 0 and low < block.n for low, high in block.counts.values())
            for one, other in combinations(table.cells.values(), 2):
                assert sum(table.blocks[each].n for each in set(one) ^ set(other)) not in range(1, 10)
    # Of two periods nothing can be subtracted: nobody is in both.
    assert periods[1].since == periods[0].until


async def test_closing_twice_at_once_closes_once(scene: Scene) -> None:
    await scene.put(60, 3, FIRST)
    scene.clock.moment = datetime(2027, 4, 1, 1, tzinfo=UTC)
    await asyncio.gather(*(close_periods(scene.world, scene.partner.issuer_id) for _ in range(3)))
    assert [each.people for each in await scene.periods()] == [60]


async def test_too_few_wait_for_the_next_quarter(scene: Scene) -> None:
    await scene.put(30, 1, FIRST)
    await scene.run_at(2027, 4, 1)
    assert await scene.periods() == []
    await scene.put(30, 2, SECOND)
    await scene.run_at(2027, 7, 1)
    assert [each.people for each in await scene.periods()] == [60]


async def test_the_funder_export_has_no_rare_rows_and_true_rates(scene: Scene, app: FastAPI) -> None:
    people = await scene.put(160, 5, FIRST)
    await scene.run_at(2027, 4, 1)
    _, director = await open_person(app, scene.partner.issuer_id, "director", name="Dee Example")
    path = f"{scene.path}/funder-export"
    answer = await director.get(path, params={"by": "gender"})
    assert answer.status_code == 200, answer.text
    export = answer.json()
    rows = export["rows"]
    assert len(rows) == export["people"] == 160
    assert {column["name"] for column in export["dictionary"]} == set(rows[0])
    described = [json.dumps([row["period"], row["gender"], row["school-type"]]) for row in rows]
    assert min(described.count(each) for each in set(described)) >= 10
    women = [row for row in rows if row["gender"] == "woman"]
    assert len(women) == len(_of(people, gender="woman"))
    if all(row["first_attempt"] != "not-told" for row in women):
        assert sum(row["first_attempt"] == "yes" for row in women) == sum(p.first for p in _of(people, gender="woman"))
    for person in people:
        assert person.learner_id not in answer.text
    assert not {row["row"] for row in rows} & {row["row"] for row in (await director.get(path)).json()["rows"]}
    lines = list(csv.DictReader(io.StringIO((await director.get(path, params={"format": "csv"})).text)))
    assert len(lines) == 160
    # Directors only, and never a system.
    refused = await scene.partner.client.get(path)
    assert (refused.status_code, refused.json()["code"]) == (403, "person_required")
    _, lead = await open_person(app, scene.partner.issuer_id, "lead", name="Len Example")
    assert (await lead.get(path)).status_code == 403
    assert (await lead.get(f"{scene.path}/equity")).status_code == 403


async def test_what_is_asked_is_recorded_with_who_asked(scene: Scene) -> None:
    await scene.ask(by="gender")
    events = (await scene.partner.client.get("/v1/events?limit=500")).json()["items"]
    [asked] = [event for event in events if event["type"] == "report.asked"]
    assert asked["data"]["report"] == "equity"
    assert asked["data"]["filters"] == {"by": "gender", "where": []}
    assert asked["data"]["actor"].startswith("client:")


async def test_an_erased_person_changes_no_answer_given_before(scene: Scene) -> None:
    people = await scene.put(60, 4, FIRST)
    await scene.run_at(2027, 4, 1)
    before = await scene.ask(by="gender")
    erased = await scene.partner.client.post(f"/v1/learners/{people[0].learner_id}/erase")
    assert erased.status_code == 200, erased.text
    after = await scene.ask(by="gender", as_of=before["as_of"])
    assert after == before
