"""The shapes that reports are made of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.psychometrics.intervals import wilson
from app.psychometrics.statistic import Interval, Reason, Statistic
from app.reports.filters import Reported
from app.web.fields import Moment

Why = Reason


class IntervalOut(BaseModel):
    low: float
    high: float
    level: float = Field(examples=[0.95])
    method: str = Field(examples=["wilson"])

    @classmethod
    def of(cls, interval: Interval) -> "IntervalOut":
        return cls(low=interval.low, high=interval.high, level=interval.level, method=interval.method)


class StatisticOut(BaseModel):
    """A number with its n and interval; without a value it has a reason."""

    name: str
    n: int | None
    value: float | None
    reason: Why | None = Field(description="Why there is no value; null where there is one.")
    interval: IntervalOut | None

    @classmethod
    def of(cls, statistic: Statistic) -> "StatisticOut":
        interval = IntervalOut.of(statistic.interval) if statistic.interval is not None else None
        return cls(
            name=statistic.name, n=statistic.n, value=statistic.value, reason=statistic.reason, interval=interval
        )


class RateOut(BaseModel):
    """A share, always with its numerator and denominator, and the Wilson interval of it."""

    numerator: int | None
    denominator: int | None
    value: float | None
    reason: Why | None = Field(description="Why there is no value; null where there is one.")
    interval: IntervalOut | None

    @classmethod
    def of(cls, numerator: int, denominator: int) -> "RateOut":
        if denominator == 0:
            return cls(numerator=numerator, denominator=0, value=None, reason="no_data", interval=None)
        interval = wilson(numerator, denominator)
        shown = IntervalOut.of(interval) if interval is not None else None
        return cls(
            numerator=numerator, denominator=denominator, value=numerator / denominator, reason=None, interval=shown
        )

    @classmethod
    def hidden(cls) -> "RateOut":
        """One that would tell of too few people."""
        return cls(numerator=None, denominator=None, value=None, reason="small_cell", interval=None)

    def cells(self) -> dict[str, str | int | float | None]:
        """As columns of a CSV: `numerator`, `denominator`, `rate`, `low`, `high`, and the `reason` why there is none."""
        low, high = (self.interval.low, self.interval.high) if self.interval is not None else (None, None)
        return {
            "numerator": self.numerator, "denominator": self.denominator, "rate": self.value, "low": low, "high": high,
            "reason": self.reason,
        }  # fmt: skip


class WindowOut(BaseModel):
    """`applies_to` is what must have happened between `since` and `until` to be counted."""

    since: Moment | None
    until: Moment | None
    applies_to: str = Field(examples=["what each number counts"])


class SuppressedOut(BaseModel):
    """`members` are null because they would tell of fewer than `minimum_cell` people, or give those of others away."""

    reason: Literal["small_cell"] = "small_cell"
    minimum_cell: int = Field(examples=[10])
    members: list[str]
    moments: list[Moment] = Field(
        description="Where windows may begin and end, and at most which moments `as_of` may be: between them enough people are "
        "counted. A narrower question may want fewer of them."
    )


class ReportOut(BaseModel):
    """What every report begins with."""

    report: str = Field(examples=["headline"])
    program_id: str
    as_of: Moment
    window: WindowOut
    cohort_id: str | None
    cohort: str | None = Field(description="Its name.", examples=["First cohort"])
    achievement_id: str | None
    version: int | None
    suppressed: SuppressedOut | None = Field(description="What is left out to protect people in small groups.")
    sentence: str = Field(description="What the numbers show, in plain words.")


def opening(
    report: str,
    reported: Reported,
    *,
    sentence: str,
    window: str,
    suppressed: Sequence[str] = (),
    moments: Sequence[datetime] = (),
) -> dict[str, object]:
    """The members of `ReportOut`. `window` says what the window applies to; `suppressed` are members left out as small cells, and
    `moments` where time may be cut."""
    filters, hidden = reported.filters, None
    if suppressed:
        hidden = SuppressedOut(minimum_cell=reported.minimum_cell, members=list(suppressed), moments=list(moments))
    return {
        "report": report,
        "program_id": reported.program.id,
        "as_of": filters.as_of,
        "window": WindowOut(since=filters.since, until=filters.until, applies_to=window),
        "cohort_id": filters.cohort_id,
        "cohort": reported.cohort.name if reported.cohort is not None else None,
        "achievement_id": filters.achievement_id,
        "version": filters.version,
        "suppressed": hidden,
        "sentence": sentence,
    }
