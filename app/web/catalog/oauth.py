"""Problems: OAuth 2.0."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("unfit_authorization_request", 400, "The other service's link does not fit",
     "Software that wants to see or keep badges sent you here with a link that names no software registered here, or an address "
     "that is not one of its own, or that asks for what the software may not have. Nobody is sent to an address that is not "
     "registered, and by a wrong link only to software that they let at their badges before.",
     "Begin again at the other service. If it happens again, tell the people who run it."),
    ("learner_required", 403, "There are no badges of yours here",
     "Other software can be let at a learner's badges only by that learner.", "Sign in as the learner whose badges they are."),
    ("insufficient_scope", 403, "The person did not let the software do this",
     "The access token lacks the scope that the operation needs.",
     "Send the person to the authorization endpoint again, and ask for that scope."),
)  # fmt: skip
