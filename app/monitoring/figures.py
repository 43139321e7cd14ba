"""What an assessor's ratings come to. PURE.

The deviation's interval is of whole anchors: the criteria of one anchor hang together. Beside other readers there is no truth:
those figures stand next to the ones on anchors, and no rule rests on them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.monitoring.ratings import Rating
from app.psychometrics.agreement import exact
from app.psychometrics.intervals import cluster_robust
from app.psychometrics.severity import mean_deviation, spread
from app.psychometrics.statistic import Statistic


@dataclass(frozen=True, slots=True)
class Figures:
    """On anchors: how many criteria of how many anchors, exact agreement with the true scores, deviation and spread in levels."""

    ratings: int
    anchors: int
    exact: Statistic
    mean_deviation: Statistic
    spread: Statistic


@dataclass(frozen=True, slots=True)
class BesideOthers:
    """On submissions that two read blind: `mean_difference` is the assessor's level less the other reader's."""

    submissions: int
    exact: Statistic
    mean_difference: Statistic


@dataclass(frozen=True, slots=True)
class Compared:
    """What two readers gave one submission, as positions: the assessor's first."""

    submission_id: str
    levels: tuple[tuple[int, int], ...]


def measure(ratings: Sequence[Rating]) -> Figures:
    """Of one assessor and version."""
    pairs = [(each.given, each.true) for each in ratings]
    return Figures(
        ratings=len(ratings),
        anchors=len({each.anchor_id for each in ratings}),
        exact=exact(pairs),
        mean_deviation=_deviation([(each.anchor_id, each.given - each.true) for each in ratings], "mean_deviation"),
        spread=spread(pairs),
    )


def measure_beside_others(compared: Iterable[Compared]) -> BesideOthers:
    """Of one assessor and version."""
    compared = list(compared)
    differences = [(each.submission_id, mine - theirs) for each in compared for mine, theirs in each.levels]
    return BesideOthers(
        submissions=len(compared),
        exact=exact([pair for each in compared for pair in each.levels]),
        mean_difference=_deviation(differences, "mean_difference"),
    )


def _deviation(of_work: Sequence[tuple[str, int]], name: str) -> Statistic:
    """The mean, with an interval in which a piece of work counts as a whole."""
    by_work: dict[str, list[int]] = defaultdict(list)
    for work, deviation in of_work:
        by_work[work].append(deviation)
    mean = replace(mean_deviation([deviation for _, deviation in of_work]), name=name)
    if mean.value is None:
        return mean
    interval = cluster_robust(list(by_work.values()))
    return replace(mean, interval=interval, reason=None if interval else "too_few_clusters")


def positions(
    mine: Mapping[str, str], theirs: Mapping[str, str], scale: Mapping[str, Sequence[str]]
) -> tuple[tuple[int, int], ...]:
    """Of the criteria that both have."""
    return tuple((scale[key].index(mine[key]), scale[key].index(theirs[key])) for key in mine if key in theirs)
