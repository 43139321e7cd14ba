"""Request and response bodies of people."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StrictBool, model_validator

from app.access.principals import Role
from app.access.sessions import LONGEST_TOKEN_LIFE
from app.access.store import Person, PersonSession
from app.identifiers import Identifier
from app.people.identities import KnownPerson
from app.people.people import PersonFacts
from app.people.store import Mail, OidcProvider
from app.web.fields import Body, Email, ExternalId, Line, Moment, Url


class PersonCreate(Body):
    """Somebody who is to sign in."""

    name: Line = Field(examples=["Ada Example"])
    email: Email
    external_id: ExternalId | None = None
    learner_id: Identifier | None = Field(default=None, description="Who they are as a learner, if they are one.")
    roles: list[Role] = Field(default_factory=list, max_length=20, examples=[["assessor"]])
    invite: StrictBool = Field(default=False, description="Mail them a welcome with the address of the sign-in page.")

    def facts(self) -> PersonFacts:
        return PersonFacts(self.name, self.email, self.external_id, self.learner_id)


class PersonChange(Body):
    """What is to be different. Nothing is changed that is left out."""

    name: Line | None = None
    email: Email | None = None
    is_active: StrictBool | None = Field(
        default=None, description="False signs them out everywhere and lets them in no more."
    )
    learner_id: Identifier | None = Field(default=None, description="Who they are as a learner.")

    @model_validator(mode="after")
    def _changes_something(self) -> "PersonChange":
        if not self.model_fields_set or any(getattr(self, name) is None for name in self.model_fields_set):
            raise ValueError("give at least one of name, email, is_active, learner_id; none of them can be null")
        return self


class RolesBody(Body):
    roles: list[Role] = Field(max_length=20, description="All the roles the person is to have.")


class PersonOut(BaseModel):
    id: Identifier
    external_id: str | None
    learner_id: str | None
    name: str
    email: str
    roles: list[Role]
    is_active: bool
    oidc_provider_ids: list[str] = Field(description="OpenID providers at which they have signed in.")
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, person: Person, known: KnownPerson, roles: list[str]) -> "PersonOut":
        return cls.model_validate(
            {
                "id": person.id,
                "external_id": person.external_id,
                "learner_id": person.learner_id,
                "name": known.name,
                "email": known.email,
                "roles": roles,
                "is_active": person.is_active,
                "oidc_provider_ids": list(known.provider_ids),
                "created_at": person.created_at,
                "updated_at": person.updated_at,
            }
        )


class PersonErased(BaseModel):
    id: Identifier
    erased_at: Moment


class MeOut(BaseModel):
    """Who makes the request."""

    id: Identifier
    issuer_id: Identifier
    name: str
    email: str
    roles: list[Role]
    learner_id: str | None


class TokenCreate(Body):
    name: Line = Field(examples=["Reading room"])
    expires_in_days: int = Field(default=90, strict=True, ge=1, le=LONGEST_TOKEN_LIFE.days)


class TokenOut(BaseModel):
    """A token that a person made for a program of theirs. It may do what they may do, no more."""

    id: Identifier
    name: str
    expires_at: Moment
    last_used_at: Moment | None
    created_at: Moment

    @classmethod
    def of(cls, token: PersonSession) -> "TokenOut":
        return cls.model_validate(token, from_attributes=True)


class TokenList(BaseModel):
    items: list[TokenOut]


class TokenCreated(TokenOut):
    token: str | None = Field(description="Shown this once; null in a repeated answer.")


class SignedOut(BaseModel):
    sessions: int = Field(description="How many sessions and tokens ended, the one of this request among them.")


def _issuer_identifier(url: str) -> str:
    # OpenID Connect Discovery 1.0, section 3.
    if not url.startswith("https://") or any(character in url for character in "?#@"):
        raise ValueError("must be an https URL without query, fragment or user")
    return url


class ProviderCreate(Body):
    """This issuer's registration at an OpenID provider, with `{base}/sign-in/oidc/callback` as its redirect URI."""

    name: Line = Field(description="What the button on the sign-in page says.", examples=["Maple County Schools"])
    provider_issuer: Annotated[Url, AfterValidator(_issuer_identifier)] = Field(
        description="The provider's issuer identifier, exactly as its discovery document has it.",
        examples=["https://login.schools.example.org"],
    )
    client_id: Line
    client_secret: Line = Field(description="Kept encrypted and never shown.")


class ProviderChange(Body):
    """What is to be different. Nothing is changed that is left out."""

    name: Line | None = None
    client_secret: Line | None = None
    is_active: StrictBool | None = Field(default=None, description="False: nobody signs in there any more.")


class ProviderOut(BaseModel):
    id: Identifier
    name: str
    provider_issuer: str
    client_id: str
    is_active: bool
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, provider: OidcProvider) -> "ProviderOut":
        return cls.model_validate(provider, from_attributes=True)


class MailOut(BaseModel):
    """A message to a person: what became of it, never what is in it."""

    id: Identifier
    person_id: Identifier
    purpose: str
    state: Literal["queued", "sent", "failed"]
    attempts: int
    last_error: str | None = Field(
        description="Of the last try: MailRefused (the address or the message is refused for good), MailDelayed, Expired, Erased."
    )
    expires_at: Moment | None = Field(description="It is not sent after this.")
    created_at: Moment
    sent_at: Moment | None

    @classmethod
    def of(cls, mail: Mail) -> "MailOut":
        return cls.model_validate(mail, from_attributes=True)
