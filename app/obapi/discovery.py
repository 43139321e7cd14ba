"""The Service Description Document: OpenAPI 3.0 of what is served here, for software that looks for a host (PURE)."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from app.oauth.scopes import CREDENTIAL_READONLY, CREDENTIAL_UPSERT, LEARNER_SCOPES, PROFILE_READONLY, PROFILE_UPDATE
from app.obapi.errors import PREFIX, Imsx_StatusInfo

_PUBLISHED = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0"
_BADGE = {"$ref": f"{_PUBLISHED}_achievementcredential_schema.json"}
_PROFILE = {"$ref": f"{_PUBLISHED}_profile_schema.json"}
_PAGE = {"$ref": f"{_PUBLISHED}_getopenbadgecredentialsresponse_schema.json"}
_JWS = {"type": "string", "pattern": r"^[a-zA-Z0-9_-]+\.[a-zA-Z0-9_-]*\.[a-zA-Z0-9_-]+$"}
_FAILURES = (400, 401, 403, 405, 500)


def compose_description(base_url: str, *, terms: str, privacy: str) -> dict[str, Any]:
    """The document for a service at `base_url`; `terms` and `privacy` are URLs of pages."""
    token = f"{base_url}/oauth/token"
    named = {"x-imssf-privacyPolicyUrl": privacy, "x-imssf-image": f"{base_url}/static/favicon.svg"}
    scopes = {scope: text for scope, text in LEARNER_SCOPES.items()}  # noqa: C416 - a copy of our own
    scheme = {
        "type": "oauth2",
        "description": "OAuth 2.0 Authorization Code Grant with PKCE (S256)",
        "x-imssf-name": "Assay",
        "x-imssf-privacyPolicyUrl": privacy,
        "x-imssf-termsOfServiceUrl": terms,
        "x-imssf-registrationUrl": f"{base_url}/oauth/register",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": f"{base_url}/oauth/authorize",
                "tokenUrl": token,
                "refreshUrl": token,
                "scopes": scopes,
            }
        },
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": "Assay", "version": version("assay"), "termsOfService": terms, **named},
        "servers": [{"url": f"{base_url}{PREFIX}"}],
        "tags": [{"name": "OpenBadgeCredentials"}, {"name": "Discovery"}],
        "paths": {
            "/credentials": {
                "get": _operation("getCredentials", CREDENTIAL_READONLY, {200: _PAGE}, parameters=_PAGING),
                "post": _operation("upsertCredential", CREDENTIAL_UPSERT, {200: _BADGE, 201: _BADGE}, body=_BADGE),
            },
            "/profile": {
                "get": _operation("getProfile", PROFILE_READONLY, {200: _PROFILE}),
                "put": _operation("putProfile", PROFILE_UPDATE, {200: _PROFILE}, body=_PROFILE),
            },
            "/discovery": {"get": _operation("getServiceDescription", None, {200: {"type": "object"}})},
        },
        "components": {
            "schemas": {"Imsx_StatusInfo": _inlined(Imsx_StatusInfo.model_json_schema())},
            "securitySchemes": {"OAuth2ACG": scheme},
        },
    }


_PAGING = [
    {"name": "limit", "in": "query", "schema": {"type": "integer", "format": "int32", "minimum": 1}},
    {"name": "offset", "in": "query", "schema": {"type": "integer", "format": "int32", "minimum": 0}},
    {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}},
]


def _operation(
    id_: str,
    scope: str | None,
    answers: Mapping[int, Mapping[str, Any]],
    *,
    body: Mapping[str, Any] | None = None,
    parameters: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    takes_jws = body is _BADGE
    told: dict[str, Any] = {
        str(status): {"description": "Success", "content": _content(schema, jws=takes_jws)}
        for status, schema in answers.items()
    }
    failure = {"application/json": {"schema": {"$ref": "#/components/schemas/Imsx_StatusInfo"}}}
    failures = [*map(str, _FAILURES if scope else ()), "default"]
    told |= {status: {"description": "Failure", "content": failure} for status in failures}
    operation: dict[str, Any] = {
        "operationId": id_,
        "tags": ["OpenBadgeCredentials" if scope else "Discovery"],
        "responses": told,
    }
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": True, "content": _content(body, jws=takes_jws)}
    if scope:
        operation["security"] = [{"OAuth2ACG": [scope]}]
    return operation


def _content(schema: Mapping[str, Any], *, jws: bool) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    return content | ({"text/plain": {"schema": _JWS}} if jws else {})


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its definitions where they are used: OpenAPI has another place for them."""
    definitions = schema.pop("$defs", {})

    def resolve(value: Any) -> Any:
        if isinstance(value, dict):
            if "$ref" in value:
                return resolve(definitions[value["$ref"].rpartition("/")[2]])
            return {name: resolve(each) for name, each in value.items()}
        return [resolve(each) for each in value] if isinstance(value, list) else value

    resolved: dict[str, Any] = resolve(schema)
    return resolved
