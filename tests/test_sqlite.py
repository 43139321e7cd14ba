"""Results of SQLite, however they are asked for and however long they are."""

from pathlib import Path

import pytest
from sqlalchemy import text

from app.db import open_database


@pytest.mark.parametrize("length", [0, 1, 255, 256, 257, 1000])
async def test_a_result_is_whole_in_whatever_portions_it_is_asked_for(tmp_path: Path, length: int) -> None:
    database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    every = list(range(length))
    ask = text("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT :length")
    try:
        async with database.reading() as session:
            at_once = (await session.scalars(ask, {"length": length})).all()
            assert list(at_once) == every
            for portion in (1, 100, 300):
                streamed = await session.stream_scalars(
                    ask, {"length": length}, execution_options={"yield_per": portion}
                )
                assert [number async for number in streamed] == every
            one = await session.stream_scalars(ask, {"length": length})
            assert await one.first() == (0 if every else None)
    finally:
        await database.close()


async def test_what_is_written_and_what_fails_is_told_at_once(tmp_path: Path) -> None:
    database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    try:
        async with database.transaction() as session:
            await session.execute(text("CREATE TABLE pair (key INTEGER PRIMARY KEY, value TEXT)"))
            written = await session.execute(text("INSERT INTO pair (value) VALUES ('a'), ('b') RETURNING key, value"))
            assert written.all() == [(1, "a"), (2, "b")]
            changed = await session.execute(text("UPDATE pair SET value = 'c'"))
            assert changed.rowcount == 2
        with pytest.raises(Exception, match="UNIQUE"):
            async with database.transaction() as session:
                await session.execute(text("INSERT INTO pair VALUES (3, 'd'), (1, 'e')"))
        async with database.reading() as session:
            assert (await session.scalars(text("SELECT value FROM pair"))).all() == ["c", "c"]
    finally:
        await database.close()
