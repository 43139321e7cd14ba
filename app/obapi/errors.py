"""Errors of the Open Badges API: `Imsx_StatusInfo`, with 400 for whatever is wrong with a request."""

from collections.abc import Mapping
from typing import Any, Literal

from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from app.errors import AssayError
from app.oauth.tokens import InsufficientScope

PREFIX = "/ims/ob/v3p0"

CodeMinor = Literal[
    "forbidden", "fullsuccess", "internal_server_error", "invalid_data", "invalid_query_parameter", "misdirected_request",
    "not_acceptable", "not_allowed", "not_found", "not_modified", "server_busy", "unauthorizedrequest", "unknown",
]  # fmt: skip


class CodeMinorField(BaseModel):
    imsx_codeMinorFieldName: str
    imsx_codeMinorFieldValue: CodeMinor


class CodeMinorFields(BaseModel):
    imsx_codeMinorField: list[CodeMinorField]


class Imsx_StatusInfo(BaseModel):
    """How the Open Badges API tells of a failure (Open Badges 3.0, Imsx_StatusInfo)."""

    imsx_codeMajor: Literal["failure", "processing", "success", "unsupported"]
    imsx_severity: Literal["error", "status", "warning"]
    imsx_description: str | None = None
    imsx_codeMinor: CodeMinorFields | None = None


_STATUSES: Mapping[int, tuple[int, CodeMinor]] = {
    401: (401, "unauthorizedrequest"),
    403: (403, "forbidden"),
    404: (404, "not_found"),
    405: (405, "not_allowed"),
    406: (400, "not_acceptable"),
    410: (404, "not_found"),
    500: (500, "internal_server_error"),
    503: (503, "server_busy"),
}
"""From the status elsewhere to the one here, and the minor code. What is not named is wrong data: 400."""

_DESCRIPTIONS = {
    400: "The request is wrong",
    401: "The access token is missing or not good",
    403: "The learner did not let the software do this",
    404: "There is no such thing",
    405: "The method is not allowed",
    500: "A fault of this service",
    503: "Try again later",
}


def imsx_errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI declarations of the errors of an operation, for `responses=`."""
    return {status: {"model": Imsx_StatusInfo, "description": _DESCRIPTIONS[status]} for status in statuses}


def imsx_error(_: Request, error: AssayError, status: int, headers: Mapping[str, str]) -> Response:
    """The answer that tells software about `error`, whose HTTP status is `status` elsewhere."""
    here, minor = _STATUSES.get(status, (400, "invalid_data"))
    if here == 400 and any(fault.pointer.startswith("/query") for fault in error.faults):
        minor = "invalid_query_parameter"
    places = " ".join(f"{fault.pointer or 'It'} {fault.detail}: {fault.cure}." for fault in error.faults)
    told = Imsx_StatusInfo(
        imsx_codeMajor="failure",
        imsx_severity="error",
        imsx_description=f"{error.detail} {places}".strip(),
        imsx_codeMinor=CodeMinorFields(
            imsx_codeMinorField=[
                CodeMinorField(imsx_codeMinorFieldName="TargetEndSystem", imsx_codeMinorFieldValue=minor)
            ]
        ),
    )
    challenge = {}
    if here == 401:
        challenge = {"WWW-Authenticate": 'Bearer realm="assay", error="invalid_token"'}
    elif isinstance(error, InsufficientScope):
        challenge = {"WWW-Authenticate": 'Bearer realm="assay", error="insufficient_scope"'}
    return JSONResponse(told.model_dump(exclude_none=True), here, {**headers, **challenge})
