"""Problems: readings, sampling, resolution."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = ()
