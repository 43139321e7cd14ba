"""Judging credentials and presentations of anyone, strictly: pure functions from what was gathered to what was found.

Stricter than `POST /v1/verify`: every proof has to verify (VCALM 1.0), and a proof of an unknown kind has not. A document has
been verified when nothing was found but warnings.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.proofs.data_integrity import Problem, proofs_of, verify_proof
from app.proofs.open_contexts import is_catch_all
from app.proofs.verification_method import VerificationMethod, find_moment
from app.vcapi.problems import Finding
from app.vcdm.credential import PERIOD, list_credential_faults
from app.vcdm.members import is_version_1
from app.vcdm.presentation import is_enveloped, list_presentation_faults
from app.vcdm.related import check_related_resources
from app.vcdm.values import entries_of, id_of
from app.verification.envelopes import open_sent
from app.verification.gathered import Gathered, Missing
from app.verification.proofs import CLOCK_SKEW
from app.verification.status import judge_status
from app.verification.token_proofs import judge_token

MAX_PROOFS = 8
MAX_CREDENTIALS = 16
ASSERTION, AUTHENTICATION = "assertionMethod", "authentication"

Contexts = Mapping[str, dict[str, Any]]
_PROOF_MEMBERS = ("type", "proofPurpose", "verificationMethod", "proofValue")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known beforehand: the contexts that documents may use, and resources by URL whose digests can be compared."""

    contexts: Contexts
    bundled: Mapping[str, bytes]


def methods_named(document: Mapping[str, Any]) -> list[str]:
    """The ids of the verification methods of the proofs of `document`, at most MAX_PROOFS. An envelope is to be opened before."""
    named = [proof.get("verificationMethod") for proof in proofs_of(document)[:MAX_PROOFS] if isinstance(proof, dict)]
    return list(dict.fromkeys(each for each in named if isinstance(each, str)))


def judge_credential(gathered: Gathered, now: datetime, known: Knowledge) -> list[Finding]:
    """Everything that is found about a credential at the moment `now`. Raises nothing for any JSON object."""
    if is_enveloped(gathered.credential):
        return list(_judge_enveloped(gathered, now, known))
    credential = dict(gathered.credential)
    return [
        *_judge_shape(credential, known),
        *_judge_proofs(gathered, now, known.contexts, ASSERTION, id_of(credential.get("issuer"))),
        *_judge_period(credential, now),
        *_judge_status(gathered, now, known.contexts),
        *_label(credential, known.contexts),
    ]


def _judge_enveloped(gathered: Gathered, now: datetime, known: Knowledge) -> Iterator[Finding]:
    """A credential in a token: the token covers every byte of it, so that its terms need no context."""
    opened = open_sent(gathered.credential)
    if opened.token is None:
        reason = opened.problem.detail if opened.problem is not None else "It holds no token."
        is_unknown = opened.problem is not None and opened.problem.code == "unsupported_envelope"
        yield Finding("unsupported_envelope" if is_unknown else "invalid_token", reason, "/id")
        return
    credential = dict(opened.credential)
    for each in judge_token(opened.token, credential, gathered, now):
        if each.outcome == "failed":
            yield Finding("invalid_token", each.detail, "/id")
    yield from _judge_shape(credential, known)
    within = replace(gathered, credential=credential)
    if "proof" in credential:
        yield from _judge_proofs(within, now, known.contexts, ASSERTION, id_of(credential.get("issuer")))
    yield from _judge_period(credential, now)
    yield from _judge_status(within, now, known.contexts)


def judge_presentation(
    presented: Gathered,
    credentials: Sequence[Gathered],
    options: Mapping[str, Any],
    now: datetime,
    known: Knowledge,
) -> list[list[Finding]]:
    """What is found about a presentation, then about each credential in it. `options`: the challenge and domain that were asked
    for, if any. Raises nothing for any JSON object."""
    document = dict(presented.credential)
    holder = id_of(document.get("holder"))
    found = [
        *(Finding("malformed", fault.detail, fault.pointer) for fault in list_presentation_faults(document)),
        *_judge_proofs(presented, now, known.contexts, AUTHENTICATION, holder),
        *_judge_request(document, options),
        *_label(document, known.contexts),
    ]
    return [found, *(_judge_contained(each, holder, now, known) for each in credentials)]


def _judge_contained(gathered: Gathered, holder: str | None, now: datetime, known: Knowledge) -> list[Finding]:
    """A credential that the holder says of themselves is secured by the presentation's proof (VCDM 2.0 §4.13.4)."""
    found = judge_credential(gathered, now, known)
    is_own_word = "proof" not in gathered.credential and holder == id_of(gathered.credential.get("issuer"))
    return [each for each in found if each.code != "no_proof"] if is_own_word and holder is not None else found


def _judge_shape(credential: dict[str, Any], known: Knowledge) -> Iterator[Finding]:
    for fault in list_credential_faults(credential):
        yield Finding("malformed", fault.detail, fault.pointer)
    for fault in check_related_resources(credential, bundled=known.bundled):
        yield Finding("related_resource", fault.detail, fault.pointer)


