"""What the tests of identity share: changing and merging learners, running the jobs that follow, reading badges."""

from typing import Any

import httpx
from fastapi import FastAPI

from app.openbadges.identity import hash_identity
from app.worker import open_runner
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.issuing import Document, failures, require_verifies, verify, world_of

ADA = "ada.example@schools.example.org"
BYRON = "ada.byron@schools.example.org"
DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
OTHER_DID = "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG"


async def change(partner: Partner, learner_id: str, **changes: Any) -> httpx.Response:
    return await partner.client.patch(f"/v1/learners/{learner_id}", json=changes)


async def changed(partner: Partner, learner_id: str, **changes: Any) -> Document:
    """The answer to a change that is accepted."""
    answer = await change(partner, learner_id, **changes)
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


async def add(partner: Partner, learner_id: str, **identity: Any) -> httpx.Response:
    return await partner.client.post(f"/v1/learners/{learner_id}/identities", json=identity)


async def merge(partner: Partner, survivor_id: str, other_id: str) -> httpx.Response:
    return await partner.client.post(f"/v1/learners/{survivor_id}/merge", json={"learner_id": other_id})


async def merged(partner: Partner, survivor_id: str, other_id: str) -> Document:
    answer = await merge(partner, survivor_id, other_id)
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


async def learner_of(partner: Partner, learner_id: str) -> Document:
    answer = await partner.client.get(f"/v1/learners/{learner_id}")
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


async def run_due_jobs(app: FastAPI) -> None:
    runner = open_runner(world_of(app))
    while await runner.run_one():
        pass


async def published(partner: Partner, **settings: Any) -> str:
    """Publish an achievement with these settings; decisions are about it from now on. Its id."""
    partner.achievement_id = await publish(
        partner.client, achievement_body(settings={"visibility": "public", **settings})
    )
    return partner.achievement_id


async def served(partner: Partner, badge: Document) -> Document:
    """The badge as anybody gets it now."""
    answer = await partner.client.get(badge["id"], headers={"Authorization": ""})
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


def says(badge: Document) -> dict[str, Any]:
    """What a badge says of its recipient: DID, name, and which of the addresses used here it was hashed from."""
    subject = badge["credentialSubject"]
    told: dict[str, Any] = {"did": subject.get("id")}
    for each in subject.get("identifier", []):
        if each["hashed"]:
            matching = [a for a in (ADA, BYRON, ADA.upper()) if hash_identity(a, each["salt"]) == each["identityHash"]]
            told["email"] = matching[0] if matching else "another"
        else:
            told["name"] = each["identityHash"]
    return told


async def require_reissued(app: FastAPI, partner: Partner, before: Document) -> Document:
    """The badge that replaced `before` under its id: valid, later, otherwise the same, and the one before shows revoked."""
    after = await served(partner, before)
    assert after["id"] == before["id"]
    assert after["validFrom"] > before["validFrom"]
    assert after["awardedDate"] == before["awardedDate"]
    assert after.get("validUntil") == before.get("validUntil")
    for member in ("achievement", "result", "source", "narrative", "role"):
        assert after["credentialSubject"].get(member) == before["credentialSubject"].get(member), member
    assert after.get("evidence") == before.get("evidence")
    assert after["credentialStatus"]["id"] != before["credentialStatus"]["id"]
    await require_verifies(world_of(app), after)
    [code] = failures(await verify(world_of(app), before))
    assert code in ("revoked", "suspended")
    return after
