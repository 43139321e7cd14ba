"""Real problem documents, as the examples at /problems/{code} and in docs/problems.md. `make openapi` records them anew.

Every mistake that a partner can make by themselves is made once against the service (at https://badges.example.org).
"""

import asyncio
import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI

import app.web
from app.access.clients import create_client
from app.access.principals import TENANT_SCOPES, Scope
from app.frameworks.router import PACKAGE
from app.resources import Resources
from app.web.observation import configure_logging
from tests.builders import achievement_body, badge_class, decision_body, panel_body, results
from tests.conftest import publish
from tests.fakes import FixedClock
from tests.house.areas import (
    assessors,
    clr,
    decisions,
    demographics,
    endorsements,
    misconduct,
    monitoring,
    oauth,
    obapi,
    pathways,
    people,
    profiles,
    programs,
    quality,
    readings,
    recognition,
    reports,
    submissions,
    vcapi,
)
from tests.house.areas.stories import Mistakes
from tests.house.record_examples import open_application
from tests.house.recorded import write_recorded
from tests.people import sign_in_everybody

EXAMPLES = Path(app.web.__file__).with_name("problem_examples.json")


async def record() -> dict[str, Any]:
    """Problem code -> the request line and the problem document it was answered with."""
    async with open_application() as application:
        return await _play(application)


async def _play(application: FastAPI) -> dict[str, Any]:
    world: Resources = application.state.resources
    async with world.database.transaction() as session:
        _, token = await create_client(
            session, issuer_id=None, name="operator", scopes={Scope.PLATFORM}, expires_at=None, actor="example",
            now=world.clock.now(),
        )  # fmt: skip
    operator = Mistakes(application, token)
    body = {"slug": "leadership-academy", "profile": {"name": "School Improvement Leadership Academy"}}
    issuer = (await operator.client.post("/v1/issuers", json=body)).json()
    await operator.make("slug_taken", "POST", "/v1/issuers", json=body)
    await operator.make("forbidden", "GET", "/v1/learners")
    await _mistake_own_domains(operator)
    clients = f"/v1/issuers/{issuer['id']}/api-clients"
    scopes = sorted(scope.value for scope in TENANT_SCOPES)
    made = await operator.client.post(clients, json={"name": "Partner portal", "scopes": scopes})
    partner = Mistakes(application, made.json()["token"])
    await partner.make("unauthenticated", "GET", "/v1/learners", headers={"Authorization": "Bearer assay_expired"})
    await _mistake_requests(partner)
    await _mistake_achievements(partner)
    await _mistake_frameworks(partner)
    assert isinstance(world.clock, FixedClock)
    await _mistake_decisions(partner, world.clock)
    partner.sign_in(await sign_in_everybody(world, issuer["id"]))
    for area in (
        people, programs, submissions, assessors, readings, decisions, misconduct, profiles,
        pathways, demographics, quality, monitoring, reports, recognition,
        endorsements, clr, oauth, obapi, vcapi,
    ):  # fmt: skip
        await area.mistakes(partner)
    await operator.client.post(f"/v1/issuers/{issuer['id']}/leave")
    await operator.make("issuer_left", "POST", f"/v1/issuers/{issuer['id']}/keys")
    return dict(sorted({**operator.made, **partner.made}.items()))


async def _mistake_own_domains(operator: "Mistakes") -> None:
    body = {"slug": "academy", "profile": {"name": "The academy"}, "did": "did:web:Academy.example.org"}
    await operator.make("did_not_allowed", "POST", "/v1/issuers", json=body)
    body = {**body, "did": "did:web:academy.invalid"}  # never a host (RFC 2606)
    issuer = (await operator.client.post("/v1/issuers", json=body)).json()
    await operator.make("did_taken", "POST", "/v1/issuers", json={**body, "slug": "another"})
    await operator.make("did_document_not_published", "POST", f"/v1/issuers/{issuer['id']}/keys")
    made = await operator.client.post(
        f"/v1/issuers/{issuer['id']}/api-clients", json={"name": "One", "scopes": ["decisions:write"]}
    )
    early = {"Authorization": f"Bearer {made.json()['token']}"}
    decision = decision_body("0" * 32, "0" * 32)
    await operator.make("issuer_not_ready", "POST", "/v1/decisions", json=decision, headers=early)


