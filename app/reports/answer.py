"""A report as JSON, or as CSV (RFC 4180) for who asks for it."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

Row = Mapping[str, str | int | float | None]

CSV = "text/csv"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

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


def report_response(chosen: Format, body: BaseModel, rows: Sequence[Row]) -> Response:
    """`rows` all have the same members, which become the columns."""
    if chosen == "json":
        return Response(body.model_dump_json(), media_type="application/json", headers=_HEADERS)
    return Response(write_csv(rows), media_type=CSV, headers=_HEADERS)


_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept"}


def write_csv(rows: Sequence[Row]) -> str:
    """With a header line, CRLF, and text that no spreadsheet takes for a formula: such a cell gets an apostrophe in front."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({name: _harmless(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue()


def _harmless(cell: str | int | float | None) -> str | int | float | None:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
