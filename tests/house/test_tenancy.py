"""No client of one issuer reaches anything of another, on any operation there is.

The matrix comes from the OpenAPI document: every place in a path or body that holds an id of ours is filled with another
issuer's id, and must give the very answer that an id of nothing gives. An operation that fits no row of the matrix fails.
"""

import copy
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from app.frameworks.router import PACKAGE
from app.main import ROUTERS
from tests.builders import decision_body
from tests.conftest import Partner
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
from tests.house.images import sound_png
from tests.house.operations import Operation, application, list_leaves, list_operations, put_at

PUBLIC = {
    "verify_credential",
    "fetch_credential",
    "fetch_badge_png",
    "fetch_badge_svg",
    "fetch_credential_in_profile",
    "fetch_did_configuration",
    "fetch_achievement",
    "fetch_achievement_version",
    "fetch_issuer",
    "fetch_endorsement",
    "fetch_endorsements_of_issuer",
    "fetch_endorsements_of_achievement",
    "fetch_endorsements_of_credential",
    "refresh_credential",
    "fetch_clr",
    "fetch_did_document",
    "fetch_panel",
    "fetch_key",
    "fetch_jwks",
    "fetch_status_list",
    "fetch_image",
    "fetch_achievement_case",
    "fetch_case_documents",
    "fetch_case_document",
    "fetch_case_package",
    "fetch_case_item",
    "fetch_case_item_associations",
    "fetch_case_rubric",
    "fetch_sampling_windows",
    "fetch_quality_reports",
    "fetch_quality_report",
    "healthz",
    "readyz",
    "metrics",
    "fetch_oauth_metadata",
    "register_oauth_client",
    "get_service_description",
}
AREAS = (
    people, submissions, assessors, readings, decisions, programs, misconduct, profiles,
    pathways, demographics, quality, monitoring, reports, recognition,
        endorsements, clr, oauth, obapi, vcapi,
)  # fmt: skip
EARLY, LATE = "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"
PLATFORM_ONLY = {"create_issuer", "list_issuers", "leave_issuer", "verify_issuer"}
NAMES_NO_OBJECT = {
    "vcapi_issue_credential",
    "vcapi_derive_credential",
    "vcapi_verify_credential",
    "vcapi_verify_presentation",
    # By the credential's own id, which is the client's: tests/vcapi/test_issue.py.
    "vcapi_set_status",
    "vcapi_create_presentation",
    "vcapi_create_challenge",
    "create_panel",
    "create_learner",
    "import_badge_class",
    "import_framework",
    "create_oidc_provider",
    "get_me",
    "get_own_scoring_record",
    "create_my_token",
    "end_my_sessions",
    "claim_reading",
    "create_endorsement",
    "import_endorsement",
    "list_my_clr",
    "get_demographic_vocabulary",
    "put_demographic_vocabulary",
    "get_my_demographics",
    "declare_my_demographics",
    "withdraw_my_demographics",
    "list_my_consents",
    "list_my_badge_hosts",
    "connect_badge_host",
    # A token says whose badges it is about; a code or token is a secret of the client's own.
    "redeem_oauth_token",
    "revoke_oauth_token",
    "introspect_oauth_token",
    "get_credentials",
    "upsert_credential",
    "get_profile",
    "put_profile",
}

# Places that hold an id and yet name no object of an issuer.
NOT_AN_OBJECT = {
    # A tie between versions of one achievement; statistics that follow it stay inside the issuer.
    "/rubric/criteria/0/lineage_id",
    # A name inside an anchor's own content.
    "/content/artifacts/0/id",
    # A pathway's rule is refused as a whole (422), with a pointer to each achievement that is not one's own, whoever's it is:
    # tests/pathways/test_pathways.py::test_rules_that_cannot_stand.
    "/rule/all/0/achievement_id",
    "/rule/all/0/of/0/achievement_id",
    "/rule/of/0/achievement_id",
    "/rule/of/0/all/0/achievement_id",
}


@dataclass(frozen=True, slots=True)
class Probe:
    """One place of an operation that names an object: a path parameter (`name`) or a place in the body."""

    operation: Operation
    name: str
    pointer: tuple[str | int, ...] = ()


def list_probes() -> list[Probe]:
    probes = []
    for operation in list_operations():
        if operation.is_public or operation.id in PLATFORM_ONLY:
            continue
        probes += [Probe(operation, name) for name in operation.parameters("path") if name.endswith("_id")]
        places = {leaf.name: leaf for leaf in list_leaves(operation.body_schema) if leaf.is_id}
        probes += [Probe(operation, name, places[name].pointer) for name in sorted(places.keys() - NOT_AN_OBJECT)]
    return probes


