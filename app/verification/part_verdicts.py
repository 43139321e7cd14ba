"""What the checks `refresh`, `endorsements` and `badges` can say, and what is said of a part alone (see `verdicts.py`)."""

from collections.abc import Mapping

from app.verification.verdict import ASK_ISSUER, REISSUE, Verdict

PART_VERDICTS: Mapping[str, Verdict] = {
    # refresh
    "refreshed": Verdict(
        "refresh",
        "passed",
        "nobody",
        "The issuer has a newer version of the badge, of {moment}: everything here is about that.",
    ),
    "refresh_current": Verdict("refresh", "passed", "nobody", "The issuer has no newer version of the badge."),
    "refresh_failed": Verdict(
        "refresh",
        "warning",
        "issuer",
        "Whether there is a newer version of the badge is not known: {reason}",
        "Try again later, or ask the issuer.",
    ),
    # endorsements
    "endorsement_verified": Verdict("endorsements", "passed", "nobody", "An endorsement by {issuer} verifies."),
    "endorsement_not_verified": Verdict(
        "endorsements",
        "warning",
        "issuer",
        "An endorsement does not count, which takes nothing from the badge: {reason}",
        "Do not rely on this endorsement.",
    ),
    "too_many_endorsements": Verdict(
        "endorsements",
        "warning",
        "issuer",
        "The badge carries more endorsements than the {limit} that are verified, or has more places for them than are looked at.",
    ),
    # badges
    "badge_verified": Verdict("badges", "passed", "nobody", "The badge {badge} in the record verifies."),
    "badge_not_current": Verdict(
        "badges",
        "warning",
        "nobody",
        "The badge {badge} in the record is genuine, but does not count today: {reason}",
        ASK_ISSUER,
    ),
    "badge_unsigned": Verdict(
        "badges",
        "warning",
        "issuer",
        "The badge {badge} in the record is not signed by itself: it is the word of the issuer of the record, who is its issuer, "
        "too.",
    ),
    "badge_not_verified": Verdict(
        "badges",
        "failed",
        "issuer",
        "The badge {badge} in the record does not verify: {reason}",
        "Verify it by itself.",
    ),
    "too_many_badges": Verdict(
        "badges",
        "failed",
        "verifier",
        "The record holds more badges than the {limit} that are verified at once.",
        "Verify the badges by themselves.",
    ),
    # a part
    "endorsement_of_another": Verdict(
        "shape",
        "failed",
        "issuer",
        "The endorsement is about {endorsed}, not about what carries it.",
        "Do not rely on this endorsement.",
    ),
    "not_an_endorsement": Verdict("shape", "failed", "issuer", "This is not an EndorsementCredential.", REISSUE),
    "not_a_badge_of_a_record": Verdict("shape", "failed", "issuer", "This is not an OpenBadgeCredential.", REISSUE),
}
