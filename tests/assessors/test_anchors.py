"""Anchors: from de-identified work over three masters to true scores."""

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI

from tests.anchoring import LOW, MET, SHORT, WORK, Bench, codes, put_anchor
from tests.assessing import put_enrollment, put_submission
from tests.builders import achievement_body
from tests.conftest import Partner
from tests.issuing import pointers, world_of
from tests.people import open_person

WHY = {"problem": "Three sources agree.", "evidence": "There is no baseline."}


def body(partner: Partner, **changes: Any) -> dict[str, Any]:
    return {"achievement_id": partner.achievement_id, "version": 1, "role": "practice", "content": WORK, **changes}


async def draft(partner: Partner, **changes: Any) -> str:
    made = await partner.client.post("/v1/anchors", json=body(partner, **changes))
    assert made.status_code == 201, made.text
    return f"/v1/anchors/{made.json()['id']}"


async def open_leads(app: FastAPI, partner: Partner, count: int) -> list[httpx.AsyncClient]:
    return [(await open_person(app, partner.issuer_id, "lead", name=f"Lead {i}"))[1] for i in range(count)]


async def master(lead: httpx.AsyncClient, anchor: str, levels: dict[str, str] = MET) -> httpx.Response:
    return await lead.post(f"{anchor}/master-readings", json={"levels": levels})


async def reconcile(lead: httpx.AsyncClient, anchor: str, levels: dict[str, str] = SHORT) -> httpx.Response:
    return await lead.post(f"{anchor}/reconcile", json={"levels": levels, "rationales": WHY})


async def test_true_scores_rest_on_three_masters(app: FastAPI, partner: Partner) -> None:
    leads, anchor = await open_leads(app, partner, 4), await draft(partner, external_id="anchor-7")
    for lead in leads[:2]:
        assert (await master(lead, anchor)).status_code == 201
    assert codes(await master(leads[0], anchor, LOW)) == [(409, "master_reading_given")]
    assert codes(await reconcile(leads[3], anchor)) == [(409, "anchor_needs_masters")]
    assert (await master(leads[2], anchor, LOW)).status_code == 201

    settled = (await reconcile(leads[3], anchor)).json()
    assert (settled["state"], settled["levels"], settled["rationales"]) == ("active", SHORT, WHY)
    assert [each["levels"] for each in settled["master_readings"]].count(LOW) == 1
    assert codes(await reconcile(leads[3], anchor, MET), await master(leads[3], anchor)) == [(409, "anchor_state")] * 2
    listed = (await leads[0].get("/v1/anchors?external_id=anchor-7")).json()["items"]
    assert "levels" not in listed[0]
    assert (await partner.client.post(f"{anchor}/retire")).json()["state"] == "retired"
    assert codes(await reconcile(leads[3], anchor)) == [(409, "anchor_state")]


async def test_masters_read_independently(app: FastAPI, partner: Partner) -> None:
    leads, anchor = await open_leads(app, partner, 4), await draft(partner)
    await master(leads[0], anchor, LOW)
    [before] = (await leads[1].get(anchor)).json()["master_readings"]
    assert before["levels"] is None
    await master(leads[1], anchor)
    assert (await leads[1].get(anchor)).json()["master_readings"][0]["levels"] in (LOW, MET)
    await master(leads[2], anchor)
    shown = (await leads[3].get(anchor)).json()["master_readings"]
    assert LOW in [each["levels"] for each in shown], "who reconciles reads all three"


async def test_scores_are_of_this_version(app: FastAPI, partner: Partner) -> None:
    """A level that only a later version has is none of this one."""
    later = achievement_body()
    for criterion in later["rubric"]["criteria"]:
        criterion["levels"] = [*criterion["levels"], {"key": "exemplary", "name": "Exemplary"}]
    path = f"/v1/achievements/{partner.achievement_id}/versions"
    assert (await partner.client.post(path, json=later)).status_code == 201
    assert codes(await partner.client.post("/v1/anchors", json=body(partner, version=2))) == [
        (409, "version_not_published")
    ]
    assert (await partner.client.post(f"{path}/2/publish")).status_code == 200
    leads, anchor, next_one = await open_leads(app, partner, 3), await draft(partner), await draft(partner, version=2)
    exemplary = {**MET, "problem": "exemplary"}
    refused = await master(leads[0], anchor, exemplary)
    assert (codes(refused), pointers(refused)) == ([(422, "unknown_level")], ["/levels/problem"])
    assert (await master(leads[0], next_one, exemplary)).status_code == 201

    for lead in leads:
        await master(lead, anchor)
    wrong = await reconcile(leads[0], anchor, exemplary)
    half = {"levels": MET, "rationales": {"problem": "Three sources agree."}}
    unexplained = await leads[0].post(f"{anchor}/reconcile", json=half)
    assert codes(wrong, unexplained) == [(422, "unknown_level"), (422, "unknown_criterion")]
    assert pointers(unexplained) == ["/rationales/evidence"]


