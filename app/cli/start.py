"""What every command begins with: the terminal, the settings, and whether the database is ready."""

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import OperationalError

from app.db import open_database
from app.errors import Unavailable
from app.issuers.store import find_base_url, require_base_url
from app.migration import current_revision, head_revision
from app.settings import Settings
from app.web.observation import configure_logging

console = Console()
errors = Console(stderr=True)


class NotReady(Unavailable):
    """The command cannot begin: something has to be done first."""


def read_settings() -> Settings:
    """The settings from the environment; what is wrong with them ends the command, told one line each."""
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors():
            name = "ASSAY_" + "_".join(str(part) for part in fault["loc"]).upper() if fault["loc"] else "settings"
            errors.print(f"[red]{name}[/red]: {fault['msg'].removeprefix('Value error, ')}", soft_wrap=True)
        raise typer.Exit(2) from None
    configure_logging(settings.log_level, settings.log_format)
    return settings


async def require_ready(settings: Settings) -> None:
    """The database is there, at this release's revision, and pinned to this public URL if to any."""
    if settings.lacks_sqlite_file():
        raise NotReady("There is no database yet.", cure="Run `assay migrate` first.")
    database = open_database(settings.database_url.get_secret_value())
    try:
        async with database.reading() as session:
            revision = await (await session.connection()).run_sync(current_revision)
            if revision != head_revision():
                raise NotReady("The database is not at this release's revision.", cure="Run `assay migrate` first.")
            require_base_url(await find_base_url(session), settings.public_url)
    except OperationalError:
        raise NotReady("The database does not answer.", cure="Check ASSAY_DATABASE_URL and the server.") from None
    finally:
        await database.close()
