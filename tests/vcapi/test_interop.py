"""What is issued through the VC-API, as openbadgeslib (PyPI) sees it: a badge with status, a credential of no profession."""

from typing import Any

import pytest
from openbadgeslib.ob3.did import resolve_verification_method
from openbadgeslib.ob3.ldp import verify_data_integrity_proof
from openbadgeslib.ob3.verifier import OB3VerificationError

from app.access.principals import Scope
from tests.conftest import Partner
from tests.interop.openbadgeslib_verifier import verify_with_openbadgeslib
from tests.vcapi.clients import vcapi_client
from tests.vcapi.test_issue import a_badge
from tests.vcdm.documents import VC
from tests.web.test_bad_input import on_sqlite

pytestmark = [pytest.mark.anyio, on_sqlite]


async def test_a_badge_with_status(partner: Partner) -> None:
    badge = await a_badge(partner)
    async with vcapi_client(partner, (Scope.VCAPI_ISSUE, Scope.VCAPI_VERIFY)) as plain:
        client = await plain.settle(partner, status_purpose="revocation")
        secured = await client.issue(badge)
        status = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
        for is_revoked in (False, True):
            if is_revoked:
                body = {"credentialId": badge["id"], "credentialStatus": status, "status": True}
                assert (await client.post("/credentials/status", body)).status_code == 200
            url = secured["credentialStatus"]["statusListCredential"]
            published = (await client.http.get(url)).content
            verdict = verify_with_openbadgeslib(secured, download=lambda _url, body=published: body)  # type: ignore[misc]
            assert verdict.accepted is not is_revoked, verdict.reason
            assert (await client.verify(secured))["verified"] is not is_revoked


async def test_a_credential_of_any_kind(partner: Partner) -> None:
    subject = {"id": "did:example:subject"}
    document: dict[str, Any] = {"@context": [VC], "type": ["VerifiableCredential"], "credentialSubject": subject}
    async with vcapi_client(partner) as client:
        secured = await client.issue(document)
        key = resolve_verification_method(secured["proof"]["verificationMethod"], lambda _: pytest.fail("no fetch"))
        verify_data_integrity_proof(secured, key)
        with pytest.raises(OB3VerificationError):
            verify_data_integrity_proof({**secured, "credentialSubject": {"id": "did:example:another"}}, key)


async def test_status_lists_in_each_media_type(partner: Partner) -> None:
    async with vcapi_client(partner) as plain:
        client = await plain.settle(partner, status_purpose="revocation")
        document = {
            "@context": [VC],
            "type": ["VerifiableCredential"],
            "credentialSubject": {"id": "did:example:subject"},
        }
        url = (await client.issue(document))["credentialStatus"]["statusListCredential"]
        client.http.headers.pop("Authorization")  # it is public
        for accept in ("application/vc", "application/vc+ld+json", "application/json"):
            answer = await client.http.get(url, headers={"Accept": accept})
            assert (answer.status_code, answer.headers["content-type"]) == (200, accept)
        answer = await client.http.get(url, headers={"Accept": "*/*"})
        ttl = answer.json()["credentialSubject"]["ttl"]
        assert answer.headers["cache-control"] == f"public, max-age={ttl // 1000}"
        again = await client.http.get(url, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert (await client.http.get(url, headers={"Accept": "text/csv"})).status_code == 406
