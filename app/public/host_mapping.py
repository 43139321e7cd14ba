"""DID documents at issuers' own domains: a host that leads to this service is answered for.

The Host header is whatever the client writes. It selects among documents that are public anyway and nothing else: not an
address that we write anywhere, and no permission. It is read as a DID, so that one look into the register tells whether there
is anything for it; a host that is nobody's DID goes on to the routes, which do not look at it.
"""

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import Unavailable
from app.issuers.did_document import find_did_web
from app.issuers.store import find_issuer_by_did
from app.resources import Resources
from app.web.problems import problem_response


class HostMapping:
    """ASGI middleware: a request for the document of an issuer's DID goes to that issuer's did.json, whatever its path."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            did = find_did_web(Headers(scope=scope).get("host", ""), scope["path"])
            try:
                slug = await _find_slug(scope, did) if did is not None else None
            except (OperationalError, PoolTimeout):  # the application's handlers of errors are further in
                away = Unavailable("The database did not answer.")
                await problem_response(Request(scope), away)(scope, receive, send)
                return
            if slug is not None:
                # In place: what surrounds this looks into the scope for the route that answered.
                scope["path"] = f"/issuers/{slug}/did.json"
        await self.app(scope, receive, send)


async def _find_slug(scope: Scope, did: str) -> str | None:
    world: Resources = scope["app"].state.resources
    async with world.database.reading() as session:
        issuer = await find_issuer_by_did(session, did)
    return issuer.slug if issuer else None
