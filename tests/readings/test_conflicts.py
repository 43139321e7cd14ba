"""Who stands close to the learner reads none of their work, whatever way they take."""

from typing import get_args

import pytest
from fastapi import FastAPI

from app.access.store import Person
from app.identifiers import new_id
from app.programs.store import Affiliation, AffiliationKind
from tests.conftest import Partner
from tests.readings.scene import open_scene


@pytest.mark.parametrize("kind", get_args(AffiliationKind))
async def test_no_affiliation_is_let_through(app: FastAPI, partner: Partner, kind: AffiliationKind) -> None:
    async with open_scene(app, partner, lead=False) as scene:
        enrollment, learner = await scene.enroll()
        rows = [
            Affiliation(
                issuer_id=partner.issuer_id, id=new_id(), learner_id=learner.id, person_id=assessor.person_id,
                kind=kind, declared_by="test", created_at=scene.world.clock.now(), ended_at=None,
            )
            for assessor in scene.assessors.values()
        ]  # fmt: skip
        await scene.put(*rows)
        submission = await scene.accept((enrollment, learner))
        assert [each.state for each in await scene.readings(submission)] == ["open"], "nobody may be given it"
        for client in scene.clients.values():
            refused = await client.post("/v1/readings/claim")
            assert (refused.status_code, refused.json()["code"]) == (404, "nothing_to_read")
        async with scene.world.database.transaction() as session:
            ended = await session.get_one(Affiliation, (partner.issuer_id, rows[1].id))
            ended.ended_at = scene.world.clock.now()
        assert (await scene.clients["A-01"].post("/v1/readings/claim")).json()["code"] == "nothing_to_read"
        assert (await scene.clients["A-02"].post("/v1/readings/claim")).status_code == 200


async def test_neither_the_learner_nor_their_school_is_let_through(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, lead=False) as scene:
        await scene.add_assessor("A-03", school=" OAK street")
        enrollment, learner = await scene.enroll(school="Oak Street")
        async with scene.world.database.transaction() as session:
            own = await session.get_one(Person, (partner.issuer_id, scene.assessors["A-01"].person_id))
            own.learner_id = learner.id
            (await session.merge(scene.assessors["A-02"])).is_active = False
        submission = await scene.accept((enrollment, learner))
        assert [each.state for each in await scene.readings(submission)] == ["open"]
        for code in ("A-01", "A-03"):
            assert (await scene.clients[code].post("/v1/readings/claim")).json()["code"] == "nothing_to_read", code
        await scene.add_assessor("A-04", school="Elm Street")
        assert (await scene.clients["A-04"].post("/v1/readings/claim")).status_code == 200
