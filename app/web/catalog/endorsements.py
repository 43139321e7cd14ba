"""Problems: Endorsements."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = ()
