"""Verbs on achievements: create, draft, edit, publish, retire, change settings, change the image."""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.rasterize import rasterize
from app.achievements.rubric import mandatory_criteria
from app.achievements.store import (
    Achievement,
    AchievementVersion,
    Translation,
    find_by_external_id,
    get_achievement,
    list_live_translations,
    list_versions,
    save_image,
    save_vector_image,
)
from app.audit.store import audit
from app.errors import Conflict, ExternalIdTaken, Fault, InvalidInput
from app.events.store import record_event
from app.frameworks.alignments import expand_alignments
from app.identifiers import new_id
from app.issuers.store import Issuer, get_issuer
from app.openbadges.badge_image import draw_badge, normalize_png
from app.openbadges.compose import (
    AchievementFacts,
    BadgeFacts,
    ResultFacts,
    TranslationFacts,
    compose_achievement,
    compose_credential,
    compose_status_entry,
    criterion_uri,
    level_uri,
    require_distinct_fragments,
    version_uri,
)
from app.openbadges.conformance import LintFailed, lint
from app.openbadges.svg import sanitize_svg
from app.resources import Resources


class VersionNotDraft(Conflict):
    code = "version_not_draft"


class DraftExists(Conflict):
    code = "draft_exists"


class InvalidAchievement(InvalidInput):
    code = "invalid_achievement"


@dataclass(frozen=True, slots=True)
class UploadedImage:
    """A picture made safe: a PNG that `normalize_png` made, and the sanitized SVG it was drawn from, if any."""

    png: bytes
    svg: bytes | None = None

    @classmethod
    def of(cls, data: bytes, media_type: str) -> "UploadedImage":
        """Takes seconds, for a thread. Raises InvalidImage."""
        if media_type != "image/svg+xml":
            return cls(normalize_png(data))
        svg = sanitize_svg(data)
        return cls(rasterize(svg), svg)


async def create_achievement(
    session: AsyncSession,
    issuer_id: str,
    *,
    external_id: str | None,
    content: Mapping[str, Any],
    settings: Mapping[str, Any],
    actor: str,
    now: datetime,
) -> tuple[Achievement, AchievementVersion]:
    """A new achievement with version 1 as a draft. Raises ExternalIdTaken, InvalidAchievement, NotFound for a translation."""
    await _require_translations(session, issuer_id, None, content)
    content = await _with_statements(session, issuer_id, content)
    if external_id is not None and await find_by_external_id(session, issuer_id, external_id) is not None:
        raise ExternalIdTaken(f"There is already an achievement with external_id {external_id!r}.")
    achievement = Achievement(
        issuer_id=issuer_id,
        id=new_id(),
        external_id=external_id,
        settings=dict(settings),
        created_at=now,
        updated_at=now,
    )
    session.add(achievement)
    await session.flush()
    version = await _add_draft(session, achievement, 1, content, now)
    _note(session, achievement, "created", 1, actor, now, {"content": version.content})
    return achievement, version


async def draft_version(
    session: AsyncSession, achievement: Achievement, *, content: Mapping[str, Any], actor: str, now: datetime
) -> AchievementVersion:
    """The next version, as a draft. Criteria keep the lineage of those with the same key before.

    Raises DraftExists, InvalidAchievement, NotFound for a translation.
    """
    await _require_translations(session, achievement.issuer_id, achievement.id, content)
    content = await _with_statements(session, achievement.issuer_id, content)
    versions = await list_versions(session, achievement.issuer_id, [achievement.id])
    if versions[-1].state == "draft":
        raise DraftExists(f"Version {versions[-1].version} is still a draft.")
    before = versions[-1]
    version = await _add_draft(session, achievement, before.version + 1, content, now, before=before.content)
    achievement.updated_at = now
    _note(session, achievement, "drafted", version.version, actor, now, {"content": version.content})
    return version


async def edit_draft(
    session: AsyncSession,
    achievement: Achievement,
    version: AchievementVersion,
    *,
    content: Mapping[str, Any],
    actor: str,
    now: datetime,
) -> None:
    """Replace a draft's content. Raises VersionNotDraft, InvalidAchievement, NotFound for a translation."""
    await _require_translations(session, achievement.issuer_id, achievement.id, content)
    content = await _with_statements(session, achievement.issuer_id, content)
    _require_draft(version)
    version.content = _with_lineage(content, version.content)
    if not version.image_uploaded:
        version.image_digest = await _draw_image(session, achievement, version.content, now)
    version.updated_at = achievement.updated_at = now
    _note(session, achievement, "edited", version.version, actor, now, {"content": version.content})


