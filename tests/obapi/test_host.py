"""The Open Badges API as a host: everything the standard asks, and what is refused."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.oauth.scopes import (
    CREDENTIAL_READONLY,
    CREDENTIAL_UPSERT,
    LEARNER_SCOPES,
    PROFILE_READONLY,
    PROFILE_UPDATE,
)
from app.obapi.badge import read_badge
from app.obapi.keep import MOST_KEPT, verify_kept
from app.obapi.store import KeptBadge
from app.resources import Resources
from tests.builders import decision_body
from tests.conftest import BASE_URL, Partner, open_client
from tests.fakes import FixedClock
from tests.oauth.flows import Learner, register, sign_in_learner, tokens_for
from tests.verification.badges import badge, did_key_issuer, sign
from tests.verification.test_verify import OwnDocuments, alone

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
IMS = "/ims/ob/v3p0"
EVERYTHING = " ".join(LEARNER_SCOPES)
ELSEWHERE = did_key_issuer("elsewhere")


def foreign(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A badge of somebody else, signed."""
    return sign(badge(ELSEWHERE, id=f"https://badges.example/credentials/{number}", **changes), ELSEWHERE)


def compact(document: dict[str, Any]) -> str:
    """What is like a badge in VC-JWT form; nobody signed it."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part(document)}.{part('signature')}"


@pytest.fixture
async def learner(app: FastAPI, partner: Partner) -> AsyncIterator[Learner]:
    found = await sign_in_learner(app, partner)
    async with found.browser:
        yield found


@pytest.fixture
async def wallet(app: FastAPI, api: httpx.AsyncClient, learner: Learner) -> AsyncIterator[httpx.AsyncClient]:
    """Software that the learner let at everything."""
    told = await tokens_for(api, learner, await register(api), scope=EVERYTHING)
    async with open_client(app, told["access_token"]) as client:
        yield client


def require_status(answer: httpx.Response, status: int, minor: str) -> str:
    """That it is an Imsx_StatusInfo with this minor code: its description."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert (told["imsx_codeMajor"], told["imsx_severity"]) == ("failure", "error")
    [field] = told["imsx_codeMinor"]["imsx_codeMinorField"]
    assert field["imsx_codeMinorFieldValue"] == minor, told
    return str(told["imsx_description"])


async def issue(partner: Partner, learner: Learner, **changes: Any) -> dict[str, Any]:
    body = decision_body(partner.achievement_id, partner.panel_id, **changes)
    del body["recipient"]
    made = await partner.client.post("/v1/decisions", json={**body, "learner_id": learner.learner_id})
    assert made.status_code == 201, made.text
    return {**made.json()["credential"], "decision_id": made.json()["id"]}


# -- discovery


