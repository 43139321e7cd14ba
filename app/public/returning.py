"""Where somebody goes on who had to sign in on the way."""

import re

from fastapi import Request
from fastapi.responses import Response

from app.public.forms import cookie_of, forget_cookie, redirect, set_cookie
from app.resources import Resources

_COOKIE = "assay_return"
_LIFE = 3600
_LONGEST = 3_000
# Of our own pages those alone that somebody else leads to. The query is percent-encoded: it holds nothing that ends a cookie.
_WAYS = re.compile(r"/(oauth/authorize|badge-hosts/callback)\?[A-Za-z0-9\-._~!$&'()*+/:@%=?]*")


def go_and_come_back(request: Request, url: str) -> Response:
    """Send the browser to `url`, and have it remember the way it was on, if that is one to go on with."""
    response = redirect(url)
    way = f"{request.scope['path']}?{request.scope['query_string'].decode('latin-1')}"
    if request.method == "GET" and len(way) <= _LONGEST and _WAYS.fullmatch(way):
        set_cookie(response, request.app.state.resources, _COOKIE, way, _LIFE)
    return response


def come_back(request: Request, world: Resources) -> Response | None:
    """On to where the browser was on its way; None where it was on none."""
    way = cookie_of(request, world, _COOKIE)
    if not _WAYS.fullmatch(way):
        return None
    response = redirect(f"{world.base_url}{way}")
    forget_cookie(response, world, _COOKIE)
    return response
