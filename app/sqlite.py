"""SQLite with one journey to its thread for each statement.

aiosqlite works on a connection in a thread of its own, and a journey there and back takes longer than most of our statements.
SQLAlchemy makes four of them for one statement: cursor, execute, fetchall, close. Here cursors are made and closed on the spot,
and what a statement finds comes along with its execution, the rest of a long result as it is asked for.

SQLAlchemy uses a connection for one thing at a time, and SQLite itself is serialized, so that nothing here needs the thread but
what may wait for a lock or read a file.
"""

import sqlite3
from functools import partial
from typing import Any, Self

import aiosqlite
from aiosqlite.context import contextmanager

_AT_ONCE = 256
"""How many rows come along with the execution, at most."""


class Cursor(aiosqlite.Cursor):
    """`_rows` came along and have not been asked for; `_is_whole` says whether they are all that is left."""

    _rows: list[Any]
    _is_whole: bool

    async def execute(self, sql: str, parameters: Any = ()) -> Self:
        self._rows = await self._execute(_run, self._cursor, sql, parameters)  # type: ignore[no-untyped-call]
        self._is_whole = len(self._rows) < _AT_ONCE
        return self

    async def fetchall(self) -> list[Any]:
        return [*self._take(len(self._rows)), *([] if self._is_whole else await super().fetchall())]

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        wanted = size or self.arraysize
        rows = self._take(wanted)
        if len(rows) < wanted and not self._is_whole:
            rows += await super().fetchmany(wanted - len(rows))
        return rows

    async def fetchone(self) -> Any:
        return next(iter(await self.fetchmany(1)), None)

    async def close(self) -> None:
        self._cursor.close()

    def _take(self, count: int) -> list[Any]:
        taken, self._rows = self._rows[:count], self._rows[count:]
        return taken


class Connection(aiosqlite.Connection):
    @contextmanager
    async def cursor(self) -> aiosqlite.Cursor:
        return Cursor(self, self._conn.cursor())


async def connect(path: str) -> aiosqlite.Connection:
    """A connection to the database file at `path`. Its thread does not keep the process alive."""
    connection = Connection(partial(sqlite3.connect, path, check_same_thread=False), _AT_ONCE)
    connection._thread.daemon = True
    return await connection


def _run(cursor: sqlite3.Cursor, sql: str, parameters: Any) -> list[Any]:
    cursor.execute(sql, parameters)
    return cursor.fetchmany(_AT_ONCE) if cursor.description else []
