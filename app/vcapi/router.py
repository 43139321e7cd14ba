"""The W3C VC-API (VCALM 1.0) at the root, for API clients."""

from typing import Any

from fastapi import APIRouter, Response

from app.access.dependencies import VcApiIssue, VcApiVerify
from app.access.idempotency import Idempotency
from app.access.principals import Scope
from app.errors import Fault
from app.identifiers import Identifier
from app.vcapi import challenges
from app.vcapi.answer import answer_credential, answer_presentation
from app.vcapi.bodies import (
    ChallengeOut,
    DeriveBody,
    IssueBody,
    PresentationBody,
    StatusBody,
    VerifiableCredentialOut,
    VerifiablePresentationOut,
    VerificationAnswer,
    VerifyCredentialBody,
    VerifyPresentationBody,
)
from app.vcapi.dependencies import Judges, Verifies
from app.vcapi.errors import NotDerivable
from app.vcapi.issue import issue
from app.vcapi.options import DERIVE, ISSUE, PRESENT, VERIFY, VERIFY_PRESENTATION, read_options
from app.vcapi.present import present
from app.vcapi.stored import delete_stored, set_status
from app.web.dependencies import Now, Session, World
from app.web.problems import responses

router = APIRouter(tags=["VC-API"])

_CREDENTIAL: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
    "type": ["VerifiableCredential", "ExampleAlumniCredential"],
    "issuer": "did:key:z6Mk…",
    "validFrom": "2026-11-24T00:00:00Z",
    "credentialSubject": {"id": "did:example:subject", "alumniOf": "The Academy"},
}
_PRESENTATION: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiablePresentation"],
}


def _example(body: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": body}}}}


@router.post("/credentials/issue", status_code=201, operation_id="vcapi_issue_credential",
             response_model=VerifiableCredentialOut, openapi_extra=_example({"credential": _CREDENTIAL}),
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422, 503))  # fmt: skip
async def issue_credential(
    body: IssueBody, client: VcApiIssue, world: World, judges: Judges, idempotency: Idempotency
) -> Response:
    """Sign a credential. Its issuer has to be the client's; the proof and a status entry are as the client's settings say.

    Any W3C credential with the scope `vcapi:generic`, Open Badges and CLR credentials without it. `Location` is where the client
    fetches and deletes it. The answer has one proof as an object, several as an array.
    """
    options = read_options(body.options, ISSUE)
    issued = await issue(world, judges, client, body.credential, options, idempotency)
    headers = {"Location": f"{world.base_url}/credentials/{issued.id}", "Cache-Control": "no-store"}
    content = b'{"verifiableCredential":' + issued.body + b"}"
    return Response(content, 201, headers, media_type="application/json")


@router.post("/credentials/derive", status_code=201, operation_id="vcapi_derive_credential",
             response_model=dict[str, Any],
             openapi_extra=_example({"verifiableCredential": {**_CREDENTIAL, "proof": {}},
                                     "options": {"selectivePointers": ["/credentialSubject/alumniOf"]}}),
             responses=responses(400, 401, 403, 413, 415, 422, 503))  # fmt: skip
async def derive_credential(body: DeriveBody, client: VcApiVerify, judges: Judges) -> dict[str, Any]:
    """Cut a credential with a base proof of ecdsa-sd-2023 down to what is mandatory and what is selected. Nothing is kept."""
    options = read_options(body.options, DERIVE)
    if not isinstance(body.verifiableCredential, dict):
        fault = Fault("/verifiableCredential", "must be the credential, an object")
        raise NotDerivable("There is no credential to derive from.", faults=[fault])
    pointers = options.get("selectivePointers", [])
    return await judges.derive(body.verifiableCredential, pointers, is_generic=_is_generic(client))


@router.post("/credentials/verify", operation_id="vcapi_verify_credential", response_model_exclude_none=True,
             openapi_extra=_example({"verifiableCredential": {**_CREDENTIAL, "proof": {}}}),
             responses=responses(400, 401, 403, 413, 415, 422, 503))  # fmt: skip
