"""`assay import`: earlier awards, rosters and achievements from files.

Ends with 0 when every row is there, 1 when some were refused (the others are in), 2 when it could not begin or go on, and 130
when it was interrupted. Run again, it goes on.
"""

import asyncio
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as Grid
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import TENANT_SCOPES, Tenant
from app.assessors.bodies import PanelCreate
from app.assessors.panels import create_panel
from app.assessors.store import Panel, list_external_sources
from app.audit.store import audit
from app.cli.start import NotReady, console, errors, read_settings, require_ready
from app.errors import AssayError, InvalidInput
from app.imports import awards as award_rows
from app.imports import rosters as roster_rows
from app.imports.achievements import AchievementImport
from app.imports.awards import AwardImport, find_achievement_id
from app.imports.mapping import FieldMapping, MappingFile, fit, read_mapping_file
from app.imports.reading import MAX_BYTES, Sheet, inspect, read_rows
from app.imports.report import Report, ReportLine, open_report, told
from app.imports.rosters import RosterImport
from app.imports.run import Importer, execute, rehearse
from app.issuers.store import get_issuer_by_slug, require_not_left
from app.keys.vault import require_encryption_key
from app.resources import Resources, open_resources
from app.web.problems import faults_of

ACTOR = "import"
SHOWN = 10
"""Refused rows told on the terminal; the report has all."""

commands = typer.Typer()
imports = typer.Typer(no_args_is_help=True, help="Take over earlier awards, rosters and achievements from files.")
commands.add_typer(imports, name="import")

