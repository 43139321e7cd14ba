"""Changing a database behind the service's back, with what forbids it taken off."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.settings import Settings
from tests.house.databases import APPEND_ONLY, execute, open_owner


@asynccontextmanager
async def unguarded(settings: Settings) -> AsyncIterator[Any]:
    """A function that executes statements as the owner, with no trigger in the way until the block ends."""
    async with open_owner(settings) as engine:
        dropped = []
        if settings.is_sqlite:
            dropped = await execute(engine, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            for name, _ in dropped:
                await execute(engine, f"DROP TRIGGER {name}")
        else:
            for table in APPEND_ONLY:
                await execute(engine, f"ALTER TABLE {table} DISABLE TRIGGER USER")

        async def change(statement: str, **values: Any) -> list[tuple[Any, ...]]:
            return await execute(engine, statement, **values)

        yield change
        for _, sql in dropped:
            await execute(engine, sql)
        if not settings.is_sqlite:
            for table in APPEND_ONLY:
                await execute(engine, f"ALTER TABLE {table} ENABLE TRIGGER USER")


def flipped(value: Any) -> Any:
    """One bit of one byte in the middle of it is another: of a text still a text."""
    if isinstance(value, bytes | memoryview):
        data = bytearray(value)
        data[len(data) // 2] ^= 1
        return bytes(data)
    place = len(value) // 2
    return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
