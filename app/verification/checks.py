"""The checks of a badge: pure functions from what was gathered, and a moment, to a list of checks.

All checks that can run do run, so that one answer names everything that is wrong. A badge is valid when no check failed
and its proof passed. What could not be checked has not passed: a status list that cannot be had fails the check
`status`. The order of the checks is that of Open Badges 3.0, section "Verification".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.errors import AssayError, Fault, InvalidInput
from app.proofs.cryptosuites import find_suite
from app.proofs.data_integrity import Problem, verify_proof
from app.proofs.errors import WorkBudgetExceeded
from app.proofs.rdfc import canonicalize
from app.proofs.verification_method import VerificationMethod, find_moment
from app.statuslists import bitstring
from app.verification.verdicts import MAX_PROOFS, NAMES, VC_CONTEXT, Check, check

CLOCK_SKEW = timedelta(seconds=60)
MAX_STATUS_ENTRIES = 2
MAX_STATUS_LIST_BYTES = 2 << 20

VC_CONTEXT_1 = "https://www.w3.org/2018/credentials/v1"
OB_CONTEXT_PREFIX = "https://purl.imsglobal.org/spec/ob/v3p0/context"
BADGE_TYPES = frozenset({"OpenBadgeCredential", "AchievementCredential"})
STATUS_PURPOSES = {"revocation": "revoked", "suspension": "suspended"}


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that was looked for and not had: `code` is of VERDICTS, `detail` for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """A credential and all that is needed to judge it without touching the world again.

    `methods` by verification method id (those of the credential and of its status lists), `status_lists` by URL.
    """

    credential: Mapping[str, Any]
    methods: Mapping[str, VerificationMethod | Missing] = field(default_factory=dict)
    status_lists: Mapping[str, Mapping[str, Any] | Missing] = field(default_factory=dict)


def is_valid(checks: Sequence[Check]) -> bool:
    """No check failed and the proof passed."""
    return not any(each.outcome == "failed" for each in checks) and any(
        each.name == "proof" and each.outcome == "passed" for each in checks
    )


def judge(gathered: Gathered, now: datetime, *, contexts: Mapping[str, dict[str, Any]]) -> list[Check]:
    """All checks of a credential at the moment `now`, in the order of NAMES, at least one for each name.

    `now` is timezone-aware. Nothing is raised for any JSON object: what cannot be judged is a check that says so.
    """
    credential = gathered.credential
    has_key = any(isinstance(gathered.methods.get(name), VerificationMethod) for name in methods_needed(credential))
    found = [
        *_judge_shape(credential, contexts),
        *([] if has_key else _judge_coverage(credential, contexts)),
        *_judge_proofs(credential, gathered.methods, now, contexts),
        *_judge_issuer_binding(credential, gathered.methods),
        *_judge_validity(credential, now),
        *_judge_status(gathered, now, contexts),
    ]
    if not any(each.name == "shape" and each.outcome == "failed" for each in found):
        found.append(check("well_formed"))
    # Two proofs find the same fault in the document they cover.
    return sorted(dict.fromkeys(found), key=lambda each: NAMES.index(each.name))


def methods_needed(credential: Mapping[str, Any]) -> list[str]:
    """The ids of the verification methods that judging the proofs of `credential` needs, at most MAX_PROOFS."""
    proofs = [proof for _, proof in _proofs(credential) if _is_supported(proof)][:MAX_PROOFS]
    return list(dict.fromkeys(filter(None, (_text(proof.get("verificationMethod")) for proof in proofs))))


def status_lists_needed(credential: Mapping[str, Any]) -> list[str]:
    """The URLs of the status lists that judging `credential` needs, at most MAX_STATUS_ENTRIES."""
    entries = [entry for _, entry in _status_entries(credential) if _is_bitstring_entry(entry)][:MAX_STATUS_ENTRIES]
    telling = (entry for entry in entries if _text(entry.get("statusPurpose")) in STATUS_PURPOSES)
    return list(dict.fromkeys(filter(None, (_text(entry.get("statusListCredential")) for entry in telling))))


# shape

# RFC 3987 in outline: a scheme, then nothing that an IRI may not hold.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20\x7f]+")


def _judge_shape(credential: Mapping[str, Any], contexts: Mapping[str, dict[str, Any]]) -> Iterator[Check]:
    """Open Badges 3.0, AchievementCredential: the parts that the other checks and a reader of the badge build on."""
    yield from _judge_contexts(credential.get("@context"), contexts)
    types = set(_texts(credential.get("type")))
    if "VerifiableCredential" not in types or not types & BADGE_TYPES:
        yield check("not_an_open_badge", pointer="/type")
    if not _is_iri(credential.get("id")):
        yield check("invalid_credential_id", pointer="/id")
    if not _is_iri(issuer_id(credential)):
        yield check("invalid_issuer", pointer="/issuer")
    yield from _judge_subject(credential.get("credentialSubject"))
    if find_moment(credential.get("validFrom")) is None:
        yield check("invalid_date", pointer="/validFrom", member="validFrom")
    for member in ("validUntil", "awardedDate"):
        if member in credential and find_moment(credential[member]) is None:
            yield check("invalid_date", pointer=f"/{member}", member=member)
    if _has_endorsements(credential):
        yield check("endorsements_not_checked")


def _judge_contexts(named: object, contexts: Mapping[str, dict[str, Any]]) -> Iterator[Check]:
    """Open Badges 3.0: the first two contexts are fixed. Contexts in line would redefine what was signed."""
    if named == VC_CONTEXT_1 or (isinstance(named, list) and named[:1] == [VC_CONTEXT_1]):
        yield check("unsupported_data_model", pointer="/@context/0")
        return
    urls = _texts(named)
    if not isinstance(named, list) or len(urls) != len(named) or urls[:1] != [VC_CONTEXT] or len(urls) < 2:
        yield check("invalid_context", pointer="/@context")
        return
    if not urls[1].startswith(OB_CONTEXT_PREFIX):
        yield check("invalid_context", pointer="/@context/1")
    for position, url in enumerate(urls):
        if url not in contexts:
            yield check(
                "unknown_context", pointer=f"/@context/{position}", reason=f"The context {url} is not known here."
            )


def _judge_subject(subject: object) -> Iterator[Check]:
    if not isinstance(subject, dict) or "AchievementSubject" not in _texts(subject.get("type")):
        yield check("invalid_subject", pointer="/credentialSubject")
        return
    if not subject.get("id") and not subject.get("identifier"):
        yield check("invalid_subject", pointer="/credentialSubject")
    achievement = _object(subject.get("achievement"))
    if (
        "Achievement" not in _texts(achievement.get("type"))
        or not _is_iri(achievement.get("id"))
        or not all(_text(achievement.get(member)) for member in ("name", "description"))
        or not isinstance(achievement.get("criteria"), dict)
    ):
        yield check("invalid_achievement", pointer="/credentialSubject/achievement")


def _has_endorsements(credential: Mapping[str, Any]) -> bool:
    achievement = _object(_object(credential.get("credentialSubject")).get("achievement"))
    carriers = (credential, _object(credential.get("issuer")), achievement)
    return any(carrier.get(member) for carrier in carriers for member in ("endorsement", "endorsementJwt"))


# proof and issuer binding


def _judge_proofs(
    credential: Mapping[str, Any],
    methods: Mapping[str, VerificationMethod | Missing],
    now: datetime,
    contexts: Mapping[str, dict[str, Any]],
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
        yield from _judge_proof(credential, pointer, proof, methods, now, contexts)


def _judge_proof(
    credential: Mapping[str, Any],
    pointer: str,
    proof: Mapping[str, Any],
    methods: Mapping[str, VerificationMethod | Missing],
    now: datetime,
    contexts: Mapping[str, dict[str, Any]],
) -> Iterator[Check]:
    method = methods.get(_text(proof.get("verificationMethod")))
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


def _judge_coverage(credential: Mapping[str, Any], contexts: Mapping[str, dict[str, Any]]) -> Iterator[Check]:
    """What verifying a proof would say of the document itself, for when there is no proof to verify."""
    unsecured = {member: value for member, value in credential.items() if member != "proof"}
    try:
        canonicalize(unsecured, contexts=contexts)
    except WorkBudgetExceeded:
        yield check("work_budget_exceeded")
    except InvalidInput as error:
        for fault in error.faults or [Fault("", error.detail)]:
            yield check(error.code, pointer=fault.pointer, reason=fault.detail)


def _judge_issuer_binding(
    credential: Mapping[str, Any], methods: Mapping[str, VerificationMethod | Missing]
) -> Iterator[Check]:
    """VC Data Integrity 1.0, "Proof Purposes": made with a key of the issuer, for the purpose of asserting."""
    compared = 0
    issuer = issuer_id(credential)
    for pointer, proof in _proofs(credential)[:MAX_PROOFS]:
        method = methods.get(_text(proof.get("verificationMethod")))
        if not _is_supported(proof) or not isinstance(method, VerificationMethod):
            continue
        compared += 1
        if proof.get("proofPurpose") != "assertionMethod":
            yield check("wrong_proof_purpose", pointer=f"{pointer}/proofPurpose")
        elif method.controller != issuer:
            yield check(
                "controller_mismatch", pointer="/issuer", controller=method.controller, issuer=issuer or "nobody"
            )
        else:
            yield check("issuer_bound", pointer=pointer)
    if not compared:
        yield check("not_checked", name="issuer_binding")


def _proofs(credential: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Pointer and proof of every proof. What is no object counts as a proof that says nothing."""
    proof = credential.get("proof")
    if isinstance(proof, list):
        return [(f"/proof/{position}", _object(each)) for position, each in enumerate(proof)]
    return [] if proof is None else [("/proof", _object(proof))]


