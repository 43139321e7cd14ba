"""The operator's commands: `assay audit`, `assay check`, `assay doctor`, `assay backup`, `assay restore`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import DBAPIError

from app.audit.store import audit, link_loose_entries
from app.cli.start import NotReady, console, errors, read_settings, require_ready
from app.clock import SystemClock
from app.db import Database, open_database
from app.keys.vault import open_vault, require_encryption_key
from app.net.evidence import EvidenceStore
from app.operation.archive import Manifest
from app.operation.audit_trail import Trail, verify_audit_trail
from app.operation.backup import write_backup
from app.operation.check import Tally, check_badges, check_lists, count_editions
from app.operation.doctor import Finding, examine, is_well
from app.operation.restore import restore_backup
from app.resources import open_resources
from app.settings import Settings

commands = typer.Typer()
audit_commands = typer.Typer(no_args_is_help=True, help="The audit trail.")
commands.add_typer(audit_commands, name="audit")

BackupFile = Annotated[Path, typer.Argument(help="The archive.", dir_okay=False)]

_MARKS = {"good": "[green]good[/green]", "warning": "[yellow]warning[/yellow]", "wrong": "[red]WRONG[/red]"}


@audit_commands.command("verify")
def verify_audit() -> None:
    """Compute the whole audit trail anew. Ends with 1 when an entry was changed, removed or slipped in, and says where."""
    trail = asyncio.run(_verify_audit(read_settings()))
    for head in trail.heads:
        console.print(f"{head.chain}  {head.position} entries  {head.digest}", soft_wrap=True, highlight=False)
    for fault in trail.faults:
        place = f"chain {fault.chain}" if fault.chain else "audit_entry"
        place += f", position {fault.position}" if fault.position is not None else ""
        place += f", entry {fault.entry_id}" if fault.entry_id is not None else ""
        _say(f"{place}: {fault.detail}. {fault.cure}".strip())
    console.print(f"{trail.entries} entries in {len(trail.heads)} chains, {len(trail.faults)} faults.", highlight=False)
    raise typer.Exit(1 if trail.faults else 0)


@audit_commands.command("link")
def link_audit() -> None:
    """Append what an earlier release wrote beside this one to the chains."""
    settings = read_settings()

    async def run() -> int:
        async with _database(settings) as database, database.transaction() as session:
            count = await link_loose_entries(session)
            if count:
                audit(session, issuer_id=None, actor="cli", action="audit.linked", object_id="audit_entry",
                      content={"entries": count}, at=SystemClock().now())  # fmt: skip
            return count

    console.print(f"{asyncio.run(run())} entries were appended.", highlight=False)


@commands.command()
def check() -> None:
    """Verify every stored badge and status list. Ends with 1 when one is bad, and names it."""
    tally = asyncio.run(_check(read_settings()))
    for bad in [*tally.bad_lists, *tally.bad_badges]:
        edition = f" (edition {bad.edition})" if bad.edition else ""
        _say(f"BAD {bad.url}{edition}: {'; '.join(bad.faults)}.")
    console.print(_tell(tally), highlight=False, soft_wrap=True)
    raise typer.Exit(1 if tally.bad_lists or tally.bad_badges else 0)


@commands.command()
def doctor() -> None:
    """Look the installation over: address, contexts, disk, database, clock, keys, jobs, DID documents; a cure for each fault."""
    findings = asyncio.run(examine(read_settings(), SystemClock()))
    for finding in findings:
        _print_finding(finding)
    raise typer.Exit(0 if is_well(findings) else 1)


@commands.command()
def backup(
    file: BackupFile,
    with_evidence: Annotated[
        bool, typer.Option("--with-evidence/--without-evidence", help="Take the files of evidence along.")
    ] = True,
) -> None:
    """Write everything but the key-encryption key into one archive, while the service goes on."""
    settings = read_settings()
    manifest = asyncio.run(_backup(settings, file, with_evidence=with_evidence))
    _print_manifest(f"Written to {file}", manifest)
    if not with_evidence:
        _warn("The files of evidence are NOT in this archive. Keep a copy of the whole store, made after it:")
        _say(_how_to_copy(EvidenceStore.of(settings)))
    console.print("Keep ASSAY_KEY_ENCRYPTION_KEY elsewhere: without it the archive cannot be restored.", soft_wrap=True)


@commands.command()
def restore(file: BackupFile) -> None:
    """Bring an archive back into an empty database of either engine."""
    settings = read_settings()
    vault = open_vault(settings)
    manifest = asyncio.run(restore_backup(settings, vault, SystemClock(), file))
    _print_manifest(f"Restored from {file}", manifest)
    if manifest.evidence is None:
        _warn("The files of evidence were NOT in this archive. Put your copy of them, under the same paths, into:")
        _say(f"  {EvidenceStore.of(settings).url}")
    console.print("Now run `assay check`, then start the service.")


async def _verify_audit(settings: Settings) -> Trail:
    async with _database(settings) as database:
        try:
            async with database.snapshot() as session:
                return await verify_audit_trail(session)
        except DBAPIError as error:
            raise NotReady(
                f"The audit trail cannot be read ({type(error.orig).__name__}).", cure="Run `assay doctor`."
            ) from None


async def _check(settings: Settings) -> Tally:
    await require_ready(settings)
    tally = Tally()
    async with open_resources(settings) as world:
        await require_encryption_key(world.database, world.vault)
        columns = (TextColumn("Verifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=errors, transient=True) as progress:
            task = progress.add_task("", total=await count_editions(world))
            async for _ in check_lists(world, tally):
                pass
            async for done in check_badges(world, tally):
                progress.advance(task, done)
    return tally


async def _backup(settings: Settings, file: Path, *, with_evidence: bool) -> Manifest:
    async with _database(settings) as database:
        return await write_backup(database, SystemClock(), file, EvidenceStore.of(settings) if with_evidence else None)


def _how_to_copy(store: EvidenceStore) -> str:
    if store.folder is not None:
        return f"  rsync -a {store.folder}/ backup-of-evidence/"
    bucket, _, query = store.url.partition("?")
    endpoint = parse_qs(query).get("endpoint")
    return f"  aws s3 sync {bucket} backup-of-evidence/" + (f" --endpoint-url {endpoint[0]}" if endpoint else "")


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    """A database that is ready, as the service's role: none of these commands needs more."""
    await require_ready(settings)
    database = open_database(settings.database_url.get_secret_value(), role=settings.database_role)
    try:
        yield database
    finally:
        await database.close()


