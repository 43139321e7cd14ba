"""What a check can say: every code, once, with its texts for people.

The codes are part of the API; CHECKS_VERSION changes when one is removed or changes its meaning.
"""

from collections.abc import Iterable, Mapping

from app.verification.beside_verdicts import BESIDE_VERDICTS
from app.verification.open_badges_2_verdicts import OPEN_BADGES_2_VERDICTS
from app.verification.part_verdicts import PART_VERDICTS
from app.verification.status_verdicts import STATUS_VERDICTS
from app.verification.verdict import REISSUE, Check, Name, Verdict

CHECKS_VERSION = "2"

VC_CONTEXT = "https://www.w3.org/ns/credentials/v2"
MAX_PROOFS = 3

VERDICTS: Mapping[str, Verdict] = {
    # shape
    "well_formed": Verdict("shape", "passed", "nobody", "The document is {kind} (data model {model})."),
    "credential_refused": Verdict(
        "shape", "failed", "holder", "The badge was not fetched: {reason}", "Send the badge itself, or its https URL."
    ),
    "credential_unavailable": Verdict(
        "shape", "failed", "network", "The badge was not had: {reason}", "Try again later, or send the badge itself."
    ),
    "credential_invalid": Verdict(
        "shape", "failed", "holder", "The document cannot be read: {reason}", "Send the badge as it was issued."
    ),
    "unsupported_envelope": Verdict(
        "shape",
        "failed",
        "verifier",
        "The badge is secured in a way that is not verified here ({kind}).",
        "Ask the issuer for a badge with an embedded (Data Integrity) proof, or as a JWT.",
    ),
    "invalid_envelope": Verdict(
        "shape",
        "failed",
        "holder",
        "An EnvelopedVerifiableCredential has the context of VCDM 2.0, and an `id` that is a data: URL with the media type "
        "and the token, and nothing else.",
        "Send the token itself.",
    ),
    "token_malformed": Verdict(
        "shape", "failed", "holder", "The token cannot be read: {reason}", "Send the token as it was issued."
    ),
    "token_too_large": Verdict(
        "shape", "failed", "issuer", "The token is larger than any real badge: {reason}", REISSUE
    ),
    "context_clash": Verdict(
        "shape",
        "failed",
        "issuer",
        "The context {context} defines terms anew that the context of the Verifiable Credentials Data Model 2.0 protects, "
        "so that no software can read the badge.",
        "Ask the issuer for a badge with the context of Open Badges 3.0.3, or of the Data Model 1.1.",
    ),
    "context_integrity": Verdict(
        "shape",
        "failed",
        "issuer",
        "Read as JSON and read with its own contexts, the document does not say the same here.",
        REISSUE,
    ),
    "invalid_clr_subject": Verdict(
        "shape", "failed", "issuer", "`credentialSubject` of a learner record must be one ClrSubject.", REISSUE
    ),
    "invalid_endorsement_subject": Verdict(
        "shape",
        "failed",
        "issuer",
        "`credentialSubject` of an endorsement must be one EndorsementSubject whose `id` is what it endorses.",
        REISSUE,
    ),
    "invalid_context": Verdict(
        "shape",
        "failed",
        "issuer",
        "`@context` must be a list of URLs: first that of the Verifiable Credentials Data Model, then those of the standard "
        "of the credential, in their order.",
        REISSUE,
    ),
    "unknown_context": Verdict(
        "shape",
        "failed",
        "verifier",
        "{reason}",
        "Verify the badge where this extension is known.",
    ),
    "not_an_open_badge": Verdict(
        "shape",
        "failed",
        "holder",
        "This is not an Open Badge: `type` must hold VerifiableCredential and OpenBadgeCredential (or "
        "ClrCredential, EndorsementCredential).",
        "Send an Open Badges 3.0 badge.",
    ),
    "invalid_credential_id": Verdict(
        "shape", "failed", "issuer", "`id` must be a URL or another absolute IRI.", REISSUE
    ),
    "invalid_issuer": Verdict(
        "shape", "failed", "issuer", "`issuer` must be an absolute IRI or a Profile with such an `id`.", REISSUE
    ),
    "invalid_subject": Verdict(
        "shape",
        "failed",
        "issuer",
        "`credentialSubject` must be one AchievementSubject that has an `id` or an `identifier`.",
        REISSUE,
    ),
    "invalid_achievement": Verdict(
        "shape",
        "failed",
        "issuer",
        "The achievement must have `type`, `id`, `name`, `description` and `criteria`.",
        REISSUE,
    ),
    "invalid_date": Verdict(
        "shape",
        "failed",
        "issuer",
        "`{member}` must be a date and time with an offset, like 2026-11-23T13:00:00Z.",
        REISSUE,
    ),
    "unsafe_document": Verdict("shape", "failed", "issuer", "{reason}", REISSUE),
    # proof
    "proof_verified": Verdict(
        "proof", "passed", "nobody", "The signature is good: nothing was changed since it was made."
    ),
    "no_proof": Verdict(
        "proof", "failed", "issuer", "The badge is not signed.", "Ask the issuer for the signed badge."
    ),
    "invalid_proof": Verdict("proof", "failed", "issuer", "The proof is malformed: {reason}", REISSUE),
    "too_many_proofs": Verdict("proof", "failed", "issuer", f"The badge has more than {MAX_PROOFS} proofs.", REISSUE),
    "unsupported_proof": Verdict(
        "proof",
        "failed",
        "verifier",
        "The badge is signed in a way that is not verified here ({suite}).",
        "Ask the issuer for a badge with an eddsa-rdfc-2022 proof.",
    ),
    "other_proof_ignored": Verdict("proof", "warning", "verifier", "A further proof was not verified ({suite})."),
    "verification_method_unavailable": Verdict(
        "proof",
        "failed",
        "network",
        "The issuer's key was not had: {reason}",
        "Try again later. If it stays so, ask the issuer whether its key is published where the badge says.",
    ),
    "verification_method_refused": Verdict(
        "proof",
        "failed",
        "issuer",
        "The issuer's key was not fetched: {reason}",
        "Ask the issuer to publish its key on the public internet.",
    ),
    "verification_method_invalid": Verdict(
        "proof",
        "failed",
        "issuer",
        "The issuer's key cannot be used: {reason}",
        "Ask the issuer to publish the key it signs with.",
    ),
    "signature_invalid": Verdict(
        "proof",
        "failed",
        "holder",
        "The signature does not fit the document: it was changed after signing, or signed with another key.",
        "Get the badge anew from where it was issued, unchanged.",
    ),
    "unsigned_content": Verdict(
        "proof",
        "failed",
        "issuer",
        "Parts of the document are not covered by the signature (see the check shape).",
        REISSUE,
    ),
    "proof_expired": Verdict("proof", "failed", "issuer", "{reason}", REISSUE),
    "proof_not_yet_valid": Verdict(
        "proof", "failed", "issuer", "The proof was made at {moment}, which is in the future.", REISSUE
    ),
    "work_budget_exceeded": Verdict(
        "proof", "failed", "issuer", "The document takes more work to verify than any real badge does.", REISSUE
    ),
    "judge_failed": Verdict(
        "proof",
        "failed",
        "verifier",
        "The document could not be judged, by a mistake of this service.",
        "Report this badge to us.",
    ),
    "token_unsigned": Verdict(
        "proof", "failed", "issuer", "The token says of itself that it is not signed (alg none).", REISSUE
    ),
    "token_algorithm_refused": Verdict(
        "proof",
        "failed",
        "issuer",
        "The token is signed with {algorithm}, which {profile} does not take.",
        "Ask the issuer for a badge signed with RS256 or ES256.",
    ),
    "token_type_refused": Verdict(
        "proof", "failed", "issuer", "The type of the token is {typ}: that of no badge.", REISSUE
    ),
    "token_critical_refused": Verdict(
        "proof",
        "failed",
        "issuer",
        "The token asks for an extension to be understood (crit) that is not known.",
        REISSUE,
    ),
    "token_header_refused": Verdict(
        "proof",
        "failed",
        "issuer",
        "The header of the token has the parameter {member}, which is not accepted.",
        REISSUE,
    ),
    "token_key_private": Verdict(
        "proof",
        "failed",
        "issuer",
        "The header of the token gives the private key away: anybody can sign with it.",
        "Tell the issuer to replace its key.",
    ),
    "token_key_missing": Verdict(
        "proof", "failed", "issuer", "The token does not say with which key it was signed.", REISSUE
    ),
    "token_key_unfit": Verdict(
        "proof", "failed", "issuer", "The key is not one that {algorithm} can be verified with.", REISSUE
    ),
    "token_claim_missing": Verdict(
        "proof", "failed", "issuer", "The token lacks the claim {claim}, which {profile} asks for.", REISSUE
    ),
    "token_claim_mismatch": Verdict(
        "proof", "failed", "issuer", "The claim {claim} of the token is not what the credential says.", REISSUE
    ),
    # issuer binding
    "issuer_bound": Verdict(
        "issuer_binding", "passed", "nobody", "The badge was signed with a key of the issuer it names."
    ),
    "issuer_bound_by_host": Verdict(
        "issuer_binding",
        "passed",
        "nobody",
        "The badge was signed with a key that is published by the host of the issuer's id.",
    ),
    "proof_of_another": Verdict(
        "issuer_binding",
        "warning",
        "nobody",
        "A further proof is good, but somebody else's, or made for another purpose than assertionMethod.",
    ),
    "controller_mismatch": Verdict(
        "issuer_binding",
        "failed",
        "issuer",
        "The key belongs to {controller}, the badge names {issuer} as its issuer.",
        "Do not accept this badge as one of the issuer it names.",
    ),
    "wrong_proof_purpose": Verdict(
        "issuer_binding", "failed", "issuer", "The proof was made for another purpose than assertionMethod.", REISSUE
    ),
    "test_issuer": Verdict(
        "issuer_binding",
        "warning",
        "issuer",
        "The issuer is for tests: whatever else is found, the badge certifies nothing.",
        "Do not rely on it. Ask the organization for a badge of its real issuer.",
    ),
    # validity
    "in_validity_period": Verdict("validity", "passed", "nobody", "The badge is within its validity period."),
    "not_yet_valid": Verdict(
        "validity", "failed", "nobody", "The badge is valid from {moment}, which is in the future.", "Wait until then."
    ),
    "expired": Verdict(
        "validity", "failed", "nobody", "The badge was valid until {moment}.", "Ask the issuer for a renewal."
    ),
    # status
    **STATUS_VERDICTS,
    **PART_VERDICTS,
    **OPEN_BADGES_2_VERDICTS,
    **BESIDE_VERDICTS,
    # any
    "not_checked": Verdict("status", "skipped", "nobody", "Not checked, because of what the other checks found."),
}


def check(code: str, *, pointer: str = "", name: Name | None = None, **facts: object) -> Check:
    """The check that VERDICTS has for `code`, with `facts` in its texts. `name` overrides the table's."""
    verdict = VERDICTS[code]
    texts = {key: _shortened(str(value)) for key, value in facts.items()}
    return Check(
        name=name or verdict.name,
        outcome=verdict.outcome,
        code=code,
        detail=verdict.detail.format(**texts),
        fault=verdict.fault,
        cure=verdict.cure,
        pointer=pointer,
    )


def not_checked(names: Iterable[Name]) -> list[Check]:
    return [check("not_checked", name=name) for name in names]


def _shortened(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"