async def list_ids(partner: Partner) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    decision = await partner.client.post(
        "/v1/decisions", json=decision_body(partner.achievement_id, partner.panel_id, external_id="row-1")
    )
    assert decision.status_code == 201, decision.text
    framework = await partner.client.post("/v1/frameworks", json=PACKAGE)
    assert framework.status_code == 201, framework.text
    clients = await partner.client.get(f"/v1/issuers/{partner.issuer_id}/api-clients")
    learner = await partner.client.get(f"/v1/learners/{decision.json()['learner_id']}")
    known = {
        "issuer_id": partner.issuer_id,
        "client_id": clients.json()["items"][0]["id"],
        "framework_id": framework.json()["id"],
        "achievement_id": partner.achievement_id,
        "panel_id": partner.panel_id,
        "learner_id": decision.json()["learner_id"],
        "identity_id": learner.json()["identities"][0]["id"],
        "decision_id": decision.json()["id"],
        "credential_id": decision.json()["credential"]["id"],
    }
    for area in AREAS:
        known |= await area.ids(partner, known)
    return known


def client_for(partner: Partner, operation: Operation) -> httpx.AsyncClient:
    """A person's where only people may, else the partner system's."""
    return partner.staff if operation.is_for_people else partner.client


def body_for(probe: Probe, own: Mapping[str, str]) -> Any:
    """A body that would be accepted but for the place probed."""
    if probe.operation.id == "merge_learners":
        return {"learner_id": own["learner_id"]}
    if probe.operation.id == "open_moderation":
        body = {**probe.operation.example, "program_id": own["program_id"], "decision_ids": [own["decision_id"]]}
        if probe.name.startswith("/filter"):
            del body["decision_ids"]
            body["filter"] = {"achievement_id": "", "version": 1, "decided_from": EARLY, "decided_until": LATE}
        return body
    if probe.operation.id != "record_decision":
        body = _filled(probe.operation, own)
        if probe.operation.id == "create_enrollment" and probe.name == "/learner_id":
            del body["recipient"]
        if probe.name.startswith("/content/artifacts"):
            body["content"]["artifacts"] = [{"part": "artifacts"}]
        if isinstance(body, dict) and "panel" in body:
            body["panel"] = [own["person_id"], own["second_member"], own["third_member"]]
        return {**body, "in_language": "en"} if probe.name == "/translations/0" else body
    body = decision_body(own["achievement_id"], own["panel_id"])
    if probe.name == "/learner_id":
        del body["recipient"]
    if probe.name == "/supersedes":
        body["reason"] = "An error."
    return body


def _filled(operation: Operation, own: Mapping[str, str]) -> Any:
    """The operation's example, with ids of one's own where it has ids."""
    body = copy.deepcopy(operation.example)
    for leaf in list_leaves(operation.body_schema):
        kind = kind_of(Probe(operation, leaf.name, leaf.pointer)) if leaf.is_id else ""
        if kind in own and _holds(body, leaf.pointer):
            body = put_at(body, leaf.pointer, own[kind])
    return body


def _holds(body: Any, pointer: tuple[str | int, ...]) -> bool:
    for part in pointer:
        if not isinstance(body, dict | list) or (part not in body if isinstance(body, dict) else not body):
            return False
        body = body[part]
    return True


async def call(client: httpx.AsyncClient, probe: Probe, own: Mapping[str, str], probed: str) -> httpx.Response:
    names = {**own, "version": "1"}
    if "{artifact_id}" in probe.operation.path:
        names["submission_id"] = own["submission_id_of_artifact"]
    body = body_for(probe, own)
    if probe.pointer:
        body = put_at(body, probe.pointer, probed)
    else:
        names[probe.name] = probed
    path = probe.operation.path.format(**names)
    if "image/png" in probe.operation.body_types:
        return await client.request(
            probe.operation.method, path, content=sound_png(), headers={"Content-Type": "image/png"}
        )
    return await client.request(probe.operation.method, path, json=body)


# Who may is decided before any query, so one engine will do.
on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)

KIND_OF_PLACE = {
    "supersedes": "decision_id",
    "decision_ids": "decision_id",
    "renews": "decision_id",
    "translations": "achievement_id",
    "enrollment_ids": "enrollment_id",
    "achievement_ids": "achievement_id",
    "credential_ids": "credential_id",
    "panel": "person_id",
    "replacement_id": "person_id",
    "source_artifact_id": "artifact_id",
}


