"""/ims/ob/v3p0: the Open Badges API (Open Badges 3.0)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from app.obapi.badge import read_badge, read_jws
from app.obapi.badges import compose_links, compose_page
from app.obapi.dependencies import ChangesProfile, KeepsBadges, ReadsBadges, ReadsProfile
from app.obapi.discovery import compose_description
from app.obapi.errors import PREFIX, imsx_errors
from app.obapi.keep import keep_badge, verify_kept
from app.obapi.profile import compose_profile, keep_profile
from app.verification.dependencies import Verifies
from app.web.bodies import media_type_of
from app.web.dependencies import Now, ReadSession, World
from app.web.fields import Moment

router = APIRouter(prefix=PREFIX, tags=["Open Badges API"])

MOST_ON_A_PAGE = 100
_JSON = "application/json"
_OBJECT = {"type": "object"}
_JSON_ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {_JSON: {"schema": _OBJECT}}}}
_TEXT = {"type": "string", "description": "Compact JWS"}
_BADGE_EXAMPLE = {
    "@context": [
        "https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ],
    "id": "urn:uuid:6a0c7a2e-4c19-4b0c-9d3e-1f0a2b3c4d5e", "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "issuer": {"id": "did:web:elsewhere.example.org", "type": ["Profile"], "name": "Elsewhere"},
    "validFrom": "2026-11-23T13:00:00Z", "credentialSubject": {}, "proof": [],
}  # fmt: skip
_PROFILE_EXAMPLE = {"id": "did:example:ada", "type": ["Profile"], "name": "Ada Example"}


def _body(example: dict[str, Any], **further: Any) -> dict[str, Any]:
    content: dict[str, Any] = {_JSON: {"schema": _OBJECT, "example": example}}
    return {"requestBody": {"required": True, "content": content | further}}


def _answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {_JSON: {"schema": _OBJECT}, "text/plain": {"schema": _TEXT}}
    return {status: {"description": "As it was sent", "content": content} for status in statuses}


@router.get("/discovery", operation_id="get_service_description", response_class=JSONResponse,
            responses={200: {"content": {_JSON: {"schema": _OBJECT}}}})  # fmt: skip
async def discovery(world: World) -> Response:
    """What this service is and how software gets at it (getServiceDescription). No token is needed."""
    home = f"{world.base_url}/"
    document = compose_description(
        world.base_url,
        terms=world.settings.terms_of_service_url or home,
        privacy=world.settings.privacy_policy_url or home,
    )
    return JSONResponse(document, headers={"Cache-Control": "public, max-age=300"})


@router.get("/credentials", operation_id="get_credentials", response_class=Response,
            responses={200: {"content": {_JSON: {"schema": _OBJECT}}, "description": "credential, compactJwsString"},
                       **imsx_errors(400, 401, 403, 405, 500, 503)})  # fmt: skip
async def get_credentials(
    grant: ReadsBadges, session: ReadSession, world: World,
    limit: Annotated[int, Query(ge=1, le=2**31 - 1)] = MOST_ON_A_PAGE,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    since: Annotated[Moment | None, Query(description="Only badges that are valid from a later time.")] = None,
) -> Response:  # fmt: skip
    """The learner's badges: those issued here and those put here, in the order in which they became valid (getCredentials).

    At most 100 on a page; `Link` leads to the others.
    """
    size = min(limit, MOST_ON_A_PAGE)
    body, total = await compose_page(session, world, grant, since=since, limit=size, offset=offset)
    links = compose_links(world.base_url, since=since, limit=size, offset=offset, total=total)
    headers = {"X-Total-Count": str(total), "Link": links, "Cache-Control": "no-store"}
    return Response(body, media_type=_JSON, headers=headers)


@router.post("/credentials", operation_id="upsert_credential", response_class=Response,
             responses={**_answers(200, 201), **imsx_errors(400, 401, 403, 404, 405, 500, 503)},
             openapi_extra=_body(_BADGE_EXAMPLE, **{"text/plain": {"schema": _TEXT}}))  # fmt: skip
async def upsert_credential(
    request: Request, grant: KeepsBadges, world: World, now: Now, verifier: Verifies
) -> Response:
    """Put a badge beside the learner's, or replace an earlier version of it (upsertCredential). 201: it is new; 200: it was here.

    A badge is the same where the ids of its issuer and its own are equal, trimmed and, of web addresses, percent-decoded; a later
    `validFrom` replaces an earlier one, an earlier one is refused. It is kept to the byte, whether it verifies or not; but what
    verified, or what other software put here, is replaced only by what verifies.
    """
    body, media_type = await request.body(), media_type_of(request)
    badge = read_jws(body) if media_type == "text/plain" else read_badge(body)
    verdict = await verify_kept(verifier, badge)
    async with world.database.transaction() as session:
        what = await keep_badge(session, world, grant, badge, verdict, now=now)
    status = 201 if what == "created" else 200
    return Response(badge.body, status, {"Cache-Control": "no-store"}, media_type=media_type or _JSON)


@router.get("/profile", operation_id="get_profile", response_class=Response,
            responses={**_JSON_ANSWER, **imsx_errors(400, 401, 403, 404, 405, 500, 503)})  # fmt: skip
async def get_profile(grant: ReadsProfile, session: ReadSession, world: World) -> Response:
    """The learner's profile (getProfile): what software put here last, else what the institution knows of them."""
    body = await compose_profile(session, world, grant)
    return Response(body, media_type=_JSON, headers={"Cache-Control": "no-store"})


@router.put("/profile", operation_id="put_profile", response_class=Response, openapi_extra=_body(_PROFILE_EXAMPLE),
            responses={**_JSON_ANSWER, **imsx_errors(400, 401, 403, 404, 405, 500, 503)})  # fmt: skip
async def put_profile(request: Request, grant: ChangesProfile, world: World, now: Now) -> Response:
    """Change the learner's profile (putProfile). What badges say of the learner stays what the institution knows."""
    body = await request.body()
    async with world.database.transaction() as session:
        await keep_profile(session, world, grant, body, now=now)
    return Response(body, media_type=_JSON, headers={"Cache-Control": "no-store"})