def _is_supported(proof: Mapping[str, Any]) -> bool:
    return find_suite(proof) is not None


def _suite(proof: Mapping[str, Any]) -> str:
    return _text(proof.get("cryptosuite")) or _text(proof.get("type")) or "no type"


# validity


def _judge_validity(credential: Mapping[str, Any], now: datetime) -> Iterator[Check]:
    """VCDM 2.0, "Validity Period"."""
    valid_from, valid_until = (find_moment(credential.get(member)) for member in ("validFrom", "validUntil"))
    if valid_from is None or (valid_until is None and "validUntil" in credential):
        yield check("not_checked", name="validity")
    elif valid_from > now + CLOCK_SKEW:
        yield check("not_yet_valid", pointer="/validFrom", moment=credential["validFrom"])
    elif valid_until is not None and valid_until < now - CLOCK_SKEW:
        yield check("expired", pointer="/validUntil", moment=credential["validUntil"])
    else:
        yield check("in_validity_period")


# status


def _judge_status(gathered: Gathered, now: datetime, contexts: Mapping[str, dict[str, Any]]) -> Iterator[Check]:
    """Bitstring Status List v1.0, "Validate Algorithm", for each status entry."""
    entries = _status_entries(gathered.credential)
    if not entries:
        yield check("no_status")
    if len(entries) > MAX_STATUS_ENTRIES:
        yield check("invalid_status_entry", pointer="/credentialStatus", reason="it has too many entries.")
        return
    for pointer, entry in entries:
        yield _judge_status_entry(gathered, pointer, entry, now, contexts)


