"""Whether a document is signed, and by its issuer. PURE.

The credential itself and whatever it leans on (its status lists) are judged alike.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.proofs.cryptosuites import find_suite
from app.proofs.data_integrity import Problem, verify_proof
from app.proofs.verification_method import VerificationMethod, find_moment
from app.verification.envelopes import Opened
from app.verification.gathered import Gathered, KeyReference, Missing
from app.verification.members import issuer_id, object_of, text_of
from app.verification.token_proofs import find_key_needed, judge_token
from app.verification.verdict import Check
from app.verification.verdicts import MAX_PROOFS, check

CLOCK_SKEW = timedelta(seconds=60)


def methods_needed(opened: Opened) -> list[str]:
    """The ids of the verification methods that judging the proofs of the document needs, at most MAX_PROOFS."""
    proofs = [proof for _, proof in _proofs(opened.credential)[:MAX_PROOFS] if _is_supported(proof)]
    return list(dict.fromkeys(filter(None, (text_of(proof.get("verificationMethod")) for proof in proofs))))


def token_keys_needed(opened: Opened) -> list[KeyReference]:
    """The key that judging the token needs which the document is, if it is one."""
    needed = opened.token and find_key_needed(opened.token, opened.credential)
    return [needed] if needed else []


def judge_trust(
    opened: Opened, gathered: Gathered, now: datetime, contexts: Mapping[str, dict[str, Any]]
) -> list[Check]:
    """The checks `proof` and `issuer_binding` of a document among what was gathered: valid when it is its issuer's word.

    A token secures it, or embedded proofs, or both, and then all have to be good.
    """
    if opened.problem is not None:
        return [opened.problem]
    found = [] if opened.token is None else judge_token(opened.token, opened.credential, gathered, now)
    if opened.token is None or "proof" in opened.credential:
        found += [
            *_judge_proofs(opened.credential, gathered, now, contexts),
            *_judge_issuer_binding(opened.credential, gathered),
        ]
    return found


def _judge_proofs(
    credential: Mapping[str, Any], gathered: Gathered, now: datetime, contexts: Mapping[str, dict[str, Any]]
) -> Iterator[Check]:
    """VC Data Integrity 1.0, "Verify Proof Sets and Chains": all proofs of known cryptosuites verify, and one does."""
    proofs = _proofs(credential)
    supported = [(pointer, proof) for pointer, proof in proofs if _is_supported(proof)]
    if not proofs:
        yield check("no_proof", pointer="/proof")
    if len(proofs) > MAX_PROOFS:
        yield check("too_many_proofs", pointer="/proof")
        return
    for pointer, proof in proofs:
        if not _is_supported(proof):
            yield check(
                "other_proof_ignored" if supported else "unsupported_proof", pointer=pointer, suite=_suite(proof)
            )
    for pointer, proof in supported:
        yield from _judge_proof(credential, pointer, proof, gathered, now, contexts)


def _judge_proof(
    credential: Mapping[str, Any],
    pointer: str,
    proof: Mapping[str, Any],
    gathered: Gathered,
    now: datetime,
    contexts: Mapping[str, dict[str, Any]],
) -> Iterator[Check]:
    method = gathered.methods.get(text_of(proof.get("verificationMethod")))
    if method is None:
        yield check("invalid_proof", pointer=f"{pointer}/verificationMethod", reason="it names no verification method.")
        return
    if isinstance(method, Missing):
        yield check(method.code, pointer=f"{pointer}/verificationMethod", reason=method.detail)
        return
    problems = verify_proof(credential, proof, method, contexts=contexts, now=now)
    checks = [each for problem in problems for each in _read_problem(problem, pointer)]
    created = find_moment(proof.get("created"))
    if created is not None and created > now + CLOCK_SKEW:
        checks.append(check("proof_not_yet_valid", pointer=f"{pointer}/created", moment=proof["created"]))
    yield from checks or [check("proof_verified", pointer=pointer)]


_PROBLEM_CODES = {
    "proof_signature_invalid": "signature_invalid",
    "proof_expired": "proof_expired",
    "verification_method_expired": "verification_method_invalid",
    "verification_method_revoked": "verification_method_invalid",
}


def _read_problem(problem: Problem, pointer: str) -> list[Check]:
    """What a problem with the proof at `pointer` means here."""
    match problem.code:
        case "proof_purpose_mismatch":
            return []  # the check issuer_binding says so
        case "unsafe_document" | "unknown_context":
            shape = check(problem.code, pointer=problem.pointer, reason=problem.detail)
            return [shape, check("unsigned_content", pointer=pointer)]
        case "work_budget_exceeded":
            return [check(problem.code, pointer=problem.pointer)]
        case code:
            known = _PROBLEM_CODES.get(code, "invalid_proof")
            return [check(known, pointer=problem.pointer, reason=problem.detail)]


def _judge_issuer_binding(credential: Mapping[str, Any], gathered: Gathered) -> list[Check]:
    """VC Data Integrity 1.0, "Proof Purposes": made with a key of the issuer, for the purpose of asserting.

    One such proof is enough. Others of a set may be of others, or for something else; they say nothing about the issuer.
    """
    found = []
    issuer = issuer_id(credential)
    for pointer, proof in _proofs(credential)[:MAX_PROOFS]:
        method = gathered.methods.get(text_of(proof.get("verificationMethod")))
        if not _is_supported(proof) or not isinstance(method, VerificationMethod):
            continue
        if proof.get("proofPurpose") != "assertionMethod":
            found.append(check("wrong_proof_purpose", pointer=f"{pointer}/proofPurpose"))
        elif method.controller != issuer:
            controller, named = method.controller, issuer or "nobody"
            found.append(check("controller_mismatch", pointer="/issuer", controller=controller, issuer=named))
        else:
            found.append(check("issuer_bound", pointer=pointer))
    if any(each.code == "issuer_bound" for each in found):
        return [each if each.code == "issuer_bound" else check("proof_of_another") for each in found]
    return found or [check("not_checked", name="issuer_binding")]


def _proofs(credential: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Pointer and proof of every proof, and of one too many where there are more. What is no object says nothing."""
    proof = credential.get("proof")
    if isinstance(proof, list):
        return [(f"/proof/{position}", object_of(each)) for position, each in enumerate(proof[: MAX_PROOFS + 1])]
    return [] if proof is None else [("/proof", object_of(proof))]


def _is_supported(proof: Mapping[str, Any]) -> bool:
    return find_suite(proof) is not None


def _suite(proof: Mapping[str, Any]) -> str:
    return text_of(proof.get("cryptosuite")) or text_of(proof.get("type")) or "no type"
