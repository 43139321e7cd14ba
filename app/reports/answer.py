"""A report as JSON, or as CSV (RFC 4180) for who asks for it."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.reports.figures import ReportOut
from app.spreadsheet import safe_cell
from app.web.dependencies import World
from app.web.fields import format_moment
from app.web.problems import responses

Cell = str | int | float | None
Row = Mapping[str, Cell]

CSV = "text/csv"
_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept"}

Format = Literal["json", "csv"]


def _chosen(
    request: Request,
    format: Annotated[
        Format | None, Query(description="`csv` for a table; else what `Accept` prefers of JSON and text/csv.")
    ] = None,
) -> Format:
    accepted = request.headers.get("accept", "")
    return format or ("csv" if CSV in accepted and "json" not in accepted else "json")


ChosenFormat = Annotated[Format, Depends(_chosen)]


async def _snapshot(world: World) -> AsyncIterator[AsyncSession]:
    async with world.database.snapshot() as session:
        yield session


# scope="function": the session is closed before the answer is sent.
Snapshot = Annotated[AsyncSession, Depends(_snapshot, scope="function")]
"""One moment of the database, so that the numbers of a report are true together."""


def report_responses(model: type[ReportOut]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI declarations of a report's answers, for `responses=`."""
    ok = {"model": model, "content": {CSV: {"schema": {"type": "string"}}}, "description": "The report"}
    return {200: ok, **responses(401, 403, 404, 422)}


def report_response(chosen: Format, body: ReportOut, rows: Sequence[Row]) -> Response:
    """`rows` all have the same members, which become the columns of the CSV, after those of what the report is about."""
    if chosen == "json":
        return Response(body.model_dump_json(), media_type="application/json", headers=_HEADERS)
    about = _about(body)
    # A table without lines still says what was asked for.
    return Response(write_csv([{**about, **row} for row in rows or [{}]]), media_type=CSV, headers=_HEADERS)


def _about(body: ReportOut) -> dict[str, Cell]:
    """The columns that every table begins with: so tables of several requests can be put under each other."""
    since, until = body.window.since, body.window.until
    return {
        "report": body.report,
        "as_of": format_moment(body.as_of),
        "since": None if since is None else format_moment(since),
        "until": None if until is None else format_moment(until),
        "cohort": body.cohort,
        "achievement_id": body.achievement_id,
        "version": body.version,
    }


def write_csv(rows: Sequence[Row]) -> str:
    """With a header line, CRLF, and text that no spreadsheet takes for a formula: such a cell gets an apostrophe in front."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {name: safe_cell(cell) if isinstance(cell, str) else cell for name, cell in row.items()} for row in rows
        )
    return text.getvalue()
