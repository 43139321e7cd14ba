"""Problems: assessors, anchors, certification."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("not_certified", 409, "The assessor is not certified for this",
     "A reading is taken only from who is certified today for this very version of the achievement; a certification may have run "
     "out, or been suspended, since the reading was assigned.",
     "Qualify for this version again; the reading goes to somebody else meanwhile."),
    ("calibration_overdue", 409, "The assessor has to calibrate first",
     "The last calibration session, or the last reading, is longer ago than the program's scoring policy allows.",
     "Take part in a calibration session."),
)  # fmt: skip
