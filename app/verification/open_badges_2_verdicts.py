"""What the checks of an Open Badges 2.0 assertion can say beside the codes of every badge (see `verdicts.py`)."""

from collections.abc import Mapping

from app.verification.verdict import ASK_ISSUER, REISSUE, Verdict

_PUBLISH = "Ask the issuer to publish it at the address that the badge names."

OPEN_BADGES_2_VERDICTS: Mapping[str, Verdict] = {
    "open_badges_2": Verdict("shape", "passed", "nobody", "The document is an Open Badges 2.0 assertion, {method}."),
    "invalid_assertion": Verdict(
        "shape", "failed", "issuer", "This is not a sound Open Badges 2.0 assertion: {reason}", REISSUE
    ),
    "badge_class_invalid": Verdict("shape", "failed", "issuer", "The BadgeClass cannot be used: {reason}", ASK_ISSUER),
    "badge_class_refused": Verdict("shape", "failed", "issuer", "The BadgeClass was not fetched: {reason}", _PUBLISH),
    "badge_class_unavailable": Verdict(
        "shape", "failed", "network", "The BadgeClass was not had: {reason}", "Try again later, then ask the issuer."
    ),
    "hosted_verified": Verdict(
        "proof", "passed", "nobody", "The assertion is published at its own address and says what was handed in."
    ),
    "hosted_elsewhere": Verdict(
        "proof",
        "failed",
        "holder",
        "What is published at the assertion's address names another address as its `id`.",
        "Get the badge anew from where it was issued.",
    ),
    "hosted_differs": Verdict(
        "proof",
        "failed",
        "holder",
        "What was handed in is not what the issuer publishes: it was changed.",
        "Get the badge anew from where it was issued, unchanged.",
    ),
    "hosted_gone": Verdict(
        "proof", "failed", "nobody", "The issuer has taken the assertion away (410 Gone).", ASK_ISSUER
    ),
    "hosted_invalid": Verdict("proof", "failed", "issuer", "The published assertion is unsound: {reason}", REISSUE),
    "hosted_refused": Verdict("proof", "failed", "issuer", "The assertion was not fetched: {reason}", _PUBLISH),
    "hosted_unavailable": Verdict(
        "proof", "failed", "network", "The published assertion was not had: {reason}", "Try again later."
    ),
    "unsigned_assertion": Verdict(
        "proof",
        "failed",
        "holder",
        "The assertion is of the signed kind, and came without its signature.",
        "Send the signed badge: the compact JWS, or the picture it is baked into.",
    ),
    "signing_key_invalid": Verdict("proof", "failed", "issuer", "The issuer's key cannot be used: {reason}", REISSUE),
    "hosted_by_issuer": Verdict(
        "issuer_binding", "passed", "nobody", "The assertion stands where its issuer lets assertions stand."
    ),
    "hosted_out_of_scope": Verdict(
        "issuer_binding",
        "failed",
        "issuer",
        "The assertion stands at an address that {issuer} does not allow for its assertions.",
        "Do not accept this badge as one of the issuer it names.",
    ),
    "signed_by_issuer": Verdict(
        "issuer_binding", "passed", "nobody", "The assertion was signed with a key that its issuer's Profile names."
    ),
    "key_not_of_issuer": Verdict(
        "issuer_binding",
        "failed",
        "issuer",
        "The key that signed is not one that {issuer} names as its own.",
        "Do not accept this badge as one of the issuer it names.",
    ),
    "issuer_profile_invalid": Verdict(
        "issuer_binding", "failed", "issuer", "The issuer's Profile cannot be used: {reason}", ASK_ISSUER
    ),
    "issuer_profile_refused": Verdict(
        "issuer_binding", "failed", "issuer", "The issuer's Profile was not fetched: {reason}", _PUBLISH
    ),
    "issuer_profile_unavailable": Verdict(
        "issuer_binding", "failed", "network", "The issuer's Profile was not had: {reason}", "Try again later."
    ),
}
