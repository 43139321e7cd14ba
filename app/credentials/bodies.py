"""Request and response bodies of credentials."""

import json
from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.fetch import fetch_body, fetch_reason
from app.credentials.profiles import DEFAULT, PROFILES, SKIP_REASONS, ProfileName, SkipReason, read_plan
from app.credentials.store import Credential, Edition
from app.identifiers import Identifier
from app.resources import Resources
from app.web.fields import Body, Line, Moment, Prose


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


class RepresentationOut(BaseModel):
    """A badge in one proof profile, or why it is not issued in it."""

    profile: ProfileName
    media_type: str | None = Field(description="Null where the profile was skipped.", examples=["text/plain"])
    url: str | None = Field(
        description="Its public address; null where the badge is private, or the profile is for its holder alone.",
        examples=["https://badges.example.org/credentials/0f3c…/ob3-jwt"],
    )
    skipped: SkipReason | None = Field(description="Why the badge is not issued in it; null where it is.")
    detail: str | None = Field(description="The reason in words.")

    @classmethod
    def list_of(cls, credential: Credential, edition: Edition, base_url: str) -> list["RepresentationOut"]:
        """The default profile first, then the others in the order of the settings."""
        public = f"{base_url}/credentials/{credential.id}"
        out = [cls(profile=DEFAULT, media_type=PROFILES[DEFAULT].media_type, url=public, skipped=None, detail=None)]
        for planned in map(read_plan, edition.profiles):
            made = planned.skipped is None
            profile = planned.profile
            out.append(
                cls(
                    profile=profile.name,
                    media_type=profile.media_type if made else None,
                    url=f"{public}/{profile.name}" if made and profile.is_public else None,
                    skipped=planned.skipped,
                    detail=SKIP_REASONS[planned.skipped] if planned.skipped else None,
                )
            )
        if credential.visibility == "private":
            out = [each.model_copy(update={"url": None}) for each in out]
        return out


class CredentialWithDocument(CredentialOut):
    """A badge in the register together with the signed Open Badges 3.0 credential."""

    status_reason: str | None = Field(
        default=None, description="Why it was last revoked, suspended or reinstated; not public."
    )
    document: dict[str, Any] | None = Field(description="The secured document; null until it is issued.")
    representations: list[RepresentationOut] = Field(
        description="The forms in which the edition now served is signed, and those of the achievement's `proof_profiles` that "
        "it could not have. Each can be fetched by `GET /v1/credentials/{credential_id}/representations/{profile}`."
    )

    @classmethod
    async def read(cls, session: AsyncSession, world: Resources, credential: Credential) -> "CredentialWithDocument":
        """The badge with what is sealed of it. Raises Gone when the learner was erased."""
        if credential.edition_number == 0:
            return cls(**cls.facts(credential, None, world.base_url), document=None, representations=[])
        edition, body, _ = await fetch_body(session, world.vault, credential)
        reason = await fetch_reason(session, world.vault, credential)
        facts = cls.facts(credential, edition, world.base_url)
        return cls(
            **facts,
            status_reason=reason,
            document=json.loads(body),
            representations=RepresentationOut.list_of(credential, edition, world.base_url),
        )


class Selection(Body):
    """What a derived badge shows beside what each of them does: JSON Pointers (RFC 6901) into the badge."""

    selective_pointers: list[Line] = Field(max_length=200, examples=[["/credentialSubject/result", "/evidence/0"]])


class DerivedCredential(BaseModel):
    """Part of a badge, with a proof that whoever gets it can verify. Whoever derives another shows another part."""

    document: dict[str, Any]


class StatusChange(Body):
    reason: Prose = Field(examples=["The evidence turned out not to be the learner's own work."])
