"""Downloading the file of an artifact: all of it, or one range of it, as who watches a recording asks for it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from app.learners.store import Learner
from app.resources import Resources
from app.submissions.evidence import require_pieces, stream_artifact, stream_range
from app.submissions.media import EXTENSIONS
from app.submissions.store import Artifact
from app.web.bodies import is_head
from app.web.problems import responses
from app.web.ranges import find_range

BYTES: Mapping[str, Any] = {"schema": {"type": "string", "format": "binary"}}
"""A file in the OpenAPI document."""

DOWNLOADS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": BYTES}},
    206: {"description": "The range of bytes asked for", "content": {"application/octet-stream": BYTES}},
    **responses(401, 403, 404, 409, 410, 416, 422, 503),
}
"""What a download may be answered with, for `responses=`."""


async def send_file(request: Request, world: Resources, artifact: Artifact, owner: Learner, name: str) -> Response:
    """The answer to GET or HEAD of an artifact's file, which `owner` uploaded and which is saved as `name`.

    A whole file was found whole before its first byte is sent. HEAD looks whether it is there, and opens nothing. Raises
    EvidenceMissing, EvidenceChanged, EvidenceStoreAway, RangeNotSatisfiable and Gone.
    """
    if is_head(request):
        await require_pieces(world, artifact)
        return Response(headers=_headers(artifact, name))
    if artifact.size is not None and artifact.digest is not None:
        wanted = find_range(request.headers, size=artifact.size, etag=_etag(artifact))
        if wanted is not None:
            place = {
                "Content-Length": str(len(wanted)),
                "Content-Range": f"bytes {wanted[0]}-{wanted[-1]}/{artifact.size}",
            }
            pieces = await stream_range(world, artifact, owner, wanted)
            return StreamingResponse(pieces, 206, headers={**_headers(artifact, name), **place})
    return StreamingResponse(await stream_artifact(world, artifact, owner), headers=_headers(artifact, name))


def _headers(artifact: Artifact, name: str) -> dict[str, str]:
    """Headers under which a browser saves the file and does nothing else with it."""
    extension = EXTENSIONS.get(artifact.media_type or "", "")
    file_name = name if name.lower().endswith(extension) else name + extension
    return {
        "Content-Type": artifact.media_type or "application/octet-stream",
        "Content-Length": str(artifact.size),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file_name, safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Accept-Ranges": "bytes",
        "ETag": _etag(artifact),
    }


def _etag(artifact: Artifact) -> str:
    """Strong: the digest of the file in the clear."""
    return f'"{(artifact.digest or "").removeprefix("sha256:")}"'
