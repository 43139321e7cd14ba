"""The one source of time. Everything that needs the time is handed a Clock or a moment; nothing asks the system itself."""

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""

    async def sleep_until(self, moment: datetime) -> None:
        """Return once `now()` is at or past `moment`."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, moment: datetime) -> None:
        while (wait := (moment - self.now()).total_seconds()) > 0:
            await asyncio.sleep(wait)


def whole_second(moment: datetime) -> datetime:
    """`moment` with its fraction of a second cut off: the precision a credential's dates have."""
    return moment.astimezone(UTC).replace(microsecond=0)
