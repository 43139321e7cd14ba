"""What the checks that somebody asks for beside the badge can say (see `verdicts.py`)."""

from collections.abc import Mapping

from app.verification.verdict import ASK_ISSUER, Verdict

BESIDE_VERDICTS: Mapping[str, Verdict] = {
    "recipient_named": Verdict("recipient", "passed", "nobody", "The badge names the recipient that was asked for."),
    "recipient_differs": Verdict(
        "recipient",
        "failed",
        "holder",
        "The badge does not name the recipient that was asked for.",
        "Ask for another address or identifier of theirs. It must be written as it was when the badge was issued.",
    ),
    "no_evidence_digest": Verdict(
        "evidence", "skipped", "nobody", "The badge names no file with a digest, so there is nothing to compare."
    ),
    "evidence_unchanged": Verdict("evidence", "passed", "nobody", "The file at {url} is the one that was signed for."),
    "evidence_changed": Verdict(
        "evidence",
        "failed",
        "issuer",
        "The file at {url} is not the one that was signed for: its digest is another.",
        ASK_ISSUER,
    ),
    "evidence_unavailable": Verdict(
        "evidence",
        "warning",
        "network",
        "The file at {url} was not had, so it was not compared: {reason}",
        "Ask the issuer or the holder for the file.",
    ),
    "evidence_digest_unknown": Verdict(
        "evidence", "warning", "verifier", "The digest of the file at {url} is of a kind that is not known here."
    ),
    "evidence_not_checked": Verdict(
        "evidence", "warning", "verifier", "The file at {url} and those after it were not compared: there are too many."
    ),
}
