"""What verifying can find: every code, once, with the type that a standard gives it. PURE."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.vcapi.errors import DATA_MODEL

_SECURITY = "https://w3id.org/security#"
_STATUS_LIST = "https://www.w3.org/ns/credentials/status-list#"


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason not to verify, or with `is_warning` something to know. `pointer` (RFC 6901) is into the document."""

    code: str
    detail: str
    pointer: str = ""
    is_warning: bool = False


_TYPES: Mapping[str, tuple[str, str]] = {
    # code: type, title
    "malformed": (f"{DATA_MODEL}MALFORMED_VALUE_ERROR", "It does not follow the Data Model"),
    "related_resource": (f"{DATA_MODEL}CRYPTOGRAPHIC_SECURITY_ERROR", "A related resource is another"),
    "unknown_context": (f"{DATA_MODEL}PARSING_ERROR", "A context is not known here"),
    "unsafe_document": (f"{DATA_MODEL}PARSING_ERROR", "A part of it is not covered by the signature"),
    "work_budget_exceeded": (f"{DATA_MODEL}PARSING_ERROR", "It takes too much work to verify"),
    "judge_failed": (f"{DATA_MODEL}PARSING_ERROR", "It could not be judged, by a mistake of this service"),
    "unsupported_envelope": (f"{DATA_MODEL}CRYPTOGRAPHIC_SECURITY_ERROR", "The envelope is of no kind that is verified here"),
    "invalid_token": (f"{DATA_MODEL}CRYPTOGRAPHIC_SECURITY_ERROR", "The token does not verify"),
    "no_proof": (f"{DATA_MODEL}CRYPTOGRAPHIC_SECURITY_ERROR", "It is not signed"),
    "malformed_proof": (f"{_SECURITY}PROOF_VERIFICATION_ERROR", "A proof is malformed"),
    "proof_failed": (f"{_SECURITY}PROOF_VERIFICATION_ERROR", "A proof does not verify"),
    "proof_unsupported": (f"{_SECURITY}PROOF_TRANSFORMATION_ERROR", "A proof is of no kind that is verified here"),
    "proof_purpose": (f"{_SECURITY}INVALID_PROOF_PURPOSE_FOR_VERIFICATION_METHOD", "A proof was made for another purpose"),
    "verification_method": (f"{_SECURITY}INVALID_VERIFICATION_METHOD", "A key cannot be had, or not be used"),
    "controller": (f"{_SECURITY}INVALID_VERIFICATION_METHOD", "The key is another's"),
    "challenge": (f"{_SECURITY}INVALID_CHALLENGE_ERROR", "The challenge is another, or was used"),
    "domain": (f"{_SECURITY}INVALID_DOMAIN_ERROR", "The domain is another"),
    "period": (f"{DATA_MODEL}RANGE_ERROR", "It is not valid now"),
    "status": (f"{DATA_MODEL}CRYPTOGRAPHIC_SECURITY_ERROR", "Its issuer has withdrawn it"),
    "status_list": (f"{_STATUS_LIST}STATUS_VERIFICATION_ERROR", "Its status is not known"),
    "status_list_unavailable": (f"{_STATUS_LIST}STATUS_RETRIEVAL_ERROR", "Its status list was not had"),
    "status_index": (f"{DATA_MODEL}RANGE_ERROR", "Its place is beyond the end of the status list"),
    "unsupported_status": (f"{_STATUS_LIST}STATUS_VERIFICATION_ERROR", "Its status is of a kind that is not checked here"),
    "open_vocabulary": (f"{DATA_MODEL}PARSING_ERROR", "Its terms are defined in line, or by a catch-all"),
}  # fmt: skip


def type_of(finding: Finding) -> str:
    return _TYPES[finding.code][0]


def title_of(finding: Finding) -> str:
    return _TYPES[finding.code][1]