async def verify_credential(body: VerifyCredentialBody, client: VcApiVerify, verifier: Verifies) -> VerificationAnswer:
    """Verify a credential of anyone: every proof of it, the issuer's key, its period and its status. Nothing is kept.

    200 whether it is verified or not; 400 for what cannot be read as a credential.
    """
    options = read_options(body.options, VERIFY)
    found = await verifier.verify_credential(body.verifiableCredential, is_generic=_is_generic(client))
    return answer_credential(found, body.verifiableCredential, options)


@router.post("/presentations/verify", operation_id="vcapi_verify_presentation", response_model_exclude_none=True,
             openapi_extra=_example({"verifiablePresentation": {**_PRESENTATION, "proof": {}},
                                     "options": {"challenge": "0f3c…", "domain": "academy.example"}}),
             responses=responses(400, 401, 403, 413, 415, 422, 503))  # fmt: skip
async def verify_presentation(
    body: VerifyPresentationBody, client: VcApiVerify, verifier: Verifies, world: World
) -> VerificationAnswer:
    """Verify a presentation: that its holder made it, for this challenge and domain, and every credential in it.

    A challenge of `POST /challenges` is spent once everything else is verified. 400 for what is no signed presentation.
    """
    options = read_options(body.options, VERIFY_PRESENTATION)
    is_generic = _is_generic(client)
    contexts = world.open_contexts if is_generic else world.contexts
    found = await verifier.verify_presentation(
        body.verifiablePresentation, options, contexts=contexts, is_generic=is_generic
    )
    if found.is_verified and "challenge" in options:
        found = await challenges.require_unspent(world, client, options["challenge"], found)
    return answer_presentation(found, body.verifiablePresentation, options)


@router.post("/credentials/status", operation_id="vcapi_set_status", response_model=dict[str, Any],
             openapi_extra=_example({"credentialId": "urn:uuid:7f3c5ad6-2f1b-4f6e-8d0c-6a2b7f0e9b11", "status": True,
                                     "credentialStatus": {"type": "BitstringStatusListEntry",
                                                          "statusPurpose": "revocation"}}),
             responses=responses(400, 401, 403, 404, 410, 413, 415, 422))  # fmt: skip
async def update_status(
    body: StatusBody, client: VcApiIssue, session: Session, world: World, now: Now
) -> dict[str, Any]:
    """Set or clear the status of a credential that the client had issued with a status entry. The list shows it at once."""
    await set_status(
        session, world, client, body.credentialId,
        type_=body.credentialStatus.type, purpose=body.credentialStatus.statusPurpose, is_set=body.status, now=now,
    )  # fmt: skip
    return {}


@router.delete("/credentials/{credential_id}", status_code=202, operation_id="vcapi_delete_credential",
               response_model=dict[str, Any], responses=responses(401, 403, 404, 410, 422))  # fmt: skip
async def delete_credential(
    credential_id: Identifier, client: VcApiIssue, session: Session, now: Now
) -> dict[str, Any]:
    """Forget a credential that the client had issued: what was kept of it can be read no more, by nobody here."""
    await delete_stored(session, client, credential_id, now=now)
    return {}


@router.post("/presentations", status_code=201, operation_id="vcapi_create_presentation",
             response_model=VerifiablePresentationOut, openapi_extra=_example({"presentation": _PRESENTATION}),
             responses=responses(400, 401, 403, 409, 413, 415, 422, 503))  # fmt: skip
async def create_presentation(body: PresentationBody, client: VcApiIssue, world: World, judges: Judges) -> Response:
    """Sign a presentation with the key of the client's issuer, for the challenge and domain that are given. Nothing is kept."""
    options = read_options(body.options, PRESENT)
    signed = await present(world, judges, client, body.presentation, options)
    content = b'{"verifiablePresentation":' + signed + b"}"
    return Response(content, 201, {"Cache-Control": "no-store"}, media_type="application/json")


@router.post("/challenges", operation_id="vcapi_create_challenge", responses=responses(401, 403, 413, 415, 422))
async def create_challenge(client: VcApiVerify, session: Session, world: World, now: Now) -> ChallengeOut:
    """A challenge for a presenter to sign, good once within a quarter of an hour."""
    return ChallengeOut(challenge=challenges.hand_out(session, world, client, now))


def _is_generic(client: VcApiVerify) -> bool:
    return Scope.VCAPI_GENERIC in client.scopes
