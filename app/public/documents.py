"""Public documents, without a token: JSON-LD for machines, HTML for people, chosen by the Accept header.

Everything here is open to other origins (CORS) and says how long it may be cached. What does not exist, is private or was
never issued answers alike: 404.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import KnownClient
from app.achievements.case import compose_case_package
from app.achievements.store import (
    AchievementVersion,
    get_image,
    get_public_versions,
    list_live_translations,
    pick_version,
)
from app.achievements.versions import translation_facts
from app.assessors.panels import compose_panel_profile
from app.assessors.store import get_public_panel
from app.clr.issue import fetch_record
from app.clr.store import get_public_record
from app.credentials.bake import bake_png, bake_svg
from app.credentials.fetch import fetch_body
from app.credentials.profiles import PROFILES, Profile, ProfileName
from app.credentials.store import Credential, get_current_edition, get_public_credential, get_refreshed
from app.endorsements.store import list_standing_of
from app.errors import AssayError, Gone, NotFound
from app.identifiers import Identifier
from app.issuers.carried import list_carried, with_endorsements
from app.issuers.did_document import compose_jwk
from app.issuers.published import did_document_of
from app.issuers.store import get_issuer, get_issuer_by_slug
from app.keys.store import SigningKey, get_key, list_all_keys, list_keys
from app.openbadges.compose import add_translations
from app.openbadges.datatypes import OB_CONTEXT, VC_CONTEXT
from app.openbadges.jwt import MEDIA_TYPE as VC_JWT
from app.openbadges.jwt import envelop
from app.public import views
from app.public.answering import NotAcceptable, negotiated, page
from app.public.caching import ONE_YEAR, REVALIDATE
from app.public.caching import document_response as _document
from app.public.caching import json_response as _json
from app.public.endorsements import fetch_public_endorsement, list_endorsed_by
from app.public.negotiate import HTML, JSON_TYPES, negotiate, prefers_html
from app.public.pages import NotFoundView
from app.public.rendering import SECURITY_HEADERS, render
from app.resources import Resources
from app.statuslists.store import get_publication
from app.vcapi.stored import find_stored
from app.web.dependencies import ReadSession, World
from app.web.fields import format_moment
from app.web.problem_types import PROBLEM_TYPES, example_of
from app.web.problems import responses

router = APIRouter(tags=["Public documents"])

ENVELOPE = "application/vc"
_SVG_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


Slug = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.get("/credentials/{credential_id}", operation_id="fetch_credential", response_class=Response,
            responses=responses(404, 406, 410, 422))  # fmt: skip
async def credential(
    credential_id: Identifier, request: Request, session: ReadSession, world: World, client: KnownClient
) -> Response:
    """A badge: the exact bytes that were signed, or its page.

    A badge that is also issued in `vc-jose-cose` answers `Accept: application/vc+jwt` with that token. An API client gets also a
    credential that it had issued through the VC-API, which nobody else gets.
    """
    stored = await find_stored(session, world, client, credential_id)
    if stored is not None:
        return Response(stored, headers={"Cache-Control": "no-store"}, media_type="application/json")
    found = await get_public_credential(session, credential_id)
    if _wants_jwt(request) and await _is_issued_in(session, found, "vc-jose-cose"):
        return await _in_profile(request, session, world, found, PROFILES["vc-jose-cose"])
    media_type = negotiated(request)
    edition, body, digest = await fetch_body(session, world.vault, found)
    if media_type == HTML:
        now = world.clock.now()
        view = await views.credential_view(session, world, found, edition, json.loads(body), now)
        said = await list_standing_of(session, found.issuer_id, credential_id=found.id)
        return await page(
            "credential.html", replace(view, endorsements=await list_endorsed_by(session, world, said, now))
        )
    return _document(request, body, media_type, etag=digest, cache=REVALIDATE)


@router.get("/credentials/{credential_id}/badge.png", operation_id="fetch_badge_png", response_class=Response,
            responses={200: {"content": {"image/png": {}}}, **responses(404, 410, 422)})  # fmt: skip
async def badge_png(credential_id: Identifier, request: Request, session: ReadSession, world: World) -> Response:
    """A badge baked into its picture (Open Badges 3.0, section 5.3): the PNG carries the exact bytes that were signed."""
    baked = await bake_png(session, world.vault, await get_public_credential(session, credential_id))
    return _picture(request, baked, "image/png")


@router.get("/credentials/{credential_id}/badge.svg", operation_id="fetch_badge_svg", response_class=Response,
            responses={200: {"content": {"image/svg+xml": {}}}, **responses(404, 410, 422)})  # fmt: skip
async def badge_svg(credential_id: Identifier, request: Request, session: ReadSession, world: World) -> Response:
    """A badge baked into its picture as SVG: the achievement's own SVG, or else its PNG inside an SVG."""
    baked = await bake_svg(session, world.vault, await get_public_credential(session, credential_id))
    return _picture(request, baked, "image/svg+xml")


