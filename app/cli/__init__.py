"""The `assay` command."""

import asyncio
import base64
import gc
import json
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
import uvicorn
from pydantic import TypeAdapter
from rich.markup import escape
from rich.table import Table as Grid

from app.access.clients import create_client
from app.access.principals import Scope
from app.cli.imports import imports
from app.cli.issuers import issuers
from app.cli.operation import register
from app.cli.start import NotReady, console, errors, read_settings, require_ready
from app.clock import SystemClock
from app.demo.load import describe, load_demo
from app.errors import AssayError
from app.issuers.did_document import verification_method_id
from app.issuers.rotate import prepare_rotation, rotate_key
from app.issuers.store import find_base_url, get_issuer_by_slug
from app.keys.store import ED25519
from app.keys.vault import require_encryption_key
from app.main import create_app
from app.migration import migrate as migrate_database
from app.net.client import OutboundClient
from app.openbadges.baking import is_picture
from app.operation.reencrypt import Reencrypted, reencrypt
from app.proofs.public_key import KeyAlgorithm
from app.public.documents import find_own_document, is_own_test_issuer
from app.resources import open_resources
from app.settings import Settings
from app.statuslists.publish import republish
from app.verification.answer import Verification
from app.verification.library import read_object
from app.verification.opening import nothing_is_ours, open_verifier
from app.verification.verify import Verifier
from app.worker import open_runner

# Pretty tracebacks print local variables, and those may be keys and people.
cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
keys = typer.Typer(no_args_is_help=True, help="Issuers' signing keys, and the key that encrypts them.")
tokens = typer.Typer(no_args_is_help=True, help="The operator's tokens.")
cli.add_typer(issuers, name="issuers")
cli.add_typer(keys, name="keys")
cli.add_typer(imports, name="import")
cli.add_typer(tokens, name="tokens")
register(cli)

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; that of ASSAY_PUBLIC_URL when left out.")]


@cli.command()
def migrate() -> None:
    """Bring the database to this release's revision."""
    asyncio.run(migrate_database(read_settings()))
    console.print("The database is up to date.")


@cli.command()
def serve(host: Host = "127.0.0.1", port: Port = None) -> None:
    """Serve the API and the public pages."""
    settings = read_settings()
    port = port or _own_port(settings)
    _require_free(host, port)
    asyncio.run(require_ready(settings))
    _serve(settings, host, port)


@cli.command()
def work() -> None:
    """Run background jobs in a process of their own (with ASSAY_RUN_JOBS=false on the servers)."""
    settings = read_settings()

    async def run() -> None:
        await require_ready(settings)
        async with open_resources(settings) as world:
            await open_runner(world).run_forever()

    asyncio.run(run())


@cli.command()
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