def _tell(tally: Tally) -> str:
    bad = {(each.url, each.edition) for each in tally.bad_badges}
    told = (
        f"{tally.badges} signed editions of badges and {tally.lists} status lists: "
        f"{len(bad)} and {len(tally.bad_lists)} bad."
    )
    others = [(tally.pending, "not signed yet"), (tally.burned, "given up"), (tally.erased, "of erased learners")]
    rest = ", ".join(f"{count} {what}" for count, what in others if count)
    return f"{told} Not judged: {rest}." if rest else told


def _print_finding(finding: Finding) -> None:
    mark = _MARKS.get(finding.outcome, f"[dim]{finding.outcome}[/dim]")
    console.print(f"{mark:<24} [bold]{finding.check}[/bold]  ", end="", soft_wrap=True)
    console.print(finding.detail, soft_wrap=True, highlight=False, markup=False)
    if finding.cure:
        console.print(f"              {finding.cure}", soft_wrap=True, highlight=False, markup=False)


def _print_manifest(title: str, manifest: Manifest) -> None:
    credentials = manifest.tables["credential"].rows
    _say(f"{title}: backup {manifest.id} of {manifest.made_at}, revision {manifest.revision}, from {manifest.engine}.")
    _say(f"{manifest.rows} rows in {len(manifest.tables)} tables, {credentials} badges, {manifest.base_url}.")
    if manifest.evidence is not None:
        _say(f"{manifest.evidence.rows} pieces of files of evidence.")


def _warn(text: str) -> None:
    console.print(text, style="bold yellow", soft_wrap=True, highlight=False, markup=False)


def _say(text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
