"""/v1/credentials: the register of badges and their status."""

import json
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import CredentialsRead, CredentialsStatus
from app.credentials import status as verbs
from app.credentials.fetch import fetch_body, fetch_reason
from app.credentials.store import Credential, Edition, get_credential, get_current_edition, list_current_editions
from app.identifiers import Identifier
from app.resources import Resources
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.fields import Body, Moment, Prose
from app.web.pagination import Page, PagingByExternalId, fetch_page
from app.web.problems import responses

router = APIRouter(prefix="/v1/credentials", tags=["Credentials"])


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


_EXAMPLE = {"requestBody": {"content": {"application/json": {"example": {
    "reason": "The evidence turned out not to be the learner's own work."}}}}}  # fmt: skip


@router.get("", operation_id="list_credentials", responses=responses(400, 401, 403, 422))
async def list_(
    tenant: CredentialsRead, session: ReadSession, world: World, paging: PagingByExternalId
) -> Page[CredentialOut]:
    """The issuer's badges."""
    query = select(Credential).where(Credential.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging,
        updated_at=Credential.updated_at, identifier=Credential.id, external_id=Credential.external_id,
    )  # fmt: skip
    editions = await list_current_editions(session, tenant.issuer_id, rows)
    items = [CredentialOut.of(row, editions.get(row.id), world.base_url) for row in rows]
    return Page(items=items, next_cursor=cursor)


@router.get("/{credential_id}", operation_id="get_credential", responses=responses(401, 403, 404, 410, 422))
async def get(
    credential_id: Identifier, tenant: CredentialsRead, session: ReadSession, world: World
) -> CredentialWithDocument:
    """One badge with its signed document."""
    credential = await get_credential(session, tenant.issuer_id, credential_id)
    return await CredentialWithDocument.read(session, world, credential)


@router.post("/{credential_id}/revoke", operation_id="revoke_credential", openapi_extra=_EXAMPLE,
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def revoke(
    credential_id: Identifier, body: StatusChange, tenant: CredentialsStatus, session: Session, world: World, now: Now
) -> CredentialOut:
    """Revoke a badge. Final. When this answers, the new status list is published."""
    credential = await verbs.revoke(
        session, world, tenant.issuer_id, credential_id, reason=body.reason, actor=tenant.actor, now=now
    )
    return CredentialOut.of(credential, await get_current_edition(session, credential), world.base_url)


@router.post("/{credential_id}/suspend", operation_id="suspend_credential", openapi_extra=_EXAMPLE,
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def suspend(
    credential_id: Identifier, body: StatusChange, tenant: CredentialsStatus, session: Session, world: World, now: Now
) -> CredentialOut:
    """Suspend a badge whose status entry is for suspension. When this answers, the new status list is published."""
    credential = await verbs.suspend(
        session, world, tenant.issuer_id, credential_id, reason=body.reason, actor=tenant.actor, now=now
    )
    return CredentialOut.of(credential, await get_current_edition(session, credential), world.base_url)


@router.post("/{credential_id}/reinstate", operation_id="reinstate_credential", openapi_extra=_EXAMPLE,
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def reinstate(
    credential_id: Identifier, body: StatusChange, tenant: CredentialsStatus, session: Session, world: World, now: Now
) -> CredentialOut:
    """Lift a suspension. When this answers, the new status list is published."""
    credential = await verbs.reinstate(
        session, world, tenant.issuer_id, credential_id, reason=body.reason, actor=tenant.actor, now=now
    )
    return CredentialOut.of(credential, await get_current_edition(session, credential), world.base_url)