def _judge_proofs(
    gathered: Gathered, now: datetime, contexts: Contexts, purpose: str, party: str | None
) -> Iterator[Finding]:
    """VC Data Integrity 1.0 §4.5: all of them verify. `party` controls the key of one at least; of a presentation, of each."""
    document = gathered.credential
    proofs = proofs_of(document)
    if not proofs:
        yield Finding("no_proof", "There is no proof.", "/proof")
        return
    if len(proofs) > MAX_PROOFS:
        yield Finding("malformed_proof", f"There are more than {MAX_PROOFS} proofs.", "/proof")
        return
    controllers: list[str] = []
    for pointer, proof in entries_of(document["proof"], "/proof"):
        found = list(_judge_proof(gathered, pointer, proof, now, contexts, purpose))
        yield from found
        method = gathered.methods.get(str(proof.get("verificationMethod"))) if isinstance(proof, dict) else None
        if isinstance(method, VerificationMethod) and not found:
            controllers.append(method.controller)
    if purpose == AUTHENTICATION:
        is_bound = len(set(controllers)) <= 1 if party is None else set(controllers) <= {party}
        who, place = "holder", "/holder"
    else:
        is_bound, who, place = party in controllers or not controllers, "issuer", "/issuer"
    if not is_bound:
        yield Finding("controller", f"The {who} does not control the key of the proof.", place)


def _judge_proof(
    gathered: Gathered, pointer: str, proof: Any, now: datetime, contexts: Contexts, purpose: str
) -> Iterator[Finding]:
    if not isinstance(proof, dict):
        yield Finding("malformed_proof", "A proof is an object.", pointer)
        return
    missing = [member for member in _PROOF_MEMBERS if not isinstance(proof.get(member), str)]
    for member in missing:
        yield Finding("malformed_proof", f"{member} is missing, or no text.", f"{pointer}/{member}")
    if missing:
        return
    method = gathered.methods.get(proof["verificationMethod"])
    if not isinstance(method, VerificationMethod):
        reason = method.detail if isinstance(method, Missing) else "It was not looked for."
        yield Finding("verification_method", reason, f"{pointer}/verificationMethod")
        return
    for problem in verify_proof(gathered.credential, proof, method, contexts=contexts, now=now, purpose=purpose):
        yield _read_problem(problem)
    created = find_moment(proof.get("created"))
    if created is not None and created > now + CLOCK_SKEW:
        yield Finding("proof_failed", "The proof was made in the future.", f"{pointer}/created")


_PROBLEM_CODES = {
    "unsafe_document": "unsafe_document",
    "unknown_context": "unknown_context",
    "work_budget_exceeded": "work_budget_exceeded",
    "proof_type_unsupported": "proof_unsupported",
    "cryptosuite_unsupported": "proof_unsupported",
    "proof_purpose_mismatch": "proof_purpose",
    "proof_signature_invalid": "proof_failed",
    "proof_expired": "proof_failed",
    "verification_method_mismatch": "verification_method",
    "verification_method_expired": "verification_method",
    "verification_method_revoked": "verification_method",
    "key_unfit_for_suite": "verification_method",
}


def _read_problem(problem: Problem) -> Finding:
    return Finding(_PROBLEM_CODES.get(problem.code, "malformed_proof"), problem.detail, problem.pointer)


def _judge_request(document: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[Finding]:
    """Each proof answers what was asked for: the challenge, and the domain, of which a proof may name several."""
    for pointer, proof in entries_of(document.get("proof"), "/proof"):
        given = proof if isinstance(proof, dict) else {}
        if "challenge" in options and given.get("challenge") != options["challenge"]:
            yield Finding("challenge", "The proof was not made for this challenge.", f"{pointer}/challenge")
        domains = [domain for _, domain in entries_of(given.get("domain"), "")]
        if "domain" in options and options["domain"] not in domains:
            yield Finding("domain", "The proof was not made for this domain.", f"{pointer}/domain")


def _judge_period(credential: Mapping[str, Any], now: datetime) -> Iterator[Finding]:
    begins, ends = PERIOD[is_version_1(dict(credential))]
    first, last = find_moment(credential.get(begins)), find_moment(credential.get(ends))
    if first is not None and first > now + CLOCK_SKEW:
        yield Finding("period", "It is not valid yet.", f"/{begins}")
    if last is not None and last < now - CLOCK_SKEW:
        yield Finding("period", "It is no longer valid.", f"/{ends}")


_STATUS_CODES = {
    "revoked": "status",
    "suspended": "status",
    "unsupported_status": "unsupported_status",
    "status_list_unavailable": "status_list_unavailable",
    "status_list_refused": "status_list_unavailable",
    "status_index_out_of_range": "status_index",
}


def _judge_status(gathered: Gathered, now: datetime, contexts: Contexts) -> Iterator[Finding]:
    """What a status of an unknown kind says, nobody here knows: that is told, and does not keep it from being verified."""
    for each in judge_status(gathered, now, contexts):
        if each.outcome in ("failed", "warning"):
            is_warning = each.outcome == "warning" or each.code == "unsupported_status"
            yield Finding(_STATUS_CODES.get(each.code, "status_list"), each.detail, each.pointer, is_warning=is_warning)


def _label(document: Mapping[str, Any], contexts: Contexts) -> Iterator[Finding]:
    for pointer, context in entries_of(document.get("@context"), "/@context"):
        known = contexts.get(context) if isinstance(context, str) else None
        if isinstance(context, dict) or (known is not None and is_catch_all(known.get("@context"))):
            yield Finding(
                "open_vocabulary", "Terms of this context mean what the document says.", pointer, is_warning=True
            )
