"""A decision as it comes in, and the part of it that is sealed."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from app.learners.recipients import Identities
from app.openbadges.compose import EvidenceFacts
from app.scoring.store import Outcome


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """The level reached on one criterion, and why."""

    criterion: str
    level: str
    rationale: str | None


@dataclass(frozen=True, slots=True)
class DecisionFacts:
    """A decision as it comes in. The learner is named by id, or by `recipient_external_id` and `recipient`.

    One of our own workflow has a `submission_id`, the `policy_version` pinned to it, and `feedback` by criterion; `note` is the
    approver's own. One that awards a pathway has a `proposal_id`.
    """

    external_id: str | None
    achievement_id: str
    version: int | None
    learner_id: str | None
    recipient_external_id: str | None
    recipient: Identities
    outcome: Outcome
    decided_at: datetime
    panel_id: str
    assessors: tuple[str, ...]
    results: tuple[CriterionResult, ...]
    evidence: tuple[EvidenceFacts, ...]
    narrative: str | None = None
    role: str | None = None
    activity_start: datetime | None = None
    activity_end: datetime | None = None
    supersedes_id: str | None = None
    renews_id: str | None = None
    reason: str | None = None
    submission_id: str | None = None
    policy_version: int | None = None
    reason_code: str | None = None
    feedback: Mapping[str, str] | None = None
    note: str | None = None
    proposal_id: str | None = None

    @property
    def is_of_pathway(self) -> bool:
        """Whether it rests on other credentials, and nobody assessed."""
        return self.proposal_id is not None

    @property
    def is_of_workflow(self) -> bool:
        """Whether it rests on readings of a submission here."""
        return self.submission_id is not None


def compose_details(facts: DecisionFacts) -> dict[str, Any]:
    """The part of a decision that is sealed, as it is stored."""
    details = {
        "rationales": {each.criterion: each.rationale for each in facts.results if each.rationale is not None},
        "evidence": [asdict(piece) for piece in facts.evidence],
        "narrative": facts.narrative,
        "role": facts.role,
        "activity_start": facts.activity_start.isoformat() if facts.activity_start else None,
        "activity_end": facts.activity_end.isoformat() if facts.activity_end else None,
        "reason": facts.reason,
        # The digest outlives the learner's key: without this, a short text could be guessed from it.
        "nonce": secrets.token_hex(16),
    }
    if facts.is_of_workflow:
        details |= {"feedback": dict(facts.feedback or {}), "note": facts.note}
    return details


def evidence_id(url: str | None) -> str:
    """The id a piece of evidence has in the badge: its URL, or a fresh UUID URN where there is only a digest."""
    return url or uuid4().urn
