"""A transaction that issues, begun again when the moment was not right."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.issue import TooSoon
from app.errors import Unavailable
from app.resources import Resources

T = TypeVar("T")

LONGEST_WAIT = timedelta(seconds=2)
ATTEMPTS = 5


async def in_time(world: Resources, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """Run `work` in a transaction, and again when the moment was not right.

    An edition must be a second later than the one before: wait for it, but not for a clock that was set back. Two requests
    that enter the same new learner collide: the second finds the learner when it begins again.
    """
    for attempt in range(ATTEMPTS):
        try:
            async with world.database.transaction() as session:
                return await work(session)
        except TooSoon as early:
            if early.retry_at - world.clock.now() > LONGEST_WAIT:
                raise Unavailable("The badge carries a later date than now: a clock was set back.") from None
            await world.clock.sleep_until(early.retry_at)
        except IntegrityError:
            if attempt == ATTEMPTS - 1:
                raise
    raise Unavailable("The badge is being changed by others at the same time.")
