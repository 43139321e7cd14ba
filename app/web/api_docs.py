"""/docs: Swagger UI from the package's own files, so that it works without internet."""

from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from app.errors import NotFound

router = APIRouter(include_in_schema=False)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Assay API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"><link rel="icon" href="/static/favicon.svg">
</head>
<body><main id="swagger-ui"></main>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
"""
_START = (
    'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, '
    "persistAuthorization: false, validatorUrl: null});\n"
)
# Swagger UI sets style attributes on its elements; everything else is as strict as on our own pages.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MEDIA_TYPES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}


@router.get("/docs")
async def page() -> Response:
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/{name}")
async def asset(name: str) -> Response:
    headers = {"Cache-Control": "public, max-age=86400"}
    if name == "start.js":
        return Response(_START, media_type="text/javascript", headers=headers)
    if name not in _MEDIA_TYPES:
        raise NotFound("There is no such file.")
    data = (files("fastapi_swagger") / "resources" / name).read_bytes()
    return Response(data, media_type=_MEDIA_TYPES[name], headers=headers)
