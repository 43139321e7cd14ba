"""A request id, one log line and the metrics for every request.

The log line is an allow-list: method, route template, status, duration, principal id. No query strings, bodies, tokens or
addresses of people. Metrics are labelled by route template, so their number is bounded.
"""

import logging
import re
import secrets
import sys
import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.metrics import DURATION, REQUESTS
from app.web.problems import unforeseen_response

log = structlog.get_logger("request")

_GIVEN_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


def configure_logging(level: str, log_format: str) -> None:
    """Route structlog and the standard library's loggers to standard error, in JSON or for people."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.getLogger("uvicorn.access").disabled = True
    # At DEBUG these write down every statement with its parameters, and every outside URL: not ours to keep. Alembic tells
    # every command at INFO which database it talks to; oauthlib at DEBUG each token it made.
    for talkative in ("aiosqlite", "alembic", "sqlalchemy", "psycopg", "httpx", "httpcore", "oauthlib"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


class Observed:
    """ASGI middleware, the outermost one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        started = time.perf_counter()

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, observe)
            except Exception as error:
                if status:
                    raise
                await unforeseen_response(Request(scope), error)(scope, receive, observe)
            finally:
                _record(scope, status, time.perf_counter() - started)


def _request_id(scope: Scope) -> str:
    given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), "")
    return given if _GIVEN_ID.match(given) else secrets.token_hex(8)


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = scope["route"].path if "route" in scope else "(none)"
    method = (
        scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "OTHER"
    )
    REQUESTS.labels(method, route, str(status)).inc()
    DURATION.labels(method, route).observe(seconds)
    principal = scope.get("state", {}).get("principal_id")
    log.info("request", method=method, route=route, status=status, seconds=round(seconds, 4), principal=principal)