@router.get("/credentials/{credential_id}/{profile}", operation_id="fetch_credential_in_profile", response_class=Response,
            responses={200: {"content": {media_type: {} for media_type in (*JSON_TYPES, "text/plain", VC_JWT, ENVELOPE)}},
                       **responses(404, 406, 410, 422)})  # fmt: skip
async def credential_in_profile(
    credential_id: Identifier, profile: ProfileName, request: Request, session: ReadSession, world: World
) -> Response:
    """A badge in one of the proof profiles that it is issued in: the exact bytes that were signed.

    A JWT is served as `text/plain`; that of `vc-jose-cose` by the Accept header as `application/vc+jwt` too, and as an
    EnvelopedVerifiableCredential (`application/vc`).
    """
    found = await get_public_credential(session, credential_id)
    if not PROFILES[profile].is_public:
        raise NotFound("The profile is for the badge's holder alone.")
    return await _in_profile(request, session, world, found, PROFILES[profile])


@router.get("/achievements/{achievement_id}", operation_id="fetch_achievement", response_class=Response,
            responses=responses(404, 406, 422))  # fmt: skip
async def achievement(achievement_id: Identifier, request: Request, session: ReadSession, world: World) -> Response:
    """An achievement: its newest published version, with links to all its translations as they are now.

    The version's own URL has the document that badges embed, which never changes: it links what was published before it.
    """
    versions = await get_public_versions(session, achievement_id)
    newest = versions[-1]
    translations = await list_live_translations(session, newest.issuer_id, achievement_id)
    assert newest.document is not None
    document = add_translations(newest.document, translation_facts(translations, world.base_url))
    carried = await list_carried(session, newest.issuer_id, achievement_id, newest.version)
    document = with_endorsements(document, carried)
    return await _achievement(request, session, world, versions, newest, document)


@router.get("/achievements/{achievement_id}/v{version}", operation_id="fetch_achievement_version",
            response_class=Response, responses=responses(404, 406, 422))  # fmt: skip
async def achievement_version(
    achievement_id: Identifier, version: Annotated[int, Path(ge=1, le=1_000_000)], request: Request,
    session: ReadSession, world: World,
) -> Response:  # fmt: skip
    """One version of an achievement, as badges embed it. Its criteria and levels are the fragments of this URL."""
    versions = await get_public_versions(session, achievement_id)
    found = pick_version(versions, version)
    assert found.document is not None
    return await _achievement(request, session, world, versions, found, found.document)


@router.get("/achievements/{achievement_id}/v{version}/case", operation_id="fetch_achievement_case",
            response_class=Response, responses=responses(404, 422))  # fmt: skip
async def achievement_case(
    achievement_id: Identifier,
    version: Annotated[int, Path(ge=1, le=1_000_000)],
    request: Request,
    session: ReadSession,
) -> Response:
    """One version of an achievement as a CFPackage of CASE 1.1: its rubric with criteria and levels, each with a GUID."""
    found = pick_version(await get_public_versions(session, achievement_id), version)
    owner = await get_issuer(session, found.issuer_id)
    assert found.document is not None
    assert found.published_at is not None
    package = compose_case_package(
        found.content,
        uri=found.document["id"],
        version=version,
        creator=owner.profile["name"],
        published_at=format_moment(found.published_at),
        retired_at=format_moment(found.retired_at) if found.retired_at else None,
    )
    return _json(request, package, "application/json")


@router.get("/issuers/{slug}", operation_id="fetch_issuer", response_class=Response, responses=responses(404, 406, 422))
async def issuer(slug: Slug, request: Request, session: ReadSession, world: World) -> Response:
    """An issuer's Open Badges 3.0 Profile."""
    found = await get_issuer_by_slug(session, slug)
    media_type = negotiated(request)
    if media_type == HTML:
        view = await views.issuer_view(session, world, found)
        said = await list_endorsed_by(session, world, await list_standing_of(session, found.id), world.clock.now())
        return await page("issuer.html", replace(view, endorsements=said))
    profile = with_endorsements(found.profile, await list_carried(session, found.id))
    return _json(request, {"@context": [VC_CONTEXT, OB_CONTEXT], **profile}, media_type)


@router.get("/issuers/{slug}/did.json", operation_id="fetch_did_document", response_class=Response,
            responses=responses(404, 422))  # fmt: skip
async def did_document(slug: Slug, request: Request, session: ReadSession, world: World) -> Response:
    """The issuer's DID document with all its keys, retired ones too."""
    found = await get_issuer_by_slug(session, slug)
    document = did_document_of(found, await list_keys(session, found.id), world.base_url)
    return _json(request, document, "application/json")


