"""A BadgeClass of Open Badges 2.0 becomes the draft of an achievement.

Two steps, because the first may take seconds and must not hold a transaction: `prepare_draft` reads the BadgeClass and
gets its picture, `draft_from_badge_class` stores the draft. The first alone is a dry run.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.bodies import AchievementContent
from app.achievements.store import Achievement, AchievementVersion
from app.achievements.versions import UploadedImage, change_image, create_achievement
from app.errors import Fault
from app.issuers.store import get_issuer
from app.net.client import FetchFailed, FetchRefused, OutboundClient
from app.openbadges.badge_class import (
    BadgeClassFacts,
    InvalidBadgeClass,
    Notice,
    decode_data_uri,
    is_same_organization,
    read_badge_class,
)
from app.openbadges.badge_image import MAX_BYTES, InvalidImage
from app.openbadges.baking import is_picture
from app.web.problems import faults_of

_PNG = b"\x89PNG"


@dataclass(frozen=True, slots=True)
class PreparedDraft:
    """A BadgeClass that can become a draft: the validated content, the picture made safe if there is one, and notices."""

    content: Mapping[str, Any]
    image: UploadedImage | None
    notices: tuple[Notice, ...]


async def prepare_draft(outbound: OutboundClient, document: object) -> PreparedDraft:
    """Read a parsed BadgeClass and get its picture. Stores nothing; takes seconds where the picture is fetched or drawn.

    A picture that cannot be had or is not sound is a notice: the draft keeps the one that is drawn for it, and the caption
    of a picture that is not there is left out. Raises InvalidBadgeClass, with pointers into `document`.
    """
    facts = read_badge_class(document)
    content = _validate(facts)
    image, notices = None, list(facts.notices)
    if facts.image_uri is not None:
        try:
            image = await _get_image(outbound, facts.image_uri)
        except _NoImage as error:
            notices.append(Notice("/image", f"{error} The draft has a drawn picture; send your own with PUT …/image."))
    elif "image_caption" in content:
        notices.append(Notice("/image", "There is a caption and no picture."))
    if image is None:
        content.pop("image_caption", None)
    return PreparedDraft(content, image, tuple(notices))


async def draft_from_badge_class(
    session: AsyncSession,
    issuer_id: str,
    prepared: PreparedDraft,
    *,
    external_id: str | None,
    settings: Mapping[str, Any],
    actor: str,
    now: datetime,
) -> tuple[Achievement, AchievementVersion, tuple[Notice, ...]]:
    """A new achievement with version 1 as a draft, and the notices. Raises ExternalIdTaken.

    An issuer of the BadgeClass that is this issuer is not its creator: Open Badges 3.0 names a creator where it is not the
    issuer.
    """
    content, notices = dict(prepared.content), prepared.notices
    issuer = await get_issuer(session, issuer_id)
    if "creator" in content and is_same_organization(content["creator"], issuer.profile):
        del content["creator"]
        notices += (Notice("/issuer", "is you, by its id, address or name, so the draft names no creator"),)
    achievement, version = await create_achievement(
        session, issuer_id, external_id=external_id, content=content, settings=settings, actor=actor, now=now
    )
    if prepared.image is not None:
        await change_image(session, achievement, version, image=prepared.image, actor=actor, now=now)
    return achievement, version, notices


def _validate(facts: BadgeClassFacts) -> dict[str, Any]:
    """The content as our API takes it; what it does not take is a fault of the BadgeClass, at its place there."""
    try:
        return AchievementContent.model_validate(facts.content).facts()
    except ValidationError as error:
        cure = "mend it in the BadgeClass and send that again"
        faults = faults_of(error, facts.content)
        places = [Fault(facts.source_of(fault.pointer), fault.detail, fault.cure or cure) for fault in faults]
        raise InvalidBadgeClass.at(list(dict.fromkeys(places))) from None


class _NoImage(Exception):  # not an error of ours: it becomes a notice
    """Why there is no picture, as a sentence."""


async def _get_image(outbound: OutboundClient, uri: str) -> UploadedImage:
    data = _decode(uri) if uri[:5].lower() == "data:" else await _fetch(outbound, uri)
    if not is_picture(data):
        raise _NoImage("The picture is neither a PNG nor an SVG.")
    media_type = "image/png" if data.startswith(_PNG) else "image/svg+xml"
    try:
        return await asyncio.to_thread(UploadedImage.of, data, media_type)
    except InvalidImage as error:
        raise _NoImage(f"The picture is not used: {error.detail}") from None


def _decode(uri: str) -> bytes:
    try:
        return decode_data_uri(uri)
    except ValueError as error:
        raise _NoImage(f"The picture is not used: it {error}.") from None


async def _fetch(outbound: OutboundClient, url: str) -> bytes:
    try:
        return (await outbound.get(url, accept="image/png, image/svg+xml", max_bytes=MAX_BYTES)).body
    except (FetchRefused, FetchFailed) as error:
        raise _NoImage(f"The picture could not be fetched. {error.detail}") from None
