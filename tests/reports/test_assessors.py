"""How each assessor scores: against a recount, as of then, and for whom."""

import math
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from app.web.fields import format_moment
from tests.anchoring import codes
from tests.assessing import put_assessor, put_enrollment, put_program
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.issuing import world_of
from tests.monitoring.pairs import put_pair, reports_of, scores
from tests.monitoring.scene import EXACT, ONE_OFF, SEVERE, evaluate, put_session, put_validity_paper
from tests.people import open_person


async def test_it_agrees_with_a_recount(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    world = world_of(app)
    program = await put_program(world, partner)
    [one, two] = [(await put_assessor(world, partner, code))[0] for code in ("A-01", "A-02")]
    _, lead = await open_person(app, partner.issuer_id, "lead", name="Lea Lead")
    path = f"{reports_of(program)}/assessors"
    first = await put_session(world, partner, program, {one.id: [SEVERE] * 13, two.id: [EXACT] * 2})
    who = await put_enrollment(world, program)
    await put_pair(world, partner, who, (one, two), (scores(2, 2), scores(2, 1)))
    await put_validity_paper(world, partner, program, two.id, SEVERE)
    await evaluate(world, program)
    then = clock.now()
    clock.advance(days=60)
    second = await put_session(world, partner, program, {one.id: [ONE_OFF] * 2, two.id: [EXACT]})

    body = (await lead.get(path)).json()
    [mine, theirs] = body["assessors"]
    assert (mine["code"], mine["ratings"], mine["anchors"]) == ("A-01", 30, 15)
    assert (mine["exact"]["numerator"], mine["exact"]["denominator"]) == (2, 30)
    assert math.isclose(mine["mean_deviation"]["value"], -28 / 30)
    assert mine["mean_deviation"]["interval"]["low"] < -28 / 30 < mine["mean_deviation"]["interval"]["high"]
    assert (mine["verdict"], mine["verdict_reason"], mine["open_flags"]) == ("watch", None, 2)
    assert (mine["beside_others"]["value"], mine["beside_others"]["n"]) == (0.5, 2)
    assert mine["turnaround"] == {"readings": 1, "median_hours": 0.0, "p90_hours": 0.0}
    assert [(each["session_id"], each["exact"]["value"]) for each in mine["sessions"]] == [
        (first.id, 0.0),
        (second.id, 0.5),
    ]
    # Three anchors of sessions and the validity paper, whose quarter is over.
    assert (theirs["code"], theirs["ratings"], theirs["verdict"], theirs["verdict_reason"]) == (
        "A-02",
        8,
        None,
        "too_few",
    )
    assert [each["kind"] for each in theirs["sessions"]] == ["calibration", "validity", "calibration"]
    assert [(each["exact"]["numerator"], each["exact"]["denominator"]) for each in body["panel"]] == [
        (4, 30), (0, 2), (4, 6)
    ]  # fmt: skip
    assert "2 assessors, 1 of them with enough scores" in body["sentence"]
    assert "2 flags wait for a lead" in body["sentence"]

    before = (await lead.get(path, params={"as_of": then.isoformat().replace("+00:00", "Z")})).json()
    [mine, theirs] = before["assessors"]
    assert (mine["ratings"], mine["open_flags"], mine["certification"]) == (26, 2, "certified")
    assert theirs["ratings"] == 4  # the validity paper's quarter was not over then
    earlier = (then - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert (await lead.get(path, params={"as_of": earlier})).json()["assessors"] == []


async def test_no_window_tells_what_one_reading_was(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """A lead who reads too asks about the minute they handed in a validity paper, and that of another's reading."""
    world = world_of(app)
    program = await put_program(world, partner)
    [one, two] = [(await put_assessor(world, partner, code))[0] for code in ("A-01", "A-02")]
    _, lead = await open_person(app, partner.issuer_id, "lead", name="Lea Lead")
    who = await put_enrollment(world, program)
    begin = clock.now()
    await put_pair(world, partner, who, (one, two), (scores(2, 2), scores(2, 1)))
    await put_validity_paper(world, partner, program, two.id, SEVERE)
    clock.advance(minutes=1)
    path = f"{reports_of(program)}/assessors"

    async def ask(**window: str) -> list[Any]:
        answer = await lead.get(path, params=window)
        assert answer.status_code == 200, answer.text
        assessors: list[Any] = answer.json()["assessors"]
        return assessors

    minute = {"since": format_moment(begin), "until": format_moment(clock.now())}
    assert await ask() == []
    assert await ask(**minute) == []
    clock.advance(days=60)
    assert await ask(**minute) == []
    assert await ask(since="2026-10-01T00:00:01Z") == []
    assert len(await ask(since="2026-10-01T00:00:00Z", until="2027-01-01T00:00:00Z")) == 2


async def test_it_is_a_table_too(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    program = await put_program(world, partner)
    one, _, _ = await put_assessor(world, partner, "A-01")
    await put_session(world, partner, program, {one.id: [EXACT]})
    _, director = await open_person(app, partner.issuer_id, "director", name="Dee Director")
    table = await director.get(f"{reports_of(program)}/assessors", headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert [line.split(",")[7] for line in table.text.splitlines()] == ["line", "panel", "assessor", "session"]


async def test_it_is_for_leads_and_directors(app: FastAPI, partner: Partner, stranger: Partner) -> None:
    program = await put_program(world_of(app), partner)
    path = f"{reports_of(program)}/assessors"
    _, approver = await open_person(app, partner.issuer_id, "approver", "assessor", name="Ann Approver")
    answers = [await approver.get(path), await partner.client.get(path), await stranger.staff.get(path)]
    assert codes(*answers) == [(403, "forbidden"), (403, "person_required"), (404, "not_found")]


async def test_a_cohort_does_not_fit(app: FastAPI, partner: Partner) -> None:
    program = await put_program(world_of(app), partner)
    answer = await partner.staff.get(f"{reports_of(program)}/assessors", params={"cohort_id": "0" * 32})
    assert codes(answer) == [(422, "unfit_filters")]
