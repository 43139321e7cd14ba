"""Problems: Open Badges API."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = ()
