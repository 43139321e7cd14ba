"""Bodies of the policy simulation."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, model_validator

from app.identifiers import Identifier
from app.psychometrics.simulation import Model, Outcome, Rereading, Resolution
from app.web.fields import Body, Key

_Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
_DEFAULTS = Model(criteria=1, accuracy=0.85)


class SimulatedPolicy(Body):
    """Which submissions get a second reading."""

    name: Key = Field(examples=["near-standard"])
    random_percent: Annotated[int, Field(strict=True, ge=0, le=100)] = Field(
        default=0, description="A random share of all; 100 reads everything twice."
    )
    refused: StrictBool = Field(default=False, description="Whatever the first reading refuses.")
    near_standard: StrictBool = Field(
        default=False,
        description="What the first reading refuses with at most two criteria short, or awards with at most one above the bar.",
    )

    @property
    def rereading(self) -> Rereading:
        return Rereading(self.random_percent / 100, self.refused, self.near_standard)


class SimulationRequest(Body):
    """Of what, by which readers, under which policies. Every parameter of the model may be set."""

    criteria: Annotated[int, Field(strict=True, ge=1, le=50)] | None = Field(
        default=None,
        description="How many the rubric has; or name an achievement of the program, and they are counted.",
    )
    achievement_id: Identifier | None = None
    version: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = Field(
        default=None, description="Of the achievement, a draft too; its newest published one if left out."
    )
    accuracy: _Share | None = Field(
        default=None,
        description=f"How often a reader gives the true level of a criterion, such as exact agreement in calibration. Left out, "
        f"{_DEFAULTS.accuracy} is assumed.",
        examples=[0.85],
    )
    levels: Annotated[int, Field(strict=True, ge=2, le=6)] = Field(
        default=_DEFAULTS.levels, description="How many levels each criterion has, counted from 0."
    )
    bar: Annotated[int, Field(strict=True, ge=1, le=5)] = Field(
        default=_DEFAULTS.bar, description="The passing level of every criterion."
    )
    person_means: list[Annotated[float, Field(strict=True, ge=0, le=5, allow_inf_nan=False)]] | None = Field(
        default=None,
        min_length=1,
        max_length=10,
        description="Where on the scale people stand, each value equally many. Left out on a scale of four levels: "
        f"{', '.join(str(mean) for mean in _DEFAULTS.person_means)}.",
        examples=[list(_DEFAULTS.person_means)],
    )
    noise: Annotated[float, Field(strict=True, ge=0.01, le=5, allow_inf_nan=False)] = Field(
        default=_DEFAULTS.noise, description="Standard deviation of a person's true levels about their mean."
    )
    third_gain: _Share = Field(default=_DEFAULTS.third_gain, description="How much more accurate the third reader is.")
    third_limit: _Share = Field(default=_DEFAULTS.third_limit, description="And at most so accurate.")
    resolution: Resolution = Field(
        default=_DEFAULTS.resolution,
        description="What counts where two readings do not agree: each criterion's median of three readings, or the third "
        "reading alone, as this service does it (a lead's levels stand).",
    )
    policies: list[SimulatedPolicy] | None = Field(
        default=None,
        min_length=1,
        max_length=20,
        description="Left out: a single reading, second readings of refusals, of what is near the standard, of everything, and "
        "the program's policy in force.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "SimulationRequest":
        if (self.criteria is None) == (self.achievement_id is None):
            raise ValueError("give either criteria or achievement_id")
        if self.version is not None and self.achievement_id is None:
            raise ValueError("version belongs to achievement_id: give it too")
        if self.bar >= self.levels:
            raise ValueError(f"bar {self.bar} is not on a scale of {self.levels} levels, which are counted from 0")
        if self.person_means is None and self.levels != _DEFAULTS.levels:
            raise ValueError(f"give person_means: the default is for a scale of {_DEFAULTS.levels} levels")
        if self.person_means is not None and max(self.person_means) > self.levels - 1:
            raise ValueError(f"person_means lie on the scale, from 0 to {self.levels - 1}")
        names = [policy.name for policy in self.policies or ()]
        if len(set(names)) != len(names):
            raise ValueError("two policies have the same name")
        return self

    def model(self, criteria: int) -> Model:
        return Model(
            criteria=criteria,
            accuracy=_DEFAULTS.accuracy if self.accuracy is None else self.accuracy,
            levels=self.levels,
            bar=self.bar,
            person_means=tuple(self.person_means or _DEFAULTS.person_means),
            noise=self.noise,
            third_gain=self.third_gain,
            third_limit=self.third_limit,
            resolution=self.resolution,
        )


class ModelOut(BaseModel):
    """The whole model: what is assumed, and every parameter."""

    assumptions: list[str]
    criteria: int
    achievement_id: str | None
    version: int | None
    accuracy: float
    accuracy_is_assumed: bool = Field(description="Whether it was left out.")
    third_accuracy: float
    levels: int
    bar: int
    person_means: list[float]
    noise: float
    third_gain: float
    third_limit: float
    resolution: Resolution
    passing: float = Field(description="The share of people who truly pass.")


class ShareOut(BaseModel):
    value: float | None
    reason: Literal["nobody_passes", "everybody_passes"] | None = Field(
        description="Why there is no value: a share of nobody. Null where there is one."
    )


class SimulatedOut(BaseModel):
    """What a policy comes to, as probabilities computed exactly under the model."""

    name: str
    random_percent: int
    refused: bool
    near_standard: bool
    policy_version: int | None = Field(description="Of the program's policy in force; null for others.")
    wrongly_refused: ShareOut = Field(description="Of those who truly pass, the share that is refused.")
    wrongly_awarded: ShareOut = Field(description="Of those who truly do not pass, the share that is awarded.")
    wrong: float = Field(description="Share of all decisions that are wrong.")
    readings: float = Field(description="Readings per submission, third ones among them.")
    sentence: str

    @classmethod
    def of(cls, policy: SimulatedPolicy, outcome: Outcome, policy_version: int | None, sentence: str) -> "SimulatedOut":
        refused, awarded = outcome.wrongly_refused, outcome.wrongly_awarded
        facts: dict[str, Any] = policy.model_dump()
        return cls(
            **facts,
            policy_version=policy_version,
            wrongly_refused=ShareOut(value=refused, reason="nobody_passes" if refused is None else None),
            wrongly_awarded=ShareOut(value=awarded, reason="everybody_passes" if awarded is None else None),
            wrong=outcome.wrong,
            readings=outcome.readings,
            sentence=sentence,
        )


class SimulationOut(BaseModel):
    program_id: str
    model: ModelOut
    policies: list[SimulatedOut]
    sentence: str = Field(description="What the comparison shows, in one sentence.")