@cli.command()
def verify(
    source: Annotated[
        str,
        typer.Argument(
            help="A file with a badge (JSON, a token, or a baked PNG or SVG), an https URL, or - for standard input."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole verification as JSON.")] = False,
) -> None:
    """Verify a badge of any issuer. Ends with 0 when it is valid, 1 when it is not."""
    verification = asyncio.run(_verify(read_settings(), _read_source(source)))
    if as_json:
        console.print_json(json.dumps(verification_json(verification)))
    else:
        _print_verification(verification)
    raise typer.Exit(0 if verification.valid else 1)


@keys.command("new-encryption-key")
def new_encryption_key() -> None:
    """Print a fresh value for ASSAY_KEY_ENCRYPTION_KEY. Keep it: without it every stored key is lost."""
    console.print(base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode(), soft_wrap=True)


@keys.command("rotate")
def rotate(
    slug: Annotated[str, typer.Argument(help="The issuer's slug.")],
    algorithm: Annotated[KeyAlgorithm, typer.Option(help="Of which algorithm.")] = ED25519,
) -> None:
    """Make or replace an issuer's signing key of an algorithm. The one before stays published, and badges it signed verify.

    For an issuer of its own domain: look whether the domain publishes the key that waits, and let it sign if so.
    """
    settings = read_settings()

    async def run() -> str:
        await require_ready(settings)
        async with open_resources(settings) as world:
            await require_encryption_key(world.database, world.vault)
            async with world.database.reading() as session:
                issuer = await get_issuer_by_slug(session, slug)
            published = await prepare_rotation(world, issuer.id, algorithm=algorithm, actor="cli")
            async with world.database.transaction() as session:
                key = await rotate_key(
                    session, world, issuer.id,
                    algorithm=algorithm, published=published, actor="cli", now=world.clock.now(),
                )  # fmt: skip
            await republish(world, issuer.id)
            return verification_method_id(issuer.did, key.public_key_multibase)

    console.print(asyncio.run(run()), soft_wrap=True, highlight=False)


@keys.command("reencrypt")
def reencrypt_all() -> None:
    """Encrypt all keys under ASSAY_KEY_ENCRYPTION_KEY that are still under ASSAY_PREVIOUS_KEY_ENCRYPTION_KEY.

    May run beside servers that have both set, and be stopped and started again at any time.
    """
    settings = read_settings()
    if settings.previous_key_encryption_key is None:
        cure = "Set it to the old key and ASSAY_KEY_ENCRYPTION_KEY to the new one, for the servers too, and start them anew."
        raise NotReady("ASSAY_PREVIOUS_KEY_ENCRYPTION_KEY is not set.", cure=cure)

    async def run() -> Reencrypted:
        await require_ready(settings)
        async with open_resources(settings) as world:
            await require_encryption_key(world.database, world.vault)
            with console.status("Learners …") as status:
                return await reencrypt(world, actor="cli", progress=lambda count: status.update(f"{count} learners …"))

    done = asyncio.run(run())
    console.print(
        f"Encrypted anew: {done.learners} learners and {done.people} people with {done.identities} identities, "
        f"{done.signing_keys} signing keys, {done.others} others. "
        "Nothing is left under the previous key: remove ASSAY_PREVIOUS_KEY_ENCRYPTION_KEY and start the servers anew.",
        soft_wrap=True, highlight=False,
    )  # fmt: skip


@tokens.command("create")
def create_token(name: Annotated[str, typer.Option(help="Who will hold it.")] = "operator") -> None:
    """Make an operator's token: it creates issuers and their API clients. Shown this once."""
    settings = read_settings()

    async def run() -> str:
        await require_ready(settings)
        async with open_resources(settings) as world, world.database.transaction() as session:
            _, token = await create_client(
                session, issuer_id=None, name=name, scopes={Scope.PLATFORM}, expires_at=None, actor="cli",
                now=world.clock.now(),
            )  # fmt: skip
            return token

    console.print(asyncio.run(run()), soft_wrap=True)


def main() -> None:
    """Entry point: errors we know are told in a sentence with their cure, not as a traceback."""
    try:
        cli()
    except AssayError as error:
        errors.print(f"[red]{error.code}[/red]: {escape(error.detail)}", soft_wrap=True)
        for fault in error.faults:
            told = f"{fault.pointer} {fault.detail}".strip() + (f": {fault.cure}" if fault.cure else "")
            errors.print(f"  {told}", soft_wrap=True, highlight=False, markup=False)
        if error.cure:
            errors.print(error.cure, soft_wrap=True, markup=False)
        sys.exit(2)


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


async def _verify(settings: Settings, source: bytes | str) -> Verification:
    """With this installation's own status lists and DID documents at hand, where it has a database."""
    sent = source if isinstance(source, str) or is_picture(source) else read_object(source)
    async with _verifier(settings) as verifier:
        if isinstance(sent, str):
            return await verifier.verify_url(sent)
        if isinstance(sent, bytes):
            return await verifier.verify_picture(sent)
        return await verifier.verify(sent)


@asynccontextmanager
async def _verifier(settings: Settings) -> AsyncIterator[Verifier]:
    settings = settings.model_copy(update={"verify_processes": 1})
    if settings.lacks_sqlite_file():
        outbound = OutboundClient(allow_networks=settings.outbound_allow_networks, ca_file=settings.outbound_ca_file)
        try:
            async with open_verifier(settings, outbound, nothing_is_ours, SystemClock().now) as verifier:
                yield verifier
        finally:
            await outbound.close()
        return
    async with open_resources(settings) as world:
        async with world.database.reading() as session:
            pinned = await find_base_url(session)
        own = replace(world, settings=settings.model_copy(update={"public_url": pinned or settings.public_url}))
        own_documents = partial(find_own_document, own)
        opening = open_verifier(
            settings, world.outbound, own_documents, world.clock.now, test_issuers=partial(is_own_test_issuer, world)
        )
        async with opening as verifier:
            yield verifier


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
    for part in verification.parts:
        outcome = "passed" if part.valid else "failed"
        failed = next((check for check in part.checks if check.outcome == "failed"), None)
        code, detail = (failed.code, failed.detail) if failed else ("", "")
        grid.add_row(part.kind, outcome, code, f"{part.pointer} {detail}".strip())
    console.print(grid)
    for fetch in verification.fetched:
        console.print(f"{fetch.outcome}: {fetch.url} ({fetch.purpose})", highlight=False, markup=False, soft_wrap=True)
    issuer = verification.issuer.name if verification.issuer else "an unknown issuer"
    title = verification.achievement.name if verification.achievement else "The badge"
    console.print(f"\n{title} by {issuer}: {_verdict(verification)}.", highlight=False, markup=False)


def _verdict(verification: Verification) -> str:
    if verification.valid:
        return "valid"
    failed = [check for check in verification.checks if check.outcome == "failed"]
    could_not_look = failed and all(check.fault in ("network", "verifier") for check in failed)
    return "NOT VERIFIED, because not everything could be looked up" if could_not_look else "NOT VALID"
