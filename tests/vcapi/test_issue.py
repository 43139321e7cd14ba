"""POST /credentials/issue over HTTP, on both engines: what is signed, and what is refused with its name."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.access.principals import Scope
from app.audit.store import AuditEntry
from app.events.store import Event
from app.vcapi.issue import BURN_JOB, LEASE, burn
from app.vcapi.store import GenericCredential
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.vcapi.clients import Signatory, VcApi, codes, vcapi_client
from tests.vcdm.documents import EXAMPLES, VC, VC_1, credential, credential_1

pytestmark = pytest.mark.anyio

OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"


async def refused(client: VcApi, body: Any, status: int = 400) -> dict[str, Any]:
    answer = await client.post("/credentials/issue", body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    return told


async def test_a_credential_is_signed_and_verifies(partner: Partner) -> None:
    async with vcapi_client(partner) as client:
        secured = await client.issue(credential(issuer=...))
        assert secured["issuer"] == client.did
        assert isinstance(secured["proof"], dict)
        assert secured["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
        told = await client.verify(secured)
        assert told["verified"] is True
        assert told["problemDetails"] == []
        assert [each["pointer"] for each in told["warnings"]] == ["/@context/1"]  # a catch-all, and labelled so


@pytest.mark.parametrize(
    "members",
    [
        {"id": ...},
        {"validFrom": ...},
        {"credentialSubject": [{"alumniOf": "A"}, {"id": "did:example:b", "alumniOf": "B"}]},
        {"@context": [VC, {"alumniOf": "https://e.example/#a", "ExampleAlumniCredential": "https://e.example/#A"}]},
        {"name": {"@value": "Abschluss", "@language": "de"}},
        {
            "credentialStatus": {"type": "ExampleStatus", "id": "https://e.example/s#1"},
            "termsOfUse": {"type": "ExamplePolicy"},
            "evidence": [{"type": ["ExampleEvidence"]}],
            "refreshService": {"type": "ExampleRefresh"},
            "credentialSchema": {"id": "https://e.example/schema", "type": "JsonSchema"},
        },
    ],
)
async def test_what_it_came_with_is_kept(partner: Partner, members: dict[str, Any]) -> None:
    async with vcapi_client(partner) as client:
        sent = credential(**members, issuer={"id": client.did, "name": "The Academy"})
        secured = await client.issue(sent)
        assert {name: value for name, value in secured.items() if name != "proof"} == sent
        assert (await client.verify(secured))["verified"] is True


async def test_version_1_gets_the_context_that_its_proof_needs(partner: Partner) -> None:
    async with vcapi_client(partner) as client:
        secured = await client.issue(credential_1(issuer=client.did))
        assert secured["@context"][-1] == DATA_INTEGRITY
        assert (await client.verify(secured))["verified"] is True
        again = await client.issue(
            credential_1(issuer=client.did, **{"@context": [*credential_1()["@context"], DATA_INTEGRITY]})
        )
        assert again["@context"].count(DATA_INTEGRITY) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "malformed_credential"),
        ({"credential": None}, "malformed_credential"),
        ({"credential": []}, "malformed_credential"),
        ({"credential": "eyJh.eyJi.c2ln"}, "malformed_credential"),
        ({"credential": credential(), "options": {"type": "Ed25519Signature2018"}}, "unknown_option"),
        ({"credential": credential(), "options": []}, "unknown_option"),
        ({"credential": credential(), "options": {"credentialId": 4}}, "unknown_option"),
        ({"credential": credential(), "options": {"mandatoryPointers": ["/issuer"]}}, "unknown_option"),
        ({"credential": credential(issuer=...)}, "issuer_mismatch"),
        ({"credential": credential(issuer="did:example:another")}, "issuer_mismatch"),
        ({"credential": credential(issuer={"name": "The Academy"})}, "issuer_mismatch"),
        ({"credential": credential(issuer=None)}, "issuer_mismatch"),
    ],
)
async def test_requests_that_are_refused(partner: Partner, body: dict[str, Any], code: str) -> None:
    async with vcapi_client(partner) as client:
        if code == "unknown_option":
            body = {**body, "credential": {**body["credential"], "issuer": client.did}}
        assert (await refused(client, body))["code"] == code


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        ({"@context": ...}, "malformed_credential", "/@context"),
        ({"@context": [EXAMPLES, VC]}, "malformed_credential", "/@context/0"),
        ({"@context": [VC, 4]}, "malformed_credential", "/@context/1"),
        ({"type": ["ExampleAlumniCredential"]}, "malformed_credential", "/type"),
        ({"id": None}, "malformed_credential", "/id"),
        ({"credentialSubject": {}}, "malformed_credential", "/credentialSubject"),
        ({"validFrom": "2026"}, "malformed_credential", "/validFrom"),
        ({"credentialSchema": {"type": "JsonSchema"}}, "malformed_credential", "/credentialSchema/id"),
        ({"relatedResource": {"id": VC, "digestSRI": "sha256-AAAA"}}, "malformed_credential", "/relatedResource/digestSRI"),
        ({"@context": [VC]}, "unreadable_terms", "/credentialSubject/alumniOf"),
        ({"@context": [VC, "https://elsewhere.example/c"]}, "unreadable_terms", "/@context/1"),
        ({"@context": [VC, EXAMPLES, {"name": "https://e.example/#n"}]}, "unreadable_terms", ""),
        ({"@context": [VC, {"ExampleAlumniCredential": "not a URL"}]}, "unreadable_terms", "/@context/1/ExampleAlumniCredential"),
        ({"credentialSubject": {"alumniOf": "A\rB"}}, "malformed_credential", "/credentialSubject/alumniOf"),
        ({"proof": {"type": "DataIntegrityProof"}}, "existing_proof_refused", "/proof"),
    ],
)  # fmt: skip
async def test_credentials_that_are_refused(partner: Partner, members: dict[str, Any], code: str, pointer: str) -> None:
    async with vcapi_client(partner) as client:
        told = await refused(client, {"credential": credential(**{"issuer": client.did, **members})})
        assert told["code"] == code
        assert pointer in [each["pointer"] for each in told["errors"]]
        assert told["type"].startswith("https://www.w3.org/TR/")
        async with client.world.database.reading() as session:
            assert (await session.execute(select(func.count()).select_from(GenericCredential))).scalar_one() == 0


async def test_unreadable_bodies(partner: Partner) -> None:
    async with vcapi_client(partner) as client:
        headers = {"Content-Type": "application/json"}
        doubled = b'{"credential": {"issuer": "urn:a", "issuer": "urn:b"}}'
        for content, status in (
            (doubled, 400),
            (b"{", 400),
            (b'{"credential": NaN}', 400),
            (b'{"credential": "\\ud800"}', 400),
            (b'{"credential": ' + b"[" * 80 + b"]" * 80 + b"}", 400),
            (b'{"credential": "' + b"x" * (1 << 20) + b'"}', 413),
            (b"[]", 422),
        ):
            answer = await client.http.post("/credentials/issue", content=content, headers=headers)
            assert answer.status_code == status, answer.text
            assert answer.headers["content-type"] == "application/problem+json"


async def test_without_the_scope_for_any_kind_only_badges_are_issued(partner: Partner) -> None:
    async with vcapi_client(partner, (Scope.VCAPI_ISSUE, Scope.VCAPI_VERIFY)) as client:
        told = await refused(client, {"credential": credential(issuer=client.did)}, 403)
        assert told["code"] == "generic_not_allowed"
        badge = await a_badge(partner)
        badge["issuer"]["id"] = client.did
        secured = await client.issue(badge)
        assert (await client.verify(secured))["verified"] is True
        unfit = {**badge, "credentialSubject": {"type": ["AchievementSubject"]}}
        told = await refused(client, {"credential": unfit})
        assert told["code"] == "malformed_credential"
        inline = {**badge, "@context": [*badge["@context"], {"@vocab": "https://e.example/#"}]}
        told = await refused(client, {"credential": inline})
        assert told["errors"][0]["pointer"] == "/@context"


ENDORSED = {"id": "https://e.example/school", "type": ["EndorsementSubject"]}


def endorsement(issuer: str, **members: Any) -> dict[str, Any]:
    return {
        "@context": [VC, OB],
        "id": "urn:uuid:0a5f2f0e-2a58-4a43-8a0c-5f4f7f9d7c11",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Endorsement",
        "issuer": {"id": issuer, "type": ["Profile"], "name": "The Academy"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": ENDORSED,
    } | members


LIST_SUBJECT = {
    "id": "urn:x:list",
    "type": "BitstringStatusList",
    "statusPurpose": "revocation",
    "encodedList": "uH4sIAAAAAAAAA",
}


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({}, 201),
        ({"type": ["VerifiableCredential", "EndorsementCredential", "BitstringStatusListCredential"]}, 403),
        ({"type": ["VerifiableCredential", "EndorsementCredential", "OpenBadgeCredential"]}, 403),
        ({"type": ["EndorsementCredential"]}, 403),
        ({"type": ["VerifiableCredential"]}, 403),
        ({"credentialSubject": LIST_SUBJECT}, 400),
        ({"credentialSubject": {"id": "did:example:x", "type": ["AchievementSubject"]}}, 400),
        ({"type": ["VerifiableCredential", "ClrCredential"]}, 400),
    ],
)
async def test_without_the_scope_a_credential_is_of_one_kind_and_what_that_kind_is(
    partner: Partner, members: dict[str, Any], status: int
) -> None:
    async with vcapi_client(partner, (Scope.VCAPI_ISSUE, Scope.VCAPI_VERIFY)) as client:
        answer = await client.post("/credentials/issue", {"credential": endorsement(client.did, **members)})
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    "members",
    [
        {"type": ["VerifiableCredential", "BitstringStatusListCredential"], "credentialSubject": LIST_SUBJECT},
        {"credentialSubject": LIST_SUBJECT},
        {
            "@context": [VC, {"L": "https://www.w3.org/ns/credentials/status#BitstringStatusListCredential"}],
            "type": ["VerifiableCredential", "L"],
            "credentialSubject": {"id": "did:example:x"},
        },
        {"type": ["VerifiableCredential", "StatusList2021Credential"]},
    ],
)
async def test_nobody_issues_a_status_list_of_the_issuers_own_did(partner: Partner, members: dict[str, Any]) -> None:
    async with vcapi_client(partner) as client:
        told = await refused(client, {"credential": credential(**{"issuer": client.did, **members})}, 403)
        assert told["code"] == "generic_not_allowed"


async def a_badge(partner: Partner) -> dict[str, Any]:
    """One of the partner's, without proof and status."""
    from tests.issuing import decided

    made = await decided(partner)
    url = made["credentials"][0]["url"] if "credentials" in made else made["credential"]["url"]
    document: dict[str, Any] = (await partner.client.get(url.partition("8000")[2])).json()
    return {name: value for name, value in document.items() if name not in ("proof", "credentialStatus")}


