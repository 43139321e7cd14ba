"""The database behind the service's back: as its owner, without the service's role and rules."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import open_database
from app.settings import Settings
from app.tables import metadata

APPEND_ONLY = (
    "achievement_translation",
    "anchor_exposure",
    "anchor_response",
    "audit_entry",
    "audit_link",
    "certification_change",
    "decision",
    "equity_period",
    "event",
    "framework_version",
    "frozen_quality_report",
    "image",
    "master_reading",
    "misconduct_vote",
    "pathway_component",
    "representation",
    "resolution",
    "scoring_policy",
    "screening",
    "status_list_order",
    "training",
    "vector_image",
)


@contextlib.asynccontextmanager
async def open_owner(settings: Settings, *, role: str | None = None) -> AsyncIterator[AsyncEngine]:
    """An engine that connects as the owner of the tables, or on PostgreSQL as `role`."""
    database = open_database(settings.database_url.get_secret_value(), role=role)
    try:
        yield database.engine
    finally:
        await database.close()


async def execute(engine: AsyncEngine, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Run one statement in a transaction of its own: its rows."""
    async with engine.begin() as connection:
        result = await connection.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []


async def refusal(engine: AsyncEngine, statement: str, **values: Any) -> str:
    """What the database says against a statement: on PostgreSQL the SQLSTATE, on SQLite its sentence; "" when nothing."""
    try:
        await execute(engine, statement, **values)
    except DBAPIError as error:
        return str(getattr(error.orig, "sqlstate", None) or error.orig)
    return ""


async def list_contents(engine: AsyncEngine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    return {name: await execute(engine, f'SELECT * FROM "{name}"') for name in metadata.tables}


def is_in(contents: dict[str, list[tuple[Any, ...]]], needle: str) -> list[str]:
    """The tables in which a text stands somewhere, in the clear."""
    return [
        name for name, rows in contents.items() if any(needle.encode() in _bytes(cell) for row in rows for cell in row)
    ]


def _bytes(cell: Any) -> bytes:
    return bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()
