"""What a flag shows for itself: figures with their intervals, and where they come from by id. Never whose work it was."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from app.identifiers import Identifier
from app.monitoring.figures import BesideOthers, Figures
from app.monitoring.ratings import Rating
from app.psychometrics.statistic import Statistic


class FiguresOut(BaseModel):
    """On anchors, of which the true scores are known."""

    ratings: int = Field(description="Criteria scored.")
    anchors: int
    exact: Statistic = Field(description="Exact agreement with the true scores, with its Wilson interval.")
    mean_deviation: Statistic = Field(
        description="Given less true level, on average: below 0 severe, above 0 lenient. Its interval takes anchors as a whole."
    )
    spread: Statistic = Field(
        description="Scatter of the levels given, as a multiple of that of the true ones: below 1 keeps to the middle."
    )

    @classmethod
    def of(cls, figures: Figures) -> "FiguresOut":
        return cls(
            ratings=figures.ratings, anchors=figures.anchors, exact=figures.exact,
            mean_deviation=figures.mean_deviation, spread=figures.spread,
        )  # fmt: skip


class BesideOthersOut(BaseModel):
    """On submissions that two assessors read blind. Who of them is right is not known: no rule rests on it."""

    submissions: int
    exact: Statistic = Field(description="Exact agreement with the other reader, by criterion.")
    mean_difference: Statistic = Field(description="The assessor's level less the other reader's, on average.")

    @classmethod
    def of(cls, beside: BesideOthers) -> "BesideOthersOut":
        return cls(submissions=beside.submissions, exact=beside.exact, mean_difference=beside.mean_difference)


class Evidence(BaseModel):
    figures: FiguresOut = Field(description="Of the quarter.")
    compared_with: FiguresOut | None = Field(description="Of the quarter that a change is measured from.")
    compared_quarter: str | None = Field(examples=["2026Q2"])
    rule_figures: dict[str, Any] = Field(description="What the rule compared, and with which bound.")
    beside_others: BesideOthersOut = Field(description="Of the year before the flag was raised.")
    anchor_ids: list[Identifier]
    session_ids: list[Identifier] = Field(description="Qualification rounds and calibrations.")
    validity_reading_ids: list[Identifier]


def compose_evidence(
    ratings: Sequence[Rating],
    before: Sequence[Rating],
    before_quarter: str | None,
    beside: BesideOthers,
    figures: Figures,
    figures_before: Figures | None,
    rule_figures: Mapping[str, Any],
) -> Evidence:
    """`ratings` are those of the quarter, `before` those it is compared with."""
    everything = [*ratings, *before]
    return Evidence(
        figures=FiguresOut.of(figures),
        compared_with=None if figures_before is None else FiguresOut.of(figures_before),
        compared_quarter=before_quarter,
        rule_figures=dict(rule_figures),
        beside_others=BesideOthersOut.of(beside),
        anchor_ids=sorted({each.anchor_id for each in everything}),
        session_ids=sorted({each.met_in for each in everything if each.kind != "validity"}),
        validity_reading_ids=sorted({each.met_in for each in everything if each.kind == "validity"}),
    )
