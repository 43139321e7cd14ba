"""What learners say of themselves: theirs to say, to read and to take back; nobody's else to see, least of all who judges."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.access.principals import ROLE_SCOPES, Scope
from app.learners.store import Learner
from app.settings import Settings
from tests.assessing import put_enrollment, put_program
from tests.builders import decision_body
from tests.conftest import Partner
from tests.house.databases import is_in, list_contents, open_owner
from tests.house.operations import list_operations
from tests.issuing import world_of
from tests.people import open_person

VOCABULARY = "/v1/demographics/vocabulary"
OWN = "/v1/me/demographics"
ASKED: dict[str, Any] = {
    "dimensions": [
        {"key": "gender", "label": "Gender", "values": [
            {"key": "woman", "label": "Woman"}, {"key": "man", "label": "Man"},
            {"key": "kanary-value", "label": "Another"}]},
        {"key": "school-type", "label": "School", "values": [
            {"key": "elementary", "label": "Elementary"}, {"key": "high", "label": "High"}]},
    ],
    "tables": [["gender", "cohort"]],
}  # fmt: skip
SAID = {"gender": "kanary-value", "school-type": "prefer-not-to-say"}


@pytest.fixture
async def learner(app: FastAPI, partner: Partner) -> AsyncIterator[tuple[Learner, httpx.AsyncClient]]:
    """A learner who signs in, of an issuer that asks."""
    assert (await partner.client.put(VOCABULARY, json=ASKED)).status_code == 200
    program = await put_program(world_of(app), partner)
    _, found = await put_enrollment(world_of(app), program)
    _, client = await open_person(app, partner.issuer_id, "learner", name="Lea Example", learner_id=found.id)
    async with client:
        yield found, client


async def test_a_learner_says_reads_and_takes_back(
    learner: tuple[Learner, httpx.AsyncClient], partner: Partner, settings: Settings
) -> None:
    _, client = learner
    assert (await client.get(VOCABULARY)).json()["dimensions"] == ASKED["dimensions"]
    assert (await client.get(OWN)).json() == {"values": {}, "declared_at": None}
    said = await client.put(OWN, json={"values": SAID})
    assert said.status_code == 200, said.text
    assert (await client.get(OWN)).json()["values"] == SAID
    await client.put(OWN, json={"values": {"gender": "woman"}})
    assert (await client.get(OWN)).json()["values"] == {"gender": "woman"}
    assert (await client.delete(OWN)).json() == {"values": {}, "declared_at": None}
    assert (await client.get(OWN)).json() == {"values": {}, "declared_at": None}
    assert (await client.delete(OWN)).status_code == 200
    async with open_owner(settings) as engine:
        assert (await list_contents(engine))["demographic_declaration"] == []


async def test_what_is_said_stands_sealed_and_is_gone_on_erasure(
    learner: tuple[Learner, httpx.AsyncClient], partner: Partner, settings: Settings
) -> None:
    found, client = learner
    await client.put(OWN, json={"values": SAID})
    async with open_owner(settings) as engine:
        contents = await list_contents(engine)
        assert is_in(contents, "kanary-value") == ["demographic_vocabulary"]
        assert len(contents["demographic_declaration"]) == 1
    exported = (await partner.client.get(f"/v1/learners/{found.id}/export")).json()
    assert exported["demographics"]["values"] == SAID
    everything = (await partner.client.get(f"/v1/issuers/{partner.issuer_id}/export")).text
    lines = [json.loads(line) for line in everything.splitlines()]
    assert [line["values"] for line in lines if line["type"] == "demographic_declaration"] == [SAID]
    assert (await partner.client.post(f"/v1/learners/{found.id}/erase")).status_code == 200
    async with open_owner(settings) as engine:
        assert (await list_contents(engine))["demographic_declaration"] == []


async def test_the_partners_system_passes_on_and_is_told_nothing_back(
    learner: tuple[Learner, httpx.AsyncClient], partner: Partner
) -> None:
    found, client = learner
    path = f"/v1/learners/{found.id}/demographics"
    passed = await partner.client.put(path, json={"values": SAID})
    assert passed.status_code == 200
    assert set(passed.json()) == {"learner_id", "declared_at"}
    assert (await client.get(OWN)).json()["values"] == SAID
    assert (await partner.client.get(path)).status_code == 405
    events = (await partner.client.get("/v1/events?limit=500")).text
    assert "demographics.declared" in events
    assert "kanary-value" not in events
    assert (await partner.client.delete(path)).json() == {"learner_id": found.id, "declared_at": None}
    assert (await client.get(OWN)).json()["values"] == {}


@pytest.mark.parametrize(
    ("values", "pointer"),
    [({"gender": "wizard"}, "/values/gender"), ({"shoe-size": "woman"}, "/values/shoe-size"),
     ({"cohort": "woman"}, "/values/cohort"), ({"gender": "undisclosed"}, "/values/gender")],
)  # fmt: skip
async def test_only_words_of_the_vocabulary_are_taken(
    learner: tuple[Learner, httpx.AsyncClient], values: dict[str, str], pointer: str
) -> None:
    _, client = learner
    refused = await client.put(OWN, json={"values": values})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_demographic")
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert (await client.get(OWN)).json()["values"] == {}


async def test_without_a_vocabulary_nothing_is_asked(app: FastAPI, partner: Partner) -> None:
    program = await put_program(world_of(app), partner)
    _, found = await put_enrollment(world_of(app), program)
    _, client = await open_person(app, partner.issuer_id, "learner", name="Lea Example", learner_id=found.id)
    for answer in (await client.get(VOCABULARY), await client.put(OWN, json={"values": {}})):
        assert (answer.status_code, answer.json()["code"]) == (404, "no_vocabulary")
    _, lead = await open_person(app, partner.issuer_id, "lead", name="Len Example")
    assert (await lead.get(OWN)).status_code == 403
    assert (await lead.put(VOCABULARY, json=ASKED)).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"tables": [["gender", "gender"]]},
        {"tables": [["gender"], ["gender"]]},
        {"tables": [["unknown"]]},
        {"dimensions": [ASKED["dimensions"][0], ASKED["dimensions"][0]]},
        {"dimensions": [{**ASKED["dimensions"][0], "key": "cohort"}]},
        {"dimensions": [{**ASKED["dimensions"][0], "values": [{"key": "undisclosed", "label": "?"}] * 2}]},
        {"minimum_people": 4},
    ],
)
async def test_an_unsound_vocabulary_is_refused(partner: Partner, change: dict[str, Any]) -> None:
    refused = await partner.client.put(VOCABULARY, json={**ASKED, **change})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body")
    assert (await partner.client.put(VOCABULARY, json=ASKED)).status_code == 200


async def test_of_two_learners_who_are_one_what_was_said_last_counts(
    app: FastAPI, learner: tuple[Learner, httpx.AsyncClient], partner: Partner, clock: Any
) -> None:
    found, client = learner
    other = await partner.client.post("/v1/learners", json={"email": "other@schools.example.org"})
    await client.put(OWN, json={"values": {"gender": "woman"}})
    clock.advance(days=1)
    await partner.client.put(f"/v1/learners/{other.json()['id']}/demographics", json={"values": SAID})
    merged = await partner.client.post(f"/v1/learners/{found.id}/merge", json={"learner_id": other.json()["id"]})
    assert merged.status_code == 200, merged.text
    assert (await client.get(OWN)).json()["values"] == SAID
    exported = (await partner.client.get(f"/v1/learners/{found.id}/export")).json()
    assert exported["demographics"]["values"] == SAID
    await client.delete(OWN)
    assert (await client.get(OWN)).json()["values"] == {}


@pytest.mark.parametrize("role", ["assessor", "lead", "approver"])
async def test_who_judges_is_told_by_no_operation(
    app: FastAPI, learner: tuple[Learner, httpx.AsyncClient], partner: Partner, role: Any
) -> None:
    """Every GET there is, with the ids of the learner and their badge."""
    found, client = learner
    await client.put(OWN, json={"values": SAID})
    body = decision_body(partner.achievement_id, partner.panel_id)
    decided = await partner.client.post(
        "/v1/decisions", json={**{k: v for k, v in body.items() if k != "recipient"}, "learner_id": found.id}
    )
    assert decided.status_code == 201, decided.text
    program = (await partner.client.get("/v1/programs")).json()["items"][0]["id"]
    ids = {
        "learner_id": found.id, "credential_id": decided.json()["credential"]["id"], "version": 1, "program_id": program,
        "decision_id": decided.json()["id"], "issuer_id": partner.issuer_id, "slug": "academy",
        "achievement_id": partner.achievement_id, "panel_id": partner.panel_id,
    }  # fmt: skip
    assert "kanary" not in decided.text
    _, judge = await open_person(app, partner.issuer_id, role, name="Jude Example")
    read = 0
    for operation in list_operations():
        if operation.method != "GET" or operation.id == "get_demographic_vocabulary":
            continue
        names = dict.fromkeys(operation.parameters("path"), "0" * 64 if "{digest}" in operation.path else "0" * 32)
        answer = await judge.get(operation.path.format(**{**names, **ids}))
        assert "kanary-value" not in answer.text, operation.id
        read += answer.status_code == 200
    assert read > 10
    path = f"/v1/learners/{found.id}/demographics"
    assert (await judge.put(path, json={"values": SAID})).status_code == 403
    scopes = ROLE_SCOPES[role]
    assert not scopes & {Scope.DEMOGRAPHICS_WRITE, Scope.LEARNERS_READ, Scope.REPORTS_READ, Scope.ISSUER_EXPORT}
