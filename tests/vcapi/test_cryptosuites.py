"""The other cryptosuites over HTTP, of an issuer that is a did:web and has keys of several algorithms."""

from typing import Any

import pytest

from tests.conftest import Partner
from tests.vcapi.clients import VcApi, codes, vcapi_client
from tests.vcdm.documents import credential, credential_1

pytestmark = pytest.mark.anyio


@pytest.fixture
def public_url() -> str:
    return "https://badges.example.org"


async def refused(client: VcApi, body: Any) -> dict[str, Any]:
    answer = await client.post("/credentials/issue", body)
    assert answer.status_code == 400, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def make_key(partner: Partner, client: VcApi, algorithm: str) -> None:
    made = await partner.client.post(f"/v1/issuers/{client.issuer_id}/keys", json={"algorithm": algorithm})
    assert made.status_code == 201, made.text


@pytest.mark.parametrize(
    ("suite", "algorithm"),
    [
        ("eddsa-jcs-2022", None),
        ("Ed25519Signature2020", None),
        ("ecdsa-rdfc-2019", "P-256"),
        ("ecdsa-rdfc-2019", "P-384"),
        ("ecdsa-jcs-2019", "P-256"),
    ],
)
async def test_other_cryptosuites(partner: Partner, suite: str, algorithm: str | None) -> None:
    async with vcapi_client(partner) as plain:
        if algorithm is not None:
            await make_key(partner, plain, algorithm)
        client = await plain.settle(partner, cryptosuite=suite, did_method="key")
        for sent in (credential(issuer=client.did), credential_1(issuer=client.did)):
            secured = await client.issue(sent)
            assert suite in (secured["proof"].get("cryptosuite"), secured["proof"]["type"])
            assert (await client.verify(secured))["verified"] is True, suite
            assert codes(await client.verify({**secured, "name": "Another"}))


async def test_selective_disclosure(partner: Partner) -> None:
    async with vcapi_client(partner) as plain:
        await make_key(partner, plain, "P-256")
        client = await plain.settle(partner, cryptosuite="ecdsa-sd-2023", did_method="key")
        subject = {"id": "did:example:subject", "alumniOf": "The Academy", "degree": "BA"}
        secured = await client.issue(
            credential(issuer=client.did, credentialSubject=subject), mandatoryPointers=["/issuer", "/type"]
        )
        assert codes(await client.verify(secured)) == {"malformed_proof"}  # a base proof is for its holder
        body = {"verifiableCredential": secured, "options": {"selectivePointers": ["/credentialSubject/degree"]}}
        answer = await client.post("/credentials/derive", body)
        assert answer.status_code == 201, answer.text
        derived = answer.json()
        assert "alumniOf" not in derived["credentialSubject"]
        assert (await client.verify(derived))["verified"] is True
        assert codes(await client.verify({**derived, "issuer": "did:example:another"}))
        for wrong, code in (
            ({**body, "options": {"selectivePointers": ["/nowhere"]}}, "not_derivable"),
            ({**body, "options": {"selectivePointers": [4]}}, "unknown_option"),
            ({**body, "verifiableCredential": derived}, "not_derivable"),
            ({**body, "verifiableCredential": credential()}, "not_derivable"),
            ({"options": {}}, "not_derivable"),
        ):
            answer = await client.post("/credentials/derive", wrong)
            assert (answer.status_code, answer.json()["code"]) == (400, code)
        nowhere = {"credential": credential(issuer=client.did), "options": {"mandatoryPointers": ["/nowhere"]}}
        assert (await refused(client, nowhere))["code"] == "malformed_credential"


async def test_settings_that_cannot_be(partner: Partner) -> None:
    async with vcapi_client(partner) as client:
        path = f"/v1/issuers/{client.issuer_id}/api-clients/{client.client_id}/vc-api"
        answer = await partner.client.put(path, json={"cryptosuite": "ecdsa-rdfc-2019"})
        assert (answer.status_code, answer.json()["code"]) == (409, "no_key_for_cryptosuite")
        await make_key(partner, client, "P-256")
        assert (await partner.client.put(path, json={"cryptosuite": "ecdsa-rdfc-2019"})).status_code == 200
        body = {"cryptosuite": "ecdsa-rdfc-2019", "did_method": "key", "status_purpose": "revocation"}
        answer = await partner.client.put(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "status_needs_issuer_did")
        assert (await partner.client.put(path, json={"cryptosuite": "rot13"})).status_code == 422
        told = (await partner.client.get(path)).json()
        assert (told["issuer_did"], told["generic"], told["cryptosuite"]) == (client.did, True, "ecdsa-rdfc-2019")


async def test_a_status_list_of_a_did_key_is_no_list_of_the_issuers(partner: Partner) -> None:
    list_ = {"type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": "uH4sIAAAAAAAAA"}
    types = ["VerifiableCredential", "BitstringStatusListCredential"]
    async with vcapi_client(partner) as plain:
        sent = {"credential": credential(issuer=plain.did, type=types, credentialSubject=list_)}
        assert (await plain.post("/credentials/issue", sent)).status_code == 403
        client = await plain.settle(partner, did_method="key")
        await client.issue(credential(issuer=client.did, type=types, credentialSubject=list_))
