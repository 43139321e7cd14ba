"""Bringing a database to this release's revision, through Alembic."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import open_database
from app.errors import Broken
from app.settings import Settings

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; with a connection its commands work on that."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@cache
def head_revision() -> str | None:
    """The revision this release works with."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def current_revision(connection: Connection) -> str | None:
    """The revision a database is at; None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


async def migrate(settings: Settings) -> None:
    """Upgrade the database to the head revision, as the connecting user (not the service's role).

    Raises Broken, with nothing changed, when afterwards a row would refer to one that is not there.
    """
    url = settings.database_url.get_secret_value()
    if settings.sqlite_file is not None:
        settings.sqlite_file.parent.mkdir(parents=True, exist_ok=True)
    database = open_database(url, sqlite_foreign_keys=False)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "head"))
            if settings.is_sqlite:
                await _require_whole(connection)
    finally:
        await database.close()


async def _require_whole(connection: AsyncConnection) -> None:
    """Every reference of a SQLite database leads somewhere: it is not told so while the migrations copy tables."""
    torn = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).mappings().first()
    if torn is not None:
        raise Broken(f"The migration would tear {torn['table']} from {torn['parent']}. Nothing was changed.")