async def test_who_may(partner: Partner) -> None:
    async with vcapi_client(partner, (Scope.VCAPI_VERIFY, Scope.VCAPI_GENERIC)) as client:
        answer = await client.post("/credentials/issue", {"credential": credential(issuer=client.did)})
        assert answer.status_code == 403
        client.http.headers.pop("Authorization")
        assert (await client.post("/credentials/issue", {"credential": credential()})).status_code == 401
    answer = await partner.staff.post("/credentials/issue", json={"credential": credential()})
    assert answer.status_code == 403  # a person, whatever their roles


async def test_it_is_kept_sealed_for_its_client_alone_until_it_is_deleted(partner: Partner, stranger: Partner) -> None:
    async with vcapi_client(partner) as client, vcapi_client(partner) as colleague, vcapi_client(stranger) as other:
        body = {"credential": credential(issuer=client.did)}
        answer = await client.post("/credentials/issue", body)
        location = answer.headers["location"].removeprefix("http://127.0.0.1:8000")
        fetched = await client.http.get(location)
        assert fetched.json() == answer.json()["verifiableCredential"]
        assert fetched.headers["content-type"] == "application/json"
        assert fetched.headers["cache-control"] == "no-store"
        for somebody in (colleague.http, other.http, partner.client):
            assert (await somebody.get(location)).status_code == 404
            assert (await somebody.delete(location)).status_code == 404
        async with client.world.database.reading() as session:
            row = (await session.scalars(select(GenericCredential))).one()
        assert row.sealed_document is not None
        assert b"alumniOf" not in row.sealed_document
        assert (await client.http.delete(location)).status_code == 202
        assert (await client.http.get(location)).status_code == 410
        assert (await client.http.delete(location)).status_code == 410
        async with client.world.database.reading() as session:
            row = (await session.scalars(select(GenericCredential))).one()
        assert (row.state, row.sealed_key, row.sealed_document, row.id_digest) == ("deleted", None, None, None)


