"""Problems: programs, cohorts, enrollments."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("achievement_not_in_program", 422, "The achievement is not part of the program",
     "Learners are enrolled for, and assessors certified for, what can be earned in the program.",
     "Choose one of the program's achievements, or add it to the program."),
    ("panel_cannot_read", 422, "Nobody in this panel reads",
     "The panel of a program was named as one that is an external source of earlier awards.",
     "Name a panel of your own assessors (POST /v1/panels makes one)."),
    ("policy_unchanged", 409, "The scoring policy is in force already",
     "The policy that was sent says the same as the version in force; what is left out of one has its default.",
     "Send what is to be different, or leave it as it is."),
    ("cohort_mismatch", 422, "The cohort does not fit",
     "The cohort belongs to another program, or ends before it starts.", "Correct what `errors` points at."),
    ("already_enrolled", 409, "The learner is enrolled already",
     "One person has one enrollment in a program, also where two learners were merged into them.",
     "Change the enrollment that is there; who withdrew or lapsed is moved to `enrolled` again."),
    ("enrollment_state", 409, "The enrollment cannot go into this state",
     "The state asked for does not follow on the one the enrollment is in.",
     "Read the enrollment; the detail says what follows."),
    ("affiliation_declared", 409, "The affiliation stands already",
     "This person is affiliated with this learner in this way already.", "Nothing is to be done."),
    ("affiliation_ended", 409, "The affiliation has ended",
     "It was ended before.", "Declare it anew if it holds again: POST /v1/affiliations."),
)  # fmt: skip
