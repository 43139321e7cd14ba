"""/v1/events: every change, in order, from the beginning."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.access.dependencies import EventsRead
from app.events.store import list_events
from app.web.dependencies import ReadSession
from app.web.fields import Moment
from app.web.problems import responses

router = APIRouter(prefix="/v1/events", tags=["Events"])


class EventOut(BaseModel):
    position: int = Field(description="Counts from 1 without gaps, in the order of commits.")
    type: str = Field(examples=["credential.issued"])
    object_type: str
    object_id: str
    data: dict[str, Any]
    occurred_at: Moment


class EventsOut(BaseModel):
    """Events in order. Ask again with `after=last` for what follows."""

    items: list[EventOut]
    last: int = Field(description="Position of the last item, or `after` when there was none.")


@router.get("", operation_id="list_events", responses=responses(401, 403, 422))
async def list_(
    tenant: EventsRead,
    session: ReadSession,
    after: Annotated[int, Query(ge=0, lt=2**63, description="Position of the last event you have; 0 for all.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> EventsOut:
    """Changes after a position. Events carry ids and states, never personal data; positions have no gaps."""
    events = await list_events(session, tenant.issuer_id, after=after, limit=limit)
    items = [
        EventOut(
            position=event.position, type=event.type, object_type=event.object_type, object_id=event.object_id,
            data=event.data, occurred_at=event.occurred_at,
        )
        for event in events
    ]  # fmt: skip
    return EventsOut(items=items, last=items[-1].position if items else after)
