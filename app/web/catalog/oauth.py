"""Problems: OAuth 2.0."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = ()
