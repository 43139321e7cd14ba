"""Problems: people, their sign-in and mail."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("person_required", 403, "Only a person can do this",
     "An API client asked for what an assessor, a lead, an approver or another person does in their own name.",
     "Let the person sign in, and use their session or a token of their own."),
    ("person_taken", 409, "The person is there already",
     "Somebody of this issuer has this e-mail address, or is this learner.", "Use that person, and give them the role."),
)  # fmt: skip
