"""Pathways as definitions: versions, and rules that cannot stand."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.issuing import list_all_events, pointers, world_of
from tests.pathways.stacks import all_of, create, group, pathway_body, publish_components, publish_pathway, stack_body


async def test_a_version_is_written_published_and_followed(app: FastAPI, partner: Partner) -> None:
    first, second = await publish_components(partner, "Reading", "Writing")
    awarded = await publish(partner.client, stack_body())
    body = pathway_body(partner, awarded, all_of(first), external_id="literacy")
    made = await create(partner, body)
    url = f"/v1/pathways/{made['id']}"
    assert [each["state"] for each in made["versions"]] == ["draft"]
    assert made["versions"][0]["awards"] == {"achievement_id": awarded, "version": 1}
    assert (await partner.client.post("/v1/pathways", json=body)).json()["code"] == "external_id_taken"
    del body["external_id"]
    assert (await partner.client.post(f"{url}/versions", json=body)).json()["code"] == "draft_exists"
    changed = pathway_body(partner, awarded, all_of(first, second), name="Literacy lead")
    edited = await partner.client.put(f"{url}/versions/1", json=changed)
    assert (edited.status_code, edited.json()["name"], len(edited.json()["rule"]["all"])) == (200, "Literacy lead", 2)
    published = await partner.client.post(f"{url}/versions/1/publish")
    assert (published.status_code, published.json()["state"]) == (200, "published")
    for refused in (
        await partner.client.put(f"{url}/versions/1", json=changed),
        await partner.client.post(f"{url}/versions/1/publish"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "version_not_draft")
    drafted = await partner.client.post(f"{url}/versions", json=body)
    assert (drafted.status_code, drafted.json()["version"], drafted.json()["state"]) == (201, 2, "draft")
    assert (await partner.client.post(f"{url}/versions/2/retire")).status_code == 409
    assert (await partner.client.post(f"{url}/versions/1/retire")).json()["state"] == "retired"
    listed = (await partner.client.get("/v1/pathways", params={"external_id": "literacy"})).json()["items"]
    assert [each["state"] for each in listed[0]["versions"]] == ["retired", "draft"]
    assert (await partner.client.get(f"{url}/versions/1")).json()["name"] == "Literacy lead"
    types = [e.type for e in await list_all_events(world_of(app), partner.issuer_id) if e.object_type == "pathway"]
    assert types == ["pathway.created", "pathway.edited", "pathway.published", "pathway.drafted", "pathway.retired"]


@pytest.mark.parametrize(
    ("rule", "pointer"),
    [
        (None, "/rule"),
        ("all", "/rule"),
        ({"at_least": "2", "of": [{"group": "literacy"}]}, "/rule/at_least"),
        ({"at_least": True, "of": [{"group": "literacy"}]}, "/rule/at_least"),
        ({"at_least": 1, "of": {"group": "literacy"}}, "/rule/of"),
        ({"at_least": 1, "of": [5]}, "/rule/of/0"),
        ({"at_least": 1, "of": [{}]}, "/rule/of/0"),
        ({"at_least": 1, "of": [{"group": ["literacy"]}]}, "/rule/of/0/group"),
        ({"at_least": 1, "of": [{"group": "literacy\u000b"}]}, "/rule/of/0/group"),
        ({"at_least": 1, "of": [{"achievement_id": 7}]}, "/rule/of/0/achievement_id"),
        ({"at_least": 1, "of": [{"achievement_id": "0" * 32, "versions": ["1"]}]}, "/rule/of/0/versions/0"),
        ({"all": [{"group": "literacy"}], "each_badge_once": "yes"}, "/rule/each_badge_once"),
        ({"all": [{"group": "literacy"}], "name": "a\u007fb"}, "/rule/name"),
        ({"all": [{"at_least": 1.5, "of": [{"group": "literacy"}]}]}, "/rule/all/0/at_least"),
        ({"all": [{"group": "literacy", "surplus": 1}]}, "/rule/all/0/surplus"),
    ],
)
async def test_a_rule_of_wrong_types_is_refused_where_it_is_wrong(partner: Partner, rule: Any, pointer: str) -> None:
    body = pathway_body(partner, partner.achievement_id, rule)
    refused = await partner.client.post("/v1/pathways", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body"), refused.text
    assert pointers(refused) == [pointer]


async def test_a_published_version_is_immutable_in_the_database(app: FastAPI, partner: Partner) -> None:
    [component] = await publish_components(partner, "Reading")
    pathway_id = await publish_pathway(
        partner, pathway_body(partner, await publish(partner.client, stack_body()), all_of(component))
    )
    for statement in (
        "UPDATE pathway_version SET content = '{}' WHERE pathway_id = :id",
        "UPDATE pathway_version SET achievement_version = 2 WHERE pathway_id = :id",
        "UPDATE pathway_version SET state = 'draft' WHERE pathway_id = :id",
        "DELETE FROM pathway_component WHERE pathway_id = :id",
    ):
        with pytest.raises(DBAPIError):
            async with world_of(app).database.transaction() as session:
                await session.execute(text(statement), {"id": pathway_id})


async def test_rules_that_cannot_stand(partner: Partner, stranger: Partner) -> None:
    first, second = await publish_components(partner, "Reading", "Writing")
    draft = (await partner.client.post("/v1/achievements", json=achievement_body())).json()["id"]
    awarded = await publish(partner.client, stack_body())
    for rule, pointer in (
        ({"at_least": 1, "of": []}, "/rule/of"),
        ({"at_least": 3, "of": all_of(first, second)["all"]}, "/rule/at_least"),
        (all_of(first, stranger.achievement_id), "/rule/all/1"),
        (all_of(first, "0" * 32), "/rule/all/1"),
        (all_of(first, draft), "/rule/all/1"),
        (all_of(first, first), "/rule/all/1"),
        (all_of(awarded, first), "/rule/all/0"),
        ({"all": [{"group": "none"}]}, "/rule/all/0/group"),
    ):
        refused = await partner.client.post("/v1/pathways", json=pathway_body(partner, awarded, rule))
        assert (refused.status_code, refused.json()["code"]) == (422, "pathway_rule_unsound"), rule
        assert pointer in pointers(refused), refused.text
        assert all(each["cure"] for each in refused.json()["errors"])
    assert (await partner.client.get("/v1/pathways")).json()["items"] == []
    await create(partner, pathway_body(partner, awarded, all_of(first, second)))


@pytest.mark.parametrize("depth", [6, 60, 400, 5000])
async def test_however_deep_a_rule_is_it_is_refused(partner: Partner, depth: int) -> None:
    awarded = await publish(partner.client, stack_body())
    inner = f'{{"achievement_id": "{partner.achievement_id}"}}'
    rule = '{"all": [' * depth + inner + "]}" * depth
    body = (
        f'{{"name": "Deep", "description": "Deep.", "panel_id": "{partner.panel_id}", '
        f'"awards": {{"achievement_id": "{awarded}"}}, "rule": {rule}}}'
    )
    headers = {"Content-Type": "application/json"}
    refused = await partner.client.post("/v1/pathways", content=body, headers=headers)
    assert refused.status_code in (400, 422), refused.text
    assert depth > 6 or pointers(refused) == ["/rule" + "/all/0" * 5]


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"at_least": 1},
        {"of": []},
        {"at_least": 0, "of": [{"group": "a"}]},
        {"at_least": True, "of": [{"group": "a"}]},
        {"at_least": 1, "of": [{"achievement_id": "x"}]},
        {"at_least": 1, "of": [{}]},
        {"at_least": 1, "of": [None]},
        {"at_least": 1, "of": ["0" * 32]},
        {"at_least": 1, "all": []},
        {"all": [{"group": "a", "at_least": 1}]},
        [],
        "all",
        None,
    ],
)  # fmt: skip
async def test_what_is_no_rule_is_refused(partner: Partner, rule: Any) -> None:
    refused = await partner.client.post("/v1/pathways", json=pathway_body(partner, partner.achievement_id, rule))
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body"), refused.text
    assert all(each.startswith("/rule") for each in pointers(refused))


async def test_what_a_pathway_leads_to_can_be_awarded_by_a_rule(partner: Partner, stranger: Partner) -> None:
    [component] = await publish_components(partner, "Reading")
    wanted = [{"key": "plan", "name": "A plan", "genre": "Plan"}]
    evidence = await publish(partner.client, stack_body(required_evidence=wanted))
    theirs = await publish(stranger.client, stack_body())
    for unknown in (theirs, "0" * 32):
        refused = await partner.client.post("/v1/pathways", json=pathway_body(partner, unknown, all_of(component)))
        assert refused.status_code == 404
    for awarded in (partner.achievement_id, evidence):
        refused = await partner.client.post("/v1/pathways", json=pathway_body(partner, awarded, all_of(component)))
        assert (refused.json()["code"], pointers(refused)) == ("pathway_award_unfit", ["/awards"])
    draft = (await partner.client.post("/v1/achievements", json=stack_body())).json()["id"]
    refused = await partner.client.post("/v1/pathways", json=pathway_body(partner, draft, all_of(component)))
    assert refused.json()["code"] == "version_not_published"
    source = {"name": "Old platform", "kind": "external", "organization": {"name": "Old"}}
    panel_id = (await partner.client.post("/v1/panels", json=source)).json()["id"]
    awarded = await publish(partner.client, stack_body())
    body = pathway_body(partner, awarded, all_of(component))
    refused = await partner.client.post("/v1/pathways", json={**body, "panel_id": panel_id})
    assert (refused.json()["code"], pointers(refused)) == ("pathway_award_unfit", ["/panel_id"])
    assert (await partner.client.post("/v1/pathways", json={**body, "panel_id": stranger.panel_id})).status_code == 404
    await create(partner, body)


async def test_the_badge_of_a_pathway_may_count_for_another_but_not_in_a_circle(partner: Partner) -> None:
    reading, writing = await publish_components(partner, "Reading", "Writing")
    stack = await publish(partner.client, stack_body("Stack"))
    bundle = await publish(partner.client, stack_body("Bundle"))
    await publish_pathway(partner, pathway_body(partner, stack, all_of(reading)))
    await publish_pathway(partner, pathway_body(partner, bundle, all_of(stack, writing)))
    again = pathway_body(partner, stack, {"at_least": 1, "of": [{"group": "a"}]})
    refused = await partner.client.post("/v1/pathways", json={**again, "groups": {"a": group("A", [writing, bundle])}})
    assert (refused.status_code, refused.json()["code"]) == (422, "pathway_cycle")
    assert "Stack > Bundle > Stack" in refused.json()["errors"][0]["detail"]
    await create(partner, {**again, "groups": {"a": group("A", [writing])}})


async def test_of_two_pathways_that_would_lead_to_each_other_one_is_published(partner: Partner) -> None:
    [reading] = await publish_components(partner, "Reading")
    one, other = [await publish(partner.client, stack_body(name)) for name in ("One", "Other")]
    made = [
        await create(partner, pathway_body(partner, awarded, all_of(reading, component)))
        for awarded, component in ((one, other), (other, one))
    ]
    answers = await asyncio.gather(
        *(partner.client.post(f"/v1/pathways/{each['id']}/versions/1/publish") for each in made)
    )
    assert sorted(each.status_code for each in answers) == [200, 422], [each.text for each in answers]
    assert [each.json()["code"] for each in answers if each.status_code == 422] == ["pathway_cycle"]
