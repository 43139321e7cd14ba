"""Problems: misconduct."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("misconduct_state", 409, "The case of misconduct does not allow this now",
     "The case, or the submission, is in another state: an answer and an appeal are given once, a vote only when it is open.",
     "Read the case; its state and dates say what comes next."),
    ("misconduct_panel", 422, "Somebody on the panel may not judge this case",
     "A member is not a lead, approver or director in office, is affiliated with the learner, has read the submission, "
     "opened the case, or sits or sat on a panel of it; or who is to be replaced is not on the panel that votes.",
     "Name others where `errors` points."),
    ("not_on_panel", 403, "You are not on the panel",
     "Only members of a case's panel hear it and vote, as long as they are leads, approvers or directors.",
     "Let a director name somebody else in your place."),
    ("already_voted", 409, "This member has voted", "Each member of a panel votes once, and who has voted is not replaced.",
     "Nothing is to be done."),
    ("answer_too_late", 409, "The time for an answer is over", "The learner had 14 days to answer the notice.",
     "The panel decides without; its outcome can be appealed against."),
    ("misconduct_appeal_too_late", 409, "The time for an appeal is over",
     "An outcome can be appealed against within 30 days.", "The outcome stands."),
)  # fmt: skip
