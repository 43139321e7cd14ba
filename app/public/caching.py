"""Answers that may be kept: with validators, and 304 for who has them already (RFC 9110 section 13.1.2)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response

FIVE_MINUTES = "public, max-age=300"
ONE_YEAR = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
"""May be kept, must be asked for again: a badge may be reissued or its page show a new status at any time."""


def json_response(request: Request, document: Mapping[str, Any], media_type: str) -> Response:
    """The document as compact JSON, for five minutes."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return document_response(request, body, media_type, etag=hashlib.sha256(body).hexdigest(), cache=FIVE_MINUTES)


def document_response(request: Request, body: bytes, media_type: str, *, etag: str, cache: str) -> Response:
    """The bytes with validators; 304 when the reader has them already."""
    headers = {"ETag": f'"{etag}"', "Cache-Control": cache, "Vary": "Accept"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if f'"{etag}"' in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
