"""Problems: approval, appeals, moderation."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = ()
