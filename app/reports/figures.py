"""The shapes that reports are made of."""

from typing import Literal

from pydantic import BaseModel, Field

from app.programs.store import Program
from app.psychometrics.statistic import Interval, Reason, Statistic
from app.reports.filters import Filters
from app.web.fields import Moment

Why = Reason | Literal["suppressed"]


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


class WindowOut(BaseModel):
    since: Moment | None
    until: Moment | None


class ReportOut(BaseModel):
    """What every report begins with."""

    report: str = Field(examples=["headline"])
    program_id: str
    as_of: Moment
    window: WindowOut
    cohort_id: str | None
    achievement_id: str | None
    version: int | None
    sentence: str = Field(description="What the numbers show, in one sentence.")


def opening(report: str, program: Program, filters: Filters, sentence: str) -> dict[str, object]:
    """The members of `ReportOut`."""
    return {
        "report": report,
        "program_id": program.id,
        "as_of": filters.as_of,
        "window": {"since": filters.since, "until": filters.until},
        "cohort_id": filters.cohort_id,
        "achievement_id": filters.achievement_id,
        "version": filters.version,
        "sentence": sentence,
    }
