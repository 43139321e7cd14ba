"""Problems: monitoring."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("own_flag", 403, "The flag is about you",
     "A lead wants to dismiss or act on a flag that is about themselves.",
     "Another lead decides about it."),
    ("flag_decided", 409, "The flag is decided",
     "A lead has dismissed this flag or acted on it already.",
     "Read what was decided (GET /v1/flags/{flag_id}). A certification can be decided about at any time."),
)  # fmt: skip
