"""What reports count of impact claims: their level and whether they are measured, never their words.

The claim itself is sealed under the learner's key. To open thousands for a number would be slow, and would read what nobody asked
to be read; so what is counted is noted when work is handed in, as coarse as it is counted.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.submissions.statement import ImpactClaim
from app.submissions.store import Submission

ENOUGH = 10
"""Figures about fewer people or things than this are no measured outcome."""
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*\s*(?:%|[a-z ]{0,40})", re.IGNORECASE)


class ImpactFact(Table):
    """Of a submission that was handed in. `level` is null where no impact is claimed; `is_numeric` is whether baseline and
    follow-up are numbers, `has_enough` whether they are about ENOUGH."""

    __tablename__ = "impact_fact"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "submission_id"], ["submission.issuer_id", "submission.id"]),
        CheckConstraint("level IN ('student', 'team', 'system')", name="level"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    submission_id: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str | None]
    is_numeric: Mapped[bool]
    has_enough: Mapped[bool]
    noted_at: Mapped[datetime]


async def note_impact(session: AsyncSession, submission: Submission, claim: ImpactClaim | None, now: datetime) -> None:
    """What is counted of the work as it is handed in, in place of what was noted before."""
    await session.merge(
        ImpactFact(
            issuer_id=submission.issuer_id,
            submission_id=submission.id,
            level=None if claim is None else claim.level,
            is_numeric=claim is not None and is_number(claim.baseline) and is_number(claim.follow_up),
            has_enough=claim is not None and claim.n is not None and claim.n >= ENOUGH,
            noted_at=now,
        )
    )


def is_number(text: str) -> bool:
    """Whether a text is one number, maybe with a unit: `61 %`, `3.5 points`, `1,204`; not `about half`, `2 of 3`."""
    return _NUMBER.fullmatch(text.strip()) is not None and len(re.findall(r"\d+(?:[.,]\d+)*", text)) == 1


async def forget_impact(session: AsyncSession, issuer_id: str, submission_ids: Sequence[str]) -> None:
    """Of learners who are erased."""
    theirs = (ImpactFact.issuer_id == issuer_id, ImpactFact.submission_id.in_(submission_ids))
    await session.execute(delete(ImpactFact).where(*theirs))
