"""Row after row. Each is a transaction of its own, so that a run may end anywhere and the next one goes on.

A dry run does the very same in transactions that are rolled back, some rows in each, so it tells what would happen: only a
contradiction between two distant rows of one file shows no sooner than in earnest.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.in_time import in_time
from app.errors import AssayError, Conflict, Fault, Gone, InvalidInput, NotFound
from app.imports.reading import Row
from app.imports.report import ReportLine
from app.resources import Resources

T = TypeVar("T")

OF_THE_ROW = (InvalidInput, Conflict, NotFound, Gone)
"""Errors that are the row's: it is refused, and the others go on. Anything else ends the run."""

DRY_BATCH = 25
"""Rows that a dry run takes in one transaction: others wait that long for their writes."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What a row's transaction did, and what must follow once it is committed."""

    line: ReportLine
    then: Callable[[], Awaitable[ReportLine | None]] | None = None


class Importer(Protocol[T]):
    """One kind of import. Errors in OF_THE_ROW refuse the row."""

    async def prepare(self, row: Row) -> T:
        """What can be told without the database."""
        ...

    async def enter(self, session: AsyncSession, row: Row, prepared: T) -> Entered:
        """Take the row in the caller's transaction, which may run again or be rolled back."""
        ...

    def fault(self, fault: Fault) -> str:
        """A fault in the partner's words."""
        ...

    def finish(self) -> AsyncIterator[ReportLine]:
        """Finish what earlier runs began: rows of which nothing was told so far."""
        ...


async def execute(
    world: Resources, importer: Importer[T], rows: Iterable[Row], *, stop: Callable[[], bool]
) -> AsyncIterator[ReportLine]:
    """Take every row, and tell what became of each. Ends after the row at hand when `stop` says so.

    Raises Unavailable or Broken when it is not the row's fault; what was taken before stays taken.
    """
    for row in rows:
        if stop():
            return
        line = await _execute_one(world, importer, row)
        if line is not None:
            yield line
    async for line in importer.finish():
        yield line
        if stop():
            return


async def rehearse(
    world: Resources, importer: Importer[T], rows: Iterable[Row], *, stop: Callable[[], bool]
) -> AsyncIterator[ReportLine]:
    """As `execute`, and nothing is kept."""
    for batch in _batches(rows, DRY_BATCH):
        if stop():
            return
        for line in await _rehearse_batch(world, importer, batch):
            yield line


async def _execute_one(world: Resources, importer: Importer[T], row: Row) -> ReportLine | None:
    """None when it is told at the end."""

    async def enter() -> Entered:
        return await in_time(world, lambda session: importer.enter(session, row, prepared))

    try:
        prepared = await importer.prepare(row)
        try:
            entered = await enter()
        except Conflict:  # perhaps with another process that takes over the same: what it made is found the second time
            entered = await enter()
    except OF_THE_ROW as error:
        return refusal(row, error, importer.fault)
    return entered.line if entered.then is None else await entered.then()


async def _rehearse_batch(world: Resources, importer: Importer[T], batch: list[Row]) -> list[ReportLine]:
    prepared: list[T | AssayError] = []
    for row in batch:
        try:
            prepared.append(await importer.prepare(row))
        except OF_THE_ROW as error:
            prepared.append(error)

    async def all_of_them(session: AsyncSession) -> None:
        lines = []
        for row, found in zip(batch, prepared, strict=True):
            try:
                if isinstance(found, AssayError):
                    raise found
                lines.append((await importer.enter(session, row, found)).line)
            except OF_THE_ROW as error:
                lines.append(refusal(row, error, importer.fault))
        raise _RolledBack(lines)

    try:
        await in_time(world, all_of_them)
    except _RolledBack as done:
        return done.lines
    raise AssertionError("a dry run was not rolled back")


class _RolledBack(Exception):  # not an error: it ends a dry run
    def __init__(self, lines: list[ReportLine]) -> None:
        self.lines = lines


def refusal(row: Row, error: AssayError, tell: Callable[[Fault], str]) -> ReportLine:
    """A row that was not taken, with every fault in a sentence."""
    external_id = row.fields.get("external_id")
    faults = tuple(tell(fault) for fault in error.faults) or (f"{error.detail} {error.cure}".strip(),)
    return ReportLine(row.line, "refused", external_id if isinstance(external_id, str) else "", faults=faults)


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch
