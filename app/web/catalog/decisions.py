"""Problems: approval, appeals, moderation."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    # -- approval
    (
        "submission_not_resolved",
        409,
        "There is nothing to decide",
        "The submission has no scores of record yet, or it was decided, withdrawn or put on hold.",
        "Read the submission's state. What was decided is questioned by an appeal or a moderation.",
    ),
    (
        "reading_open",
        409,
        "A reading is under way",
        "A decision waits for every reading of the submission that was asked for.",
        "Decide once the reading is submitted and resolved.",
    ),
    (
        "approver_is_assessor",
        403,
        "Who read does not decide",
        "Assessors recommend and an approver decides; one person holds both only where the program's policy says so.",
        "Let another approver decide.",
    ),
    (
        "approver_conflict",
        403,
        "The approver stands too close to the learner",
        "The approver is an author of the work, is affiliated with one, or recused themselves from reading it.",
        "Let another approver decide.",
    ),
    (
        "feedback_required",
        422,
        "Feedback is missing",
        "A `not_yet` says of every criterion that was not met what the learner can do next, in the reader's words or the "
        "approver's.",
        "Give `feedback` for the criteria that `errors` names.",
    ),
    (
        "already_awarded",
        409,
        "Another attempt has earned the award",
        "The amendment would award what the learner holds by another attempt since.",
        "Answer the appeal with `void`; confirm the decision in a moderation.",
    ),
    (
        "hold_harmless",
        409,
        "The amendment would take something away",
        "What went wrong on our own side is mended upward only: such a reason lowers neither an outcome nor a level.",
        "Let the decision stand.",
    ),
    (
        "decision_of_workflow",
        409,
        "The decision was made here, on readings",
        "A decision of our own workflow is amended by appeal or moderation, where somebody reads the work again.",
        "File an appeal (`POST /v1/appeals`) or open a moderation (`POST /v1/moderations`).",
    ),
    # -- appeals and moderation
    (
        "not_appealable",
        409,
        "There is no appeal against this decision",
        "An appeal is against the newest decision on a submission here. What a partner assessed elsewhere is appealed there; "
        "what an appeal decided, or misconduct, is not appealed again.",
        "Ask who assessed, or appeal against the newest decision.",
    ),
    (
        "appeal_exists",
        409,
        "There was an appeal already",
        "A decision is appealed once.",
        "Read the appeal: `GET /v1/appeals`.",
    ),
    (
        "appeal_too_late",
        409,
        "The time for an appeal is over",
        "The program's policy says how many days after a decision an appeal can be filed.",
        "Hand in another attempt instead.",
    ),
    (
        "appeal_reading_started",
        409,
        "The new reading has begun",
        "An appeal is declared inadmissible before anybody reads the work again, or not at all.",
        "Decide the appeal once the reading is submitted.",
    ),
    ("appeal_closed", 409, "The appeal is closed", "It was decided or declared inadmissible.", "Read its answer."),
    (
        "not_read_again",
        409,
        "The new reading is still to come",
        "An appeal or a reviewed decision is decided on a new reading, which has not been submitted and resolved yet.",
        "Decide once it is.",
    ),
    (
        "approver_not_new",
        409,
        "An appeal is decided by somebody new",
        "The approver has decided on this work before.",
        "Let an approver decide who did not.",
    ),
    (
        "decision_under_review",
        409,
        "The decision is under review",
        "It is in an open appeal or moderation, and one review ends before another begins.",
        "Wait for the end of it: the time for an appeal begins anew then.",
    ),
    (
        "decision_not_of_program",
        409,
        "The decision cannot be reviewed here",
        "A moderation takes the newest decisions on submissions of its own program that are not void.",
        "Name such decisions, or a filter that finds some.",
    ),
    (
        "moderation_item_done",
        409,
        "This decision was reviewed already",
        "Each decision of a moderation is reviewed once.",
        "Read the moderation: it says what came of it.",
    ),
    (
        "reader_stays_blind",
        403,
        "Who reads does not see what others found",
        "You read this submission, or are on the panel that may be asked to read it again.",
        "Ask an approver or director who does not read it.",
    ),
)
