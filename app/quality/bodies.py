"""A quality report as it is served, stored and frozen.

Reports that were frozen are read with these models again to make pages of them: members may be added, with a default, and none
taken away.
"""

from typing import Literal

from pydantic import BaseModel, Field

from app.psychometrics.statistic import Reason
from app.web.fields import Moment

State = Literal["open", "frozen"]
IntervalReason = Reason | Literal["no_disagreement"]
"""`no_disagreement`: there was so little of it that all resamples are alike, and say nothing of how far off a number may be."""


class QualityWindow(BaseModel):
    """A calendar quarter in UTC: from `begins_at` on, before `ends_at`."""

    label: str = Field(examples=["2026Q3"])
    begins_at: Moment
    ends_at: Moment


class QualityCount(BaseModel):
    """How many; null with the reason `small_cell` where they are fewer than ten, and more than none."""

    n: int | None
    reason: Reason | None = None


class QualityInterval(BaseModel):
    """One by `cluster_bootstrap` resamples submissions; its seed and number of resamples compute it again."""

    low: float
    high: float
    level: float = Field(examples=[0.95])
    method: str = Field(examples=["cluster_bootstrap"])
    seed: int | None = None
    resamples: int | None = None


class QualityStatistic(BaseModel):
    """A number with its n and interval. Where there is none, `reason` and `interval_reason` say why."""

    name: str = Field(examples=["krippendorff_alpha_ordinal"])
    n: int | None = Field(description="How many pairs of scores it rests on.")
    value: float | None
    reason: Reason | None = None
    interval: QualityInterval | None = None
    interval_reason: IntervalReason | None = None


class QualityRate(BaseModel):
    """A share with its numerator, denominator and Wilson interval."""

    numerator: int | None
    denominator: int | None
    value: float | None
    reason: Reason | None = None
    interval: QualityInterval | None = None


class QualityCriterion(BaseModel):
    """How well readers agreed on one criterion. `pooled_versions` are the earlier versions with this very text, whose pairs
    count too."""

    key: str
    name: str
    levels: int
    pooled_versions: list[int]
    statistics: list[QualityStatistic]


class QualityDecision(BaseModel):
    """How often both readings led to the same decision under the rubric's rule. `pooled_versions` are the earlier versions with
    the same criteria and the same rule."""

    pooled_versions: list[int]
    statistics: list[QualityStatistic]


class QualityPairs(BaseModel):
    """Agreement over the submissions that two people read blind, in one kind of second reading.

    `criterion_pairs` counts pairs of scores of one criterion of one submission; `overall` takes them all together.
    """

    submissions: QualityCount
    criterion_pairs: QualityCount
    overall: list[QualityStatistic]
    decision: QualityDecision
    criteria: list[QualityCriterion]


class QualityAchievement(BaseModel):
    """The version whose rubric was read against; `content_hash` is the one of its publication."""

    id: str
    name: str
    version: int
    content_hash: str


class PooledVersion(BaseModel):
    """An earlier version whose pairs count too, and for which criteria of this one: their text is unchanged."""

    version: int
    criteria: list[str]
    decision: bool


class QualityReport(BaseModel):
    """How well the readings behind badges of one achievement version agreed in one window. Names no person and no work.

    `random` pairs come from the provable sample; `triggered` ones were asked for because of something, and stand for no others.
    """

    id: str
    type: Literal["QualityReport"] = "QualityReport"
    state: State
    window: QualityWindow
    achievement: QualityAchievement
    sentence: str
    pilot: bool = Field(description="Too few readings to judge: below 100 random criterion pairs of 20 submissions.")
    submissions_resolved: QualityCount
    readings: QualityCount
    double_read: QualityRate
    random: QualityPairs
    triggered: QualityPairs
    pooled: list[PooledVersion]
    methods: dict[str, str]


class QualityWindowEntry(BaseModel):
    """A window of a version's list. `digest` is the SHA-256 (hex) of a frozen report's bytes."""

    label: str
    id: str
    state: State
    digest: str | None = None


class QualityWindows(BaseModel):
    """The reports there are of an achievement version, newest first."""

    id: str
    achievement: QualityAchievement
    windows: list[QualityWindowEntry]
