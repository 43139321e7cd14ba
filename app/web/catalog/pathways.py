"""Problems: pathways."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("pathway_rule_unsound", 422, "The rule of the pathway cannot stand",
     "It names what is not a published achievement of yours, is empty, repeats itself, lies too deep, counts the pathway's own "
     "badge, or could never be met.", "Mend what `errors` points at; each says how."),
    ("pathway_cycle", 422, "The pathway leads to itself",
     "One of its components is earned, over other pathways, with the badge of this one.",
     "Take out one of the components that `errors` names."),
    ("pathway_award_unfit", 422, "The badge cannot be awarded by a rule",
     "Its rubric has more than one criterion, or it asks for evidence of its own; or the panel is an external source.",
     "Publish an achievement for the pathway, with one criterion such as Components earned, and name a panel of yours."),
    ("proposal_not_open", 409, "The proposal is not open",
     "It was decided before, or has lapsed because a component was lost; or its badge is not to be reviewed.",
     "Read the proposal: its state says what became of it."),
    ("pathway_not_met", 409, "The rule is not met any more",
     "A component was revoked, was suspended or ran out since the proposal was made.",
     "Nothing is to be done: the proposal lapses, and is made again when the rule is met again."),
)  # fmt: skip
