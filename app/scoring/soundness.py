"""Whether a decision can be recorded: it fits its panel, its achievement version and what was found. No database."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from app.achievements.rubric import falls, shortfalls
from app.achievements.store import AchievementVersion
from app.assessors.panels import SourceMismatch
from app.assessors.store import Panel
from app.errors import Conflict, Fault, InvalidInput
from app.scoring.facts import DecisionFacts
from app.scoring.store import HOLD_HARMLESS, Decision, Outcome

CLOCK_SKEW = timedelta(seconds=60)
"""How far a partner's clock may run ahead of ours."""


class DecidedInFuture(InvalidInput):
    code = "decided_in_future"


class UnknownReference(InvalidInput):
    code = "unknown_reference"


class OutcomeAgainstRule(InvalidInput):
    code = "outcome_against_rule"


class HoldHarmless(Conflict):
    """What we got wrong ourselves is mended upward only."""

    code = "hold_harmless"


def require_sound(facts: DecisionFacts, version: AchievementVersion, panel: Panel, now: datetime) -> None:
    """Raises DecidedInFuture, SourceMismatch, UnknownReference, or OutcomeAgainstRule for an award that is not earned."""
    if facts.decided_at > now + CLOCK_SKEW:
        raise DecidedInFuture("decided_at is later than now.", faults=[Fault("/decided_at", "lies in the future")])
    _require_fitting(facts, panel, now)
    _require_known(facts, version, panel)
    if facts.outcome == "awarded":
        _require_earned(facts, version, panel)


def _require_fitting(facts: DecisionFacts, panel: Panel, now: datetime) -> None:
    """A panel of ours says who, what and why; of an external source only the award is taken over, from the past."""
    faults = list(_external_faults(facts, now) if panel.kind == "external" else _panel_faults(facts))
    if faults:
        what = "an external source of earlier awards" if panel.kind == "external" else "a panel of yours"
        raise SourceMismatch(f"The assessment names {what}: the decision does not fit.", faults=faults)


def _panel_faults(facts: DecisionFacts) -> Iterator[Fault]:
    if facts.is_of_workflow:  # its readings saw to all of this, by certified assessors; met criteria were read earlier
        return
    if facts.is_of_pathway:  # its components were assessed, each by itself
        return
    if not facts.assessors:
        yield Fault("/assessment/assessors", "is missing", "name the members of the panel who assessed")
    if not facts.results:
        yield Fault("/results", "is missing", "give a result for every criterion")
    for i, result in enumerate(facts.results):
        if result.rationale is None:
            yield Fault(f"/results/{i}/rationale", "is missing", "say why")


def _external_faults(facts: DecisionFacts, now: datetime) -> Iterator[Fault]:
    if facts.assessors:
        yield Fault("/assessment/assessors", "an external source has no assessors of yours", "leave them out")
    if facts.outcome != "awarded":
        yield Fault("/outcome", "only awards are taken over", "leave out who did not get the award")
    if facts.decided_at >= now:
        yield Fault("/decided_at", "an earlier award was decided in the past", "give the moment of the award")


def _require_known(facts: DecisionFacts, version: AchievementVersion, panel: Panel) -> None:
    """Every criterion is scored once, at one of its levels, by assessors of the panel; or none, by an external source."""
    criteria = {c["key"]: [level["key"] for level in c["levels"]] for c in version.content["rubric"]["criteria"]}
    faults = [
        Fault(
            f"/assessment/assessors/{i}", f"{code} is not a member of the panel", "use the codes of the panel's members"
        )
        for i, code in enumerate(facts.assessors)
        if code not in panel.members and not facts.is_of_workflow  # there a certification entitles
    ]
    seen: set[str] = set()
    for i, result in enumerate(facts.results):
        levels = criteria.get(result.criterion)
        if levels is None:
            cure = "the criteria are " + ", ".join(criteria)
            faults.append(
                Fault(f"/results/{i}/criterion", f"{result.criterion} is not a criterion of the version", cure)
            )
        elif result.level not in levels:
            cure = "the levels are " + ", ".join(levels)
            faults.append(Fault(f"/results/{i}/level", f"{result.level} is not a level of {result.criterion}", cure))
        if result.criterion in seen:
            faults.append(Fault(f"/results/{i}/criterion", f"{result.criterion} is scored twice", "keep one"))
        seen.add(result.criterion)
    if facts.results:
        faults += [
            Fault("/results", f"{key} is not scored", "give a result for every criterion")
            for key in criteria
            if key not in seen
        ]
    if faults:
        raise UnknownReference("The results or assessors do not fit the achievement and panel.", faults=faults)


def _require_earned(facts: DecisionFacts, version: AchievementVersion, panel: Panel) -> None:
    """The levels and the evidence earn the award. An earlier one is held to its levels only, where they are known."""
    if panel.kind == "external" and not facts.results:
        return
    positions = {result.criterion: i for i, result in enumerate(facts.results)}
    levels = {result.criterion: result.level for result in facts.results}
    faults = [
        Fault(f"/results/{positions[key]}/level" if key else "/results", why)
        for key, why in shortfalls(version.content["rubric"], levels)
    ]
    # Of a submission it was asked at the start; what the learner does not want in the badge is not among the evidence here.
    asks_for_evidence = panel.kind == "panel" and not facts.is_of_workflow and not facts.is_of_pathway
    for wanted in version.content.get("required_evidence", ()) if asks_for_evidence else ():
        given = sum(1 for piece in facts.evidence if (piece.genre or "").casefold() == wanted["genre"].casefold())
        if given < wanted["minimum"]:
            why = f"{wanted['name']}: {given} pieces of the genre {wanted['genre']!r}, {wanted['minimum']} are required"
            faults.append(Fault("/evidence", why))
    if faults:
        raise OutcomeAgainstRule("The outcome awarded does not follow from the levels and the evidence.", faults=faults)


def require_harmless(facts: DecisionFacts, before: Decision | None, version: AchievementVersion) -> None:
    """Raises HoldHarmless where a reason that is our own fault would cost the learner the outcome, or a level of it."""
    if before is None or facts.reason_code not in HOLD_HARMLESS:
        return
    if is_harmful(before, facts.outcome, {result.criterion: result.level for result in facts.results}, version):
        raise HoldHarmless(
            f"An amendment for {facts.reason_code} never lowers an outcome or a level.",
            cure="Let the decision stand, or give the levels that rise and keep the others.",
        )


def is_harmful(before: Decision, outcome: Outcome, levels: Mapping[str, str], version: AchievementVersion) -> bool:
    """Whether the outcome is lower than before, or is the same with some level lower."""
    if before.outcome != outcome:
        return before.outcome == "awarded"
    return bool(falls(version.content["rubric"], dict(before.levels), levels))
