"""What the check `status` can say (see `verdicts.py`)."""

from collections.abc import Mapping

from app.verification.verdict import ASK_ISSUER, REISSUE, Verdict

STATUS_VERDICTS: Mapping[str, Verdict] = {
    "no_status": Verdict("status", "skipped", "nobody", "The badge names no status list: its issuer cannot revoke it."),
    "status_clear": Verdict("status", "passed", "nobody", "The issuer has neither revoked nor suspended the badge."),
    "revoked": Verdict("status", "failed", "nobody", "The issuer has revoked the badge.", ASK_ISSUER),
    "suspended": Verdict(
        "status",
        "failed",
        "nobody",
        "The issuer has suspended the badge for the time being.",
        "Ask the issuer, or try again later.",
    ),
    "revoked_for": Verdict("status", "failed", "nobody", "The issuer has revoked the badge: {reason}", ASK_ISSUER),
    "not_in_revocation_list": Verdict(
        "status",
        "passed",
        "nobody",
        "The issuer's list of revoked badges (1EdTechRevocationList, which is not signed) does not name the badge.",
    ),
    "status_not_set": Verdict(
        "status", "passed", "nobody", "The issuer's list for the purpose {purpose} says nothing."
    ),
    "status_refresh": Verdict(
        "status",
        "warning",
        "holder",
        "The issuer says that there is a newer version of the badge.",
        "Get the newer version.",
    ),
    "status_message": Verdict("status", "warning", "nobody", "The issuer says of the badge: {message}"),
    "status_list_of_another_issuer": Verdict(
        "status",
        "warning",
        "issuer",
        "The badge names a status list that {list_issuer} keeps and signs, not its issuer: that one decides on its status.",
    ),
    "status_purpose_ignored": Verdict(
        "status",
        "warning",
        "verifier",
        "The badge has a status of the purpose {purpose}, which does not concern validity.",
    ),
    "unsupported_status": Verdict(
        "status",
        "failed",
        "verifier",
        "The badge has a status of a kind that is not checked here ({kind}), so it may have been revoked.",
        "Verify the badge where this kind of status is checked.",
    ),
    "invalid_status_entry": Verdict("status", "failed", "issuer", "`credentialStatus` is malformed: {reason}", REISSUE),
    "status_list_unavailable": Verdict(
        "status",
        "failed",
        "network",
        "The status list was not had, so the badge may have been revoked: {reason}",
        "Try again later.",
    ),
    "status_list_refused": Verdict(
        "status",
        "failed",
        "issuer",
        "The status list was not fetched: {reason}",
        "Ask the issuer to publish its status list on the public internet.",
    ),
    "status_list_invalid": Verdict(
        "status", "failed", "issuer", "The status list cannot be used: {reason}", ASK_ISSUER
    ),
    "status_list_proof_failed": Verdict(
        "status", "failed", "issuer", "The status list is not signed as it should be: {reason}", ASK_ISSUER
    ),
    "status_list_wrong_issuer": Verdict(
        "status", "failed", "issuer", "The status list is one of {list_issuer}, not of the badge's issuer.", ASK_ISSUER
    ),
    "status_list_wrong_purpose": Verdict(
        "status", "failed", "issuer", "The status list is not for the purpose {purpose}.", ASK_ISSUER
    ),
    "status_list_out_of_date": Verdict(
        "status",
        "failed",
        "issuer",
        "The status list is outside its own validity period.",
        "Try again later, then ask the issuer.",
    ),
    "status_index_out_of_range": Verdict(
        "status", "failed", "issuer", "The badge's place ({index}) is beyond the end of the status list.", REISSUE
    ),
}