@router.get(
    "/panels/{panel_id}", operation_id="fetch_panel", response_class=Response, responses=responses(404, 406, 422)
)
async def panel(panel_id: Identifier, request: Request, session: ReadSession, world: World) -> Response:
    """The Profile of an assessment panel: never its members."""
    found = await get_public_panel(session, panel_id)
    media_type = negotiated(request)
    if media_type == HTML:
        return await page("panel.html", await views.panel_view(session, world, found))
    profile = compose_panel_profile(found, world.base_url)
    return _json(request, {"@context": [VC_CONTEXT, OB_CONTEXT], **profile}, media_type)


@router.get("/keys/{key_id}", operation_id="fetch_key", response_class=Response, responses=responses(404, 422))
async def key(key_id: Identifier, request: Request, session: ReadSession, world: World) -> Response:
    """One public key as a bare JWK."""
    return _json(request, await _fetch_jwk(session, world, key_id), "application/jwk+json")


@router.get("/.well-known/jwks.json", operation_id="fetch_jwks", response_class=Response)
async def jwks(request: Request, session: ReadSession, world: World) -> Response:
    """The public keys of every issuer; `iss` says whose each is."""
    keys = await list_all_keys(session)
    owners = {issuer_id: (await get_issuer(session, issuer_id)).did for issuer_id in {k.issuer_id for k in keys}}
    return _json(
        request, {"keys": [_jwk(k, owners[k.issuer_id], world.base_url) for k in keys]}, "application/jwk-set+json"
    )


@router.get("/status-lists/{status_list_id}", operation_id="fetch_status_list", response_class=Response,
            responses=responses(404, 406, 422))  # fmt: skip
async def status_list(status_list_id: Identifier, request: Request, session: ReadSession) -> Response:
    """A signed Bitstring status list. It may be cached for its `ttl`; a status change is in it at once."""
    publication = await get_publication(session, status_list_id)
    media_type = negotiate(request.headers.get("accept"), JSON_TYPES)
    if media_type is None:
        raise NotAcceptable(f"A status list is served as {', '.join(JSON_TYPES)}.")
    cache = f"public, max-age={publication.ttl_seconds}"
    return _document(request, publication.body, media_type, etag=publication.etag, cache=cache)


@router.get("/images/{digest}.png", operation_id="fetch_image", response_class=Response, responses=responses(404, 422))
async def image(digest: Digest, request: Request, session: ReadSession) -> Response:
    """A badge image by the SHA-256 of its bytes."""
    return _document(request, await get_image(session, digest), "image/png", etag=digest, cache=ONE_YEAR)


@router.get("/", include_in_schema=False)
async def home(session: ReadSession, world: World) -> Response:
    """The start page."""
    return await page("home.html", await views.home_view(session, world))


@router.get("/problems", include_in_schema=False)
async def problems(world: World) -> Response:
    """Every problem code."""
    return await page("problems.html", views.problems_view(world))


@router.get("/problems/{code}", include_in_schema=False)
async def problem(code: str, request: Request, world: World) -> Response:
    """What a problem code means and what to do about it."""
    if code not in PROBLEM_TYPES:
        raise NotFound("There is no problem with this code.")
    if not prefers_html(request.headers.get("accept")):
        example = example_of(PROBLEM_TYPES[code], world.base_url)
        return _json(request, {**asdict(PROBLEM_TYPES[code]), "example": asdict(example)}, "application/json")
    return await page("problem.html", views.problem_view(world, PROBLEM_TYPES[code]))


def not_found_page(request: Request, error: AssayError) -> Response | None:
    """The page a person gets where there is nothing (any more); None when the client is not a browser."""
    is_api = str(request.scope["path"]).startswith("/v1/")
    if is_api or request.method != "GET" or not prefers_html(request.headers.get("accept")):
        return None
    base_url: str = request.app.state.base_url
    if isinstance(error, Gone):
        view, status = NotFoundView(base_url=base_url, title="Gone", detail=NotFoundView.GONE), 410
    else:
        view, status = NotFoundView(base_url=base_url), 404
    return Response(render("not_found.html", view), status, SECURITY_HEADERS, media_type=HTML)


