"""What the house tests need of VC-API."""

from typing import Any

from app.access.store import ApiClient
from app.issuers.store import Issuer
from app.vcapi.store import GenericCredential
from tests.conftest import Partner
from tests.house.areas.stories import Mistakes, Story
from tests.vcdm.documents import credential, presentation

_STATUS = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    path = f"/v1/issuers/{partner.issuer_id}/api-clients/{known['client_id']}/vc-api"
    issuer = (await partner.client.get(path)).json()["issuer_did"]
    made = await partner.client.post("/credentials/issue", json={"credential": credential(issuer=issuer)})
    assert made.status_code == 201, made.text
    return {"generic_credential_id": made.headers["location"].rpartition("/")[2]}


async def examples(story: Story) -> None:
    """Call every operation once."""
    story.token = story.client
    clients = await story.call("list_api_clients")
    portal = next(each["id"] for each in clients["items"] if "vcapi:issue" in each["scopes"])
    did = (await story.call("get_vcapi_settings", client_id=portal))["issuer_did"]
    await story.call("put_vcapi_settings", client_id=portal, body={"status_purpose": "revocation"})
    issued = await story.call("vcapi_issue_credential", body={"credential": credential(issuer=did)})
    secured = issued["verifiableCredential"]
    await story.call("vcapi_verify_credential", body={"verifiableCredential": secured})
    body = {"credentialId": secured["id"], "credentialStatus": _STATUS, "status": True}
    await story.call("vcapi_set_status", body=body)
    challenge = (await story.call("vcapi_create_challenge", body={}))["challenge"]
    asked = {"challenge": challenge, "domain": "verifier.example"}
    made = await story.call(
        "vcapi_create_presentation", body={"presentation": presentation(holder=did), "options": asked}
    )
    body = {"verifiablePresentation": made["verifiablePresentation"], "options": asked}
    await story.call("vcapi_verify_presentation", body=body)
    await story.call("put_vcapi_settings", client_id=portal, body={"cryptosuite": "ecdsa-sd-2023"})
    selective = await story.call("vcapi_issue_credential", body={"credential": credential(issuer=did)})
    body = {**selective, "options": {"selectivePointers": ["/credentialSubject/alumniOf"]}}
    await story.call("vcapi_derive_credential", body=body)
    headers = {"Authorization": f"Bearer {story.token}"}
    last = await story.http.post("/credentials/issue", json={"credential": credential(issuer=did)}, headers=headers)
    await story.call("vcapi_delete_credential", credential_id=last.headers["location"].rpartition("/")[2])


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
    issue = "/credentials/issue"
    clients, portal, did = await _portal_of(made)
    settings = f"{clients}/{portal}/vc-api"
    good = credential(issuer=did)
    await made.make("unknown_option", "POST", issue, json={"credential": good, "options": {"type": "Ed25519"}})
    await made.make("malformed_credential", "POST", issue, json={"credential": {**good, "credentialSubject": {}}})
    await made.make("unreadable_terms", "POST", issue, json={"credential": {**good, "@context": good["@context"][:1]}})
    await made.make("issuer_mismatch", "POST", issue, json={"credential": {**good, "issuer": "did:example:another"}})
    await made.make("existing_proof_refused", "POST", issue, json={"credential": {**good, "proof": {}}})
    body: dict[str, Any] = {"verifiablePresentation": presentation()}
    await made.make("malformed_presentation", "POST", "/presentations/verify", json=body)
    body = {"did_method": "key", "status_purpose": "revocation"}
    await made.make("status_needs_issuer_did", "PUT", settings, json=body)
    await made.make("no_key_for_cryptosuite", "PUT", settings, json={"cryptosuite": "ecdsa-rdfc-2019"})
    secured = (await made.client.post(issue, json={"credential": good})).json()["verifiableCredential"]
    body = {"credentialId": good["id"], "credentialStatus": _STATUS, "status": True}
    await made.make("status_not_offered", "POST", "/credentials/status", json=body)
    await made.make("not_derivable", "POST", "/credentials/derive", json={"verifiableCredential": secured})
    await made.client.put(settings, json={"status_purpose": "revocation"})
    await made.client.post(issue, json={"credential": {**good, "id": "urn:uuid:9b2f"}})
    body = {**body, "credentialId": "urn:uuid:9b2f"}
    await made.client.post("/credentials/status", json=body)
    await made.make("status_final", "POST", "/credentials/status", json={**body, "status": False})
    token = (await made.client.post(clients, json={"name": "Badges", "scopes": ["vcapi:issue"]})).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    await made.make("generic_not_allowed", "POST", issue, json={"credential": good}, headers=headers)
    headers = {"Idempotency-Key": "given-up"}
    answer = await made.client.post(issue, json={"credential": good}, headers=headers)
    async with made.world.database.transaction() as session:
        row = await session.get_one(
            GenericCredential, (clients.split("/")[3], answer.headers["location"].rpartition("/")[2])
        )
        row.state, row.sealed_key, row.sealed_document = "burned", None, None
    await made.make("issuing_failed", "POST", issue, json={"credential": good}, headers=headers)


async def _portal_of(made: Mistakes) -> tuple[str, str, str]:
    """Where the API clients of the issuer are, the id of the one that makes the mistakes, and its issuer's DID."""
    token = made.client.headers["Authorization"].removeprefix("Bearer ")
    portal = token.split("_")[1]
    async with made.world.database.reading() as session:
        client = await session.get_one(ApiClient, portal)
        assert client.issuer_id is not None
        issuer = await session.get_one(Issuer, client.issuer_id)
    return f"/v1/issuers/{issuer.id}/api-clients", portal, issuer.did