async def test_badges_stay_public_whoever_asks(partner: Partner) -> None:
    badge = await a_badge(partner)
    path = badge["id"].partition("8000")[2]
    async with vcapi_client(partner) as client:
        assert (await client.http.get(path)).json()["id"] == badge["id"]
        assert (await client.http.get(path, headers={"Authorization": "Bearer nonsense"})).status_code == 200
        assert (await client.http.delete(path)).status_code == 404


async def test_intent_and_outcome_are_in_the_audit_trail(partner: Partner) -> None:
    async with vcapi_client(partner) as client:
        await client.issue(credential(issuer=...))
        async with client.world.database.reading() as session:
            row = (await session.scalars(select(GenericCredential))).one()
            entries = (await session.scalars(select(AuditEntry).where(AuditEntry.object_id == row.id))).all()
            events = (await session.scalars(select(Event).where(Event.object_id == row.id))).all()
        assert sorted(each.action for each in entries) == ["generic_credential.intended", "generic_credential.issued"]
        assert [each.type for each in events] == ["generic_credential.issued"]


async def test_the_same_request_twice_issues_once(partner: Partner) -> None:
    async with vcapi_client(partner) as client:
        body = {"credential": credential(issuer=client.did)}
        headers = {"Idempotency-Key": "one"}
        first = await client.post("/credentials/issue", body, headers=headers)
        second = await client.post("/credentials/issue", body, headers=headers)
        assert first.status_code == second.status_code == 201
        assert first.content == second.content
        other = await client.post(
            "/credentials/issue", {"credential": credential_1(issuer=client.did)}, headers=headers
        )
        assert other.json()["code"] == "idempotency_key_reused"
        answers = await asyncio.gather(
            *(client.post("/credentials/issue", body, headers={"Idempotency-Key": "two"}) for _ in range(6))
        )
        assert {each.status_code for each in answers} <= {201, 409}
        assert len({each.content for each in answers if each.status_code == 201}) == 1
        async with client.world.database.reading() as session:
            count = select(func.count()).select_from(GenericCredential)
            assert (await session.execute(count)).scalar_one() == 2


