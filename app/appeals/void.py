"""Reviews that cannot be finished any more end by themselves: the work is void, or its author erased, and nobody reads it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.appeals.appeal import void_appeal
from app.appeals.moderate import void_item
from app.appeals.review import list_open_appeals, list_open_items
from app.learners.store import get_learner
from app.resources import Resources
from app.submissions.store import Submission, lock_submission

ANSWER = "The work does not count any more: there is nothing left to decide."


async def void_reviews(
    session: AsyncSession, world: Resources, submission: Submission, *, actor: str, now: datetime
) -> None:
    """End the appeals and the items of moderations that are open about a submission, which is locked and became void."""
    for appeal in await list_open_appeals(session, submission):
        await void_appeal(session, world.vault, appeal, answer=ANSWER, actor=actor, now=now)
    for item in await list_open_items(session, submission):
        await void_item(session, item, actor=actor, now=now)


async def end_appeals(world: Resources, issuer_id: str, submission_id: str) -> None:
    """The handler of END_APPEALS_JOB. A moderation goes on: what is under review there can still be confirmed."""
    now = world.clock.now()
    async with world.database.transaction() as session:
        submission = await lock_submission(session, issuer_id, submission_id)
        if (await get_learner(session, issuer_id, submission.learner_id)).sealed_key is None:
            for appeal in await list_open_appeals(session, submission):
                await void_appeal(session, world.vault, appeal, answer=ANSWER, actor="system:erasure", now=now)
