"""Pathways for tests: small achievements, the badges that people have of them, and what is proposed."""

from typing import Any, cast

import httpx
from fastapi import FastAPI

from app.worker import open_runner
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.issuing import Document, decided, world_of

STACK_LEVELS = [{"key": "not-earned", "name": "Not earned"}, {"key": "earned", "name": "Earned"}]


def stack_body(name: str = "Literacy leader", **changes: Any) -> dict[str, Any]:
    """An achievement that a pathway may lead to."""
    criterion = {"key": "components", "name": "Components earned", "passing_level": "earned", "levels": STACK_LEVELS}
    return {
        "name": name,
        "description": "The micro-credentials that make a literacy leader.",
        "criteria": {"narrative": "Four micro-credentials, as the pathway says."},
        "rubric": {"criteria": [criterion]},
        **changes,
    }


async def publish_components(partner: Partner, *names: str) -> list[str]:
    """Ids of published achievements with these names."""
    return [await publish(partner.client, achievement_body(name=name)) for name in names]


def group(name: str, achievement_ids: list[str]) -> dict[str, Any]:
    return {"name": name, "achievements": [{"achievement_id": each} for each in achievement_ids]}


def pathway_body(partner: Partner, awarded_id: str, rule: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "name": "Literacy leader",
        "description": "For who has shown the parts of the work.",
        "panel_id": partner.panel_id,
        "awards": {"achievement_id": awarded_id},
        "rule": rule,
        **changes,
    }


def all_of(*achievement_ids: str) -> dict[str, Any]:
    return {"all": [{"achievement_id": each} for each in achievement_ids]}


async def create(partner: Partner, body: dict[str, Any]) -> Document:
    made = await partner.client.post("/v1/pathways", json=body)
    assert made.status_code == 201, made.text
    return cast(Document, made.json())


async def publish_pathway(partner: Partner, body: dict[str, Any]) -> str:
    """Id of a pathway whose first version is in force."""
    pathway_id = str((await create(partner, body))["id"])
    published = await partner.client.post(f"/v1/pathways/{pathway_id}/versions/1/publish")
    assert published.status_code == 200, published.text
    return pathway_id


async def run_jobs(app: FastAPI) -> None:
    """Do everything that is due."""
    runner = open_runner(world_of(app))
    while await runner.run_one():
        pass


async def earn(
    app: FastAPI, partner: Partner, achievement_id: str, email: str = "ada.example@schools.example.org", **changes: Any
) -> Document:
    """Give somebody the badge of an achievement, and let follow what follows: the credential."""
    name = email.partition("@")[0].replace(".", " ").title()
    recipient = {"recipient": {"name": name, "email": email}} if "learner_id" not in changes else {"recipient": None}
    answer = await decided(partner, achievement_id=achievement_id, **recipient, **changes)
    await run_jobs(app)
    return cast(Document, answer["credential"] | {"learner_id": answer["learner_id"]})


async def change_badge(app: FastAPI, partner: Partner, credential_id: str, verb: str) -> None:
    changed = await partner.client.post(f"/v1/credentials/{credential_id}/{verb}", json={"reason": "A reason."})
    assert changed.status_code == 200, changed.text
    await run_jobs(app)


async def list_proposals(partner: Partner, **query: str) -> list[Document]:
    answer = await partner.client.get("/v1/pathway-proposals", params=query)
    assert answer.status_code == 200, answer.text
    return cast(list[Document], answer.json()["items"])


async def act(client: httpx.AsyncClient, proposal: Document, verb: str, **body: Any) -> httpx.Response:
    """`client` approves, declines or reviews a proposal."""
    return await client.post(f"/v1/pathway-proposals/{proposal['id']}/{verb}", json=body or None)