async def test_a_learners_work_needs_their_consent(app: FastAPI, partner: Partner) -> None:
    bench = await Bench.set_up(app, partner)
    enrollment, learner = await put_enrollment(bench.world, bench.program)
    source = (await put_submission(bench.world, partner, enrollment, learner)).id
    refused = await partner.client.post("/v1/anchors", json=body(partner, source_submission_id=source))
    assert (codes(refused), pointers(refused)) == ([(422, "consent_missing")], ["/consent"])
    assert await draft(partner, source_submission_id=source, consent=True)
    unknown = body(partner, source_submission_id="0" * 32, consent=True)
    assert codes(await partner.client.post("/v1/anchors", json=unknown)) == [(404, "not_found")]


async def test_erasing_the_learner_empties_the_anchors_of_their_work(app: FastAPI, partner: Partner) -> None:
    bench = await Bench.set_up(app, partner)
    enrollment, learner = await put_enrollment(bench.world, bench.program)
    source = (await put_submission(bench.world, partner, enrollment, learner)).id
    theirs = await put_anchor(bench.world, partner, source_submission_id=source)
    [other] = await bench.anchors(1)
    exported = (await partner.client.get(f"/v1/learners/{learner.id}/export")).json()
    assert [each["id"] for each in exported["anchors"]] == [theirs]
    assert (await partner.client.post(f"/v1/learners/{learner.id}/erase")).status_code == 200
    emptied = (await bench.lead.get(f"/v1/anchors/{theirs}")).json()
    assert (emptied["state"], emptied["content"], emptied["rationales"]) == ("retired", {}, None)
    kept = (await bench.lead.get(f"/v1/anchors/{other}")).json()
    assert (kept["state"], kept["content"]) == ("active", WORK)


async def test_an_anchor_stands_by_itself(partner: Partner) -> None:
    artifact = {"part": "artifacts", "name": "Audit", "url": "https://evidence.example.org/1"}
    sound = {**WORK, "artifacts": [artifact]}
    for content, code, place in (
        ({**WORK, "unread": ["problem"]}, "invalid_body", "/content/unread"),
        ({"parts": WORK["parts"] * 2}, "invalid_body", "/content/parts"),
        ({"artifacts": [artifact, {**artifact, "url": None}]}, "invalid_body", "/content/artifacts/1"),
        ({"artifacts": [{**artifact, "source_artifact_id": "0" * 32}]}, "invalid_body", "/content/artifacts/0"),
        ({"artifacts": [{**artifact, "part": "annex"}]}, "unknown_part", "/content/artifacts/0/part"),
        ({"parts": [{"key": "annex", "text": "More."}]}, "unknown_part", "/content/parts/0/key"),
        ({**WORK, "variant": "rural"}, "unknown_variant", "/content/variant"),
    ):
        refused = await partner.client.post("/v1/anchors", json=body(partner, content=content))
        assert (codes(refused), pointers(refused)) == ([(422, code)], [place])
    assert await draft(partner, content=sound, external_id="anchor-1")
    again = await partner.client.post("/v1/anchors", json=body(partner, external_id="anchor-1"))
    assert codes(again) == [(409, "external_id_taken")]


async def test_only_leads_see_anchors_and_only_people_judge_them(app: FastAPI, partner: Partner) -> None:
    anchor_id = await put_anchor(world_of(app), partner)
    _, assessor = await open_person(app, partner.issuer_id, "assessor", name="Ann Assessor")
    for path in ("/v1/anchors", f"/v1/anchors/{anchor_id}"):
        answers = [await client.get(path) for client in (partner.client, assessor, partner.staff)]
        assert codes(*answers)[:2] == [(403, "person_required"), (403, "forbidden")]
        assert answers[2].status_code == 200
    anchor = await draft(partner)
    assert codes(await master(partner.client, anchor), await master(assessor, anchor)) == [
        (403, "person_required"), (403, "forbidden")
    ]  # fmt: skip


async def test_two_leads_reconcile_at_once(app: FastAPI, partner: Partner) -> None:
    leads, anchor = await open_leads(app, partner, 3), await draft(partner)
    for lead in leads:
        await master(lead, anchor)
    answers = await asyncio.gather(reconcile(leads[0], anchor, MET), reconcile(leads[1], anchor, SHORT))
    assert sorted(codes(*answers), key=str) == [(200, None), (409, "anchor_state")]
    won = next(each.json()["levels"] for each in answers if each.status_code == 200)
    assert (await leads[2].get(anchor)).json()["levels"] == won


async def test_one_master_reads_twice_at_once(app: FastAPI, partner: Partner) -> None:
    [lead], anchor = await open_leads(app, partner, 1), await draft(partner)
    answers = await asyncio.gather(master(lead, anchor, MET), master(lead, anchor, LOW))
    assert sorted(codes(*answers), key=str) == [(201, None), (409, "master_reading_given")]