async def test_status_entries(partner: Partner) -> None:
    async with vcapi_client(partner) as plain:
        client = await plain.settle(partner, status_purpose="revocation")
        for sent in (credential(issuer=client.did), credential_1(issuer=client.did, id="urn:uuid:1")):
            secured = await client.issue(sent)
            assert secured["credentialStatus"]["type"] == "BitstringStatusListEntry"
            assert (await client.verify(secured))["verified"] is True
            status = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
            body = {"credentialId": sent["id"], "credentialStatus": status, "status": True}
            assert (await client.post("/credentials/status", body)).status_code == 200
            told = await client.verify(secured)
            assert told["verified"] is False
            assert codes(told) == {"status"}
            assert (await client.post("/credentials/status", body)).status_code == 200
            back = await client.post("/credentials/status", {**body, "status": False})
            assert (back.status_code, back.json()["code"]) == (400, "status_final")
            wrong = {**body, "credentialStatus": {**status, "statusPurpose": "suspension"}}
            answer = await client.post("/credentials/status", wrong)
            assert (answer.status_code, answer.json()["code"]) == (400, "status_not_offered")
        unknown = {**body, "credentialId": "urn:uuid:0"}
        assert (await client.post("/credentials/status", unknown)).status_code == 404


async def test_the_callers_own_status_entries_stay(partner: Partner) -> None:
    async with vcapi_client(partner) as plain:
        client = await plain.settle(partner, status_purpose="suspension")
        own = {"type": "ExampleStatus", "id": "https://e.example/s#1"}
        secured = await client.issue(credential(issuer=client.did, credentialStatus=own))
        assert [each["type"] for each in secured["credentialStatus"]] == ["ExampleStatus", "BitstringStatusListEntry"]
        told = await client.verify(secured)
        assert told["verified"] is True
        assert "STATUS_VERIFICATION_ERROR" in json.dumps(told["warnings"])  # of the kind that nobody here knows
        body = {"credentialId": secured["id"], "status": True}
        body["credentialStatus"] = {"type": "BitstringStatusListEntry", "statusPurpose": "suspension"}
        assert (await client.post("/credentials/status", body)).status_code == 200
        assert codes(await client.verify(secured)) == {"status"}
        assert (await client.post("/credentials/status", {**body, "status": False})).status_code == 200
        assert (await client.verify(secured))["verified"] is True


