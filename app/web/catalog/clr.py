"""Problems: learner records."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("nothing_to_bundle", 409, "There is no badge to bundle",
     "A learner record holds badges that stand. The learner has none, or those asked for are revoked, suspended, expired, not "
     "issued yet, or private while the record is not.",
     "Look at the learner's badges; a record with `visibility: private` takes private badges, too."),
    ("clr_too_large", 422, "The record would be too large",
     "The badges are more than 30, or together larger or more entangled than verifiers take in one document.",
     "Name fewer in `credential_ids`, and make several records."),
)  # fmt: skip