def kind_of(probe: Probe) -> str:
    if probe.operation.id == "vcapi_delete_credential":
        return "generic_credential_id"
    name = next(part for part in reversed(probe.pointer or (probe.name,)) if isinstance(part, str))
    return KIND_OF_PLACE.get(name, name)


def shown(response: httpx.Response) -> tuple[int, dict[str, Any]]:
    body = response.json()
    del body["request_id"]
    return response.status_code, body


async def test_another_issuers_objects_answer_like_nothing(partner: Partner, stranger: Partner) -> None:
    theirs, own = await list_ids(partner), await list_ids(stranger)
    events = (await partner.client.get("/v1/events?limit=500")).json()
    faults = []
    for probe in list_probes():
        client = client_for(stranger, probe.operation)
        foreign = await call(client, probe, own, theirs[kind_of(probe)])
        nothing = await call(client, probe, own, secrets.token_hex(16))
        if foreign.status_code != 404 or shown(foreign) != shown(nothing):
            faults.append(
                f"{probe.operation.id} {probe.name}: foreign {foreign.status_code} {foreign.text}, "
                f"unknown {nothing.status_code} {nothing.text}"
            )
    assert not faults, "\n".join(faults)
    assert (await partner.client.get("/v1/events?limit=500")).json() == events


@on_sqlite
async def test_the_same_requests_reach_ones_own_objects(partner: Partner) -> None:
    """The pair of the test above: its requests fail for whose the object is, not for what they are."""
    own = await list_ids(partner)
    faults = []
    # What ends an object comes last: the other requests need it.
    last = ("revoke_api_client", "erase_learner", "remove_identity", "erase_person", "disconnect_badge_host")
    # Files of the work that is read: tests/readings downloads them.
    elsewhere = ("download_reading_artifact", "download_anchor_artifact", "download_anchor_session_artifact")
    # Who has every role here is no learner: tests/clr has one bundle their own badges, and not another's.
    probes = [probe for probe in list_probes() if probe.operation.id not in (*last, *elsewhere, "create_my_clr")]
    for probe in probes:
        of_artifact = probe.name == "submission_id" and "{artifact_id}" in probe.operation.path
        probed = own["submission_id_of_artifact" if of_artifact else kind_of(probe)]
        answer = await call(client_for(partner, probe.operation), probe, own, probed)
        # Who has every role is also on the panel that reads: they are told that this is why they do not see it.
        is_reached = answer.status_code in (200, 201, 202, 409, 422) or answer.json()["code"] == "reader_stays_blind"
        if not is_reached:
            faults.append(f"{probe.operation.id} {probe.name}: {answer.status_code} {answer.text}")
    assert not faults, "\n".join(faults)
    revoked = await partner.client.delete(f"/v1/issuers/{own['issuer_id']}/api-clients/{own['client_id']}")
    assert revoked.status_code == 200


@on_sqlite
async def test_ones_own_identity_can_be_removed(partner: Partner) -> None:
    own = await list_ids(partner)
    learner = f"/v1/learners/{own['learner_id']}"
    assert (await partner.client.patch(learner, json={"email": "new@schools.example.org"})).status_code == 200
    assert (await partner.client.delete(f"{learner}/identities/{own['identity_id']}")).status_code == 200


async def test_ones_own_learner_can_be_erased(partner: Partner) -> None:
    own = await list_ids(partner)
    assert (await partner.client.post(f"/v1/learners/{own['learner_id']}/erase")).status_code == 200


async def test_ones_own_person_can_be_erased(partner: Partner) -> None:
    own = await list_ids(partner)
    assert (await partner.client.post(f"/v1/people/{own['person_id']}/erase")).status_code == 200


async def test_collections_show_own_objects_only(partner: Partner, stranger: Partner) -> None:
    theirs, own = await list_ids(partner), await list_ids(stranger)
    await stranger.client.post("/v1/panels", json={"name": "Mine", "members": ["S-1"], "external_id": "mine"})
    await partner.client.post("/v1/panels", json={"name": "Theirs", "members": ["P-1"], "external_id": "theirs"})
    for operation in list_operations():
        if not operation.is_collection or operation.id in PLATFORM_ONLY:
            continue
        path = operation.path.format(**own)
        answer = await client_for(stranger, operation).get(path)
        assert answer.status_code == 200, answer.text
        assert answer.json()["items"], operation.id
        assert [id_ for name, id_ in theirs.items() if name != "profile" and id_ in answer.text] == [], operation.id
    by_external_id = await stranger.client.get("/v1/panels?external_id=theirs")
    assert by_external_id.json()["items"] == []
    assert len((await stranger.client.get("/v1/panels?external_id=mine")).json()["items"]) == 1
    assert len((await partner.client.get("/v1/decisions?external_id=row-1")).json()["items"]) == 1


