"""/v1/achievements: definitions, versions, images, settings."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi import Body as RawBody
from sqlalchemy import select

from app.access.dependencies import AchievementsRead, AchievementsWrite
from app.access.idempotency import Once
from app.achievements import versions as verbs
from app.achievements.badge_class import PreparedDraft, draft_from_badge_class, prepare_draft
from app.achievements.bodies import (
    AchievementContent,
    AchievementCreate,
    AchievementOut,
    ImportedAchievementOut,
    SettingsBody,
    VersionOut,
)
from app.achievements.store import (
    Achievement,
    get_achievement,
    get_version,
    list_versions,
    lock_version,
)
from app.identifiers import Identifier
from app.web.bodies import media_type_of
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.fields import ExternalId
from app.web.pagination import Page, PagingByExternalId, fetch_page
from app.web.problems import responses

router = APIRouter(prefix="/v1/achievements", tags=["Achievements"])

VersionNumber = Annotated[int, Path(ge=1, le=1_000_000, description="Version number, from 1.")]


EXAMPLE: dict[str, Any] = {
    "name": "Implementing Equitable Practices",
    "description": "Changes a practice so that every group of learners benefits.",
    "criteria": {"narrative": "Both criteria at the level Demonstrated."},
    "rubric": {
        "criteria": [
            {
                "key": key,
                "name": name,
                "passing_level": "demonstrated",
                "levels": [
                    {"key": "not-evident", "name": "Not evident", "description": "The evidence does not show it."},
                    {"key": "demonstrated", "name": "Demonstrated", "description": "The evidence shows it."},
                ],
            }
            for key, name in (("problem", "Frames the problem of practice"), ("evidence", "Uses evidence"))
        ],
        "decision_rule": {"type": "all"},
    },
}
_EXAMPLE_BODY = {"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_IMAGE_BODY = {"requestBody": {"required": True, "content": {"image/png": _BINARY, "image/svg+xml": _BINARY}}}


@router.post("", status_code=201, operation_id="create_achievement", openapi_extra=_EXAMPLE_BODY,
             responses=responses(400, 401, 403, 409, 413, 415, 422))  # fmt: skip
async def create(
    body: AchievementCreate, tenant: AchievementsWrite, session: Session, world: World, now: Now, once: Once
) -> AchievementOut:
    """Define an achievement. Version 1 is a draft with a generated image until it is published."""
    achievement, version = await verbs.create_achievement(
        session,
        tenant.issuer_id,
        external_id=body.external_id,
        content=body.facts(),
        settings=body.settings.model_dump(),
        actor=tenant.actor,
        now=now,
    )
    out = AchievementOut.of(achievement, [version], world.base_url)
    await once.remember(out)
    return out


BADGE_CLASS: dict[str, Any] = {
    "@context": "https://w3id.org/openbadges/v2",
    "type": "BadgeClass",
    "id": "https://badges.example.com/classes/17",
    "name": "Implementing Equitable Practices",
    "description": "Changes a practice so that every group of learners benefits.",
    "criteria": {"narrative": "Submits an equity audit and a reflection on what changed."},
    "issuer": "https://badges.example.com/issuers/3",
    "tags": ["equity"],
}
_BADGE_CLASS_BODY = {"requestBody": {"content": {"application/json": {"example": BADGE_CLASS}}}}


async def _prepared_draft(
    _: AchievementsWrite, world: World,
    badge_class: Annotated[dict[str, Any], RawBody(description="The BadgeClass as it was exported or is published.")],
) -> PreparedDraft:  # fmt: skip
    """Prepared before the route's transaction begins: its picture may have to be fetched."""
    return await prepare_draft(world.outbound, badge_class)


@router.post("/import-badge-class", status_code=201, operation_id="import_badge_class", openapi_extra=_BADGE_CLASS_BODY,
             responses=responses(400, 401, 403, 409, 413, 415, 422))  # fmt: skip
