"""Proofs on documents: W3C Verifiable Credential Data Integrity 1.0, §4 (add and verify proof).

A document may carry several proofs (a proof set). Each is verified by itself, over the document without any. A proof of a chain
(`previousProof`, §2.1.2) covers the proofs it names, too: they go back into the document before it is canonicalized.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from app.errors import Fault, InvalidInput
from app.proofs import ecdsa_sd_2023
from app.proofs.cryptosuites import (
    DATA_INTEGRITY,
    Cryptosuite,
    find_signature,
    find_suite,
    hash_data,
    is_signed_by,
    transform,
    transform_proof_config,
)
from app.proofs.errors import MalformedProofValue, UnknownContext, UnsafeDocument
from app.proofs.multikey import kind_of
from app.proofs.verification_method import VerificationMethod, find_moment

Contexts = Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason not to accept a proof. `code` is stable; `pointer` (RFC 6901) is into the secured document."""

    code: str
    detail: str
    pointer: str = ""


def secure(unsecured_document: Mapping[str, Any], proofs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A new document with `proofs` (at least one) as the array `proof`. Raises UnsafeDocument if it has one already."""
    if "proof" in unsecured_document:
        raise UnsafeDocument("The document already carries a proof.")
    if not proofs:
        raise UnsafeDocument("There is no proof to secure the document with.")
    return {**unsecured_document, "proof": [dict(proof) for proof in proofs]}


def proofs_of(secured_document: Mapping[str, Any]) -> list[Any]:
    """Its proofs in their order, from an object or an array; nothing says yet that each is an object. [] for none."""
    proof = secured_document.get("proof", [])
    return list(proof) if isinstance(proof, list) else [proof]


def verify_proof(
    secured_document: Mapping[str, Any],
    proof: Mapping[str, Any],
    verification_method: VerificationMethod,
    *,
    contexts: Contexts,
    now: datetime,
    purpose: str = "assertionMethod",
) -> list[Problem]:
    """What is wrong with one `proof` of `secured_document`, §4.4; [] when the proof verifies.

    The caller has resolved `verification_method` (from the proof's own `verificationMethod`, which has to agree) and
    judges its controller against the issuer. `now` is aware. All checks that can run do; the signature is looked at if
    what it covers can be computed. Raises nothing for what the document or the proof may hold.
    """
    place = _pointer_to(secured_document, proof)
    problems = [
        *_check_purpose(proof, purpose),
        *_check_times(proof, now),
        *_check_verification_method(proof, verification_method, now),
        *_check_context(secured_document, proof),
        *_check_suite(proof),
    ]
    located = [replace(problem, pointer=place + problem.pointer) for problem in problems]
    suite = find_suite(proof)
    if suite is None:
        return located
    return [*located, *_verify_signature(suite, secured_document, proof, verification_method, contexts, place)]


def _pointer_to(secured_document: Mapping[str, Any], proof: Mapping[str, Any]) -> str:
    proofs = proofs_of(secured_document)
    if not isinstance(secured_document.get("proof"), list):
        return "/proof"
    return f"/proof/{proofs.index(proof)}" if proof in proofs else "/proof"


# The pointers of these checks are into the proof.


def _check_suite(proof: Mapping[str, Any]) -> list[Problem]:
    if find_suite(proof) is not None:
        return []
    if proof.get("type") != DATA_INTEGRITY:
        return [Problem("proof_type_unsupported", "The proof is of no supported type.", "/type")]
    return [Problem("cryptosuite_unsupported", "The cryptosuite is not supported.", "/cryptosuite")]


def _check_purpose(proof: Mapping[str, Any], purpose: str) -> list[Problem]:
    if proof.get("proofPurpose") == purpose:
        return []
    return [Problem("proof_purpose_mismatch", f"The proofPurpose is not {purpose}.", "/proofPurpose")]


def _check_times(proof: Mapping[str, Any], now: datetime) -> list[Problem]:
    problems = [
        Problem(f"proof_{name}_malformed", f"{name} is not a dateTimeStamp with an offset.", f"/{name}")
        for name in ("created", "expires")
        if name in proof and find_moment(proof[name]) is None
    ]
    expires = find_moment(proof.get("expires"))
    if expires is not None and expires <= now:
        problems.append(Problem("proof_expired", "The proof has expired.", "/expires"))
    return problems


def _check_verification_method(proof: Mapping[str, Any], method: VerificationMethod, now: datetime) -> list[Problem]:
    place = "/verificationMethod"
    problems = []
    if proof.get("verificationMethod") != method.id:
        detail = "The proof names another verification method."
        problems.append(Problem("verification_method_mismatch", detail, place))
    if method.expires is not None and method.expires <= now:
        problems.append(Problem("verification_method_expired", "The key has expired.", place))
    if method.revoked is not None and method.revoked <= now:
        problems.append(Problem("verification_method_revoked", "The key has been revoked.", place))
    return problems


def _check_context(secured_document: Mapping[str, Any], proof: Mapping[str, Any]) -> list[Problem]:
    if "@context" in proof and proof["@context"] != secured_document.get("@context"):
        return [Problem("proof_context_mismatch", "The @context of the proof is not the document's.", "/@context")]
    return []


def _verify_signature(
    suite: Cryptosuite,
    secured_document: Mapping[str, Any],
    proof: Mapping[str, Any],
    method: VerificationMethod,
    contexts: Contexts,
    place: str,
) -> list[Problem]:
    """Transformation, hashing and verification of the suite. `place` is the pointer to the proof."""
    kind = kind_of(method.public_key).name
    if kind not in suite.keys:
        detail = f"A key of the kind {kind} does not make proofs of {suite.name}."
        return [Problem("key_unfit_for_suite", detail, f"{place}/verificationMethod")]
    chained, problems = _find_chained(secured_document, proof, place)
    if problems:
        return problems
    unsecured_document = {name: value for name, value in secured_document.items() if name != "proof"}
    covered = unsecured_document | ({"proof": chained} if chained else {})
    proof_config = {name: value for name, value in proof.items() if name != "proofValue"}
    try:
        canonical_proof_config = transform_proof_config(
            suite, proof_config, unsecured_document.get("@context"), method.public_key, contexts=contexts
        )
    except InvalidInput as error:
        if isinstance(error, UnknownContext):  # the document's, which the proof is read in
            return [Problem(error.code, fault.detail, fault.pointer) for fault in _faults_of(error)]
        return [Problem("proof_options_unsafe", fault.detail, place + fault.pointer) for fault in _faults_of(error)]
    verify = _is_signed_selectively if suite.is_selective else _is_signed
    try:
        if verify(suite, covered, canonical_proof_config, proof.get("proofValue"), method, contexts):
            return []
    except MalformedProofValue as error:
        return [Problem(error.code, error.detail, f"{place}/proofValue")]
    except InvalidInput as error:
        return [Problem(error.code, fault.detail, fault.pointer) for fault in _faults_of(error)]
    detail = "The signature is not the key's over this document and this proof."
    return [Problem("proof_signature_invalid", detail, f"{place}/proofValue")]


def _is_signed(
    suite: Cryptosuite,
    document: Mapping[str, Any],
    canonical_proof_config: str,
    proof_value: Any,
    method: VerificationMethod,
    contexts: Contexts,
) -> bool:
    """Whether the key signed all of `document`. Raises MalformedProofValue, and as `transform` does."""
    signature = find_signature(method.public_key, proof_value)
    if signature is None:
        raise MalformedProofValue("proofValue is not base58btc (z…) of a signature of the key.")
    canonical_document = transform(suite, document, method.public_key, contexts=contexts)
    signed = hash_data(method.public_key, canonical_proof_config, canonical_document)
    return is_signed_by(method.public_key, signed, signature)


def _is_signed_selectively(
    _: Cryptosuite,
    document: Mapping[str, Any],
    canonical_proof_config: str,
    proof_value: Any,
    method: VerificationMethod,
    contexts: Contexts,
) -> bool:
    """As `_is_signed`. A base proof is for its holder alone: whoever verifies it would see its key for the labels."""
    assert isinstance(method.public_key, EllipticCurvePublicKey)
    disclosed = ecdsa_sd_2023.parse_derived(proof_value)
    proof_hash = hashlib.sha256(canonical_proof_config.encode()).digest()
    return ecdsa_sd_2023.verify_derived(document, proof_hash, disclosed, method.public_key, contexts=contexts)


def _find_chained(
    secured_document: Mapping[str, Any], proof: Mapping[str, Any], place: str
) -> tuple[list[Mapping[str, Any]], list[Problem]]:
    """The proofs that `previousProof` names, §4.5 step 4.1 on: in the order of the document, each one once."""
    if "previousProof" not in proof:
        return [], []
    named = proof["previousProof"]
    wanted = named if isinstance(named, list) else [named]
    by_id = {each["id"]: each for each in proofs_of(secured_document) if isinstance(each, Mapping) and "id" in each}
    missing = [str(id_) for id_ in wanted if not isinstance(id_, str) or id_ not in by_id or by_id[id_] == proof]
    if missing or not wanted:
        detail = f"previousProof names no other proof of the document: {', '.join(missing)}".rstrip(": ")
        return [], [Problem("previous_proof_missing", f"{detail}.", f"{place}/previousProof")]
    return [each for id_, each in by_id.items() if id_ in wanted], []


def _faults_of(error: InvalidInput) -> Sequence[Fault]:
    return error.faults or [Fault("", error.detail, error.cure)]
