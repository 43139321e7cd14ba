"""A table says what the JSON says: every number, with its interval or the reason why there is none."""

import csv
import io
from typing import Any

import pytest
from fastapi import FastAPI

from tests.assessing import put_assessor
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.monitoring.pairs import put_pair, scores
from tests.reports.scene import Scene, open_scene, play

REPORTS = ("headline", "funnel", "pass-rate", "turnaround", "double-reading", "decisions", "agreement", "impact")
ABOUT = ("report", "as_of", "since", "until", "cohort", "achievement_id", "version")


@pytest.fixture
async def scene(app: FastAPI, partner: Partner, clock: FixedClock) -> Scene:
    return await open_scene(app, partner, clock)


async def fetch_table(scene: Scene, name: str, **query: str) -> list[dict[str, str]]:
    answer = await scene.partner.client.get(f"{scene.path}/{name}", params={"format": "csv", **query})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def list_numbers(value: Any) -> set[str]:
    """Those that are no whole numbers: they are not found in a table by chance."""
    if isinstance(value, dict):
        members = [each for key, each in value.items() if key != "level"]
        return set().union(*map(list_numbers, members))
    if isinstance(value, list):
        return set().union(*map(list_numbers, value))
    return {str(value)} if isinstance(value, float) and not value.is_integer() else set()


async def test_every_number_stands_in_the_table(scene: Scene) -> None:
    await play(scene)
    for name in REPORTS:
        told = {cell for row in await fetch_table(scene, name) for cell in row.values()}
        assert list_numbers(await scene.report(name)) <= told, name


async def test_a_report_about_nothing_is_a_table_with_a_heading(scene: Scene) -> None:
    for name in ("agreement", "impact", "headline"):
        table = await fetch_table(scene, name)
        assert table, name
        assert set(ABOUT) <= table[0].keys(), name
        assert table[0]["report"] == name


async def test_what_is_left_out_says_why(scene: Scene) -> None:
    for name in ("Ada", "Ben"):
        await scene.enroll(name, "first")
    for name in ("headline", "funnel", "pass-rate", "turnaround", "double-reading", "decisions", "impact"):
        table = await fetch_table(scene, name, cohort_id=scene.cohorts["first"])
        assert "small_cell" in {row.get("reason") for row in table}, name


async def test_criteria_of_two_achievements_are_told_apart(scene: Scene) -> None:
    await scene.enroll("Ada")
    who = await scene.find("Ada")
    another, _, _ = await put_assessor(scene.world, scene.partner, "A-12")
    for attempt in range(1, 11):
        given = scores(2, 2), scores(2, attempt % 2)
        readers = scene.assessor, another
        await put_pair(scene.world, scene.partner, who, readers, given, attempt=attempt)
    table = await fetch_table(scene, "agreement")
    assert {(row["achievement"], row["versions"]) for row in table} == {(scene.partner.achievement_id, "1")}
