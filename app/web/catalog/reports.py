"""Problems: reports."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("unfit_filters", 422, "The filters do not fit",
     "A report's filters contradict each other, or name a cohort, achievement or version that the program does not have.",
     "Change or leave out the parameters that `errors` names."),
)  # fmt: skip
