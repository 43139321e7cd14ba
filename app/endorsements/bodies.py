"""Request and response bodies of endorsements."""

import json
from typing import Any, Literal

from pydantic import BaseModel, Field, StrictBool
from sqlalchemy.ext.asyncio import AsyncSession

from app.endorsements.issue import NewEndorsement
from app.endorsements.seal import fetch_endorsement
from app.endorsements.store import Endorsement
from app.identifiers import Identifier
from app.resources import Resources
from app.web.fields import Body, Iri, Line, Moment, Prose

_EMBED = Field(
    default=False,
    description="Put it inside new badges: of the issuer's Profile into all, of a version of an achievement into those. "
    "Only an endorsement without end and without status can be: a badge fails with what it carries.",
)


class EndorsementCreate(Body):
    endorsed: Iri = Field(
        description="The `id` of what is endorsed, as documents name it: an issuer's DID, the URL of an achievement (of one "
        "version, or of all), or the `id` of a badge. Your own or anybody's.",
        examples=["https://badges.example.org/achievements/4f1c/v2"],
    )
    name: Line = Field(examples=["Accepted for license renewal"])
    comment: Prose | None = Field(default=None, description="What you say of it, in Markdown. Public.")
    description: Prose | None = None
    valid_until: Moment | None = Field(default=None, description="Null: it has no end.")
    revocable: StrictBool = Field(
        default=True, description="Give it a status entry, so that it can be revoked. Without one it stands for good."
    )
    embed: StrictBool = _EMBED

    def facts(self) -> NewEndorsement:
        return NewEndorsement(**dict(self))


class EndorsementImport(Body):
    credential: dict[str, Any] = Field(
        description="The EndorsementCredential with its embedded proof, as it was issued."
    )


class EndorsementAcceptance(Body):
    embed: StrictBool = _EMBED


class EndorsementOut(BaseModel):
    id: Identifier
    url: str = Field(description="Where it is published: what the issuer gave, and what it took in and accepted.")
    origin: Literal["issued", "imported"]
    state: Literal["received", "standing", "revoked", "withdrawn"]
    kind: Literal["profile", "achievement", "credential", "other"] = Field(
        description="What is endorsed, where it is the issuer's own."
    )
    endorsed: str
    endorser: str = Field(description="The `id` of who endorses.")
    embed: bool = Field(description="Whether new badges carry it.")
    valid_from: Moment
    valid_until: Moment | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, endorsement: Endorsement, base_url: str) -> "EndorsementOut":
        return cls.model_validate(cls.facts(endorsement, base_url))

    @classmethod
    def facts(cls, endorsement: Endorsement, base_url: str) -> dict[str, Any]:
        plain = {name: getattr(endorsement, name) for name in EndorsementOut.model_fields if name != "url"}
        return {**plain, "url": f"{base_url}/endorsements/{endorsement.id}"}


class EndorsementWithDocument(EndorsementOut):
    document: dict[str, Any] = Field(description="The secured EndorsementCredential.")

    @classmethod
    async def read(cls, session: AsyncSession, world: Resources, endorsement: Endorsement) -> "EndorsementWithDocument":
        """Raises Gone when it is about the badge of an erased learner."""
        body = await fetch_endorsement(session, world.vault, endorsement)
        return cls(**cls.facts(endorsement, world.base_url), document=json.loads(body))
