"""An issuer's frameworks at the endpoints of the CASE 1.1 REST binding, without a token.

Each issuer is a CASE provider of its own, at /issuers/{slug}/ims/case/v1p1: two partners may have imported the same published
framework, in different versions of it. Private drafts are not there. A framework is served as its newest version has it; a
statement that a later version left out as the last version that had it. Problems are RFC 9457 problem details, as everywhere.
"""

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.case.package import compose_document, compose_item, compose_item_associations
from app.case.read import GUID_PATTERN
from app.errors import NotFound
from app.frameworks.store import (
    Framework,
    FrameworkObject,
    case_url,
    find_object,
    get_public_framework,
    get_version,
    list_public_frameworks,
)
from app.issuers.store import get_issuer_by_slug
from app.public.caching import FIVE_MINUTES, document_response, json_response
from app.web.dependencies import ReadSession, World
from app.web.problems import responses

router = APIRouter(prefix="/issuers/{slug}/ims/case/v1p1", tags=["CASE"])

_JSON = "application/json"

Slug = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
SourcedId = Annotated[str, Path(pattern=f"^{GUID_PATTERN}$", description="GUID, as CASE identifies everything.")]


@router.get("/CFDocuments", operation_id="fetch_case_documents", response_class=Response, responses=responses(404, 422))
async def documents(
    slug: Slug, request: Request, session: ReadSession, world: World,
    limit: Annotated[int, Query(ge=1, le=500)] = 100, offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> Response:  # fmt: skip
    """All frameworks of an issuer (getAllCFDocuments); `X-Total-Count` says how many there are."""
    issuer = await get_issuer_by_slug(session, slug)
    found, total = await list_public_frameworks(session, issuer.id, offset=offset, limit=limit)
    url = case_url(world.base_url, slug)
    response = json_response(request, {"CFDocuments": [_document(each, url) for each in found]}, _JSON)
    response.headers["X-Total-Count"] = str(total)
    return response


@router.get("/CFDocuments/{sourced_id}", operation_id="fetch_case_document", response_class=Response,
            responses=responses(404, 422))  # fmt: skip
async def document(slug: Slug, sourced_id: SourcedId, request: Request, session: ReadSession, world: World) -> Response:
    """The CFDocument of a framework (getCFDocument)."""
    framework = await _framework(session, slug, sourced_id)
    return json_response(request, _document(framework, case_url(world.base_url, slug)), _JSON)


@router.get("/CFPackages/{sourced_id}", operation_id="fetch_case_package", response_class=Response,
            responses=responses(404, 422))  # fmt: skip
async def package(slug: Slug, sourced_id: SourcedId, request: Request, session: ReadSession) -> Response:
    """A whole framework (getCFPackage), by the GUID of its CFDocument."""
    framework = await _framework(session, slug, sourced_id)
    version = await get_version(session, framework, framework.version)
    return document_response(request, version.package, _JSON, etag=version.digest, cache=FIVE_MINUTES)


@router.get("/CFItems/{sourced_id}", operation_id="fetch_case_item", response_class=Response,
            responses=responses(404, 422))  # fmt: skip
async def item(slug: Slug, sourced_id: SourcedId, request: Request, session: ReadSession) -> Response:
    """One statement (getCFItem)."""
    found, framework = await _object(session, slug, sourced_id, "CFItem")
    return json_response(request, compose_item(found.body, framework.document), _JSON)


@router.get("/CFItemAssociations/{sourced_id}", operation_id="fetch_case_item_associations", response_class=Response,
            responses=responses(404, 422))  # fmt: skip
async def item_associations(slug: Slug, sourced_id: SourcedId, request: Request, session: ReadSession) -> Response:
    """One statement with all its associations (getCFItemAssociations)."""
    found, framework = await _object(session, slug, sourced_id, "CFItem")
    version = await get_version(session, framework, found.version)
    whole = await asyncio.to_thread(json.loads, version.package)
    return json_response(request, compose_item_associations(found.body, whole), _JSON)


@router.get("/CFRubrics/{sourced_id}", operation_id="fetch_case_rubric", response_class=Response,
            responses=responses(404, 422))  # fmt: skip
async def rubric(slug: Slug, sourced_id: SourcedId, request: Request, session: ReadSession) -> Response:
    """A rubric of a framework with its criteria and their levels (getCFRubric)."""
    found, _ = await _object(session, slug, sourced_id, "CFRubric")
    return json_response(request, found.body, _JSON)


async def _framework(session: AsyncSession, slug: str, identifier: str) -> Framework:
    issuer = await get_issuer_by_slug(session, slug)
    return await get_public_framework(session, issuer.id, identifier.lower())


async def _object(session: AsyncSession, slug: str, identifier: str, type_: str) -> tuple[FrameworkObject, Framework]:
    issuer = await get_issuer_by_slug(session, slug)
    found = await find_object(session, issuer.id, identifier.lower(), types=[type_], public=True)
    if found is None:
        raise NotFound(f"There is no {type_} with this identifier.")
    return found


def _document(framework: Framework, url: str) -> dict[str, Any]:
    return compose_document(framework.document, f"{url}/CFPackages/{framework.identifier}")
