"""`assay verify`."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.table import Table as Grid

from app.cli.start import console, errors, read_settings
from app.clock import SystemClock
from app.issuers.store import find_base_url
from app.net.client import OutboundClient
from app.openbadges.baking import is_picture
from app.public.documents import find_own_document
from app.public.own_issuers import find_own_listing, is_own_test_issuer
from app.resources import open_resources
from app.settings import Settings
from app.verification.answer import Verification
from app.verification.beside import Asked
from app.verification.library import read_object
from app.verification.opening import nothing_is_ours, open_verifier
from app.verification.verify import Verifier

commands = typer.Typer()


@commands.command()
def verify(
    source: Annotated[
        str,
        typer.Argument(
            help="A file with a badge (JSON, a token, or a baked PNG or SVG), an https URL, or - for standard input."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole verification as JSON.")] = False,
    recipient: Annotated[
        str | None, typer.Option(help="Whom the badge should be for: an e-mail address, a DID or another identifier.")
    ] = None,
    check_evidence: Annotated[
        bool, typer.Option("--check-evidence", help="Fetch and compare the files that the badge names with a digest.")
    ] = False,
) -> None:
    """Verify a badge of any issuer. Ends with 0 when it is valid, 1 when it is not."""
    asked = Asked(recipient=recipient, check_evidence=check_evidence)
    verification = asyncio.run(_verify(read_settings(), _read_source(source), asked))
    if as_json:
        console.print_json(json.dumps(verification_json(verification)))
    else:
        _print_verification(verification)
    raise typer.Exit(0 if verification.valid else 1)


async def _verify(settings: Settings, source: bytes | str, asked: Asked) -> Verification:
    """With this installation's own status lists and DID documents at hand, where it has a database."""
    sent = source if isinstance(source, str) or is_picture(source) else read_object(source)
    async with _verifier(settings) as verifier:
        if isinstance(sent, str):
            return await verifier.verify_url(sent, asked)
        if isinstance(sent, bytes):
            return await verifier.verify_picture(sent, asked)
        return await verifier.verify(sent, asked)


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
            settings,
            world.outbound,
            own_documents,
            world.clock.now,
            test_issuers=partial(is_own_test_issuer, world),
            own_registry=partial(find_own_listing, world),
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
    for listing in verification.registries:
        name = f" as {listing.name}" if listing.name else ""
        console.print(f"{listing.registry}: the issuer is {listing.status}{name}.", highlight=False, markup=False)


def _verdict(verification: Verification) -> str:
    if verification.valid:
        return "valid"
    failed = [check for check in verification.checks if check.outcome == "failed"]
    could_not_look = failed and all(check.fault in ("network", "verifier") for check in failed)
    return "NOT VERIFIED, because not everything could be looked up" if could_not_look else "NOT VALID"
