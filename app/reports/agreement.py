"""How far two readers agree, criterion by criterion: first readings in rows, second in columns.

Only pairs of blind readings whose submission is resolved count (`app.readings.pairs`). Random
pairs stand for all submissions of their time; triggered ones are told apart. Versions are pooled where the criterion's text is
the same. Nothing is told of fewer submissions than the smallest cell, nor where the answer, beside others, would tell of so few.
"""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ReportsRead
from app.identifiers import Identifier
from app.psychometrics import agreement
from app.psychometrics.alpha import krippendorff_alpha
from app.psychometrics.gwet import gwet_ac1
from app.psychometrics.statistic import Statistic
from app.quality.bodies import QualityStatistic
from app.readings.pairs import PairKind, list_pairs
from app.reports.answer import ChosenFormat, Row, Snapshot, report_response, report_responses
from app.reports.disclosure import Disclosure
from app.reports.figures import IntervalOut, ReportOut, StatisticOut, opening
from app.reports.filters import Reported, ReportFilters, get_reported
from app.reports.pooled import KINDS, Pool, count_pairs, list_asked, pool_criteria
from app.reports.stored import STORED_DIGITS, Stored, load_stored
from app.reports.words import count_of, tell_scope

router = APIRouter()

STATISTICS = (
    "exact_agreement", "adjacent_agreement", "cohen_kappa", "weighted_kappa_quadratic", "krippendorff_alpha_ordinal",
    "gwet_ac1",
)  # fmt: skip


class PairsOut(BaseModel):
    """What the pairs of one kind come to. With fewer submissions than the smallest cell nothing is told of them."""

    kind: PairKind
    submissions: int | None = Field(description="Null where there are too few to tell of.")
    matrix: list[list[int]] | None = Field(description="First readings in rows, second in columns, lowest level first.")
    statistics: list[StatisticOut] = Field(
        description="Read them together: kappa and alpha are low where nearly all work is at one level. Intervals by resampling "
        "come from the stored quality report of the same pairs: that of one version and calendar quarter. Elsewhere the reason "
        "is `not_computed`, beside the value."
    )


class CriterionOut(BaseModel):
    """A criterion, over all versions with the same lineage and text."""

    achievement_id: str
    criterion: str = Field(description="Its key in the latest of these versions.")
    name: str
    versions: list[int]
    levels: list[str] = Field(description="Their names, lowest first.")
    pairs: list[PairsOut]


class AgreementOut(ReportOut):
    submissions: int | None = Field(description="Read by two, at random or not. Null where too few to tell of.")
    criteria: list[CriterionOut]


@router.get("/v1/programs/{program_id}/reports/agreement", operation_id="report_agreement",
            responses=report_responses(AgreementOut))  # fmt: skip
async def agreement_(
    program_id: Identifier, tenant: ReportsRead, session: Snapshot, filters: ReportFilters, chosen: ChosenFormat
) -> Response:
    """How far two blind readings of the same work agree, criterion by criterion."""
    body = await measure(session, await get_reported(session, tenant.issuer_id, program_id, filters))
    return report_response(chosen, body, rows(body))


async def measure(session: AsyncSession, reported: Reported) -> AgreementOut:
    """The window is of when the submission was resolved."""
    minimum, filters = reported.minimum_cell, reported.filters
    pairs = await list_pairs(session, reported.issuer_id, program_id=reported.program.id)
    counted = await count_pairs(session, reported, pairs)
    submissions = len(list_asked(reported, counted.values()))
    stored = await load_stored(session, reported)
    criteria = [
        _measure_pool(pool, reported, stored) for pool in await pool_criteria(session, reported, pairs, counted)
    ]
    disclosure = Disclosure(counted.values(), minimum)
    is_small = any(each.submissions is None for criterion in criteria for each in criterion.pairs)
    is_hidden = is_small or 0 < submissions < minimum or not disclosure.tells(filters)
    return AgreementOut.model_validate(
        {
            **opening(
                "agreement", reported, sentence=_tell(reported, criteria), window="when the submission was resolved",
                suppressed=_list_suppressed(submissions=is_hidden, pairs=is_small),
                moments=disclosure.moments if is_hidden else (),
            ),
            "submissions": None if is_hidden else submissions,
            "criteria": criteria,
        }
    )  # fmt: skip


