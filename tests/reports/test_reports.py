"""What reports say of a known program, what they leave out, and what they refuse."""

import csv
import io
import math
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from tests.conftest import Partner, open_client
from tests.fakes import FixedClock
from tests.people import make_person
from tests.reports.scene import FORMULA, Scene, open_scene, play

REPORTS = ("headline", "funnel", "pass-rate", "turnaround", "double-reading", "decisions")


async def test_what_became_of_everybody(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """The numbers of the scene, told by hand."""
    scene = await open_scene(app, partner, clock)
    await play(scene)
    await _headline(scene)
    await _funnel(scene)
    await _others(scene)
    await _as_of(scene)
    await _tables(scene)


async def _headline(scene: Scene) -> None:
    body = await scene.report("headline")
    # Ada and Ada2 are one person; Kim has accepted, Max has not.
    assert (body["enrolled"], body["invited"]) == (11, 0)
    assert body["enrollment_states"] == {"enrolled": 10, "lapsed": 1, "withdrawn": 1}
    assert (body["started"], body["submitted"]) == (7, 7)
    # Ada (2 badges), Ben, Fay on appeal, Gus from elsewhere, Ida, Jo who is erased; Eve's is revoked, Hal is not enrolled.
    assert (body["distinct_earners"], body["credentials"], body["revoked"]) == (6, 7, 1)
    assert body["credentials_per_earner"] == pytest.approx(7 / 6)
    assert (body["decided"], body["other_credentials"], body["active_assessors"]) == (7, {}, 2)
    assert "11 people enrolled; 6 people hold 7 micro-credentials between them" in body["sentence"]


async def _funnel(scene: Scene) -> None:
    body = await scene.report("funnel")
    assert {each["stage"]: each["people"] for each in body["stages"]} == {
        "enrolled": 11, "started": 7, "submitted": 7, "accepted": 4, "decided": 7, "earned": 6,
    }  # fmt: skip
    assert {each["place"]: each["people"] for each in body["places"] if each["people"]} == {
        "earned": 6, "left_program": 1, "in_screening": 2, "no_longer_awarded": 1, "withdrawn": 1,
    }  # fmt: skip
    assert {each["code"]: each["screenings"] for each in body["conditions"]} == {"missing_part": 1, "not_own_work": 1}
    assert [each["without_submission"] for each in body["stages"][-2:]] == [3, 3]


async def _others(scene: Scene) -> None:
    passed = await scene.report("pass-rate")
    first = passed["first_attempt"]
    assert (first["numerator"], first["denominator"]) == (4, 6)  # not Ada and Ida; Gus made no attempt here
    assert first["interval"]["low"] < 4 / 6 < first["interval"]["high"]
    assert (passed["eventual"]["numerator"], passed["eventual"]["denominator"]) == (6, 6)
    by_criterion = {each["criterion"]: each for each in passed["by_criterion"]}
    # Three attempts and an amended one of the workflow, and five of partners; the banked criterion was judged once less.
    assert [by_criterion[key]["met"]["denominator"] for key in ("problem", "evidence")] == [8, 9]
    assert [by_criterion[key]["blocked_alone"] for key in ("problem", "evidence")] == [0, 2]
    decisions = await scene.report("decisions")
    assert {each["reason_code"]: each["to_awarded"] for each in decisions["amendments"]}["appeal"] == 1
    assert {each["reason_code"]: each["same_outcome"] for each in decisions["amendments"]}["clerical_error"] == 1
    assert (decisions["appeals"]["filed"], decisions["appeals"]["changed_rate"]["value"]) == (1, 1)
    assert decisions["revocations"] == [{"reason": "without_decision", "badges": 1}]
    times = await scene.report("turnaround")
    assert {each["stage"]: (each["n"], each["median_days"]) for each in times["stages"]} == {
        "total": (5, 2), "screening": (5, 0), "first_reading": (5, 0), "second_reading": (0, None),
        "adjudication": (0, None), "approval": (5, 1),
    }  # fmt: skip
    waiting = {each["waits_for"]: (each["attempts"], each["overdue"]) for each in times["queue"]}
    assert waiting == {"screening": (2, 1), "readings": (0, 0), "approval": (0, None), "hold": (0, None)}
    doubled = await scene.report("double-reading")
    assert (doubled["eligible"], doubled["read"]["numerator"]) == (5, 0)
    assert doubled["missed"] == 5  # the scene has put readings straight into the register, and no second ones


async def _as_of(scene: Scene) -> None:
    """What would have been said then: before the invitation was accepted, before the badge was revoked, on hold."""
    early = await scene.measure("headline", as_of=scene.moments[0])
    assert (early["enrolled"], early["invited"], early["credentials"]) == (10, 2, 0)
    [held] = [each for each in scene.moments if await _place_at(scene, each, "on_hold") == 1][:1]
    assert await _place_at(scene, held - timedelta(days=1), "on_hold") == 0
    assert await _place_at(scene, held, "returned_incomplete") == 1
    assert await _place_at(scene, held + timedelta(days=1), "withdrawn") == 1
    revoked = [(await scene.measure("headline", as_of=moment))["revoked"] for moment in scene.moments]
    assert sorted(set(revoked)) == [0, 1]
    assert revoked == sorted(revoked)
    # Day by day few people are decided on: to others than ourselves only the counts that are no results are told.
    told = await scene.report("headline", as_of=scene.moments[5].isoformat())
    assert (told["enrolled"], told["credentials"], told["suppressed"]["moments"]) == (10, None, [])


async def _place_at(scene: Scene, as_of: datetime, place: str) -> int:
    body = await scene.measure("funnel", as_of=as_of)
    return next(int(each["people"]) for each in body["places"] if each["place"] == place)


async def _tables(scene: Scene) -> None:
    """As CSV every report is one table without formulas."""
    for name in REPORTS:
        query = {"format": "csv", "cohort_id": scene.cohorts["first"]}
        answer = await scene.partner.client.get(f"{scene.path}/{name}", params=query)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/csv")
        table = list(csv.DictReader(io.StringIO(answer.text)))
        assert table
        assert {row["cohort"] for row in table} == {f"'{FORMULA}"}
        assert {len(row) for row in table} == {len(table[0])}
    accepting = await scene.partner.client.get(f"{scene.path}/headline", headers={"Accept": "text/csv"})
    assert accepting.text.startswith(
        "report,as_of,since,until,cohort,achievement_id,version,measure,of,value,reason\r\n"
    )
    assert "credentials,,7,\r\n" in accepting.text


async def test_small_groups_have_no_results(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """Neither the cohort of two, nor the one of six whose complement it is; the program as a whole has."""
    scene = await open_scene(app, partner, clock)
    for name in ("Ada", "Ben"):
        await scene.enroll(name, "first")
    for name in ("Cleo", "Dan", "Eve", "Fay", "Gus", "Hal"):
        await scene.enroll(name, "second")
    await scene.record("Ada")
    whole = await scene.report("headline")
    assert (whole["enrolled"], whole["credentials"], whole["suppressed"]) == (8, 1, None)
    for cohort, size in (("first", 2), ("second", 6)):
        for name in REPORTS:
            body = await scene.report(name, cohort_id=scene.cohorts[cohort])
            assert body["suppressed"]["reason"] == "small_cell", name
            assert body["suppressed"]["minimum_cell"] == 5
            assert "fewer than 5 people" in body["sentence"]
        told = await scene.report("headline", cohort_id=scene.cohorts[cohort])
        assert (told["enrolled"], told["credentials"], told["distinct_earners"]) == (size, None, None)
        rates = await scene.report("pass-rate", cohort_id=scene.cohorts[cohort])
        assert rates["first_attempt"] == {
            "numerator": None, "denominator": None, "value": None, "reason": "small_cell", "interval": None,
        }  # fmt: skip
        table = await partner.client.get(f"{scene.path}/headline?format=csv&cohort_id={scene.cohorts[cohort]}")
        assert "credentials,,,small_cell\r\n" in table.text
    for name in ("Ida", "Jo", "Kim"):
        await scene.enroll(name, "first")
    assert (await scene.report("headline", cohort_id=scene.cohorts["first"]))["credentials"] is None  # of one person
    for name in ("Ben", "Ida", "Jo", "Kim"):
        await scene.record(name)
    assert (await scene.report("headline", cohort_id=scene.cohorts["first"]))["credentials"] == 5


async def test_filters_that_leave_a_few_tell_no_results(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """A window about one person, and about all but one: whole less that would be the one."""
    scene = await open_scene(app, partner, clock)
    for name in ("Ada", "Ben", "Cleo", "Dan", "Eve", "Fay"):
        await scene.enroll(name)
        await scene.record(name)
        scene.pass_a_day()
    first = scene.moments[0].isoformat()
    day = (scene.moments[0] + timedelta(hours=1)).isoformat()
    for query in ({"until": day}, {"since": day}, {"since": first, "until": day}, {"as_of": day}):
        for name in ("headline", "funnel", "pass-rate", "decisions"):
            body = await scene.report(name, **query)
            assert body["suppressed"]["reason"] == "small_cell", (name, query)
    assert (await scene.report("pass-rate"))["first_attempt"]["numerator"] == 6
    month = scene.pass_into_next_month()
    for name in ("Gus", "Hal", "Ida", "Jo"):
        await scene.enroll(name)
        await scene.record(name)
    for query in ({"until": month}, {"since": month}):
        assert (await scene.report("headline", **query))["suppressed"]["moments"] == []  # four are too few
    await scene.enroll("Kim")
    await scene.record("Kim")
    for query, people in (({"until": month}, 6), ({"since": month}, 5)):
        assert (await scene.report("headline", **query))["suppressed"] is None
        assert (await scene.report("pass-rate", **query))["first_attempt"]["numerator"] == people
        told = await scene.report("funnel", **query)
        assert told["stages"][-1]["people"] == people
    assert (await scene.report("headline", as_of=month))["credentials"] == 6
    hidden = await scene.report("headline", until=(scene.clock.now() - timedelta(hours=1)).isoformat(), since=day)
    assert hidden["suppressed"]["moments"] == [month]


async def test_one_of_three_cohorts_does_not_follow_from_a_window_and_the_others(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    """Everybody of the window less the two large cohorts would be the small one, large as that is without a window."""
    scene = await open_scene(app, partner, clock)
    third = await scene.post(f"/v1/programs/{scene.program.id}/cohorts", {"name": "Third cohort"})
    scene.cohorts["third"] = third["id"]
    sizes = {"first": 12, "second": 6, "third": 7}
    for cohort, size in sizes.items():
        for number in range(size):
            await scene.enroll(f"{cohort}{number}", cohort)
    for cohort, size in (("first", 7), ("second", 6), ("third", 2)):
        for number in range(size):
            await scene.record(f"{cohort}{number}")
    until = scene.pass_into_next_month()
    for cohort, numbers in (("first", range(7, 12)), ("third", range(2, 7))):
        for number in numbers:
            await scene.record(f"{cohort}{number}")
    for number in range(5):
        await scene.enroll(f"none{number}")
        await scene.record(f"none{number}")
    assert (await scene.report("pass-rate", until=until))["first_attempt"]["denominator"] == 15

    async def tell(**query: str) -> dict[str, int | None]:
        return {
            cohort: (await scene.report("pass-rate", cohort_id=id_, **query))["first_attempt"]["denominator"]
            for cohort, id_ in scene.cohorts.items()
        }

    # With the next smallest they are enough; and as all of the second cohort was in that window, nothing is told of it elsewhere.
    assert await tell(until=until) == {"first": 7, "second": None, "third": None}
    assert await tell() == {"first": 12, "second": None, "third": 7}


async def test_nothing_to_report_is_told_plainly(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """An empty program, an empty window, a moment before the program: no NaN, and a reason for each missing value."""
    scene = await open_scene(app, partner, clock)
    moments: tuple[dict[str, Any], ...] = (
        {}, {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}, {"as_of": "1999-01-01T00:00:00Z"},
        {"cohort_id": scene.cohorts["first"]}, {"achievement_id": partner.achievement_id, "version": 1},
    )  # fmt: skip
    for query in moments:
        for name in REPORTS:
            body = await scene.report(name, **query)
            assert body["sentence"]
            assert all(not isinstance(each, float) or math.isfinite(each) for each in _leaves(body))
        assert (await scene.report("pass-rate", **query))["eventual"]["reason"] == "no_data"
        assert (await scene.report("headline", **query))["credentials_per_earner"] is None
        assert (await scene.report("turnaround", **query))["stages"][0]["reason"] == "no_data"


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    return [leaf for each in value for leaf in _leaves(each)] if isinstance(value, list) else [value]


async def test_filters_that_do_not_fit_are_refused(
    app: FastAPI, partner: Partner, stranger: Partner, clock: FixedClock
) -> None:
    """Those of others do not exist; those of another program are named."""
    scene = await open_scene(app, partner, clock)
    foreign = await _open_cohort(stranger)
    elsewhere = await _open_cohort(partner)
    queries: list[tuple[dict[str, Any], int, str]] = [
        ({"version": 1}, 422, "unfit_filters"),
        ({"as_of": "2027-01-01T00:00:00Z"}, 422, "unfit_filters"),
        ({"since": "2026-02-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"}, 422, "unfit_filters"),
        ({"achievement_id": partner.achievement_id, "version": 9}, 422, "unfit_filters"),
        ({"achievement_id": stranger.achievement_id}, 422, "achievement_not_in_program"),
        ({"cohort_id": elsewhere}, 422, "unfit_filters"),
        ({"cohort_id": foreign}, 404, "not_found"),
        ({"cohort_id": "0" * 32}, 404, "not_found"),
        ({"format": "pdf"}, 422, "invalid_body"),
        ({"as_of": "yesterday"}, 422, "invalid_body"),
    ]
    for name in REPORTS:
        for query, status, code in queries:
            answer = await partner.client.get(f"{scene.path}/{name}", params=query)
            assert (answer.status_code, answer.json()["code"]) == (status, code), (name, query)
        assert (await stranger.client.get(f"{scene.path}/{name}")).status_code == 404


async def _open_cohort(partner: Partner) -> str:
    """Id of a cohort of another program."""
    body = {"name": "Another", "panel_id": partner.panel_id, "achievement_ids": [partner.achievement_id]}
    program = await partner.client.post("/v1/programs", json=body)
    cohort = await partner.client.post(f"/v1/programs/{program.json()['id']}/cohorts", json={"name": "Another"})
    return str(cohort.json()["id"])


async def test_an_assessor_sees_no_reports(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    scene = await open_scene(app, partner, clock)
    for role, status in (("assessor", 403), ("director", 200)):
        _, token = await make_person(scene.world, partner.issuer_id, role, name=f"Some {role}")
        async with open_client(app, token) as client:
            for name in ("", *(f"/{each}" for each in REPORTS)):
                assert (await client.get(f"{scene.path}{name}")).status_code == status, name
