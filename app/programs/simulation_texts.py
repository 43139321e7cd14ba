"""What a policy simulation says in words. PURE."""

from collections.abc import Mapping

from app.psychometrics.simulation import Model, Outcome


def tell_assumptions(model: Model, *, accuracy_is_assumed: bool, with_in_force: bool) -> list[str]:
    """The model in sentences, one an assumption."""
    means = ", ".join(f"{mean:g}" for mean in model.person_means)
    third = {
        "median": "each criterion's median of the three readings counts",
        "third_reading": "the third reading counts",
    }[model.resolution]
    assumed = " This is assumed, not measured in your program." if accuracy_is_assumed else ""
    told = [
        f"Levels are 0 to {model.levels - 1}; an award takes level {model.bar} or more on each of {model.criteria} criteria.",
        f"A person has a mean, drawn evenly from {means}. The true level of each criterion is that mean plus normal noise with "
        f"standard deviation {model.noise:g}, rounded, and kept on the scale.",
        f"A reader gives the true level with probability {model.accuracy:g}, else the one above or below, either as likely; at "
        f"an end of the scale the one next to it.{assumed}",
        "Readers err independently, of each other and from criterion to criterion.",
        "Two readings agree when they are equal, or nowhere more than a level apart with the same decision; then the first "
        f"counts. Else a third reader, right with probability {model.third_accuracy:g}, reads too, and {third}.",
        "Only first attempts are looked at: what a refused person hands in again is not.",
    ]
    if with_in_force:
        told.append(
            "Of the policy in force its random sample and its readings near the standard are simulated; second readings of "
            "repeated attempts, of the first submissions of a version, and of assessors on probation come on top."
        )
    return told


def tell(outcome: Outcome) -> str:
    """What a policy comes to, by the hundred."""
    parts = []
    if outcome.wrongly_refused is not None:
        parts.append(f"of 100 people who meet the standard {_per_hundred(outcome.wrongly_refused)} are refused")
    if outcome.wrongly_awarded is not None:
        parts.append(f"of 100 who do not {_per_hundred(outcome.wrongly_awarded)} are awarded")
    parts.append(f"100 submissions take {100 * outcome.readings:.0f} readings")
    told = ", ".join(parts[:-1]) + f"; {parts[-1]}."
    return told[0].upper() + told[1:]


def tell_comparison(model: Model, outcomes: Mapping[str, Outcome]) -> str:
    """Which of the policies leaves the fewest wrong decisions, which the most, and at what cost."""
    ordered = sorted(outcomes, key=lambda name: outcomes[name].wrong)
    best, worst = ordered[0], ordered[-1]
    opening = f"With {model.criteria} criteria and readers who are right {_per_hundred(model.accuracy)} times in 100,"
    told = [f"{opening} the policy {best} leaves {_cost(outcomes[best])}"]
    if _per_hundred(outcomes[worst].wrong) != _per_hundred(outcomes[best].wrong):
        told = [f"{opening} of these policies {best} leaves the fewest wrong decisions, {_cost(outcomes[best])}"]
        told.append(f"{worst} the most, {_cost(outcomes[worst])}")
    return "; ".join(told) + "."


def _cost(outcome: Outcome) -> str:
    return f"{_per_hundred(outcome.wrong)} wrong in 100 at {outcome.readings:.2f} readings a submission"


def _per_hundred(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0")
