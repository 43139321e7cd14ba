"""Request and response bodies of learners."""

from pydantic import BaseModel, Field, model_validator

from app.identifiers import Identifier
from app.learners.recipients import Identities
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


class LearnerOut(BaseModel):
    id: Identifier
    external_id: str | None
    name: str | None
    email: str | None
    did: str | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, learner: Learner, known: Identities) -> "LearnerOut":
        return cls(
            id=learner.id, external_id=learner.external_id, name=known.name, email=known.email, did=known.did,
            created_at=learner.created_at, updated_at=learner.updated_at,
        )  # fmt: skip
