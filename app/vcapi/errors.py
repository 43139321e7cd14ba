"""What the VC-API refuses. Each is a problem of ours and has the URI that VCALM or the Data Model gives its kind."""

from app.errors import Conflict, Forbidden, InvalidInput

DATA_MODEL = "https://www.w3.org/TR/vc-data-model#"
VCALM = "https://www.w3.org/TR/vcalm#"


class UnknownOption(InvalidInput):
    code = "unknown_option"
    type_uri = f"{VCALM}UNKNOWN_OPTION_PROVIDED"


class MalformedCredential(InvalidInput):
    """What was sent is no credential: `faults` say where and why."""

    code = "malformed_credential"
    type_uri = f"{DATA_MODEL}MALFORMED_VALUE_ERROR"


class MalformedPresentation(InvalidInput):
    """As MalformedCredential."""

    code = "malformed_presentation"
    type_uri = f"{DATA_MODEL}MALFORMED_VALUE_ERROR"


class UnreadableTerms(InvalidInput):
    """A term that no context defines, or a context that is not known here."""

    code = "unreadable_terms"
    type_uri = f"{DATA_MODEL}PARSING_ERROR"


class IssuerMismatch(InvalidInput):
    """The credential names no issuer, or one that this client does not issue for."""

    code = "issuer_mismatch"
    type_uri = f"{DATA_MODEL}MALFORMED_VALUE_ERROR"


class ExistingProofRefused(InvalidInput):
    code = "existing_proof_refused"
    type_uri = f"{DATA_MODEL}MALFORMED_VALUE_ERROR"


class StatusNotOffered(InvalidInput):
    """The credential has no status entry of ours of this type and purpose."""

    code = "status_not_offered"
    type_uri = f"{DATA_MODEL}MALFORMED_VALUE_ERROR"


class StatusFinal(InvalidInput):
    """A revocation is not taken back."""

    code = "status_final"
    type_uri = f"{DATA_MODEL}RANGE_ERROR"


class NotDerivable(InvalidInput):
    """There is no base proof of ecdsa-sd-2023 to derive from."""

    code = "not_derivable"
    type_uri = f"{DATA_MODEL}CRYPTOGRAPHIC_SECURITY_ERROR"


class GenericNotAllowed(Forbidden):
    code = "generic_not_allowed"


class NoKeyForCryptosuite(Conflict):
    code = "no_key_for_cryptosuite"


class StatusNeedsIssuerDid(Conflict):
    code = "status_needs_issuer_did"


class IssuingFailed(Conflict):
    """The credential was not signed soundly, or the process that was at it died."""

    code = "issuing_failed"
