"""Achievements from a file: drafted once, published on request; BadgeClasses too."""

import json

from fastapi import FastAPI

from tests.builders import achievement_body, badge_class
from tests.conftest import Partner
from tests.imports.importing import csv_of, import_achievements, lines_of, outcomes
from tests.issuing import count_rows, world_of

EQUITY = achievement_body(external_id="equity")
DATA = achievement_body(external_id="data", name="Leading with data", settings={"visibility": "public"})


async def test_definitions_are_drafted_once(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    before = await count_rows(world)
    assert (
        outcomes(await import_achievements(world, partner, lines_of([EQUITY, DATA]), dry_run=True)) == ["created"] * 2
    )
    assert await count_rows(world) == before
    lines = await import_achievements(world, partner, lines_of([EQUITY, DATA]))
    assert outcomes(lines) == ["created"] * 2
    made = (await partner.client.get(f"/v1/achievements/{lines[1].id}")).json()
    assert (made["external_id"], made["settings"]["visibility"], made["url"]) == ("data", "public", lines[1].url)
    assert [version["state"] for version in made["versions"]] == ["draft"]
    array = json.dumps([EQUITY, DATA], indent=2).encode()
    assert outcomes(await import_achievements(world, partner, array)) == ["already there"] * 2
    assert outcomes(await import_achievements(world, partner, array, publish=True)) == ["published"] * 2
    assert outcomes(await import_achievements(world, partner, array, publish=True)) == ["already there"] * 2
    assert (await partner.client.get(lines[0].url)).status_code == 200


async def test_what_is_published_in_one_go(app: FastAPI, partner: Partner) -> None:
    [line] = await import_achievements(world_of(app), partner, lines_of([EQUITY]), publish=True)
    assert line.outcome == "published"
    assert (await partner.client.get(line.url)).status_code == 200


async def test_a_definition_that_is_not_sound_or_differs_is_refused(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    await import_achievements(world, partner, lines_of([EQUITY]))
    rows = [
        {**EQUITY, "name": "Another name"},
        achievement_body(),
        {**DATA, "surplus": 1},
        {**DATA, "rubric": {"criteria": []}},
        DATA,
        DATA,
    ]
    data = lines_of(rows) + b'{"external_id": "half'
    lines = await import_achievements(world, partner, data)
    assert outcomes(lines) == ["refused"] * 4 + ["created"] + ["refused"] * 2
    assert [line.faults[0].split(" ")[0] for line in lines[1:4]] == ["/external_id", "/surplus", "/rubric/criteria"]
    assert lines[0].faults[0].startswith("differs from every version that is there")
    assert "line 5" in lines[5].faults[0]
    assert outcomes(await import_achievements(world, partner, csv_of([{"name": "x"}]))) == ["refused"]


async def test_badge_classes_become_drafts_once(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    sound = badge_class(id="https://badges.example.com/classes/17", image=None)
    rows = [
        sound,
        badge_class(id="urn:uuid:4b1c@x", image=None),
        badge_class(id=None, image=None),
        {**sound, "name": None},
    ]
    lines = await import_achievements(world, partner, lines_of(rows))
    assert outcomes(lines) == ["created", "created", "refused", "refused"]
    assert lines[0].external_id == "https://badges.example.com/classes/17"
    assert lines[1].external_id.startswith("badge-class-")
    assert outcomes(await import_achievements(world, partner, lines_of(rows[:2]))) == ["already there"] * 2
    edited = (await partner.client.get(f"/v1/achievements/{lines[0].id}")).json()["versions"][0]["content"]
    changed = await partner.client.put(
        f"/v1/achievements/{lines[0].id}/versions/1", json={**edited, "name": "A better name"}
    )
    assert changed.status_code == 200, changed.text
    assert outcomes(await import_achievements(world, partner, lines_of(rows[:1]), publish=True)) == ["published"]
