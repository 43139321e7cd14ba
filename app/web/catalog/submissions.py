"""Problems: submissions, evidence, screening."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = ()
