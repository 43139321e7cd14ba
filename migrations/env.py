"""Alembic's way in: the database comes from the service's own settings, or from the connection a caller hands over."""

import asyncio

from alembic import context
from sqlalchemy.engine import Connection

from app.db import open_database
from app.settings import Settings
from app.tables import metadata


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_alone() -> None:
    database = open_database(Settings().database_url.get_secret_value(), sqlite_foreign_keys=False)
    async with database.engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await database.close()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_alone())
