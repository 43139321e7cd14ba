"""/v1/issuers/{issuer_id}/export: everything of an issuer, for the issuer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter
from fastapi.responses import Response

from app.access.dependencies import IssuerExport
from app.audit.store import audit
from app.errors import Unavailable
from app.handover.export import export_issuer
from app.handover.response import BoundedStream
from app.issuers.store import get_issuer
from app.resources import Resources
from app.web.dependencies import Now, World
from app.web.problems import responses

router = APIRouter(prefix="/v1/issuers", tags=["Issuers"])

STALL_SECONDS = 30
LONGEST_SECONDS = 1_800
"""A snapshot holds up the database's housekeeping. What takes longer is for `assay issuers export`."""

AT_ONCE = 2
"""Each holds a connection of the pool for as long as it lasts."""

_places = asyncio.Semaphore(AT_ONCE)


@router.get("/{issuer_id}/export", operation_id="export_issuer", response_class=Response,
            responses={200: {"content": {"application/jsonl": {}}}, **responses(401, 403, 404, 422, 503)})  # fmt: skip
async def export(tenant: IssuerExport, world: World, now: Now) -> Response:
    """Everything this service holds for the issuer at one moment, as JSON lines, personal data in the clear.

    The last line has the type `end`: without it the export was cut off. It has the number of records of each type and the
    SHA-256 of all bytes before it. docs/export.md describes the records.
    """
    async with world.database.transaction() as session:
        issuer = await get_issuer(session, tenant.issuer_id)
        if _places.locked():
            raise Unavailable("Other exports are being made.", cure="Try again in a few minutes.")
        audit(session, issuer_id=issuer.id, actor=tenant.actor, action="issuer.exported", object_id=issuer.id,
              content={}, at=now)  # fmt: skip
    return BoundedStream(
        _lines(world, issuer.id),
        stall_seconds=STALL_SECONDS,
        longest_seconds=LONGEST_SECONDS,
        media_type="application/jsonl",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{issuer.slug}-{now:%Y-%m-%d}.jsonl"',
        },
    )


async def _lines(world: Resources, issuer_id: str) -> AsyncGenerator[bytes]:
    async with (
        _places,
        world.database.snapshot() as session,
        aclosing(export_issuer(session, world, issuer_id)) as lines,
    ):
        async for line in lines:
            yield line
