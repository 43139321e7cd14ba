"""The one way from a linted document to a signed one, for badges and status lists alike.

compose the proof config > hash > sign (the lint token is spent) > attach the proof > verify it from the bytes
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.errors import Broken
from app.issuers.did_document import verification_method_id
from app.openbadges.conformance import Linted
from app.proofs.cryptosuites import SUITES, compose_proof, compose_proof_config, hash_data, transform_proof_config
from app.proofs.data_integrity import secure, verify_proof
from app.proofs.multikey import decode_multikey
from app.proofs.signer import SigningRequest
from app.proofs.verification_method import VerificationMethod
from app.resources import Resources

_SUITE = SUITES["eddsa-rdfc-2022"]


class SelfVerificationFailed(Broken):
    """What came back from the signer does not verify. Nothing was released."""

    code = "self_verification_failed"


def verification_method_of(did: str, public_key_multibase: str) -> VerificationMethod:
    """The verification method under which an issuer's key is published."""
    return VerificationMethod(
        id=verification_method_id(did, public_key_multibase),
        controller=did,
        public_key=decode_multikey(public_key_multibase),
        public_key_multibase=public_key_multibase,
    )


async def sign_document(
    world: Resources, linted: Linted, *, key_id: str, verification_method: VerificationMethod, created: datetime
) -> bytes:
    """The exact bytes of the secured document. The same arguments give the same bytes: Ed25519 is deterministic.

    Raises LintTokenMisused when the document was signed before, SelfVerificationFailed.
    """
    context = linted.document["@context"]
    config = compose_proof_config(
        _SUITE, verification_method=verification_method.id, created=created, document_context=context
    )
    canonical = transform_proof_config(_SUITE, config, context, contexts=world.contexts)
    to_sign = hash_data(verification_method.public_key, canonical, linted.canonical.nquads)
    request = SigningRequest(linted.token, key_id, to_sign)
    [signature] = await world.signer.sign([request])
    secured = json_bytes(secure(linted.document, [compose_proof(config, signature.value)]))
    _require_verifies(world, secured, verification_method)
    return secured


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """A document as it is stored and served: compact UTF-8 JSON, members in their order."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _require_verifies(world: Resources, secured: bytes, verification_method: VerificationMethod) -> None:
    """Check as a stranger would: from the bytes, by the verifying code, against the published key."""
    received = json.loads(secured)
    problems = verify_proof(
        received, received["proof"][0], verification_method, contexts=world.contexts, now=world.clock.now()
    )
    if problems:
        raise SelfVerificationFailed(f"The signed document does not verify: {problems[0].code}.")