async def import_badge_class(
    tenant: AchievementsWrite, prepared: Annotated[PreparedDraft, Depends(_prepared_draft)], session: Session,
    world: World, now: Now, once: Once, external_id: Annotated[ExternalId | None, Query()] = None,
) -> ImportedAchievementOut:  # fmt: skip
    """Make a draft of an Open Badges 2.0 BadgeClass.

    The body is the BadgeClass itself. `notices` say what did not come along and what stands in: a BadgeClass has no rubric,
    so the draft gets one criterion with the levels Not met and Met. Edit the draft, then publish it. A picture that cannot
    be fetched or is not a sound PNG or SVG is left out with a notice, and the draft keeps a drawn one.
    """
    achievement, version, notices = await draft_from_badge_class(
        session,
        tenant.issuer_id,
        prepared,
        external_id=external_id,
        settings=SettingsBody().model_dump(),
        actor=tenant.actor,
        now=now,
    )
    out = ImportedAchievementOut.of_import(AchievementOut.of(achievement, [version], world.base_url), notices)
    await once.remember(out)
    return out


@router.get("", operation_id="list_achievements", responses=responses(400, 401, 403, 422))
async def list_(
    tenant: AchievementsRead, session: ReadSession, world: World, paging: PagingByExternalId
) -> Page[AchievementOut]:
    """The issuer's achievements with all their versions."""
    query = select(Achievement).where(Achievement.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging,
        updated_at=Achievement.updated_at, identifier=Achievement.id, external_id=Achievement.external_id,
    )  # fmt: skip
    versions = await list_versions(session, tenant.issuer_id, [row.id for row in rows])
    items = [
        AchievementOut.of(row, [v for v in versions if v.achievement_id == row.id], world.base_url) for row in rows
    ]
    return Page(items=items, next_cursor=cursor)


@router.get("/{achievement_id}", operation_id="get_achievement", responses=responses(401, 403, 404, 422))
async def get(
    achievement_id: Identifier, tenant: AchievementsRead, session: ReadSession, world: World
) -> AchievementOut:
    """One achievement with all its versions."""
    achievement = await get_achievement(session, tenant.issuer_id, achievement_id)
    versions = await list_versions(session, tenant.issuer_id, [achievement_id])
    return AchievementOut.of(achievement, versions, world.base_url)


@router.put("/{achievement_id}/settings", operation_id="change_achievement_settings",
            responses=responses(400, 401, 403, 404, 413, 415, 422),
            openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                "status_purpose": "suspension", "visibility": "public"}}}}})  # fmt: skip
async def put_settings(
    achievement_id: Identifier, body: SettingsBody, tenant: AchievementsWrite, session: Session, world: World, now: Now
) -> AchievementOut:
    """Replace the issuance settings; members left out take their defaults."""
    achievement = await get_achievement(session, tenant.issuer_id, achievement_id)
    verbs.change_settings(session, achievement, settings=body.model_dump(), actor=tenant.actor, now=now)
    versions = await list_versions(session, tenant.issuer_id, [achievement_id])
    return AchievementOut.of(achievement, versions, world.base_url)


