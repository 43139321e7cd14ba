"""Problems: readings, sampling, resolution."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("nothing_to_read", 404, "There is nothing for this assessor to read",
     "No open reading is of a version that the assessor is certified for, by somebody they may judge, and new to them.",
     "Ask again later; readings are also assigned without being asked for."),
    ("conflict_of_interest", 409, "The assessor stands too close to the learner",
     "The work is the assessor's own, of a team mate, of somebody they coach, supervise, evaluate or wrote with, or from their "
     "school; or this became known after the reading was assigned. The reading goes to somebody else.",
     "Take another reading."),
    ("reading_expired", 409, "The time for the reading is over",
     "A reading has a due date from the program's scoring policy; one that is not submitted by then goes to somebody else.",
     "Take another reading."),
    ("reading_reassigned", 409, "The reading is not this assessor's any more",
     "It was given back, or taken away because the assessor may not read the work any more.",
     "Take another reading."),
    ("reading_cancelled", 409, "There is nothing to read any more",
     "The work was withdrawn, put on hold, voided or erased while the reading was under way.",
     "Nothing is left to do; take another reading."),
    ("reading_not_started", 409, "The reading was not started",
     "Scores were submitted for a reading whose work was never looked at.",
     "Start the reading, read the work, then submit."),
    ("reading_submitted", 409, "The reading was submitted",
     "A submitted reading never changes. It cannot be started, given back or submitted again.",
     "None is needed. To repeat a request safely send the same Idempotency-Key."),
    ("reading_mismatch", 422, "The scores do not fit the criteria to be read",
     "A criterion is missing, scored twice, not of this version, or was met at an earlier attempt; or a level is not one of its "
     "levels in this version.",
     "Score each criterion of `work.unread` (if it is empty: of the rubric) once, with a level of the rubric."),
    ("not_resolved", 404, "The submission is not resolved",
     "Until the scores of record are found, nobody is shown a reading of a submission, whether there is one or not.",
     "Ask again after the event submission.resolved."),
)  # fmt: skip
