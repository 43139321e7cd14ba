"""Every case comes to its end, whoever leaves meanwhile; and with a submission that is void, what was under review ends too."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.audit.store import AuditEntry
from app.readings.store import list_readings
from app.scoring.store import find_successor
from tests.fakes import FixedClock
from tests.misconduct.trial import ANSWER, APPEAL, CASES, NOTICE, REASON, Trial, refusal
from tests.people import open_person

LEAVING: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "erased": ("POST", "/v1/people/{person}/erase", None),
    "deactivated": ("PATCH", "/v1/people/{person}", {"is_active": False}),
    "without their role": ("PUT", "/v1/people/{person}/roles", {"roles": ["recognizer"]}),
}


async def replace(trial: Trial, person_id: str, replacement_id: str) -> httpx.Response:
    body = {"person_id": person_id, "replacement_id": replacement_id}
    return await trial.director.post(f"{trial.case}/replacements", json=body)


async def leave(trial: Trial, person_id: str, how: str) -> None:
    method, path, body = LEAVING[how]
    answer = await trial.partner.staff.request(method, path.format(person=person_id), json=body)
    assert answer.status_code == 200, answer.text


async def vote_as(trial: Trial, client: httpx.AsyncClient, vote: str = "dismissed") -> httpx.Response:
    return await client.post(f"{trial.case}/votes", json={"vote": vote, "reason": REASON})


@pytest.mark.parametrize("how", LEAVING)
async def test_who_has_left_is_replaced_and_the_case_ends(trial: Trial, how: str) -> None:
    await trial.answered()
    (gone, gone_client), (other, other_client), (third, third_client) = trial.panel.items()
    new, new_client = next(iter(trial.others.items()))
    assert (await vote_as(trial, third_client, "void")).status_code == 200
    await leave(trial, gone, how)
    assert (await vote_as(trial, gone_client)).status_code in (401, 403)
    assert (await vote_as(trial, other_client, "dismissed")).json()["state"] == "answered"
    replaced = await replace(trial, gone, new)
    assert (replaced.status_code, replaced.json()["panel"]) == (200, [new, other, third]), replaced.text
    assert (await new_client.get(f"{trial.case}/hearing")).json()["notice"] == NOTICE
    assert (await vote_as(trial, new_client)).json()["state"] == "decided"
    await trial.run()
    case = await trial.shown()
    assert (case["state"], case["outcome"], case["votes"]) == ("closed", "dismissed", 3)
    assert await trial.submission() == ("accepted", None)
    async with trial.world.database.reading() as session:
        query = select(AuditEntry).where(AuditEntry.action == "misconduct_case.member_replaced")
        [entry] = (await session.scalars(query)).all()
    assert (entry.object_id, entry.actor) == (case["id"], f"person:{trial.director_id}")
    events = (await trial.partner.client.get("/v1/events?limit=500")).json()["items"]
    assert [each["object_id"] for each in events if each["type"] == "misconduct_case.member_replaced"] == [case["id"]]


async def test_who_lost_their_role_hears_and_votes_no_more(trial: Trial) -> None:
    await trial.answered()
    (first, client), *_ = trial.panel.items()
    assert (await client.get(f"{trial.case}/hearing")).status_code == 200
    await leave(trial, first, "without their role")
    assert refusal(await client.get(f"{trial.case}/hearing")) == (403, "not_on_panel")
    assert refusal(await vote_as(trial, client)) == (403, "not_on_panel")
    assert (await trial.shown())["votes"] == 0


async def test_who_replaces_is_fit_as_anybody_on_a_panel(trial: Trial) -> None:
    await trial.answered()
    (one, _), (two, two_client), (three, _) = trial.panel.items()
    none, client = await open_person(trial.app, trial.partner.issuer_id, "recognizer", name="No Role")
    await client.aclose()
    for unfit in (none, two, one, trial.director_id):
        refused = await replace(trial, one, unfit)
        assert refusal(refused) == (422, "misconduct_panel"), unfit
        assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/replacement_id"]
    new = next(iter(trial.others))
    outsider = await replace(trial, trial.director_id, new)
    assert (refusal(outsider), outsider.json()["errors"][0]["pointer"]) == ((422, "misconduct_panel"), "/person_id")
    assert refusal(await replace(trial, "0" * 32, new)) == (404, "not_found")
    body = {"person_id": one, "replacement_id": new}
    path = f"{trial.case}/replacements"
    assert refusal(await trial.partner.client.post(path, json=body)) == (403, "person_required")
    assert refusal(await two_client.post(path, json=body)) == (403, "forbidden")
    assert (await trial.shown())["panel"] == [one, two, three]


async def test_who_has_voted_stays(trial: Trial) -> None:
    await trial.answered()
    [first, *_] = trial.panel
    [voted] = await trial.vote("void")
    assert voted.status_code == 200
    assert refusal(await replace(trial, first, next(iter(trial.others)))) == (409, "already_voted")
    await trial.vote("void", "void")
    [_, _, third] = trial.panel
    assert refusal(await replace(trial, third, next(iter(trial.others)))) == (409, "misconduct_state")


async def test_a_member_votes_and_is_replaced_at_once(trial: Trial) -> None:
    """One of the two: never a vote of somebody who is not on the panel."""
    await trial.answered()
    (first, client), *_ = trial.panel.items()
    new, new_client = next(iter(trial.others.items()))
    voted, replaced = await asyncio.gather(vote_as(trial, client, "void"), replace(trial, first, new))
    case = await trial.shown()
    if voted.status_code == 200:
        assert refusal(replaced) == (409, "already_voted")
        assert (first in case["panel"], case["votes"]) == (True, 1)
    else:
        assert refusal(voted) == (403, "not_on_panel")
        assert (replaced.status_code, new in case["panel"], case["votes"]) == (200, True, 0)
        assert (await vote_as(trial, new_client)).status_code == 200


async def test_on_the_panel_of_an_appeal_too(trial: Trial, clock: FixedClock) -> None:
    await trial.answered()
    await trial.vote("void", "void")
    assert (await trial.learner.post(f"{trial.case}/appeal", json={"text": APPEAL})).status_code == 200
    [x, y, z] = trial.others
    assert refusal(await replace(trial, x, y)) == (409, "misconduct_state")
    named = await trial.director.post(f"{trial.case}/appeal-panel", json={"panel": [x, y, z]})
    assert named.status_code == 200, named.text
    await leave(trial, x, "deactivated")
    assert refusal(await replace(trial, x, next(iter(trial.panel)))) == (422, "misconduct_panel")
    new, client = await open_person(trial.app, trial.partner.issuer_id, "lead", name="Some Body")
    async with client:
        assert (await replace(trial, x, new)).json()["appeal_panel"] == [new, y, z]
        assert (await vote_as(trial, client)).status_code == 200
    assert (await vote_as(trial, trial.others[y])).json()["state"] == "decided"
    await trial.run()
    assert (await trial.shown())["outcome"] == "dismissed"
    assert await trial.submission() == ("accepted", None)


@pytest.mark.parametrize("state", ["noticed", "answered", "appealed"])
async def test_a_case_ends_with_the_learners_erasure(trial: Trial, clock: FixedClock, state: str) -> None:
    await (trial.opened() if state == "noticed" else trial.answered())
    if state == "appealed":
        await trial.vote("void", "void")
        assert (await trial.learner.post(f"{trial.case}/appeal", json={"text": APPEAL})).status_code == 200
    assert (await trial.shown())["state"] == state
    assert (await trial.partner.client.post(f"/v1/learners/{trial.learner_id}/erase")).status_code == 200
    await trial.run()
    case = await trial.shown()
    assert (case["state"], case["effect"], case["notice"]) == ("closed", "discontinued", None)
    assert case["outcome"] == ("void" if state == "appealed" else None)
    assert await trial.submission() == ("accepted", None)
    async with trial.world.database.reading() as session:
        assert await list_readings(session, trial.partner.issuer_id, trial.submission_id) == []
    answers = await trial.vote("void")
    assert refusal(answers[0]) == (409, "misconduct_state")
    assert refusal(await trial.open()) == (410, "gone")
    clock.advance(days=60)
    await trial.run()
    assert (await trial.shown())["closed_at"] == case["closed_at"]


async def test_an_outcome_that_is_final_takes_effect_though_the_learner_was_erased(
    trial: Trial, clock: FixedClock
) -> None:
    await trial.answered()
    await trial.vote("void", "void")
    assert (await trial.partner.client.post(f"/v1/learners/{trial.learner_id}/erase")).status_code == 200
    await trial.run()
    assert (await trial.shown())["state"] == "decided"
    clock.advance(days=30, seconds=2)
    await trial.run()
    assert ((await trial.shown())["effect"], await trial.submission()) == ("none", ("void", None))


async def test_a_case_is_opened_and_the_learner_erased_at_once(trial: Trial) -> None:
    """No case about somebody who is gone stays open."""
    opened, erased = await asyncio.gather(
        trial.open(), trial.partner.client.post(f"/v1/learners/{trial.learner_id}/erase")
    )
    assert erased.status_code == 200
    await trial.run()
    cases = (await trial.director.get(CASES)).json()["items"]
    if opened.status_code == 201:
        assert [(each["state"], each["effect"]) for each in cases] == [("closed", "discontinued")]
    else:
        assert (refusal(opened), cases) == ((410, "gone"), [])
    assert await trial.submission() == ("accepted", None)


async def void(trial: Trial, clock: FixedClock) -> None:
    """A case about the submission that ends with it void."""
    await trial.answered()
    await trial.vote("void", "void")
    clock.advance(days=30, seconds=2)
    await trial.run()
    assert await trial.submission() == ("void", None)


async def test_a_moderation_ends_when_its_work_becomes_void(trial: Trial, clock: FixedClock) -> None:
    decision_id, credential_id = await trial.award()
    program = (await trial.partner.client.get(f"/v1/submissions/{trial.submission_id}")).json()["program_id"]
    body = {"program_id": program, "decision_ids": [decision_id], "reason_code": "moderation", "note": "Once more."}
    made = await trial.partner.staff.post("/v1/moderations", json=body)
    assert made.status_code == 201, made.text
    moderation = f"/v1/moderations/{made.json()['id']}"
    await void(trial, clock)
    shown = (await trial.partner.staff.get(moderation)).json()
    assert (shown["state"], [each["outcome"] for each in shown["decisions"]]) == ("closed", ["void"])
    assert await trial.badge(credential_id) == "revoked"
    again = await trial.partner.staff.post(f"{moderation}/decisions/{decision_id}", json={"outcome": "confirmed"})
    assert refusal(again) == (409, "moderation_item_done")
    async with trial.world.database.reading() as session:
        readings = await list_readings(session, trial.partner.issuer_id, trial.submission_id)
        last = await find_successor(session, trial.partner.issuer_id, decision_id)
    assert last is not None
    assert {each.state for each in readings} == {"cancelled"}
    # Nor is there another review of work that is void.
    refused = await trial.partner.staff.post("/v1/moderations", json={**body, "decision_ids": [last.id]})
    assert refusal(refused) == (409, "decision_not_of_program")
    window = {
        "achievement_id": trial.partner.achievement_id, "version": 1, "decided_from": "2026-01-01T00:00:00Z",
        "decided_until": "2027-12-31T00:00:00Z",
    }  # fmt: skip
    by_filter = {**{k: v for k, v in body.items() if k != "decision_ids"}, "filter": window}
    refused = await trial.partner.staff.post("/v1/moderations", json=by_filter)
    assert refusal(refused) == (409, "decision_not_of_program")


async def test_an_appeal_ends_when_its_work_becomes_void(trial: Trial, clock: FixedClock) -> None:
    decision_id, _ = await trial.award()
    filed = await trial.learner.post("/v1/appeals", json={"decision_id": decision_id, "grounds": "Too low."})
    await void(trial, clock)
    appeal = (await trial.learner.get(f"/v1/appeals/{filed.json()['id']}")).json()
    assert (appeal["state"], appeal["outcome"], appeal["grounds"]) == ("decided", "void", "Too low.")
    assert appeal["answer"] is not None


async def test_an_appeal_ends_with_the_learners_erasure(trial: Trial) -> None:
    decision_id, _ = await trial.award()
    filed = await trial.learner.post("/v1/appeals", json={"decision_id": decision_id, "grounds": "Too low."})
    assert (await trial.partner.client.post(f"/v1/learners/{trial.learner_id}/erase")).status_code == 200
    await trial.run()
    appeal = (await trial.partner.client.get(f"/v1/appeals/{filed.json()['id']}")).json()
    assert (appeal["state"], appeal["outcome"], appeal["answer"]) == ("decided", "void", None)
    assert ANSWER not in str(appeal)
