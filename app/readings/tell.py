"""What a learner is told of the readings of their work, when they ask for everything that is held about them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.keys.vault import PersonalKey
from app.readings.store import Reading
from app.readings.texts import open_texts
from app.submissions.store import Submission


async def tell_readings(session: AsyncSession, issuer_id: str, keys: Mapping[str, PersonalKey]) -> list[dict[str, Any]]:
    """The submitted readings of decided submissions of these learners (`keys` by learner id), oldest first. Who read is not told;
    until the decision nothing is, as feedback is released with it."""
    query = (
        select(Reading, Submission.learner_id)
        .join(Submission, (Submission.issuer_id == Reading.issuer_id) & (Submission.id == Reading.submission_id))
        .where(
            Reading.issuer_id == issuer_id,
            Reading.state == "submitted",
            Submission.state == "decided",
            Submission.learner_id.in_(keys),
        )
        .order_by(Reading.submitted_at, Reading.id)
    )
    return [
        {
            "id": reading.id,
            "submission_id": reading.submission_id,
            "submitted_at": reading.submitted_at,
            "levels": dict(reading.levels or []),
            "texts": open_texts(keys[learner_id], reading),
        }
        for reading, learner_id in (await session.execute(query)).all()
    ]
