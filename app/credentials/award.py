"""What an award hands over to be made into a badge, and what follows from it: how long the badge is valid, whom it names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from app.achievements.store import AchievementVersion
from app.clock import whole_second
from app.credentials.store import Award, Edition
from app.errors import Fault, InvalidInput
from app.learners.recipients import Identities
from app.learners.store import Learner
from app.openbadges.compose import EvidenceFacts, ResultFacts

Cause = Literal["correction", "new_date", "renewal", "withdrawal", "identity"]
"""Why a badge gets another edition."""

Validity = tuple[datetime, datetime | None]
"""awardedDate and validUntil."""


class ValidityOver(InvalidInput):
    """What was decided so long ago that the badge would end before it begins (VC Data Model 2.0, section 4.9)."""

    code = "validity_over"


@dataclass(frozen=True, slots=True)
class AwardFacts:
    """What a decision hands over to be made into a badge."""

    decision_id: str
    external_id: str | None
    learner: Learner
    version: AchievementVersion
    results: tuple[ResultFacts, ...]
    evidence: tuple[EvidenceFacts, ...]
    source: Mapping[str, Any]
    awarded_date: datetime
    salt: str
    narrative: str | None = None
    role: str | None = None
    activity_start: datetime | None = None
    activity_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reissue:
    """The next edition of an award's credential, and why there is one.

    Only a `new_date` takes its date from the decision that corrects: the one before was mistaken about it. The others keep the
    day of the award; with a `correction` its validity is counted from that day. A `renewal` extends the validity of the edition
    `renewed`, counted from the decision that renews; a `withdrawal` goes back to the validity of that edition. A change of
    `identity` keeps the validity of the edition now served.
    """

    award: Award
    cause: Cause
    renewed: Edition | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether the validity that a withdrawal goes back to has run out."""
        until = self.renewed.valid_until if self.renewed is not None else None
        return until is not None and until <= whole_second(now)


def count_validity(decided_at: datetime, validity_days: int | None) -> Validity:
    """What a decision grants by itself."""
    awarded = whole_second(decided_at)
    return awarded, None if validity_days is None else awarded + timedelta(days=validity_days)


def require_some_validity(valid_from: datetime, valid_until: datetime | None) -> None:
    """Raises ValidityOver."""
    if valid_until is not None and valid_until <= valid_from:
        cure = "give the moment of the decision, or choose a longer validity_days for the achievement"
        fault = Fault("/decided_at", f"lies so far back that the badge would have ended on {valid_until.date()}", cure)
        raise ValidityOver("The badge would have run out already.", faults=[fault])


def regrant(granted: Validity, before: Edition | None, cause: Cause) -> Validity:
    """What the next edition says, when the decision alone would have `granted` this and the edition `before` stood."""
    if before is None or cause == "new_date":
        return granted
    if cause == "correction":
        return before.awarded_date, None if granted[1] is None else before.awarded_date + (granted[1] - granted[0])
    until = before.valid_until
    if cause == "renewal":  # never takes away what was granted before
        until = None if until is None or granted[1] is None else max(until, granted[1])
    return before.awarded_date, until


def shown_identities(identities: Identities, settings: Mapping[str, Any]) -> Identities:
    """Those that badges of an achievement with these settings carry."""
    return identities if settings["recipient_name"] else replace(identities, name=None)
