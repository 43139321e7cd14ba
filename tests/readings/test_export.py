"""What was written about somebody's work is in the exports, and gone after an erasure."""

import json

from fastapi import FastAPI
from httpx import AsyncClient

from tests.conftest import Partner
from tests.readings.scene import open_scene

RATIONALE = "Three data sources agree on the problem."


async def list_records(client: AsyncClient, issuer_id: str, kind: str) -> list[dict[str, object]]:
    answer = await client.get(f"/v1/issuers/{issuer_id}/export")
    records = [json.loads(line) for line in answer.text.splitlines()]
    return [each for each in records if each.get("type") == kind]


async def test_exports_have_the_texts_until_the_learner_is_erased(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner) as scene:
        submission = await scene.accept()
        code = await scene.finish(submission)
        learner = f"/v1/learners/{submission.learner_id}"
        assert (await partner.client.get(f"{learner}/export")).json()["readings"] == []
        await scene.set(submission, state="decided")
        told = await partner.client.get(f"{learner}/export")
        (reading,) = told.json()["readings"]
        assert reading["texts"]["problem"]["rationale"] == RATIONALE
        assert code not in told.text
        (record,) = await list_records(partner.client, partner.issuer_id, "reading")
        assert RATIONALE in json.dumps(record)
        assert (await partner.client.post(f"{learner}/erase")).status_code == 200
        (record,) = await list_records(partner.client, partner.issuer_id, "reading")
        assert RATIONALE not in json.dumps(record)
        assert record["state"] == "submitted"
