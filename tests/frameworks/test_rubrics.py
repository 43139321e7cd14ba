"""The rubric of an achievement as CASE: it imports like any framework, and its levels can be aligned to."""

from typing import Any

import httpx

from app.case.read import read_package
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.frameworks.packages import STATEMENT, whole_package


async def aligned_achievement(partner: Partner) -> str:
    """An achievement whose second criterion is aligned to a page and to a statement: its id."""
    assert (await partner.client.post("/v1/frameworks", json=whole_package())).status_code == 201
    body = achievement_body(in_language="en")
    page = {"target_name": "A page", "target_url": "https://example.org/a"}
    body["rubric"]["criteria"][1] |= {"description": "More than one.", "alignments": [page, {"statement": STATEMENT}]}
    return await publish(partner.client, body)


async def fetched(api: httpx.AsyncClient, achievement_id: str) -> dict[str, Any]:
    answer = await api.get(f"/achievements/{achievement_id}/v1/case")
    assert answer.status_code == 200, answer.text
    package: dict[str, Any] = answer.json()
    return package


async def test_a_rubric_is_a_package_that_says_all_of_it(api: httpx.AsyncClient, partner: Partner) -> None:
    achievement_id = await aligned_achievement(partner)
    package = await fetched(api, achievement_id)
    document = (await api.get(f"/achievements/{achievement_id}/v1?format=json")).json()
    assert package["CFDocument"]["uri"] == document["id"]
    assert (package["CFDocument"]["creator"], package["CFDocument"]["adoptionStatus"]) == ("The academy", "Adopted")
    [rubric] = package["CFRubrics"]
    first, second = rubric["CFRubricCriteria"]
    described = {result["id"]: result for result in document["resultDescription"]}
    assert "CFItemURI" not in first
    assert second["CFItemURI"]["identifier"] == STATEMENT
    assert second["description"] == "Uses evidence\n\nMore than one."
    levels = described[second["uri"]]["rubricCriterionLevel"]
    assert [(level["uri"], level["quality"]) for level in second["CFRubricCriterionLevels"]] == [
        (level["id"], level["name"]) for level in levels
    ]
    assert [level["score"] for level in second["CFRubricCriterionLevels"]] == [0, 1, 2]
    assert [level["position"] for level in second["CFRubricCriterionLevels"]] == [1, 2, 3]
    assert await fetched(api, achievement_id) == package


async def test_a_rubric_imports_elsewhere_and_its_levels_can_be_named(
    api: httpx.AsyncClient, partner: Partner, stranger: Partner
) -> None:
    package = await fetched(api, await aligned_achievement(partner))
    assert read_package(package).package == package
    imported = await stranger.client.post("/v1/frameworks", json=package)
    assert imported.status_code == 201, imported.text
    assert [notice["pointer"] for notice in imported.json()["notices"]] == ["/CFRubrics/0/CFRubricCriteria/1/CFItemURI"]
    exported = await stranger.client.get(f"/v1/frameworks/{imported.json()['id']}/versions/1")
    assert exported.json() == package
    level = package["CFRubrics"][0]["CFRubricCriteria"][0]["CFRubricCriterionLevels"][2]
    body = achievement_body(alignments=[{"statement": level["identifier"]}])
    created = await stranger.client.post("/v1/achievements", json=body)
    [alignment] = created.json()["versions"][0]["content"]["alignments"]
    assert alignment["target_type"] == "CFRubricCriterionLevel"
    assert alignment["target_url"] == level["uri"]


async def test_a_draft_has_no_package_and_a_retired_version_says_so(
    api: httpx.AsyncClient, partner: Partner, stranger: Partner, clock: FixedClock
) -> None:
    live = await fetched(api, partner.achievement_id)
    assert (await stranger.client.post("/v1/frameworks", json=live)).status_code == 201
    clock.advance(seconds=60)
    path = f"/v1/achievements/{partner.achievement_id}/versions"
    assert (await partner.client.post(path, json=achievement_body())).status_code == 201
    assert (await api.get(f"/achievements/{partner.achievement_id}/v2/case")).status_code == 404
    assert (await partner.client.post(f"{path}/1/retire")).status_code == 200
    package = await fetched(api, partner.achievement_id)
    assert package["CFDocument"]["adoptionStatus"] == "Deprecated"
    assert package["CFRubrics"] == live["CFRubrics"]
    assert (await stranger.client.post("/v1/frameworks", json=package)).json()["version"] == 2
