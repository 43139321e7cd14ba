"""Issuers with a DID of their own domain, on both databases: a key signs once the domain publishes it beside the ones before.

tests/interop/test_own_domains.py shows their badges to other people's verifiers.
"""

import asyncio
import copy
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.clock import SystemClock
from app.issuers.did_document import find_did_web
from app.issuers.rotate import prepare_rotation, rotate_key
from app.operation.doctor import examine
from app.settings import Settings
from tests.conftest import Partner, make_issuer
from tests.fakes import FixedClock
from tests.issuers.domains import (
    Document,
    Domain,
    document_to_publish,
    open_domain,
    reaching_domains,
    settle,
    without,
)
from tests.issuing import (
    count_rows,
    decided,
    list_all_events,
    pointers,
    record,
    refusing,
    require_verifies,
    verify,
    world_of,
)
from tests.net.tls_site import CertificateAuthority

OTHER_KEY = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path)


@pytest.fixture
def settings(settings: Settings, authority: CertificateAuthority) -> Settings:
    return reaching_domains(settings, authority)


@pytest.fixture
async def domain(authority: CertificateAuthority) -> AsyncIterator[Domain]:
    async with open_domain(authority) as opened:
        yield opened


@pytest.fixture
async def academy(app: FastAPI, operator: httpx.AsyncClient, domain: Domain) -> AsyncIterator[Partner]:
    async with settle(app, operator, "academy", domain.did) as partner:
        yield partner


async def rotate(partner: Partner, **headers: str) -> httpx.Response:
    return await partner.client.post(f"/v1/issuers/{partner.issuer_id}/keys", headers=headers)


async def rotated(partner: Partner) -> Document:
    answer = await rotate(partner)
    assert answer.status_code == 201, answer.text
    key: Document = answer.json()
    return key


async def refused(partner: Partner, code: str) -> Document:
    answer = await rotate(partner)
    problem: Document = answer.json()
    assert (answer.status_code, problem["code"]) == (409, code), answer.text
    assert problem["cure"]
    return problem


async def listed(partner: Partner) -> list[Document]:
    answer = await partner.client.get(f"/v1/issuers/{partner.issuer_id}/keys")
    return sorted(answer.json()["items"], key=lambda key: ("retired", "active", "pending").index(key["state"]))


def learner(number: int) -> dict[str, str]:
    return {"email": f"learner.{number}@schools.example.org"}


# The first key


async def test_a_self_hosted_document_lets_the_key_sign(app: FastAPI, academy: Partner, domain: Domain) -> None:
    [pending] = await listed(academy)
    assert (pending["state"], pending["activated_at"]) == ("pending", None)
    assert pending["verification_method"].startswith(f"{domain.did}#z6Mk")
    problem = await refused(academy, "did_document_not_published")
    assert f"https://{domain.host}/.well-known/did.json" in problem["detail"]
    assert "https://badges.example.org/issuers/academy/did.json" in problem["cure"]
    assert await listed(academy) == [pending]

    document = await document_to_publish(academy.client, "academy")
    assert document["id"] == domain.did
    assert document["assertionMethod"] == document["authentication"] == [pending["verification_method"]]
    domain.publish(document)
    active = await rotated(academy)
    assert active == {**pending, "state": "active", "activated_at": active["activated_at"]}
    assert await listed(academy) == [active]
    badge = (await decided(academy))["credential"]["document"]
    assert badge["issuer"]["id"] == domain.did
    assert badge["proof"][0]["verificationMethod"] == active["verification_method"]
    await require_verifies(world_of(app), badge)


