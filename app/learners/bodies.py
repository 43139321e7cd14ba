"""Request and response bodies of learners."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from app.identifiers import Identifier
from app.learners.recipients import Identities, Known, primary_of
from app.learners.store import Learner
from app.web.fields import Body, Did, Email, ExternalId, Line, Moment


class IdentitiesBody(Body):
    external_id: ExternalId | None = None
    name: Line | None = Field(default=None, examples=["Ada Example"])
    email: Email | None = None
    did: Did | None = Field(default=None, examples=["did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"])

    def identities(self) -> Identities:
        return Identities(name=self.name, email=self.email, did=self.did)


class LearnerCreate(IdentitiesBody):
    @model_validator(mode="after")
    def _is_somebody(self) -> "LearnerCreate":
        if not any((self.external_id, self.name, self.email, self.did)):
            raise ValueError("give at least one of external_id, name, email, did")
        return self


class RecipientBody(IdentitiesBody):
    """The learner by what you know of them. Found again by external_id, e-mail address or DID, else entered."""

    @model_validator(mode="after")
    def _can_be_found_again(self) -> "RecipientBody":
        if not any((self.external_id, self.email, self.did)):
            raise ValueError("give at least one of external_id, email, did")
        return self


class IdentityOut(BaseModel):
    """An e-mail address or DID by which the learner is found. Badges carry the primary one of each kind."""

    id: Identifier
    kind: Literal["email", "did"]
    value: str
    primary: bool


class LearnerOut(BaseModel):
    """A learner. `name`, `email` and `did` are what badges carry; `identities` is all by which the learner is found."""

    id: Identifier
    external_id: str | None
    name: str | None
    email: str | None
    did: str | None
    identities: list[IdentityOut]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, learner: Learner, known: Iterable[Known]) -> "LearnerOut":
        return cls.model_validate(cls.facts(learner, known))

    @staticmethod
    def facts(learner: Learner, known: Iterable[Known]) -> dict[str, Any]:
        known = list(known)
        primary = primary_of(known)
        return {
            "id": learner.id,
            "external_id": learner.external_id,
            "name": primary.name,
            "email": primary.email,
            "did": primary.did,
            "identities": [
                {"id": each.id, "kind": each.kind, "value": each.value, "primary": each.is_primary}
                for each in known
                if each.kind != "name"
            ],
            "created_at": learner.created_at,
            "updated_at": learner.updated_at,
        }
