"""Problems: programs, cohorts, enrollments."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = ()
