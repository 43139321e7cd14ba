"""The one way from a linted document to a signed one, for badges and status lists alike.

    sign_document    a document with a Data Integrity proof of any suite
    add_proof        one more proof beside those it has (a proof set)
    sign_jwt         a document as JWT

Each composes what is to be signed, has it signed (the lint token is spent), and verifies the outcome from the bytes before it
returns. Every signature needs a linting of its own: lint again for the second proof of a set, and for each other form.

The same arguments give the same bytes, whatever the suite (`app.keys.signing`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from app.errors import Broken
from app.issuers.did_document import verification_method_id
from app.openbadges.conformance import Linted
from app.openbadges.jwt import JwtForm, compose_jwt, verify_jws
from app.proofs import ecdsa_sd_2023
from app.proofs.cryptosuites import (
    PROOF_PURPOSE,
    SUITES,
    Cryptosuite,
    compose_proof,
    compose_proof_config,
    hash_data,
    hash_name,
    transform,
    transform_proof_config,
)
from app.proofs.data_integrity import Problem, proofs_of, secure, verify_proof
from app.proofs.multikey import decode_multikey
from app.proofs.public_key import AnyPublicKey
from app.proofs.signer import JwsRequest, SelectiveRequest, SigningRequest
from app.proofs.verification_method import VerificationMethod
from app.resources import Resources

DEFAULT_SUITE = "eddsa-rdfc-2022"


class SelfVerificationFailed(Broken):
    """What came back from the signer does not verify. Nothing was released."""

    code = "self_verification_failed"


def verification_method_of(did: str, public_key_multibase: str) -> VerificationMethod:
    """The verification method under which an issuer's key is published as Multikey; RSA keys make no proofs."""
    return VerificationMethod(
        id=verification_method_id(did, public_key_multibase),
        controller=did,
        public_key=decode_multikey(public_key_multibase),
        public_key_multibase=public_key_multibase,
    )


async def sign_document(
    world: Resources,
    linted: Linted,
    *,
    key_id: str,
    verification_method: VerificationMethod,
    created: datetime,
    suite: str = DEFAULT_SUITE,
    mandatory_pointers: Sequence[str] = (),
    purpose: str = PROOF_PURPOSE,
    options: Mapping[str, Any] | None = None,
) -> bytes:
    """The exact bytes of the document with one proof, in an array.

    `options` are further members of the proof (a challenge, say). Where the linted document carries proofs, these are covered by
    the new one, which names them by the option `previousProof` (a chain, VC Data Integrity 1.0 §2.1.2) and stands behind them.

    `suite` is a name of `app.proofs.cryptosuites.SUITES`. `key_id` names the key in the vault and `verification_method` is its
    public side (`verification_method_of`); the key is of an algorithm that the suite takes (`app.keys.store.get_active_key`).
    `created` is in whole seconds. The document's @context defines what the proof is made of: VC v2 does for DataIntegrityProof,
    and Ed25519Signature2020 wants its own beside.

    With `ecdsa-sd-2023` the proof is a base proof, for the holder alone; `mandatory_pointers` (JSON Pointers) are what every
    derived credential discloses.

    Raises LintTokenMisused when the document was signed before, SelfVerificationFailed, UnsafeDocument where the proof is not
    covered by the @context, MalformedPointer.
    """
    proof = await _make_proof(
        world, linted, SUITES[suite], key_id, verification_method, created, mandatory_pointers, purpose, options or {}
    )
    unsecured = {name: value for name, value in linted.document.items() if name != "proof"}
    secured = json_bytes(secure(unsecured, [*proofs_of(linted.document), proof]))
    _require_verifies(world, secured, verification_method, purpose)
    return secured


async def add_proof(
    world: Resources,
    secured: bytes,
    linted: Linted,
    *,
    key_id: str,
    verification_method: VerificationMethod,
    created: datetime,
    suite: str,
) -> bytes:
    """As `sign_document`: `secured` with one more proof behind those it has, each of which stands by itself (a proof set).

    `linted` is the same document, linted once more. Raises Broken when it is another.
    """
    received = json.loads(secured)
    proofs = proofs_of(received)
    if {name: value for name, value in received.items() if name != "proof"} != linted.document:
        raise Broken("The proofs of a set are of one document.")
    proof = await _make_proof(world, linted, SUITES[suite], key_id, verification_method, created, ())
    extended = json_bytes(secure(linted.document, [*proofs, proof]))
    _require_verifies(world, extended, verification_method)
    return extended


