"""Errors of OAuth 2.0 as its RFCs want them: `{"error": …, "error_description": …}`, and 400 for whatever the client did."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import Response

from app.errors import AssayError
from app.oauth.bodies import OAuthError
from app.web.problems import InvalidBody

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
REGISTER = "/oauth/register"


def oauth_errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI declarations of the errors of an operation, for `responses=`."""
    return {status: {"model": OAuthError, "description": _DESCRIPTIONS[status]} for status in statuses}


_DESCRIPTIONS = {
    400: "Whatever is wrong with the request or the client (RFC 6749, section 5.2; RFC 7591, section 3.2.2)",
    503: "Try again later",
}


def oauth_error(request: Request, error: AssayError, status: int, headers: Mapping[str, str]) -> Response:
    """The answer that tells a client about `error`, whose HTTP status is `status` elsewhere."""
    if status >= 500:
        name = "temporarily_unavailable" if status == 503 else "server_error"
    else:
        name = _name(request, error)
        status = status if status in (404, 405) else 400
    places = "; ".join(f"{fault.pointer} {fault.detail}" for fault in error.faults)
    body = {"error": name, "error_description": _printable(f"{error.detail} {places}".strip())}
    return JSONResponse(body, status, {**headers, **NO_STORE})


def _name(request: Request, error: AssayError) -> str:
    if request.scope["path"] != REGISTER or not isinstance(error, InvalidBody):
        return "invalid_request"
    of_redirect = any(fault.pointer.startswith("/redirect_uris") for fault in error.faults)
    return "invalid_redirect_uri" if of_redirect else "invalid_client_metadata"


def _printable(text: str) -> str:
    """Without what RFC 6749 does not allow in a description."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "'" for c in text)