async def change_image(
    session: AsyncSession,
    achievement: Achievement,
    version: AchievementVersion,
    *,
    image: UploadedImage,
    actor: str,
    now: datetime,
) -> None:
    """Give a draft its own image. Raises VersionNotDraft."""
    _require_draft(version)
    version.image_digest = await _save_image(session, achievement.issuer_id, image.png, now)
    if image.svg is not None:
        await save_vector_image(session, achievement.issuer_id, version.image_digest, image.svg, now)
    version.image_uploaded = True
    version.updated_at = achievement.updated_at = now
    _note(session, achievement, "edited", version.version, actor, now, {"image": version.image_digest})


async def publish_version(
    session: AsyncSession,
    world: Resources,
    achievement: Achievement,
    version: AchievementVersion,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Freeze a draft: compose its Open Badges document, lint a specimen badge of it, store its content hash.

    Raises VersionNotDraft, FragmentTaken or InvalidAchievement.
    """
    _require_draft(version)
    issuer = await get_issuer(session, achievement.issuer_id)
    named: list[str] = version.content.get("translations", [])
    translations = await list_live_translations(session, achievement.issuer_id, achievement.id, named)
    _require_other_languages(version, translations)
    version.document = compose_achievement(
        AchievementFacts(
            uri=f"{world.base_url}/achievements/{achievement.id}",
            version=version.version,
            content=version.content,
            mandatory=mandatory_criteria(version.content["rubric"]),
            previous_version=version.version - 1 or None,
            image_uri=f"{world.base_url}/images/{version.image_digest}.png",
            translations=translation_facts(translations, world.base_url),
        )
    )
    _lint_specimen(world, issuer, version)
    version.content_hash = content_hash(version.content, version.image_digest)
    version.state = "published"
    version.published_at = version.updated_at = achievement.updated_at = now
    session.add_all(
        Translation(
            issuer_id=achievement.issuer_id,
            achievement_id=achievement.id,
            version=version.version,
            translation_id=translation_id,
        )
        for translation_id in named
    )
    _note(session, achievement, "published", version.version, actor, now, {"content_hash": version.content_hash})


def retire_version(
    session: AsyncSession, achievement: Achievement, version: AchievementVersion, *, actor: str, now: datetime
) -> None:
    """End a published version: no new decisions against it; its badges and its page stay."""
    if version.state != "published":
        raise Conflict(f"Version {version.version} is {version.state}; only a published version can be retired.")
    version.state = "retired"
    version.retired_at = version.updated_at = achievement.updated_at = now
    _note(session, achievement, "retired", version.version, actor, now, {})


def change_settings(
    session: AsyncSession, achievement: Achievement, *, settings: Mapping[str, Any], actor: str, now: datetime
) -> None:
    """Change issuance settings. They concern badges issued from now on."""
    achievement.settings = dict(settings)
    achievement.updated_at = now
    _note(session, achievement, "settings_changed", None, actor, now, {"settings": achievement.settings})


def translation_facts(versions: Iterable[AchievementVersion], base_url: str) -> tuple[TranslationFacts, ...]:
    """Published versions of other achievements as what `related` says of them."""
    return tuple(
        TranslationFacts(
            version_uri=version_uri(f"{base_url}/achievements/{version.achievement_id}", version.version),
            version=version.version,
            in_language=version.content.get("in_language"),
        )
        for version in versions
    )


def content_hash(content: Mapping[str, Any], image_digest: str) -> str:
    """SHA-256 of the content and its image, over compact JSON with sorted members."""
    text = json.dumps([content, image_digest], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


async def _add_draft(
    session: AsyncSession,
    achievement: Achievement,
    number: int,
    content: Mapping[str, Any],
    now: datetime,
    *,
    before: Mapping[str, Any] | None = None,
) -> AchievementVersion:
    content = _with_lineage(content, before or {})
    version = AchievementVersion(
        issuer_id=achievement.issuer_id,
        achievement_id=achievement.id,
        version=number,
        state="draft",
        content=content,
        document=None,
        content_hash=None,
        image_digest=await _draw_image(session, achievement, content, now),
        image_uploaded=False,
        created_at=now,
        updated_at=now,
        published_at=None,
        retired_at=None,
    )
    session.add(version)
    await session.flush()
    return version


def _with_lineage(content: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """`content` with a lineage id on every criterion: its own, else that of the same key before, else a new one."""
    require_distinct_fragments(content["rubric"]["criteria"])
    known = {c["key"]: c["lineage_id"] for c in before.get("rubric", {}).get("criteria", ())}
    criteria = [
        {**criterion, "lineage_id": criterion.get("lineage_id") or known.get(criterion["key"]) or new_id()}
        for criterion in content["rubric"]["criteria"]
    ]
    return {**content, "rubric": {**content["rubric"], "criteria": criteria}}


async def _draw_image(
    session: AsyncSession, achievement: Achievement, content: Mapping[str, Any], now: datetime
) -> str:
    issuer = await get_issuer(session, achievement.issuer_id)
    # A quarter of a second of drawing: other requests go on meanwhile.
    png = await asyncio.to_thread(draw_badge, content["name"], issuer.profile["name"], achievement.id)
    return await _save_image(session, achievement.issuer_id, png, now)


async def _save_image(session: AsyncSession, issuer_id: str, png: bytes, now: datetime) -> str:
    digest = hashlib.sha256(png).hexdigest()
    await save_image(session, issuer_id, digest, png, now)
    return digest


async def _require_translations(
    session: AsyncSession, issuer_id: str, achievement_id: str | None, content: Mapping[str, Any]
) -> None:
    """What is named as a translation is another achievement of the same issuer."""
    for position, translation_id in enumerate(content.get("translations", ())):
        await get_achievement(session, issuer_id, translation_id)
        if translation_id == achievement_id:
            fault = Fault(f"/translations/{position}", "is the achievement itself", "name the others only")
            raise InvalidAchievement("An achievement is not its own translation.", faults=[fault])


async def _with_statements(session: AsyncSession, issuer_id: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """`content` with the alignments written out that name a statement alone. Raises InvalidAchievement."""
    expanded, faults = await expand_alignments(session, issuer_id, content)
    if faults:
        raise InvalidAchievement("An alignment names a statement that it cannot lead to.", faults=faults)
    return expanded


def _require_other_languages(version: AchievementVersion, translations: Iterable[AchievementVersion]) -> None:
    """The translations that the version itself names have a language, and another one. Raises InvalidAchievement."""
    by_id = {each.achievement_id: each.content.get("in_language") for each in translations}
    own = version.content.get("in_language")
    faults = [
        Fault(
            f"/translations/{position}",
            "has the same language" if by_id[named] else "does not say its language",
            "give each its own in_language",
        )
        for position, named in enumerate(version.content.get("translations", ()))
        if named in by_id and by_id[named] in (None, own)
    ]
    if faults:
        raise InvalidAchievement("A translation is the same achievement in another language.", faults=faults)


def _require_draft(version: AchievementVersion) -> None:
    if version.state != "draft":
        raise VersionNotDraft(f"Version {version.version} is {version.state} and cannot change.")


def _lint_specimen(world: Resources, issuer: Issuer, version: AchievementVersion) -> None:
    """Lint a badge as this version would give it, so that a fault shows now and not at the first award."""
    assert version.document is not None
    uri = version.document["id"]
    status_list = f"{world.base_url}/status-lists/{'0' * 32}"
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    specimen = BadgeFacts(
        id=f"{world.base_url}/credentials/{'0' * 32}",
        issuer=issuer.profile,
        achievement=version.document,
        results=tuple(
            ResultFacts(
                criterion_uri(uri, c["key"]),
                level_uri(uri, c["key"], c["passing_level"]),
                next(level["name"] for level in c["levels"] if level["key"] == c["passing_level"]),
            )
            for c in version.content["rubric"]["criteria"]
        ),
        status_entry=compose_status_entry(status_list_id=status_list, index=0, purpose="revocation"),
        valid_from=moment,
        awarded_date=moment,
        name=version.content["name"],
        recipient_id="did:example:specimen",
    )
    try:
        lint(compose_credential(specimen), contexts=world.contexts)
    except LintFailed as error:
        raise InvalidAchievement("A badge of this version would not be sound.", faults=error.faults) from None


def _note(
    session: AsyncSession,
    achievement: Achievement,
    what: str,
    version: int | None,
    actor: str,
    now: datetime,
    content: Mapping[str, Any],
) -> None:
    data = {} if version is None else {"version": version}
    audit(session, issuer_id=achievement.issuer_id, actor=actor, action=f"achievement.{what}",
          object_id=achievement.id, content={**data, **content}, at=now)  # fmt: skip
    record_event(session, achievement.issuer_id, f"achievement.{what}", achievement.id, at=now, data=data)
