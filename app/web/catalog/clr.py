"""Problems: Learner records."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = ()