def _measure_pool(pool: Pool, reported: Reported, stored: Stored) -> CriterionOut:
    criterion, minimum = pool.versions[max(pool.versions)], reported.minimum_cell
    levels = len(criterion["levels"])
    # A submission is paired once, so the pairs of one criterion are as many as its submissions.
    pairs = []
    for kind in KINDS:
        given = pool.given[kind]
        if 0 < len(given) < minimum or not Disclosure(pool.counted[kind], minimum).tells(reported.filters):
            pairs.append(_hide(kind))
        else:
            pairs.append(_measure_pairs(kind, given, levels, stored.get((kind, criterion["key"]), {})))
    return CriterionOut(
        achievement_id=pool.achievement_id,
        criterion=criterion["key"],
        name=criterion["name"],
        versions=sorted(pool.versions),
        levels=[level["name"] for level in criterion["levels"]],
        pairs=pairs,
    )


def _hide(kind: PairKind) -> PairsOut:
    hidden = [StatisticOut(name=name, n=None, value=None, reason="small_cell", interval=None) for name in STATISTICS]
    return PairsOut(kind=kind, submissions=None, matrix=None, statistics=hidden)


def _measure_pairs(
    kind: PairKind, given: list[tuple[int, int]], levels: int, stored: Mapping[str, QualityStatistic]
) -> PairsOut:
    return PairsOut(
        kind=kind,
        submissions=len(given),
        matrix=agreement.matrix(given, levels) if given else None,
        statistics=[_with_interval(each, stored.get(each.name)) for each in _list_statistics(given, levels)],
    )


def _list_statistics(given: list[tuple[int, int]], levels: int) -> list[Statistic]:
    """As STATISTICS. The shares have Wilson's interval; those of the others are resampled and come from what is stored."""
    return [
        agreement.exact(given),
        agreement.adjacent(given),
        agreement.cohen_kappa(given, levels),
        agreement.weighted_kappa(given, levels),
        krippendorff_alpha(given, "ordinal"),
        gwet_ac1(given, levels),
    ]


def _with_interval(statistic: Statistic, stored: QualityStatistic | None) -> StatisticOut:
    """With the stored interval, where that is of the same pairs: as many, with the same value."""
    shown = StatisticOut.of(statistic)
    if statistic.value is None or shown.interval is not None:
        return shown
    same = stored is not None and stored.n == statistic.n and stored.value == round(statistic.value, STORED_DIGITS)
    if stored is None or stored.interval is None or not same:
        return shown.model_copy(update={"reason": "not_computed"})
    found = stored.interval
    interval = IntervalOut(low=found.low, high=found.high, level=found.level, method=found.method)
    return shown.model_copy(update={"interval": interval})


def _list_suppressed(*, submissions: bool, pairs: bool) -> list[str]:
    return [name for name, is_hidden in (("submissions", submissions), ("criteria.pairs", pairs)) if is_hidden]


def _tell(reported: Reported, criteria: Sequence[CriterionOut]) -> str:
    """The range over the criteria, of random pairs: those stand for all submissions."""
    told = [each for criterion in criteria for each in criterion.pairs if each.kind == "random" and each.submissions]
    if not told:
        return (
            f"{tell_scope(reported)}: too few submissions were read by two at random to tell how far readers agree; at least "
            f"{reported.minimum_cell} are needed for a criterion."
        )
    shares = [each.statistics[0].value or 0.0 for each in told]
    most = max(each.submissions or 0 for each in told)
    return (
        f"{tell_scope(reported)}: of up to {count_of(most, 'submission')} read by two at random, both readers gave the same "
        f"level in {min(shares):.0%} to {max(shares):.0%}, depending on the criterion."
    )


def rows(body: AgreementOut) -> list[Row]:
    """One line for each criterion, kind and statistic, and one for each cell of a matrix (`first_level`, `second_level`, `n`).
    Two achievements may name a criterion alike: `achievement` tells them apart."""
    lines: list[Row] = []
    for criterion in body.criteria:
        for pairs in criterion.pairs:
            about: Row = {
                "achievement": criterion.achievement_id, "versions": " ".join(map(str, criterion.versions)),
                "criterion": criterion.criterion, "kind": pairs.kind,
            }  # fmt: skip
            lines += [
                _line(about, measure=each.name, n=each.n, value=each.value, reason=each.reason,
                      low=each.interval.low if each.interval else None, high=each.interval.high if each.interval else None)
                for each in pairs.statistics
            ]  # fmt: skip
            lines += [
                _line(
                    about, measure="matrix", n=count, first_level=criterion.levels[i], second_level=criterion.levels[j]
                )
                for i, row in enumerate(pairs.matrix or ())
                for j, count in enumerate(row)
            ]
    return lines


_COLUMNS = ("measure", "n", "value", "reason", "low", "high", "first_level", "second_level")


def _line(about: Row, **cells: str | int | float | None) -> Row:
    return {**about, **{column: cells.get(column) for column in _COLUMNS}}