async def _mistake_requests(partner: "Mistakes") -> None:
    json_type = {"Content-Type": "application/json"}
    twice = b'{"external_id": "fellow-17", "external_id": "fellow-18"}'
    await partner.make("malformed_json", "POST", "/v1/learners", content=twice, headers=json_type)
    await partner.make("body_too_large", "POST", "/v1/learners", content=b" " * ((1 << 20) + 1), headers=json_type)
    text = {"Content-Type": "text/plain"}
    await partner.make("unsupported_media_type", "POST", "/v1/learners", content=b"Ada", headers=text)
    await partner.make("invalid_body", "POST", "/v1/learners", json={"nmae": "Ada Example", "email": "ada.example"})
    await partner.make("invalid_cursor", "GET", "/v1/learners", params={"cursor": "page-2"})
    await partner.make("method_not_allowed", "DELETE", "/v1/learners")
    await partner.make("not_found", "GET", f"/v1/learners/{'0' * 32}")
    await partner.make("not_acceptable", "GET", "/issuers/leadership-academy", headers={"Accept": "text/csv"})
    empty = {"Idempotency-Key": "a" * 201}
    await partner.make("invalid_idempotency_key", "POST", "/v1/panels", json=panel_body(), headers=empty)
    key = {"Idempotency-Key": "8f7c2f0e-5d3b-4a55-9f0a-6f2a8f1f6c11"}
    panel = panel_body(external_id="panel-1")
    assert (await partner.client.post("/v1/panels", json=panel, headers=key)).status_code == 201
    await partner.make("idempotency_key_reused", "POST", "/v1/panels", json=panel_body(), headers=key)
    await partner.make("external_id_taken", "POST", "/v1/panels", json=panel)


async def _mistake_achievements(partner: "Mistakes") -> None:
    body = achievement_body()
    created = await partner.client.post("/v1/achievements", json=body)
    path = f"/v1/achievements/{created.json()['id']}/versions"
    png = {"Content-Type": "image/png"}
    await partner.make("invalid_image", "PUT", f"{path}/1/image", content=b"GIF89a", headers=png)
    await partner.make("invalid_badge_class", "POST", "/v1/achievements/import-badge-class",
                       json=badge_class(name=None, alignment=[{"targetName": "Uses sensors"}]))  # fmt: skip
    await partner.make("draft_exists", "POST", path, json=body)
    await partner.make("conflict", "POST", f"{path}/1/retire")
    criterion = body["rubric"]["criteria"][0]
    clashing = {**body, "rubric": {"criteria": [{**criterion, "key": "outcome"}]}}
    await partner.make("achievement_fragment_taken", "POST", "/v1/achievements", json=clashing)
    await partner.make("version_not_published", "POST", "/v1/decisions",
                       json=decision_body(created.json()["id"], await partner.panel()))  # fmt: skip
    assert (await partner.client.post(f"{path}/1/publish")).status_code == 200
    await partner.make("version_not_draft", "PUT", f"{path}/1", json=body)
    english = await publish(partner.client, achievement_body(in_language="en"))
    same = await partner.client.post(
        "/v1/achievements", json=achievement_body(in_language="en", translations=[english])
    )
    await partner.make("invalid_achievement", "POST", f"/v1/achievements/{same.json()['id']}/versions/1/publish")


