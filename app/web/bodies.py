"""What a request body may be, checked before any route sees it.

JSON is read once by `app.strict_json` (no duplicate members, NaN, numbers beyond 2^53, nesting over 64) and has at most 1 MiB,
a competency framework and a set of badges to be recognized 8 MiB; a picture (PNG or SVG) has at most 2 MiB, a baked one that is
to be verified 4 MiB; a form is taken by the sign-in pages and OAuth 2.0 only and has at most 16 KiB; anything else is refused.
A file of evidence is not read here: its route streams it, and counts and checks it on the way.
"""

import asyncio
import re

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import strict_json
from app.errors import Fault, InvalidInput
from app.openbadges.baking import MAX_BAKED
from app.web.problems import problem_response

MAX_JSON = 1 << 20
MAX_IMAGE = 2 << 20
MAX_FRAMEWORK = 8 << 20
MAX_BADGES = 8 << 20
SMALL_JSON = 16 << 10
MAX_KEPT = 256 << 10
"""A badge that a learner's software puts here: as large as those that we issue, for a learner may have a thousand."""
LIMITS = {
    "application/json": MAX_JSON,
    "application/ld+json": MAX_JSON,
    "image/png": MAX_IMAGE,
    "image/svg+xml": MAX_IMAGE,
}
FORM = "application/x-www-form-urlencoded"
MAX_FORM = 16 << 10
OF_PATHS = {
    ("/ims/ob/v3p0/credentials", "text/plain"): MAX_KEPT,
    ("/ims/ob/v3p0/credentials", "application/vc+ld+json"): MAX_KEPT,
}
"""Media types that are read at one path alone, with their limits. What is no JSON is checked by the route."""
_FORM_PATHS = re.compile(r"/sign-in/.+|/sign-out|/oauth/(authorize|token|revoke|introspect)")
LIMITS_OF_PATHS = {
    ("/ims/ob/v3p0/credentials", "application/json"): MAX_KEPT,
    ("/v1/verify", "image/png"): MAX_BAKED,
    ("/v1/verify", "image/svg+xml"): MAX_BAKED,
    ("/v1/frameworks", "application/json"): MAX_FRAMEWORK,
    ("/v1/recognitions", "application/json"): MAX_BADGES,
}
"""What is larger than elsewhere: a baked SVG may hold a picture of 2 MiB in base64 and a credential."""
STREAMED = re.compile(r"/v1/submissions/[^/]+/artifacts/[^/]+/file")
"""Paths to which a body of any size is put."""


class BodyTooLarge(InvalidInput):
    code = "body_too_large"


class UnsupportedMediaType(InvalidInput):
    code = "unsupported_media_type"


def media_type_of(request: Request) -> str:
    """The media type of the body, in lower case, without parameters; "" when the request names none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


class BodyLimits:
    """ASGI middleware: reads the whole body within its limit, checks it and hands it on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS") or _is_streamed(scope):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            body = await _read(request)
        except InvalidInput as error:
            await problem_response(request, error)(scope, receive, send)
            return
        await self.app(scope, _replay(body, receive), send)


class HeadAsGet:
    """ASGI middleware: HEAD is GET without the body (RFC 9110 section 9.3.2), for every route there is.

    A route to which making the body is dear asks `is_head`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        scope.setdefault("state", {})["is_head"] = True
        await self.app({**scope, "method": "GET"}, receive, without_body)


def is_head(request: Request) -> bool:
    """Whether nothing but the headers of the answer is sent."""
    return getattr(request.state, "is_head", False)


def _is_streamed(scope: Scope) -> bool:
    return scope["method"] == "PUT" and STREAMED.fullmatch(scope["path"]) is not None


async def _read(request: Request) -> bytes:
    media_type = media_type_of(request)
    is_form = media_type == FORM and _FORM_PATHS.fullmatch(request.scope["path"]) is not None
    place = (request.scope["path"], media_type)
    limit = LIMITS_OF_PATHS.get(place) or OF_PATHS.get(place) or LIMITS.get(media_type, MAX_JSON)
    limit = MAX_FORM if is_form else limit
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            is_image = media_type.startswith("image/")
            cure = "shrink the image" if is_image else "split the request; send a picture by itself"
            fault = Fault("", f"the body is larger than {limit} bytes", cure)
            raise BodyTooLarge(f"A body of {media_type or 'this type'} may have {limit} bytes.", faults=[fault])
    if is_form:
        return bytes(body)
    if body and media_type not in LIMITS and (request.scope["path"], media_type) not in OF_PATHS:
        fault = Fault("", f"the media type is {media_type or 'missing'}", f"send one of {', '.join(LIMITS)}")
        raise UnsupportedMediaType("The Content-Type of the body is not one this service reads.", faults=[fault])
    if body and not media_type.startswith(("image/", "text/")):
        await _check_json(bytes(body))
    return bytes(body)


async def _check_json(body: bytes) -> None:
    """A large body is read in a thread: other requests go on meanwhile."""
    if len(body) > SMALL_JSON:
        await asyncio.to_thread(strict_json.loads, body)
    else:
        strict_json.loads(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