def _judge_status_entry(
    gathered: Gathered, pointer: str, entry: Mapping[str, Any], now: datetime, contexts: Mapping[str, dict[str, Any]]
) -> Check:
    if not _is_bitstring_entry(entry):
        return check("unsupported_status", pointer=pointer, kind=" ".join(_texts(entry.get("type"))) or "no type")
    purpose, index = _text(entry.get("statusPurpose")), _status_index(entry.get("statusListIndex"))
    if not purpose or index is None:
        reason = "it needs `statusPurpose` and `statusListIndex`, a number written as a string."
        return check("invalid_status_entry", pointer=pointer, reason=reason)
    if purpose not in STATUS_PURPOSES:
        return check("status_purpose_ignored", pointer=pointer, purpose=purpose)
    status_list = gathered.status_lists.get(_text(entry.get("statusListCredential")))
    if status_list is None:
        return check("invalid_status_entry", pointer=pointer, reason="it names no `statusListCredential`.")
    if isinstance(status_list, Missing):
        return check(status_list.code, pointer=pointer, reason=status_list.detail)
    if status_list.get("id") != entry.get("statusListCredential"):
        # Another list of the same issuer, served in its place, could clear a revoked badge.
        return check("status_list_invalid", reason="its `id` is not the address it was asked for at.")
    problem = _judge_status_list(status_list, gathered, purpose, now, contexts)
    return problem or _read_status(status_list, purpose, index, pointer)


