"""Stand-ins for time, behind its port. Everything else in the tests is real."""

from datetime import UTC, datetime, timedelta


class FixedClock:
    """Shows the moment it was set to. Sleeping moves it forward."""

    def __init__(self, moment: datetime = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    async def sleep_until(self, moment: datetime) -> None:
        self.moment = max(self.moment, moment)

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)
