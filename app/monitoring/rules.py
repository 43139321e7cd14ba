"""The rules of drift and severity, applied to the ratings of one assessor and version. PURE.

They look at one quarter; a fall is measured from the last quarter before it that had enough ratings, however long ago:
calibrations are half a year apart.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from app.monitoring.evidence import Evidence, compose_evidence
from app.monitoring.figures import BesideOthers, measure
from app.monitoring.ratings import Rating
from app.psychometrics.drift import RULES, Facts, Finding, Window, find_drift
from app.quarters import quarter_of

Verdict = Literal["within", "watch", "suspend"]

MINIMUM_RATINGS = min(rule.ratings for rule in RULES)
MINIMUM_ANCHORS = min(rule.works for rule in RULES)
"""With fewer of either no rule says anything of anybody."""

_COMPARABLE = next(rule for rule in RULES if rule.measure == "falling_agreement")


@dataclass(frozen=True, slots=True)
class Fired:
    """What a rule found, and the ratings it compared."""

    finding: Finding
    ratings: Sequence[Rating]
    before: Sequence[Rating]
    before_quarter: str | None

    @property
    def rule(self) -> str:
        return self.finding.rule

    @property
    def level(self) -> str:
        return self.finding.level

    def compose_evidence(self, beside: BesideOthers) -> Evidence:
        """What a lead is shown of it."""
        return compose_evidence(
            self.ratings, self.before, self.before_quarter, beside, measure(self.ratings),
            measure(self.before) if self.before else None, asdict(self.finding),
        )  # fmt: skip


def apply_rules(ratings: Sequence[Rating], quarter: str) -> list[Fired]:
    """What the rules find in this quarter. `ratings` are all there are, of one assessor and version."""
    quarters: dict[str, list[Rating]] = defaultdict(list)
    for rating in ratings:
        quarters[quarter_of(rating.at).label].append(rating)
    current = quarters.get(quarter, [])
    earlier = [name for name in sorted(quarters) if name < quarter and _is_comparable(quarters[name])]
    before_quarter = earlier[-1] if earlier else None
    before = quarters[before_quarter] if before_quarter else []
    facts = Facts(_window(current), _window(before) if before else None)
    return [
        Fired(found, current, before, before_quarter)
        if found.rule == _COMPARABLE.measure
        else Fired(found, current, (), None)
        for found in find_drift(facts)
    ]


def judge(ratings: Sequence[Rating]) -> Verdict | None:
    """The gravest level that a rule finds in these ratings together; None where they are too few for any."""
    window = _window(ratings)
    if window.ratings < MINIMUM_RATINGS or window.works < MINIMUM_ANCHORS:
        return None
    levels = {found.level for found in find_drift(Facts(window))}
    return "suspend" if "suspend" in levels else "watch" if levels else "within"


def _is_comparable(ratings: Sequence[Rating]) -> bool:
    window = _window(ratings)
    return window.ratings >= _COMPARABLE.ratings and window.works >= _COMPARABLE.works


def _window(ratings: Sequence[Rating]) -> Window:
    works: dict[tuple[str, str], list[int]] = defaultdict(list)
    for rating in ratings:
        works[rating.met_in, rating.anchor_id].append(rating.given - rating.true)
    return Window.of(list(works.values()))
