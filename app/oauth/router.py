"""/oauth and /.well-known/oauth-authorization-server: registration, tokens, revocation, introspection, metadata.

The authorization endpoint, where people consent, is a page: `app.public.authorize`.
"""

from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials
from fastapi.security.http import HTTPBase
from pydantic import BaseModel

from app.access.principals import Scope
from app.oauth.bodies import ClientRegistered, ClientRegistration, Introspection, TokenResponse
from app.oauth.clients import authenticate
from app.oauth.errors import NO_STORE, oauth_errors
from app.oauth.protocol import Answer
from app.oauth.redeem import answer_token_request
from app.oauth.register import register_client
from app.oauth.scopes import LEARNER_SCOPES
from app.oauth.tokens import answer_revocation, introspect
from app.web.dependencies import Now, Session, World

router = APIRouter(tags=["OAuth 2.0"])

# For the document alone: what the header proves, `authenticate` finds out, and OAuth has its own words for what it does not.
_basic = HTTPBase(
    scheme="basic", scheme_name="oauth_client", auto_error=False,
    description="A client's id and secret. An API client's secret is its token.",
)  # fmt: skip
ClientCredentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_basic)]


async def _form(request: Request) -> str:
    return (await request.body()).decode("utf-8", "replace")


Form = Annotated[str, Depends(_form)]


def _form_body(example: dict[str, str], *required: str) -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in example}
    schema = {"type": "object", "properties": properties, "required": list(required)}
    content = {"application/x-www-form-urlencoded": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


class ServerMetadata(BaseModel):
    """RFC 8414, section 2."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    registration_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    jwks_uri: str
    service_documentation: str
    scopes_supported: list[str]
    response_types_supported: list[str] = ["code"]
    response_modes_supported: list[str] = ["query"]
    grant_types_supported: list[str] = ["authorization_code", "refresh_token", "client_credentials"]
    code_challenge_methods_supported: list[str] = ["S256"]
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    revocation_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    introspection_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    authorization_response_iss_parameter_supported: bool = True


@router.get("/.well-known/oauth-authorization-server", operation_id="fetch_oauth_metadata")
async def metadata(world: World) -> ServerMetadata:
    """What this authorization server can, and where (RFC 8414)."""
    base = world.base_url
    return ServerMetadata(
        issuer=base,
        authorization_endpoint=f"{base}/oauth/authorize",
        token_endpoint=f"{base}/oauth/token",
        registration_endpoint=f"{base}/oauth/register",
        revocation_endpoint=f"{base}/oauth/revoke",
        introspection_endpoint=f"{base}/oauth/introspect",
        jwks_uri=f"{base}/.well-known/jwks.json",
        service_documentation=f"{base}/docs",
        scopes_supported=[*LEARNER_SCOPES, *(scope.value for scope in Scope if scope is not Scope.PLATFORM)],
    )


REGISTRATION = {
    "client_name": "Badge Backpack", "client_uri": "https://backpack.example.org",
    "logo_uri": "https://backpack.example.org/logo.png", "tos_uri": "https://backpack.example.org/terms",
    "policy_uri": "https://backpack.example.org/privacy", "software_id": "c88b6ed8-269e-448e-99be-7e2ff47167d1",
    "software_version": "2.1.0", "redirect_uris": ["https://backpack.example.org/callback"],
    "scope": " ".join(LEARNER_SCOPES),
}  # fmt: skip


@router.post("/oauth/register", status_code=201, operation_id="register_oauth_client", response_model=ClientRegistered,
             response_model_exclude_none=True, responses=oauth_errors(400, 503),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": REGISTRATION}}}})  # fmt: skip
async def register(body: ClientRegistration, session: Session, now: Now) -> Response:
    """Register software that learners may let at their badges (RFC 7591, as Open Badges 3.0 profiles it). No token is needed.

    All URLs are https and of one host. What nobody consented to within 90 days is forgotten.
    """
    said = body.model_dump(exclude_none=True)
    client, secret = await register_client(session, said, now=now)
    answer = {
        **said, "client_id": client.id, "client_secret": secret, "client_id_issued_at": int(now.timestamp()),
        "client_secret_expires_at": 0,
    }  # fmt: skip
    return JSONResponse(answer, 201, NO_STORE)


@router.post("/oauth/token", operation_id="redeem_oauth_token", responses=oauth_errors(400, 503),
             response_model=TokenResponse, openapi_extra=_form_body({
                 "grant_type": "authorization_code", "code": "assay_…", "redirect_uri": "https://backpack.example.org/callback",
                 "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "refresh_token": "assay_…",
                 "scope": "https://purl.imsglobal.org/spec/ob/v3p0/scope/credential.readonly"}, "grant_type"))  # fmt: skip
async def token(
    request: Request, form: Form, _: ClientCredentials, session: Session, world: World, now: Now
) -> Response:
    """Redeem a code, a refresh token or a client's own credentials for an access token, good for an hour.

    A code is taken once, within ten minutes; a refresh token once: each answer brings the next. What comes a second time ends
    everything that came of it. `grant_type=client_credentials` is for API clients: their id, and their token as the secret; the
    access token does what the API client may, or `scope` of it.
    """
    fields = {name: values[0] for name, values in _parse(form).items()}
    authorization = request.headers.get("authorization")
    return _answer(
        await answer_token_request(session, form, fields, authorization=authorization, iss=world.base_url, now=now)
    )


@router.post("/oauth/revoke", operation_id="revoke_oauth_token", responses=oauth_errors(400, 503), response_class=Response,
             openapi_extra=_form_body({"token": "assay_…", "token_type_hint": "refresh_token"}, "token"))  # fmt: skip
async def revoke(
    request: Request, form: Form, _: ClientCredentials, session: Session, world: World, now: Now
) -> Response:
    """Revoke a token of one's own (RFC 7009). With a refresh token go all tokens that came of the same consent.

    A token that is not known is answered 200 as well.
    """
    authorization = request.headers.get("authorization")
    return _answer(await answer_revocation(session, form, authorization=authorization, iss=world.base_url, now=now))


@router.post("/oauth/introspect", operation_id="introspect_oauth_token", responses=oauth_errors(400, 503),
             response_model=Introspection, response_model_exclude_none=True,
             openapi_extra=_form_body({"token": "assay_…", "token_type_hint": "access_token"}, "token"))  # fmt: skip
async def introspect_(
    request: Request, form: Form, _: ClientCredentials, session: Session, world: World, now: Now
) -> Response:
    """Ask whether a token is good and what for (RFC 7662): one's own, or any with the operator's client."""
    client = await authenticate(session, request.headers.get("authorization"), now)
    if client is None:
        return _answer(Answer(400, {"error": "invalid_client"}))
    named = _parse(form).get("token", [])
    if len(named) != 1:
        return _answer(Answer(400, {"error": "invalid_request", "error_description": "Send one token."}))
    return _answer(Answer(200, await introspect(session, named[0], client, iss=world.base_url, now=now)))


def _parse(form: str) -> dict[str, list[str]]:
    try:
        return parse_qs(form, max_num_fields=50)
    except ValueError:
        return {}


def _answer(answer: Answer) -> Response:
    return JSONResponse(answer.body, answer.status, NO_STORE)
