"""Moderation: a batch of decisions is read again; what went wrong on our side is mended upward only."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.appeals.test_appeals import GROW, file, filed, new_approver
from tests.assessing import put_assessor
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.issuing import Document, count_rows, decided
from tests.scoring.judging import MET, SHORT, Case, open_case, put_read


async def open_batch(case: Case, *decision_ids: str, **changes: Any) -> httpx.Response:
    body = {
        "program_id": case.program.id, "decision_ids": list(decision_ids), "reason_code": "moderation",
        "note": "These were to be read twice.", **changes,
    }  # fmt: skip
    return await case.partner.staff.post("/v1/moderations", json={k: v for k, v in body.items() if v is not None})


async def opened(case: Case, *decision_ids: str, **changes: Any) -> Document:
    answer = await open_batch(case, *decision_ids, **changes)
    assert answer.status_code == 201, answer.text
    document: Document = answer.json()
    return document


async def reread(case: Case, levels: dict[str, str]) -> None:
    lead, _, _ = await put_assessor(case.world, case.partner, f"M-{case.submission.id[:6]}")
    await put_read(case, levels, kind="moderation", assessor=lead, method="expert_judgment", feedback=GROW)


async def two_cases(app: FastAPI, partner: Partner, first: dict[str, str], second: dict[str, str]) -> list[Case]:
    """Two submissions of one program."""
    one = await open_case(app, partner, first)
    other = await open_case(app, partner, second, name="Eva Example", program_id=one.program.id)
    other.program = one.program
    return [one, other]


async def test_a_batch_is_read_again_and_closed_with_its_last_decision(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    cases = await two_cases(app, partner, MET, SHORT)
    award, refusal = await cases[0].decided(), await cases[1].decided("not_yet", feedback=GROW)
    clock.advance(days=1)
    moderation = await opened(cases[0], award["id"], refusal["id"])
    assert (moderation["state"], [each["outcome"] for each in moderation["decisions"]]) == ("open", [None, None])
    path = f"/v1/moderations/{moderation['id']}"
    early = await cases[0].approver.post(f"{path}/decisions/{award['id']}", json={"outcome": "confirmed"})
    assert early.json()["code"] == "not_read_again"
    await reread(cases[0], MET)
    await reread(cases[1], MET)
    wrong = await cases[0].approver.post(f"{path}/decisions/{award['id']}", json={"outcome": "changed"})
    assert wrong.json()["code"] == "outcome_against_rule"
    done = await cases[0].approver.post(f"{path}/decisions/{award['id']}", json={"outcome": "confirmed"})
    assert (done.status_code, done.json()["state"]) == (201, "open")
    again = await cases[0].approver.post(f"{path}/decisions/{award['id']}", json={"outcome": "confirmed"})
    assert again.json()["code"] == "moderation_item_done"
    last = await cases[0].approver.post(f"{path}/decisions/{refusal['id']}", json={"outcome": "changed"})
    assert (last.status_code, last.json()["state"]) == (201, "closed"), last.text
    [item] = [each for each in last.json()["decisions"] if each["decision_id"] == refusal["id"]]
    after = (await partner.client.get(f"/v1/decisions/{item['new_decision_id']}")).json()
    assert (after["outcome"], after["reason_code"], after["supersedes"]) == ("awarded", "moderation", refusal["id"])
    assert (await partner.staff.get(path)).json() == last.json()


@pytest.mark.parametrize(("reason_code", "gives"), [("missed_second_reading", "confirmed"), ("moderation", "changed")])
async def test_what_was_our_fault_takes_nothing_away(
    app: FastAPI, partner: Partner, clock: FixedClock, reason_code: str, gives: str
) -> None:
    case = await open_case(app, partner, MET)
    award = await case.decided()
    clock.advance(days=1)
    moderation = await opened(case, award["id"], reason_code=reason_code)
    await reread(case, SHORT)
    path = f"/v1/moderations/{moderation['id']}/decisions/{award['id']}"
    other = {"confirmed": "changed", "changed": "confirmed"}[gives]
    assert (await case.approver.post(path, json={"outcome": other})).json()["code"] == "outcome_against_rule"
    assert (await case.approver.post(path, json={"outcome": gives})).json()["state"] == "closed"
    state = (await partner.client.get(f"/v1/credentials/{award['credential']['id']}")).json()["state"]
    assert state == {"confirmed": "issued", "changed": "revoked"}[gives]


async def test_two_approvers_at_once_finish_a_moderation(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    cases = await two_cases(app, partner, SHORT, SHORT)
    refusals = [await each.decided("not_yet", feedback=GROW) for each in cases]
    clock.advance(days=1)
    moderation = await opened(cases[0], *(each["id"] for each in refusals))
    for case in cases:
        await reread(case, MET)
    answers = await asyncio.gather(
        *(
            case.approver.post(
                f"/v1/moderations/{moderation['id']}/decisions/{decision['id']}", json={"outcome": "changed"}
            )
            for case in (*cases, *reversed(cases))
            for decision in refusals
        )
    )
    assert sorted(each.status_code for each in answers) == [201, 201, *[409] * 6]
    shown = (await partner.staff.get(f"/v1/moderations/{moderation['id']}")).json()
    assert (shown["state"], (await count_rows(cases[0].world))["decision"]) == ("closed", 4)


async def test_a_decision_is_in_one_review_at_a_time(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    cases = await two_cases(app, partner, SHORT, SHORT)
    first, second = [await each.decided("not_yet", feedback=GROW) for each in cases]
    await filed(cases[0], first["id"])
    assert (await open_batch(cases[0], first["id"])).json()["code"] == "decision_under_review"
    moderation = await opened(cases[0], second["id"])
    assert (await open_batch(cases[0], second["id"])).json()["code"] == "decision_under_review"
    assert (await file(cases[1], second["id"])).json()["code"] == "decision_under_review"
    clock.advance(days=40)  # longer than an appeal has time: that begins anew
    await reread(cases[1], SHORT)
    path = f"/v1/moderations/{moderation['id']}/decisions/{second['id']}"
    assert (await cases[0].approver.post(path, json={"outcome": "confirmed"})).json()["state"] == "closed"
    clock.advance(days=30)
    await filed(cases[1], second["id"])


async def test_a_window_finds_the_decisions_of_the_program(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    cases = await two_cases(app, partner, MET, MET)
    began = clock.now()
    award = await cases[0].decided()
    clock.advance(days=2)
    await cases[1].decided()
    await decided(partner, recipient={"email": "elsewhere@schools.example.org"})
    window = {
        "achievement_id": partner.achievement_id, "version": 1, "decided_from": began.isoformat(),
        "decided_until": clock.now().isoformat(),
    }  # fmt: skip
    found = await opened(cases[0], decision_ids=None, filter=window)
    assert [each["decision_id"] for each in found["decisions"]] == [award["id"]]
    empty = {**window, "decided_until": window["decided_from"]}
    refused = await open_batch(cases[0], decision_ids=None, filter=empty)
    assert refused.json()["code"] == "decision_not_of_program"


async def test_only_decisions_of_the_program_are_reviewed(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner, MET)
    other = await open_case(app, partner, MET, name="Eva Example")
    award, elsewhere = await other.decided(), await decided(partner, recipient={"email": "else@schools.example.org"})
    for decision in (award, elsewhere):
        assert (await open_batch(case, decision["id"])).json()["code"] == "decision_not_of_program"
    assert (await count_rows(case.world))["moderation"] == 0
    approver = await new_approver(case)
    assert (await approver.post("/v1/moderations", json={})).status_code == 403
