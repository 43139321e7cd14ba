"""The time of the demonstration: what happened in the school year is done again at the moments it happened."""

from datetime import datetime, timedelta

from app.clock import Clock


class Calendar:
    """A clock that shows the moment it was turned to. It goes forward only, and never past the real one."""

    def __init__(self, real: Clock, start: datetime) -> None:
        self._real = real
        self._shown = start

    def now(self) -> datetime:
        return self._shown

    async def sleep_until(self, moment: datetime) -> None:
        self._shown = max(self._shown, moment)

    def turn_to(self, moment: datetime) -> datetime:
        """Show `moment`, if that is later than what is shown: what is shown then."""
        self._shown = min(max(self._shown, moment), self._real.now())
        return self._shown

    def pass_by(self, **time: float) -> datetime:
        """Let so much time pass (as `timedelta` takes it): what is shown then."""
        return self.turn_to(self._shown + timedelta(**time))
