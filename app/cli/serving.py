"""`assay migrate`, `serve`, `work` and `demo`."""

import asyncio
import gc
import socket
import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer
import uvicorn

from app.cli.start import NotReady, console, read_settings, require_ready
from app.demo.load import describe, load_demo
from app.main import create_app
from app.migration import migrate as migrate_database
from app.resources import open_resources
from app.settings import Settings
from app.worker import open_runner

commands = typer.Typer()

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; that of ASSAY_PUBLIC_URL when left out.")]


@commands.command()
def migrate() -> None:
    """Bring the database to this release's revision."""
    asyncio.run(migrate_database(read_settings()))
    console.print("The database is up to date.")


@commands.command()
def serve(host: Host = "127.0.0.1", port: Port = None) -> None:
    """Serve the API and the public pages."""
    settings = read_settings()
    port = port or _own_port(settings)
    _require_free(host, port)
    asyncio.run(require_ready(settings))
    _serve(settings, host, port)


@commands.command()
def work() -> None:
    """Run background jobs in a process of their own (with ASSAY_RUN_JOBS=false on the servers)."""
    settings = read_settings()

    async def run() -> None:
        await require_ready(settings)
        async with open_resources(settings) as world:
            await open_runner(world).run_forever()

    asyncio.run(run())


@commands.command()
def demo(
    host: Host = "127.0.0.1",
    port: Port = None,
    only_load: Annotated[bool, typer.Option("--only-load", help="Load the demonstration and end.")] = False,
) -> None:
    """Load the demonstration program into an empty database (or finish loading it), then serve it."""
    settings = read_settings()
    port = port or _own_port(settings)
    if not only_load:
        _require_free(host, port)
    asyncio.run(migrate_database(settings))
    summary = asyncio.run(load_demo(settings, console))
    if not only_load:
        _serve(settings, host, port, greeting=describe(summary, settings.data_directory))


def _own_port(settings: Settings) -> int:
    """The port of the public URL; 8000 where it names none (a proxy stands in front)."""
    return urlsplit(settings.public_url).port or 8000


def _require_free(host: str, port: int) -> None:
    """Before anything is loaded or pinned: a taken port must not leave half a start behind."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            cure = "Stop what listens there, or choose another port (make run PORT=…, or --port)."
            raise NotReady(f"{host}:{port} cannot be listened on: {error.strerror}.", cure=cure) from None


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
        gc.freeze()  # what is loaded stays: looking through it again takes longer than most requests
        if self.started and self._greeting:
            console.print(self._greeting, soft_wrap=True, highlight=False, markup=False)