File = Annotated[str, typer.Argument(help="CSV, or JSON with an object on each line; - for standard input.")]
Issuer = Annotated[str, typer.Option(help="The issuer's slug.")]
MappingOption = Annotated[
    Path | None, typer.Option("--mapping", help="TOML or JSON: which columns are which fields.", dir_okay=False)
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would become of each row, keep nothing.")]
ReportOption = Annotated[
    Path | None, typer.Option("--report", help="Write what became of each row, as CSV.", dir_okay=False)
]


@imports.command()
def awards(
    file: File,
    issuer: Issuer,
    mapping: MappingOption = None,
    source: Annotated[
        str | None, typer.Option(help="Who judged: id, external_id or name of an external source.")
    ] = None,
    achievement: Annotated[
        str | None, typer.Option(help="Id or external_id, for rows that name no achievement.")
    ] = None,
    dry_run: DryRun = False,
    report: ReportOption = None,
) -> None:
    """Take over earlier awards: each row becomes a badge, signed now, with the moment of the award and its source."""
    plan = _read_mapping(mapping)

    async def make(world: Resources, tenant: Tenant, fitted: FieldMapping) -> Importer[Any]:
        named = achievement or plan.achievement
        async with world.database.reading() as session:
            panel = await _get_source(session, tenant.issuer_id, source or plan.source)
            if named is not None:
                await find_achievement_id(session, tenant.issuer_id, named)
        return AwardImport(world, tenant, fitted, panel, named)

    _run(file, issuer, plan, award_rows.FIELDS, make, dry_run=dry_run, report=report)


@imports.command()
def roster(
    file: File, issuer: Issuer, mapping: MappingOption = None, dry_run: DryRun = False, report: ReportOption = None
) -> None:
    """Enter people, or complete what is known of them. A contradiction to what is known refuses the row."""

    async def make(world: Resources, tenant: Tenant, fitted: FieldMapping) -> Importer[Any]:
        return RosterImport(world, tenant, fitted)

    _run(file, issuer, _read_mapping(mapping), roster_rows.FIELDS, make, dry_run=dry_run, report=report)


@imports.command()
def achievements(
    file: File,
    issuer: Issuer,
    publish: Annotated[bool, typer.Option("--publish", help="Publish the drafts.")] = False,
    dry_run: DryRun = False,
    report: ReportOption = None,
) -> None:
    """Draft achievements: bodies of POST /v1/achievements, or BadgeClasses of Open Badges 2.0. JSON only."""

    async def make(world: Resources, tenant: Tenant, _: FieldMapping) -> Importer[Any]:
        return AchievementImport(world, tenant, publish=publish)

    _run(file, issuer, MappingFile(), None, make, dry_run=dry_run, report=report)


@imports.command("source")
def create_source(
    name: Annotated[str, typer.Argument(help="Who judged, as badges name them.")],
    issuer: Issuer,
    description: Annotated[str | None, typer.Option(help="A sentence about them.")] = None,
    url: Annotated[str | None, typer.Option(help="Their website.")] = None,
    external_id: Annotated[str | None, typer.Option(help="Your own id of them.")] = None,
) -> None:
    """Name an external source of earlier awards. Prints its id."""
    given = {"kind": "external", "name": name, "description": description, "url": url, "external_id": external_id}
    try:
        body = PanelCreate.model_validate(given)
    except ValueError as error:
        raise InvalidInput("The source cannot be named so.", faults=faults_of(error, given)) from None  # type: ignore[arg-type]
    settings = read_settings()

    async def run() -> str:
        await require_ready(settings)
        async with open_resources(settings) as world, world.database.transaction() as session:
            found = await get_issuer_by_slug(session, issuer)
            require_not_left(found)
            panel = await create_panel(session, found.id, **body.model_dump(), actor=ACTOR, now=world.clock.now())
            return panel.id

    console.print(asyncio.run(run()), soft_wrap=True, highlight=False)


def _read_mapping(path: Path | None) -> MappingFile:
    if path is None:
        return MappingFile()
    try:
        return read_mapping_file(path.read_bytes())
    except OSError as error:
        raise NotReady(f"{path} cannot be read: {error.strerror}.") from None


async def _get_source(session: AsyncSession, issuer_id: str, reference: str | None) -> Panel:
    """The external source with this id, external id or name. Raises NotReady: a typing error must not make a new one."""
    sources = await list_external_sources(session, issuer_id)
    cure = "Name it with `assay import source NAME --issuer SLUG`, then give --source."
    if sources:
        cure = f"There are: {', '.join(f'{each.name} ({each.external_id or each.id})' for each in sources)}. {cure}"
    if reference is None:
        raise NotReady("It is not said who judged these awards.", cure=cure)
    exact = [each for each in sources if reference in (each.id, each.external_id)]
    found = exact or [each for each in sources if each.name == reference]
    if len(found) != 1:
        what = "no external source" if not found else "more than one external source"
        raise NotReady(f"There is {what} called {reference!r}.", cure=cure)
    return found[0]


def _run(
    file: str,
    slug: str,
    plan: MappingFile,
    fields: frozenset[str] | None,
    make: Callable[[Resources, Tenant, FieldMapping], Any],
    *,
    dry_run: bool,
    report: Path | None,
) -> None:
    """The whole of one import, from the file to the exit code."""
    settings = read_settings()
    if report is not None and report.exists() and Path(file).exists() and report.samefile(file):
        raise NotReady("The report would overwrite the file that is to be imported.")
    with _open_input(file) as stream:
        sheet = _inspect(stream, plan, json_only=fields is None)
        fitted = fit(plan, sheet, fields or frozenset())

        async def run() -> tuple[Counter[str], list[ReportLine], bool]:
            await require_ready(settings)
            async with open_resources(settings) as world:
                await require_encryption_key(world.database, world.vault)
                async with world.database.reading() as session:
                    issuer = await get_issuer_by_slug(session, slug)
                    require_not_left(issuer)  # told once, not for each row
                    tenant = Tenant(issuer.id, ACTOR, TENANT_SCOPES)
                importer = await make(world, tenant, fitted)
                if not dry_run:
                    await _note(world, tenant, sheet)
                return await _import(world, importer, stream, sheet, lines, dry_run=dry_run)

        with ExitStack() as stack:
            try:
                lines = stack.enter_context(open_report(report))
            except OSError as error:
                raise NotReady(f"{report} cannot be written: {error.strerror}.") from None
            counts, refused, interrupted = asyncio.run(run())
    _tell(sheet, counts, refused, report)
    if interrupted:
        goes_on = "" if dry_run else " Run the same command again: it goes on with what is not there yet."
        errors.print(f"Interrupted.{goes_on}", soft_wrap=True)
        raise typer.Exit(130)
    raise typer.Exit(1 if refused or counts["unsigned"] else 0)


def _inspect(stream: BinaryIO, plan: MappingFile, *, json_only: bool) -> Sheet:
    sheet = inspect(stream, delimiter=plan.delimiter)
    if json_only and sheet.form == "csv":
        raise InvalidInput("Achievements are read from JSON, not from CSV.", cure="Write one object on each line.")
    return sheet


async def _note(world: Resources, tenant: Tenant, sheet: Sheet) -> None:
    """That a file is taken over is an act of its own in the audit trail."""
    async with world.database.transaction() as session:
        audit(session, issuer_id=tenant.issuer_id, actor=tenant.actor, action="import.begun", object_id=tenant.issuer_id,
              content={"file": sheet.digest, "rows": sheet.rows}, at=world.clock.now())  # fmt: skip


async def _import(
    world: Resources, importer: Importer[Any], stream: BinaryIO, sheet: Sheet, report: Report, *, dry_run: bool
) -> tuple[Counter[str], list[ReportLine], bool]:
    counts: Counter[str] = Counter()
    refused: list[ReportLine] = []
    run = rehearse if dry_run else execute
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with _interruption() as interrupted, Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("Looking" if dry_run else "Importing", total=sheet.rows)
        try:
            async for line in run(world, importer, read_rows(stream, sheet), stop=interrupted):
                report.add(line, dry_run=dry_run)
                counts[told(line, dry_run=dry_run)] += 1
                if line.outcome == "refused":
                    refused.append(line)
                progress.advance(task)
        except OperationalError:
            detail = f"The database did not answer after {sum(counts.values())} rows."
            raise NotReady(detail, cure="Run the same command again: it goes on with what is not there yet.") from None
        except AssayError as error:
            error.cure = f"{error.cure} What was taken so far stays; the same command goes on.".strip()
            raise
        return counts, refused, interrupted()


@contextmanager
def _interruption() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and a friendly kill let the row at hand be finished; the second time they do what they always do."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()

    def once(number: int) -> None:
        asked.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, once, number)
    try:
        yield asked.is_set
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@contextmanager
def _open_input(file: str) -> Iterator[BinaryIO]:
    """The file; standard input or a pipe kept in an unnamed one: it is read more than once."""
    with ExitStack() as stack:
        try:
            stream = sys.stdin.buffer if file == "-" else stack.enter_context(Path(file).open("rb"))
            if file == "-" or not stream.seekable():
                stream = stack.enter_context(_kept(stream))
        except OSError as error:
            raise NotReady(f"{file} cannot be read: {error.strerror}.") from None
        yield stream  # outside of the try: what goes wrong from here on is not the file's fault


@contextmanager
def _kept(stream: BinaryIO) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as kept:
        while (chunk := stream.read(1024 * 1024)) and kept.tell() <= MAX_BYTES:
            kept.write(chunk)
        yield kept


def _tell(sheet: Sheet, counts: Counter[str], refused: list[ReportLine], report: Path | None) -> None:
    for line in refused[:SHOWN]:
        errors.print(f"line {line.line}: {'; '.join(line.faults)}", soft_wrap=True, highlight=False, markup=False)
    if len(refused) > SHOWN:
        where = f"in {report}" if report else "told by --report FILE.csv"
        errors.print(f"… and {len(refused) - SHOWN} more, {where}.", soft_wrap=True, highlight=False, markup=False)
    grid = Grid(show_edge=False, pad_edge=False)
    grid.add_column("Rows")
    grid.add_column("", justify="right")
    for outcome, count in sorted(counts.items()):
        grid.add_row(outcome, str(count))
    console.print(grid)
    if sheet.is_cut_off:
        errors.print("The last line of the file has no end: look whether the file is whole.", soft_wrap=True)
