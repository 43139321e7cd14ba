"""Every report says what a slow recount of the register says, at every moment of a program's life, on both engines."""

from collections import Counter
from statistics import median
from typing import Any

import pytest
from fastapi import FastAPI

from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.reports.recount import Recount
from tests.reports.scene import Scene, open_scene, play


@pytest.fixture
async def scene(app: FastAPI, partner: Partner, clock: FixedClock) -> Scene:
    scene = await open_scene(app, partner, clock)
    await play(scene)
    return scene


async def test_every_report_at_every_moment(scene: Scene) -> None:
    """Also in a window, and in a cohort. (What is left out of small groups is another matter: `test_disclosure`.)"""
    recount = await Recount.read(scene.world, scene.partner.issuer_id, scene.program.id)
    second = scene.cohorts["second"]
    for number, moment in enumerate(scene.moments):
        since = scene.moments[number // 2]
        for filters in ({}, {"since": since}, {"until": since}, {"cohort_id": second}):
            slow = recount.at(moment, **filters)
            where = (number, filters)
            if "until" not in filters:
                _compare_funnel(await scene.measure("funnel", as_of=moment, **filters), slow, where)
            for name, compare in COMPARED.items():
                compare(await scene.measure(name, as_of=moment, **filters), slow, where)


def _compare_headline(body: dict[str, Any], slow: Recount, where: Any) -> None:
    standing = [person for person, stands in slow.badges() if stands]
    expected = {
        "enrolled": len(slow.enrolled()),
        "started": len(slow.started()),
        "submitted": len(slow.submitted()),
        "decided": len(slow.decided()),
        "distinct_earners": len(set(standing)),
        "credentials": len(standing),
        "revoked": len(slow.badges()) - len(standing),
    }
    assert {name: body[name] for name in expected} == expected, where
    assert body["suppressed"] is None


def _compare_funnel(body: dict[str, Any], slow: Recount, where: Any) -> None:
    enrolled = slow.enrolled()
    everything = slow.at(slow.as_of, cohort_id=slow.cohort_id)
    accepted = [each for each in slow.submissions() if each["accepted_at"] and each["accepted_at"] <= slow.as_of]
    expected = {
        "enrolled": enrolled,
        "started": everything.started() & enrolled,
        "submitted": everything.submitted() & enrolled,
        "accepted": slow.people_of(accepted) & enrolled,
        "decided": {slow.person(chain[0]["learner_id"]) for chain in slow.chains()} & enrolled,
        "earned": {person for person, stands in everything.badges() if stands} & enrolled,
    }
    assert {each["stage"]: each["people"] for each in body["stages"]} == {
        stage: len(people) for stage, people in expected.items()
    }, where
    assert sum(each["people"] for each in body["places"]) == len(enrolled), where


def _compare_pass_rate(body: dict[str, Any], slow: Recount, where: Any) -> None:
    attempts = slow.attempts()
    begun = [each for each in attempts.values() if slow.within(slow.decided_at(each[0]))]
    passed = [each for each in begun if each[0][-1]["outcome"] == "awarded"]
    eventually = [each for each in begun if any(chain[-1]["outcome"] == "awarded" for chain in each)]
    assert _share(body["first_attempt"]) == (len(passed), len(begun)), where
    assert _share(body["eventual"]) == (len(eventually), len(begun)), where
    by_number: dict[int, list[bool]] = {}
    for each in attempts.values():
        for number, chain in enumerate(each, start=1):
            if slow.within(slow.decided_at(chain)):
                by_number.setdefault(number, []).append(chain[-1]["outcome"] == "awarded")
    assert {each["attempt"]: _share(each["passed"]) for each in body["by_attempt"]} == {
        number: (sum(outcomes), len(outcomes)) for number, outcomes in by_number.items()
    }, where


def _compare_decisions(body: dict[str, Any], slow: Recount, where: Any) -> None:
    judged = [chain for chain in slow.chains() if slow.within(slow.decided_at(chain))]
    outcomes = Counter(chain[-1]["outcome"] for chain in judged)
    assert (body["decisions"], body["awarded"], body["not_yet"]) == (
        len(judged), outcomes["awarded"], outcomes["not_yet"],
    ), where  # fmt: skip
    codes = Counter(
        each["reason_code"] for chain in slow.chains() for each in chain[1:] if slow.within(each["recorded_at"])
    )
    told = {
        each["reason_code"]: each["to_awarded"] + each["to_not_yet"] + each["same_outcome"]
        for each in body["amendments"]
    }
    assert {code: number for code, number in told.items() if number} == codes, where
    ids = {each["id"] for chain in slow.chains() for each in chain}
    filed = [each for each in slow.tables["appeal"] if slow.within(each["filed_at"]) and each["decision_id"] in ids]
    changed = [each for each in filed if each["decided_at"] and each["decided_at"] <= slow.as_of]
    assert (body["appeals"]["filed"], body["appeals"]["changed"]) == (len(filed), len(changed)), where


def _compare_turnaround(body: dict[str, Any], slow: Recount, where: Any) -> None:
    decided = [each for each in slow.submissions() if each["decided_at"] and slow.within(each["decided_at"])]
    days = [(each["decided_at"] - each["submitted_at"]).total_seconds() / 86_400 for each in decided]
    total = body["stages"][0]
    assert (total["stage"], total["n"]) == ("total", len(days)), where
    assert total["median_days"] == (round(median(days), 3) if days else None), where
    assert (total["reason"] is None) == bool(days), where


def _share(rate: dict[str, Any]) -> tuple[int, int]:
    assert (rate["value"] is None) == (rate["denominator"] == 0)
    assert (rate["reason"] == "no_data") == (rate["denominator"] == 0)
    return rate["numerator"], rate["denominator"]


COMPARED = {
    "headline": _compare_headline,
    "pass-rate": _compare_pass_rate,
    "decisions": _compare_decisions,
    "turnaround": _compare_turnaround,
}
