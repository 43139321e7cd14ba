"""/v1/frameworks: importing, reading and exporting competency frameworks."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi import Body as RawBody
from fastapi.responses import Response
from sqlalchemy import select

from app.access.dependencies import AchievementsRead, AchievementsWrite
from app.access.idempotency import Once
from app.frameworks.bodies import FrameworkOut, ImportedFrameworkOut, ObjectType, StatementOut, StatementsOut
from app.frameworks.imports import PreparedFramework, import_framework, prepare_framework
from app.frameworks.store import Framework, case_url, get_framework, get_version, search_objects
from app.identifiers import Identifier
from app.issuers.store import get_issuer
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

router = APIRouter(prefix="/v1/frameworks", tags=["Frameworks"])

_ITEM = "8d0f1c5e-31f4-4d7a-9c55-0b2a6f1c7e10"
_DOCUMENT = "5b7a2f5e-6d0a-4a1b-8f3d-2f1f5a9c0d21"
_URL = "https://frameworks.example.org/ims/case/v1p1"
PACKAGE: dict[str, Any] = {
    "CFDocument": {
        "identifier": _DOCUMENT,
        "uri": f"{_URL}/CFDocuments/{_DOCUMENT}",
        "creator": "School Improvement Leadership Academy",
        "title": "Leading for equity",
        "lastChangeDateTime": "2026-01-12T09:00:00Z",
        "adoptionStatus": "Adopted",
    },
    "CFItems": [
        {
            "identifier": _ITEM,
            "uri": f"{_URL}/CFItems/{_ITEM}",
            "fullStatement": "Ensures that each student has equitable access to effective teachers.",
            "humanCodingScheme": "3.c",
            "CFItemType": "Standard",
            "lastChangeDateTime": "2026-01-12T09:00:00Z",
        }
    ],
    "CFAssociations": [
        {
            "identifier": "0d4c7d8a-77a5-4b68-9b43-d3a2a86f1c32",
            "uri": f"{_URL}/CFAssociations/0d4c7d8a-77a5-4b68-9b43-d3a2a86f1c32",
            "associationType": "isChildOf",
            "originNodeURI": {"title": "3.c", "identifier": _ITEM, "uri": f"{_URL}/CFItems/{_ITEM}"},
            "destinationNodeURI": {
                "title": "Leading for equity", "identifier": _DOCUMENT, "uri": f"{_URL}/CFDocuments/{_DOCUMENT}"
            },
            "lastChangeDateTime": "2026-01-12T09:00:00Z",
        }
    ],
}  # fmt: skip
_PACKAGE_BODY = {"requestBody": {"content": {"application/json": {"example": PACKAGE}}}}

_WRITABLE = r"^[^\x00]*$"
"""No database text holds U+0000."""

_NOTHING_NEW: dict[int | str, dict[str, Any]] = {
    200: {"model": ImportedFrameworkOut, "description": "What was sent is the newest version already: nothing changed."}
}


async def _prepared_framework(
    _: AchievementsWrite,
    package: Annotated[dict[str, Any], RawBody(description="The CFPackage as a platform exports or publishes it.")],
) -> PreparedFramework:
    """Prepared before the route's transaction begins, and in a thread: it may have thousands of statements."""
    return await asyncio.to_thread(prepare_framework, package)


@router.post("", status_code=201, operation_id="import_framework", openapi_extra=_PACKAGE_BODY,
             responses={**_NOTHING_NEW, **responses(400, 401, 403, 409, 413, 415, 422)})  # fmt: skip
async def import_(
    tenant: AchievementsWrite, prepared: Annotated[PreparedFramework, Depends(_prepared_framework)], session: Session,
    world: World, now: Now, once: Once, response: Response,
) -> ImportedFrameworkOut:  # fmt: skip
    """Import a framework: a CFPackage of CASE 1.0 or 1.1, of at most 8 MiB.

    A framework is known by the identifier of its CFDocument. Sent again with a later `lastChangeDateTime` anywhere in it, it
    becomes the next version (201); sent again unchanged it changes nothing (200). `notices` say what is not as it was sent.
    """
    framework, notices, is_new = await import_framework(
        session, tenant.issuer_id, prepared, actor=tenant.actor, now=now
    )
    issuer = await get_issuer(session, tenant.issuer_id)
    shown = FrameworkOut.of(framework, case_url(world.base_url, issuer.slug))
    out = ImportedFrameworkOut.of_import(shown, notices)
    response.status_code = 201 if is_new else 200
    await once.remember(out, status=response.status_code)
    return out


@router.get("", operation_id="list_frameworks", responses=responses(400, 401, 403, 422))
async def list_(tenant: AchievementsRead, session: ReadSession, world: World, paging: Paging) -> Page[FrameworkOut]:
    """The issuer's frameworks."""
    query = select(Framework).where(Framework.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(session, query, paging, updated_at=Framework.updated_at, identifier=Framework.id)
    issuer = await get_issuer(session, tenant.issuer_id)
    url = case_url(world.base_url, issuer.slug)
    return Page(items=[FrameworkOut.of(row, url) for row in rows], next_cursor=cursor)


@router.get("/{framework_id}", operation_id="get_framework", responses=responses(401, 403, 404, 422))
async def get(framework_id: Identifier, tenant: AchievementsRead, session: ReadSession, world: World) -> FrameworkOut:
    """One framework."""
    framework = await get_framework(session, tenant.issuer_id, framework_id)
    issuer = await get_issuer(session, tenant.issuer_id)
    return FrameworkOut.of(framework, case_url(world.base_url, issuer.slug))


@router.get("/{framework_id}/statements", operation_id="list_statements", responses=responses(401, 403, 404, 422))
async def statements(
    framework_id: Identifier,
    tenant: AchievementsRead,
    session: ReadSession,
    human_coding_scheme: Annotated[
        str | None, Query(max_length=300, pattern=_WRITABLE, description="The whole code.")
    ] = None,
    text: Annotated[
        str | None, Query(max_length=300, pattern=_WRITABLE, description="A part of the text, in whatever case.")
    ] = None,
    type_: Annotated[ObjectType, Query(alias="type", description="Statements, or parts of rubrics.")] = "CFItem",
    after: Annotated[int, Query(ge=0, lt=2**31, description="Position of the last one you have; 0 for all.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> StatementsOut:  # fmt: skip
    """What alignments may name in the newest version of a framework, in its order."""
    framework = await get_framework(session, tenant.issuer_id, framework_id)
    found = await search_objects(
        session, framework, type_=type_, code=human_coding_scheme, text=text, after=after, limit=limit
    )
    return StatementsOut(items=[StatementOut.of(each) for each in found], last=found[-1].position if found else after)


@router.get("/{framework_id}/versions/{version}", operation_id="export_framework", response_class=Response,
            responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}},
                       **responses(401, 403, 404, 422)})  # fmt: skip
async def export(
    framework_id: Identifier,
    version: Annotated[int, Path(ge=1, le=1_000_000, description="Version number, from 1.")],
    tenant: AchievementsRead,
    session: ReadSession,
) -> Response:
    """Export one version as a CFPackage of CASE 1.1: what another issuer, or another platform, imports."""
    framework = await get_framework(session, tenant.issuer_id, framework_id)
    found = await get_version(session, framework, version)
    return Response(found.package, media_type="application/json")
