"""Row after row. Each is a transaction of its own, so that a run may end anywhere and the next one goes on.

A dry run does the very same in transactions that are rolled back, so it tells what would happen: only what one row says of a
person and another contradicts shows no sooner than in earnest. Several rows in one transaction would show it, but would lock
learners after what is locked last, and wait crosswise for live requests.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
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

    def own_id(self, row: Row) -> str:
        """The partner's own id of a row, as far as it has one; else ""."""
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
    for row in rows:
        if stop():
            return
        yield await _rehearse_one(world, importer, row)


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
        return refusal(row, error, importer)
    return entered.line if entered.then is None else await entered.then()


async def _rehearse_one(world: Resources, importer: Importer[T], row: Row) -> ReportLine:
    async def enter(session: AsyncSession) -> None:
        raise _RolledBack((await importer.enter(session, row, prepared)).line)

    try:
        prepared = await importer.prepare(row)
        await in_time(world, enter)
    except _RolledBack as done:
        return done.line
    except OF_THE_ROW as error:
        return refusal(row, error, importer)
    raise AssertionError("a dry run was not rolled back")


class _RolledBack(Exception):  # not an error: it ends a dry run
    def __init__(self, line: ReportLine) -> None:
        self.line = line


def refusal(row: Row, error: AssayError, importer: Importer[T]) -> ReportLine:
    """A row that was not taken, with every fault in a sentence."""
    faults = tuple(importer.fault(fault) for fault in error.faults) or (f"{error.detail} {error.cure}".strip(),)
    return ReportLine(row.line, "refused", importer.own_id(row), faults=faults)
