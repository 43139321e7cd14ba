"""Request and response bodies of OAuth 2.0, in the members of its RFCs."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.identifiers import Identifier
from app.oauth.scopes import LEARNER_SCOPES
from app.oauth.store import OAuthClient, OAuthConsent
from app.web.fields import Line, Moment, Url


def _https(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "#" in url:
        raise ValueError("must be an https URL without fragment or user name")
    return url


HttpsUrl = Annotated[Url, AfterValidator(_https)]
GrantType = Literal["authorization_code", "refresh_token"]


class ClientRegistration(BaseModel):
    """What software says of itself (RFC 7591, section 2; Open Badges 3.0). Members that are not named here are left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    client_name: Line = Field(examples=["Badge Backpack"])
    client_uri: HttpsUrl = Field(examples=["https://backpack.example.org"])
    logo_uri: HttpsUrl = Field(examples=["https://backpack.example.org/logo.png"])
    tos_uri: HttpsUrl = Field(examples=["https://backpack.example.org/terms"])
    policy_uri: HttpsUrl = Field(examples=["https://backpack.example.org/privacy"])
    software_id: Line = Field(examples=["c88b6ed8-269e-448e-99be-7e2ff47167d1"])
    software_version: Line = Field(examples=["2.1.0"])
    redirect_uris: list[HttpsUrl] = Field(
        min_length=1, max_length=20, examples=[["https://backpack.example.org/callback"]]
    )
    token_endpoint_auth_method: Literal["client_secret_basic"] = "client_secret_basic"  # noqa: S105 - a method
    grant_types: list[GrantType] = Field(default=["authorization_code", "refresh_token"], min_length=1, max_length=2)
    response_types: list[Literal["code"]] = Field(default=["code"], min_length=1, max_length=1)
    scope: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] = Field(
        examples=[" ".join(LEARNER_SCOPES)], description="Space-separated: what the client may ever ask for."
    )
    contacts: list[Line] | None = Field(default=None, max_length=20)

    @model_validator(mode="after")
    def _one_host(self) -> "ClientRegistration":
        urls = [self.client_uri, self.logo_uri, self.tos_uri, self.policy_uri, *self.redirect_uris]
        if len({urlsplit(url).hostname for url in urls}) > 1:
            raise ValueError("all URLs must have the same host name")
        if "authorization_code" not in self.grant_types:
            raise ValueError("grant_types must have authorization_code")
        unknown = sorted(set(self.scope.split(" ")) - LEARNER_SCOPES.keys())
        if unknown:
            raise ValueError("scope has what is not known here; see scopes_supported of the server's metadata")
        return self


class ClientRegistered(ClientRegistration):
    """The registration as it was taken (RFC 7591, section 3.2.1), with the secret, which is shown this once."""

    client_id: Identifier
    client_secret: str
    client_id_issued_at: int = Field(description="Seconds since 1970.")
    client_secret_expires_at: int = Field(default=0, description="0: never.")


class OAuthError(BaseModel):
    """RFC 6749, section 5.2."""

    error: str = Field(examples=["invalid_grant"])
    error_description: str | None = None


class TokenResponse(BaseModel):
    """RFC 6749, section 5.1."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds.")
    scope: str
    refresh_token: str | None = None


class Introspection(BaseModel):
    """RFC 7662, section 2.2. Of a token that is not active, or not one of the client's own, nothing else is told."""

    active: bool
    scope: str | None = None
    client_id: str | None = None
    token_type: str | None = None
    exp: int | None = None
    iat: int | None = None
    iss: str | None = None
    sub: str | None = Field(default=None, description="The person, for a token of a learner.")


class ConsentOut(BaseModel):
    """That other software may do something with what is one's own."""

    id: Identifier
    client_id: Identifier
    client_name: str = Field(description="As the software calls itself. Nobody has checked it: look at the host.")
    client_uri: str
    scopes: list[str]
    given_at: Moment = Field(description="When it was last consented to, or revoked.")
    revoked_at: Moment | None

    @classmethod
    def of(cls, consent: OAuthConsent, client: OAuthClient) -> "ConsentOut":
        said: dict[str, Any] = client.registration
        return cls.model_validate(
            {
                "id": consent.id,
                "client_id": client.id,
                "client_name": said["client_name"],
                "client_uri": said["client_uri"],
                "scopes": consent.scopes,
                "given_at": consent.updated_at,
                "revoked_at": consent.revoked_at,
            }
        )


class ConsentList(BaseModel):
    items: list[ConsentOut]