@pytest.mark.parametrize("algorithm", ["P-256", "RSA"])
async def test_a_key_of_another_algorithm_waits_as_well(
    app: FastAPI, academy: Partner, domain: Domain, api: httpx.AsyncClient, algorithm: str
) -> None:
    path, body = f"/v1/issuers/{academy.issuer_id}/keys", {"algorithm": algorithm}
    await rotate(academy)  # makes it
    domain.publish(await document_to_publish(academy.client, "academy"))
    first = await rotated(academy)
    for _ in range(2):  # the second finds the one that waits
        answer = await academy.client.post(path, json=body)
        assert answer.json()["code"] == "did_document_not_published"
    assert [(key["algorithm"], key["state"]) for key in await listed(academy)] == [
        ("Ed25519", "active"), (algorithm, "pending")
    ]  # fmt: skip
    whole = await document_to_publish(academy.client, "academy")
    domain.publish(without(whole, first))
    assert (await academy.client.post(path, json=body)).json()["code"] == "did_document_incomplete"
    keyless = copy.deepcopy(whole)
    for member in ("publicKeyJwk", "publicKeyMultibase"):
        _other_method(keyless, first).pop(member, None)
    domain.publish(keyless)
    assert (await academy.client.post(path, json=body)).json()["code"] == "did_document_not_published"
    ended = copy.deepcopy(whole)
    _other_method(ended, first)["expires"] = "2030-01-01T00:00:00Z"
    domain.publish(ended)
    assert (await academy.client.post(path, json=body)).json()["code"] == "did_document_not_published"
    domain.publish(whole)
    answer = await academy.client.post(path, json=body)
    assert (answer.status_code, answer.json()["state"]) == (201, "active")
    assert {(key["algorithm"], key["state"]) for key in await listed(academy)} == {
        ("Ed25519", "active"), (algorithm, "active")
    }  # fmt: skip


def _other_method(document: Document, key: Document) -> Document:
    [method] = [each for each in document["verificationMethod"] if each["id"] != key["verification_method"]]
    found: Document = method
    return found


async def test_a_host_that_leads_here_is_answered_for(app: FastAPI, academy: Partner, domain: Domain) -> None:
    domain.lead_to(app)
    first = await rotated(academy)
    badge = (await decided(academy, recipient=learner(1)))["credential"]["document"]
    second = await rotated(academy)
    later = (await decided(academy, recipient=learner(2)))["credential"]["document"]
    assert [key["state"] for key in await listed(academy)] == ["retired", "active"]
    names = [each["proof"][0]["verificationMethod"] for each in (badge, later)]
    assert names == [first["verification_method"], second["verification_method"]]
    for each in (badge, later):
        await require_verifies(world_of(app), each)


async def test_what_is_verified_is_what_the_domain_publishes(app: FastAPI, academy: Partner, domain: Domain) -> None:
    """Not what our register would say: the world does not see that."""
    domain.lead_to(app)
    await rotated(academy)
    badge = (await decided(academy))["credential"]["document"]
    before = domain.requests
    await require_verifies(world_of(app), badge)
    assert domain.requests > before
    domain.publish_nothing()
    assert not (await verify(world_of(app), badge)).valid


async def test_without_a_key_in_use_nothing_is_recorded(app: FastAPI, academy: Partner, domain: Domain) -> None:
    world = world_of(app)
    before = await count_rows(world)
    for changes in ({}, {"outcome": "not_yet"}, {"query": "?dry_run=true"}):
        answer = await record(academy, key="d-1", **changes)
        assert (answer.status_code, answer.json()["code"]) == (409, "issuer_not_ready"), answer.text
    assert await count_rows(world) == before
    page = await academy.client.get("/issuers/academy", headers={"Accept": "text/html"})
    assert "Signing key, published and not in use yet" in page.text
    domain.lead_to(app)
    await rotated(academy)
    assert (await record(academy, key="d-1")).status_code == 201


# What the domain publishes instead


async def test_a_document_that_is_not_right_keeps_the_key_waiting(academy: Partner, domain: Domain) -> None:
    document = await document_to_publish(academy.client, "academy")
    [pending] = await listed(academy)
    [method], [name] = document["verificationMethod"], document["assertionMethod"]
    wrong: list[Document] = [
        {**document, "id": "did:web:somebody.example.org"},
        {**document, "verificationMethod": []},
        {**document, "assertionMethod": []},
        {**document, "assertionMethod": [], "authentication": [name]},
        {**document, "verificationMethod": [{**method, "controller": "did:web:somebody.example.org"}]},
        {**document, "verificationMethod": [{**method, "publicKeyMultibase": OTHER_KEY}]},
        {**document, "verificationMethod": [{**method, "revoked": "2020-01-01T00:00:00Z"}]},
        {**document, "verificationMethod": [{**method, "expires": "2090-01-01T00:00:00Z"}]},
        {**document, "verificationMethod": "nothing", "assertionMethod": 7},
    ]  # fmt: skip
    for each in wrong:
        domain.publish(each)
        await refused(academy, "did_document_not_published")
    for body in (b"", b"[]", b"<html>", b'{"id": 1, "id": 2}', b"[" * 10_000):
        domain.site.put(domain.path, body)
        await refused(academy, "did_document_not_published")
    assert await listed(academy) == [pending]
    # A document may say more, and say it in its own way.
    embedded = {
        **document,
        "verificationMethod": [],
        "assertionMethod": [{**method, "id": "#" + name.partition("#")[2]}],
    }
    domain.publish(
        {**embedded, "service": [{"id": "#s", "type": "LinkedDomains", "serviceEndpoint": "https://a.example"}]}
    )
    assert (await rotated(academy))["id"] == pending["id"]


