"""The one map from a domain error to an answer: problem details as of RFC 9457, with a stable `code`.

    {"type": "https://…/problems/not_found", "code": "not_found", "title": …, "status": 404, "detail": …, "request_id": …,
     "errors": [{"pointer": "/results/0/level", "detail": …, "cure": …}]}

What nobody foresaw becomes `internal_error`: it is logged with its traceback and tells the caller nothing but the request id.
"""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from app.errors import (
    AssayError,
    Broken,
    Conflict,
    Fault,
    Forbidden,
    InvalidInput,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from app.web.fields import FORMS
from app.web.problem_types import PROBLEM_TYPES
from app.web.ranges import RangeNotSatisfiable

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class PlaceOfFault(BaseModel):
    pointer: str = Field(
        description="JSON Pointer (RFC 6901) into the body; parameters stand at /query, /path, /header."
    )
    detail: str
    cure: str = ""


class ProblemDetails(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(examples=["https://badges.example.org/problems/not_found"])
    code: str = Field(examples=["not_found"])
    title: str = Field(examples=["There is no such object"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no achievement with this id."])
    cure: str = Field(default="", examples=["Check the id and the token."])
    request_id: str = Field(default="", examples=["5f1c0a6e9b7d4c52"])
    errors: list[PlaceOfFault] = Field(default_factory=list)


class InvalidBody(InvalidInput):
    code = "invalid_body"


class MethodNotAllowed(AssayError):
    code = "method_not_allowed"


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI declarations of the problem answers of an operation, for `responses=`."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def problem_response(request: Request, error: AssayError) -> Response:
    """The answer that tells the caller about `error`."""
    return _problem(request, error, detail=error.detail, cure=error.cure, faults=error.faults)


Shape = Callable[[Request, AssayError, int, Mapping[str, str]], Response]
"""How a standard's own endpoints tell of an error: of the request, the error, the HTTP status it has elsewhere, and headers."""


def _shape_of(request: Request) -> Shape | None:
    """How errors are told at this path; None for problem details. `main` sets `error_shapes`: prefixes of paths."""
    shapes: Mapping[str, Shape] = getattr(request.app.state, "error_shapes", {}) if "app" in request.scope else {}
    return next((shape for prefix, shape in shapes.items() if request.scope["path"].startswith(prefix)), None)


def _problem(request: Request, error: AssayError, *, detail: str, cure: str, faults: Iterable[Fault]) -> Response:
    problem = PROBLEM_TYPES[error.code]
    shape = _shape_of(request)
    if shape is not None:
        told = type(error)(detail, faults=faults, cure=cure) if isinstance(error, Broken) else error
        return shape(request, told, problem.status, _headers(error))
    base = request.app.state.base_url if "app" in request.scope else ""
    details = ProblemDetails(
        type=error.type_uri or f"{base}/problems/{problem.code}",
        code=problem.code,
        title=problem.title,
        status=problem.status,
        detail=detail,
        cure=cure or problem.cure,
        request_id=getattr(request.state, "request_id", ""),
        errors=[PlaceOfFault(pointer=f.pointer, detail=f.detail, cure=f.cure) for f in faults],
    )
    return JSONResponse(
        details.model_dump(), status_code=problem.status, headers=_headers(error), media_type=MEDIA_TYPE
    )


def _headers(error: AssayError) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="assay"'}
    if isinstance(error, RangeNotSatisfiable):
        return {"Content-Range": f"bytes */{error.size}"}
    if isinstance(error, Unavailable) or error.code in ("request_in_progress", "credential_pending"):
        return {"Retry-After": "2"}
    return {}


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of the application leave as problem details."""

    async def domain_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, AssayError)
        if isinstance(error, Broken):
            log.error("incident", code=error.code, exc_info=error)
            # What broke is the operator's to know. The caller gets the code's own sentences and the request id.
            return _problem(request, error, detail=PROBLEM_TYPES[error.code].cause, cure="", faults=())
        return problem_response(request, error)

    async def validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(request, from_validation(error))

    async def http_exception(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = problem_response(request, _from_http(error))
        response.headers.update(error.headers or {})
        if error.status_code == 405:
            response.headers["Allow"] = ", ".join(_methods_here(request))
        return response

    async def lost_race(request: Request, error: Exception) -> Response:
        assert isinstance(error, IntegrityError)
        # Only the constraint's name: the driver's sentence quotes the values, which may be personal data.
        log.warning("integrity_error", constraint=getattr(getattr(error.orig, "diag", None), "constraint_name", None))
        return problem_response(request, Conflict("Another request changed the same thing at the same moment.",
                                                  cure="Read the object again and repeat the request."))  # fmt: skip

    async def database_away(request: Request, error: Exception) -> Response:
        log.error("database_unavailable", error=type(error).__name__)
        return problem_response(
            request,
            Unavailable(
                "The database did not answer, so it is not known whether the change was stored.",
                cure="Repeat the request with the same Idempotency-Key, or look before you repeat it.",
            ),
        )

    app.add_exception_handler(IntegrityError, lost_race)
    app.add_exception_handler(OperationalError, database_away)
    app.add_exception_handler(PoolTimeout, database_away)
    app.add_exception_handler(AssayError, domain_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(HTTPException, http_exception)


def unforeseen_response(request: Request, error: Exception) -> Response:
    """The answer when nobody foresaw `error`: the log gets the traceback, the caller the request id."""
    log.error("unforeseen_error", exc_info=error)
    return problem_response(request, Broken("An unforeseen error. The operator finds it by the request id."))


def _methods_here(request: Request) -> list[str]:
    """The methods of all routes with this path (RFC 9110 section 10.2.1); the router itself knows the first one's only."""
    return [
        method
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]


def from_validation(error: RequestValidationError) -> AssayError:
    """What a request that does not fit the API is told. What cannot be an id names nothing: that is a 404 like any other."""
    errors = error.errors()
    if any(e["loc"][:1] == ("path",) for e in errors):
        return NotFound("There is nothing at this address.")
    return _invalid_body(errors, error.body)


def _from_http(error: HTTPException) -> AssayError:
    by_status: Mapping[int, type[AssayError]] = {
        401: Unauthenticated, 403: Forbidden, 404: NotFound, 405: MethodNotAllowed,
    }  # fmt: skip
    if error.status_code == 404:
        return NotFound("There is nothing at this address.")
    return by_status.get(error.status_code, InvalidBody)(str(error.detail))


def faults_of(error: ValidationError, document: Any) -> list[Fault]:
    """What Pydantic found wrong with a document that is not a request body, with the pointers and words of one that is."""
    return _faults(({**each, "loc": ("body", *each["loc"])} for each in error.errors()), document)


def _faults(errors: Iterable[Any], body: Any) -> list[Fault]:
    # The alternatives of a union each report; where they say the same of the same place, once is enough.
    return list(dict.fromkeys(Fault(_pointer(e["loc"], e["type"], body), *_message(e)) for e in errors))


def _invalid_body(errors: Iterable[Any], body: Any) -> InvalidBody:
    faults = _faults(errors, body)
    places = ", ".join(sorted({f.pointer or "the body" for f in faults})[:5])
    return InvalidBody(f"The request does not fit the API at {places}.", faults=faults)


def _pointer(location: tuple[str | int, ...], kind: str, body: Any) -> str:
    """The JSON Pointer of a place that Pydantic names, which has names of its own models and alternatives in it."""
    if location[:1] != ("body",):
        return _join(location)
    parts: list[str | int] = []
    for position, part in enumerate(location[1:], 1):
        is_member = isinstance(body, dict) and part in body
        is_item = isinstance(body, list) and isinstance(part, int) and part < len(body)
        if is_member or is_item:
            parts.append(part)
            body = body[part]
        elif kind == "missing" and position == len(location) - 1:
            parts.append(part)
    return _join(parts)


def _join(parts: Iterable[str | int]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


_MESSAGES: Mapping[str, tuple[str, str]] = {
    "missing": ("is missing", "add it"),
    "extra_forbidden": (
        "is not a member of this object",
        "check its spelling against the schema in /docs, or leave it out",
    ),
    "string_type": ("must be text", "write it in quotes"),
    "int_type": ("must be a whole number", "write it without quotes"),
    "bool_type": ("must be true or false", "write it without quotes"),
    "list_type": ("must be an array", "put it in brackets"),
    "dict_type": ("must be an object", "put it in braces"),
    "model_type": ("must be an object", "put it in braces"),
    "model_attributes_type": ("must be an object", "put it in braces"),
    "json_invalid": ("is not JSON", "send valid JSON"),
    "timezone_aware": ("must have a time zone", "end it with Z or an offset, like 2026-04-09T14:00:00Z"),
    "datetime_from_date_parsing": ("must be a date and time", "write it like 2026-04-09T14:00:00Z"),
    "datetime_parsing": ("must be a date and time", "write it like 2026-04-09T14:00:00Z"),
}
"""Pydantic's error types in our words: what is wrong, and the cure."""


def _message(error: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong and the cure. Never `input`, which may hold personal data or a secret."""
    if error["type"] == "string_pattern_mismatch":
        pattern = error["ctx"]["pattern"]
        return "does not have the form that is wanted", f"write {FORMS.get(pattern) or f'what matches {pattern}'}"
    return _MESSAGES.get(error["type"]) or (str(error["msg"]).removeprefix("Value error, "), "")
