"""Verbs on anchors: enter one, read it as a master, reconcile the masters' scores, retire it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.achievements.rubric import Rubric
from app.achievements.store import AchievementVersion, VersionNotPublished, get_published_version, get_version
from app.assessors.anchor_store import find_anchor_by_external_id, list_master_readings, lock_anchor
from app.assessors.anchor_work import AnchorSourceUnfit, compose_content
from app.assessors.levels import require_criteria, require_levels
from app.assessors.store import Anchor, AnchorRole, AnchorSession, MasterReading
from app.audit.store import audit
from app.errors import Conflict, ExternalIdTaken, Fault, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.submissions.store import Submission, get_submission

MASTERS = 3
"""So many people have read an anchor before its true scores are settled."""


class ConsentMissing(InvalidInput):
    """A learner's work is to become an anchor, and nobody says that the learner agreed."""

    code = "consent_missing"


class AnchorNeedsMasters(Conflict):
    """Fewer than three people have read the anchor."""

    code = "anchor_needs_masters"


class AnchorState(Conflict):
    """The anchor's state does not allow it: true scores are settled once, and what is retired stays so."""

    code = "anchor_state"


class MasterReadingGiven(Conflict):
    """The person has read this anchor as a master already."""

    code = "master_reading_given"


async def create_anchor(
    session: AsyncSession,
    issuer_id: str,
    *,
    external_id: str | None,
    achievement_id: str,
    version: int,
    role: AnchorRole,
    content: Mapping[str, Any],
    source_submission_id: str | None,
    consent: bool,
    actor: str,
    now: datetime,
) -> Anchor:
    """A draft: de-identified work on a published version. Raises NotFound, VersionNotPublished, ConsentMissing,
    AnchorSourceUnfit, UnknownPart, UnknownVariant, ExternalIdTaken."""
    published = await get_published_version(session, issuer_id, achievement_id, version)
    source = None
    if source_submission_id is not None:
        source = await get_submission(session, issuer_id, source_submission_id)
        if not consent:
            fault = Fault("/consent", "is not true", "ask the learner, and say so")
            raise ConsentMissing("A learner's work becomes an anchor only with their consent.", faults=[fault])
        if (source.achievement_id, source.version) != (achievement_id, version):
            fault = Fault("/source_submission_id", "is a submission for another version")
            raise AnchorSourceUnfit("The anchor and its source are of different versions.", faults=[fault])
    if external_id is not None and await find_anchor_by_external_id(session, issuer_id, external_id) is not None:
        raise ExternalIdTaken(f"There is already an anchor with external_id {external_id!r}.")
    kept = await compose_content(session, content, published, source)
    anchor = Anchor(
        issuer_id=issuer_id, id=new_id(), external_id=external_id, achievement_id=achievement_id, version=version,
        source_submission_id=source_submission_id, role=role, state="draft", content=kept, levels=None,
        rationales=None, exposures=0, created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(anchor)
    await session.flush()
    facts = {"role": role, "source": source_submission_id, "consent": consent}
    _note(session, anchor, "created", actor, now, facts)
    return anchor


async def give_master_reading(
    session: AsyncSession, member: Member, anchor_id: str, *, levels: Mapping[str, str], now: datetime
) -> MasterReading:
    """A master's scores, in their own name and once. Raises AnchorState, MasterReadingGiven, UnknownCriterion, UnknownLevel."""
    anchor = await lock_anchor(session, member.issuer_id, anchor_id)
    _require_state(anchor, "draft")
    if member.person_id in [
        each.person_id for each in await list_master_readings(session, anchor.issuer_id, anchor.id)
    ]:
        raise MasterReadingGiven("You have read this anchor already; a master reading is never changed.")
    require_levels(await get_rubric(session, anchor), levels)
    reading = MasterReading(
        issuer_id=anchor.issuer_id, anchor_id=anchor.id, person_id=member.person_id, levels=dict(levels), read_at=now
    )
    session.add(reading)
    anchor.updated_at = now
    await session.flush()
    _note(session, anchor, "read", member.actor, now, {"levels": dict(levels)})
    return reading


async def reconcile_anchor(
    session: AsyncSession,
    member: Member,
    anchor_id: str,
    *,
    levels: Mapping[str, str],
    rationales: Mapping[str, str],
    now: datetime,
) -> Anchor:
    """Settle the true scores, each with its reason; from then on the anchor is active.

    Raises AnchorState, AnchorNeedsMasters, UnknownCriterion, UnknownLevel.
    """
    anchor = await lock_anchor(session, member.issuer_id, anchor_id)
    _require_state(anchor, "draft")
    masters = len(await list_master_readings(session, anchor.issuer_id, anchor.id))
    if masters < MASTERS:
        raise AnchorNeedsMasters(f"{masters} people have read the anchor; at least {MASTERS} must have.")
    rubric = await get_rubric(session, anchor)
    require_levels(rubric, levels)
    require_criteria(rubric, rationales, pointer="/rationales")
    anchor.levels, anchor.rationales = dict(levels), dict(rationales)
    anchor.state, anchor.updated_at = "active", now
    _note(session, anchor, "activated", member.actor, now, {"levels": dict(levels), "rationales": dict(rationales)})
    return anchor


async def retire_anchor(session: AsyncSession, issuer_id: str, anchor_id: str, *, actor: str, now: datetime) -> Anchor:
    """Take an anchor out of use; sessions that have it go on. Retiring it again changes nothing."""
    anchor = await lock_anchor(session, issuer_id, anchor_id)
    if anchor.state != "retired":
        anchor.state, anchor.updated_at = "retired", now
        _note(session, anchor, "retired", actor, now, {})
    return anchor


async def forget_anchors_of(session: AsyncSession, issuer_id: str, learner_ids: list[str], now: datetime) -> None:
    """Retire the anchors made of these learners' work and empty them: only the scores stay, for what rests on them."""
    for anchor in await list_anchors_of(session, issuer_id, learner_ids):
        anchor.state, anchor.updated_at = "retired", now
        anchor.content, anchor.rationales, anchor.external_id = {}, None, None


async def list_anchors_of(session: AsyncSession, issuer_id: str, learner_ids: list[str]) -> list[Anchor]:
    """The anchors made of these learners' work."""
    made_of = (Submission.issuer_id == Anchor.issuer_id) & (Submission.id == Anchor.source_submission_id)
    query = (
        select(Anchor)
        .join(Submission, made_of)
        .where(Anchor.issuer_id == issuer_id, Submission.learner_id.in_(learner_ids))
    )
    return list((await session.scalars(query.order_by(Anchor.id))).all())


async def get_frozen_version(
    session: AsyncSession, issuer_id: str, achievement_id: str, version: int
) -> AchievementVersion:
    """A version whose rubric cannot change any more; a retired one still has submissions to be read.

    Raises NotFound, VersionNotPublished.
    """
    found = await get_version(session, issuer_id, achievement_id, version)
    if found.state == "draft":
        raise VersionNotPublished(f"Version {version} is a draft.")
    return found


async def get_rubric(session: AsyncSession, of: Anchor | AnchorSession) -> Rubric:
    """The rubric of the version that an anchor or a session is for."""
    rubric: Rubric = (await get_version(session, of.issuer_id, of.achievement_id, of.version)).content["rubric"]
    return rubric


def _require_state(anchor: Anchor, state: str) -> None:
    if anchor.state != state:
        raise AnchorState(f"The anchor is {anchor.state}, not {state}.")


def _note(
    session: AsyncSession, anchor: Anchor, what: str, actor: str, now: datetime, content: Mapping[str, Any]
) -> None:
    audit(session, issuer_id=anchor.issuer_id, actor=actor, action=f"anchor.{what}", object_id=anchor.id,
          content=content, at=now)  # fmt: skip
    record_event(session, anchor.issuer_id, f"anchor.{what}", anchor.id, at=now)
