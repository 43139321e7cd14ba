"""The scoring policy: the figures a program judges by, as versioned data. The defaults are those of good programs."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, StrictBool
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import NotFound
from app.programs.store import ScoringPolicy
from app.web.fields import Body, Key

_Days = Annotated[int, Field(strict=True, ge=1, le=3_650)]
_Count = Annotated[int, Field(strict=True, ge=0, le=1_000)]
_Percent = Annotated[int, Field(strict=True, ge=0, le=100)]


class QualificationPolicy(Body):
    """What an assessor must show on anchors before they may read."""

    minimum_ratings: Annotated[int, Field(strict=True, ge=1, le=1_000)] = Field(
        default=30, description="Criteria scored on qualification anchors, at least."
    )
    minimum_sets: Annotated[int, Field(strict=True, ge=1, le=10)] = Field(
        default=2, description="Distinct sets of anchors they come from, at least."
    )
    exact_percent: _Percent | None = Field(
        default=None,
        description="Exact agreement with the true scores, in percent. Left out: by the number of levels of the scale, 90 for "
        "two, 80 for three, 70 for four and more (NAEP).",
    )
    non_adjacent_allowed: _Count = Field(default=0, description="Ratings more than one level off, at most.")
    same_decision: StrictBool = Field(
        default=True, description="Every anchor must come to the decision of its true scores."
    )
    rounds: Annotated[int, Field(strict=True, ge=1, le=10)] = Field(
        default=2, description="Rounds an assessor may take; then a lead decides how to go on."
    )
    certification_days: _Days = Field(default=365, description="How long a certification lasts.")
    training_modules: list[Key] = Field(
        default_factory=list, max_length=50, description="Modules an assessor completes before a round can be opened."
    )


class CalibrationPolicy(Body):
    every_days: _Days = Field(
        default=180, description="After how long without a calibration session readings are refused."
    )
    after_gap_days: _Days = Field(
        default=60, description="After how long without a reading a calibration session is due."
    )


class SecondReadingPolicy(Body):
    """Which submissions are read twice."""

    random_percent: _Percent = Field(default=20, description="The provable random sample.")
    window_days: _Days = Field(default=90, description="How long one seed of the sampler is in use.")
    first_of_version: _Count = Field(
        default=10, description="So many first submissions of a version are all read twice."
    )
    near_standard: StrictBool = Field(
        default=True,
        description="Refused with at most two criteria short, or awarded with at most one criterion above the bar.",
    )
    repeated_attempts: StrictBool = Field(default=True, description="Every attempt after the first.")
    probationary_assessor: StrictBool = Field(default=True, description="Every reading by an assessor on probation.")


class TurnaroundPolicy(Body):
    """Days until something is overdue; a reading that is, is given to somebody else."""

    screening_days: _Days = 1
    reading_days: _Days = 5
    adjudication_days: _Days = 3
    appeal_filing_days: _Days = Field(default=30, description="How long after a decision an appeal can be filed.")
    appeal_answer_days: _Days = 20


class ScoringPolicyBody(Body):
    """A program's scoring policy. Pinned to a submission when it is submitted."""

    qualification: QualificationPolicy = QualificationPolicy()
    calibration: CalibrationPolicy = CalibrationPolicy()
    second_readings: SecondReadingPolicy = SecondReadingPolicy()
    turnaround: TurnaroundPolicy = TurnaroundPolicy()
    bank_met_criteria: StrictBool = Field(
        default=True, description="On resubmission criteria once met stay met; only the others are done and read again."
    )
    attempts_before_support: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        default=3, description="After so many not-yets the learner is offered support before the next attempt."
    )
    assessor_may_approve: StrictBool = Field(
        default=False, description="Whether who read a submission may also approve its decision."
    )
    validity_percent: _Percent = Field(
        default=0, description="Share of readings that are anchors with known scores, not recognizable as such."
    )
    minimum_cell: Annotated[int, Field(strict=True, ge=5, le=1_000)] = Field(
        default=10, description="Reports tell no results of a group of fewer people, nor what would give them away."
    )

    @property
    def sampling_rate(self) -> Decimal:
        return Decimal(self.second_readings.random_percent) / 100


async def get_policy(session: AsyncSession, issuer_id: str, program_id: str, version: int) -> ScoringPolicyBody:
    """One version of a program's policy. Raises NotFound."""
    row = await session.get(ScoringPolicy, (issuer_id, program_id, version))
    if row is None:
        raise NotFound("There is no such version of the program's scoring policy.")
    return ScoringPolicyBody.model_validate(row.content)
