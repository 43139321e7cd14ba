"""Badges that say where their newest edition is had."""

import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from fastapi import FastAPI

from app.openbadges.conformance import LintFailed, lint
from tests.conftest import Partner
from tests.endorsements.endorsing import require_checked
from tests.fakes import FixedClock
from tests.issuing import change_status, decided, failures, record, require_verifies, verify, world_of
from tests.verification.badges import CONTEXTS

EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
Document = dict[str, Any]


async def _choose(partner: Partner, **settings: Any) -> httpx.Response:
    return await partner.client.put(f"/v1/achievements/{partner.achievement_id}/settings", json=settings)


async def _badge(partner: Partner, **changes: Any) -> Document:
    document: Document = (await decided(partner, **changes))["credential"]["document"]
    return document


async def test_a_badge_says_where_it_is_refreshed_and_is_had_there(
    app: FastAPI, partner: Partner, api: httpx.AsyncClient, clock: FixedClock, shared: Path
) -> None:
    assert (await _choose(partner, refresh=True)).json()["settings"]["refresh"] is True
    decision = await decided(partner)
    badge = decision["credential"]["document"]
    assert badge["@context"][2:] == [EXTENSIONS]
    service = badge["refreshService"]
    assert service["type"] == "1EdTechCredentialRefresh"
    assert decision["credential"]["id"] not in service["id"], "knowing the one address does not give the other"
    await require_verifies(world_of(app), badge)
    require_checked(shared, badge)
    schema = json.loads((shared / "data/schema-strict/ob_v3p0_achievementcredential_schema.json").read_text())
    assert [error.message for error in jsonschema.Draft201909Validator(schema).iter_errors(badge)] == []
    assert (await api.get(service["id"])).json() == badge
    clock.advance(days=1)
    corrected = await record(
        partner,
        supersedes=decision["id"],
        reason="A slip.",
        narrative="Told better.",
        decided_at="2026-04-09T14:00:00Z",
    )
    assert corrected.status_code == 201, corrected.text
    newest = (await api.get(service["id"], headers={"Accept": "application/json"})).json()
    assert newest == corrected.json()["credential"]["document"]
    assert newest != badge
    assert newest["refreshService"] == service
    assert newest["validFrom"] > badge["validFrom"]


async def test_without_the_option_no_badge_says_so(partner: Partner, api: httpx.AsyncClient) -> None:
    badge = await _badge(partner)
    assert "refreshService" not in badge
    assert EXTENSIONS not in badge["@context"]
    assert (await api.get(f"/refresh/{'0' * 32}")).status_code == 404
    of_id = await api.get(f"/refresh/{badge['id'].rpartition('/')[2]}")
    assert of_id.status_code == 404


async def test_private_badges_are_not_refreshed(partner: Partner) -> None:
    refused = await _choose(partner, refresh=True, visibility="private")
    assert refused.status_code == 422
    assert (await _choose(partner, refresh=True, visibility="unlisted")).status_code == 200


async def test_a_badge_that_is_revoked_or_gone_is_answered_as_it_is(
    app: FastAPI, partner: Partner, api: httpx.AsyncClient
) -> None:
    await _choose(partner, refresh=True)
    decision = await decided(partner)
    url = decision["credential"]["document"]["refreshService"]["id"]
    await change_status(partner, decision["credential"]["id"], "revoke")
    answer = await api.get(url)
    assert answer.status_code == 200
    assert "revoked" in failures(await verify(world_of(app), answer.json()))
    assert (await api.get(url, headers={"Accept": "image/png"})).status_code == 406
    await partner.client.post(f"/v1/learners/{decision['learner_id']}/erase")
    assert (await api.get(url)).status_code == 410


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_the_extensions_stand_with_a_refresh_service_and_only_then(partner: Partner) -> None:
    await _choose(partner, refresh=True)
    badge = await _badge(partner)
    unsecured = {name: value for name, value in badge.items() if name != "proof"}
    lint(unsecured, contexts=CONTEXTS)
    contexts = unsecured["@context"]
    for wrong in (
        {**unsecured, "@context": contexts[:2]},
        {name: value for name, value in unsecured.items() if name != "refreshService"},
        {**unsecured, "@context": [contexts[0], contexts[2], contexts[1]]},
        {**unsecured, "refreshService": {**unsecured["refreshService"], "type": "Another"}},
    ):
        with pytest.raises(LintFailed):
            lint(wrong, contexts=CONTEXTS)
