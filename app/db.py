"""The database: one declarative base, the engine's settings, and the two ways to open a session.

`transaction()` commits when its block ends and rolls back when it raises; `reading()` cannot write; `snapshot()` reads one
moment of the database, however long it takes. SQLite gets WAL, foreign
keys and `BEGIN IMMEDIATE` for writers (a deferred transaction that reads first and writes later fails under concurrency
without waiting); PostgreSQL gets the non-owner role.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import DateTime, Dialect, Executable, MetaData, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import JSON, LargeBinary, String, TypeDecorator

from app import sqlite as driver


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware moment. SQLite has no such type: there it is UTC without offset, made aware again on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without time zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        if dialect.name == "sqlite":
            return _read_utc  # in one step: reports read very many
        return super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _read_utc(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


class Table(DeclarativeBase):
    """Base of every table. Constraint names follow one convention, so migrations can name what they change."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy declares it so
        datetime: UtcDateTime(),
        # none_as_null: None is SQL's NULL and never JSON's, so that a copy of a row is the row.
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
        list[str]: JSON(none_as_null=True),
        list[list[str]]: JSON(none_as_null=True),
        bytes: LargeBinary(),
        str: String(),
    }


class Database:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._write = async_sessionmaker(engine, expire_on_commit=False)
        self._read = async_sessionmaker(
            engine.execution_options(assay_reading=True, postgresql_readonly=True), expire_on_commit=False
        )
        # A reading transaction of SQLite is a snapshot as it is.
        repeatable = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        self._snapshot = async_sessionmaker(
            engine.execution_options(assay_reading=True, postgresql_readonly=True, **repeatable), expire_on_commit=False
        )
        # SQLite admits one writer at a time. Queueing here is fair; its own busy loop polls and starves the unlucky.
        self._writer = asyncio.Lock() if engine.dialect.name == "sqlite" else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that commits at the end of the block. Never open a second one inside it."""
        async with self._writer or nullcontext(), self._write() as session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session for queries only."""
        async with self._read() as session, session.begin():
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """A session for queries only, all of which see the same moment of the database."""
        async with self._snapshot() as session, session.begin():
            yield session

    async def close(self) -> None:
        await self.engine.dispose()


async def read_rows(session: AsyncSession, query: Executable) -> Sequence[Any]:
    """The rows of a query for columns, past what the session does for objects: reports read tens of thousands."""
    return (await (await session.connection()).execute(query)).all()


def open_database(
    url: str,
    *,
    role: str | None = None,
    pool_size: int = 10,
    sqlite_foreign_keys: bool = True,
    sqlite_hurries: bool = False,
) -> Database:
    """Make the engine for a SQLAlchemy URL. Nothing connects yet.

    If SQLite hurries, it waits for the disk when its log is written back, not at every commit: a power failure may then take the
    last commits with it, but leaves the file whole. For what can be loaded again.

    Without `sqlite_foreign_keys` SQLite lets a table be dropped and made anew though others refer to it: for migrations.
    """
    sqlite = url.startswith("sqlite")
    options: dict[str, Any] = (
        {"async_creator": partial(driver.connect, make_url(url).database or ":memory:")}
        if sqlite
        else {"pool_size": pool_size, "max_overflow": pool_size, "pool_pre_ping": True}
    )
    # hide_parameters: the text of an error goes to the log, and what is written may be about people.
    engine = create_async_engine(url, json_serializer=_dump_json, hide_parameters=True, **options)
    if sqlite:
        _configure_sqlite(engine, foreign_keys=sqlite_foreign_keys, hurries=sqlite_hurries)
    elif role is not None:
        _configure_role(engine, role)
    return Database(engine)


def _dump_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _configure_sqlite(engine: AsyncEngine, *, foreign_keys: bool, hurries: bool) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        # secure_delete: what is erased must not stand on in pages that are free.
        for pragma in (
            "journal_mode = WAL",
            f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
            "busy_timeout = 15000",
            f"synchronous = {'NORMAL' if hurries else 'FULL'}",
            "secure_delete = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("assay_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _configure_role(engine: AsyncEngine, role: str) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(f'SET ROLE "{role}"')
        cursor.execute("SET statement_timeout = '15s'")
        cursor.execute("SET lock_timeout = '10s'")
        cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
        cursor.close()
        connection.commit()
