"""Problems: demographics."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("no_vocabulary", 404, "Learners are not asked",
     "The issuer has no vocabulary of what learners may say of themselves.",
     "A director, or the issuer's system, puts one: PUT /v1/demographics/vocabulary."),
    ("unknown_demographic", 422, "Not in the vocabulary",
     "What is said names a dimension that is not asked, or a value that the dimension does not have.",
     "Use the keys of GET /v1/demographics/vocabulary, or `prefer-not-to-say`."),
)  # fmt: skip
