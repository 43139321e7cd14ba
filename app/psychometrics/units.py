"""Units (a criterion of a submission, say) and the scores that each got from any number of readers. PURE."""

from collections import Counter
from collections.abc import Sequence

from app.psychometrics.statistic import Statistic

Units = Sequence[Sequence[int | None]] | Counter[tuple[int, int]]
"""One row a unit, in it the position that each reader gave, None where that reader did not read it. To leave a None out, or a
row without a score, changes nothing. Of units that two read each, how often each pair was given is enough."""

Patterns = Sequence[tuple[tuple[int, ...], int]]
"""The scores of a unit in ascending order, and how many units have them: all that a coefficient looks at, and much shorter."""


def patterns(units: Units) -> Patterns:
    """Of the units with a score, in an order that does not depend on theirs (sums of floats do)."""
    given = units.items() if isinstance(units, Counter) else Counter(map(tuple, units)).items()
    counted: Counter[tuple[int, ...]] = Counter()
    for unit, count in given:
        counted[tuple(sorted(score for score in unit if score is not None))] += count
    return sorted((scores, count) for scores, count in counted.items() if scores)


def undefined(name: str, found: Patterns) -> Statistic | None:
    """The statistic where agreement of `found` means nothing: no score, no unit with two, or all scores alike."""
    paired = [(scores, count) for scores, count in found if len(scores) > 1]
    n = sum(count for _, count in paired)
    if not found:
        return Statistic(name, 0, None, "no_data")
    if not paired:
        return Statistic(name, 0, None, "one_rater")
    if len({score for scores, _ in paired for score in scores}) == 1:
        return Statistic(name, n, None, "one_category")
    return None