async def test_a_proof_that_is_there(partner: Partner) -> None:
    witness = Signatory.ed25519()
    async with vcapi_client(partner) as plain:
        unsigned = credential(issuer=plain.did)
        signed = witness.sign(unsigned, id="urn:uuid:first")
        together = await (await plain.settle(partner, existing_proof="set")).issue(signed)
        assert [each.get("id") for each in together["proof"]] == ["urn:uuid:first", None]
        assert "previousProof" not in together["proof"][1]
        chained = await (await plain.settle(partner, existing_proof="chain")).issue(signed)
        assert chained["proof"][1]["previousProof"] == "urn:uuid:first"
        for each in (together, chained):
            assert (await plain.verify(each))["verified"] is True
        # Without the one that it covers, ours does not verify in a chain; in a set it does.
        assert codes(await plain.verify({**chained, "proof": chained["proof"][1]}))
        assert (await plain.verify({**together, "proof": together["proof"][1]}))["verified"] is True
        told = await refused(plain, {"credential": witness.sign(unsigned)})
        assert told["code"] == "existing_proof_refused"  # it has no id to be named by


async def test_an_intent_whose_process_died_is_burned(partner: Partner, clock: FixedClock) -> None:
    async with vcapi_client(partner) as plain:
        client = await plain.settle(partner, status_purpose="revocation")
        secured = await client.issue(credential(issuer=client.did))
        async with client.world.database.transaction() as session:
            row = (await session.scalars(select(GenericCredential))).one()
            row.state = "pending"  # as it was between the two commits
        clock.advance(seconds=int((LEASE + timedelta(seconds=1)).total_seconds()))
        await burn(client.world, client.issuer_id, row.id)
        async with client.world.database.reading() as session:
            row = (await session.scalars(select(GenericCredential))).one()
        assert (row.state, row.sealed_document) == ("burned", None)
        assert codes(await client.verify(secured)) == {"status"}
        assert (await client.http.get(f"/credentials/{row.id}")).status_code == 404
        assert BURN_JOB == "burn_generic_credential"


async def test_version_1_contexts_are_as_they_came_but_for_what_is_needed(partner: Partner) -> None:
    async with vcapi_client(partner) as client:
        told = await refused(client, {"credential": credential_1(issuer=client.did, **{"@context": [VC_1]})})
        assert told["code"] == "unreadable_terms"


async def test_a_status_is_set_of_all_that_have_the_id(partner: Partner) -> None:
    async with vcapi_client(partner) as plain:
        client = await plain.settle(partner, status_purpose="revocation")
        first, second = [await client.issue(credential(issuer=client.did)) for _ in range(2)]
        body = {"credentialId": first["id"], "status": True}
        body["credentialStatus"] = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
        answers = await asyncio.gather(*(client.post("/credentials/status", body) for _ in range(4)))
        assert {each.status_code for each in answers} == {200}
        for each in (first, second):
            assert codes(await client.verify(each)) == {"status"}


async def test_a_name_that_the_client_gave_deletes_nothing(partner: Partner) -> None:
    """Neither one given twice, nor that of another credential."""
    async with vcapi_client(partner) as client:
        for _ in range(2):
            await client.issue(credential(id=..., issuer=client.did), credentialId="ab" * 16)
        assert (await client.http.delete(f"/credentials/{'ab' * 16}")).status_code == 404


async def test_pointers_have_an_end(partner: Partner) -> None:
    async with vcapi_client(partner) as client:
        body = {"credential": {**credential(), "issuer": client.did}}
        for name, path in (("mandatoryPointers", "issue"), ("selectivePointers", "derive")):
            key = "credential" if path == "issue" else "verifiableCredential"
            asked = {key: body["credential"], "options": {name: ["/issuer"] * 65}}
            refused = await client.post(f"/credentials/{path}", asked)
            assert refused.status_code == 400, refused.text
            assert [each["pointer"] for each in refused.json()["errors"]] == [f"/options/{name}"]


async def test_the_issuers_export_has_it_until_it_is_deleted(partner: Partner) -> None:
    async with vcapi_client(partner) as plain:
        client = await plain.settle(partner, existing_proof="set")
        answer = await client.post("/credentials/issue", {"credential": credential(issuer=client.did)})

        async def records() -> dict[str, dict[str, Any]]:
            lines = (await partner.client.get(f"/v1/issuers/{client.issuer_id}/export")).text.splitlines()
            return {each["type"]: each for each in map(json.loads, lines)}

        told = await records()
        assert told["vcapi_settings"]["existing_proof"] == "set"
        assert json.loads(told["generic_credential"]["body"]) == answer.json()["verifiableCredential"]
        await client.http.delete(answer.headers["location"].partition("8000")[2])
        assert (await records())["generic_credential"]["body"] is None
