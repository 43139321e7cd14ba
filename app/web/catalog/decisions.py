"""Problems: approval, appeals, moderation, misconduct."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = ()
