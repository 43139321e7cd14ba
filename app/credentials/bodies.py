"""Request and response bodies of credentials."""

import json
from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.fetch import fetch_body, fetch_reason
from app.credentials.store import Credential, Edition
from app.identifiers import Identifier
from app.resources import Resources
from app.web.fields import Body, Moment, Prose


class CredentialOut(BaseModel):
    """A badge in the register. `url` is its public address and its `id` in Open Badges."""

    id: Identifier
    external_id: str | None = Field(description="That of the decision the badge was first issued on.")
    url: str
    state: Literal["pending", "issued", "suspended", "revoked", "failed"]
    visibility: Literal["private", "unlisted", "public"]
    achievement_id: Identifier
    achievement_version: int
    learner_id: Identifier
    edition: int = Field(description="Counts reissues from 1; 0 while the first is pending.")
    valid_from: Moment | None
    valid_until: Moment | None
    awarded_date: Moment | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, credential: Credential, edition: Edition | None, base_url: str) -> "CredentialOut":
        return cls.model_validate(cls.facts(credential, edition, base_url))

    @staticmethod
    def facts(credential: Credential, edition: Edition | None, base_url: str) -> dict[str, Any]:
        return {
            "id": credential.id,
            "external_id": credential.external_id,
            "url": f"{base_url}/credentials/{credential.id}",
            "state": credential.state,
            "visibility": credential.visibility,
            "achievement_id": credential.achievement_id,
            "achievement_version": credential.version,
            "learner_id": credential.learner_id,
            "edition": credential.edition_number,
            "valid_from": edition.valid_from if edition else None,
            "valid_until": edition.valid_until if edition else None,
            "awarded_date": edition.awarded_date if edition else None,
            "created_at": credential.created_at,
            "updated_at": credential.updated_at,
        }


class CredentialWithDocument(CredentialOut):
    """A badge in the register together with the signed Open Badges 3.0 credential."""

    status_reason: str | None = Field(
        default=None, description="Why it was last revoked, suspended or reinstated; not public."
    )
    document: dict[str, Any] | None = Field(description="The secured document; null until it is issued.")

    @classmethod
    async def read(cls, session: AsyncSession, world: Resources, credential: Credential) -> "CredentialWithDocument":
        """The badge with what is sealed of it. Raises Gone when the learner was erased."""
        if credential.edition_number == 0:
            return cls(**cls.facts(credential, None, world.base_url), document=None)
        edition, body, _ = await fetch_body(session, world.vault, credential)
        reason = await fetch_reason(session, world.vault, credential)
        facts = cls.facts(credential, edition, world.base_url)
        return cls(**facts, status_reason=reason, document=json.loads(body))


class StatusChange(Body):
    reason: Prose = Field(examples=["The evidence turned out not to be the learner's own work."])
