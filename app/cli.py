"""The `assay` command."""

import asyncio
import base64
import json
import secrets
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table as Grid

from app.access.clients import create_client
from app.access.principals import Scope
from app.demo.load import describe, load_demo
from app.errors import AssayError
from app.main import create_app
from app.migration import migrate as migrate_database
from app.public.documents import find_own_document
from app.resources import open_resources
from app.settings import Settings
from app.verification.command import verify_document
from app.verification.verify import Verification
from app.web.observation import configure_logging
from app.worker import open_runner

# Pretty tracebacks print local variables, and those may be keys and people.
cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
keys = typer.Typer(no_args_is_help=True, help="Key-encryption keys.")
tokens = typer.Typer(no_args_is_help=True, help="The operator's tokens.")
cli.add_typer(keys, name="keys")
cli.add_typer(tokens, name="tokens")

console = Console()
errors = Console(stderr=True)

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on.")]


@cli.command()
def migrate() -> None:
    """Bring the database to this release's revision."""
    settings = _settings()
    asyncio.run(migrate_database(settings))
    console.print("The database is up to date.")


@cli.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the API and the public pages."""
    _serve(_settings(), host, port)


@cli.command()
def work() -> None:
    """Run background jobs in a process of their own (with ASSAY_RUN_JOBS=false on the servers)."""
    settings = _settings()

    async def run() -> None:
        async with open_resources(settings) as world:
            await open_runner(world).run_forever()

    asyncio.run(run())


@cli.command()
def demo(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    only_load: Annotated[bool, typer.Option("--only-load", help="Load the demonstration and end.")] = False,
) -> None:
    """Load the demonstration program into an empty database (or finish loading it), then serve it."""
    settings = _settings()
    asyncio.run(migrate_database(settings))
    summary = asyncio.run(load_demo(settings, console))
    if only_load:
        return
    _serve(settings, host, port, greeting=describe(summary, settings.data_directory))


@cli.command()
def verify(
    source: Annotated[str, typer.Argument(help="A file with a badge, an https URL, or - for standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole verification as JSON.")] = False,
) -> None:
    """Verify a badge of any issuer. Ends with 0 when it is valid, 1 when it is not."""
    verification = asyncio.run(_verify(_settings(), _read_source(source)))
    if as_json:
        console.print_json(json.dumps(verification_json(verification)))
    else:
        _print_verification(verification)
    raise typer.Exit(0 if verification.valid else 1)


@keys.command("new-encryption-key")
def new_encryption_key() -> None:
    """Print a fresh value for ASSAY_KEY_ENCRYPTION_KEY. Keep it: without it every stored key is lost."""
    console.print(base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode(), soft_wrap=True)


@tokens.command("create")
def create_token(name: Annotated[str, typer.Option(help="Who will hold it.")] = "operator") -> None:
    """Make an operator's token: it creates issuers and their API clients. Shown this once."""

    async def run() -> str:
        async with open_resources(_settings()) as world, world.database.transaction() as session:
            _, token = await create_client(
                session,
                issuer_id=None,
                name=name,
                scopes={Scope.PLATFORM},
                expires_at=None,
                actor="cli",
                now=datetime.now(UTC),
            )
            return token

    console.print(asyncio.run(run()), soft_wrap=True)


def main() -> None:
    """Entry point: errors we know are told in a sentence with their cure, not as a traceback."""
    try:
        cli()
    except AssayError as error:
        errors.print(f"[red]{error.code}[/red]: {error.detail}", soft_wrap=True)
        if error.cure:
            errors.print(error.cure, soft_wrap=True)
        sys.exit(2)


def _settings() -> Settings:
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors():
            name = "ASSAY_" + "_".join(str(part) for part in fault["loc"]).upper() if fault["loc"] else "settings"
            errors.print(f"[red]{name}[/red]: {fault['msg'].removeprefix('Value error, ')}", soft_wrap=True)
        raise typer.Exit(2) from None
    configure_logging(settings.log_level, settings.log_format)
    return settings


def _serve(settings: Settings, host: str, port: int, *, greeting: str = "") -> None:
    config = uvicorn.Config(
        create_app(settings), host=host, port=port, log_config=None, access_log=False, server_header=False
    )
    asyncio.run(_run_server(_GreetingServer(config, greeting)))


async def _run_server(server: uvicorn.Server) -> None:
    await server.serve()
    if not server.started:
        sys.exit(3)


class _GreetingServer(uvicorn.Server):
    """Says where to look once it really answers."""

    def __init__(self, config: uvicorn.Config, greeting: str) -> None:
        super().__init__(config)
        self._greeting = greeting

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started and self._greeting:
            console.print(self._greeting, soft_wrap=True, highlight=False, markup=False)


async def _verify(settings: Settings, source: bytes | str) -> Verification:
    """With this installation's own status lists and DID documents at hand, where it has a database."""
    if settings.is_sqlite and not _sqlite_path(settings).exists():
        return await verify_document(settings, source, _nothing_is_ours)
    async with open_resources(settings) as world:
        return await verify_document(settings, source, partial(find_own_document, world))


async def _nothing_is_ours(_url: str) -> None:
    return None


def _sqlite_path(settings: Settings) -> Path:
    return Path(settings.database_url.get_secret_value().partition(":///")[2])


def _read_source(source: str) -> bytes | str:
    if source.startswith(("https://", "http://")):
        return source
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        errors.print(f"{source} cannot be read: {error.strerror}")
        raise typer.Exit(2) from None


def verification_json(verification: Verification) -> dict[str, object]:
    """A verification as the API answers it."""
    answer: dict[str, object] = TypeAdapter(Verification).dump_python(verification, mode="json")
    return answer


def _print_verification(verification: Verification) -> None:
    grid = Grid(show_edge=False, pad_edge=False)
    for heading in ("Check", "Outcome", "Code", "What was found"):
        grid.add_column(heading)
    for check in verification.checks:
        grid.add_row(check.name, check.outcome, check.code, f"{check.detail} {check.cure}".strip())
    console.print(grid)
    issuer = verification.issuer.name if verification.issuer else "an unknown issuer"
    title = verification.achievement.name if verification.achievement else "The badge"
    console.print(
        f"\n{title} by {issuer}: {'valid' if verification.valid else 'NOT VALID'}.", highlight=False, markup=False
    )
