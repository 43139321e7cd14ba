"""OAuth 2.0 by oauthlib, on facts that are loaded already. PURE but for the randomness of codes and tokens.

oauthlib asks a validator what is so while it follows the RFCs, and tells it what is to be kept. This one answers from `Facts` and
keeps in `Outcome`, so that the library, which knows nothing of asyncio, never waits for the database.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from oauthlib.common import Request
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    BearerToken,
    ClientCredentialsGrant,
    FatalClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    RefreshTokenGrant,
    RequestValidator,
    RevocationEndpoint,
    TokenEndpoint,
)
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import code_challenge_method_s256

from app.access.tokens import format_token, new_secret
from app.identifiers import new_id
from app.oauth.scopes import OFFLINE_ACCESS

ACCESS_TOKEN_SECONDS = 3600
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Client:
    """A client that is known. `kind`: one that registered itself, or an API client (of the platform without `issuer_id`)."""

    client_id: str
    kind: Literal["registered", "api"]
    scopes: frozenset[str]
    redirect_uris: Sequence[str] = ()
    grant_types: Collection[str] = ("client_credentials",)
    issuer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Redeemable:
    """An authorization whose code, or a refresh token of which, is good and the client's own."""

    scopes: Sequence[str]
    redirect_uri: str
    code_challenge: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so. `authenticated` is None where the client did not prove who it is; `registered` is whom the request names."""

    authenticated: Client | None = None
    registered: Client | None = None
    code: Redeemable | None = None
    refresh_token: Redeemable | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the HTTP answer is."""

    status: int
    body: Mapping[str, Any]


@dataclass(slots=True)
class Outcome:
    """What is to be kept: a code, or a token response."""

    code: str | None = None
    token: Mapping[str, Any] | None = None
    scopes: list[str] = field(default_factory=list)
    revoked: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that fits. `scopes` are what the client wants."""

    client: Client
    redirect_uri: str
    scopes: list[str]
    state: str
    code_challenge: str


class Unredirectable(Exception):
    """An authorization request that names no client, or no address of the client: nobody is to be sent there."""


class Refused(Exception):
    """An authorization request that does not fit; `location` is where the browser tells the client so."""

    def __init__(self, location: str) -> None:
        super().__init__("the authorization request was refused")
        self.location = location


class _Validator(RequestValidator):  # type: ignore[misc]  # oauthlib has no types
    """Answers oauthlib's questions. The names of its methods are the library's."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.outcome = Outcome()

    # -- who asks
    def client_authentication_required(self, request: Request, *_: Any, **__: Any) -> bool:
        return True

    def authenticate_client(self, request: Request, *_: Any, **__: Any) -> bool:
        client = self._facts.authenticated
        # A form may name the client as well (RFC 6749, section 3.2.1), and then the same one.
        if client is None or request.client_id not in (None, client.client_id):
            return False
        request.client, request.client_id = client, client.client_id
        return True

    def validate_client_id(self, client_id: str, request: Request, *_: Any, **__: Any) -> bool:
        request.client = self._facts.registered
        return self._facts.registered is not None

    def validate_grant_type(self, client_id: str, grant_type: str, client: Client, *_: Any, **__: Any) -> bool:
        return grant_type in client.grant_types

    # -- the authorization request
    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Request, *_: Any, **__: Any) -> bool:
        return self._facts.registered is not None and redirect_uri in self._facts.registered.redirect_uris

    def get_default_redirect_uri(self, client_id: str, request: Request, *_: Any, **__: Any) -> None:
        return None

    def validate_response_type(self, client_id: str, response_type: str, *_: Any, **__: Any) -> bool:
        return response_type == "code"

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        return True

    def get_default_scopes(self, client_id: str, request: Request, *_: Any, **__: Any) -> list[str]:
        client = self._facts.authenticated or self._facts.registered
        return [] if client is None else sorted(client.scopes)

    def validate_scopes(self, client_id: str, scopes: Sequence[str], client: Client, *_: Any, **__: Any) -> bool:
        return bool(scopes) and client.scopes.issuperset(scopes)

    def save_authorization_code(self, client_id: str, code: Mapping[str, str], request: Request, *_: Any) -> None:
        self.outcome.code = code["code"]
        self.outcome.scopes = list(request.scopes)

    # -- the token request
    def validate_code(self, client_id: str, code: str, client: Client, request: Request, *_: Any, **__: Any) -> bool:
        if self._facts.code is None:
            return False
        # OB 3.0 has clients repeat the scope here, RFC 6749 does not know it: it may be left out, and ask for less, not for more.
        request.scopes = request.scopes or list(self._facts.code.scopes)
        if not set(self._facts.code.scopes).issuperset(request.scopes):
            raise InvalidScopeError(request=request)
        return True

    def get_code_challenge(self, code: str, request: Request) -> str | None:
        return self._facts.code.code_challenge if self._facts.code else None

    def get_code_challenge_method(self, code: str, request: Request) -> str:
        return "S256"

    def confirm_redirect_uri(self, client_id: str, code: str, redirect_uri: str, *_: Any, **__: Any) -> bool:
        if self._facts.code is None or redirect_uri != self._facts.code.redirect_uri:
            raise InvalidGrantError(description="The redirect_uri is another than before.")  # RFC 6749, section 5.2
        return True

    def invalidate_authorization_code(self, client_id: str, code: str, request: Request, *_: Any, **__: Any) -> None:
        """Whoever applies the outcome does it, with the tokens."""

    def validate_refresh_token(self, refresh_token: str, client: Client, request: Request, *_: Any, **__: Any) -> bool:
        return self._facts.refresh_token is not None

    def get_original_scopes(self, refresh_token: str, request: Request, *_: Any, **__: Any) -> list[str]:
        return list(self._facts.refresh_token.scopes) if self._facts.refresh_token else []

    def rotate_refresh_token(self, request: Request) -> bool:
        return True

    def save_bearer_token(self, token: Mapping[str, Any], request: Request, *_: Any, **__: Any) -> None:
        self.outcome.token = dict(token)
        self.outcome.scopes = list(request.scopes)

    # -- revocation
    def revoke_token(self, token: str, token_type_hint: str, request: Request, *_: Any, **__: Any) -> None:
        self.outcome.revoked = token


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """Codes in our form, S256 alone, and what OB 3.0 asks beyond RFC 6749."""

    _code_challenge_methods = {"S256": code_challenge_method_s256}  # noqa: RUF012 - as the library declares it

    def __init__(self, validator: _Validator, iss: str) -> None:
        super().__init__(validator, pre_auth=[_require_profile])
        self._iss = iss
        self.register_token_modifier(_without_unwanted_refresh_token)

    def create_authorization_code(self, request: Request) -> dict[str, str]:
        code = format_token(new_id(), new_secret())
        return {"code": code, "scope": " ".join(request.scopes), "state": request.state, "iss": self._iss}