@on_sqlite
async def test_discovery_is_open_and_whole(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{IMS}/discovery")
    assert answer.status_code == 200
    found = answer.json()
    assert found["openapi"].startswith("3.0")
    for member in ("title", "version", "termsOfService", "x-imssf-privacyPolicyUrl"):
        assert found["info"][member], member
    scheme = found["components"]["securitySchemes"]["OAuth2ACG"]
    assert scheme["type"] == "oauth2"
    assert scheme["x-imssf-registrationUrl"] == f"{BASE_URL}/oauth/register"
    assert {"x-imssf-name", "x-imssf-privacyPolicyUrl", "x-imssf-termsOfServiceUrl"} <= scheme.keys()
    flow = scheme["flows"]["authorizationCode"]
    assert flow["authorizationUrl"] == f"{BASE_URL}/oauth/authorize"
    assert flow["tokenUrl"] == flow["refreshUrl"] == f"{BASE_URL}/oauth/token"
    assert set(flow["scopes"]) == set(LEARNER_SCOPES)
    metadata = (await api.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["token_endpoint"] == flow["tokenUrl"]


@on_sqlite
async def test_discovery_is_a_profile_of_the_published_document(api: httpx.AsyncClient, shared: Path) -> None:
    published = json.loads((shared / "data/openapi/ob_v3p0_oas.json").read_text())
    found = (await api.get(f"{IMS}/discovery")).json()
    assert found["paths"].keys() == published["paths"].keys()
    for path, methods in published["paths"].items():
        assert found["paths"][path].keys() == methods.keys()
        for method, operation in methods.items():
            ours = found["paths"][path][method]
            assert ours["operationId"] == operation["operationId"]
            assert ours.get("security") == operation.get("security")
            assert {status for status in ours["responses"] if status >= "4"} <= operation["responses"].keys()
    schema = {**published["components"]["schemas"]["ServiceDescriptionDocument"], "components": published["components"]}
    jsonschema.validate(found, schema)


# -- credentials


async def test_what_was_issued_and_what_was_put_here_are_one_list(
    wallet: httpx.AsyncClient, partner: Partner, learner: Learner, clock: FixedClock
) -> None:
    empty = await wallet.get(f"{IMS}/credentials")
    assert (empty.json(), empty.headers["x-total-count"]) == ({}, "0")
    issued = await issue(partner, learner)
    put = foreign(validFrom="2026-01-01T00:00:00Z", name="Grüße")
    text = json.dumps(put, indent=1).encode()
    made = await wallet.post(f"{IMS}/credentials", content=text, headers={"Content-Type": "application/json"})
    assert (made.status_code, made.content) == (201, text)
    jws = compact(foreign(2, validFrom="2026-11-24T00:00:00Z"))
    made = await wallet.post(f"{IMS}/credentials", content=jws.encode(), headers={"Content-Type": "text/plain"})
    assert (made.status_code, made.text) == (201, jws)
    assert made.headers["content-type"].startswith("text/plain")
    listed = await wallet.get(f"{IMS}/credentials")
    assert listed.headers["content-type"] == "application/json"
    assert listed.headers["x-total-count"] == "3"
    assert listed.json() == {"credential": [put, issued["document"]], "compactJwsString": [jws]}
    assert text in listed.content  # to the byte
    own = (await wallet.get(f"{IMS}/credentials?since=2026-06-01T00:00:00Z")).json()
    assert own == {"credential": [issued["document"]], "compactJwsString": [jws]}
    at = "2026-01-01T00:00:00Z"
    assert (await wallet.get(f"{IMS}/credentials?since={at}")).headers["x-total-count"] == "2"  # after it, not at it


async def test_pages_lead_to_one_another(wallet: httpx.AsyncClient) -> None:
    for number in range(5):
        body = foreign(number, validFrom=f"2026-01-0{number + 1}T00:00:00Z")
        assert (await wallet.post(f"{IMS}/credentials", json=body)).status_code == 201
    url, seen = f"{IMS}/credentials?limit=2&since=2025-01-01T00:00:00Z", []
    rels = []
    while url:
        page = await wallet.get(url)
        assert page.headers["x-total-count"] == "5"
        links = {link["rel"]: str(link["url"]) for link in page.links.values()}
        rels.append(sorted(links))
        assert links["first"].startswith(f"{BASE_URL}{IMS}/credentials?limit=2&offset=0&since=")
        assert "offset=4" in links["last"]
        seen += [each["id"] for each in page.json()["credential"]]
        url = links.get("next", "")
    assert seen == [f"https://badges.example/credentials/{number}" for number in range(5)]
    assert rels == [["first", "last", "next"], ["first", "last", "next", "prev"], ["first", "last", "prev"]]
    beyond = await wallet.get(f"{IMS}/credentials?offset=7&limit=2")
    assert beyond.json() == {}
    assert "offset=5" in beyond.links["prev"]["url"]
    whole = await wallet.get(f"{IMS}/credentials?limit=2147483647")
    assert len(whole.json()["credential"]) == 5
    assert "next" not in whole.links


async def test_a_newer_version_replaces_and_an_older_one_does_not(wallet: httpx.AsyncClient) -> None:
    first = {**foreign(validFrom="2026-02-01T00:00:00Z"), "name": "Changed"}  # nobody signed it, nor what replaces it
    assert (await wallet.post(f"{IMS}/credentials", json=first)).status_code == 201
    assert (await wallet.post(f"{IMS}/credentials", json=first)).status_code == 200
    # Equal once percent-decoded and trimmed.
    newer = {**first, "id": "https://badges.example/credential%73/1", "validFrom": "2026-03-01T00:00:00Z"}
    replaced = await wallet.post(f"{IMS}/credentials", json=newer)
    assert (replaced.status_code, replaced.json()) == (200, newer)
    assert (await wallet.get(f"{IMS}/credentials")).json() == {"credential": [newer]}
    older = await wallet.post(f"{IMS}/credentials", json=first)
    assert "newer version" in require_status(older, 400, "invalid_data")
    assert (await wallet.get(f"{IMS}/credentials")).json() == {"credential": [newer]}
    other_issuer = did_key_issuer("third")
    padded = {**newer, "id": f" {newer['id']} ", "validFrom": "2026-03-02T00:00:00Z"}
    assert (await wallet.post(f"{IMS}/credentials", json=padded)).status_code == 200
    same_id = sign(badge(other_issuer, id="https://badges.example/credentials/1"), other_issuer)
    assert (await wallet.post(f"{IMS}/credentials", json=same_id)).status_code == 201
    as_jws = compact({**newer, "validFrom": "2026-04-01T00:00:00Z"})
    changed = await wallet.post(f"{IMS}/credentials", content=as_jws, headers={"Content-Type": "text/plain"})
    assert changed.status_code == 200
    assert (await wallet.get(f"{IMS}/credentials")).json() == {"credential": [same_id], "compactJwsString": [as_jws]}


def test_issuers_whose_dids_differ_are_two() -> None:
    ids = ("did:web:a.example%3A8000:issuers", "did:web:a.example:8000:issuers", "did:web:a.example:8000:issuers")
    one, other, same = (read_badge(compacted({**foreign(), "issuer": {"id": id_}}).encode()) for id_ in ids)
    assert one.identity != other.identity
    assert other.identity == same.identity


async def test_what_does_not_verify_replaces_neither_what_does_nor_what_others_put_here(
    app: FastAPI, api: httpx.AsyncClient, learner: Learner, wallet: httpx.AsyncClient
) -> None:
    early = foreign(2, validFrom="2026-01-01T00:00:00Z")
    sound, unsigned = foreign(1, validFrom="2026-01-01T00:00:00Z"), {**early, "validFrom": "2026-01-02T00:00:00Z"}
    for each in (sound, unsigned):
        assert (await wallet.post(f"{IMS}/credentials", json=each)).status_code == 201
    told = await tokens_for(api, learner, await register(api, client_name="Other"), scope=CREDENTIAL_UPSERT)
    async with open_client(app, told["access_token"]) as other:
        for each in (sound, unsigned):
            forged = {**each, "name": "Forged", "validFrom": "2026-03-01T00:00:00Z", "proof": [{"type": "x"}]}
            described = require_status(await other.post(f"{IMS}/credentials", json=forged), 400, "invalid_data")
            assert "does not verify" in described
            assert (await other.post(f"{IMS}/credentials", json=each)).status_code == 200  # the same to the byte
        forged = {**sound, "validFrom": "2026-03-01T00:00:00Z"}
        require_status(await wallet.post(f"{IMS}/credentials", json=forged), 400, "invalid_data")
        assert (await wallet.get(f"{IMS}/credentials")).json() == {"credential": [sound, unsigned]}
        again = {**unsigned, "validFrom": "2026-03-02T00:00:00Z"}
        assert (await wallet.post(f"{IMS}/credentials", json=again)).status_code == 200
        newer = foreign(1, validFrom="2026-03-01T00:00:00Z")
        for each in (newer, early):  # the second is older than what nobody signed
            assert (await other.post(f"{IMS}/credentials", json=each)).status_code == 200
        assert (await wallet.get(f"{IMS}/credentials")).json() == {"credential": [early, newer]}


async def test_a_badge_of_the_far_future_is_refused(wallet: httpx.AsyncClient, clock: FixedClock) -> None:
    ahead = [(clock.now() + timedelta(days=1, seconds=seconds)).isoformat() for seconds in (1, 0)]
    refused = await wallet.post(f"{IMS}/credentials", json=foreign(validFrom=ahead[0]))
    assert "ahead" in require_status(refused, 400, "invalid_data")
    assert (await wallet.post(f"{IMS}/credentials", json=foreign(validFrom=ahead[1]))).status_code == 201


async def test_ones_own_badge_is_not_kept_twice(
    wallet: httpx.AsyncClient, partner: Partner, learner: Learner, clock: FixedClock
) -> None:
    issued = await issue(partner, learner)
    document = issued["document"]
    again = await wallet.post(f"{IMS}/credentials", json=document)
    assert (again.status_code, again.json()) == (200, document)
    assert (await wallet.get(f"{IMS}/credentials")).json() == {"credential": [document]}
    for forged in ({**document, "name": "Better"}, {**document, "validFrom": "2030-01-01T00:00:00Z"}):
        refused = await wallet.post(f"{IMS}/credentials", json=forged)
        require_status(refused, 400, "invalid_data")
    clock.advance(seconds=5)
    body = decision_body(partner.achievement_id, partner.panel_id, supersedes=issued["decision_id"], reason="A slip.")
    del body["recipient"]
    made = await partner.client.post("/v1/decisions", json={**body, "learner_id": learner.learner_id})
    assert made.status_code == 201, made.text
    newest = made.json()["credential"]["document"]
    earlier = await wallet.post(f"{IMS}/credentials", json=document)  # an edition of it from before
    assert earlier.status_code == 200
    assert (await wallet.get(f"{IMS}/credentials")).json() == {"credential": [newest]}


async def test_the_verdict_is_kept_as_information(
    wallet: httpx.AsyncClient, partner: Partner, learner: Learner
) -> None:
    sound, broken = foreign(1), {**foreign(2), "name": "Changed"}
    for each in (sound, broken):
        assert (await wallet.post(f"{IMS}/credentials", json=each)).status_code == 201
    jws = compact(foreign(3))
    await wallet.post(f"{IMS}/credentials", content=jws, headers={"Content-Type": "text/plain"})
    export = (await partner.client.get(f"/v1/learners/{learner.learner_id}/export")).json()
    kept = {each["body"]: each for each in export["kept_badges"]}
    assert kept[compacted(sound)]["valid"] is True
    assert (kept[compacted(broken)]["valid"], kept[compacted(broken)]["reasons"]) == (False, ["signature_invalid"])
    assert kept[jws]["valid"] is not True
    assert len((await wallet.get(f"{IMS}/credentials")).json()["credential"]) == 2


async def test_the_verdict_of_a_newer_version_is_not_that_of_the_one_kept() -> None:
    service = {"id": "https://own.example/refresh/1", "type": "1EdTechCredentialRefresh"}
    extensions = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
    renewable = {"@context": [*foreign()["@context"], extensions], "refreshService": service}
    sent = foreign(**renewable)
    newer = foreign(**renewable, validFrom="2026-11-20T00:00:00Z")
    gone = foreign(**renewable, validFrom="2026-11-20T00:00:00Z", validUntil="2026-11-21T00:00:00Z")
    cases = ((newer, (None, ["refreshed"])), (gone, (None, ["refreshed"])), (sent, (True, [])))
    for served, verdict in cases:
        verifier = alone(OwnDocuments({service["id"]: served}))
        assert await verify_kept(verifier, read_badge(compacted(sent).encode())) == verdict


def compacted(document: dict[str, Any]) -> str:
    """As httpx sends it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


async def test_what_is_kept_is_sealed_and_goes_with_the_learner(
    wallet: httpx.AsyncClient, app: FastAPI, partner: Partner, learner: Learner
) -> None:
    await wallet.post(f"{IMS}/credentials", json=foreign(name="kanarybadge"))
    await wallet.put(f"{IMS}/profile", json={"id": "did:example:a", "type": ["Profile"], "name": "kanaryname"})
    export = await partner.client.get(f"/v1/issuers/{partner.issuer_id}/export")
    assert export.status_code == 200
    assert "kanarybadge" in export.text
    assert "kanaryname" in export.text
    world: Resources = app.state.resources
    async with world.database.reading() as session:
        [row] = (await session.scalars(select(KeptBadge))).all()
        assert b"kanary" not in row.sealed_body + row.sealed_identity
    assert (await partner.client.post(f"/v1/learners/{learner.learner_id}/erase")).status_code == 200
    require_status(await wallet.get(f"{IMS}/credentials"), 401, "unauthorizedrequest")
    async with world.database.reading() as session:
        assert (await session.scalars(select(KeptBadge))).all() == []


async def test_a_merged_learner_keeps_what_both_had(
    wallet: httpx.AsyncClient, partner: Partner, learner: Learner
) -> None:
    await wallet.post(f"{IMS}/credentials", json=foreign(1))
    other = (await partner.client.post("/v1/learners", json={"email": "a.example@schools.example.org"})).json()
    merged = await partner.client.post(f"/v1/learners/{other['id']}/merge", json={"learner_id": learner.learner_id})
    assert merged.status_code == 200, merged.text
    assert (await wallet.post(f"{IMS}/credentials", json=foreign(2))).status_code == 201
    assert (await wallet.post(f"{IMS}/credentials", json=foreign(1))).status_code == 200
    assert (await wallet.get(f"{IMS}/credentials")).headers["x-total-count"] == "2"


# -- what is refused


@on_sqlite
@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        {"type": ["VerifiableCredential"]},
        {**foreign(), "proof": []},
        {name: value for name, value in foreign().items() if name != "proof"},
        {**foreign(), "type": ["VerifiableCredential"]},
        {**foreign(), "id": " "},
        {**foreign(), "id": 5},
        {**foreign(), "issuer": {"name": "Nobody"}},
        {**foreign(), "issuer": None},
        {**foreign(), "validFrom": "2026-01-01"},
        {**foreign(), "validFrom": "yesterday"},
        {**foreign(), "validFrom": 5},
        {**foreign(), "credentialSubject": []},
    ],
    ids=lambda body: str(body)[-40:],
)
async def test_what_is_no_badge_is_refused(wallet: httpx.AsyncClient, body: Any) -> None:
    require_status(await wallet.post(f"{IMS}/credentials", json=body), 400, "invalid_data")
    assert (await wallet.get(f"{IMS}/credentials")).json() == {}


@on_sqlite
async def test_bodies_that_cannot_be_read(wallet: httpx.AsyncClient) -> None:
    json_type, text = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
    twice = b'{"id": "a", "id": "b"}'
    for content, headers in (
        (twice, json_type), (b"{", json_type), (b"", json_type), (b"\xff", json_type), (b"[" * 100, json_type),
        (b"a.b", text), (b"a.b.c.d", text), (b"\xff.\xff.\xff", text), (b"e30.bm8.e30", text), (b"", text),
        (compact({"type": "OpenBadgeCredential"}).encode(), text), (compact([]).encode(), text),  # type: ignore[arg-type]
        (b"x", {"Content-Type": "application/octet-stream"}), (b"x", {}),
        (b" " * ((1 << 20) + 1), json_type), (b"a" * ((1 << 20) + 1), text),
    ):  # fmt: skip
        require_status(await wallet.post(f"{IMS}/credentials", content=content, headers=headers), 400, "invalid_data")
    for content in (
        twice,
        b"[]",
        b'{"id": "a"}',
        b'{"type": ["Profile"]}',
        b'{"id": "a", "type": ["Profile"], "name": 5}',
    ):
        require_status(await wallet.put(f"{IMS}/profile", content=content, headers=json_type), 400, "invalid_data")


@on_sqlite
@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=x", "limit=2147483648", "offset=-1", "offset=x", "since=yesterday", "since=5"],
)
async def test_queries_that_do_not_fit(wallet: httpx.AsyncClient, query: str) -> None:
    require_status(await wallet.get(f"{IMS}/credentials?{query}"), 400, "invalid_query_parameter")


OPERATIONS = (
    ("GET", "/credentials", CREDENTIAL_READONLY),
    ("POST", "/credentials", CREDENTIAL_UPSERT),
    ("GET", "/profile", PROFILE_READONLY),
    ("PUT", "/profile", PROFILE_UPDATE),
)


async def test_each_operation_needs_its_scope(app: FastAPI, api: httpx.AsyncClient, learner: Learner) -> None:
    client = await register(api)
    bodies = {"POST": foreign(), "PUT": {"id": "did:example:a", "type": ["Profile"]}}
    for scope in LEARNER_SCOPES:
        told = await tokens_for(api, learner, client, scope=scope)
        async with open_client(app, told["access_token"]) as wallet:
            for method, path, needed in OPERATIONS:
                answer = await wallet.request(method, IMS + path, json=bodies.get(method))
                if scope == needed:
                    assert answer.status_code in (200, 201), (scope, path, answer.text)
                else:
                    require_status(answer, 403, "forbidden")
                    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


async def test_only_a_learners_good_token_opens(
    app: FastAPI,
    api: httpx.AsyncClient,
    learner: Learner,
    partner: Partner,
    operator: httpx.AsyncClient,
    clock: FixedClock,
) -> None:
    client = await register(api)
    told = await tokens_for(api, learner, client, scope=EVERYTHING)
    for headers in (
        {}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {told['refresh_token']}"},
        {"Authorization": partner.client.headers["authorization"]}, {"Authorization": partner.staff.headers["authorization"]},
        {"Authorization": operator.headers["authorization"]},
    ):  # fmt: skip
        for method, path, _ in OPERATIONS:
            answer = await api.request(method, IMS + path, headers=headers, json=foreign() if method != "GET" else None)
            require_status(answer, 401, "unauthorizedrequest")
            assert answer.headers["www-authenticate"].startswith("Bearer ")
    # A session cookie opens nothing here: no other site can send a learner's browser.
    require_status(await learner.browser.get(f"{IMS}/credentials"), 401, "unauthorizedrequest")
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    assert (await api.get(f"{IMS}/credentials", headers=bearer)).status_code == 200
    roles = f"/v1/people/{learner.person_id}/roles"
    await partner.client.put(roles, json={"roles": []})
    require_status(await api.get(f"{IMS}/credentials", headers=bearer), 401, "unauthorizedrequest")
    await partner.client.put(roles, json={"roles": ["learner"]})
    assert (await api.get(f"{IMS}/credentials", headers=bearer)).status_code == 200
    clock.advance(seconds=3600)
    require_status(await api.get(f"{IMS}/credentials", headers=bearer), 401, "unauthorizedrequest")


async def test_another_learner_sees_nothing_of_it(
    app: FastAPI, api: httpx.AsyncClient, wallet: httpx.AsyncClient, stranger: Partner
) -> None:
    await wallet.post(f"{IMS}/credentials", json=foreign())
    other = await sign_in_learner(app, stranger)
    told = await tokens_for(api, other, await register(api), scope=EVERYTHING)
    async with open_client(app, told["access_token"]) as theirs:
        assert (await theirs.get(f"{IMS}/credentials")).json() == {}
        assert (await theirs.post(f"{IMS}/credentials", json=foreign())).status_code == 201
    await other.browser.aclose()


@on_sqlite
async def test_methods_and_paths_that_are_not_there(wallet: httpx.AsyncClient) -> None:
    for method, path in (
        ("DELETE", "/credentials"),
        ("PUT", "/credentials"),
        ("POST", "/profile"),
        ("POST", "/discovery"),
    ):
        answer = await wallet.request(method, IMS + path)
        require_status(answer, 405, "not_allowed")
        assert answer.headers["allow"]
    require_status(await wallet.get(f"{IMS}/nothing"), 404, "not_found")
    require_status(await wallet.get(f"{IMS}/"), 404, "not_found")


@on_sqlite
async def test_a_fault_of_ours_is_told_in_the_standards_words(wallet: httpx.AsyncClient, app: FastAPI) -> None:
    await wallet.post(f"{IMS}/credentials", json=foreign())
    world: Resources = app.state.resources
    async with world.database.transaction() as session:
        await session.execute(update(KeptBadge).values(sealed_body=KeptBadge.sealed_identity))
    described = require_status(await wallet.get(f"{IMS}/credentials"), 500, "internal_server_error")
    assert "seal" not in described


@on_sqlite
async def test_there_is_an_end_to_what_is_kept(
    wallet: httpx.AsyncClient, app: FastAPI, partner: Partner, learner: Learner, clock: FixedClock
) -> None:
    await wallet.post(f"{IMS}/credentials", json=foreign())
    world: Resources = app.state.resources
    async with world.database.transaction() as session:
        [row] = (await session.scalars(select(KeptBadge))).all()
        key = open_key(world.vault, await get_learner(session, partner.issuer_id, learner.learner_id))
        for number in range(MOST_KEPT - 1):
            id_ = f"{number:032x}"
            columns = {c.name: getattr(row, c.name) for c in KeptBadge.__table__.columns}
            sealed = key.seal_json(["x", id_], table="kept_badge", row=id_, column="sealed_identity")
            session.add(KeptBadge(**{**columns, "id": id_, "sealed_identity": sealed}))
    require_status(await wallet.post(f"{IMS}/credentials", json=foreign(2)), 403, "forbidden")
    assert (await wallet.post(f"{IMS}/credentials", json=foreign())).status_code == 200


@on_sqlite
async def test_nothing_is_put_here_once_the_issuer_has_left(
    wallet: httpx.AsyncClient, operator: httpx.AsyncClient, partner: Partner
) -> None:
    assert (await wallet.post(f"{IMS}/credentials", json=foreign())).status_code == 201
    assert (await operator.post(f"/v1/issuers/{partner.issuer_id}/leave")).status_code == 200
    require_status(await wallet.post(f"{IMS}/credentials", json=foreign(2)), 400, "invalid_data")
    assert (await wallet.get(f"{IMS}/credentials")).headers["x-total-count"] == "1"


# -- profile


async def test_a_profile_is_what_the_institution_knows_until_another_is_put(
    wallet: httpx.AsyncClient, partner: Partner, learner: Learner
) -> None:
    first = (await wallet.get(f"{IMS}/profile")).json()
    assert first.pop("id").startswith("urn:uuid:")
    assert first == {"type": ["Profile"], "name": "Ada Example", "email": "ada.example@schools.example.org"}
    text = b'{"type": ["Profile"],  "id": "did:example:ada", "name": "Ada B.", "x": 1.0}'
    put = await wallet.put(f"{IMS}/profile", content=text, headers={"Content-Type": "application/json"})
    assert (put.status_code, put.content) == (200, text)
    assert (await wallet.get(f"{IMS}/profile")).content == text
    known = (await partner.client.get(f"/v1/learners/{learner.learner_id}")).json()
    assert known["name"] == "Ada Example"
    export = (await partner.client.get(f"/v1/learners/{learner.learner_id}/export")).json()
    assert export["kept_profiles"] == [json.loads(text)]


# -- the published schemas


@on_sqlite
async def test_answers_fit_the_published_schemas(
    wallet: httpx.AsyncClient, api: httpx.AsyncClient, shared: Path, partner: Partner, learner: Learner
) -> None:
    strict = shared / "data/schema-strict"
    published = json.loads((shared / "data/openapi/ob_v3p0_oas.json").read_text())

    def check(document: Any, name: str, class_: str) -> None:
        jsonschema.validate(document, json.loads((strict / f"ob_v3p0_{name}_schema.json").read_text()))
        named = {**published["components"]["schemas"][class_], "components": published["components"]}
        jsonschema.validate(document, named)

    await issue(partner, learner)
    assert (await wallet.post(f"{IMS}/credentials", json=foreign())).status_code == 201
    jws = compact(foreign(2))
    await wallet.post(f"{IMS}/credentials", content=jws, headers={"Content-Type": "text/plain"})
    listed = (await wallet.get(f"{IMS}/credentials")).json()
    assert (len(listed["credential"]), len(listed["compactJwsString"])) == (2, 1)
    check(listed, "getopenbadgecredentialsresponse", "GetOpenBadgeCredentialsResponse")
    check((await wallet.get(f"{IMS}/profile")).json(), "profile", "Profile")
    for refused in (
        await api.get(f"{IMS}/credentials"),
        await wallet.get(f"{IMS}/credentials?limit=0"),
        await wallet.post(f"{IMS}/credentials", json={}),
        await wallet.delete(f"{IMS}/credentials"),
        await wallet.get(f"{IMS}/nothing"),
    ):
        check(refused.json(), "imsx_statusinfo", "Imsx_StatusInfo")


async def test_a_badge_has_a_greatest_size(wallet: httpx.AsyncClient) -> None:
    """A learner may keep a thousand."""
    headers = {"Content-Type": "application/vc+ld+json"}
    for media in (headers, {"Content-Type": "text/plain"}, {"Content-Type": "application/json"}):
        refused = await wallet.post(f"{IMS}/credentials", content=b"x" * ((256 << 10) + 1), headers=media)
        assert "invalid_data" in refused.text
        assert "large" in refused.text, refused.text
