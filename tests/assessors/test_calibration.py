"""Calibration: everybody scores the same anchors, talks, scores again; what follows from it."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from app.assessors.certification import CalibrationOverdue, require_calibrated
from app.assessors.store import get_certification
from tests.anchoring import LOW, MET, SHORT, Bench, codes
from tests.conftest import Partner
from tests.fakes import FixedClock


@pytest.fixture
async def bench(app: FastAPI, partner: Partner) -> Bench:
    """Two certified assessors, and one who is not."""
    made = await Bench.set_up(app, partner)
    for code in ("A-01", "A-02", "A-03"):
        await made.enter(code)
    for code in ("A-01", "A-02"):
        await made.take_round(code)
    return made


async def end(bench: Bench, session_id: str, verb: str) -> dict[str, Any]:
    answer = await bench.lead.post(f"/v1/calibration-sessions/{session_id}/{verb}")
    assert answer.status_code == 200, answer.text
    ended: dict[str, Any] = answer.json()
    return ended


async def own_calibration(bench: Bench, code: str) -> dict[str, Any]:
    """The one calibration session that this assessor sees, as they see it."""
    listed = (await bench.assessors[code].get("/v1/me/anchor-sessions")).json()["items"]
    [mine] = [each for each in listed if each["kind"] == "calibration"]
    return dict(mine)


async def calibrate(bench: Bench, before: dict[str, dict[str, str]], *, second: bool = True) -> dict[str, Any]:
    """A whole session on two new anchors: what each scores before; after it all score what is true."""
    anchors = await bench.anchors(2, "calibration")
    session_id = await bench.open_calibration(anchors)
    for code, levels in before.items():
        for anchor_id in anchors:
            assert (await bench.answer(code, session_id, anchor_id, levels)).status_code == 201
    await end(bench, session_id, "discuss")
    for code in before if second else ():
        for anchor_id in anchors:
            assert (await bench.answer(code, session_id, anchor_id)).status_code == 201
    return await end(bench, session_id, "close")


async def test_both_scores_are_kept_and_true_ones_shown_in_between(bench: Bench) -> None:
    [anchor_id] = await bench.anchors(1, "calibration", SHORT)
    session_id = await bench.open_calibration([anchor_id])
    first = await bench.answer("A-01", session_id, anchor_id, LOW)
    assert (first.json()["phase"], first.json()["true_scores"]) == ("before", None)
    assert codes(await bench.answer("A-01", session_id, anchor_id)) == [(409, "already_answered")]
    await end(bench, session_id, "discuss")
    own = await own_calibration(bench, "A-01")
    assert own["responses"][0]["true_scores"]["levels"] == SHORT
    others = await own_calibration(bench, "A-02")
    assert others["responses"] == []
    second = await bench.answer("A-01", session_id, anchor_id, SHORT)
    assert second.json()["phase"] == "after"
    closed = await end(bench, session_id, "close")
    [(assessor_id, result)] = closed["result"]["assessors"].items()
    assert assessor_id == bench.ids["A-01"]
    assert [(result[phase]["exact"], result[phase]["passed"]) for phase in ("before", "after")] == [
        (0, False), (2, True)
    ]  # fmt: skip
    own = await own_calibration(bench, "A-01")
    assert own["result"] == result
    others = await own_calibration(bench, "A-02")
    assert others["result"] is None


async def test_who_is_below_the_bar_is_on_probation_until_a_calibration_lifts_it(
    bench: Bench, clock: FixedClock
) -> None:
    clock.advance(days=100)
    await calibrate(bench, {"A-01": SHORT, "A-02": MET})
    assert [(await bench.certification(code))["state"] for code in ("A-01", "A-02")] == ["probation", "certified"]
    assert (await bench.certification("A-01"))["calibrated_at"] == "2027-03-03T13:00:00Z"
    await calibrate(bench, {"A-01": MET})
    assert (await bench.certification("A-01"))["state"] == "certified"


async def test_who_leaves_before_the_end_has_not_calibrated(bench: Bench, clock: FixedClock) -> None:
    clock.advance(days=100)
    await calibrate(bench, {"A-01": MET}, second=False)
    assert (await bench.certification("A-01"))["calibrated_at"] == "2026-11-23T13:00:00Z"
    await calibrate(bench, {"A-01": MET})
    assert (await bench.certification("A-01"))["calibrated_at"] == "2027-03-03T13:00:00Z"


async def test_only_who_may_read_takes_part_and_only_from_the_beginning(bench: Bench) -> None:
    [anchor_id] = await bench.anchors(1, "calibration")
    session_id = await bench.open_calibration([anchor_id])
    path = f"/v1/anchor-sessions/{session_id}/anchors/{anchor_id}"
    answers = [await bench.assessors["A-03"].get(path), await bench.answer("A-03", session_id, anchor_id)]
    assert codes(*answers) == [(409, "not_certified")] * 2
    assert (await bench.assessors["A-03"].get("/v1/me/anchor-sessions")).json()["items"] == []
    assert (await bench.lead.get(f"/v1/anchors/{anchor_id}")).json()["exposures"] == 0
    assert (await bench.assessors["A-01"].get(path)).status_code == 200
    assert (await bench.lead.get(f"/v1/anchors/{anchor_id}")).json()["exposures"] == 1
    await end(bench, session_id, "discuss")
    late = [await bench.assessors["A-02"].get(path), await bench.answer("A-02", session_id, anchor_id)]
    assert codes(*late) == [(409, "session_state")] * 2


async def test_what_was_discussed_once_is_known(bench: Bench) -> None:
    """A second calibration on the same anchor is for those only who have not been told its true scores."""
    [anchor_id] = await bench.anchors(1, "calibration")
    first = await bench.open_calibration([anchor_id])
    await bench.answer("A-01", first, anchor_id)
    await end(bench, first, "discuss")
    await end(bench, first, "close")
    second = await bench.open_calibration([anchor_id])
    assert codes(await bench.answer("A-01", second, anchor_id)) == [(409, "anchor_known")]
    assert (await bench.answer("A-02", second, anchor_id)).status_code == 201


async def test_a_calibration_goes_one_way(bench: Bench) -> None:
    [anchor_id] = await bench.anchors(1, "calibration")
    session_id = await bench.open_calibration([anchor_id])
    close, discuss = (f"/v1/calibration-sessions/{session_id}/{verb}" for verb in ("close", "discuss"))
    assert codes(await bench.lead.post(close)) == [(409, "session_state")]
    await end(bench, session_id, "discuss")
    assert codes(await bench.lead.post(discuss)) == [(409, "session_state")]
    await end(bench, session_id, "close")
    answers = [await bench.lead.post(close), await bench.answer("A-01", session_id, anchor_id)]
    assert codes(*answers) == [(409, "session_state")] * 2
    opened = (await bench.open_round("A-03")).json()
    assert codes(await bench.lead.post(f"/v1/calibration-sessions/{opened['id']}/discuss")) == [(409, "session_state")]


async def test_two_leads_close_it_at_once(bench: Bench) -> None:
    anchors = await bench.anchors(1, "calibration")
    session_id = await bench.open_calibration(anchors)
    await bench.answer("A-01", session_id, anchors[0], LOW)
    await end(bench, session_id, "discuss")
    close = f"/v1/calibration-sessions/{session_id}/close"
    answers = await asyncio.gather(bench.lead.post(close), bench.partner.staff.post(close))
    assert sorted(codes(*answers), key=str) == [(200, None), (409, "session_state")]
    history = [each["state"] for each in (await bench.certification("A-01"))["history"]]
    assert history.count("probation") == 1


async def test_a_calibration_that_is_overdue_stops_reading(bench: Bench, clock: FixedClock) -> None:
    """To the second: 180 days after the last one, or 60 after the last reading."""
    row = (await bench.certification("A-01"))["id"]
    async with bench.world.database.reading() as session:
        certification = await get_certification(session, bench.partner.issuer_id, row)
    begun = clock.now()
    clock.advance(days=180)
    require_calibrated(certification, every_days=180, after_gap_days=60, last_reading_at=clock.now(), now=clock.now())
    last = clock.now()
    clock.advance(seconds=1)
    with pytest.raises(CalibrationOverdue):
        require_calibrated(certification, every_days=180, after_gap_days=60, last_reading_at=last, now=clock.now())
    clock.moment = begun
    clock.advance(days=60)
    require_calibrated(certification, every_days=180, after_gap_days=60, last_reading_at=None, now=clock.now())
    clock.advance(seconds=1)
    with pytest.raises(CalibrationOverdue):
        require_calibrated(certification, every_days=180, after_gap_days=60, last_reading_at=None, now=clock.now())