async def sign_jwt(
    world: Resources, linted: Linted, *, form: JwtForm, key_id: str, public_key: AnyPublicKey, kid: str
) -> bytes:
    """The document as compact JWS, in ASCII; its algorithm follows from the key (`app.proofs.public_key.JOSE_ALGORITHMS`).

    `kid` is what `form` wants (`app.openbadges.jwt`): for `ob3-jwt` the https URL of the key's JWK, for `vc-jose-cose` its DID
    URL. For `ob3-jwt` the document's subject has an id. Raises LintTokenMisused, SelfVerificationFailed.
    """
    header, payload = compose_jwt(form, linted.document, kid=kid)
    [signature] = await world.signer.sign([JwsRequest(linted.token, key_id, header, payload)])
    received = verify_jws(signature.value.decode("ascii", "replace"), public_key)
    if received is None or received[1] != payload or {**received[0], "alg": ""} != {**header, "alg": ""}:
        raise SelfVerificationFailed("The signed JWT does not verify, or is not the one that was asked for.")
    return signature.value


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """A document as it is stored and served: compact UTF-8 JSON, members in their order."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


async def _make_proof(
    world: Resources,
    linted: Linted,
    suite: Cryptosuite,
    key_id: str,
    verification_method: VerificationMethod,
    created: datetime,
    mandatory_pointers: Sequence[str],
    purpose: str = PROOF_PURPOSE,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    context = linted.document["@context"]
    config = compose_proof_config(
        suite,
        verification_method=verification_method.id,
        created=created,
        document_context=context,
        purpose=purpose,
    )
    config |= options
    public_key = verification_method.public_key
    canonical = transform_proof_config(suite, config, context, public_key, contexts=world.contexts)
    if suite.is_selective:
        proof_hash = hashlib.sha256(canonical.encode()).digest()
        request = SelectiveRequest(
            linted.token, key_id, linted.document, proof_hash, mandatory_pointers, world.contexts
        )
        [signature] = await world.signer.sign([request])
        return {**config, "proofValue": signature.value.decode()}
    is_linted_form = suite.canonical_form == "rdfc" and hash_name(public_key) == "sha256"
    document = (
        linted.canonical.nquads
        if is_linted_form
        else transform(suite, linted.document, public_key, contexts=world.contexts)
    )
    to_sign = hash_data(public_key, canonical, document)
    [signature] = await world.signer.sign([SigningRequest(linted.token, key_id, to_sign)])
    return compose_proof(config, signature.value)


def verify_made(
    secured_document: Mapping[str, Any],
    proof: Mapping[str, Any],
    verification_method: VerificationMethod,
    *,
    contexts: Mapping[str, dict[str, Any]],
    now: datetime,
    purpose: str = PROOF_PURPOSE,
) -> list[Problem]:
    """As `verify_proof`, of a document that we made: it may have a base proof, which is verified as the most that a holder could
    show of it, so that every signature is looked at. Raises InvalidInput where that cannot be derived.
    """
    if proof.get("cryptosuite") == ecdsa_sd_2023.CRYPTOSUITE and not ecdsa_sd_2023.is_derived(proof.get("proofValue")):
        secured_document = ecdsa_sd_2023.derive(secured_document, proof, [""], contexts=contexts)
        proof = secured_document["proof"]
    return verify_proof(secured_document, proof, verification_method, contexts=contexts, now=now, purpose=purpose)


def _require_verifies(
    world: Resources, secured: bytes, verification_method: VerificationMethod, purpose: str = PROOF_PURPOSE
) -> None:
    """Check the last proof as a stranger would: from the bytes, by the verifying code, against the published key."""
    received, now = json.loads(secured), world.clock.now()
    problems = verify_made(
        received, received["proof"][-1], verification_method, contexts=world.contexts, now=now, purpose=purpose
    )
    if problems:
        raise SelfVerificationFailed(f"The signed document does not verify: {problems[0].code}.")