def _judge_status_list(
    status_list: Mapping[str, Any],
    gathered: Gathered,
    purpose: str,
    now: datetime,
    contexts: Mapping[str, dict[str, Any]],
) -> Check | None:
    """What keeps `status_list` from being believed, None when it can be."""
    subject = _object(status_list.get("credentialSubject"))
    types = {*_texts(status_list.get("type")), *_texts(subject.get("type"))}
    if not types >= {"BitstringStatusListCredential", "BitstringStatusList"}:
        return check("status_list_invalid", reason="it is not a BitstringStatusListCredential.")
    if issuer_id(status_list) != issuer_id(gathered.credential):
        # A list of someone else's could clear a badge that its issuer has revoked.
        return check("status_list_wrong_issuer", list_issuer=issuer_id(status_list) or "nobody")
    if purpose not in _texts(subject.get("statusPurpose")):
        return check("status_list_wrong_purpose", purpose=purpose)
    trust = [
        *_judge_proofs(status_list, gathered.methods, now, contexts),
        *_judge_issuer_binding(status_list, gathered.methods),
    ]
    if not is_valid(trust):
        reasons = [each.detail for each in trust if each.outcome == "failed"]
        return check("status_list_proof_failed", reason=" ".join(reasons))
    if not _is_current(status_list, now):
        return check("status_list_out_of_date")
    return None


def _is_current(status_list: Mapping[str, Any], now: datetime) -> bool:
    """VCDM 2.0, "Validity Period"; both ends are optional for a status list."""
    for member, bound in (("validFrom", now + CLOCK_SKEW), ("validUntil", now - CLOCK_SKEW)):
        if member in status_list:
            moment = find_moment(status_list[member])
            if moment is None or (moment > bound if member == "validFrom" else moment < bound):
                return False
    return True


def _read_status(status_list: Mapping[str, Any], purpose: str, index: int, pointer: str) -> Check:
    encoded_list = _text(_object(status_list.get("credentialSubject")).get("encodedList"))
    try:
        bits = bitstring.decode(encoded_list, max_bytes=MAX_STATUS_LIST_BYTES)
    except AssayError as error:
        return check("status_list_invalid", pointer=pointer, reason=error.detail)
    if index >= len(bits) * 8:
        return check("status_index_out_of_range", pointer=f"{pointer}/statusListIndex", index=index)
    return check(STATUS_PURPOSES[purpose] if bitstring.get_bit(bits, index) else "status_clear", pointer=pointer)


def _status_entries(credential: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Pointer and entry of every status entry. What is no object counts as an entry of no kind."""
    status = credential.get("credentialStatus")
    if isinstance(status, list):
        return [(f"/credentialStatus/{position}", _object(each)) for position, each in enumerate(status)]
    return [] if status is None else [("/credentialStatus", _object(status))]


def _is_bitstring_entry(entry: Mapping[str, Any]) -> bool:
    # More than one bit an entry carries messages, not validity.
    return "BitstringStatusListEntry" in _texts(entry.get("type")) and entry.get("statusSize", 1) == 1


def _status_index(value: object) -> int | None:
    """Bitstring Status List v1.0: the index written in base 10. The number itself is seen in the wild."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value, re.ASCII) else None


# reading what may be of any shape


def issuer_id(credential: Mapping[str, Any]) -> str:
    """The issuer's IRI, which is there as itself or as the `id` of a Profile; "" when it is not."""
    issuer = credential.get("issuer")
    return _text(issuer.get("id")) if isinstance(issuer, dict) else _text(issuer)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    """The strings of a JSON-LD set, which may be written as one string."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def _is_iri(value: object) -> bool:
    return isinstance(value, str) and _IRI.fullmatch(value) is not None


def _shortened(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"