async def _mistake_frameworks(partner: "Mistakes") -> None:
    assert (await partner.client.post("/v1/frameworks", json=PACKAGE)).status_code == 201
    other = PACKAGE | {"CFItems": [{**PACKAGE["CFItems"][0], "fullStatement": "Ensures equitable access."}]}
    await partner.make("framework_not_newer", "POST", "/v1/frameworks", json=other)
    await partner.make("invalid_framework", "POST", "/v1/frameworks", json=PACKAGE | {"CFItems": []})


async def _mistake_decisions(partner: "Mistakes", clock: FixedClock) -> None:
    achievement_id, panel_id = await publish(partner.client, achievement_body()), await partner.panel()
    sound = decision_body(achievement_id, panel_id)
    unknown = [{**results()[0], "level": "excellent"}, results()[1]]
    await partner.make("unknown_reference", "POST", "/v1/decisions", json={**sound, "results": unknown})
    low = results(evidence="developing")
    await partner.make("outcome_against_rule", "POST", "/v1/decisions", json={**sound, "results": low})
    source = {"kind": "external", "name": "State registry"}
    source_id = (await partner.client.post("/v1/panels", json=source)).json()["id"]
    assessed = {**sound, "assessment": {"panel_id": source_id, "assessors": ["A-01"]}}
    await partner.make("source_mismatch", "POST", "/v1/decisions", json=assessed)
    late = {**sound, "decided_at": "2999-01-01T00:00:00Z"}
    await partner.make("decided_in_future", "POST", "/v1/decisions", json=late)
    short = await publish(partner.client, achievement_body(settings={"validity_days": 30}))
    await partner.make("validity_over", "POST", "/v1/decisions", json={**sound, "achievement_id": short})
    nameless = {**sound, "recipient": {"name": "Ada Example", "external_id": "fellow-3"}}
    await partner.make("recipient_not_identifiable", "POST", "/v1/decisions", json=nameless)

    decided = (await partner.client.post("/v1/decisions", json=sound)).json()
    mail = {"external_id": "fellow-4", "email": sound["recipient"]["email"]}
    await partner.make("identity_taken", "POST", "/v1/learners", json=mail)
    await _mistake_learners(partner, f"/v1/learners/{decided['learner_id']}")
    correction = {**sound, "supersedes": decided["id"], "reason": "A level was entered in the wrong row."}
    other = {**correction, "recipient": {"email": "ben.example@schools.example.org"}}
    await partner.make("decision_mismatch", "POST", "/v1/decisions", json=other)
    clock.advance(seconds=5)
    corrected = await partner.client.post("/v1/decisions", json=correction)
    assert corrected.status_code == 201, corrected.text
    await partner.make("decision_superseded", "POST", "/v1/decisions", json=correction)

    credential = f"/v1/credentials/{decided['credential']['id']}"
    why = {"reason": "The evidence turned out not to be the learner's own work."}
    await partner.make("credential_not_suspended", "POST", f"{credential}/reinstate", json=why)
    await partner.make("suspension_unavailable", "POST", f"{credential}/suspend", json=why)
    assert (await partner.client.post(f"{credential}/revoke", json=why)).status_code == 200
    again = {**correction, "supersedes": corrected.json()["id"]}
    await partner.make("credential_revoked", "POST", "/v1/decisions", json=again)


async def _mistake_learners(partner: "Mistakes", learner: str) -> None:
    [identity] = (await partner.client.get(learner)).json()["identities"]
    await partner.make("identity_is_primary", "DELETE", f"{learner}/identities/{identity['id']}")
    twin = (await partner.client.post("/v1/learners", json={"email": "a.example@schools.example.org"})).json()
    merged = await partner.client.post(f"{learner}/merge", json={"learner_id": twin["id"]})
    assert merged.status_code == 200, merged.text
    await partner.make("learner_merged", "GET", f"/v1/learners/{twin['id']}")


if __name__ == "__main__":
    configure_logging("error", "json")
    write_recorded(EXAMPLES, asyncio.run(record()), before=json.loads(EXAMPLES.read_text()))
