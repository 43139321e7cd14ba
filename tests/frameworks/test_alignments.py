"""Criteria and achievements aligned to statements of imported frameworks, by their GUIDs."""

from typing import Any

import pytest

from tests.builders import achievement_body
from tests.conftest import Partner
from tests.frameworks.packages import DOCUMENT, ELSEWHERE, LEVEL, STATEMENT, URL, changed, small_package, whole_package
from tests.issuing import decided, pointers

ALIGNED = {
    "target_name": "3.c Ensures equitable access to effective teachers. For each student 𝑑.",
    "target_url": f"{URL}/CFItems/{STATEMENT}",
    "target_code": STATEMENT,
    "target_framework": "Leading for equity",
    "target_type": "CFItem",
}


async def import_whole(partner: Partner, package: Any = None) -> None:
    answer = await partner.client.post("/v1/frameworks", json=package or whole_package())
    assert answer.status_code == 201, answer.text


def aligned_body(*alignments: dict[str, Any], on_criterion: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    body = achievement_body(alignments=list(alignments))
    body["rubric"]["criteria"][1]["alignments"] = list(on_criterion)
    return body


async def test_a_criterion_aligned_by_guid_carries_the_statement_into_the_badge(partner: Partner) -> None:
    await import_whole(partner)
    plain = {"target_name": "A page", "target_url": "https://example.org/a"}
    body = aligned_body(plain, {"statement": LEVEL}, on_criterion=({"statement": STATEMENT.upper()},))
    created = await partner.client.post("/v1/achievements", json=body)
    assert created.status_code == 201, created.text
    content = created.json()["versions"][0]["content"]
    assert content["rubric"]["criteria"][1]["alignments"] == [ALIGNED]
    assert content["alignments"][0] == plain
    assert content["alignments"][1]["target_name"] == "Demonstrated"
    assert content["alignments"][1]["target_type"] == "CFRubricCriterionLevel"
    path = f"/v1/achievements/{created.json()['id']}/versions/1"
    # What is read can be sent back.
    edited = {name: value for name, value in content.items() if name != "other_identifiers"}
    assert (await partner.client.put(path, json=edited)).json()["content"] == content
    assert (await partner.client.post(f"{path}/publish")).status_code == 200
    decision = await decided(partner, achievement_id=created.json()["id"])
    achievement = decision["credential"]["document"]["credentialSubject"]["achievement"]
    [alignment] = next(r["alignment"] for r in achievement["resultDescription"] if r.get("alignment"))
    assert alignment == {
        "type": ["Alignment"],
        "targetName": ALIGNED["target_name"],
        "targetUrl": ALIGNED["target_url"],
        "targetCode": STATEMENT,
        "targetFramework": "Leading for equity",
        "targetType": "CFItem",
    }


async def test_a_new_version_of_the_framework_takes_nothing_from_a_criterion(partner: Partner) -> None:
    await import_whole(partner)
    body = aligned_body(on_criterion=({"statement": STATEMENT},))
    created = (await partner.client.post("/v1/achievements", json=body)).json()
    without = small_package(lastChangeDateTime="2026-06-01T00:00:00Z")
    without["CFDocument"]["title"] = "Leading for equity"
    await import_whole(partner, without)
    found = (await partner.client.get(f"/v1/achievements/{created['id']}")).json()
    assert found["versions"][0]["content"]["rubric"]["criteria"][1]["alignments"] == [ALIGNED]
    # What the new version left out can still be named: badges do.
    drafted = await partner.client.post("/v1/achievements", json=body)
    assert drafted.json()["versions"][0]["content"]["rubric"]["criteria"][1]["alignments"] == [ALIGNED]


async def test_another_issuers_statement_is_like_none(partner: Partner, stranger: Partner) -> None:
    await import_whole(partner)
    answers = []
    for client, guid in ((stranger.client, STATEMENT), (partner.client, ELSEWHERE), (partner.client, DOCUMENT)):
        body = aligned_body({"statement": guid}, on_criterion=({"statement": guid},))
        answer = await client.post("/v1/achievements", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_achievement")
        assert pointers(answer) == ["/alignments/0/statement", "/rubric/criteria/1/alignments/0/statement"]
        answers.append(answer.json()["errors"])
    assert answers[0] == answers[1] == answers[2]
    own = aligned_body({"statement": STATEMENT})
    assert (await partner.client.post("/v1/achievements", json=own)).status_code == 201


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_an_alignment_is_one_or_the_other(partner: Partner) -> None:
    for alignment, place in (
        ({"statement": "3.c"}, "/alignments/0/statement"),
        ({"statement": STATEMENT, "target_name": "x"}, "/alignments/0/target_name"),
        ({"target_name": "x"}, "/alignments/0/target_url"),
        ({"target_name": "x", "target_url": "https://example.org", "target_kode": "x"}, "/alignments/0/target_kode"),
        ("x", "/alignments/0"),
    ):
        answer = await partner.client.post("/v1/achievements", json=achievement_body(alignments=[alignment]))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_body")
        assert pointers(answer) == [place], answer.text


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_a_statement_without_an_address_or_too_long_for_a_name(partner: Partner) -> None:
    long = "Ensures " + "equitable access " * 40
    package = changed(whole_package(), ("CFItems", 1, "fullStatement"), long)
    await import_whole(partner, changed(package, ("CFItems", 0, "uri"), "urn:example:standard-3"))
    created = await partner.client.post("/v1/achievements", json=aligned_body({"statement": STATEMENT}))
    [alignment] = created.json()["versions"][0]["content"]["alignments"]
    assert len(alignment["target_name"]) <= 300
    assert alignment["target_name"].endswith(" access…") or alignment["target_name"].endswith(" equitable…")
    assert alignment["target_description"] == long.strip()
    refused = await partner.client.post(
        "/v1/achievements", json=aligned_body({"statement": package["CFItems"][0]["identifier"]})
    )
    assert pointers(refused) == ["/alignments/0/statement"]
    assert "address" in refused.json()["errors"][0]["detail"]


async def test_control_characters_of_a_framework_become_blanks(partner: Partner) -> None:
    """Its owner wrote them, no badge may have them, and who aligns to it cannot mend them."""
    package = changed(whole_package(), ("CFItems", 1, "fullStatement"), "\x08Leads\x0bwith\x01\x7f\x9fcare\uffff")
    await import_whole(partner, changed(package, ("CFItems", 1, "humanCodingScheme"), "3\x02c"))
    created = await partner.client.post("/v1/achievements", json=aligned_body({"statement": STATEMENT}))
    [alignment] = created.json()["versions"][0]["content"]["alignments"]
    assert alignment["target_name"] == "3 c Leads with care"
    publishing = await partner.client.post(f"/v1/achievements/{created.json()['id']}/versions/1/publish")
    assert publishing.status_code == 200, publishing.text
