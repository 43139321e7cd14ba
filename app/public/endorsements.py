"""Endorsements, without a token: each at its own address, and all of a thing beside it; and the newest edition of a badge."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import get_public_versions
from app.credentials.fetch import fetch_body
from app.credentials.store import get_public_credential, get_refreshed
from app.endorsements.seal import fetch_endorsement
from app.endorsements.store import Endorsement, get_public_endorsement, list_standing_of
from app.identifiers import Identifier
from app.issuers.store import get_issuer, get_issuer_by_slug
from app.public.answering import NotAcceptable, negotiated, page
from app.public.caching import REVALIDATE, document_response, json_response
from app.public.negotiate import HTML, JSON_TYPES, negotiate
from app.public.pages import EndorsedByView, EndorsementView, Party
from app.resources import Resources
from app.web.dependencies import Now, ReadSession, World
from app.web.problems import responses

router = APIRouter(tags=["Public documents"])

Slug = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class EndorsementsOf(BaseModel):
    """What others say of a thing, as far as its issuer has accepted it."""

    endorsed: str = Field(description="The address of the thing.")
    endorsement: list[dict[str, Any]] = Field(description="Secured EndorsementCredentials.")


@router.get("/endorsements/{endorsement_id}", operation_id="fetch_endorsement", response_class=Response,
            responses=responses(404, 406, 410, 422))  # fmt: skip
async def endorsement(
    endorsement_id: Identifier, request: Request, session: ReadSession, world: World, now: Now
) -> Response:
    """An endorsement: the exact bytes that were signed, or its page."""
    found, body = await _find(session, world, endorsement_id)
    media_type = negotiated(request)
    if media_type == HTML:
        return await page("endorsement.html", await _view(session, world, found, json.loads(body), now))
    return document_response(request, body, media_type, etag=found.digest, cache=REVALIDATE)


@router.get("/issuers/{slug}/endorsements", operation_id="fetch_endorsements_of_issuer", response_model=EndorsementsOf,
            responses=responses(404, 422))  # fmt: skip
async def of_issuer(slug: Slug, request: Request, session: ReadSession, world: World) -> Response:
    """What others say of an issuer."""
    issuer = await get_issuer_by_slug(session, slug)
    found = await list_standing_of(session, issuer.id)
    return await _answer(request, session, world, f"{world.base_url}/issuers/{slug}", found)


@router.get("/achievements/{achievement_id}/endorsements", operation_id="fetch_endorsements_of_achievement",
            response_model=EndorsementsOf, responses=responses(404, 422))  # fmt: skip
async def of_achievement(achievement_id: Identifier, request: Request, session: ReadSession, world: World) -> Response:
    """What others say of an achievement, of its newest published version or of all its versions."""
    newest = (await get_public_versions(session, achievement_id))[-1]
    found = await list_standing_of(session, newest.issuer_id, achievement_id=achievement_id, version=newest.version)
    return await _answer(request, session, world, f"{world.base_url}/achievements/{achievement_id}", found)


@router.get("/credentials/{credential_id}/endorsements", operation_id="fetch_endorsements_of_credential",
            response_model=EndorsementsOf, responses=responses(404, 410, 422))  # fmt: skip
async def of_credential(credential_id: Identifier, request: Request, session: ReadSession, world: World) -> Response:
    """What others say of a badge."""
    credential = await get_public_credential(session, credential_id)
    found = await list_standing_of(session, credential.issuer_id, credential_id=credential_id)
    return await _answer(request, session, world, f"{world.base_url}/credentials/{credential_id}", found)


@router.get("/refresh/{refresh_id}", operation_id="refresh_credential", response_class=Response,
            responses=responses(404, 406, 410, 422))  # fmt: skip
async def refresh(refresh_id: Identifier, request: Request, session: ReadSession, world: World) -> Response:
    """The newest edition of a badge, for who has this address out of an earlier one (1EdTech VC Credential Refresh 1.0).

    Revoked badges are answered, too: their status says so. 404 when the badge has become private, 410 once its learner is erased.
    """
    credential = await get_refreshed(session, refresh_id)
    media_type = negotiate(request.headers.get("accept"), JSON_TYPES)
    if media_type is None:
        raise NotAcceptable(f"A badge is refreshed as {', '.join(JSON_TYPES)}.")
    _, body, digest = await fetch_body(session, world.vault, credential)
    answer = document_response(request, body, media_type, etag=digest, cache=REVALIDATE)
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


async def list_endorsed_by(
    session: AsyncSession, world: Resources, found: Sequence[Endorsement], now: datetime
) -> list[EndorsedByView]:
    """For the page of what they endorse."""
    return [_line(each, json.loads(await fetch_endorsement(session, world.vault, each)), world, now) for each in found]


async def fetch_public_endorsement(session: AsyncSession, world: Resources, endorsement_id: str) -> bytes:
    """The bytes that are served. Raises NotFound, also for the endorsement of a private badge; Gone."""
    return (await _find(session, world, endorsement_id))[1]


async def _find(session: AsyncSession, world: Resources, endorsement_id: str) -> tuple[Endorsement, bytes]:
    found = await get_public_endorsement(session, endorsement_id)
    if found.credential_id is not None:
        await get_public_credential(session, found.credential_id)
    return found, await fetch_endorsement(session, world.vault, found)


async def _answer(
    request: Request, session: AsyncSession, world: Resources, endorsed: str, found: Sequence[Endorsement]
) -> Response:
    documents = [json.loads(await fetch_endorsement(session, world.vault, each)) for each in found]
    body = EndorsementsOf(endorsed=endorsed, endorsement=documents)
    return json_response(request, body.model_dump(mode="json"), "application/json")


def _line(found: Endorsement, document: dict[str, Any], world: Resources, now: datetime) -> EndorsedByView:
    issuer, subject = document.get("issuer"), document.get("credentialSubject")
    name = issuer.get("name") if isinstance(issuer, dict) else None
    url = issuer.get("url") if isinstance(issuer, dict) else None
    comment = subject.get("endorsementComment") if isinstance(subject, dict) else None
    return EndorsedByView(
        name=_text(document.get("name")) or "Endorsement",
        endorser=Party(_text(name) or found.endorser, _text(url)),
        url=f"{world.base_url}/endorsements/{found.id}",
        endorsed_on=found.valid_from,
        comment=_text(comment) or "",
        until=found.valid_until,
        is_over=found.valid_until is not None and found.valid_until <= now,
    )


async def _view(
    session: AsyncSession, world: Resources, found: Endorsement, document: dict[str, Any], now: datetime
) -> EndorsementView:
    holder = await get_issuer(session, found.issuer_id)
    url = f"{world.base_url}/endorsements/{found.id}"
    return EndorsementView(
        base_url=world.base_url,
        is_test=holder.is_test,
        line=_line(found, document, world, now),
        description=_text(document.get("description")) or "",
        endorsed=found.endorsed,
        endorser_id=found.endorser,
        url=url,
        json_url=f"{url}?format=json",
        is_revoked=found.state == "revoked",
        is_withdrawn=found.state == "withdrawn",
        is_imported=found.origin == "imported",
        holder=Party(holder.profile["name"], f"{world.base_url}/issuers/{holder.slug}"),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
