"""Over the API: who asks every question that reports allow learns nothing of a few people from any two of the answers."""

from datetime import datetime
from itertools import combinations, pairwise, product
from typing import Any

from fastapi import FastAPI

from app.reports.disclosure import Counted
from app.reports.filters import Filters
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.reports.recount import Recount
from tests.reports.scene import Scene, open_scene
from tests.reports.test_disclosure import Answer, answer, find_leaks

REPORTS = ("headline", "pass-rate")


async def test_no_two_answers_of_the_api_give_a_few_people_away(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    """Three months, two cohorts and people in none: with a minimum of five some answers are told, and some are not."""
    scene = await open_scene(app, partner, clock)
    moments = await _play(scene)
    recount = await Recount.read(scene.world, partner.issuer_id, scene.program.id)
    counted = _count(recount)
    for name in REPORTS:
        told, withheld = [], []
        for query, filters in _list_questions(scene, moments):
            is_told = (await scene.report(name, **query))["suppressed"] is None
            (told if is_told else withheld).append(answer(counted, filters))
        assert find_leaks(counted, told, [], 5) == [], name
        assert any(each.asked.is_windowed for each in told), name
        assert any(each.asked.cohort_id for each in told), name
        assert any(each.asked.looks_back for each in told), name
        few = [each for each in withheld if 0 < _count_people(counted, each) < 5]
        assert few, name
        assert all(find_leaks(counted, [*told, each], [], 5) for each in few), name  # a planted leak is found


async def _play(scene: Scene) -> list[str]:
    """What is told of each month: moments between and in them."""
    months = (
        {"first": 6, "second": 0, "none": 1},
        {"first": 2, "second": 5, "none": 3},
        {"first": 5, "second": 6, "none": 6},
    )
    moments: list[str] = []
    number = 0
    for people in months:
        for cohort, size in people.items():
            for _ in range(size):
                number += 1
                await scene.enroll(f"P{number}", None if cohort == "none" else cohort)
                await scene.record(f"P{number}")
            scene.pass_a_day()
        moments.append(scene.moments[-1].isoformat())
        moments.append(scene.pass_into_next_month())
    return moments


def _list_questions(scene: Scene, moments: list[str]) -> list[tuple[dict[str, Any], Filters]]:
    works: tuple[dict[str, Any], ...] = ({}, {"achievement_id": scene.partner.achievement_id, "version": 1})
    windows: list[dict[str, Any]] = [{}, *({"until": each} for each in moments), *({"since": each} for each in moments)]
    windows += [
        {"since": since, "until": until} for since, until in [*pairwise(moments), *combinations(moments[1::2], 2)]
    ]
    windows += [{"as_of": each} for each in moments]
    cohorts = [{}, *({"cohort_id": each} for each in scene.cohorts.values())]
    found = []
    for cohort, work, window in product(cohorts, works, windows):
        query = {**cohort, **work, **window}
        times = {name: datetime.fromisoformat(value) for name, value in window.items()}
        filters = Filters(**{"as_of": scene.clock.now(), **cohort, **work, **times}, looks_back="as_of" in window)
        found.append((query, filters))
    return found


def _count(recount: Recount) -> list[Counted]:
    """What was decided, from the tables as they are."""
    enrollments = {each["learner_id"]: each["cohort_id"] for each in recount.tables["enrollment"]}
    return [
        Counted(
            chain[0]["learner_id"], frozenset({enrollments[chain[0]["learner_id"]]}), chain[-1]["achievement_id"],
            chain[-1]["version"], recount.decided_at(chain),
            tuple(max(each["decided_at"], each["recorded_at"]) for each in chain),
        )
        for chain in recount.chains()
    ]  # fmt: skip


def _count_people(counted: list[Counted], of: Answer) -> int:
    return len({each.person_id for number, each in enumerate(counted) if of.things >> number & 1})