async def find_own_document(world: Resources, url: str) -> Mapping[str, Any] | None:
    """The document this service publishes at `url`, a token enveloped; None when the URL is not one of ours.

    For verifying: our own keys, status lists and DID documents need no request to ourselves. Raises NotFound or Gone.
    """
    if not url.startswith(world.base_url + "/"):
        return None
    path = url.removeprefix(world.base_url).partition("#")[0].partition("?")[0]
    async with world.database.reading() as session:
        if match := re.fullmatch(r"/status-lists/([0-9a-f]{32})", path):
            return _loaded((await get_publication(session, match[1])).body)
        # A badge's pictures carry the very bytes that its own address has.
        if match := re.fullmatch(r"/credentials/([0-9a-f]{32})(?:/badge\.(?:png|svg))?", path):
            _, body, _ = await fetch_body(session, world.vault, await get_public_credential(session, match[1]))
            return _loaded(body)
        if match := re.fullmatch(r"/endorsements/([0-9a-f]{32})", path):
            return _loaded(await fetch_public_endorsement(session, world, match[1]))
        if match := re.fullmatch(r"/refresh/([0-9a-f]{32})", path):
            return _loaded((await fetch_body(session, world.vault, await get_refreshed(session, match[1])))[1])
        if match := re.fullmatch(r"/clr/([0-9a-f]{32})", path):
            return _loaded(await fetch_record(session, world, await get_public_record(session, match[1])))
        if (match := re.fullmatch(r"/credentials/([0-9a-f]{32})/([A-Za-z0-9-]+)", path)) and match[2] in PROFILES:
            profile = PROFILES[match[2]]
            badge = await get_public_credential(session, match[1])
            if profile.is_public:
                _, body, _ = await fetch_body(session, world.vault, badge, profile=profile.name)
                return envelop(body.decode("ascii")) if profile.is_jwt else _loaded(body)
        if match := re.fullmatch(r"/keys/([0-9a-f]{32})", path):
            return await _fetch_jwk(session, world, match[1])
        if match := re.fullmatch(r"/issuers/([a-z0-9-]{1,63})/did\.json", path):
            found = await get_issuer_by_slug(session, match[1])
            return did_document_of(found, await list_keys(session, found.id), world.base_url)
    raise NotFound("This service publishes nothing at that address.")


async def _achievement(
    request: Request,
    session: ReadSession,
    world: Resources,
    versions: list[AchievementVersion],
    version: AchievementVersion,
    document: Mapping[str, Any],
) -> Response:
    media_type = negotiated(request)
    if media_type == HTML:
        view = await views.achievement_view(session, world, versions, version)
        said = await list_standing_of(
            session, version.issuer_id, achievement_id=version.achievement_id, version=version.version
        )
        told = await list_endorsed_by(session, world, said, world.clock.now())
        return await page("achievement.html", replace(view, endorsements=told))
    return _json(request, {"@context": [VC_CONTEXT, OB_CONTEXT], **document}, media_type)


def _wants_jwt(request: Request) -> bool:
    """Whether the token is liked better than anything else a badge is served as."""
    return negotiate(request.headers.get("accept"), (*JSON_TYPES, HTML, VC_JWT)) == VC_JWT


async def _is_issued_in(session: AsyncSession, credential: Credential, profile: ProfileName) -> bool:
    edition = await get_current_edition(session, credential)
    return any(each["profile"] == profile and "skipped" not in each for each in edition.profiles)


async def _in_profile(
    request: Request, session: AsyncSession, world: Resources, credential: Credential, profile: Profile
) -> Response:
    _, body, digest = await fetch_body(session, world.vault, credential, profile=profile.name)
    offered: Sequence[str] = JSON_TYPES
    if profile.is_jwt:
        offered = ("text/plain", VC_JWT, ENVELOPE) if profile.media_type == VC_JWT else ("text/plain",)
    media_type = negotiate(request.headers.get("accept"), offered)
    if media_type is None:
        raise NotAcceptable(f"This is served as {', '.join(offered)}.")
    if profile.is_jwt and media_type == ENVELOPE:
        return _json(request, envelop(body.decode("ascii")), ENVELOPE)
    response = _document(request, body, media_type, etag=digest, cache=REVALIDATE)
    response.headers["X-Content-Type-Options"] = "nosniff"
    if profile.is_jwt:
        response.headers["Content-Disposition"] = f'inline; filename="badge.{profile.extension}"'
    return response


async def _fetch_jwk(session: AsyncSession, world: Resources, key_id: str) -> Mapping[str, str]:
    found = await get_key(session, key_id)
    owner = await get_issuer(session, found.issuer_id)
    return _jwk(found, owner.did, world.base_url)


def _jwk(key: SigningKey, issuer: str, base_url: str) -> Mapping[str, str]:
    return compose_jwk(key.public_key, key_id=f"{base_url}/keys/{key.id}", issuer=issuer)


def _picture(request: Request, body: bytes, media_type: str) -> Response:
    """A baked badge. Opened on its own, an SVG is a document: this one may load nothing and run nothing."""
    response = _document(request, body, media_type, etag=hashlib.sha256(body).hexdigest(), cache=REVALIDATE)
    response.headers["X-Content-Type-Options"] = "nosniff"
    if media_type == "image/svg+xml":
        response.headers["Content-Security-Policy"] = _SVG_POLICY
    return response


def _loaded(body: bytes) -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(body)
    return document
