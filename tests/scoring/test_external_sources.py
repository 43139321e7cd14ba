"""Earlier awards over HTTP: who judged before is a source without assessors, and levels are known or not."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.builders import achievement_body, decision_body, results
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.interop.verifier_core import verify_with_verifier_core
from tests.issuing import (
    Document,
    count_rows,
    entry_bit,
    pointers,
    require_verifies,
    world_of,
)
from tests.web.test_bad_input import on_sqlite

HTML = {"Accept": "text/html"}
REGISTRY = {
    "kind": "external",
    "name": "State registry",
    "description": "Kept the awards until 2024.",
    "url": "https://registry.example.org",
}


async def make_source(partner: Partner, **changes: Any) -> str:
    made = await partner.client.post("/v1/panels", json=REGISTRY | changes)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def earlier_award(partner: Partner, source_id: str, **changes: Any) -> Document:
    """An award of which only the person and the day are known any more."""
    body = decision_body(partner.achievement_id, source_id)
    del body["results"], body["evidence"]
    return body | {"decided_at": "2019-05-31T00:00:00Z", "assessment": {"panel_id": source_id}} | changes


async def post(partner: Partner, body: Document) -> httpx.Response:
    return await partner.client.post("/v1/decisions", json=body)


async def test_an_earlier_award_is_signed_today_with_its_day_and_source(app: FastAPI, partner: Partner) -> None:
    source_id = await make_source(partner)
    answer = await post(partner, earlier_award(partner, source_id))
    assert answer.status_code == 201, answer.text
    decision = answer.json()
    assert (decision["assessors"], decision["results"], decision["details"]["rationales"]) == ([], [], {})
    badge = decision["credential"]["document"]
    assert (badge["awardedDate"], badge["validFrom"]) == ("2019-05-31T00:00:00Z", "2026-11-23T13:00:00Z")
    subject = badge["credentialSubject"]
    assert subject["source"] == {
        "id": f"http://127.0.0.1:8000/panels/{source_id}",
        "type": ["Profile"],
        **{member: REGISTRY[member] for member in ("name", "description", "url")},
    }
    assert [result.get("status") for result in subject["result"]] == ["Completed"]
    await require_verifies(world_of(app), badge)
    assert not await entry_bit(partner.client, badge)
    assert (await partner.client.get(f"/v1/decisions/{decision['id']}")).json() == decision


@on_sqlite
async def test_other_verifiers_accept_a_badge_without_levels(partner: Partner) -> None:
    answer = await post(partner, earlier_award(partner, await make_source(partner)))
    badge = answer.json()["credential"]["document"]
    [sound] = verify_with_verifier_core([badge])
    assert sound["steps"]["valid_signature"] is True, sound
    assert sound["steps"].get("schema_check", True) is True, sound
    [forged] = verify_with_verifier_core([badge | {"awardedDate": "2018-05-31T00:00:00Z"}])
    assert forged["steps"].get("valid_signature") is not True


async def test_levels_that_are_known_are_in_the_badge_and_must_earn_it(app: FastAPI, partner: Partner) -> None:
    source_id = await make_source(partner)
    levels = [{"criterion": result["criterion"], "level": result["level"]} for result in results()]
    answer = await post(partner, earlier_award(partner, source_id, results=levels))
    assert answer.status_code == 201, answer.text
    await require_verifies(world_of(app), answer.json()["credential"]["document"])
    assert len(answer.json()["credential"]["document"]["credentialSubject"]["result"]) == 3

    ben = {"recipient": {"email": "ben@schools.example.org"}}
    before = await count_rows(world_of(app))
    for given, code, where in (
        ([{**levels[0], "level": "developing"}, levels[1]], "outcome_against_rule", "/results/0/level"),
        (levels[:1], "unknown_reference", "/results"),
        ([{**levels[0], "level": "superb"}, levels[1]], "unknown_reference", "/results/0/level"),
        ([levels[0], levels[0]], "unknown_reference", "/results/1/criterion"),
    ):
        refused = await post(partner, earlier_award(partner, source_id, results=given, **ben))
        assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
        assert where in pointers(refused)
    assert await count_rows(world_of(app)) == before


async def test_evidence_of_today_is_not_asked_of_an_earlier_award(partner: Partner) -> None:
    wanted = [{"key": "task", "name": "Task", "genre": "Performance task"}]
    partner.achievement_id = await publish(partner.client, achievement_body(required_evidence=wanted))
    source_id = await make_source(partner)
    assert (await post(partner, earlier_award(partner, source_id))).status_code == 201
    ours = decision_body(partner.achievement_id, partner.panel_id, evidence=[])
    refused = await post(partner, ours | {"recipient": {"email": "ben@schools.example.org"}})
    assert (refused.status_code, refused.json()["code"]) == (422, "outcome_against_rule")


async def test_what_does_not_fit_who_judged_is_refused_at_its_place(app: FastAPI, partner: Partner) -> None:
    source_id = await make_source(partner)
    ours = decision_body(partner.achievement_id, partner.panel_id)
    nameless = [{"criterion": result["criterion"], "level": result["level"]} for result in results()]
    theirs = earlier_award(partner, source_id)
    without_day = {name: value for name, value in theirs.items() if name != "decided_at"}
    before = await count_rows(world_of(app))
    for body, places in (
        (ours | {"assessment": {"panel_id": partner.panel_id}}, ["/assessment/assessors"]),
        (ours | {"results": []}, ["/results"]),
        (ours | {"results": nameless}, ["/results/0/rationale", "/results/1/rationale"]),
        (theirs | {"assessment": {"panel_id": source_id, "assessors": ["A-01"]}}, ["/assessment/assessors"]),
        (theirs | {"outcome": "not_yet"}, ["/outcome"]),
        (without_day, ["/decided_at"]),
        (theirs | {"decided_at": "2026-11-23T13:00:00Z"}, ["/decided_at"]),
    ):
        refused = await post(partner, body)
        assert (refused.status_code, refused.json()["code"]) == (422, "source_mismatch"), refused.text
        assert pointers(refused) == places
        dry = await partner.client.post("/v1/decisions?dry_run=true", json=body)
        assert dry.json()["code"] == "source_mismatch"
    assert await count_rows(world_of(app)) == before
    assert (await post(partner, ours)).status_code == 201
    assert (await post(partner, theirs)).status_code == 201


async def test_our_panel_may_correct_an_earlier_award(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    source_id = await make_source(partner)
    first = (await post(partner, earlier_award(partner, source_id))).json()
    clock.advance(days=1)
    why = {"supersedes": first["id"], "reason": "The panel has looked at it."}
    second = await post(partner, decision_body(partner.achievement_id, partner.panel_id, **why))
    assert second.status_code == 201, second.text
    badge = second.json()["credential"]["document"]
    assert badge["id"] == first["credential"]["document"]["id"]
    assert badge["credentialSubject"]["source"]["id"].endswith(partner.panel_id)
    assert await entry_bit(partner.client, first["credential"]["document"])
    clock.advance(days=1)
    third = decision_body(partner.achievement_id, partner.panel_id, outcome="not_yet", results=results("developing"))
    revoked = await post(partner, third | {"supersedes": second.json()["id"], "reason": "It was another person's."})
    assert revoked.json()["credential"]["state"] == "revoked"


@on_sqlite
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"kind": "external", "name": "Registry", "members": ["A-01"]}, "/members"),
        ({"kind": "panel", "name": "Panel"}, "/members"),
        ({"name": "Panel", "members": []}, "/members"),
        ({"kind": "registry", "name": "Registry"}, "/kind"),
    ],
)
async def test_a_panel_has_members_and_a_source_has_none(partner: Partner, body: Document, place: str) -> None:
    refused = await partner.client.post("/v1/panels", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body")
    assert pointers(refused) == [place]


async def test_a_source_never_gets_members(partner: Partner) -> None:
    source_id = await make_source(partner, external_id="registry")
    [listed] = (await partner.client.get("/v1/panels?external_id=registry")).json()["items"]
    assert (listed["kind"], listed["members"]) == ("external", [])
    assert (await partner.client.get(f"/v1/panels/{partner.panel_id}")).json()["kind"] == "panel"
    members = {"members": ["A-01"]}
    refused = await partner.client.put(f"/v1/panels/{source_id}/members", json=members)
    assert (refused.status_code, refused.json()["code"], pointers(refused)) == (422, "source_mismatch", ["/members"])
    assert (await partner.client.put(f"/v1/panels/{partner.panel_id}/members", json=members)).status_code == 200


@on_sqlite
async def test_pages_say_that_the_award_was_taken_over(partner: Partner, api: httpx.AsyncClient) -> None:
    source_id = await make_source(partner)
    taken = (await post(partner, earlier_award(partner, source_id))).json()["credential"]["id"]
    ben = {"recipient": {"email": "ben@schools.example.org"}}
    ours = (await post(partner, decision_body(partner.achievement_id, partner.panel_id, **ben))).json()["credential"][
        "id"
    ]
    pages = {
        path: (await api.get(path, headers=HTML)).text
        for path in (
            f"/panels/{source_id}", f"/panels/{partner.panel_id}", f"/credentials/{taken}", f"/credentials/{ours}",
        )
    }  # fmt: skip
    source, panel, taken_page, ours_page = pages.values()
    assert "Source of earlier awards" in source
    assert "Assessors" not in source
    assert "Assessment panel" in panel
    assert "Who awarded it first" in taken_page
    assert "What the assessors found" not in taken_page
    assert "Who assessed it" in ours_page