@router.post("/{achievement_id}/versions", status_code=201, operation_id="draft_achievement_version",
             openapi_extra=_EXAMPLE_BODY, responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def draft(
    achievement_id: Identifier, body: AchievementContent, tenant: AchievementsWrite, session: Session, world: World,
    now: Now, once: Once,
) -> VersionOut:  # fmt: skip
    """Draft the next version. It will point back at the version before."""
    achievement = await get_achievement(session, tenant.issuer_id, achievement_id)
    version = await verbs.draft_version(session, achievement, content=body.facts(), actor=tenant.actor, now=now)
    out = VersionOut.of(version, world.base_url)
    await once.remember(out)
    return out


@router.get("/{achievement_id}/versions/{version}", operation_id="get_achievement_version",
            responses=responses(401, 403, 404, 422))  # fmt: skip
async def get_one_version(
    achievement_id: Identifier, version: VersionNumber, tenant: AchievementsRead, session: ReadSession, world: World
) -> VersionOut:
    """One version."""
    return VersionOut.of(await get_version(session, tenant.issuer_id, achievement_id, version), world.base_url)


@router.put("/{achievement_id}/versions/{version}", operation_id="edit_achievement_version",
            openapi_extra=_EXAMPLE_BODY, responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def edit(
    achievement_id: Identifier, version: VersionNumber, body: AchievementContent, tenant: AchievementsWrite,
    session: Session, world: World, now: Now,
) -> VersionOut:  # fmt: skip
    """Replace the content of a draft."""
    achievement = await get_achievement(session, tenant.issuer_id, achievement_id)
    found = await lock_version(session, tenant.issuer_id, achievement_id, version)
    await verbs.edit_draft(session, achievement, found, content=body.facts(), actor=tenant.actor, now=now)
    return VersionOut.of(found, world.base_url)


async def _image_made_safe(
    _: AchievementsWrite, request: Request, data: Annotated[bytes, RawBody(media_type="image/png")]
) -> verbs.UploadedImage:
    """Made safe before the route's transaction begins: that may take seconds."""
    return await asyncio.to_thread(verbs.UploadedImage.of, data, media_type_of(request))


ImageMadeSafe = Annotated[verbs.UploadedImage, Depends(_image_made_safe)]


@router.put("/{achievement_id}/versions/{version}/image", operation_id="change_achievement_image",
            openapi_extra=_IMAGE_BODY, responses=responses(400, 401, 403, 404, 409, 413, 415, 422))  # fmt: skip
async def put_image(
    achievement_id: Identifier, version: VersionNumber,
    tenant: AchievementsWrite, image: ImageMadeSafe, session: Session, world: World, now: Now,
) -> VersionOut:  # fmt: skip
    """Give a draft its own image: a PNG of 90 to 4,096 pixels a side or an SVG, at most 2 MiB.

    A PNG is re-encoded without metadata. An SVG is written anew from an allow-list of elements and attributes, and drawn
    as PNG. Texts, style sheets and anything outside the file are refused. Badges are baked into both forms.
    """
    achievement = await get_achievement(session, tenant.issuer_id, achievement_id)
    found = await lock_version(session, tenant.issuer_id, achievement_id, version)
    await verbs.change_image(session, achievement, found, image=image, actor=tenant.actor, now=now)
    return VersionOut.of(found, world.base_url)


@router.post("/{achievement_id}/versions/{version}/publish", operation_id="publish_achievement_version",
             responses=responses(401, 403, 404, 409, 422))  # fmt: skip
async def publish(
    achievement_id: Identifier,
    version: VersionNumber,
    tenant: AchievementsWrite,
    session: Session,
    world: World,
    now: Now,
) -> VersionOut:
    """Publish a draft. From now on it is immutable, and decisions can be recorded against it."""
    achievement = await get_achievement(session, tenant.issuer_id, achievement_id)
    found = await lock_version(session, tenant.issuer_id, achievement_id, version)
    await verbs.publish_version(session, world, achievement, found, actor=tenant.actor, now=now)
    return VersionOut.of(found, world.base_url)


@router.post("/{achievement_id}/versions/{version}/retire", operation_id="retire_achievement_version",
             responses=responses(401, 403, 404, 409, 422))  # fmt: skip
async def retire(
    achievement_id: Identifier,
    version: VersionNumber,
    tenant: AchievementsWrite,
    session: Session,
    world: World,
    now: Now,
) -> VersionOut:
    """Retire a published version: no new decisions; its badges stay valid and its page stays up."""
    achievement = await get_achievement(session, tenant.issuer_id, achievement_id)
    found = await lock_version(session, tenant.issuer_id, achievement_id, version)
    verbs.retire_version(session, achievement, found, actor=tenant.actor, now=now)
    return VersionOut.of(found, world.base_url)
