"""The clients that the demonstration leaves in demo.json."""

import httpx
import pytest

from app.demo.vcapi import enter_vcapi
from tests.conftest import Partner
from tests.issuing import world_of
from tests.people import app_of
from tests.vcdm.documents import DATA_INTEGRITY, credential, credential_1

pytestmark = pytest.mark.anyio


async def test_the_demonstrations_clients_issue_as_did_key(partner: Partner) -> None:
    app = app_of(partner.client)
    world = world_of(app)
    async with world.database.transaction() as session:
        told = await enter_vcapi(session, world, world.clock.now())
    for name in ("vc_api", "vc_api_status"):
        client = told[name]
        assert client["issuer_did"].startswith("did:key:z6Mk")
        assert client["base_url"] == world.base_url
        headers = {"Authorization": f"Bearer {client['token']}"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=client["base_url"], headers=headers, timeout=60
        ) as http:
            for sent in (credential(issuer=client["issuer_did"]), credential_1(issuer=client["issuer_did"])):
                answer = await http.post("/credentials/issue", json={"credential": sent})
                assert answer.status_code == 201, answer.text
                secured = answer.json()["verifiableCredential"]
                assert ("credentialStatus" in secured) == (name == "vc_api_status")
                assert (DATA_INTEGRITY in secured["@context"]) == ("issuanceDate" in secured)
                answer = await http.post("/credentials/verify", json={"verifiableCredential": secured})
                assert answer.json()["verified"] is True
