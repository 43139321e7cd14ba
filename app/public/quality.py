"""Quality reports, without a token: JSON for machines, a page for people. A frozen one is served as it was stored."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.achievements.store import get_public_versions, pick_version
from app.identifiers import Identifier
from app.issuers.store import get_issuer
from app.public.answering import negotiated, page
from app.public.caching import FIVE_MINUTES, ONE_YEAR, document_response, json_response
from app.public.negotiate import HTML
from app.public.pages import Party, QualityListView, QualityView
from app.quality.bodies import QualityReport, QualityWindows
from app.quality.find import find_report, list_reports, read_report
from app.quarters import LABEL, parse_quarter
from app.resources import Resources
from app.web.dependencies import Now, ReadSession, World
from app.web.problems import responses

router = APIRouter(tags=["Public documents"])

Version = Annotated[int, Path(ge=1, le=1_000_000)]
Label = Annotated[str, Path(pattern=LABEL, description="A calendar quarter in UTC.", examples=["2026Q3"])]


@router.get("/achievements/{achievement_id}/v{version}/quality", operation_id="fetch_quality_reports",
            response_model=QualityWindows, responses=responses(404, 406, 422))  # fmt: skip
async def quality_reports(
    achievement_id: Identifier, version: Version, request: Request, session: ReadSession, world: World, now: Now
) -> Response:
    """Which quality reports there are of an achievement version: one for each quarter since its publication."""
    found = pick_version(await get_public_versions(session, achievement_id), version)
    reports = await list_reports(session, found, now)
    media_type = negotiated(request)
    if media_type == HTML:
        issuer = await get_issuer(session, found.issuer_id)
        view = QualityListView(
            base_url=world.base_url, is_test=issuer.is_test, reports=reports, json_url=f"{reports.id}?format=json",
            issuer=_party(issuer.profile["name"], issuer.slug, world),
        )  # fmt: skip
        return await page("quality_windows.html", view)
    return json_response(request, reports.model_dump(mode="json"), media_type)


@router.get("/achievements/{achievement_id}/v{version}/quality/{window}", operation_id="fetch_quality_report",
            response_model=QualityReport, responses=responses(404, 406, 422))  # fmt: skip
async def quality_report(
    achievement_id: Identifier, version: Version, window: Label, request: Request, session: ReadSession, world: World,
    now: Now,
) -> Response:  # fmt: skip
    """How well the readings behind the badges of one achievement version agreed in one quarter: final once it is `frozen`."""
    versions = await get_public_versions(session, achievement_id)
    found = pick_version(versions, version)
    body, is_frozen = await find_report(session, versions, found, parse_quarter(window), now)
    media_type = negotiated(request)
    digest = hashlib.sha256(body.encode()).hexdigest()
    if media_type == HTML:
        issuer = await get_issuer(session, found.issuer_id)
        report = read_report(body)
        view = QualityView(
            base_url=world.base_url, is_test=issuer.is_test, report=report, json_url=f"{report.id}?format=json",
            digest=digest if is_frozen else "", issuer=_party(issuer.profile["name"], issuer.slug, world),
        )  # fmt: skip
        return await page("quality.html", view)
    cache = ONE_YEAR if is_frozen else FIVE_MINUTES
    return document_response(request, body.encode(), media_type, etag=digest, cache=cache)


def _party(name: str, slug: str, world: Resources) -> Party:
    return Party(name, f"{world.base_url}/issuers/{slug}")
