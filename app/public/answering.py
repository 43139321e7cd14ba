"""Which representation a public document is answered with, and the answer that is a page."""

import asyncio

from fastapi import Request
from fastapi.responses import Response

from app.errors import AssayError
from app.public.caching import REVALIDATE
from app.public.negotiate import HTML, JSON_TYPES, negotiate
from app.public.pages import View
from app.public.rendering import SECURITY_HEADERS, render


class NotAcceptable(AssayError):
    code = "not_acceptable"


def negotiated(request: Request) -> str:
    """The media type to answer with. `?format=json` is for links on pages: a browser cannot set its Accept header.

    Raises NotAcceptable.
    """
    if request.query_params.get("format") == "json":
        return JSON_TYPES[0]
    media_type = negotiate(request.headers.get("accept"), (*JSON_TYPES, HTML))
    if media_type is None:
        raise NotAcceptable(f"This is served as {', '.join((*JSON_TYPES, HTML))}.")
    return media_type


async def page(template: str, view: View) -> Response:
    """The page of a template, to be asked for again each time."""
    headers = {**SECURITY_HEADERS, "Cache-Control": REVALIDATE, "Vary": "Accept"}
    # In a thread: a long text of Markdown takes its time, and others need not wait for it.
    rendered = await asyncio.to_thread(render, template, view)
    return Response(rendered, media_type=HTML, headers=headers)
