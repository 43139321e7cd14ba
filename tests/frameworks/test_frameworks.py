"""Frameworks over HTTP: imported, looked up, published at the CASE endpoints, exported and imported elsewhere."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.case.read import read_package
from tests.conftest import Partner
from tests.frameworks.packages import (
    CRITERION,
    DOCUMENT,
    ELSEWHERE,
    OTHER,
    RUBRIC,
    STANDARD,
    STATEMENT,
    changed,
    small_package,
    whole_package,
)
from tests.issuing import count_rows, pointers, world_of

LATER = "2026-02-01T00:00:00Z"
CASE = "/issuers/academy/ims/case/v1p1"

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


async def imported(partner: Partner, package: Any, *, status: int = 201) -> dict[str, Any]:
    answer = await partner.client.post("/v1/frameworks", json=package)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def exported(partner: Partner, framework: dict[str, Any], version: int = 1) -> dict[str, Any]:
    answer = await partner.client.get(f"/v1/frameworks/{framework['id']}/versions/{version}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    package: dict[str, Any] = answer.json()
    return package


async def texts(partner: Partner, framework: dict[str, Any], query: str = "") -> list[str]:
    answer = await partner.client.get(f"/v1/frameworks/{framework['id']}/statements?{query}")
    assert answer.status_code == 200, answer.text
    return [each["text"] for each in answer.json()["items"]]


async def test_what_is_exported_imports_elsewhere_and_exports_equal(partner: Partner, stranger: Partner) -> None:
    framework = await imported(partner, whole_package())
    assert framework["notices"] == []
    package = await exported(partner, framework)
    assert package == whole_package()
    elsewhere = await imported(stranger, package)
    assert elsewhere["id"] != framework["id"]
    assert await exported(stranger, elsewhere) == package
    own = {"id", "url", "created_at", "updated_at"}
    assert {k: v for k, v in elsewhere.items() if k not in own} == {k: v for k, v in framework.items() if k not in own}


@pytest.mark.parametrize(
    "name", ["ItemTypeTestFramework", "MarkdownFramework", "SmartLevelFramework", "Utf8TestFramework"]
)
async def test_published_frameworks_import(partner: Partner, stranger: Partner, shared: Path, name: str) -> None:
    document = json.loads((shared / f"data/case/{name}.json").read_text())
    framework = await imported(partner, document)
    assert (framework["title"], framework["notices"]) == (document["CFDocument"]["title"], [])
    assert framework["statements"] == len(document["CFItems"])
    assert await texts(partner, framework) == [item["fullStatement"] for item in document["CFItems"]]
    package = await exported(partner, framework)
    assert await exported(stranger, await imported(stranger, package)) == package


async def test_a_framework_is_shown_and_listed(partner: Partner) -> None:
    framework = await imported(partner, whole_package())
    notices = framework.pop("notices")
    assert notices == []
    assert framework["identifier"] == DOCUMENT
    assert (framework["version"], framework["statements"], framework["rubrics"]) == (1, 3, 1)
    assert (framework["creator"], framework["adoption_status"]) == ("The academy", "Adopted")
    assert framework["last_change_at"] == "2026-01-12T09:00:00Z"
    assert (await partner.client.get(f"/v1/frameworks/{framework['id']}")).json() == framework
    assert (await partner.client.get("/v1/frameworks")).json()["items"] == [framework]
    events = (await partner.client.get("/v1/events?limit=500")).json()["items"]
    assert [(e["type"], e["data"]) for e in events if e["object_id"] == framework["id"]] == [
        ("framework.imported", {"version": 1})
    ]


async def test_statements_are_found_by_code_and_text(partner: Partner) -> None:
    framework = await imported(partner, whole_package())
    full = whole_package()["CFItems"][1]["fullStatement"]
    assert await texts(partner, framework) == ["Equity", full, "Voice"]
    assert await texts(partner, framework, "human_coding_scheme=3.c") == [full]
    assert await texts(partner, framework, "human_coding_scheme=3.C") == []
    assert await texts(partner, framework, "text=EQUIT") == ["Equity", full]
    assert await texts(partner, framework, "text=%25") == []  # no wildcard
    assert await texts(partner, framework, "type=CFRubricCriterionLevel") == ["Demonstrated"]
    path = f"/v1/frameworks/{framework['id']}/statements?limit=2"
    first = (await partner.client.get(path)).json()
    second = (await partner.client.get(f"{path}&after={first['last']}")).json()
    assert [each["identifier"] for each in first["items"] + second["items"]] == [STANDARD, STATEMENT, OTHER]
    third = (await partner.client.get(f"{path}&after={second['last']}")).json()
    assert third == {"items": [], "last": second["last"]}
    assert first["items"][0]["item_type"] == "Standard"


# Importing again


async def test_a_later_state_is_the_next_version(partner: Partner) -> None:
    framework = await imported(partner, whole_package())
    later = whole_package()
    later["CFItems"] = [
        {**later["CFItems"][0], "lastChangeDateTime": LATER, "fullStatement": "Fairness"},
        later["CFItems"][1],
    ]
    later["CFAssociations"] = later["CFAssociations"][:2]
    again = await imported(partner, later)
    assert (again["id"], again["version"], again["statements"]) == (framework["id"], 2, 2)
    assert again["last_change_at"] == LATER
    assert [notice["detail"] for notice in again["notices"]] == [
        f"no longer has {OTHER}: what is aligned to them stays so"
    ]
    assert await texts(partner, framework, "limit=1") == ["Fairness"]
    assert len(await texts(partner, framework)) == 2
    assert await exported(partner, framework, 1) == whole_package()
    assert await exported(partner, framework, 2) == later
    assert (await partner.client.get(f"/v1/frameworks/{framework['id']}/versions/3")).status_code == 404
    gone = await partner.client.get(f"{CASE}/CFItems/{OTHER}")
    assert (gone.status_code, gone.json()["fullStatement"]) == (200, "Voice")


async def test_the_same_state_changes_nothing(app: FastAPI, partner: Partner) -> None:
    framework = await imported(partner, whole_package())
    before = await count_rows(world_of(app))
    again = await imported(partner, whole_package(), status=200)
    assert again.pop("notices") == [{"pointer": "", "detail": "is what version 1 says: nothing changed"}]
    assert again == {name: value for name, value in framework.items() if name != "notices"}
    assert await count_rows(world_of(app)) == before


async def test_another_state_that_is_not_later_is_refused(app: FastAPI, partner: Partner) -> None:
    await imported(partner, whole_package())
    before = await count_rows(world_of(app))
    other = changed(whole_package(), ("CFItems", 0, "fullStatement"), "Fairness")
    for document in (other, changed(other, ("CFItems", 0, "lastChangeDateTime"), "2020-01-01T00:00:00Z")):
        answer = await partner.client.post("/v1/frameworks", json=document)
        assert (answer.status_code, answer.json()["code"]) == (409, "framework_not_newer")
    assert await count_rows(world_of(app)) == before
    assert (await imported(partner, changed(other, ("CFDocument", "lastChangeDateTime"), LATER)))["version"] == 2


async def test_two_at_once_make_one_framework(app: FastAPI, partner: Partner) -> None:
    answers = await asyncio.gather(*(partner.client.post("/v1/frameworks", json=small_package(20)) for _ in range(4)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) == 1
    assert set(statuses) <= {200, 201, 409}
    counts = await count_rows(world_of(app))
    assert (counts["framework"], counts["framework_version"], counts["framework_object"]) == (1, 1, 20)


async def test_a_repeated_request_gets_the_same_answer(partner: Partner) -> None:
    headers = {"Idempotency-Key": "import-1"}
    first = await partner.client.post("/v1/frameworks", json=small_package(), headers=headers)
    second = await partner.client.post("/v1/frameworks", json=small_package(), headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["idempotency-replayed"] == "true"
    assert second.json() == first.json()


# Bad input


async def test_what_is_not_sound_is_refused_and_nothing_is_stored(app: FastAPI, partner: Partner) -> None:
    before = await count_rows(world_of(app))
    package = changed(whole_package(), ("CFAssociations", 0, "originNodeURI", "identifier"), ELSEWHERE)
    answer = await partner.client.post("/v1/frameworks", json=package)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_framework")
    assert pointers(answer) == ["/CFAssociations/0/originNodeURI/identifier"]
    assert ELSEWHERE in answer.json()["errors"][0]["detail"]
    for body in ({}, {"CFDocuments": []}, {"CFDocument": 3}, small_package() | {"CFItems": {"a": 1}}):
        refused = await partner.client.post("/v1/frameworks", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_framework"), body
    assert (await partner.client.post("/v1/frameworks", json=[])).json()["code"] == "invalid_body"
    assert await count_rows(world_of(app)) == before


@on_sqlite
async def test_a_framework_may_be_large_but_not_beyond_measure(partner: Partner) -> None:
    package = small_package(3_000)
    assert 1 << 20 < len(json.dumps(package)) < 8 << 20
    assert (await imported(partner, package))["statements"] == 3_000
    package["CFDocument"]["notes"] = "x" * (8 << 20)
    answer = await partner.client.post("/v1/frameworks", json=package)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    other = await partner.client.post("/v1/panels", json={"name": "x" * (2 << 20), "members": []})
    assert (other.status_code, other.json()["code"]) == (413, "body_too_large")


# The CASE endpoints


async def test_the_case_endpoints_serve_what_was_imported(api: httpx.AsyncClient, partner: Partner) -> None:
    framework = await imported(partner, whole_package())
    package = whole_package()
    document = package["CFDocument"]
    whole = await api.get(f"{CASE}/CFPackages/{DOCUMENT}")
    assert whole.json() == package
    assert framework["url"] == str(whole.request.url)
    by_itself = (await api.get(f"{CASE}/CFDocuments/{DOCUMENT}")).json()
    assert by_itself == {
        **document,
        "CFPackageURI": {"title": document["title"], "identifier": DOCUMENT, "uri": framework["url"]},
    }
    listed = await api.get(f"{CASE}/CFDocuments")
    assert (listed.json(), listed.headers["x-total-count"]) == ({"CFDocuments": [by_itself]}, "1")
    assert (await api.get(f"{CASE}/CFDocuments?offset=1")).json() == {"CFDocuments": []}
    of = {"CFDocumentURI": {name: document[name] for name in ("title", "identifier", "uri")}}
    item = {**package["CFItems"][1], **of}
    assert (await api.get(f"{CASE}/CFItems/{STATEMENT.upper()}")).json() == item
    assert (await api.get(f"{CASE}/CFItemAssociations/{STATEMENT}")).json() == {
        "CFItem": item,
        "CFAssociations": [{**package["CFAssociations"][index], **of} for index in (1, 4)],
    }
    assert (await api.get(f"{CASE}/CFRubrics/{RUBRIC}")).json() == package["CFRubrics"][0]


async def test_the_case_endpoints_answer_what_is_not_there_alike(api: httpx.AsyncClient, partner: Partner) -> None:
    await imported(partner, whole_package())
    for path in (
        f"CFPackages/{ELSEWHERE}", f"CFDocuments/{STATEMENT}", f"CFItems/{ELSEWHERE}", f"CFItems/{RUBRIC}",
        f"CFItems/{DOCUMENT}", f"CFRubrics/{CRITERION}", f"CFItemAssociations/{ELSEWHERE}", "CFItems/17",
    ):  # fmt: skip
        answer = await api.get(f"{CASE}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert (await api.get(f"{CASE.replace('academy', 'nobody')}/CFDocuments")).status_code == 404


async def test_a_reader_that_has_it_already_is_told_so(api: httpx.AsyncClient, partner: Partner) -> None:
    await imported(partner, whole_package())
    for path in (f"CFPackages/{DOCUMENT}", f"CFItems/{STATEMENT}"):
        etag = (await api.get(f"{CASE}/{path}")).headers["etag"]
        assert (await api.get(f"{CASE}/{path}", headers={"If-None-Match": etag})).status_code == 304
        assert (await api.get(f"{CASE}/{path}", headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize("status", ["Private Draft", "private draft"])
async def test_a_private_draft_is_its_owners_alone(api: httpx.AsyncClient, partner: Partner, status: str) -> None:
    package = changed(whole_package(), ("CFDocument", "adoptionStatus"), status)
    framework = await imported(partner, package)
    assert framework["url"] is None
    assert await exported(partner, framework) == package
    paths = [f"{kind}/{DOCUMENT}" for kind in ("CFPackages", "CFDocuments")]
    paths += [f"CFItems/{STATEMENT}", f"CFItemAssociations/{STATEMENT}", f"CFRubrics/{RUBRIC}"]
    for path in paths:
        assert (await api.get(f"{CASE}/{path}")).status_code == 404, path
    assert (await api.get(f"{CASE}/CFDocuments")).json() == {"CFDocuments": []}
    adopted = changed(
        package, ("CFDocument",), {**package["CFDocument"], "adoptionStatus": "Adopted", "lastChangeDateTime": LATER}
    )
    await imported(partner, adopted)
    for path in paths:
        assert (await api.get(f"{CASE}/{path}")).status_code == 200, path


async def test_each_issuer_serves_its_own(api: httpx.AsyncClient, partner: Partner, stranger: Partner) -> None:
    await imported(partner, whole_package())
    theirs = f"/issuers/stranger/ims/case/v1p1/CFPackages/{DOCUMENT}"
    assert (await api.get(theirs)).status_code == 404
    await imported(stranger, changed(whole_package(), ("CFItems", 0, "fullStatement"), "Another wording"))
    assert (await api.get(theirs)).json()["CFItems"][0]["fullStatement"] == "Another wording"
    assert (await api.get(f"{CASE}/CFPackages/{DOCUMENT}")).json()["CFItems"][0]["fullStatement"] == "Equity"


@on_sqlite
async def test_what_is_served_is_case_1_1(api: httpx.AsyncClient, partner: Partner) -> None:
    """A package written as CASE 1.0 is served as CASE 1.1, with the addresses that its owner gave it."""
    await imported(partner, small_package(2))
    served = (await api.get(f"{CASE}/CFPackages/{DOCUMENT}")).json()
    assert served["CFDocument"]["caseVersion"] == "1.1"
    assert served["CFDocument"]["uri"] == small_package()["CFDocument"]["uri"]
    assert read_package(served).package == served
