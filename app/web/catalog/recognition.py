"""Problems: recognition."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("unfit_mapping", 422, "The mapping does not fit",
     "A mapping names the same achievement of the same issuer twice: it would have two credits.",
     "Name each achievement once."),
    ("badge_not_recognized", 422, "The badge is not one of this recognition",
     "Only badges that a recognition granted credit for are looked at again in it.",
     "Leave it out, or hand it in with `POST /v1/recognitions`."),
)  # fmt: skip
