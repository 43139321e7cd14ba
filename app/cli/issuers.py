"""The operator's commands on one issuer: `assay issuers export`, `leave`, `registry-entry`."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.audit.store import audit
from app.cli.start import console, errors, read_settings, require_ready
from app.handover.export import count_records, export_issuer
from app.issuers.leave import leave as leave_for_good
from app.issuers.store import Issuer, get_issuer_by_slug
from app.issuers.verify import compose_registry_entry
from app.keys.vault import require_encryption_key
from app.operation.whole_file import new_file
from app.resources import open_resources
from app.settings import Settings

issuers = typer.Typer(no_args_is_help=True, help="Issuers: their data, and their leaving.")

Slug = Annotated[str, typer.Argument(help="The issuer's slug.")]


@issuers.command()
def export(
    slug: Slug, file: Annotated[Path, typer.Argument(help="Where to write it (JSON lines).", dir_okay=False)]
) -> None:
    """Write everything held for an issuer into one file, in the clear, while the service goes on."""
    count = asyncio.run(_export(read_settings(), slug, file))
    _say(f"Written to {file}: {count} records.")
    _say("It holds personal data in the clear: hand it over encrypted, and delete it here.")


@issuers.command()
def leave(slug: Slug, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Let an issuer leave: it issues no more here, for good. What it has published stays served."""
    settings = read_settings()
    if not yes:
        typer.confirm(f"{slug} will issue no more here, and its API clients end. This is for good. Go on?", abort=True)
    issuer = asyncio.run(_leave(settings, slug))
    _say(f"{slug} has left ({issuer.left_at:%Y-%m-%d %H:%M} UTC). Its badges, keys and status lists stay served.")


@issuers.command("registry-entry")
def registry_entry(
    slug: Slug, location: Annotated[str, typer.Option(help="Where the issuer is, as the registry shows it.")] = ""
) -> None:
    """Print what to hand in to a registry of known issuers, so that wallets show the issuer by name."""

    async def run(settings: Settings) -> dict[str, dict[str, str]]:
        await require_ready(settings)
        async with open_resources(settings) as world, world.database.reading() as session:
            issuer = await get_issuer_by_slug(session, slug)
            return compose_registry_entry(issuer, base_url=world.base_url, location=location)

    console.print_json(json.dumps(asyncio.run(run(read_settings()))))


async def _export(settings: Settings, slug: str, file: Path) -> int:
    await require_ready(settings)
    async with open_resources(settings) as world:
        await require_encryption_key(world.database, world.vault)
        async with world.database.reading() as session:
            issuer = await get_issuer_by_slug(session, slug)
        with new_file(file) as written, _progress() as progress:
            async with world.database.snapshot() as session:
                count = await count_records(session, issuer.id)
                task = progress.add_task("", total=count)
                async with aclosing(export_issuer(session, world, issuer.id)) as lines:
                    async for line in lines:
                        written.write(line)
                        progress.advance(task)
        async with world.database.transaction() as session:
            audit(session, issuer_id=issuer.id, actor="cli", action="issuer.exported", object_id=issuer.id,
                  content={}, at=world.clock.now())  # fmt: skip
    return count


async def _leave(settings: Settings, slug: str) -> Issuer:
    await require_ready(settings)
    async with open_resources(settings) as world, world.database.transaction() as session:
        issuer = await get_issuer_by_slug(session, slug)
        return await leave_for_good(session, issuer.id, actor="cli", now=world.clock.now())


def _progress() -> Progress:
    columns = (TextColumn("Exporting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, transient=True)


def _say(text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
