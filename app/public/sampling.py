"""The sampler's windows of a program, without a token: what it takes to hold the service to its sample."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from app.errors import NotFound
from app.identifiers import Identifier
from app.programs.store import Program
from app.public.caching import json_response
from app.readings.store import list_windows
from app.web.dependencies import ReadSession
from app.web.fields import format_moment
from app.web.problems import responses

router = APIRouter(tags=["Public documents"])


@router.get("/programs/{program_id}/sampling-windows", operation_id="fetch_sampling_windows", response_class=Response,
            responses=responses(404, 422))  # fmt: skip
async def sampling_windows(program_id: Identifier, request: Request, session: ReadSession) -> Response:
    """When which share of submissions is read twice, the SHA-256 of the seed that decides, and after the window the seed."""
    if (await session.scalars(select(Program.id).where(Program.id == program_id))).first() is None:
        raise NotFound("There is no program with this id.")
    windows = [
        {
            "id": window.id,
            "from": format_moment(window.starts_at),
            "to": format_moment(window.ends_at),
            "rate_percent": window.rate,
            "seed_sha256": window.seed_hash,
            "published_at": format_moment(window.published_at),
            "seed": window.seed,
        }
        for window in await list_windows(session, program_id)
    ]
    document = {
        "program_id": program_id,
        "selection": "first 8 bytes of HMAC-SHA256(seed, submission id) as a big-endian integer, times 100, "
        "is less than rate_percent times 2^64",
        "windows": windows,
    }
    return json_response(request, document, "application/json")
