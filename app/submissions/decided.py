"""What a decision leaves on the submission, for the attempts that follow. Who decides calls it: `app.scoring`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.events.store import record_event
from app.submissions.store import Submission


def mark_decided(
    session: AsyncSession,
    submission: Submission,
    *,
    outcome: Literal["awarded", "not_yet"],
    decision_id: str,
    met: Mapping[str, str],
    now: datetime,
) -> None:
    """Note the decision on a submission that is locked; an amended decision is noted in place of the one before.

    `met` is the level by criterion of those at or above their passing level, banked ones included: these keep the decision that
    banked them. The next attempt at the same version need not meet them again (where the policy says so).
    """
    banked = {criterion: [criterion, level, by] for criterion, level, by in submission.banked}
    submission.met = [banked.get(criterion, [criterion, level, decision_id]) for criterion, level in met.items()]
    submission.outcome = outcome
    submission.state = "decided"
    submission.decided_at = submission.decided_at or now
    submission.updated_at = now
    record_event(session, submission.issuer_id, "submission.decided", submission.id, at=now, data={"outcome": outcome})
