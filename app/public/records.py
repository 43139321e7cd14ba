"""Learner records, without a token: the signed ClrCredential, or its page."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.clr.issue import fetch_record
from app.clr.store import LearnerRecord, RecordedBadge, get_public_record, list_badges_of
from app.credentials.store import Credential, Edition, get_credential, get_edition
from app.identifiers import Identifier
from app.issuers.store import get_issuer
from app.public.answering import negotiated, page
from app.public.caching import REVALIDATE, document_response
from app.public.negotiate import HTML
from app.public.pages import BundledView, CredentialState, Party, RecordView
from app.resources import Resources
from app.web.dependencies import Now, ReadSession, World
from app.web.problems import responses

router = APIRouter(tags=["Public documents"])


@router.get("/clr/{clr_id}", operation_id="fetch_clr", response_class=Response,
            responses=responses(404, 406, 410, 422))  # fmt: skip
async def record(clr_id: Identifier, request: Request, session: ReadSession, world: World, now: Now) -> Response:
    """A learner record: the exact bytes that were signed, or its page."""
    found = await get_public_record(session, clr_id)
    body = await fetch_record(session, world, found)
    media_type = negotiated(request)
    if media_type == HTML:
        return await page("clr.html", await _view(session, world, found, json.loads(body), now))
    return document_response(request, body, media_type, etag=found.digest, cache=REVALIDATE)


async def _view(
    session: AsyncSession, world: Resources, found: LearnerRecord, document: Mapping[str, Any], now: datetime
) -> RecordView:
    issuer = await get_issuer(session, found.issuer_id)
    subject, url = document["credentialSubject"], f"{world.base_url}/clr/{found.id}"
    documents = subject["verifiableCredential"]
    names = {_achievement(each)["id"]: each.get("name", "") for each in documents}
    parts: dict[str, list[str]] = {}
    for tie in subject.get("association", ()):
        parts.setdefault(tie["sourceId"], []).append(names.get(tie["targetId"], ""))
    held = await list_badges_of(session, found.issuer_id, [found.id])
    return RecordView(
        base_url=world.base_url,
        is_test=issuer.is_test,
        title=document["name"],
        description=document.get("description", ""),
        url=url,
        json_url=f"{url}?format=json",
        issuer=Party(issuer.profile["name"], f"{world.base_url}/issuers/{issuer.slug}"),
        recipient_name=_recipient_name(subject),
        signed_on=found.valid_from,
        checked_at=now,
        is_revoked=found.state == "revoked",
        is_partial=found.partial,
        badges=[await _bundled(session, each, badge, parts, now) for each, badge in zip(held, documents, strict=True)],
        goals=[(each["name"], parts.get(each["id"], ())) for each in subject.get("achievement", ())],
    )


async def _bundled(
    session: AsyncSession, held: RecordedBadge, badge: Mapping[str, Any], parts: Mapping[str, list[str]], now: datetime
) -> BundledView:
    credential = await get_credential(session, held.issuer_id, held.credential_id)
    edition = await get_edition(session, held.issuer_id, held.edition_id)
    achievement = _achievement(badge)
    return BundledView(
        name=badge.get("name", ""),
        url=badge["id"],
        state=_state(credential, edition, now),
        image_url=achievement["image"]["id"],
        awarded_on=edition.awarded_date,
        is_current=edition.number == credential.edition_number,
        parts=parts.get(achievement["id"], ()),
    )


def _achievement(badge: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = badge["credentialSubject"]["achievement"]
    return found


def _state(credential: Credential, edition: Edition, now: datetime) -> CredentialState:
    if credential.state in ("revoked", "suspended"):
        return "revoked" if credential.state == "revoked" else "suspended"
    return "expired" if edition.valid_until is not None and edition.valid_until <= now else "valid"


def _recipient_name(subject: Mapping[str, Any]) -> str | None:
    said = [each["identityHash"] for each in subject.get("identifier", ()) if each["identityType"] == "name"]
    return said[0] if said else None