def _require_profile(request: Request) -> dict[str, Any]:
    request.response_mode = "query"
    if not request.state:
        raise InvalidRequestError(description="Missing state parameter.", request=request)
    if request.code_challenge is not None and not _CHALLENGE.fullmatch(request.code_challenge):
        raise InvalidRequestError(description="The code_challenge is not one of S256.", request=request)
    return {}


def _without_unwanted_refresh_token(token: dict[str, Any], _: Any, request: Request) -> dict[str, Any]:
    if OFFLINE_ACCESS not in request.scopes:
        token.pop("refresh_token", None)
    return token


def read_authorization_request(facts: Facts, query: str, *, iss: str) -> Asked:
    """What an authorization request (its query) asks for. Raises Unredirectable, Refused."""
    validator = _Validator(facts)
    try:
        scopes, info = _authorization_endpoint(validator, iss).validate_authorization_request(f"{iss}/?{query}")
    except FatalClientError as error:
        raise Unredirectable(error.description or error.error) from None
    except ValueError:
        raise Unredirectable("The address cannot be read.") from None
    except OAuth2Error as error:
        raise Refused(_with_iss(error.in_uri(error.redirect_uri), iss)) from None
    assert facts.registered is not None
    return Asked(facts.registered, info["redirect_uri"], scopes, info["state"], info["code_challenge"])


def grant(facts: Facts, query: str, *, iss: str) -> tuple[str, str]:
    """Where the browser takes the new code, and that code. The request has been read before."""
    validator = _Validator(facts)
    headers, _, _ = _authorization_endpoint(validator, iss).create_authorization_response(f"{iss}/?{query}")
    assert validator.outcome.code is not None
    return headers["Location"], validator.outcome.code


def refuse(asked: Asked, *, iss: str) -> str:
    """Where the browser tells the client that the person said no (RFC 6749, section 4.1.2.1)."""
    told = {"error": "access_denied", "error_description": "The person refused.", "state": asked.state, "iss": iss}
    return _add_parameters(asked.redirect_uri, told)


def redeem(facts: Facts, form: str, *, iss: str) -> tuple[Answer, Outcome]:
    """The answer of the token endpoint to a form, and what is to be kept of it."""
    validator = _Validator(facts)
    bearer = BearerToken(validator, lambda _: format_token(new_id(), new_secret()), ACCESS_TOKEN_SECONDS)
    grants = {
        "authorization_code": _CodeGrant(validator, iss),
        "refresh_token": RefreshTokenGrant(validator),
        "client_credentials": ClientCredentialsGrant(validator),
    }
    endpoint = TokenEndpoint("client_credentials", bearer, grants)
    return _called(endpoint.create_token_response, form, iss), validator.outcome


def revoke(facts: Facts, form: str, *, iss: str) -> tuple[Answer, Outcome]:
    """The answer of the revocation endpoint to a form (RFC 7009), and the token to be revoked."""
    validator = _Validator(facts)
    return _called(RevocationEndpoint(validator).create_revocation_response, form, iss), validator.outcome


def _called(endpoint: Any, form: str, iss: str) -> Answer:
    try:
        _, body, status = endpoint(iss, "POST", form, {"Content-Type": "application/x-www-form-urlencoded"})
    except OAuth2Error as error:  # what is wrong with the request as such
        body, status = error.json, 400
    except ValueError:
        return Answer(400, {"error": "invalid_request", "error_description": "The form cannot be read."})
    # OB 3.0: all errors are 400, also those of a client that is not known.
    return Answer(200 if status == 200 else 400, json.loads(body) if body else {})


def _authorization_endpoint(validator: _Validator, iss: str) -> Any:
    grant_type = _CodeGrant(validator, iss)
    return AuthorizationEndpoint("code", BearerToken(validator), {"code": grant_type})


def _with_iss(location: str, iss: str) -> str:
    return _add_parameters(location, {"iss": iss})


def _add_parameters(url: str, parameters: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"
