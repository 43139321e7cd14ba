"""Lists paged by cursor, oldest change first.

`updated_since` is for catching up by the clock: a change committed late may carry an earlier time than one already read. Who
must not miss any follows `GET /v1/events`.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.errors import Fault, InvalidInput
from app.identifiers import ID_PATTERN
from app.web.fields import ExternalId, Moment, require_plausible

T = TypeVar("T")
R = TypeVar("R")


class InvalidCursor(InvalidInput):
    code = "invalid_cursor"


class Page(BaseModel, Generic[T]):
    """One page of a list. Ask again with `cursor=next_cursor` until it is null."""

    items: list[T]
    next_cursor: str | None = Field(default=None, description="Opaque; null on the last page.")


@dataclass(frozen=True, slots=True)
class PageRequest:
    limit: int
    after: tuple[datetime, str] | None
    updated_since: datetime | None
    external_id: str | None


def _page_request(
    limit: Annotated[int, Query(ge=1, le=200, description="Items a page.")] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
    updated_since: Annotated[Moment | None, Query(description="Only what changed at or after this.")] = None,
) -> PageRequest:
    return PageRequest(limit, _decode_cursor(cursor) if cursor else None, updated_since, None)


Paging = Annotated[PageRequest, Depends(_page_request)]


def _page_request_by_external_id(
    page: Paging,
    external_id: Annotated[ExternalId | None, Query(description="Only the object with your own id.")] = None,
) -> PageRequest:
    return replace(page, external_id=external_id)


PagingByExternalId = Annotated[PageRequest, Depends(_page_request_by_external_id)]
"""For lists of what carries the partner's own id."""


async def fetch_page(
    session: AsyncSession,
    query: Select[R],
    request: PageRequest,
    *,
    updated_at: InstrumentedAttribute[datetime],
    identifier: InstrumentedAttribute[str],
    external_id: InstrumentedAttribute[Any] | None = None,
) -> tuple[list[R], str | None]:
    """The rows of one page in the order (updated_at, id), and the cursor of the next page or None."""
    conditions: list[ColumnElement[bool]] = []
    if request.updated_since is not None:
        conditions.append(updated_at >= request.updated_since)
    if request.external_id is not None and external_id is not None:
        conditions.append(external_id == request.external_id)
    if request.after is not None:
        conditions.append(tuple_(updated_at, identifier) > tuple_(*request.after))
    query = query.where(*conditions).order_by(updated_at, identifier).limit(request.limit + 1)
    rows = list((await session.scalars(query)).all())
    if len(rows) <= request.limit:
        return rows, None
    rows.pop()
    return rows, _encode_cursor(getattr(rows[-1], updated_at.key), getattr(rows[-1], identifier.key))


def _encode_cursor(moment: datetime, identifier: str) -> str:
    text = json.dumps([moment.astimezone(UTC).isoformat(), identifier])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        moment, identifier = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        parsed = datetime.fromisoformat(moment)
        if parsed.tzinfo is None or not re.fullmatch(ID_PATTERN, identifier):
            raise ValueError
        require_plausible(parsed)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        fault = Fault("/cursor", "not a cursor of this list", "pass next_cursor of the page before, unchanged")
        raise InvalidCursor("The cursor cannot be read.", faults=[fault]) from None
    return parsed, identifier
