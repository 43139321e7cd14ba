"""What the audit chain commits to of a decision: ids, codes, levels, and the salted digest of what is sealed. PURE.

The chain holds the digest of this and nothing else, so that erasing a learner leaves it whole. A decision's row that was changed
behind the service's back no longer gives the digest that is chained.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

RECORDED = "decision.recorded"
"""The audit entry, and the event, of a decision."""


def compose_commitment(row: Mapping[str, Any]) -> dict[str, Any]:
    """`row` is a decision by the names of its columns; its `digest` covers a nonce, so that nothing short can be guessed."""
    of_pathway = {} if row["proposal_id"] is None else {"proposal": row["proposal_id"]}
    return of_pathway | {
        "learner": row["learner_id"],
        "achievement": row["achievement_id"],
        "version": row["version"],
        "levels": row["levels"],
        "panel": row["panel_id"],
        "assessors": row["assessors"],
        "decided_at": _moment(row["decided_at"]),
        "submission": row["submission_id"],
        "policy_version": row["policy_version"],
        "reason_code": row["reason_code"],
        "recorded_by": row["recorded_by"],
        "outcome": row["outcome"],
        "supersedes": row["supersedes_id"],
        "renews": row["renews_id"],
        "digest": row["digest"],
    }


def compose_earlier_commitments(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What earlier releases chained, which committed to less: the one before, and those that knew no renewals."""
    first = {"outcome": row["outcome"], "supersedes": row["supersedes_id"], "digest": row["digest"]}
    before = {**first, "renews": row["renews_id"]}
    return [before, first] if row["renews_id"] is None else [before]


def _moment(moment: object) -> str:
    """What is not a moment any more is taken as it is: then the digest differs."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(moment, datetime) else str(moment)
