"""Validity papers: known scores among the readings, and nothing by which to know them."""

from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from app.assessors.store import Anchor, AnchorExposure
from app.identifiers import new_id
from app.readings.jobs import VALIDITY_PAPER_JOB
from app.readings.store import Reading
from tests.builders import results
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.readings.scene import SINGLE, Scene, open_scene

ALWAYS: dict[str, Any] = {**SINGLE, "validity_percent": 100}


async def put_anchor(scene: Scene, **columns: Any) -> Anchor:
    now = scene.world.clock.now()
    work = {
        "context": {"role": "Principal", "school_type": "Middle school", "grade_band": "6-8"}, "variant": None,
        "parts": [{"key": "overview", "text": "A problem."}, {"key": "reflection", "text": "A reflection."}],
        "impact": None, "artifacts": [], "unread": [],
    }  # fmt: skip
    members: dict[str, Any] = {
        "issuer_id": scene.partner.issuer_id, "id": new_id(), "external_id": None,
        "achievement_id": scene.partner.achievement_id, "version": 1, "source_submission_id": None, "role": "validity",
        "state": "active", "content": work, "levels": {"problem": "demonstrated", "evidence": "developing"},
        "rationales": {}, "exposures": 0, "created_at": now, "updated_at": now,
    }  # fmt: skip
    anchor = Anchor(**{**members, **columns})
    await scene.put(anchor)
    return anchor


async def papers(scene: Scene) -> list[Reading]:
    async with scene.world.database.reading() as session:
        return list((await session.scalars(select(Reading).where(Reading.kind == "validity"))).all())


def shape(value: Any) -> Any:
    """The members of a JSON value and the types of what is in them."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value).__name__


def told(answer: httpx.Response) -> Any:
    return answer.status_code, sorted(answer.headers), shape(answer.json())


async def test_a_validity_paper_is_answered_as_any_other_reading(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    async with open_scene(app, partner, ALWAYS) as scene:
        anchor = await put_anchor(scene)
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission)
        assert await papers(scene) == []  # it comes later, at a moment that was drawn
        clock.advance(hours=24)
        await scene.run()
        (paper,) = await papers(scene)
        assert (paper.assessor_code, paper.anchor_id) == (code, anchor.id)
        await scene.run(VALIDITY_PAPER_JOB, reading_id=reading_id)
        assert len(await papers(scene)) == 1
        client = scene.clients[code]
        items = (await client.get("/v1/readings")).json()["items"]
        assert len({str(shape(each)) for each in items}) == 1
        real, validity = f"/v1/readings/{reading_id}", f"/v1/readings/{paper.id}"
        assert told(await client.get(real)) == told(await client.get(validity))
        assert told(await client.post(f"{real}/start")) == told(await client.post(f"{validity}/start"))
        assert told(await client.get(real)) == told(await client.get(validity))
        for body in ({"results": results()[:1]}, {"results": results()}, {"results": results()}):
            answers = [await client.post(f"{path}/submission", json=body) for path in (real, validity)]
            assert told(answers[0]) == told(answers[1])
        assert told(await client.get(real)) == told(await client.get(validity))
        (paper,) = await papers(scene)
        assert (paper.state, paper.sealed_texts, len(paper.levels or [])) == ("submitted", None, 2)
        assert [each.reading_ids for each in await scene.resolutions(submission)] == [[reading_id]]


async def test_nobody_meets_an_anchor_twice_nor_one_they_met_in_another_role(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    async with open_scene(app, partner, ALWAYS, lead=False) as scene:
        source = await scene.accept(await scene.enroll("Source Example"), state="decided")
        practised = await put_anchor(scene, role="practice", source_submission_id=source.id)
        await put_anchor(scene, source_submission_id=source.id)
        now = clock.now()
        await scene.put(
            *(
                AnchorExposure(issuer_id=partner.issuer_id, assessor_id=each.id, anchor_id=practised.id,
                               role="practice", met_at=now)
                for each in scene.assessors.values()
            )
        )  # fmt: skip
        await scene.accept(await scene.enroll("Ada Example"))
        clock.advance(hours=24)
        await scene.run()
        assert await papers(scene) == []
        fresh = await put_anchor(scene)
        for name in ("Ben", "Cleo", "Dan", "Eve"):
            await scene.accept(await scene.enroll(f"{name} Example"))
            clock.advance(hours=24)
            await scene.run()
        met = [(each.assessor_code, each.anchor_id) for each in await papers(scene)]
        assert sorted(met) == [("A-01", fresh.id), ("A-02", fresh.id)]


async def test_giving_a_validity_paper_back_ends_it(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    async with open_scene(app, partner, ALWAYS) as scene:
        await put_anchor(scene)
        code, reading_id = await scene.holder(await scene.accept())
        clock.advance(hours=24)
        await scene.run()
        (paper,) = await papers(scene)
        client = scene.clients[code]
        answers = [
            await client.post(f"/v1/readings/{id_}/recuse", json={"reason": "other"}) for id_ in (reading_id, paper.id)
        ]
        assert told(answers[0]) == told(answers[1])
        assert [each.state for each in await papers(scene)] == ["recused"]


async def test_without_a_share_in_the_policy_there_are_none(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    async with open_scene(app, partner) as scene:
        await put_anchor(scene)
        await scene.accept()
        clock.advance(hours=24)
        await scene.run()
        assert await papers(scene) == []


async def test_leads_who_see_the_anchors_get_none_of_them(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    async with open_scene(app, partner, ALWAYS) as scene:
        await put_anchor(scene)
        for _ in range(3):  # by load: one for each of the three
            await scene.accept(await scene.enroll(f"Ada{new_id()} Example"))
        clock.advance(hours=24)
        await scene.run()
        assert sorted(str(paper.assessor_code) for paper in await papers(scene)) == ["A-01", "A-02"]