@on_sqlite
async def test_external_ids_are_taken_per_issuer(partner: Partner, stranger: Partner) -> None:
    for body, path in (
        ({"name": "Panel", "members": ["A-1"], "external_id": "x-1"}, "/v1/panels"),
        ({"external_id": "x-1", "email": "ada.example@schools.example.org"}, "/v1/learners"),
    ):
        assert (await partner.client.post(path, json=body)).status_code == 201
        assert (await stranger.client.post(path, json=body)).status_code == 201
        assert (await stranger.client.post(path, json=body)).status_code == 409


@on_sqlite
async def test_platform_operations_are_not_for_clients(partner: Partner, operator: httpx.AsyncClient) -> None:
    issuer = {"slug": "third", "profile": {"name": "Third"}}
    for client, statuses in ((partner.client, (403, 403)), (operator, (201, 200))):
        created = await client.post("/v1/issuers", json=issuer)
        listed = await client.get("/v1/issuers")
        assert (created.status_code, listed.status_code) == statuses


@on_sqlite
async def test_the_operator_does_not_act_inside_an_issuer(partner: Partner, operator: httpx.AsyncClient) -> None:
    ids = await list_ids(partner)
    for operation in list_operations():
        if operation.is_public or operation.id in PLATFORM_ONLY or "issuer_id" in operation.path:
            continue
        if operation.has_own_errors:  # tests/oauth, tests/obapi: no token of our API opens anything there
            continue
        answer = await operator.request(
            operation.method, operation.path.format(**ids, version=1), json=operation.example
        )
        assert answer.status_code == 403, (operation.id, answer.text)


@on_sqlite
async def test_without_a_token_only_public_operations_answer(partner: Partner, api: httpx.AsyncClient) -> None:
    ids = await list_ids(partner)
    for operation in list_operations():
        if operation.is_public or operation.has_own_errors:
            continue
        path = operation.path.format(**ids, version=1)
        answer = await api.request(operation.method, path, json=operation.example)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), operation.id


def test_what_is_public_is_listed() -> None:
    assert {operation.id for operation in list_operations() if operation.is_public} == PUBLIC


def test_every_operation_is_in_the_matrix() -> None:
    probed = {probe.operation.id for probe in list_probes()}
    collections = {operation.id for operation in list_operations() if operation.is_collection}
    known = probed | collections | PUBLIC | PLATFORM_ONLY | NAMES_NO_OBJECT
    assert {operation.id for operation in list_operations()} - known == set()
    assert NAMES_NO_OBJECT & probed == set()


def test_every_query_parameter_is_known() -> None:
    """None names an object, but for the filters of reports: those of strangers are refused in tests/reports."""
    names = {name for operation in list_operations() for name in operation.parameters("query")}
    assert names - {"cohort_id", "achievement_id"} == {
        "limit",
        "cursor",
        "updated_since",
        "external_id",
        "after",
        "dry_run",
        "human_coding_scheme",
        "text",
        "type",
        "offset",
        "state",
        "since",
        "until",
        "as_of",
        "version",
        "format",
        "location",
        "by",
        "where",
    }


def test_what_is_not_in_the_document_takes_no_id() -> None:
    """Pages and files that OpenAPI does not tell of are for reading, by anyone."""
    routes = [route for router in (*ROUTERS, application()) for route in router.routes]
    hidden = [route for route in routes if isinstance(route, Route) and not route.include_in_schema]
    assert "/docs" in {route.path for route in hidden}
    # The forms of people who sign in: an issuer by its slug, or a secret of their own. Who consents names a client, of no issuer.
    assert {route.path for route in hidden if "POST" in (route.methods or set())} == {
        "/sign-in/{slug}",
        "/sign-in/{slug}/oidc/{provider_id}",
        "/sign-in/links/{token}",
        "/sign-out",
        "/oauth/authorize",
    }
    for route in hidden:
        if route.path.startswith(("/sign-in", "/sign-out", "/oauth/authorize")):
            continue
        assert (route.methods or set()) <= {"GET", "HEAD"}, route.path
        assert set(route.param_convertors) <= {"name", "path", "code"}, route.path