async def test_a_document_that_lacks_a_key_which_signed_is_refused(academy: Partner, domain: Domain) -> None:
    domain.publish(await document_to_publish(academy.client, "academy"))
    first = await rotated(academy)
    await decided(academy)
    # The domain does not have the next key yet. Asking again makes no other.
    for _ in range(3):
        problem = await refused(academy, "did_document_not_published")
    keys = await listed(academy)
    assert [key["state"] for key in keys] == ["active", "pending"]
    assert pointers(await rotate(academy)) == ["/verificationMethod"]
    assert keys[1]["verification_method"] in problem["errors"][0]["detail"]

    document = await document_to_publish(academy.client, "academy")
    domain.publish(without(document, first))
    problem = await refused(academy, "did_document_incomplete")
    assert [first["verification_method"] in error["detail"] for error in problem["errors"]] == [True]
    assert await listed(academy) == keys
    badge = (await decided(academy, recipient=learner(1)))["credential"]["document"]
    assert badge["proof"][0]["verificationMethod"] == first["verification_method"]

    domain.publish(document)
    second = await rotated(academy)
    assert second["id"] == keys[1]["id"]
    assert [key["state"] for key in await listed(academy)] == ["retired", "active"]


# Repeated, at once, interrupted


async def test_repeated_with_its_idempotency_key_it_is_done_once(
    academy: Partner, app: FastAPI, domain: Domain
) -> None:
    once = {"Idempotency-Key": "r-1"}
    assert (await rotate(academy, **once)).status_code == 409
    domain.lead_to(app)
    answers = [await rotate(academy, **once) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert len(await listed(academy)) == 1  # a replay makes no key
    reused = await academy.client.post(f"/v1/issuers/{academy.issuer_id}/keys?x=1", headers=once)
    assert reused.status_code == 422


async def test_two_at_once(app: FastAPI, academy: Partner, domain: Domain) -> None:
    domain.lead_to(app)
    for crowd in (2, 6):
        answers = await asyncio.gather(*(rotate(academy) for _ in range(crowd)))
        assert {answer.status_code for answer in answers} <= {201, 409}, [answer.text for answer in answers]
        made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
        keys = await listed(academy)
        [active] = [key for key in keys if key["state"] == "active"]
        assert active["id"] in made
        assert all(key["retired_at"] for key in keys if key is not active and key["state"] != "pending")
        assert len([key for key in keys if key["state"] == "pending"]) <= 1
    events = await list_all_events(world_of(app), academy.issuer_id)
    used = [event for event in events if event.type in ("key.activated", "key.rotated")]
    assert used[0].type == "key.activated"
    # One chain: what each retired is what the one before let sign.
    assert [event.data["retired"] for event in used[1:]] == [event.object_id for event in used[:-1]]
    await decided(academy)


async def test_an_activation_that_cannot_be_stored_changes_nothing(
    app: FastAPI, academy: Partner, domain: Domain, settings: Settings
) -> None:
    world = world_of(app)
    domain.lead_to(app)
    before = await listed(academy)
    for table in ("audit_entry", "event"):
        async with refusing(settings, table):
            published = await prepare_rotation(world, academy.issuer_id, actor="test")
            with pytest.raises(Exception, match="refused by a test"):
                async with world.database.transaction() as session:
                    await rotate_key(
                        session, world, academy.issuer_id, published=published, actor="test", now=world.clock.now()
                    )
        assert await listed(academy) == before
    await rotated(academy)


async def test_no_transaction_is_open_while_the_domain_is_asked(app: FastAPI, academy: Partner, domain: Domain) -> None:
    """The domain answers only after another request has written: on SQLite that would wait for ever."""
    document = await document_to_publish(academy.client, "academy")
    domain.publish(document)
    publish = domain.site.answers[domain.path]

    async def slowly(writer: asyncio.StreamWriter) -> None:
        made = await asyncio.wait_for(academy.client.post("/v1/learners", json=learner(5)), timeout=4)
        assert made.status_code == 201
        await publish(writer)

    domain.site.answers[domain.path] = slowly
    await rotated(academy)


# The DID itself


async def create(operator: httpx.AsyncClient, slug: str, did: str) -> httpx.Response:
    return await operator.post("/v1/issuers", json={"slug": slug, "profile": {"name": "One"}, "did": did})


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_which_dids_are_allowed(operator: httpx.AsyncClient) -> None:
    refused = {
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK": "did:web",
        "did:example:academy": "did:web",
        "did:web:192.0.2.7": "host name",
        "did:web:Academy.example.org": "did:web:academy.example.org",
        "did:web:academy.example.org%3a8443": "did:web:academy.example.org%3A8443",
        "did:web:academy.example.org%3A443": "did:web:academy.example.org",
        "did:web:academy.example.org:.well-known": "did:web:academy.example.org",
        "did:web:academy.example.org:a%20b": "character",
        "did:web:academy.example.org:..": "path segments",
        "did:web:academy.example.org::a": "path segments",
        "did:web:academy.example.org%2Fa": "host name",
        "did:web:-academy.example.org": "character",
        "did:web:academy.example.org%3A65536": "port",
        "did:web:badges.example.org": "did:web:badges.example.org:issuers:one",
        "did:web:badges.example.org:issuers:two": "did:web:badges.example.org:issuers:one",
    }
    for did, told in refused.items():
        answer = await create(operator, "one", did)
        assert (answer.status_code, answer.json()["code"]) == (422, "did_not_allowed"), (did, answer.text)
        assert pointers(answer) == ["/did"]
        assert told in answer.text, did
    assert (await operator.get("/v1/issuers")).json()["items"] == []
    for number, did in enumerate(
        ("did:web:academy.example.org", "did:web:academy.example.org:a:B_c", "did:web:academy.example.org%3A8443",
         "did:web:badges.example.org%3A8443", "did:web:localhost%3A9000:a")
    ):  # fmt: skip
        answer = await create(operator, f"n{number}", did)
        assert (answer.status_code, answer.json()["did"]) == (201, did), answer.text
    taken = await create(operator, "another", "did:web:academy.example.org")
    assert (taken.status_code, taken.json()["code"]) == (409, "did_taken")
    # What the service would give anyway is the same as giving none: that key signs at once.
    own = (await create(operator, "one", "did:web:badges.example.org:issuers:one")).json()
    [key] = (await operator.get(f"/v1/issuers/{own['id']}/keys")).json()["items"]
    assert key["state"] == "active"


def test_a_place_has_one_did() -> None:
    pairs = {
        ("academy.example.org", "/.well-known/did.json"): "did:web:academy.example.org",
        ("ACADEMY.example.org:443", "/.well-known/did.json"): "did:web:academy.example.org",
        ("academy.example.org:8443", "/a/b/did.json"): "did:web:academy.example.org%3A8443:a:b",
        ("academy.example.org", "/did.json"): None,
        ("academy.example.org", "/a//did.json"): None,
        ("academy.example.org", "/a%2Fb/did.json"): None,
        ("academy.example.org", "/a/did.json/"): None,
        ("", "/.well-known/did.json"): None,
        ("a b", "/.well-known/did.json"): None,
        ("academy.example.org:65535", "/.well-known/did.json"): "did:web:academy.example.org%3A65535",
        ("academy.example.org:65536", "/.well-known/did.json"): None,
        ("academy.example.org:http", "/.well-known/did.json"): None,
        ("academy.example.org/x", "/.well-known/did.json"): None,
        ("user@academy.example.org", "/.well-known/did.json"): None,
    }
    assert {place: find_did_web(*place) for place in pairs} == pairs


# The host


async def test_only_the_host_of_a_did_is_answered_for(
    app: FastAPI, operator: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    dids = {
        "one": "did:web:one.example.org",
        "two": "did:web:two.example.org:issuers:one",
        "three": "did:web:three.example.org%3A8443:v1:issuers",
    }
    for slug, did in dids.items():
        await make_issuer(operator, slug, did=did)
    await make_issuer(operator, "hosted")

    async def found(host: str, path: str, method: str = "GET") -> str | None:
        answer = await api.request(method, path, headers={"Host": host})
        assert answer.status_code in (200, 401, 404, 405, 422), answer.text
        return answer.json()["id"] if answer.status_code == 200 and answer.content else None

    well_known = "/.well-known/did.json"
    assert await found("one.example.org", well_known) == dids["one"]
    assert await found("ONE.example.org:443", well_known) == dids["one"]
    assert await found("three.example.org:8443", "/v1/issuers/did.json") == dids["three"]
    # At another host the path of a document of ours may be that of somebody's own.
    assert await found("two.example.org", "/issuers/one/did.json") == dids["two"]
    assert await found("badges.example.org", "/issuers/one/did.json") == dids["one"]
    assert await found("internal:8000", "/issuers/hosted/did.json") == "did:web:badges.example.org:issuers:hosted"
    for host in ("two.example.org", "badges.example.org", "one.example.org:8443", "x.one.example.org", "one.example.org.",
                 "one.example.org@evil.example", "one.example.org/", "[", "[::1]:80", "a b", ""):  # fmt: skip
        assert await found(host, well_known) is None, host
    assert await found("three.example.org:8443", well_known) is None
    assert (await api.request("POST", well_known, headers={"Host": "one.example.org"})).status_code in (404, 405)
    head = await api.head(well_known, headers={"Host": "one.example.org"})
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_nothing_else_depends_on_the_host(partner: Partner) -> None:
    """Not even one that is no host: neither an address in an answer, nor which request is a repetition."""
    client, body = partner.client, {"email": "ada.example@schools.example.org"}
    answers = []
    for host in ("badges.example.org", "evil.example", "[", "a b/../", "evil.example/v1?x"):
        headers = {"Host": host, "Idempotency-Key": "l-1"}
        answers.append(await client.post("/v1/learners", json=body, headers=headers))
        for path in (
            "/issuers/academy",
            "/issuers/none",
            "/",
            f"/v1/achievements/{partner.achievement_id}",
            "/v1/learners/",
        ):
            for accept in ("application/json", "text/html"):
                answer = await client.get(path, headers={"Host": host, "Accept": accept})
                assert answer.status_code in (200, 404), (host, path)
                assert "evil.example" not in answer.text
                assert "evil.example" not in str(answer.headers)
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1


# The doctor


@pytest.fixture
def clock() -> FixedClock:
    """The doctor's clock is the real one."""
    return FixedClock(SystemClock().now())


async def test_the_doctor_looks_at_the_domain(
    app: FastAPI, academy: Partner, domain: Domain, settings: Settings
) -> None:
    async def told(outcome: str, check: str) -> str:
        found = await examine(settings, SystemClock())
        return " ".join(
            f"{f.detail} {f.cure}" for f in found if (f.check, f.outcome) == (check, outcome) and "academy" in f.detail
        )

    assert "assay keys rotate academy" in await told("warning", "keys")
    assert domain.host in await told("warning", "did_documents")
    domain.lead_to(app)
    first = await rotated(academy)
    assert await told("warning", "keys") == ""
    assert domain.host not in await told("wrong", "did_documents")
    document = await document_to_publish(academy.client, "academy")
    domain.publish(without(document, first))
    assert first["verification_method"] in await told("wrong", "did_documents")
    [method] = document["verificationMethod"]
    domain.publish({**document, "verificationMethod": [{**method, "revoked": "2026-01-01T00:00:00Z"}]})
    assert "puts an end to keys" in await told("wrong", "did_documents")
    domain.publish(document)
    assert domain.host not in await told("wrong", "did_documents")
    domain.publish_nothing()
    assert "No DID document can be had" in await told("wrong", "did_documents")
